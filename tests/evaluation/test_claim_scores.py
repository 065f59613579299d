"""Decisions on labelled claims, counted by hand."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from whyrec.interfaces import Claim, Verdict

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
scores_module = importlib.import_module("claim_scores")

TEXT = "In May 40 people came. It rose."


class Catalogue:
    """Answers with the claims it was given: start, end, whether supported."""

    def __init__(self, *claims: tuple[int, int, bool]) -> None:
        self.verdict = Verdict(
            tuple(
                Claim("number", TEXT[a:b], a, b, good, ("month:2013-05",), "" if good else "no")
                for a, b, good in claims
            )
        )

    def judge(self, _entry: dict[str, Any]) -> Any:
        return lambda: self.verdict


def label(start: int, end: int, is_true: bool | None, group: str | None = None) -> dict[str, Any]:
    claim = {"start": start, "end": end, "kind": "number", "is_true": is_true, "group": group}
    return claim | {"says": ["users"], "evidence": ["month:*"]}


def figures(catalogue: Catalogue, *labels: dict[str, Any]) -> dict[str, float]:
    scores = scores_module.score([{"id": "x", "voice": "v", "text": TEXT, "claims": list(labels)}], catalogue)
    rows = scores_module.rows_of("development", scores)
    return {row["metric"]: row["value"] for row in rows if row["case"] == "development/all"}


def test_true_supported_and_false_rejected_is_perfect() -> None:
    told = figures(Catalogue((7, 9, True), (26, 30, False)), label(7, 9, True), label(26, 30, False))
    names = ("found", "precision of supported", "recall of supported", "precision of rejected", "recall of rejected")
    assert [told[name] for name in (*names, "tied to its evidence")] == [1.0] * 6
    assert told["false explanations verified"] == 0


def test_a_false_claim_that_is_overlooked_costs_recall_of_rejected_but_no_precision_of_supported() -> None:
    told = figures(Catalogue((7, 9, True)), label(7, 9, True), label(26, 30, False))
    assert told["found"] == 1 / 2
    assert told["precision of supported"] == 1
    assert told["recall of rejected"] == 0
    assert told["false explanations verified"] == 1


def test_a_false_claim_that_is_supported_costs_precision() -> None:
    told = figures(Catalogue((7, 9, True), (26, 30, True)), label(7, 9, True), label(26, 30, False))
    assert told["precision of supported"] == 1 / 2


def test_a_true_claim_that_is_rejected_costs_recall_and_refuses_the_explanation() -> None:
    told = figures(Catalogue((7, 9, False)), label(7, 9, True))
    assert told["recall of supported"] == told["precision of rejected"] == 0
    assert told["true explanations refused"] == 1


def test_either_half_of_a_pair_may_be_blamed_and_the_other_half_is_not_scored() -> None:
    told = figures(Catalogue((3, 6, False), (7, 9, True)), label(3, 6, None, "a"), label(7, 9, False, "a"))
    assert (told["true claims"], told["false claims"]) == (0, 1)
    assert told["recall of rejected"] == 1


@pytest.mark.parametrize(("start", "end", "found"), [(7, 16, 1.0), (8, 9, 1.0), (0, 8, 1.0), (0, 7, 0.0), (9, 16, 0.0)])
def test_half_of_the_shorter_one_must_be_shared(start: int, end: int, found: float) -> None:
    """The label is [7, 9): two characters, of which one is enough."""
    assert figures(Catalogue((start, end, True)), label(7, 9, True))["found"] == found


def test_one_unsupported_claim_among_several_rejects() -> None:
    told = figures(Catalogue((7, 9, True), (7, 16, False)), label(7, 9, False))
    assert told["recall of rejected"] == 1
