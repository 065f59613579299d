"""The same facts in many people's words: each true wording is accepted, and its false twin refused."""

import tomllib
from pathlib import Path

import pytest
from test_verification_statements import check

from whyrec.evaluation.verification.concepts import adjective_forms, find_concepts, verb_forms
from whyrec.evaluation.verification.genres import plural

TOLD = tomllib.loads(Path(__file__).with_name("verification_wordings.toml").read_text(encoding="utf-8"))
WORDINGS = [(kind, true, false) for kind, pairs in TOLD.items() for true, false in pairs]


@pytest.mark.parametrize(("kind", "true", "false"), WORDINGS, ids=[true for _, true, _ in WORDINGS])
def test_a_wording_is_told_from_its_false_twin(kind: str, true: str, false: str) -> None:
    verdict = check(true)
    unrelated = {"title"} if kind == "month" else {"title", "month"}
    assert [(claim.text, claim.problem) for claim in verdict.unsupported] == []
    assert [claim for claim in verdict.claims if claim.kind not in unrelated]
    assert check(false).unsupported


def test_a_month_of_which_nothing_is_said_is_no_claim() -> None:
    assert check("A fine film for an evening in October.").claims == ()
    assert check("A fine film for an evening in December.").unsupported


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("rise/rose/risen", ("rise", "rises", "rose", "risen", "rising")),
        ("slip", ("slip", "slips", "slipped", "slipping")),
        ("die down", ("die down", "dies down", "died down", "dying down")),
        ("multiply", ("multiply", "multiplies", "multiplied", "multiplying")),
        ("surpass", ("surpass", "surpasses", "surpassed", "surpassing")),
    ],
)
def test_verbs_are_inflected_by_their_first_word(verb: str, forms: tuple[str, ...]) -> None:
    assert verb_forms(verb) == forms


def test_adjectives_and_nouns_are_inflected() -> None:
    assert adjective_forms("big") == ("big", "bigger", "biggest")
    assert adjective_forms("busy") == ("busy", "busier", "busiest")
    assert adjective_forms("good/better/best") == ("good", "better", "best")
    assert [plural(noun) for noun in ("comedy", "western", "biopic")] == ["comedies", "westerns", "biopics"]


def test_the_longest_phrase_wins_and_small_words_may_stand_within() -> None:
    text = "it lost a little ground, then hit an all-time high"
    assert [(it.name, text[it.start : it.end]) for it in find_concepts(text)] == [
        ("down", "lost a little ground"),
        ("peak", "all-time high"),
    ]
