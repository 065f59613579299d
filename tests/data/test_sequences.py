from datetime import timedelta

import numpy as np
import polars as pl
from drawn_datasets import START, dataset_of, small_datasets
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.sequences import PADDING, Sequences, read_histories

ragged = st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=6)


def rows(sequences: Sequences) -> list[list[int]]:
    return [sequences.row(user).tolist() for user in range(len(sequences))]


def test_histories_are_in_order_of_time_and_end_before_the_cut_off() -> None:
    data = dataset_of([(0, 3, 0), (0, 1, 1), (0, 3, 2), (1, 7, 1), (2, 0, 9)])
    item_ids = data.items["item_id"].sort()
    histories = read_histories(data, item_ids=item_ids, cutoff=START + timedelta(hours=9))
    assert histories.user_ids.to_list() == ["u0", "u1"]
    assert rows(histories.sequences) == [[4, 2, 4], [8]]
    asked = pl.Series("user_id", ["u2", "nobody", "u0"])
    assert rows(read_histories(data, item_ids=item_ids, user_ids=asked).sequences) == [[1], [], [4, 2, 4]]
    few = pl.Series("item_id", ["i1", "i7"])
    assert rows(read_histories(data, item_ids=few).sequences) == [[1], [2], []]


@given(data=small_datasets, cut=st.integers(0, 31))
def test_each_row_holds_the_users_items_before_the_cut_off(data: Dataset, cut: int) -> None:
    cutoff = START + timedelta(hours=cut)
    expected: dict[str, list[str]] = {}
    for user, item, time in data.interactions.collect().iter_rows():
        if time < cutoff:
            expected.setdefault(user, []).append(item)
    histories = read_histories(data, item_ids=data.items["item_id"].sort(), cutoff=cutoff)
    assert histories.user_ids.to_list() == sorted(expected)
    for user, row in zip(histories.user_ids, rows(histories.sequences), strict=True):
        assert [histories.item_ids[number - 1] for number in row] == expected[user]


@given(ragged, st.integers(0, 4), st.one_of(st.none(), st.integers(0, 4)), st.randoms())
def test_a_selection_is_a_stretch_of_each_row(
    lists: list[list[int]], without_last: int, newest: int | None, random: np.random.Generator
) -> None:
    users = [random.randrange(len(lists)) for _ in range(5)]  # type: ignore[attr-defined]
    found = Sequences.of(lists).select(np.array(users), newest=newest, without_last=without_last)
    expected = [lists[user][: max(len(lists[user]) - without_last, 0)] for user in users]
    assert rows(found) == [row[len(row) - min(newest if newest is not None else 99, len(row)) :] for row in expected]


@given(ragged)
def test_rows_lengths_and_last_items(lists: list[list[int]]) -> None:
    sequences = Sequences.of(lists)
    assert rows(sequences) == lists
    assert sequences.lengths.tolist() == [len(row) for row in lists]
    assert sequences.users.tolist() == [user for user, row in enumerate(lists) for _ in row]
    assert sequences.last().tolist() == [row[-1] if row else PADDING for row in lists]
    assert rows(sequences.without_last(2)) == [row[:-2] for row in lists]
