from datetime import timedelta

import numpy as np
import pytest
from drawn_datasets import START, dataset_of, small_datasets
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.sequences import PADDING, padded_histories
from whyrec.errors import InvalidConfigError


def test_histories_are_padded_on_the_left_and_cut_to_the_newest() -> None:
    data = dataset_of([(0, 3, 0), (0, 1, 1), (0, 3, 2), (1, 7, 1), (2, 0, 9)])
    histories = padded_histories(data, cutoff=START + timedelta(hours=9), max_history=2)
    assert histories.items.tolist() == [[1 + 1, 3 + 1], [PADDING, 7 + 1]]
    assert histories.items.dtype == np.int32
    assert histories.user_ids.to_list() == ["u0", "u1"]
    assert histories.item_ids.to_list() == [f"i{n}" for n in range(8)]
    assert histories.lengths.tolist() == [2, 1]


@given(data=small_datasets, cut=st.integers(0, 31), width=st.integers(1, 8))
def test_each_row_is_the_users_last_items_before_the_cut_off(data: Dataset, cut: int, width: int) -> None:
    cutoff = START + timedelta(hours=cut)
    expected: dict[str, list[str]] = {}
    for user, item, time in data.interactions.collect().iter_rows():
        if time < cutoff:
            expected.setdefault(user, []).append(item)
    histories = padded_histories(data, cutoff=cutoff, max_history=width)
    assert histories.items.shape == (len(expected), width)
    assert histories.user_ids.to_list() == sorted(expected)
    for user, row in zip(histories.user_ids, histories.items.tolist(), strict=True):
        filled = [histories.item_ids[number - 1] for number in row if number != PADDING]
        assert filled == expected[user][-width:]
        assert row[: width - len(filled)] == [PADDING] * (width - len(filled))


def test_a_matrix_without_columns_is_refused(temporal_world: Dataset) -> None:
    with pytest.raises(InvalidConfigError, match="max_history: expected at least 1, got 0"):
        padded_histories(temporal_world, cutoff=START, max_history=0)
