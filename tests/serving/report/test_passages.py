"""Cutting a text at its claims loses nothing and hides nothing."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from report_world import facts_of, item_of, told

from whyrec.interfaces import Claim, Explanation, Verdict
from whyrec.serving.report.passages import sections_of

TEXT = "One two three four five."


def explained(*spans: tuple[int, int, bool], sections: dict[str, str] | None = None) -> Explanation:
    claims = [
        Claim("number", TEXT[a:b], a, b, holds, (f"id:{a}",), "" if holds else f"not {a}") for a, b, holds in spans
    ]
    return Explanation("tt1", TEXT, sections or {}, (), Verdict(tuple(claims)), "offline")


spans = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(1, 8), st.booleans()).map(
    lambda drawn: (drawn[0], min(drawn[0] + drawn[1], len(TEXT)), drawn[2])
)


@given(st.lists(spans, max_size=8))
def test_the_passages_are_the_text_and_hold_every_claim_once(drawn: list[tuple[int, int, bool]]) -> None:
    explanation = explained(*drawn)
    (section,) = sections_of(explanation)
    assert "".join(passage.text for passage in section.passages) == TEXT
    held = [claim for passage in section.passages for claim in passage.claims]
    assert sorted(held, key=repr) == sorted(explanation.verdict.claims, key=repr)
    position = 0
    for passage in section.passages:
        end = position + len(passage.text)
        assert all(position <= claim.start and claim.end <= end for claim in passage.claims)
        position = end


def test_overlapping_claims_share_a_passage_that_holds_if_both_do() -> None:
    (section,) = sections_of(explained((0, 7, True), (4, 13, False), (13, 18, True)))
    both, next_to_it, rest = section.passages
    assert (both.text, both.supported, both.evidence_ids, both.problem) == (
        "One two three",
        False,
        ("id:0", "id:4"),
        "not 4",
    )
    assert (next_to_it.text, next_to_it.supported) == (" four", True)
    assert rest.claims == ()


def test_the_offline_writer_s_sections_are_found() -> None:
    explanation = item_of(facts_of()).explanation
    found = sections_of(explanation)
    assert {section.name: "".join(p.text for p in section.passages) for section in found} == explanation.sections
    assert sum(len(p.claims) for section in found for p in section.passages) == len(explanation.verdict.claims)


def test_a_claim_outside_the_sections_brings_the_whole_text_back() -> None:
    inside = explained((4, 7, True), sections={"Trend": "two three"})
    assert [section.name for section in sections_of(inside)] == ["Trend"]
    outside = explained((0, 3, True), sections={"Trend": "two three"})
    (section,) = sections_of(outside)
    assert (section.name, "".join(p.text for p in section.passages)) == ("", TEXT)


def test_sections_that_are_not_in_the_text_are_not_shown_instead_of_it() -> None:
    explanation = dataclasses.replace(told(TEXT), sections={"Trend": "Something else."})
    (section,) = sections_of(explanation)
    assert section.passages[0].text == TEXT
