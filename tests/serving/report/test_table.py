"""The evaluation as tables."""

import polars as pl
import pytest
from report_world import evaluation_rows

from whyrec.errors import InvalidDataError
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.serving.report.table import Cell, evaluation_tables


def rows_of(*figures: tuple[str, str, float | None]) -> pl.DataFrame:
    rows = [
        {"method": method, "dataset": "d", "protocol": "p", "metric": metric, "value": value, "n": 7, "seed": 0}
        for method, metric, value in figures
    ]
    return pl.DataFrame(rows, schema=ROW_SCHEMA)


def test_methods_stand_best_first_and_references_apart() -> None:
    table = evaluation_tables(evaluation_rows(), metrics=("HR@10", "NDCG@10"), forecaster="last_7_days")[-1]
    assert table.protocol == "mean of 2 windows to 2013-09-26"
    assert [row.method for row in table.methods] == ["trail", "last_7_days", "last_30_days"]
    assert [row.method for row in table.references] == ["chance", "oracle", "greedy_coverage_oracle"]
    assert [row.is_shown for row in table.methods] == [False, True, False]
    assert table.methods[0].cells[0] == Cell("0.310", "0.294 – 0.326", best=True)  # 0.31 x 0.95 and x 1.05
    assert table.n == 4321


def test_the_best_is_never_an_oracle_and_a_tie_is_shared() -> None:
    rows = rows_of(("oracle", "HR@10", 0.9), ("a", "HR@10", 0.3), ("b", "HR@10", 0.3), ("c", "HR@10", 0.2))
    (table,) = evaluation_tables(rows, metrics=("HR@10",), forecaster="a")
    assert [row.cells[0].best for row in table.methods] == [True, True, False]
    assert not table.references[0].cells[0].best


def test_of_errors_the_smallest_is_best_and_leads() -> None:
    rows = rows_of(("a", "MAE", 12.5), ("b", "MAE", 2.5), ("c", "MAE", None))
    (table,) = evaluation_tables(rows, metrics=("MAE",), forecaster="a")
    assert [row.method for row in table.methods] == ["b", "a", "c"]
    assert [row.cells[0] for row in table.methods] == [Cell("2.500", best=True), Cell("12.5"), Cell("–")]


def test_each_protocol_has_a_table_and_missing_metrics_no_column() -> None:
    tables = evaluation_tables(evaluation_rows(), metrics=("HR@10", "MAE"), forecaster="trail")
    assert len(tables) == 2 + 1  # the windows and their mean
    assert {table.metrics for table in tables} == {("HR@10",)}
    everything = evaluation_tables(evaluation_rows(), metrics=("MAE",), forecaster="trail")[0]
    assert everything.metrics == ("HR@5", "HR@10", "HR@10/oracle", "NDCG@10")


def test_no_rows_no_table() -> None:
    assert evaluation_tables(pl.DataFrame(schema=ROW_SCHEMA), metrics=("HR@10",), forecaster="trail") == []


def test_two_figures_for_one_cell_are_refused() -> None:
    rows = rows_of(("a", "HR@10", 0.3), ("a", "HR@10", 0.4))
    with pytest.raises(InvalidDataError, match="p: expected one figure per method and metric, got 2 rows for 1"):
        evaluation_tables(rows, metrics=("HR@10",), forecaster="a")
