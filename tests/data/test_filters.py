from collections import Counter

import polars as pl
import pytest
from drawn_datasets import dataset_of, small_datasets
from hypothesis import assume, given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.filters import k_core, rated_at_least
from whyrec.errors import InvalidConfigError, InvalidDataError


def core_by_hand(rows: list[tuple[str, str]], *, users: int, items: int) -> list[tuple[str, str]]:
    while True:
        of_user, of_item = Counter(row[0] for row in rows), Counter(row[1] for row in rows)
        kept = [row for row in rows if of_user[row[0]] >= users and of_item[row[1]] >= items]
        if len(kept) == len(rows):
            return rows
        rows = kept


def test_dropping_a_user_drops_an_item_drops_a_user() -> None:
    # i0 has u0, u1, u2; i1 has u0, u1; i2 has u2, u3. u3 has one event and goes, so i2 goes, so u2 goes.
    data = dataset_of([(0, 0, 0), (1, 0, 1), (2, 0, 2), (0, 1, 3), (1, 1, 4), (2, 2, 5), (3, 2, 6)])
    outcome = k_core(data, min_user_events=2, min_item_events=2)
    kept = outcome.dataset.interactions.select("user_id", "item_id").collect().rows()
    assert kept == [("u0", "i0"), ("u1", "i0"), ("u0", "i1"), ("u1", "i1")]
    assert (outcome.n_interactions, outcome.n_dropped) == (4, 7 - 4)
    # users drop u3; items drop i2; users drop u2; items and users then drop nothing.
    assert outcome.n_rounds == 5
    assert outcome.dataset.items.equals(data.items)


@given(data=small_datasets, users=st.integers(1, 4), items=st.integers(1, 4))
def test_it_is_the_largest_part_that_keeps_both_rules_in_order(data: Dataset, users: int, items: int) -> None:
    rows = data.interactions.select("user_id", "item_id").collect().rows()
    expected = core_by_hand(rows, users=users, items=items)
    assume(expected)
    outcome = k_core(data, min_user_events=users, min_item_events=items)
    assert outcome.dataset.interactions.select("user_id", "item_id").collect().rows() == expected
    assert outcome.n_interactions + outcome.n_dropped == len(rows)


def test_a_core_of_nothing_and_a_minimum_of_nothing_are_refused(temporal_world: Dataset) -> None:
    with pytest.raises(InvalidDataError, match="expected users with 7 and items with 1 interactions, got none"):
        k_core(temporal_world, min_user_events=7, min_item_events=1)
    with pytest.raises(InvalidConfigError, match="min_item_events: expected at least 1, got 0"):
        k_core(temporal_world, min_item_events=0)


def test_ratings_are_kept_from_the_minimum_on(temporal_world: Dataset) -> None:
    outcome = rated_at_least(temporal_world, 4)
    assert outcome.dataset.interactions.select(pl.col("rating").unique().sort()).collect()["rating"].to_list() == [4, 5]
    assert (outcome.n_interactions, outcome.n_dropped, outcome.n_rounds) == (2 * 30 / 5, 3 * 30 / 5, 1)
    with pytest.raises(InvalidDataError, match="expected ratings of at least 6, got none"):
        rated_at_least(temporal_world, 6)


def test_a_log_without_ratings_cannot_be_filtered_by_them() -> None:
    with pytest.raises(InvalidDataError, match="got a log without ratings"):
        rated_at_least(dataset_of([(0, 0, 0)]), 1)
