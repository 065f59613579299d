"""Lay out evaluation rows as tables: methods by metrics, the references apart, the best in bold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from whyrec.errors import InvalidDataError
from whyrec.evaluation.rolling import CHANCE, GREEDY_ORACLE, ORACLE

REFERENCES = {
    CHANCE: "a list in random order",
    ORACLE: "a list by the counts that came, which no forecast can know",
    GREEDY_ORACLE: "the same knowledge, spent on reaching as many different users as possible",
}
"""Rows that bound a table from below and above, and what they are."""
_LOWER_IS_BETTER = ("MAE", "WAPE")


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure."""

    value: str
    interval: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One method."""

    method: str
    is_shown: bool
    """True for the forecaster whose list the page shows."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One protocol on one data set."""

    dataset: str
    protocol: str
    n: int
    """Units that the leading metric averages over."""
    metrics: tuple[str, ...]
    methods: tuple[Row, ...]
    """Best first by the leading metric."""
    references: tuple[Row, ...]


def evaluation_tables(rows: pl.DataFrame, *, metrics: Sequence[str], forecaster: str) -> list[Table]:
    """Make one table per data set and protocol, in the order of the rows.

    Args:
        rows: Columns of ``ROW_SCHEMA``.
        metrics: Columns wanted, the leading one first. Where a protocol has none of them it shows all that it has.
        forecaster: The method to mark.

    Raises:
        InvalidDataError: If a method has two figures for one metric.
    """
    parts = rows.partition_by("dataset", "protocol", maintain_order=True)
    return [_table(part, metrics=metrics, forecaster=forecaster) for part in parts]


def _table(rows: pl.DataFrame, *, metrics: Sequence[str], forecaster: str) -> Table:
    dataset, protocol = str(rows["dataset"][0]), str(rows["protocol"][0])
    figures = {(row["method"], row["metric"]): row for row in rows.to_dicts()}
    if len(figures) < rows.height:
        raise InvalidDataError(
            f"report evaluation, {protocol}: expected one figure per method and metric, got {rows.height} rows for "
            f"{len(figures)}. Keep one seed."
        )
    present = rows["metric"].unique(maintain_order=True).to_list()
    columns = tuple(metric for metric in metrics if metric in present) or tuple(present)
    methods = rows["method"].unique(maintain_order=True).to_list()
    judged = [method for method in methods if method not in REFERENCES]
    best = {metric: _best(figures, judged, metric) for metric in columns}
    judged.sort(key=lambda method: _badness(figures, method, columns[0]))
    references = [method for method in REFERENCES if method in methods]

    def row(method: str) -> Row:
        cells = tuple(_cell(figures.get((method, metric)), best=method in best[metric]) for metric in columns)
        return Row(method, method == forecaster, cells)

    n = max((int(it["n"]) for (_, metric), it in figures.items() if metric == columns[0] and it["n"]), default=0)
    return Table(dataset, protocol, n, columns, tuple(map(row, judged)), tuple(map(row, references)))


Figures = Mapping[tuple[str, str], Mapping[str, object]]


def _badness(figures: Figures, method: str, metric: str) -> float:
    """The value, turned so that less is better; infinite where there is none."""
    value = figures.get((method, metric), {}).get("value")
    if not isinstance(value, float):
        return float("inf")
    return value if metric.startswith(_LOWER_IS_BETTER) else -value


def _best(figures: Figures, methods: Sequence[str], metric: str) -> set[str]:
    badness = {method: _badness(figures, method, metric) for method in methods}
    least = min(badness.values(), default=float("inf"))
    return {method for method, value in badness.items() if value == least < float("inf")}


def _cell(figure: Mapping[str, object] | None, *, best: bool) -> Cell:
    if figure is None or not isinstance(figure["value"], float):
        return Cell("–")
    low, high = figure["low"], figure["high"]
    interval = f"{_number(low)} – {_number(high)}" if isinstance(low, float) and isinstance(high, float) else ""
    return Cell(_number(figure["value"]), interval, best)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
