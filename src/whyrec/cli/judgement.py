"""Print evaluation rows as a table for people: methods by metrics, best first, then chance and oracles."""

from collections.abc import Mapping

import polars as pl
from rich.table import Table
from rich.text import Text

from whyrec.cli.terminal import stdout_console
from whyrec.evaluation.rolling import CHANCE, GREEDY_ORACLE, ORACLE

_LEADING = "HR@10"
_FORECASTS = {"HR@5": "HR@5", _LEADING: _LEADING, "NDCG@10": "NDCG@10", f"{_LEADING}/oracle": "share of oracle"}
_USER_LISTS = {name: name for name in (_LEADING, "NDCG@10", "Recall@10", "MRR@10")}
_BOUNDS = {CHANCE: "chance", ORACLE: "oracle", GREEDY_ORACLE: "greedy oracle"}


def print_judgement(rows: pl.DataFrame) -> None:
    """Print the last protocol of some rows, which for forecasters is the mean of all windows, with 95% intervals.

    Args:
        rows: Columns of ``ROW_SCHEMA``.
    """
    last = rows.filter(pl.col("protocol") == rows["protocol"][-1])
    figures = {(row["method"], row["metric"]): row for row in last.to_dicts()}
    columns = _USER_LISTS if "MRR@10" in last["metric"] else _FORECASTS
    judged = [name for name in last["method"].unique(maintain_order=True) if name not in _BOUNDS]
    judged.sort(key=lambda name: -figures[name, _LEADING]["value"])
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("method", no_wrap=True)
    for heading in columns.values():
        table.add_column(heading, no_wrap=True)
    for name in judged:
        style = "bold" if name == judged[0] else ""
        table.add_row(Text(name, style), *(_cell(figures.get((name, metric)), style) for metric in columns))
    for name, shown in _BOUNDS.items():
        if (name, _LEADING) in figures:
            table.add_row(Text(shown, "dim"), *(_cell(figures.get((name, metric)), "dim") for metric in columns))
    console = stdout_console()
    users = figures[judged[0], _LEADING]["n"]
    console.print(f"{last['dataset'][0]}, {last['protocol'][0]}", style="bold")
    console.print(f"values and 95% intervals over {users:,} evaluated users", style="dim")
    console.print(table)


def _cell(figure: Mapping[str, object] | None, style: str) -> Text:
    value, low, high = (figure[name] if figure else None for name in ("value", "low", "high"))
    if not isinstance(value, float):
        return Text("–", style)
    cell = Text(_short(value), style)
    if isinstance(low, float) and isinstance(high, float):
        cell.append(f" {_short(low)}–{_short(high)}", "dim")
    return cell


def _short(value: float) -> str:
    """Three digits without the leading zero, so that a row fits into 80 columns."""
    return f"{value:.3f}"[1:] if 0 <= value < 0.9995 else f"{value:.2f}"
