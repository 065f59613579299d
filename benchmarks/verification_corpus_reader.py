"""Read the corpus of explanations with known truth, and hand each explanation to the verifier of its method.

The file is enough: no data set is opened.
"""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import polars as pl

from whyrec.data.facts import ItemFacts, MonthCount
from whyrec.data.windows import Window, WindowLength
from whyrec.evaluation.verification import Vocabulary, verify_explanation
from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import verify_interests
from whyrec.evaluation.verification.levels import LevelFacts, ScaleFacts
from whyrec.evaluation.verification.motives import Motive, MotiveFacts
from whyrec.interfaces import ForecastPoint, Verdict
from whyrec.methods.guided.aspects import bundled_aspects
from whyrec.methods.mllm3rec.schema import default_schema

CORPUS = Path(__file__).with_name("verification_corpus") / "corpus.jsonl.gz"


@dataclass(frozen=True)
class Corpus:
    """The explanations, and the part of the catalogue and the log that they speak of."""

    version: int
    catalogue: Mapping[str, Mapping[str, Any]]
    log: Mapping[str, Sequence[str]]
    """Every user's item_ids, oldest first."""
    records: Sequence[dict[str, Any]]

    def items(self, *, described: bool) -> pl.DataFrame:
        """The catalogue as a frame; the phrases that mark an item as its description, or left out."""
        rows = [
            {**{k: v for k, v in it.items() if k != "marks"}, "description": ". ".join(it["marks"])}
            for it in self.catalogue.values()
        ]
        items = pl.DataFrame(rows)
        return items if described else items.drop("description")

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Names of the whole catalogue."""
        return Vocabulary.of(self.items(described=False))

    @cached_property
    def interests(self) -> InterestCatalogue:
        """Traits of all items, without texts."""
        return InterestCatalogue.of(self.items(described=False), interactions=self._interactions)

    @cached_property
    def described_interests(self) -> InterestCatalogue:
        """Traits of all items, with the words of title and description."""
        columns = ("title", "description")
        return InterestCatalogue.of(self.items(described=True), interactions=self._interactions, text_columns=columns)

    @property
    def _interactions(self) -> pl.LazyFrame:
        pairs = [(user, it) for user, history in self.log.items() for it in history]
        return pl.LazyFrame(pairs, schema=["user_id", "item_id"], orient="row")

    def verifier(self, record: Mapping[str, Any]) -> Callable[[str], Verdict]:
        """What checks a text about the record's facts, as its method would."""
        facts = record["facts"]
        if record["method"] == "trail":
            point = forecast_of(facts)
            return partial(verify_explanation, facts=self.item_facts(facts), forecast=point, vocabulary=self.vocabulary)
        catalogue = self.described_interests if record["method"] == "mllm3rec" else self.interests
        known = InterestFacts(catalogue, self.log[facts["user_id"]], facts["item_id"])
        motives = self.motive_facts(facts) if record["method"] == "mllm3rec" else None
        return partial(verify_interests, facts=known, levels=level_facts(facts.get("levels")), motives=motives)

    def motive_facts(self, facts: Mapping[str, Any]) -> MotiveFacts:
        """Strengths of the bundled motivations, and what marks the item among all marks."""
        names = {it.key: it.name for it in default_schema().dimensions}
        motives = tuple(Motive(key, names[key], strength) for key, strength in facts["motivations"].items())
        known = frozenset(mark for item in self.catalogue.values() for mark in item["marks"])
        return MotiveFacts(motives, frozenset(self.catalogue[facts["item_id"]]["marks"]), known)

    def item_facts(self, facts: Mapping[str, Any]) -> ItemFacts:
        """A film's facts at a cut-off."""
        entry = self.catalogue[facts["item_id"]]
        months = tuple(
            MonthCount(WindowLength().following(_moment(f"{key}-01")), users, whole)
            for key, users, whole in facts["months"]
        )
        return ItemFacts(
            item_id=facts["item_id"],
            title=entry["title"],
            cutoff=_moment(facts["cutoff"]),
            months=months,
            recent={int(days): users for days, users in facts["recent"].items()},
            total_users=facts["total"],
            first_seen=date.fromisoformat(facts["first_seen"]),
            attributes={
                "year": float(entry["year"]),
                "genres": tuple(entry["genres"]),
                "director": entry["director"],
                "cast": tuple(entry["cast"]),
            },
            mean_rating=facts["rating"],
        )


def level_facts(levels: Mapping[str, Mapping[str, float]] | None) -> LevelFacts | None:
    """Levels of item and user on the bundled aspects of movies; what they add to a score is not told."""
    if levels is None:
        return None
    aspects = {aspect.key: aspect for aspect in bundled_aspects("movies").aspects}
    scales = [
        ScaleFacts(
            key,
            aspects[key].name,
            aspects[key].low.means,
            aspects[key].high.means,
            item=level["item"],
            user=level["user"],
            mean=level["mean"],
            push=0.0,
        )
        for key, level in levels.items()
    ]
    return LevelFacts(tuple(scales), base_push=0.0)


def forecast_of(facts: Mapping[str, Any]) -> ForecastPoint:
    """A film's row of the forecast."""
    told = facts["forecast"]
    window = Window(_moment(told["start"]), _moment(told["end"]))
    return ForecastPoint(facts["item_id"], window, told["rank"], told["expected"], told["low"], told["high"])


def read_corpus(path: Path = CORPUS) -> Corpus:
    """Read a corpus file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        head, *records = [json.loads(line) for line in lines]
    catalogue = {it["item_id"]: it for it in head["catalogue"]}
    return Corpus(head["version"], catalogue, head["log"], records)


def _moment(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)
