from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from drawn_datasets import START, small_datasets
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.windows import (
    Window,
    WindowLength,
    day_after,
    month_after,
    month_before,
    month_start,
    users_per_item,
    users_per_item_and_window,
)
from whyrec.errors import InvalidConfigError

moments = st.datetimes(datetime(1971, 1, 1), datetime(2098, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
lengths = st.one_of(st.just(WindowLength()), st.builds(WindowLength, st.integers(1, 60)))


@given(first=moments, days=st.integers(0, 500), length=lengths)
def test_full_windows_join_without_gap_inside_the_log(first: datetime, days: int, length: WindowLength) -> None:
    last = first + timedelta(days=days)
    windows = length.full_windows(first, last)
    assert all(window.end == following.start for window, following in pairwise(windows))
    assert all(first <= window.start < window.end <= last for window in windows)
    next_start = windows[-1].end if windows else first
    longest = timedelta(days=2 * 31 if length.days is None else length.days)
    assert last - next_start < longest


@given(start=moments, length=st.builds(WindowLength, st.integers(1, 60)))
def test_the_following_window_is_preceded_by_its_start(start: datetime, length: WindowLength) -> None:
    assert length.preceding(length.following(start).end) == length.following(start)


@given(moment=moments)
def test_months_begin_at_midnight_and_follow_each_other(moment: datetime) -> None:
    start = month_start(moment)
    assert start <= moment < month_after(start)
    assert month_before(month_after(start)) == start
    assert day_after(moment) - timedelta(days=1) <= moment < day_after(moment)


def test_months_end_on_their_own_last_day() -> None:
    assert month_after(datetime(2020, 1, 31, tzinfo=UTC)) == datetime(2020, 2, 29, tzinfo=UTC)
    assert month_before(datetime(2021, 3, 31, tzinfo=UTC)) == datetime(2021, 2, 28, tzinfo=UTC)
    assert month_before(datetime(2021, 1, 5, tzinfo=UTC)) == datetime(2020, 12, 5, tzinfo=UTC)


def test_labels_and_lengths() -> None:
    month = WindowLength.parse("month").following(datetime(2013, 10, 1, tzinfo=UTC))
    thirty = WindowLength.parse("30d").following(datetime(2013, 10, 8, tzinfo=UTC))
    assert (month.label, month.days) == ("2013-10", 31)
    assert (thirty.label, thirty.days) == ("2013-10-08/2013-11-07", 30)
    assert (str(WindowLength()), str(WindowLength(7))) == ("month", "7d")
    for text in ("week", "0d", "-3d", "d", "99999d"):
        with pytest.raises(InvalidConfigError, match=f"window: expected 'month' or a number of days.*got '{text}'"):
            WindowLength.parse(text)


@given(data=small_datasets, hours=st.integers(1, 12))
def test_counts_are_of_distinct_users_per_window(data: Dataset, hours: int) -> None:
    edges = [START + timedelta(hours=n) for n in range(0, 31, hours)]
    windows = [Window(start, end) for start, end in pairwise(edges)]
    rows = data.interactions.collect().rows()
    expected = [
        (item, index, len(users))
        for item in sorted({row[1] for row in rows})
        for index, window in enumerate(windows)
        if (users := {row[0] for row in rows if row[1] == item and window.start <= row[2] < window.end})
    ]
    assert users_per_item_and_window(data.interactions, windows).rows() == expected
    for index, window in enumerate(windows):
        alone = [(item, users) for item, at, users in expected if at == index]
        assert users_per_item(data.interactions, window).rows() == alone
