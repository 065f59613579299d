"""How the verifiers' answers to labelled claims are read and counted, by hand; both corpora go through it."""

import importlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from whyrec.interfaces import Claim, Verdict

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
benchmark = importlib.import_module("verification_claims")

CLAIM = {"start": 10, "end": 20, "is_true": True, "kind": "number"}


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], "not found"),
        ([(10, 20, True)], "accepted"),
        ([(12, 14, True)], "accepted"),
        ([(0, 40, False)], "refused"),
        ([(10, 20, True), (15, 16, False)], "refused"),
        ([(18, 26, True)], "not found"),
        ([(16, 24, True)], "accepted"),
        ([(0, 10, True)], "not found"),
    ],
)
def test_an_answer_is_read_from_the_claims_that_share_half_of_the_shorter_span(
    spans: list[tuple[int, int, bool]], expected: str
) -> None:
    found = tuple(Claim("number", "", start, end, ok) for start, end, ok in spans)
    assert benchmark.answer(Verdict(found), CLAIM) == expected


def test_an_accepted_claim_is_tied_where_it_names_the_evidence() -> None:
    found = Verdict((Claim("number", "", 10, 20, True, ("month:2013-05",)),))
    assert benchmark.answer(found, {**CLAIM, "evidence": ["month:2013-05"]}) == "accepted, tied"
    assert benchmark.answer(found, {**CLAIM, "evidence": ["month:2013-06"]}) == "accepted"


def test_a_title_inside_a_number_does_not_answer_for_it() -> None:
    assert benchmark.answer(Verdict((Claim("title", "", 10, 20, True),)), CLAIM) == "not found"


def test_figures_are_shares_of_the_right_counts() -> None:
    tally = Counter({(True, "accepted"): 2, (True, "accepted, tied"): 4, (True, "refused"): 1, (True, "not found"): 3})
    tally += Counter({(False, "accepted"): 2, (False, "refused"): 3, (False, "not found"): 5})
    figures = benchmark.claim_figures(tally)
    assert figures["claims found"] == 100 * 12 / 20
    assert figures["accepting: precision"] == 100 * 6 / 8
    assert figures["accepting: recall"] == 100 * 6 / 10
    assert figures["refusing: precision"] == 100 * 3 / 4
    assert figures["refusing: recall"] == 100 * 3 / 10
    assert figures["tied"] == 100 * 4 / 6


TEXT = "In May 40 people came. It rose."


def label(start: int, end: int, is_true: bool | None, group: str | None = None) -> dict[str, Any]:
    return {"start": start, "end": end, "kind": "number", "is_true": is_true, "group": group, "evidence": ["month:*"]}


def figures(found: list[tuple[int, int, bool]], *labels: dict[str, Any]) -> dict[str, float]:
    """Of one explanation in which the verifier found these claims: start, end, whether supported."""
    claims = tuple(Claim("number", TEXT[a:b], a, b, good, ("month:2013-05",)) for a, b, good in found)
    whole = {"id": "whole", "method": "trail", "text": TEXT, "claims": [label(0, 2, True)]}
    broken = {"id": "broken", "method": "trail", "text": TEXT, "claims": [label(0, 2, False)]}
    judged = [({"id": "x", "method": "trail", "text": TEXT, "claims": list(labels)}, Verdict(claims))]
    judged += [(record, Verdict(())) for record in (whole, broken)]
    rows = benchmark.rows_of(judged, part="development", corpus="made_up")
    return {row["metric"]: row["value"] for row in rows if row["case"].endswith(("all types", "explanations"))}


def test_a_true_claim_that_is_refused_refuses_its_explanation() -> None:
    told = figures([(7, 9, False)], label(7, 9, True))
    assert told["true claims refused"] == 100 * 1 / 2
    assert told["true explanations refused"] == 100 * 1 / 2


def test_a_false_claim_that_is_overlooked_leaves_its_explanation_verified() -> None:
    told = figures([(7, 9, True)], label(7, 9, True), label(26, 30, False))
    assert told["refusing: recall"] == 0
    assert told["accepting: precision"] == 100
    assert told["false explanations verified"] == 100 * 1 / 2


def test_either_half_of_a_false_pair_may_be_blamed_and_the_other_half_is_not_scored() -> None:
    told = figures([(3, 6, False), (7, 9, True)], label(3, 6, None, "a"), label(7, 9, False, "a"))
    assert (told["true claims"], told["false claims"]) == (1, 2)
    assert told["refusing: recall"] == 100 * 1 / 2


def test_of_a_true_pair_each_half_answers_for_itself() -> None:
    told = figures([(3, 6, False), (7, 9, True)], label(3, 6, True, "a"), label(7, 9, True, "a"))
    assert told["true claims refused"] == pytest.approx(100 * 1 / 3, abs=0.01)


def test_evidence_may_be_named_by_a_pattern() -> None:
    assert benchmark.answer(Verdict((Claim("number", "", 7, 9, True, ("month:2013-05",)),)), label(7, 9, True)) == (
        "accepted, tied"
    )


@pytest.mark.parametrize("corpus", ["verification_corpus", "claim_corpus"])
def test_the_benchmark_runs_from_the_files_alone(corpus: str, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    assert benchmark.main(["--corpus", corpus, "--part", "development", "--out", str(out)]) == 0
    rows = {(row["case"], row["metric"]): row["value"] for row in json.loads(out.read_text())["rows"]}
    assert rows[f"{corpus}, development, explanations", "true explanations"] > 500
    assert 0 < rows[f"{corpus}, development, all types", "claims found"] <= 100
    for kind in ("motivation", "trait", "aspect_score"):
        assert rows[f"{corpus}, development, {kind}", "accepting: recall"] > 0
