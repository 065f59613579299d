from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from drawn_datasets import START, dataset_of, small_datasets
from hypothesis import assume, given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.split import (
    ColdSplit,
    TimeLeakWarning,
    split_by_time,
    split_item_cold,
    split_leave_one_out,
    split_user_cold,
)
from whyrec.errors import InvalidConfigError, InvalidDataError


def rows_of(log: pl.LazyFrame) -> list[tuple[Any, ...]]:
    return log.collect().rows()


def hour(n: int) -> datetime:
    return START + timedelta(hours=n)


@given(data=small_datasets, cut=st.integers(0, 31), length=st.integers(1, 31))
def test_a_moment_cuts_the_log_in_two_and_nothing_later_is_learned_from(data: Dataset, cut: int, length: int) -> None:
    times = [row[2] for row in rows_of(data.interactions)]
    assume(any(time < hour(cut) for time in times))
    assume(any(time >= hour(cut) for time in times))
    split = split_by_time(data, hour(cut))
    assert all(row[2] < hour(cut) for row in rows_of(split.train.interactions))
    assert rows_of(split.train.interactions) + rows_of(split.test) == rows_of(data.interactions)
    assume(any(hour(cut) <= time < hour(cut + length) for time in times))
    bounded = split_by_time(data, hour(cut), until=hour(cut + length))
    assert [row[2] for row in rows_of(bounded.test)] == [t for t in times if hour(cut) <= t < hour(cut + length)]
    assert rows_of(bounded.train.interactions) == rows_of(split.train.interactions)


def test_an_event_at_the_cut_off_belongs_to_the_test() -> None:
    split = split_by_time(dataset_of([(0, 0, 0), (0, 1, 1), (0, 2, 2)]), hour(1), until=hour(2))
    assert [row[1] for row in rows_of(split.test)] == ["i1"]


def test_empty_sides_are_refused() -> None:
    data = dataset_of([(0, 0, 1), (0, 1, 2)])
    with pytest.raises(
        InvalidDataError, match=r"expected interactions before the cut-off 2020-01-01T01:00:00.*got none"
    ):
        split_by_time(data, hour(1))
    with pytest.raises(InvalidDataError, match=r"expected interactions from the cut-off .* to 2020-01-01T02:00:00"):
        split_by_time(data, hour(3))
    with pytest.raises(InvalidConfigError, match="until: expected a moment after the cut-off"):
        split_by_time(data, hour(2), until=hour(2))


@given(data=small_datasets)
def test_leave_one_out_takes_the_last_of_each_user_and_warns(data: Dataset) -> None:
    with pytest.warns(TimeLeakWarning, match="one user's training data is later than another's test item"):
        split = split_leave_one_out(data)
    rows = rows_of(data.interactions)
    last = {row[0]: row for row in rows}
    n_events = {user: sum(row[0] == user for row in rows) for user in last}
    expected = [row for row in rows if n_events[row[0]] > 1 and row == last[row[0]]]
    assert rows_of(split.test) == expected
    assert rows_of(split.train.interactions) == [row for row in rows if row not in expected]
    ties = [user for user in last if sum(row[0] == user and row[2] == last[user][2] for row in rows) > 1]
    assert split.n_ties == len(ties)


def test_the_warning_points_at_the_caller() -> None:
    data = dataset_of([(0, 0, 0), (0, 1, 1)])
    with pytest.warns(TimeLeakWarning) as from_leave_one_out:
        split_leave_one_out(data)
    with pytest.warns(TimeLeakWarning) as from_item_cold:
        split_item_cold(data, share=0.5, seed=0)
    assert [from_leave_one_out[0].filename, from_item_cold[0].filename] == [__file__, __file__]


COLD = [(split_item_cold, 1), (split_user_cold, 0)]


@pytest.mark.parametrize(("split_cold", "column"), COLD)
@given(data=small_datasets, share=st.floats(0.1, 0.9), seed=st.integers(0, 9), cut=st.integers(1, 30))
def test_held_out_ids_are_never_learned_from(
    split_cold: Callable[..., ColdSplit], column: int, data: Dataset, share: float, seed: int, cut: int
) -> None:
    rows = rows_of(data.interactions)
    n_ids = len({row[column] for row in rows})
    assume(0 < round(share * n_ids) < n_ids)
    with pytest.warns(TimeLeakWarning, match="without a cut-off"):
        split = split_cold(data, share=share, seed=seed)
    held_out = set(split.held_out)
    assert len(held_out) == round(share * n_ids)
    assert rows_of(split.test) == [row for row in rows if row[column] in held_out]
    assert rows_of(split.train.interactions) == [row for row in rows if row[column] not in held_out]
    timed = split_cold(data, share=share, seed=seed, cutoff=hour(cut))
    assert set(timed.held_out) == held_out
    assert rows_of(timed.test) == [row for row in rows_of(split.test) if row[2] >= hour(cut)]
    assert all(row[2] < hour(cut) and row[column] not in held_out for row in rows_of(timed.train.interactions))


def test_the_seed_decides_who_is_held_out(temporal_world: Dataset) -> None:
    cutoff = START + timedelta(days=150)
    chosen = {
        seed: tuple(split_user_cold(temporal_world, share=0.4, seed=seed, cutoff=cutoff).held_out) for seed in range(8)
    }
    again = tuple(split_user_cold(temporal_world, share=0.4, seed=3, cutoff=cutoff).held_out)
    assert again == chosen[3]
    assert len(set(chosen.values())) > 1


def test_shares_that_leave_a_side_empty_are_refused(temporal_world: Dataset) -> None:
    with pytest.raises(InvalidConfigError, match="share: expected a number between 0 and 1, got 1"):
        split_item_cold(temporal_world, share=1, seed=0)
    with pytest.raises(InvalidDataError, match="got 0 of 4 held out"):
        split_item_cold(temporal_world, share=0.1, seed=0)
