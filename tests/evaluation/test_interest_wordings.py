"""Statements on one viewer and one film in the words of many: true ones are verified, false ones are not.

The viewer's twenty films are eight comedies, six horror films (all among the last ten), four thrillers and two dramas.
The film, "The Glass Harbour", is a crime film and thriller of 1974 by Edna Marsh with Leo Hart.
"""

import tomllib
from pathlib import Path

import polars as pl
import pytest

from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import verify_interests
from whyrec.evaluation.verification.levels import LevelFacts, ScaleFacts
from whyrec.evaluation.verification.motives import Motive, MotiveFacts
from whyrec.interfaces import Verdict
from whyrec.methods.guided.aspects import bundled_aspects
from whyrec.methods.mllm3rec.schema import default_schema

TAKEN = ["Comedy"] * 7 + ["Drama"] * 2 + ["Thriller"] + ["Horror"] * 6 + ["Comedy"] + ["Thriller"] * 3
OTHERS = "Western War Romance Sci-Fi Documentary Animation Crime Family Musical Mystery Action Adventure Fantasy Sport"
ITEMS = [
    *(
        ("h", i, f"Old Reel {i}", 1990 + i, [genre], f"Dora Quill{i}", [f"Pat Ames{i}"])
        for i, genre in enumerate(TAKEN)
    ),
    *(("m", i, f"Spare Part {i}", 1950 + i, [it], "Nora Vane", ["Tom Pell"]) for i, it in enumerate(OTHERS.split())),
    ("t", 0, "The Glass Harbour", 1974, ["Crime", "Thriller"], "Edna Marsh", ["Leo Hart"]),
]
HISTORY = [f"h{i}" for i in range(len(TAKEN))]
LOG = [
    *(("u", item) for item in HISTORY),
    *(("v", item) for item in ("h7", "h8", "m0", "m1", "m2", "m3", "m4", "h9")),
    *(("w", item) for item in ("m5", "m6", "m7", "h7", "h0", "m10", "m11", "m12")),
]
STRENGTHS = {"enjoyment": 3, "novelty": 2, "aesthetics": 2}
OWN_TRAITS = {"a look into the underworld", "suspense until the last minute", "a puzzle to solve along the way"}
TRAITS = OWN_TRAITS | {
    "keeps the audience laughing",
    "chases and fights from start to end",
    "moves to tears",
    "scares and shocks",
    "two people falling in love",
    "other worlds to explore",
    "fit for children and parents together",
    "teaches about real events",
    "songs and dance numbers",
    "beautiful pictures",
    "shows what war does to people",
    "ordinary people who show courage",
    "brings back childhood",
}
LEVELS = {
    "story_complexity": (8, 3),
    "emotional_intensity": (3, 8),
    "tension": (9, 8),
    "pace": (3, 3),
    "realism_fantasy": (2, 8),
    "historical_contemporary": (3, 8),
    "group_viewing": (3, 8),
    "intellectual_challenge": (8, 3),
}
"""Of film and viewer; the mean film's is 5.5 on all."""
WORDINGS = tomllib.loads(Path(__file__).with_name("interest_wordings.toml").read_text(encoding="utf-8"))


def known() -> InterestFacts:
    columns = ("kind", "n", "title", "year", "genres", "director", "cast")
    items = pl.DataFrame(ITEMS, schema=columns, orient="row").with_columns(
        pl.when(pl.col("kind") == "t").then(pl.lit("t")).otherwise(pl.format("{}{}", "kind", "n")).alias("item_id")
    )
    log = pl.LazyFrame(LOG, schema=["user_id", "item_id"], orient="row")
    return InterestFacts(InterestCatalogue.of(items.drop("kind", "n"), interactions=log), HISTORY, "t")


def motives() -> MotiveFacts:
    found = tuple(Motive(it.key, it.name, STRENGTHS.get(it.key, 0)) for it in default_schema().dimensions)
    return MotiveFacts(found, frozenset(OWN_TRAITS), frozenset(TRAITS))


def levels() -> LevelFacts:
    aspects = {it.key: it for it in bundled_aspects("movies").aspects}
    return LevelFacts(
        tuple(
            ScaleFacts(
                key,
                aspects[key].name,
                aspects[key].low.means,
                aspects[key].high.means,
                item=item,
                user=user,
                mean=5.5,
                push=0.0,
            )
            for key, (item, user) in LEVELS.items()
        ),
        base_push=0.0,
    )


KNOWN, MOTIVES, SCALES = known(), motives(), levels()


def judged(method: str, text: str) -> Verdict:
    return verify_interests(
        text,
        facts=KNOWN,
        motives=MOTIVES if method == "mllm3rec" else None,
        levels=SCALES if method == "guided" else None,
    )


@pytest.mark.parametrize("method", list(WORDINGS))
def test_true_statements_are_verified_in_any_words(method: str) -> None:
    refused = [text for text in WORDINGS[method]["holds"] if not judged(method, text).verified]
    assert refused == []


@pytest.mark.parametrize("method", list(WORDINGS))
def test_false_statements_are_refused_in_any_words(method: str) -> None:
    passed = [text for text in WORDINGS[method]["does_not_hold"] if judged(method, text).verified]
    assert passed == []
    overlooked = [text for text in WORDINGS[method]["does_not_hold"] if not judged(method, text).claims]
    assert len(overlooked) <= len(WORDINGS[method]["does_not_hold"]) // 50
