"""Read the explanations of ``claim_corpus/``, and hand each to the verifier of its method.

The folder's files are enough: no data set is opened.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

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

CORPUS = Path(__file__).with_name("claim_corpus")
PARTS = ("development", "held_out")

Record = dict[str, Any]


@dataclass(frozen=True)
class ClaimCorpus:
    """The explanations, and what all of them share."""

    version: int
    traits: Mapping[str, str]
    """All traits, by their keys."""
    catalogue: Mapping[str, Record]
    vocabulary: Vocabulary
    interests: InterestCatalogue
    records: Sequence[Record]

    def verifier(self, record: Mapping[str, Any]) -> Callable[[str], Verdict]:
        """What checks a text about the record's facts, as its method would."""
        facts = record["facts"]
        if record["method"] == "trail":
            film, point = self._film(facts), _point(facts)
            return partial(verify_explanation, facts=film, forecast=point, vocabulary=self.vocabulary)
        known = InterestFacts(self.interests, facts["history"], facts["item_id"])
        motives = self._motive_facts(facts) if record["method"] == "mllm3rec" else None
        return partial(verify_interests, facts=known, levels=level_facts(facts.get("levels")), motives=motives)

    def _motive_facts(self, facts: Mapping[str, Any]) -> MotiveFacts:
        names = {it.key: it.name for it in default_schema().dimensions}
        motives = tuple(Motive(key, names[key], strength) for key, strength in facts["motivations"].items())
        return MotiveFacts(motives, frozenset(facts["traits"].values()), frozenset(self.traits.values()))

    def _film(self, facts: Mapping[str, Any]) -> ItemFacts:
        row = self.catalogue[facts["item_id"]]
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


def read_claim_corpus(directory: Path = CORPUS) -> ClaimCorpus:
    """Read the files of a folder; labels come in the form of those of ``verification_corpus/``."""
    head, *items = _read_lines(directory / "catalogue.jsonl.gz")
    frame = pl.DataFrame(items, infer_schema_length=None)
    no_log = pl.LazyFrame(schema={"user_id": pl.String, "item_id": pl.String})
    average = {tuple(name.split("=", 1)): share for name, share in head["average"].items()}
    interests = replace(InterestCatalogue.of(frame, interactions=no_log), average=average)
    records = [
        {**record, "part": part, "claims": [_label(claim, head["traits"]) for claim in record["claims"]]}
        for part in PARTS
        for record in _read_lines(directory / f"{part}.jsonl.gz")
    ]
    catalogue = {item["item_id"]: item for item in items}
    return ClaimCorpus(head["version"], head["traits"], catalogue, Vocabulary.of(frame), interests, records)


def _read_lines(path: Path) -> Iterator[Record]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _label(claim: Record, traits: Mapping[str, str]) -> Record:
    """A label with the kinds and ids that the verifier's own claims have: traits go by their phrase."""
    evidence = [f"trait:{traits[it[6:]]}" if it.startswith("trait:") else it for it in claim["evidence"]]
    kind = "interest_aspect" if claim["kind"] == "interest" else claim["kind"]
    return {**claim, "kind": kind, "evidence": evidence, "fact": claim["says"][0]}


def _point(facts: Mapping[str, Any]) -> ForecastPoint:
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
