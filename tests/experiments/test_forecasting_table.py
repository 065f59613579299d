"""The comparison behind the README's table: chosen on the past, averaged as it says."""

from datetime import UTC, datetime

import polars as pl
import pytest

from contracts.forecaster import small_world
from whyrec.baselines.registry import BASELINES
from whyrec.data.windows import Window, WindowLength
from whyrec.evaluation.rolling import ORACLE, last_windows
from whyrec.experiments.forecasting import (
    METRIC,
    OURS,
    RECENCY,
    best_recency,
    compare_with_recency,
    forecast_rankers,
    windows_before,
)

LENGTH = WindowLength.parse("30d")


def judged(hits: dict[str, list[list[float]]]) -> pl.DataFrame:
    """Per-user values: a list of users per window and method."""
    rows = [
        {"method": method, "dataset": "d", "window": f"w{w}", "user_id": f"u{u}", METRIC: value}
        for method, windows in hits.items()
        for w, users in enumerate(windows)
        for u, value in enumerate(users)
    ]
    return pl.DataFrame(rows)


def test_every_baseline_and_ours_is_in_the_table() -> None:
    assert set(forecast_rankers("30d")) == {OURS, *BASELINES}


def test_the_baseline_is_chosen_on_windows_that_end_before_the_tested_ones() -> None:
    data = small_world()
    tested = last_windows(data, length=LENGTH, n=2)
    earlier = windows_before(data, tested=tested, length=LENGTH, n=3)
    assert len(earlier) == 3
    assert all(window.end <= tested[0].start for window in earlier)
    assert earlier[-1].end == tested[0].start


def test_the_choice_does_not_change_with_what_happens_in_the_tested_windows() -> None:
    """Cut the tested windows out of the log: the same baseline is chosen."""
    data = small_world()
    tested = last_windows(data, length=LENGTH, n=2)
    chosen = best_recency(data, tested=tested, length=LENGTH)
    assert chosen in RECENCY
    blind = type(data)(data.name, data.before(tested[0].start), data.items)
    assert best_recency(blind, tested=tested, length=LENGTH) == chosen


def test_shares_are_averaged_over_data_sets_not_over_users() -> None:
    """First set: ours 1/2 of an oracle of 1, baseline 1/4. Second: ours 1 of 1/2 = 2, baseline 1/2 of 1/2 = 1."""
    first = judged({OURS: [[1, 1, 0, 0]], "last_7_days": [[1, 0, 0, 0]], ORACLE: [[1, 1, 1, 1]]})
    second = judged({OURS: [[1, 1]], "ema": [[1, 0]], ORACLE: [[1, 0]]})
    found = compare_with_recency({"a": first, "b": second}, chosen={"a": "last_7_days", "b": "ema"})
    assert found.ours.value == pytest.approx((2 / 4 + 1 / (1 / 2)) / 2)
    assert found.baseline.value == pytest.approx((1 / 4 + (1 / 2) / (1 / 2)) / 2)
    assert found.difference.value == pytest.approx(found.ours.value - found.baseline.value)


def test_no_earlier_window_is_invented() -> None:
    data = small_world()
    first, _ = data.time_range
    tested = [Window(first, datetime(2020, 3, 1, tzinfo=UTC))]
    assert windows_before(data, tested=tested, length=LENGTH, n=3) == []
