"""People with lists of their own on the page: interests, reasons, whose are listened to, and what was checked."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from report_world import content_of

from whyrec.errors import InvalidDataError
from whyrec.interfaces import Claim, Evidence, Explanation, Verdict
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.attended import AttendedReason
from whyrec.methods.curec.explaining import ExplainedRecommendation
from whyrec.serving.report import ReportPerson, render_report
from whyrec.serving.report.people import person_view

MOMENT = datetime(2013, 10, 3, tzinfo=UTC)
INTERESTS, WHY, OTHER = "Two of the four are <westerns>.", "“Gravity” is a drama.", "A drama, as one of ten."
EVIDENCE = (
    Evidence("aspect:genres=western", "aspect", "share of the history with genres western", 0.5),
    Evidence("attribute:genres", "attribute", "genres", "drama"),
    Evidence("reason1/history", "interaction", "length of the history, for the user of reason 1", 10.0),
)


def claim(text: str, words: str, *ids: str, problem: str = "") -> Claim:
    start = text.index(words)
    return Claim("aspect", words, start, start + len(words), not problem, ids, problem)


def recommended(*, weight: float | None = 0.125, problem: str = "", user_id: str = "u7") -> ExplainedRecommendation:
    """Gravity, in the first place, with a pattern, a reason and a reason of somebody else."""
    text = f"[Interests] {INTERESTS}\n[Reason] {WHY}\n[Others] {OTHER}"
    claims = (
        claim(text, "<westerns>", "aspect:genres=western"),
        claim(text, "drama", "attribute:genres"),
        claim(text, "one of ten", "reason1/history", problem=problem),
    )
    sections = {"Interests": INTERESTS, "Reason": WHY, "Others": OTHER}
    explanation = Explanation("tt1", text, sections, EVIDENCE, Verdict(claims), "offline", user_id)
    reason = Reason("tt1", "somebody-else", MOMENT, OTHER, "offline")
    return ExplainedRecommendation(
        explanation=explanation,
        title="Gravity & Co",
        rank=1,
        score=2.0,
        effect=0.1,
        pattern=Pattern(user_id, 4, MOMENT, INTERESTS, "offline"),
        why=WHY,
        reasons=(AttendedReason(reason, 0, weight, verified=not problem),),
        unattended=None if weight is None else 1 - weight,
    )


def person(*items: ExplainedRecommendation) -> ReportPerson:
    return ReportPerson("u7", 1204, ("Heat", "Alien"), items or (recommended(),))


def page(*people: ReportPerson) -> str:
    return render_report(replace(content_of([]), people=people))


def test_a_person_is_shown_with_past_interests_and_list() -> None:
    shown = page(person())
    assert "Lists for one person" in shown
    for text in ("User u7", "1,204 so far", "<li>Heat</li>", "Gravity &amp; Co", "Another user, 3 October 2013"):
        assert text in shown
    assert "&lt;westerns&gt;" in shown, "texts are escaped"
    assert "somebody-else" not in shown
    assert "3 of 3 claims checked and borne out" in shown
    assert "12%" in shown
    assert "--share: 0.125" in shown
    assert "One reason of others, by attention" in shown
    assert "A personal list comes from a second model" in shown


def test_claims_say_what_they_rest_on() -> None:
    said = re.findall(r'data-says="(Rests[^"]*)"', page(person()))
    assert said == [
        "Rests on share of the history with genres western: 50%",
        "Rests on genres: drama",
        "Rests on length of the history, for the user of reason 1: 10",
    ]


def test_a_claim_that_does_not_hold_is_marked_where_it_stands() -> None:
    shown = page(person(recommended(problem="it is none of ten")))
    assert "[not borne out: it is none of ten]" in shown
    assert "1 of 3 checked claims not borne out" in shown


def test_without_attention_there_are_no_shares() -> None:
    shown = page(person(recommended(weight=None)))
    assert "One reason of others<" in shown
    assert 'class="share"' not in shown


def test_no_claim_is_hidden_where_a_text_has_other_parts() -> None:
    """Sections that cannot be found in the text in order: the whole text stands in the reason's place."""
    item = recommended()
    broken = replace(item.explanation, sections={"Reason": "somewhere else"})
    view = person_view(person(replace(item, explanation=broken)), place=1)
    assert "".join(passage.text for passage in view.entries[0].why) == item.explanation.text


def test_nobody_is_no_section() -> None:
    shown = page()
    assert "people-title" not in shown
    assert "second model" not in shown


def test_lists_of_others_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="report person 'u7': expected a list of that user's, got one of 'u8'"):
        person(recommended(user_id="u8"))
    with pytest.raises(InvalidDataError, match="got one of nobody"):
        ReportPerson("u7", 0, (), ())
