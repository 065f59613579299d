"""Motivations, traits and reasons without a language model, on a small shop whose words say what things are for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from mllm3_words import WordEncoder
from numpy.typing import NDArray

from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.errors import InvalidConfigError, InvalidDataError, NotFittedError, UnknownIdError
from whyrec.interfaces import Explanation
from whyrec.methods.mllm3rec.artefacts import Motivation, Profile
from whyrec.methods.mllm3rec.config import MLLM3Config, RankerConfig, TextHeadConfig
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.mllm3rec.motives import inferred_profile, listed
from whyrec.methods.mllm3rec.offline import TraitLexicon, shared_motivation
from whyrec.methods.mllm3rec.schema import Dimension, MotivationSchema

START = datetime(2022, 1, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=100)
SMALL = MLLM3Config(ranker=RankerConfig(head=TextHeadConfig(rank=4, epochs=2, batch_size=32), dimensions=12))
SCHEMA = MotivationSchema(
    motivation=(
        Dimension(
            key="green", name="sustainability", meaning="Kind.", descriptions=("organic vegan", "recycled organic")
        ),
        Dimension(key="fun", name="enjoyment", meaning="Fun.", descriptions=("funny playful", "playful party")),
    )
)
WORDS = {"g": ("organic", "vegan", "recycled"), "f": ("funny", "playful", "party"), "x": ("steel", "ruler", "metric")}
COLOURS = ("green", "yellow", "purple", "black", "white", "orange", "brown")
NOUNS = ("lamp", "bottle", "basket", "mirror", "towel", "brush", "candle", "pillow", "carpet", "basin")


def why(recommender: MLLM3Recommender, data: Dataset, *, item_id: str, **asked: Any) -> Explanation:
    """The reason for one item."""
    [entry] = recommender.explain(data, item_ids=[item_id], **asked)
    return entry.explanation


def shop() -> Dataset:
    """Ten things each that speak of sustainability and of enjoyment, and many of neither; users who keep to one."""
    rows = [
        (f"y{n}", f"Numbery{n} {COLOURS[n % 7]} {COLOURS[(n * 3 + n // 7) % 7]} {noun}")
        for n, noun in enumerate(NOUNS * 6)
    ]
    for kind, words in WORDS.items():
        for n, noun in enumerate(NOUNS):
            rows.append((f"{kind}{n}", f"Number{kind}{n} {words[n % 3]} {words[(n + 1) % 3]} {noun}"))
    items = pl.DataFrame(rows, schema=["item_id", "title"], orient="row")
    rng = np.random.default_rng(0)
    events = [
        (f"{kind}-user{user}", f"{kind}{item}", START + timedelta(days=int(day)))
        for kind in WORDS
        for user in range(8)
        for day, item in zip(np.sort(rng.permutation(90)[:5]), rng.permutation(10)[:5], strict=True)
    ]
    log = pl.DataFrame(
        events, schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}, orient="row"
    )
    return Dataset.from_frames(log, items, name="shop")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return shop()


@pytest.fixture(scope="module")
def fitted(data: Dataset) -> MLLM3Recommender:
    return MLLM3Recommender(SMALL, motivations=SCHEMA, encoder=WordEncoder()).fit(data, until=UNTIL)


class Narrow:
    """Another encoder."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 8), dtype=np.float32)


def new_rows(*titles: str) -> pl.DataFrame:
    return pl.DataFrame({"item_id": [f"new{n}" for n in range(len(titles))], "title": list(titles)})


def test_motivations_are_inferred_with_their_evidence(data: Dataset, fitted: MLLM3Recommender) -> None:
    profile = fitted.profile(data, user_id="g-user0")
    assert profile is not None
    strengths = dict(zip(SCHEMA.keys, SCHEMA.strengths(profile), strict=True))
    assert strengths["green"] >= 1
    assert strengths["fun"] == 0
    green = profile.present[0]
    had = set(data.interactions.filter(user_id="g-user0").collect()["item_id"])
    assert green.evidence
    assert set(green.evidence) <= had
    assert "sustainability, as in “" in green.sentence
    assert profile.writer == "offline"
    assert fitted.profile(data, user_id="nobody") is None


def test_newer_items_count_more() -> None:
    served = np.array([[3.0, 0.0], *[[0.0, 0.0]] * 40, [0.0, 3.0]], dtype=np.float32)
    ids = [f"i{n}" for n in range(42)]
    profile = inferred_profile("u", item_ids=ids, titles=ids, served=served, schema=SCHEMA)
    old, new = SCHEMA.strengths(profile)
    assert old == 0
    assert new >= 0
    alone = inferred_profile("u", item_ids=["a"], titles=["A"], served=served[:1], schema=SCHEMA)
    assert SCHEMA.strengths(alone) == [3, 0]
    assert alone.motivations[0].sentence == "Looks above all for sustainability, as in “A”."


def test_titles_are_listed_as_in_a_sentence() -> None:
    assert listed(["A"]) == "“A”"
    assert listed(["A", "B\nb"]) == "“A” and “B b”"
    assert listed(["A", "B", "C"]) == "“A”, “B” and “C”"
    assert listed(['A 3" pen', "so-called “pen”"]) == '“A 3" pen” and “so-called ‘pen’”'


def test_a_long_title_is_quoted_by_its_beginning(data: Dataset, fitted: MLLM3Recommender) -> None:
    told = data.items.with_columns(
        pl.when(pl.col("item_id") == "g9").then(pl.lit("organic " * 60)).otherwise(pl.col("title")).alias("title")
    )
    long = Dataset.from_frames(data.interactions, told, name=data.name)
    told_of = why(fitted, long, user_id="g-user0", item_id="g9")
    assert f"“{'organic ' * 7}organic…” goes with that" in told_of.text
    assert told_of.verdict.verified


def test_words_are_tied_to_what_their_items_serve(data: Dataset, fitted: MLLM3Recommender) -> None:
    items = data.items.sort("item_id")
    texts = items["title"].to_list()
    lexicon = TraitLexicon.of(texts, texts, scale=fitted.scale_, encoder=WordEncoder())
    assert lexicon.speaking_of("An Organic steel thing", 0) == ["Organic"]
    assert lexicon.speaking_of("An Organic steel thing", 1) == []
    assert lexicon.speaking_of("unheard words", 0) == []


def test_a_word_that_begins_its_titles_is_no_trait(fitted: MLLM3Recommender) -> None:
    titles = [f"Acme organic thing {n}" for n in range(6)] + [f"plain thing {n}" for n in range(60)]
    lexicon = TraitLexicon.of(titles, titles, scale=fitted.scale_, encoder=WordEncoder())
    assert "organic" in lexicon.words
    assert "acme" not in lexicon.words


def test_a_motivation_that_a_word_speaks_of_goes_first(data: Dataset, fitted: MLLM3Recommender) -> None:
    texts = data.items.sort("item_id")["title"].to_list()
    lexicon = TraitLexicon.of(texts, texts, scale=fitted.scale_, encoder=WordEncoder())
    served = np.array([2.0, 1.0], dtype=np.float32)
    told = shared_motivation([1, 1], served, text="a playful thing", lexicon=lexicon)
    assert (told.dimension, told.trait) == (1, "playful")
    silent = shared_motivation([1, 1], served, text="a thing", lexicon=lexicon)
    assert (silent.dimension, silent.trait) == (0, None)
    assert shared_motivation([0, 0], served, text="organic", lexicon=lexicon).dimension is None


def test_an_explanation_names_motivation_trait_and_evidence_and_holds(data: Dataset, fitted: MLLM3Recommender) -> None:
    listed_items = fitted.recommend(data, user_ids=["g-user0"], k=3)["item_id"].to_list()
    for item_id in listed_items:
        told = why(fitted, data, user_id="g-user0", item_id=item_id)
        assert told.verdict.verified, told.verdict.unsupported
        assert "sustainability" in told.sections["Motivation"]
        assert "it mentions “" in told.sections["Trait"]
        kinds = {claim.kind for claim in told.verdict.claims}
        assert {"title", "attribute"} <= kinds
        ids = {evidence.id for evidence in told.evidence}
        assert {"motivation:green", "trait:green", "title"} <= ids
        assert any(it.startswith("interaction:") for it in ids)
        assert (told.user_id, told.item_id, told.writer) == ("g-user0", item_id, "offline")


def test_a_word_that_is_not_there_is_found_out(data: Dataset, fitted: MLLM3Recommender) -> None:
    """The verdict is not a stamp: a profile that cites what was never taken does not pass."""
    lie = Profile("g-user0", (Motivation("green", 3, "Looks for it, as in “Number f0 never taken”.", ()),), "a model")
    told = why(fitted, data, user_id="g-user0", item_id="g9", profile=lie)
    assert told.writer == "a model"
    assert not told.verdict.verified
    assert any("neither the item's title nor one of the history" in claim.problem for claim in told.verdict.unsupported)


def test_own_words_are_ranked_by_and_explained(data: Dataset, fitted: MLLM3Recommender) -> None:
    lists = fitted.recommend_stated({"anna": "something organic and vegan", "ben": "a playful party"}, k=4)
    firsts = {user: lists.filter(user_id=user)["item_id"].str.head(1).to_list() for user in ("anna", "ben")}
    assert firsts == {"anna": ["g"] * 4, "ben": ["f"] * 4}
    assert lists.filter(user_id="anna")["rank"].to_list() == [1, 2, 3, 4]
    best = lists.filter(user_id="anna")["item_id"][0]
    told = why(fitted, data, user_id="anna", item_id=best, stated="something organic and vegan")
    assert told.sections["Motivation"] == "Asked in so many words: something organic and vegan."
    assert "it mentions “" in told.sections["Trait"]
    assert told.verdict.verified
    with pytest.raises(InvalidDataError, match="stated motivations of user 'carl': expected words, got none"):
        fitted.recommend_stated({"carl": " "})
    assert fitted.recommend_stated({}).is_empty()


def test_somebody_of_whom_nothing_is_known_is_told_so(data: Dataset, fitted: MLLM3Recommender) -> None:
    first = fitted.recommend(data, user_ids=["nobody"], k=1)["item_id"][0]
    told = why(fitted, data, user_id="nobody", item_id=first)
    assert told.text.startswith("[Fallback] Nothing is known of this user yet, nor what they want.")
    assert "is among the most popular items" in told.text
    last = fitted.recommend(data, user_ids=["nobody"], k=90)["item_id"][-1]
    assert "is not among the most popular items" in why(fitted, data, user_id="nobody", item_id=last).text


def test_an_item_added_a_second_ago_is_ranked_and_explained_by_its_text(data: Dataset, tmp_path: Path) -> None:
    fitted = MLLM3Recommender(SMALL, motivations=SCHEMA, encoder=WordEncoder()).fit(data, until=UNTIL)
    rows = new_rows("Novel organic recycled vegan lamp", "Novel steel metric ruler basin")
    fitted.add_items(rows)
    grown = Dataset.from_frames(data.interactions, pl.concat([data.items, rows]), name=data.name)
    lists = fitted.recommend(grown, user_ids=["g-user0"], k=92)
    rank = dict(lists.select("item_id", "rank").iter_rows())
    assert rank["new0"] <= 6
    assert rank["new1"] > rank["new0"]
    told = why(fitted, grown, user_id="g-user0", item_id="new0")
    assert "Nobody has taken it yet" in told.text
    assert told.verdict.verified, told.verdict.unsupported
    fitted.save(tmp_path / "run")
    loaded = MLLM3Recommender.load(tmp_path / "run")
    assert loaded.recommend(grown, user_ids=["g-user0"], k=92).equals(lists)
    with pytest.raises(InvalidDataError, match="add_items: expected new items, got 'new0', which is known"):
        fitted.add_items(rows)


def test_a_saved_recommender_keeps_its_motivations(data: Dataset, fitted: MLLM3Recommender, tmp_path: Path) -> None:
    fitted.save(tmp_path / "run")
    loaded = MLLM3Recommender.load(tmp_path / "run")
    assert loaded.motivation_schema == SCHEMA
    loaded.encoder = Narrow()
    with pytest.raises(InvalidConfigError, match="text vectors: expected a length of 64, as at the fit, got 8"):
        loaded.recommend_stated({"anna": "organic"})
    loaded.encoder = WordEncoder()
    for user, item in (("g-user0", "g9"), ("nobody", "f1"), ("x-user1", "x3")):
        assert why(loaded, data, user_id=user, item_id=item) == why(fitted, data, user_id=user, item_id=item)


def test_what_the_crowd_places_says_so_and_counts_at_the_moment(data: Dataset, fitted: MLLM3Recommender) -> None:
    """A planted later purchase of both items is not counted; from then on it is."""
    at = START + timedelta(days=95)
    had = data.before(at).filter(user_id="g-user0").select("item_id").collect()["item_id"].to_list()
    entries = fitted.explain(data, user_id="g-user0", item_ids=None, k=5, at=at)
    told = next(it.explanation for it in entries if "Together" in it.explanation.sections)
    [evidence] = [it for it in told.evidence if it.id.startswith("together:")]
    with_it = evidence.id.removeprefix("together:")
    assert with_it in had
    log = data.before(at).collect()
    both = set(log.filter(item_id=with_it)["user_id"]) & set(log.filter(item_id=told.item_id)["user_id"])
    assert evidence.value == len(both) > 0
    later = [("y-late", item, at + timedelta(minutes=1)) for item in (with_it, told.item_id)]
    everything = data.interactions.collect()
    more = pl.DataFrame(later, schema=everything.schema, orient="row")
    leaked = Dataset.from_frames(pl.concat([everything, more]), data.items, name=data.name)
    assert why(fitted, leaked, user_id="g-user0", item_id=told.item_id, at=at) == told
    after = why(fitted, leaked, user_id="g-user0", item_id=told.item_id, at=at + timedelta(minutes=2))
    [grown] = [it for it in after.evidence if it.id == evidence.id]
    assert grown.value == evidence.value + 1


def test_explanations_know_nothing_later_than_their_moment(data: Dataset, fitted: MLLM3Recommender) -> None:
    at = START + timedelta(days=60)
    before = why(fitted, data, user_id="g-user0", item_id="g9", at=at)
    later = [("g-user0", f"f{n}", at + timedelta(minutes=n)) for n in range(10)]
    log = data.interactions.collect()
    more = pl.DataFrame(later, schema=log.schema, orient="row")
    leaked = Dataset.from_frames(pl.concat([log, more]), data.items, name=data.name)
    assert why(fitted, leaked, user_id="g-user0", item_id="g9", at=at) == before
    assert why(fitted, leaked, user_id="g-user0", item_id="f9") != why(fitted, data, user_id="g-user0", item_id="f9"), (
        "from then on it counts"
    )


def test_wrong_questions_are_refused(data: Dataset, fitted: MLLM3Recommender) -> None:
    with pytest.raises(NotFittedError):
        MLLM3Recommender(SMALL).explain(data, user_id="u", item_ids=["g0"])
    with pytest.raises(
        UnknownIdError, match="MLLM3Recommender: expected an item_id of the 90 that were fitted on, got 'nothing'"
    ):
        why(fitted, data, user_id="g-user0", item_id="nothing")
    outside = Profile("g-user0", (Motivation("wealth", 1, "Looks for it."),), "a model")
    with pytest.raises(InvalidDataError, match="expected motivations of green, fun, got 'wealth'"):
        why(fitted, data, user_id="g-user0", item_id="g0", profile=outside)
