"""M-LLM3REC: an item without a word scores as if the catalogue had never said it, in all but what the crowd knows."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from mllm3_words import WordEncoder

from contracts.recommender import NEVER_SEEN, STRANGER, UNTIL, checkerboard
from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.evaluation.faithfulness import EvidencePool
from whyrec.evaluation.history_removal import HISTORY
from whyrec.methods.mllm3rec.config import MLLM3Config, RankerConfig, TextHeadConfig
from whyrec.methods.mllm3rec.explaining import POPULAR, TOGETHER, TRAIT
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.mllm3rec.ranker import ItemContents
from whyrec.methods.mllm3rec.removing import PARTS, WORDS, evidence_pools
from whyrec.recommending.explained import ExplainedEntry

USER = "A00"
SMALL = MLLM3Config(ranker=RankerConfig(head=TextHeadConfig(rank=4, epochs=2, batch_size=32), dimensions=8))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def fitted(data: Dataset) -> MLLM3Recommender:
    return MLLM3Recommender(SMALL, encoder=WordEncoder()).fit(data, until=UNTIL)


def mentioning(entry: ExplainedEntry, trait: str) -> ExplainedEntry:
    """The entry with another trait told."""
    told = replace(entry.explanation, sections={TRAIT: f"“x” goes with that: it mentions “{trait}”."})
    return replace(entry, explanation=told)


def pools(recommender: MLLM3Recommender, data: Dataset, entry: ExplainedEntry) -> dict[str, EvidencePool]:
    return {pool.kind: pool for pool in evidence_pools(recommender, data, entry, at=UNTIL)}


def with_text(recommender: MLLM3Recommender, item_id: str, text: str) -> MLLM3Recommender:
    """The same recommender, in whose catalogue an item has another text."""
    ranker = recommender.ranker_
    contents, row = ranker.stage.contents, int(recommender.item_ids_.search_sorted(item_id))
    point = recommender.space_.place(recommender.encoder.embed([text]))
    points, motives = contents.points.copy(), contents.motives.copy()
    points[row], motives[row] = point[0], recommender.scale_.served(point)[0]
    dense = contents.words.by_item.toarray()
    dense[row] = contents.words.rows([text]).toarray()[0]
    words = contents.words.of_rows(type(contents.words.by_item)(dense))
    other = MLLM3Recommender(recommender.config, encoder=WordEncoder())
    other.item_ids_, other.until_, other.popularity_ = recommender.item_ids_, UNTIL, recommender.popularity_
    other.space_, other.scale_ = recommender.space_, recommender.scale_
    other.ranker_ = replace(ranker, stage=replace(ranker.stage, contents=ItemContents(points, words, motives)))
    return other


@pytest.mark.parametrize("which", ["unseen", "never seen by anybody"])
def test_a_word_that_is_taken_away_is_in_no_part_of_the_score(
    fitted: MLLM3Recommender, data: Dataset, which: str
) -> None:
    item_id = NEVER_SEEN[0]
    if which == "unseen":
        [first] = fitted.explain(data, user_id=USER, k=1, at=UNTIL)
        item_id = first.explanation.item_id
    [entry] = fitted.explain(data, user_id=USER, item_ids=[item_id], at=UNTIL)
    title, genres = data.items.filter(pl.col(schema.ITEM) == item_id).select("title", "genres").row(0)
    words = title.split()
    pool = pools(fitted, data, mentioning(entry, words[0]))[WORDS]
    assert pool.cited == (words[0],)
    assert set(pool.others) == {*words[1:], *genres}
    shorter = f" {' '.join(words[1:])}. {genres[0]}"
    ask = {"user_ids": [USER], "k": 100, "filter_seen": False, "at": UNTIL}
    without = with_text(fitted, item_id, shorter).recommend(data, **ask).filter(item_id=item_id)["score"].item()
    assert pool.score_without(pool.cited) == pytest.approx(without, abs=1e-4)
    assert pool.score_without(()) == entry.score
    assert pool.score_without(pool.cited) != pytest.approx(entry.score, abs=1e-4)


def test_without_a_part_the_score_has_the_mean_item_s(fitted: MLLM3Recommender, data: Dataset) -> None:
    [entry] = fitted.explain(data, user_id=USER, k=1, at=UNTIL)
    told = replace(entry.explanation, sections={TRAIT: "“x” goes with that.", TOGETHER: "People who …"})
    pool = pools(fitted, data, replace(entry, explanation=told))[PARTS]
    assert (pool.cited, pool.others) == (("together", "texts"), ("popular",))
    ranker, row = fitted.ranker_, int(fitted.item_ids_.search_sorted(entry.explanation.item_id))
    crowd = ranker.stage.crowd
    popular = ranker.weights["recent"] * crowd.recent + ranker.weights["ever"] * crowd.ever
    expected = entry.score - (popular[row] - popular.mean())
    assert pool.score_without(["popular"]) == pytest.approx(expected, abs=1e-5)
    ask = {"user_ids": [USER], "k": 100, "filter_seen": False, "at": UNTIL}
    known = fitted.recommend(data, **ask).filter(~pl.col("item_id").is_in(NEVER_SEEN))["score"]
    nothing_left = pool.score_without(["together", "texts", "popular"])
    assert known.min() < nothing_left < known.max(), "what is left is the mean item's score"


def test_an_item_that_nobody_has_taken_has_no_parts(fitted: MLLM3Recommender, data: Dataset) -> None:
    [entry] = fitted.explain(data, user_id=USER, item_ids=[NEVER_SEEN[0]], at=UNTIL)
    assert PARTS not in pools(fitted, data, entry)


def test_the_lead_that_is_told_is_the_part_that_is_cited(fitted: MLLM3Recommender, data: Dataset) -> None:
    [entry] = fitted.explain(data, user_id=USER, k=1, at=UNTIL)
    told = replace(entry.explanation, sections={POPULAR: "“x” is popular."})
    assert pools(fitted, data, replace(entry, explanation=told))[PARTS].cited == ("popular",)


def test_a_phrase_is_all_its_words_and_fillers_are_none(fitted: MLLM3Recommender, data: Dataset) -> None:
    [entry] = fitted.explain(data, user_id=USER, item_ids=["a00"], at=UNTIL)
    pool = pools(fitted, data, mentioning(entry, "the River and Boat of gold"))[WORDS]
    assert pool.cited == ("river", "boat")


def test_the_history_s_items_are_those_that_the_text_names(fitted: MLLM3Recommender, data: Dataset) -> None:
    entries = fitted.explain(data, user_id=USER, k=5, at=UNTIL)
    found = [pools(fitted, data, entry)[HISTORY] for entry in entries]
    mine = set(data.before(UNTIL).filter(pl.col(schema.USER) == USER).collect()[schema.ITEM])
    assert all({*pool.cited, *pool.others} == mine for pool in found)
    assert any(pool.cited for pool in found)
    ask = {"user_ids": [USER], "k": 100, "filter_seen": False, "at": UNTIL}
    mean = fitted.recommend(data, **ask)["score"].to_numpy().mean()
    assert found[0].score_without(()) == pytest.approx(entries[0].score - mean, abs=1e-5)


def test_somebody_unknown_has_nothing_to_take_away(fitted: MLLM3Recommender, data: Dataset) -> None:
    [entry] = fitted.explain(data, user_id=STRANGER, k=1, at=UNTIL)
    assert evidence_pools(fitted, data, entry, at=UNTIL) == []
    assert np.isfinite(entry.score)
