"""A log in memory, found by user: the same answers as a look at the whole log, however it has grown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from whyrec.data import held
from whyrec.data.dataset import Dataset
from whyrec.data.held import hold
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.data.sequences import read_histories

START = datetime(2020, 1, 1, tzinfo=UTC)
SCHEMA = {"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE, "rating": pl.Float64}
ITEMS = pl.DataFrame({"item_id": ["a", "b", "c"], "title": ["A", "B", "C"]})

events = st.lists(
    st.tuples(
        st.sampled_from("uvwx"), st.sampled_from("abc"), st.integers(0, 9).map(lambda n: START + n * timedelta(1))
    )
)


def frame(rows: list[tuple[str, str, datetime]]) -> pl.DataFrame:
    return pl.DataFrame([(*row, 5.0) for row in rows], schema=SCHEMA, orient="row")


@given(first=events, later=events, asked=st.lists(st.sampled_from("uvwxy"), unique=True), day=st.integers(0, 10))
def test_histories_are_those_of_the_whole_log(
    first: list[tuple[str, str, datetime]], later: list[tuple[str, str, datetime]], asked: list[str], day: int
) -> None:
    whole = Dataset.from_frames(frame(first + later), ITEMS)
    grown = hold(Dataset.from_frames(frame(first), ITEMS)).with_interactions(frame(later))
    assert_frame_equal(grown.interactions.collect(), whole.interactions.collect())
    assert_frame_equal(grown.of_users(asked).interactions.collect(), whole.of_users(asked).interactions.collect())
    users = pl.Series(asked, dtype=pl.String)
    for cutoff in (None, START + day * timedelta(1)):
        found, expected = (
            read_histories(it, item_ids=ITEMS["item_id"], cutoff=cutoff, user_ids=users).sequences
            for it in (grown, whole)
        )
        assert found.items.tolist() == expected.items.tolist()
        assert found.offsets.tolist() == expected.offsets.tolist()


def test_an_index_of_another_log_is_not_looked_at() -> None:
    data = hold(Dataset.from_frames(frame([("u", "a", START), ("u", "b", START + timedelta(days=5))]), ITEMS))
    cut = replace(data, interactions=data.before(START + timedelta(days=1)))
    assert cut.of_users(["u"]).interactions.collect()["item_id"].to_list() == ["a"]
    more = cut.with_interactions(frame([("v", "c", START)]))
    assert more.interactions.collect().height == 2


def test_columns_that_are_missing_are_empty_and_strange_ones_left_out() -> None:
    data = hold(Dataset.from_frames(frame([("u", "a", START)]), ITEMS))
    more = frame([("u", "b", START + timedelta(days=1))]).drop("rating").with_columns(pl.lit(1).alias("strange"))
    assert data.with_interactions(more).of_users(["u"]).interactions.collect()["rating"].to_list() == [5.0, None]


def test_many_later_interactions_are_ordered_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "_MOST_LATER", 1)
    data = hold(Dataset.from_frames(frame([("u", "b", START + timedelta(days=1))]), ITEMS))
    data = data.with_interactions(frame([("v", "a", START)]))
    assert data.index is not None
    assert data.index.later.height == 1
    data = data.with_interactions(frame([("u", "c", START)]))
    assert data.index is not None
    assert data.index.later.is_empty()
    assert data.of_users(["u", "v"]).interactions.collect()["item_id"].to_list() == ["c", "a", "b"]
