"""What publishing asks methods for beside lists: levels, patterns, traits; and that what they keep goes out of date."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import pytest

from contracts.films import AT
from whyrec.data.dataset import Dataset
from whyrec.data.held import hold
from whyrec.errors import NotFittedError, UnknownIdError
from whyrec.evaluation.verification.interest_facts import InterestCatalogue
from whyrec.evaluation.verification.mentions import leading_sentences
from whyrec.methods.curec.artefacts import Pattern
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.runs import open_run


@pytest.fixture(scope="module")
def users(films: Dataset) -> list[str]:
    return films.before(AT).select("user_id").unique().sort("user_id").collect()["user_id"].to_list()[:6]


def with_one_more(films: Dataset, *, user_id: str, item_id: str, at: datetime) -> Dataset:
    more = pl.DataFrame({"user_id": [user_id], "item_id": [item_id], "timestamp": [at]})
    return hold(films).with_interactions(more)


def test_levels_are_those_of_explanations(runs: dict[str, Path], films: Dataset, users: list[str]) -> None:
    model = cast(GuidedRecommender, open_run(runs["guided"]).load_recommender())
    found = model.user_levels(films, user_ids=[*users, "nobody"], at=AT)
    assert list(found) == users
    for user_id in users[:2]:
        [told] = model.explain(films, user_id=user_id, k=1, at=AT)
        assert found[user_id].tolist() == [part.user_level for part in told.aspects]
        [levels] = model.item_levels([told.explanation.item_id]).tolist()
        assert levels == [part.item_level for part in told.aspects]
    with pytest.raises(UnknownIdError, match="expected an item_id of the 80"):
        model.item_levels(["unheard of"])
    with pytest.raises(NotFittedError):
        GuidedRecommender().user_levels(films, user_ids=users)


def test_levels_know_nothing_later(runs: dict[str, Path], films: Dataset, users: list[str]) -> None:
    model = cast(GuidedRecommender, open_run(runs["guided"]).load_recommender())
    item_id = films.items["item_id"][0]
    for at, is_same in ((AT, True), (AT - timedelta(microseconds=1), False)):
        other = with_one_more(films, user_id=users[0], item_id=item_id, at=at)
        before, after = (model.user_levels(it, user_ids=users[:1], at=AT)[users[0]] for it in (films, other))
        assert np.array_equal(before, after) == is_same


def test_the_pattern_is_the_one_that_ranks_checked_anew(
    runs: dict[str, Path], films: Dataset, users: list[str]
) -> None:
    model = cast(CURecRecommender, open_run(runs["curec"]).load_recommender())
    [told] = model.explain(films, user_id=users[0], k=1, at=AT)
    assert told.pattern is not None
    found = model.pattern(films, user_id=users[0], at=AT)
    assert found == replace(told.pattern, verified=True)
    assert model.pattern(films, user_id="nobody", at=AT) is None


def test_a_pattern_of_a_model_that_does_not_hold_is_not_told(
    runs: dict[str, Path], films: Dataset, users: list[str]
) -> None:
    model = cast(CURecRecommender, open_run(runs["curec"]).load_recommender())
    true = model.pattern(films, user_id=users[0], at=AT)
    assert true is not None
    text = "Ninety-nine of the 100 films so far are westerns."
    lie = Pattern(users[0], true.n_items, true.until, text, "critic", version=9, verified=True)
    assert model.served_ is not None
    model.served_ = model.served_.grown(patterns=[lie], reasons=[])
    found = model.pattern(films, user_id=users[0], at=AT)
    assert found is not None
    assert (found.writer, found.verified) == ("offline", True)
    assert found.text != text


def test_traits_are_phrases_of_the_items_own(runs: dict[str, Path], films: Dataset) -> None:
    model = cast(MLLM3Recommender, open_run(runs["mllm3rec"]).load_recommender())
    ids = films.items["item_id"].to_list()
    found = model.traits(films, item_ids=ids, at=AT)
    assert list(found) == ids
    known = [it for it in found.values() if it is not None]
    assert known
    assert all(it.item_id == item_id for item_id, it in found.items() if it is not None)
    assert model.traits(films, item_ids=ids[3:4]) == {ids[3]: found[ids[3]]}
    with pytest.raises(UnknownIdError):
        model.traits(films, item_ids=["unheard of"])


@pytest.mark.parametrize("method", ["guided", "mllm3rec"])
def test_what_is_kept_of_one_log_does_not_speak_of_another(
    method: str, runs: dict[str, Path], films: Dataset, users: list[str]
) -> None:
    item_id = films.items["item_id"][0]
    later = with_one_more(films, user_id=users[0], item_id=item_id, at=AT)
    warm, cold = (open_run(runs[method]).load_recommender() for _ in range(2))
    warm.explain(films, user_id=users[0], k=2, at=AT)  # type: ignore[attr-defined]
    told = [it.explain(later, user_id=users[0], k=4) for it in (warm, cold)]  # type: ignore[attr-defined]
    assert [it.record() for it in told[0]] == [it.record() for it in told[1]]


def test_a_reason_that_was_checked_for_another_reader_is_told_the_same(
    runs: dict[str, Path], films: Dataset, users: list[str]
) -> None:
    warm, cold = (cast(CURecRecommender, open_run(runs["curec"]).load_recommender()) for _ in range(2))
    for user_id in users[1:]:
        warm.explain(films, user_id=user_id, k=8, at=AT)
    told = [it.explain(films, user_id=users[0], k=8, at=AT) for it in (warm, cold)]
    assert [it.record() for it in told[0]] == [it.record() for it in told[1]]
    assert any("reason1/" in evidence.id for it in told[0] for evidence in it.explanation.evidence)
    # The author's own history is part of what was checked: without it, nothing of the reason holds.
    author = told[0][0].told[0].reason.user_id
    without = replace(films, interactions=films.interactions.filter(pl.col("user_id") != author))
    [first] = warm.explain(without, user_id=users[0], item_ids=[told[0][0].explanation.item_id], at=AT)
    assert not any(it.verified for it in first.reasons if it.reason.user_id == author)


def test_a_catalogue_read_once_counts_another_log(films: Dataset) -> None:
    first = InterestCatalogue.of(films.items, interactions=films.before(AT))
    assert first.by_title
    other = first.with_interactions(films.interactions)
    anew = InterestCatalogue.of(films.items, interactions=films.interactions)
    assert (other.items, other.by_title) == (anew.items, anew.by_title)
    assert other.average == pytest.approx(anew.average)
    assert first.average != anew.average


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        ("One. Two. Three.", 1, "One."),
        ("One. Two. Three.", 2, "One. Two."),
        ("One. Two.", 9, "One. Two."),
        ("“Mr. Nobody. Again.” is new. It grows.", 1, "“Mr. Nobody. Again.” is new."),
        ("", 1, ""),
    ],
)
def test_leading_sentences(text: str, n: int, expected: str) -> None:
    assert leading_sentences(text, n) == expected
