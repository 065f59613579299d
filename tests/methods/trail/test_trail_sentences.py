"""Sentences that decoding keeps to: what is collected, and that nothing else passes."""

import re

import pytest

from whyrec.llm.grammar_patterns import safe_pattern
from whyrec.llm.structured import SchemaViolationError
from whyrec.methods.trail.prompts import FREE_FORM
from whyrec.methods.trail.references import REFERENCE
from whyrec.methods.trail.sentences import explanation_form, known_sentences

ROSE = "{title} rose to {people:-1} (up from {count:-2})."
NEW = "{title} is new."
PEAK = "{month:peak} is its peak."
FEATURE = "It is listed under {attr:genres}."
SOON = "Expected in {window}: {people:forecast}."


def text_of(trend: str, feature: str = FEATURE, integration: str = SOON) -> str:
    return f"[Trend] {trend}\n[Feature] {feature}\n[Integration] {integration}"


TEXTS = [text_of(f"{ROSE} {PEAK}")] * 3 + [text_of(NEW)] * 3 + [text_of("{title} is odd. Quite.")] * 2


def test_sentences_are_collected_by_section_and_place() -> None:
    assert known_sentences(TEXTS) == {
        "Trend": [[NEW, ROSE], [PEAK]],
        "Feature": [[FEATURE]],
        "Integration": [[SOON]],
    }
    assert known_sentences(TEXTS, at_least=2)["Trend"] == [[NEW, "{title} is odd.", ROSE], ["Quite.", PEAK]]
    assert known_sentences(TEXTS, at_least=4)["Trend"] == [[], []]


@pytest.mark.parametrize(
    ("trend", "passes"),
    [
        (NEW, True),
        (f"{ROSE} {PEAK}", True),
        (f"{NEW} {PEAK}", True),
        (PEAK, False),
        (f"{PEAK} {NEW}", False),
        (f"{NEW} {PEAK} {PEAK}", False),
        (NEW.replace("new", "old"), False),
        (ROSE.replace("(", "").replace(")", ""), False),
        (ROSE.replace(".", "!"), False),
    ],
)
def test_only_known_sentences_at_their_places_pass(trend: str, *, passes: bool) -> None:
    form = explanation_form(known_sentences(TEXTS))
    told = text_of(trend).replace("\n", " ")
    if passes:
        assert form.parse(told) == told
        assert re.fullmatch(safe_pattern(form.pattern, in_json=False), told), "a decoder can be held to it"
    else:
        with pytest.raises(SchemaViolationError):
            form.parse(told)


def test_without_known_sentences_anything_may_be_said() -> None:
    assert explanation_form({}) == FREE_FORM
    assert explanation_form(known_sentences(TEXTS, at_least=4)) == FREE_FORM


def test_references_are_all_that_varies() -> None:
    for places in known_sentences(TEXTS).values():
        for sentences in places:
            for sentence in sentences:
                assert not re.search(r"\d", REFERENCE.sub("", sentence))
