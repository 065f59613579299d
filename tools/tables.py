"""What tables of results are made of: rows of results/*.json and Markdown."""

import json
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
Row = Mapping[str, object]


def read(name: str) -> dict[str, list[Row]]:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def figure(rows: list[Row], *, method: str, metric: str, protocol: str) -> str:
    for row in rows:
        if (row["method"], row["metric"], row["protocol"]) == (method, metric, protocol):
            value, low, high = row["value"], row["low"], row["high"]
            number = f"{value:.3f}"
            return number if low is None or low != low else f"{number} [{low:.3f}, {high:.3f}]"
    return "–"


def last_protocol(rows: list[Row]) -> str:
    return str(rows[-1]["protocol"])


def lines(head: list[str], body: list[list[str]]) -> str:
    table = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in table)


def interval(row: Row) -> str:
    number = f"{row['value']:.3f}"
    return number if row["low"] is None else f"{number} [{row['low']:.3f}, {row['high']:.3f}]"
