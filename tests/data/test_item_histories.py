"""Histories of items against counting row by row with polars, and against events that come too late."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from drawn_datasets import START, dataset_of
from hypothesis import given, settings
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.events import event_arrays
from whyrec.data.item_histories import HistoryTable, distinct_users, history_table
from whyrec.data.windows import Window, WindowLength

HOURS_PER_DAY = 24
logs = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 7), st.integers(0, 20 * HOURS_PER_DAY)), min_size=1, max_size=80
).map(dataset_of)
"""Up to 5 users, 8 items and 80 events within 20 days, many on the hours where windows and days begin."""
cutoffs = st.integers(0, 22 * HOURS_PER_DAY).map(lambda hour: START + timedelta(hours=hour))
lengths = st.sampled_from([WindowLength(1), WindowLength(3), WindowLength(7)])


def table_of(data: Dataset, *, cutoff: datetime, length: WindowLength, **options: int) -> HistoryTable:
    """From a log that is not cut before: that is up to the table."""
    return history_table(
        event_arrays(data, before=START + timedelta(days=365)), cutoff=cutoff, length=length, **options
    )


def counted(data: Dataset, *, start: datetime, end: datetime) -> dict[str, int]:
    rows = data.between(start, end).collect()
    return {item_id: rows.filter(item_id=item_id)["user_id"].n_unique() for item_id in data.items["item_id"]}


@settings(max_examples=50)
@given(data=logs, cutoff=cutoffs, length=lengths)
def test_counts_are_those_of_a_row_by_row_count(data: Dataset, cutoff: datetime, length: WindowLength) -> None:
    table = table_of(data, cutoff=cutoff, length=length, max_windows=4, n_days=5)
    items = table.item_ids.to_list()
    assert items == sorted(data.items["item_id"])
    for place, window in enumerate(table.windows):
        by_item = counted(data, start=window.start, end=window.end)
        assert table.users[:, place].tolist() == [by_item[item_id] for item_id in items]
    for day in range(5):
        end = cutoff - timedelta(days=4 - day)
        by_item = counted(data, start=end - timedelta(days=1), end=end)
        assert table.daily[:, day].tolist() == [by_item[item_id] for item_id in items]
    by_item = counted(data, start=START, end=cutoff)
    assert table.total_users.tolist() == [by_item[item_id] for item_id in items]


@given(data=logs, cutoff=cutoffs, length=lengths, most=st.integers(1, 5))
def test_windows_end_at_the_cutoff_without_gaps_and_the_log_covers_them(
    data: Dataset, cutoff: datetime, length: WindowLength, most: int
) -> None:
    windows = table_of(data, cutoff=cutoff, length=length, max_windows=most).windows
    first = data.time_range[0]
    n_covered = max(0, (cutoff - first) // timedelta(days=length.days or 0))
    assert len(windows) == min(most, n_covered)
    assert list(windows) == sorted(windows)
    ends = [window.end for window in windows]
    assert ends[-1:] in ([], [cutoff])
    assert ends[:-1] == [window.start for window in windows[1:]]
    assert all(window.start >= first for window in windows)


@settings(max_examples=50)
@given(data=logs, cutoff=cutoffs, length=lengths)
def test_an_item_is_told_from_the_window_of_its_first_interaction_on(
    data: Dataset, cutoff: datetime, length: WindowLength
) -> None:
    table = table_of(data, cutoff=cutoff, length=length)
    catalogue = data.items.sort("item_id")
    for row, item_id in enumerate(table.item_ids):
        history = table.history(row, entry=catalogue.row(row, named=True))
        first = data.before(cutoff).filter(pl.col("item_id") == item_id).select(pl.col("timestamp").min()).collect()
        assert history.first_seen == first.item()
        assert history.item_id == item_id
        assert history.windows == (
            () if first.item() is None else tuple(window for window in table.windows if window.end > first.item())
        )
        assert history.users == tuple(table.users[row].tolist()[len(table.windows) - len(history.windows) :])
        if history.windows and history.windows[0].start <= first.item():
            assert history.users[0] > 0
        assert (history.total_users > 0) == (history.first_seen is not None)
        assert history.age_days == (
            None if first.item() is None else (cutoff - first.item()) / timedelta(hours=HOURS_PER_DAY)
        )


@settings(max_examples=50)
@given(
    data=logs,
    cutoff=cutoffs,
    length=lengths,
    later=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 7), st.integers(0, 300)), min_size=1, max_size=20),
)
def test_nothing_later_is_seen(
    data: Dataset, cutoff: datetime, length: WindowLength, later: list[tuple[int, int, int]]
) -> None:
    """Events at the cut-off and after it, by new users and old, change nothing."""
    planted = pl.DataFrame(
        [(f"u{user}", f"i{item}", cutoff + timedelta(hours=hour)) for user, item, hour in [*later, (0, 0, 0)]],
        schema=data.interactions.collect_schema(),
        orient="row",
    )
    past = Dataset.from_frames(data.before(cutoff), data.items)
    leaky = Dataset.from_frames(pl.concat([past.interactions.collect(), planted]), data.items)
    honest, seen = (table_of(world, cutoff=cutoff, length=length) for world in (past, leaky))
    assert seen.windows == honest.windows
    for name in ("users", "daily", "total_users", "first_day"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(honest, name))


def test_a_moment_earlier_is_seen() -> None:
    """The planted event of the test above, an hour before the cut-off: else that test proves nothing."""
    data = dataset_of([(0, 0, 0), (1, 0, 71)])
    table = table_of(data, cutoff=START + timedelta(days=3), length=WindowLength(1))
    assert table.users[0].tolist() == [1, 0, 1]
    assert table.daily[0].tolist() == [0] * 27 + [1, 0, 1]
    assert table.total_users[0] == 2


def test_a_history_by_hand() -> None:
    """Months of 2020 from the log's start: u0 twice and u1 in January, nobody in February, u0 in March."""
    day = HOURS_PER_DAY
    data = dataset_of(
        [(0, 0, 0), (0, 1, 3 * day), (0, 1, 4 * day), (1, 1, 5 * day), (0, 1, 60 * day), (2, 1, 91 * day)]
    )
    entry = {"item_id": "i1", "title": "One", "genres": ["a", "b"], "year": 1999, "note": None}
    history = table_of(data, cutoff=START + timedelta(days=91), length=WindowLength()).history(1, entry=entry)
    assert [window.label for window in history.windows] == ["2020-01", "2020-02", "2020-03"]
    assert history.users == (2, 0, 1)
    assert (history.total_users, history.title) == (2, "One")
    assert dict(history.attributes) == {"genres": ("a", "b"), "year": 1999.0}
    assert history.first_seen == START + timedelta(days=3)
    assert history.age_days == 91 - 3


def test_before_and_without_a_log_there_is_nothing() -> None:
    data = dataset_of([(0, 0, 100)])
    early = table_of(data, cutoff=START, length=WindowLength(1), n_days=2)
    none = history_table(event_arrays(data, before=START), cutoff=START, length=WindowLength(1), n_days=2)
    for table in (early, none):
        assert table.windows == ()
        assert table.users.shape == (8, 0)
        assert table.daily.tolist() == [[0, 0]] * 8
        history = table.history(0, entry=data.items.row(0, named=True))
        assert (history.windows, history.first_seen, history.age_days) == ((), None, None)


@pytest.mark.parametrize("cutoff", ["2020-11-25T00:00:00Z", "2014-11-17T14:56:28Z", "2014-11-25T09:07:11Z"])
def test_days_begin_at_the_hour_of_the_cutoff(cutoff: str) -> None:
    """One event at the very start of each of 30 days: one a day.

    In November 2014 the days since 1970 pass 2^14: the difference of two such floats is not always the float of the
    difference.
    """
    end = datetime.fromisoformat(cutoff)
    starts = [end - timedelta(days=n + 1) for n in range(30)]
    log = pl.DataFrame(
        {"user_id": "u", "item_id": "i", "timestamp": starts},
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")},
    )
    data = Dataset.from_frames(log, pl.DataFrame({"item_id": ["i"], "title": ["I"]}))
    table = history_table(event_arrays(data, before=end), cutoff=end, length=WindowLength(1))
    assert table.daily.tolist() == [[1] * 30]
    assert table.users.tolist() == [[1] * 30]
    assert table.windows[0] == Window(starts[-1], starts[-2])


def test_distinct_users_count_each_once_and_leave_out_the_end() -> None:
    events = event_arrays(dataset_of([(0, 2, 0), (0, 2, 5), (1, 2, 23), (1, 2, 24)]), before=START + timedelta(days=9))
    start = float(events.day[0])
    assert distinct_users(events, start=start, end=start + 1).tolist() == [0, 0, 2, 0, 0, 0, 0, 0]


def test_what_turns_up_in_the_first_fortnight_of_a_log_may_be_older() -> None:
    """Item n is first seen n * 8 days after the log began: the first two within its first 14 days."""
    data = dataset_of([(0, item, item * 8 * HOURS_PER_DAY) for item in range(4)])
    table = table_of(data, cutoff=START + timedelta(days=20), length=WindowLength(7))
    entries = [{"item_id": item_id, "title": "x"} for item_id in table.item_ids]
    found = [table.history(row, entry=entries[row]).is_from_start for row in range(4)]
    assert found == [True, True, False, False], "of the last one nothing is known yet"


def test_calendar_months_beside_other_windows() -> None:
    """i1 in 2020: u0 twice and u1 in February, u0 in March, u2 and u3 in April, where the cut-off lies."""
    day = HOURS_PER_DAY
    january = (datetime(2020, 2, 1, tzinfo=START.tzinfo) - START).days
    events = [(0, 0, 0), (0, 1, january * day), (0, 1, january * day + 5), (1, 1, (january + 3) * day)]
    events += [(0, 1, (january + 30) * day), (2, 1, (january + 61) * day), (3, 1, (january + 70) * day)]
    entry = {"item_id": "i1", "title": "One"}
    for cutoff, months, this_month in (
        (datetime(2020, 4, 7, tzinfo=START.tzinfo), (2, 1), 1),
        (datetime(2020, 4, 1, tzinfo=START.tzinfo), (2, 1), None),
        (datetime(2020, 3, 20, tzinfo=START.tzinfo), (2,), 1),
    ):
        table = table_of(dataset_of(events), cutoff=cutoff, length=WindowLength(9), n_months=3)
        history = table.history(1, entry=entry)
        assert (history.months, history.this_month) == (months, this_month), cutoff
    uncounted = table_of(dataset_of(events), cutoff=cutoff, length=WindowLength(9)).history(1, entry=entry)
    assert (uncounted.months, uncounted.this_month) == ((), None)
