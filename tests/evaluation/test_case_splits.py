from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from whyrec.data.dataset import Dataset
from whyrec.data.reviews import interactions_before
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.evaluation.case_splits import (
    CaseSplit,
    item_cold_split,
    last_item_split,
    split_cases,
    user_cold_split,
)

START = datetime(2020, 1, 1, tzinfo=UTC)
Event = tuple[str, str, int]


def dataset(events: list[Event], *, ratings: list[float] | None = None) -> Dataset:
    rows = [(user, item, START + timedelta(hours=hour)) for user, item, hour in events]
    log = pl.DataFrame(
        rows, schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}, orient="row"
    )
    if ratings is not None:
        log = log.with_columns(pl.Series("rating", ratings))
    ids = sorted({item for _, item, _ in events} | {"z1", "z2"})
    return Dataset.from_frames(log, pl.DataFrame({"item_id": ids, "title": ids}), name="world")


def pairs(split: CaseSplit) -> dict[str, str]:
    return dict(split.test.select("user_id", "item_id").iter_rows())


def trained(split: CaseSplit) -> set[tuple[str, str]]:
    return set(split.train.interactions.select("user_id", "item_id").collect().iter_rows())


def test_the_last_item_is_asked_for_and_training_ends_before_it() -> None:
    split = last_item_split(dataset([("u", "a", 1), ("u", "b", 2), ("u", "c", 3), ("v", "c", 1), ("v", "a", 9)]))
    assert pairs(split) == {"u": "c", "v": "a"}
    assert trained(split) == {("u", "a"), ("u", "b"), ("v", "c")}
    assert split.n_without_history == 0


def test_items_of_the_same_moment_are_neither_history_nor_training() -> None:
    data = dataset([("u", "a", 1), ("u", "b", 5), ("u", "c", 5), ("v", "b", 5), ("v", "c", 5)])
    split = last_item_split(data)
    assert pairs(split) == {"u": "c"}, "v has nothing strictly before the last moment"
    assert split.n_without_history == 1
    assert trained(split) == {("u", "a")}
    history = interactions_before(data, split.test).collect()
    assert history["item_id"].to_list() == ["a"]


def test_with_ratings_the_last_liked_item_is_asked_for_and_nothing_later_is_learned() -> None:
    events = [("u", "a", 1), ("u", "b", 2), ("u", "c", 3)]
    split = last_item_split(dataset(events, ratings=[5.0, 4.0, 3.0]))
    assert pairs(split) == {"u": "b"}
    assert trained(split) == {("u", "a")}


def test_rare_items_are_asked_for_and_whoever_took_one_is_no_part_of_training() -> None:
    common = [(f"u{n}", f"i{m}", m) for n in range(3) for m in range(9)]
    rare = [("u0", "rare", 4), ("first", "rare", 1), ("first", "i0", 2)]
    split = item_cold_split(dataset(common + rare), share=0.1)
    assert pairs(split) == {"u0": "rare"}
    assert split.n_without_history == 1, "the first user's rare item came first"
    assert {user for user, _ in trained(split)} == {"u1", "u2"}
    assert "rare" not in {item for _, item in trained(split)}


def test_late_items_of_users_with_few_before_are_asked_for() -> None:
    old = [("old", f"i{n}", n) for n in range(7)]
    events = [*old, ("old", "late", 11), ("new", "i1", 3), ("new", "i2", 12), ("new", "i3", 13), ("none", "i4", 14)]
    split = user_cold_split(dataset(events), share=4 / 12)
    assert pairs(split) == {"new": "i2"}
    assert split.n_without_history == 1
    assert trained(split) == {(user, item) for user, item, _ in [*old, ("new", "i1", 3)]}


def test_a_later_item_is_the_case_of_a_user_whose_first_one_is_late_too() -> None:
    events = [("other", f"i{n}", n) for n in range(8)] + [("u", "i0", 20), ("u", "i1", 21), ("u", "i2", 22)]
    split = user_cold_split(dataset(events), cutoff=START + timedelta(hours=20))
    assert pairs(split) == {"u": "i1"}


def test_a_sample_of_cases_leaves_training_as_it_is() -> None:
    data = dataset([(f"u{n}", item, hour) for n in range(9) for hour, item in enumerate("abc")])
    split = last_item_split(data)
    some = split.sampled(4, seed=1)
    assert some.test.height == 4
    assert some.test["user_id"].is_sorted()
    assert trained(some) == trained(split)
    assert some.test.equals(split.sampled(4, seed=1).test)
    assert not some.test.equals(split.sampled(4, seed=2).test)
    assert split.sampled(100, seed=0) is split
    with pytest.raises(InvalidConfigError, match="expected at least 1 user, got 0"):
        split.sampled(0, seed=0)


def test_splits_go_by_name() -> None:
    many = [(f"u{n}", item, hour + n) for n in range(9) for hour, item in enumerate("abcde")]
    data = dataset([*many, ("u8", "rare", 99), ("v", "a", 90), ("v", "b", 95)])
    for name in ("standard", "item-cold", "user-cold"):
        assert split_cases(data, name).name == name  # type: ignore[arg-type]


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(
        InvalidDataError, match="world, standard: expected users with a history before a case, got none"
    ):
        last_item_split(dataset([("u", "a", 1), ("v", "b", 1)]))
    data = dataset([("u", "a", 1), ("u", "b", 2)])
    for share in (0, 1):
        with pytest.raises(InvalidConfigError, match=f"expected a number between 0 and 1, got {share}"):
            item_cold_split(data, share=share)
