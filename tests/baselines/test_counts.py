"""Counting forecasters on a log small enough to count by hand."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.baselines.counts import AllTimeForecaster
from whyrec.baselines.registry import BASELINES, build_baseline
from whyrec.baselines.smoothing import windows_back
from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.data.windows import WindowLength
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.forecasts import WindowConfig

START = datetime(2020, 1, 1, tzinfo=UTC)
ITEMS = ("a", "b", "c", "d")


def log_of(events: list[tuple[str, str, float]], *, items: tuple[str, ...] = ITEMS) -> Dataset:
    """A dataset of (user, item, day) events."""
    log = pl.DataFrame(
        {
            "user_id": [user for user, _, _ in events],
            "item_id": [item for _, item, _ in events],
            "timestamp": [START + timedelta(days=day) for *_, day in events],
        },
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE},
    )
    return Dataset.from_frames(log, pl.DataFrame({"item_id": items, "title": items}))


def forecast(name: str, data: Dataset, *, day: float, **options: float) -> dict[str, float]:
    """Expected users by item_id for the 30 days from ``day``."""
    at = START + timedelta(days=day)
    ranking = build_baseline(name, window="30d", **options).fit(data, until=at).forecast(data, at=at)
    return dict(ranking.select("item_id", "expected").iter_rows())


# Windows back from day 90: [60, 90), [30, 60), [0, 30). u takes a twice: one user.
EVENTS = [("u", "a", 0), ("u", "a", 1), ("v", "a", 2), ("u", "b", 35), ("v", "b", 45), ("w", "b", 59.9), ("x", "b", 85)]
EVENTS += [("u", "c", 62), ("v", "c", 84), ("w", "c", 88)]


def test_last_window_repeats_distinct_users() -> None:
    assert forecast("last_window", log_of(EVENTS), day=90) == {"c": 3.0, "b": 1.0, "a": 0.0, "d": 0.0}


def test_last_days_are_stretched_to_the_window_by_what_happened_before() -> None:
    """Last 7 days of [60, 90): b 1, c 2. At day 60 the last 7 days held 1 user, and 4 came in [60, 90): scale 4."""
    assert forecast("last_7_days", log_of(EVENTS), day=90) == {"c": 2 * 4.0, "b": 1 * 4.0, "a": 0.0, "d": 0.0}


def test_all_time_counts_each_user_once() -> None:
    """a 2, b 4, c 3. At day 60 the strengths were a 2, b 3, and 4 users came: scale 4/5."""
    expected = forecast("all_time", log_of(EVENTS), day=90)
    assert expected == pytest.approx({"b": 4 * 0.8, "c": 3 * 0.8, "a": 2 * 0.8, "d": 0.0})


def test_ema_by_hand() -> None:
    """Smoothing .5. a: 2, 0, 0 -> .5. b starts in window 2: 3, then .5 * 1 + .5 * 3 = 2. c: 3."""
    assert forecast("ema", log_of(EVENTS), day=90) == pytest.approx({"c": 3.0, "b": 2.0, "a": 0.5, "d": 0.0})
    assert forecast("ema", log_of(EVENTS), day=90, smoothing=1.0) == {"c": 3.0, "b": 1.0, "a": 0.0, "d": 0.0}


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.floats(0.05, 1.0))
def test_ema_equals_its_recursion(counts: list[int], smoothing: float) -> None:
    events = [(f"u{n}", "a", 30.0 * w + 1) for w, count in enumerate(counts) for n in range(count)]
    # The anchor item keeps the log's start, and so the windows, where they are.
    data = log_of([("z", "b", 0.0), *events])
    since_first = counts[next((w for w, count in enumerate(counts) if count), len(counts)) :]
    average = float(since_first[0]) if since_first else 0.0
    for count in since_first[1:]:
        average = smoothing * count + (1 - smoothing) * average
    got = forecast("ema", data, day=30.0 * len(counts), smoothing=smoothing)
    assert got["a"] == pytest.approx(average)


def test_half_life_weighs_each_users_latest_interaction() -> None:
    """At day 40, half-life 10: u took a at 30 (and 10: ignored) -> 1/2; v took a at 20 -> 1/4; b at 40 is not past."""
    events = [("u", "a", 10), ("u", "a", 30), ("v", "a", 20), ("w", "b", 40)]
    got = forecast("half_life", log_of(events), day=40, half_life_days=10)
    # Scale: at day 10 nothing had happened, so there is nothing to compare with and it stays 1.
    assert got == pytest.approx({"a": 0.5 + 0.25, "b": 0.0, "c": 0.0, "d": 0.0})


def test_seasonal_naive_repeats_last_years_window_but_not_for_newcomers() -> None:
    """365 days before day 400 is day 35: b had two users in [35, 65). c is younger: its last window counts."""
    events = [
        ("u", "a", 0),
        ("u", "b", 36),
        ("v", "b", 64),
        ("w", "b", 65),
        ("x", "b", 390),
        ("u", "c", 66),
        ("v", "c", 399),
    ]
    assert forecast("seasonal_naive", log_of(events), day=400) == {"b": 2.0, "c": 1.0, "a": 0.0, "d": 0.0}


def test_seasonal_naive_without_a_year_is_the_last_window() -> None:
    data = log_of(EVENTS)
    assert forecast("seasonal_naive", data, day=90) == forecast("last_window", data, day=90)


def test_seasonal_naive_by_month_goes_back_twelve_months() -> None:
    events = [("u", "a", 0), ("u", "b", 31), ("v", "b", 59), ("u", "c", 60), ("x", "a", 390)]  # 2020-02-01, -29, 03-01
    at = datetime(2021, 2, 1, tzinfo=UTC)
    data = log_of(events)
    ranking = build_baseline("seasonal_naive", window="month").fit(data, until=at).forecast(data, at=at)
    assert dict(ranking.select("item_id", "expected").iter_rows())["b"] == 2.0


def test_equal_items_are_ranked_by_id() -> None:
    data = log_of([("u", "c", 1), ("u", "b", 1)], items=("d", "c", "b", "a"))
    at = START + timedelta(days=2)
    ranking = build_baseline("last_7_days", window="30d").fit(data, until=at).forecast(data, at=at)
    assert ranking["item_id"].to_list() == ["b", "c", "a", "d"]


def test_windows_back_end_at_the_cutoff_and_reach_the_first_event() -> None:
    data = log_of([("u", "a", 0), ("u", "a", 100)])
    windows = windows_back(data, at=START + timedelta(days=70), length=WindowLength(30))
    assert [(w.start - START).days for w in windows] == [-20, 10, 40]
    assert windows_back(data, at=START, length=WindowLength(30)) == []


def test_names_and_options() -> None:
    wanted = {"all_time", "last_window", "last_3_days", "last_7_days", "last_14_days", "ema", "seasonal_naive", "pare"}
    assert wanted <= set(BASELINES)
    with pytest.raises(InvalidConfigError, match="got 'last_8_days'"):
        build_baseline("last_8_days")
    with pytest.raises(InvalidConfigError, match=r"option 'days': .*, got 0"):
        build_baseline("last_7_days", days=0)
    with pytest.raises(InvalidConfigError, match=r"option 'dayz': .*, got 3"):
        build_baseline("last_7_days", dayz=3)
    with pytest.raises(InvalidConfigError, match="got 'year'"):
        build_baseline("last_window", window="year")


def test_a_forecast_before_the_fit_is_refused() -> None:
    data = log_of(EVENTS)
    fitted = build_baseline("all_time", window="30d").fit(data, until=START + timedelta(days=60))
    with pytest.raises(InvalidConfigError, match=r"from 2020-03-01T00:00:00\+00:00 on .*got 2020-02-29"):
        fitted.forecast(data, at=START + timedelta(days=59))
    with pytest.raises(InvalidConfigError, match="got 0"):
        fitted.forecast(data, at=START + timedelta(days=60), k=0)


def test_loading_another_class_is_refused(tmp_path: Path) -> None:
    data = log_of(EVENTS)
    build_baseline("ema").fit(data, until=START + timedelta(days=60)).save(tmp_path / "run")
    with pytest.raises(InvalidDataError, match="expected AllTimeForecaster of format 1, got EmaForecaster"):
        AllTimeForecaster.load(tmp_path / "run")
    content = json.loads((tmp_path / "run" / "forecaster.json").read_text())
    assert content["config"] == {"window": "month", "smoothing": 0.5}


def test_config_is_frozen_and_knows_its_window() -> None:
    config = WindowConfig(window="7d")
    assert config.length == WindowLength(7)
    with pytest.raises(ValueError, match="frozen"):
        config.window = "30d"
