"""Statements in many voices: each true one is accepted, and its false twin refused; in any quotation marks."""

import tomllib
from pathlib import Path

import pytest
from test_interest_wordings import judged
from test_verification_statements import check

from whyrec.evaluation.verification.quotes import plainly
from whyrec.interfaces import Verdict

PAIRS = tomllib.loads(Path(__file__).with_name("statement_pairs.toml").read_text(encoding="utf-8"))


def verdict_on(method: str, text: str) -> Verdict:
    return check(text) if method == "trail" else judged(method, text)


@pytest.mark.parametrize("method", list(PAIRS))
def test_true_statements_are_accepted(method: str) -> None:
    refused = [true for true, _ in PAIRS[method] if not verdict_on(method, true).verified]
    assert refused == []
    assert [true for true, _ in PAIRS[method] if not verdict_on(method, true).claims] == []


@pytest.mark.parametrize("method", list(PAIRS))
def test_their_false_twins_are_refused(method: str) -> None:
    assert [false for _, false in PAIRS[method] if not verdict_on(method, false).unsupported] == []


MARKS = [
    "“{}”",
    '"{}"',
    "‘{}’",
    "'{}'",
    "«{}»",
    "»{}«",
    "„{}“",
    "‚{}‘",
    "‹{}›",
    "_{}_",
    "*{}*",
    "`{}`",
    "``{}''",
    "<i>{}</i>",
    "{}",
]


@pytest.mark.parametrize("marks", MARKS)
def test_a_title_is_known_in_any_quotation_marks(marks: str) -> None:
    own, other, seen = (marks.format(title) for title in ("The Glass Harbour", "Spare Part 3", "Old Reel 3"))
    accepted = judged("curec", f"After {seen}, the suggestion is {own}.")
    assert accepted.verified
    assert [claim.kind for claim in accepted.claims] == ["title", "title"]
    assert judged("curec", f"After {other}, the suggestion is {own}.").unsupported
    assert check(f"The film at issue is {marks.format('Gravity')}.").verified
    assert check(f"The film at issue is {marks.format('The Lone Ranger')}.").unsupported


@pytest.mark.parametrize(
    "text",
    [
        "the viewers' choice isn't others' choice",
        "back in the '80s, viewers' taste",
        "2 * 3 * 4",
        "snake_case_names",
        "“A ``Title'' 'Of' _Its_ Own”",
    ],
)
def test_apostrophes_and_signs_are_no_quotation_marks(text: str) -> None:
    assert plainly(text) == text


def test_offsets_stay_and_a_dateline_is_blanked() -> None:
    text = "LONDON, Nov 1 - The pick is ``Old Reel 3'' tonight."
    plain = plainly(text)
    assert len(plain) == len(text)
    assert plain.strip() == "The pick is  “Old Reel 3”  tonight."


def test_decimals_in_words_are_read() -> None:
    assert judged("guided", "The film scores nine point zero for suspense.").verified
    assert judged("guided", "The film scores two point five for suspense.").unsupported
    assert check("On average it is rated eight point two.").verified
    assert check("On average it is rated six point two.").unsupported


def test_nothing_closes_a_quotation_from_within() -> None:
    for inner in ("A 'B' Film", "A _B_ Film", "A ``B'' Film", "Nine Point Two", "A <i>B</i> Film", "A »B« Film"):
        assert plainly(f"See “{inner}” tonight.") == f"See “{inner}” tonight."
