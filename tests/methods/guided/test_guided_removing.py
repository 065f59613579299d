"""Guided: an aspect that is taken away leaves the mean item's part, and a film taken out is not in the history."""

import pytest
from guided_camps import camp_recommender

from contracts.recommender import STRANGER, UNTIL, checkerboard
from whyrec.data.dataset import Dataset
from whyrec.evaluation.faithfulness import EvidencePool
from whyrec.evaluation.history_removal import HISTORY
from whyrec.methods.guided.explaining import ExplainedScore, named_parts
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.guided.removing import ASPECTS, evidence_pools

USER = "A00"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def fitted(data: Dataset) -> GuidedRecommender:
    return camp_recommender().fit(data, until=UNTIL)


def pools(recommender: GuidedRecommender, data: Dataset, entry: ExplainedScore) -> dict[str, EvidencePool]:
    return {pool.kind: pool for pool in evidence_pools(recommender, data, entry, at=UNTIL)}


def test_without_an_aspect_the_score_has_the_mean_item_s_part(fitted: GuidedRecommender, data: Dataset) -> None:
    everything = data.items["item_id"].to_list()
    for entry in fitted.explain(data, user_id=USER, item_ids=everything, at=UNTIL):
        pool = pools(fitted, data, entry)[ASPECTS]
        ups, downs = named_parts(entry.aspects)
        assert pool.cited == tuple(part.key for part in ups)
        assert not set(pool.others) & {part.key for part in (*ups, *downs)}
        first, second = entry.aspects
        expected = entry.base + first.mean_part + second.part
        assert pool.score_without([first.key]) == pytest.approx(expected, abs=1e-5)
        both = entry.base + first.mean_part + second.mean_part
        assert pool.score_without([first.key, second.key]) == pytest.approx(both, abs=1e-5)
        assert pool.score_without(()) == entry.score


def test_the_film_that_is_named_is_taken_out_of_the_history(fitted: GuidedRecommender, data: Dataset) -> None:
    entries = fitted.explain(data, user_id=USER, item_ids=data.items["item_id"].to_list(), at=UNTIL)
    named = [entry for entry in entries if "Of the history" in entry.explanation.text]
    assert named
    # Titles of the checkerboard are not unique, so that a claim rests on any of those of a name.
    [pool] = [pools(fitted, data, named[0])[HISTORY]]
    assert pool.cited
    mean = fitted.recommend(data, user_ids=[USER], k=100, filter_seen=False, at=UNTIL)["score"].mean()
    assert isinstance(mean, float)
    assert pool.score_without(()) == pytest.approx(named[0].score - mean, abs=1e-5)
    assert pool.score_without(pool.cited[:1]) != pytest.approx(pool.score_without(()), abs=1e-4)


def test_somebody_unknown_has_nothing_to_take_away(fitted: GuidedRecommender, data: Dataset) -> None:
    [entry] = fitted.explain(data, user_id=STRANGER, k=1, at=UNTIL)
    assert evidence_pools(fitted, data, entry, at=UNTIL) == []


def test_no_other_film_of_the_history_carries_an_item_more_than_the_one_named(
    fitted: GuidedRecommender, data: Dataset
) -> None:
    entries = fitted.explain(data, user_id=USER, item_ids=data.items["item_id"].to_list(), at=UNTIL)
    told = 0
    for entry in entries:
        pool = pools(fitted, data, entry)[HISTORY]
        whole = pool.score_without(())
        losses = {it: whole - pool.score_without([it]) for it in (*pool.cited, *pool.others)}
        carried = [it for it in entry.explanation.evidence if it.id.startswith("carried:")]
        assert bool(carried) == (max(losses.values()) > 1e-6)
        for evidence in carried:
            told += 1
            assert evidence.value == pytest.approx(max(losses.values()), abs=1e-4)
            assert losses[evidence.id.removeprefix("carried:")] == pytest.approx(evidence.value, abs=1e-4)
    assert told
