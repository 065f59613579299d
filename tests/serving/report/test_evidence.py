"""Evidence in words, and the ids under which the page shows it."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_world import CUTOFF, facts_of, item_of, told

from whyrec.interfaces import Evidence
from whyrec.serving.report.evidence import Shown, count_in_words, effect_in_words, shown_evidence, value_in_words


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (Evidence("month:2013-09", "series", "September 2013", 1204.0, "users"), "1,204 users"),
        (Evidence("recent:7d", "recent", "the last 7 days", 1.0, "users"), "1 user"),
        (Evidence("forecast", "forecast", "forecast", 0.3, "users"), "0.3 users"),
        (Evidence("rating", "attribute", "mean rating", 8.76, ""), "8.8"),
        (Evidence("attribute:year", "attribute", "year", 2013.0), "2013"),
        (Evidence("attribute:genres", "attribute", "genres", "Drama, Sci-Fi"), "Drama, Sci-Fi"),
        (Evidence("first_seen", "series", "first seen", "2013-09-02"), "2 September 2013"),
        (Evidence("driver:age", "driver", "the age", -0.12), "−12%"),
        (Evidence("attribute:description", "attribute", "description", "x" * 300), "x" * 140 + "…"),
    ],
)
def test_values_read_as_a_person_would_write_them(evidence: Evidence, said: str) -> None:
    assert value_in_words(evidence) == said
    assert Shown(evidence, "e1").says.endswith(f": {said}")


def test_labels_read_on_after_rests_on() -> None:
    forecast = item_of(facts_of()).explanation.evidence
    labels = {evidence.id: Shown(evidence, "e1").label for evidence in forecast}
    assert labels["forecast"] == "the forecast"
    assert labels["forecast:low"] == "the lower end of the 80% interval"
    assert labels["recent:7d"] == "the last 7 days"
    assert labels["month:2013-09"] == "September 2013"


def test_effects_are_signed_and_factors_from_twice_on() -> None:
    assert [effect_in_words(x) for x in (0.34, -0.005, 1.0, 1.5)] == ["+34%", "−0.5%", "×2.0", "×2.5"]


def test_only_expectations_below_one_have_a_decimal() -> None:
    assert [count_in_words(x) for x in (0, 0.04, 0.4, 0.96, 3.6, 1203.7)] == ["0", "<0.1", "0.4", "1", "4", "1,204"]


def test_a_month_before_the_first_one_is_listed_as_empty() -> None:
    facts = facts_of((40, 60))  # September and October
    text = "Nobody came in July 2013 or in March 2014."
    explanation = told(text, ("July 2013", True, ("month:2013-07",)), ("March 2014", False, ("month:2014-03",)))
    known = item_of(facts).explanation.evidence
    shown = shown_evidence(explanation, known=known, prefix="e1", cutoff=CUTOFF)
    assert shown["month:2013-07"].says == "July 2013: 0 users"
    assert shown["month:2013-09"].says == "September 2013: 40 users"
    assert "month:2014-03" not in shown  # the future is no evidence


def test_an_item_without_history_has_empty_months_up_to_the_cutoff() -> None:
    text = "Nobody came in October 2013 or in November 2013."
    claims = (("October 2013", True, ("month:2013-10",)), ("November 2013", True, ("month:2013-11",)))
    shown = shown_evidence(told(text, *claims), known=(), prefix="e1", cutoff=CUTOFF)
    assert list(shown) == ["month:2013-10"]


def test_the_page_s_own_evidence_prevails() -> None:
    item = item_of(facts_of())
    claimed = dataclasses.replace(item.explanation, evidence=(Evidence("total", "recent", "all", 9e9, "users"),))
    shown = shown_evidence(claimed, known=item.explanation.evidence, prefix="e1", cutoff=CUTOFF)
    assert shown["total"].value == "192 users"  # 40 + 60 + 80 + 12


names = st.text(max_size=8) | st.sampled_from(["a b", "a-b", "a.b", "A b", "a-b-2", "", "<", "“"])


@given(st.lists(names, min_size=1, max_size=12, unique=True))
def test_whatever_attributes_are_called_their_anchors_are_plain_and_differ(attributes: list[str]) -> None:
    known = [Evidence(f"attribute:{name}", "attribute", name, "x") for name in attributes]
    shown = shown_evidence(told("x"), known=known, prefix="e1", cutoff=CUTOFF)
    anchors = [one.anchor for one in shown.values()]
    assert len(set(anchors)) == len(attributes) == len(anchors)
    assert all(re.fullmatch(r"e1-[a-z0-9-]+", anchor) for anchor in anchors)
