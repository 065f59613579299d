"""Errors of forecast counts by hand, and against numpy's own correlation."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import InvalidDataError
from whyrec.evaluation.forecasting import align_counts, count_metrics

FORECAST = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d", "e"],
        "expected": [10.0, 4.0, 0.6, 0.2, 0.1],
        "low": [8.0, 1.0, 0.0, None, None],
        "high": [12.0, 3.0, 1.0, None, None],
    }
)
COUNTS = pl.DataFrame({"item_id": ["a", "b", "d"], "users": [12, 4, 1]}, schema_overrides={"users": pl.UInt32})


def values(aligned: pl.DataFrame) -> dict[str, float]:
    return {name: interval.value for name, interval in count_metrics(aligned).items()}


def test_figures_of_the_catalogue_by_hand() -> None:
    """Truth 12, 4, 0, 1, 0: errors 2, 0, .6, .8, .1. Intervals [8, 12], [1, 3], [0, 1] hold 12 and 0 but not 4."""
    got = values(align_counts(FORECAST, counts=COUNTS))
    assert got["MAE"] == pytest.approx((2 + 0 + 0.6 + 0.8 + 0.1) / 5)
    assert got["WAPE"] == pytest.approx((2 + 0 + 0.6 + 0.8 + 0.1) / (12 + 4 + 1))
    # Ranks 5 4 3 2 1 against 5 4 1.5 3 1.5, both with mean 3.
    covariance = 2 * 2 + 1 * 1 + 0 * -1.5 + -1 * 0 + -2 * -1.5
    assert got["Spearman"] == pytest.approx(covariance / np.sqrt((4 + 1 + 0 + 1 + 4) * (4 + 1 + 2.25 + 0 + 2.25)))
    assert got["Coverage"] == pytest.approx(2 / 3)
    assert got["Width"] == pytest.approx((4 + 2 + 1) / 3)


def test_active_items_are_those_that_got_or_were_promised_somebody() -> None:
    """e got nobody and was promised 0.1: it leaves."""
    active = align_counts(FORECAST, counts=COUNTS, population="active")
    assert active["item_id"].to_list() == ["a", "b", "c", "d"]
    assert values(active)["MAE"] == pytest.approx((2 + 0 + 0.6 + 0.8) / 4)


def test_intervals_surround_their_values_and_name_their_items() -> None:
    rng = np.random.default_rng(0)
    users = rng.poisson(3.0, size=400).astype(float)
    aligned = pl.DataFrame(
        {"expected": users + rng.normal(size=400), "low": users - 1, "high": users + 1, "users": users}
    )
    for name, interval in count_metrics(aligned).items():
        assert interval.low <= interval.value <= interval.high, name
        assert interval.n == 400
    assert count_metrics(aligned)["Coverage"].value == 1.0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_spearman_is_the_correlation_of_average_ranks(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    aligned = pl.DataFrame({"expected": x, "low": None, "high": None, "users": y})
    got = values(aligned)["Spearman"]
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert np.isnan(got)
    else:
        ranks = [pl.Series(column).rank("average").to_numpy() for column in (x, y)]
        assert got == pytest.approx(np.corrcoef(*ranks)[0, 1])


def test_without_intervals_there_is_no_coverage() -> None:
    bare = FORECAST.with_columns(pl.lit(None, dtype=pl.Float64).alias("low"))
    assert set(count_metrics(align_counts(bare, counts=COUNTS))) == {"MAE", "WAPE", "Spearman"}


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="'expected': expected finite numbers, got null or NaN"):
        align_counts(FORECAST.with_columns(pl.lit(None, dtype=pl.Float64).alias("expected")), counts=COUNTS)
    with pytest.raises(InvalidDataError, match="at least one active item, got none"):
        align_counts(FORECAST.tail(1), counts=COUNTS, population="active")


def test_nobody_came_anywhere() -> None:
    assert np.isnan(values(align_counts(FORECAST, counts=COUNTS.clear()))["WAPE"])
