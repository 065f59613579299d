"""What serving can still read is kept, and nothing that it cannot; vectors go along."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from curec_texts import ITEM_IDS, START, at, pattern, patterns, reason, reasons
from hypothesis import given
from hypothesis import strategies as st

from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import Interaction
from whyrec.methods.curec.keeping import (
    LATEST,
    joined_vectors,
    latest_patterns,
    newest_reasons,
    rows_of_vectors,
)
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.reasons import ReasonStore
from whyrec.methods.curec.stages import thinned
from whyrec.methods.curec.text_vectors import TextVectors

READERS = [None, "u0", "u1", "u2", "stranger"]


def read(store: ReasonStore, *, k: int) -> list[list[Reason]]:
    """What each reader is given of each item in the end."""
    return [store.as_of(item_id, at=at(10_000), without_user=reader, k=k) for item_id in ITEM_IDS for reader in READERS]


@given(reasons, st.integers(1, 4))
def test_readers_are_given_the_same_of_what_is_kept(found: Sequence[Reason], k: int) -> None:
    whole = ReasonStore.of(found, item_ids=ITEM_IDS)
    rows = newest_reasons(whole, k=k)
    kept = ReasonStore.of(whole.frame[rows], item_ids=ITEM_IDS, user_ids=whole.user_ids)
    assert read(kept, k=k) == read(whole, k=k)


@given(reasons, st.integers(1, 4))
def test_what_nobody_reads_is_dropped(found: Sequence[Reason], k: int) -> None:
    """Whoever misses most of what is kept of an item is left with no more than are read at once."""
    whole = ReasonStore.of(found, item_ids=ITEM_IDS)
    kept = whole.frame[newest_reasons(whole, k=k)]
    for mine in kept.partition_by("item_id"):
        assert min(mine.filter(pl.col("user_id") != reader).height for reader in mine["user_id"].unique()) <= k


def test_a_popular_item_keeps_one_more_than_is_read() -> None:
    """A hundred users once each: whoever misses an own one still reads k, so k + 1 are enough."""
    store = ReasonStore.of([reason("i0", f"u{n}", n) for n in range(100)], item_ids=ITEM_IDS)
    assert newest_reasons(store, k=3).tolist() == [96, 97, 98, 99]


@given(patterns)
def test_of_patterns_the_latest_of_each_user_is_kept(found: Sequence[Pattern]) -> None:
    whole = PatternBook.of(found)
    kept = PatternBook.of(whole.frame[latest_patterns(whole)])
    users = sorted({it.user_id for it in found})
    assert len(kept) == len(users)
    late = at(10_000)
    assert [kept.latest(user, before=late) for user in users] == [whole.latest(user, before=late) for user in users]


def test_latest_is_later_than_all() -> None:
    book = PatternBook.of([pattern("u0", 5)])
    assert book.rows_before(np.array([0]), LATEST).tolist() == [0]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.data())
def test_vectors_follow_their_rows(places: list[int], data: st.DataObject) -> None:
    table = TextVectors(np.arange(10, dtype=np.float32).reshape(5, 2), np.array(places, dtype=np.int32))
    rows = np.array(data.draw(st.lists(st.integers(0, len(places) - 1), max_size=6)), dtype=np.int64)
    cut = rows_of_vectors(table, rows)
    np.testing.assert_array_equal(cut.vectors[cut.places], table.vectors[table.places[rows]])
    assert len(cut.vectors) == len(set(table.places[rows].tolist()))
    both = joined_vectors(cut, table)
    np.testing.assert_array_equal(both.vectors[both.places[len(rows) :]], table.vectors[table.places])


def interactions(*counts: int) -> list[Interaction]:
    return [
        Interaction(f"u{n}", f"i{item}", at(n)) for item, count in enumerate(counts) for n in reversed(range(count))
    ]


def test_thinning_spreads_over_time_and_keeps_the_newest() -> None:
    """Twelve interactions, three spread: the 4th, 8th and 12th; and the newest two, of which the 12th is one."""
    kept = thinned(interactions(12, 2), per_item=3, newest=2)
    hours = sorted((it.timestamp - START).total_seconds() / 3600 for it in kept if it.item_id == "i0")
    assert hours == [4 - 1, 8 - 1, 11 - 1, 12 - 1]
    assert sum(it.item_id == "i1" for it in kept) == 2, "few are all kept"
    assert thinned([], per_item=3, newest=2) == []
