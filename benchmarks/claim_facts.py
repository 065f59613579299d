"""Read the corpus of explanations with known truth, and hand each to the verifier that its method uses.

Everything comes from the corpus's own files (``claim_corpus/README.md``); no data set is opened.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import polars as pl

from verification_corpus_reader import level_facts
from whyrec.data.attributes import attributes_of
from whyrec.data.facts import ItemFacts, MonthCount
from whyrec.data.windows import Window, month_after
from whyrec.evaluation.verification import Vocabulary, verify_explanation
from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import verify_interests
from whyrec.evaluation.verification.motives import Motive, MotiveFacts
from whyrec.interfaces import ForecastPoint, Verdict
from whyrec.methods.mllm3rec.schema import default_schema

CORPUS = Path(__file__).parent / "claim_corpus"
PARTS = ("development", "held_out")

Entry = dict[str, Any]
Judge = Callable[[], Verdict]
"""Verifies one text; its facts are read before, so that only the verification is timed."""


def read_lines(path: Path) -> Iterator[Entry]:
    """Read compressed JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@dataclass(frozen=True)
class Catalogue:
    """What all explanations share."""

    head: Entry
    rows: dict[str, Entry]
    vocabulary: Vocabulary
    interests: InterestCatalogue

    @classmethod
    def read(cls, directory: Path = CORPUS) -> Self:
        """Read ``catalogue.jsonl.gz``."""
        head, *items = read_lines(directory / "catalogue.jsonl.gz")
        frame = pl.DataFrame(items, infer_schema_length=None)
        no_log = pl.LazyFrame(schema={"user_id": pl.String, "item_id": pl.String})
        average = {tuple(name.split("=", 1)): share for name, share in head["average"].items()}
        interests = replace(InterestCatalogue.of(frame, interactions=no_log), average=average)
        return cls(head, {item["item_id"]: item for item in items}, Vocabulary.of(frame), interests)

    def judge(self, entry: Entry) -> Judge:
        """The verifier that the method of an explanation uses, with the facts that it takes."""
        text, facts = entry["text"], entry["facts"]
        if entry["method"] == "trail":
            film, point = self._film(facts), _point(facts)
            return lambda: verify_explanation(text, facts=film, forecast=point, vocabulary=self.vocabulary)
        known = InterestFacts(self.interests, facts["history"], facts["item_id"])
        levels, motives = level_facts(facts.get("levels")), self._motives(facts)
        return lambda: verify_interests(text, facts=known, levels=levels, motives=motives)

    def _motives(self, facts: Entry) -> MotiveFacts | None:
        if "motivations" not in facts:
            return None
        names = {it.key: it.name for it in default_schema().dimensions}
        motives = tuple(Motive(key, names[key], strength) for key, strength in facts["motivations"].items())
        return MotiveFacts(motives, frozenset(facts["traits"].values()), frozenset(self.head["traits"].values()))

    def _film(self, facts: Entry) -> ItemFacts:
        row = self.rows[facts["item_id"]]
        return ItemFacts(
            item_id=facts["item_id"],
            title=row["title"],
            cutoff=_moment(facts["cutoff"]),
            months=tuple(_month(*month) for month in facts["months"]),
            recent={int(days): users for days, users in facts["recent"].items()},
            total_users=facts["total"],
            first_seen=None if facts["first_seen"] is None else date.fromisoformat(facts["first_seen"]),
            attributes=attributes_of(row),
            mean_rating=facts["mean_rating"],
        )


def _point(facts: Entry) -> ForecastPoint:
    start, end = (_moment(day) for day in facts["window"])
    told = facts["forecast"]
    return ForecastPoint(
        facts["item_id"],
        Window(start, end),
        told["rank"],
        expected=told["expected"],
        low=told["low"],
        high=told["high"],
    )


def _moment(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _month(month: str, users: int, complete: bool) -> MonthCount:
    start = _moment(f"{month}-01")
    return MonthCount(Window(start, month_after(start)), users, complete)
