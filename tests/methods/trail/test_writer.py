"""The offline writer: three sections, true of any item, varied, and built from the drivers it is given."""

import dataclasses
import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.facts import AttributeValue, ItemFacts, MonthCount
from whyrec.data.windows import WindowLength
from whyrec.interfaces import Driver, Explanation, ForecastPoint
from whyrec.methods.trail.writer import WRITER, write_explanation

MONTH = WindowLength()
DRIVERS = (
    Driver("recency", "the last seven days", 0.34),
    Driver("level", "the total audience", 1.5),
    Driver("age", "the time since release", -0.12),
    Driver("season", "the season", 0.01),
    Driver("catalogue", "the catalogue entry", 0.08),
)
FILM: dict[str, AttributeValue] = {"year": 2013.0, "genres": ("Drama", "Sci-Fi")}


def item(
    users: list[int],
    *,
    cutoff: datetime = datetime(2013, 11, 1, tzinfo=UTC),
    week: int = 4,
    thirty: int = 20,
    attributes: dict[str, AttributeValue] | None = None,
) -> ItemFacts:
    """An item whose last month is the one that the cut-off falls into, or ends."""
    last = cutoff.month if cutoff.day > 1 else cutoff.month - 1
    starts = [datetime(2013, last - len(users) + 1 + step, 1, tzinfo=UTC) for step in range(len(users))]
    months = tuple(
        MonthCount(MONTH.following(start), count, MONTH.following(start).end <= cutoff)
        for start, count in zip(starts, users, strict=True)
    )
    seen = bool(users)
    return ItemFacts(
        item_id="tt1",
        title="Gravity",
        cutoff=cutoff,
        months=months,
        recent={3: min(1, week), 7: week, 14: week, 30: thirty} if seen else {3: 0, 7: 0, 14: 0, 30: 0},
        total_users=sum(users),
        first_seen=date(2013, starts[0].month, 2) if seen else None,
        attributes=FILM if attributes is None else attributes,
    )


def explain(
    facts: ItemFacts, *, expected: float = 30.0, seed: int = 0, drivers: tuple[Driver, ...] = DRIVERS
) -> Explanation:
    length = MONTH if facts.cutoff.day == 1 else WindowLength(30)
    forecast = ForecastPoint("tt1", length.following(facts.cutoff), 3, expected, expected * 0.6, expected * 1.7)
    return write_explanation(facts, forecast, drivers, seed=seed)


def phrasings(facts: ItemFacts, section: str, *, expected: float = 30.0) -> str:
    """All that the writer may say in a section, over many seeds."""
    return "\n".join(explain(facts, expected=expected, seed=seed).sections[section] for seed in range(40))


def test_the_text_is_the_three_sections_of_the_paper_in_order() -> None:
    explanation = explain(item([40, 60, 80]))
    assert list(explanation.sections) == ["Trend", "Feature", "Integration"]
    assert explanation.text == "\n".join(f"[{name}] {body}" for name, body in explanation.sections.items())
    assert explanation.writer == WRITER == "offline"
    assert explanation.verdict.verified


def test_every_claim_points_at_evidence_of_the_explanation() -> None:
    explanation = explain(item([40, 60, 80]))
    ids = {evidence.id for evidence in explanation.evidence}
    assert {"month:2013-09", "month:2013-10", "recent:7d", "forecast", "rank", "driver:recency"} <= {
        name for claim in explanation.verdict.claims for name in claim.evidence_ids
    }
    assert all(set(claim.evidence_ids) <= ids for claim in explanation.verdict.claims)


counts = st.lists(st.integers(0, 3000), min_size=1, max_size=8).filter(lambda users: users[0] > 0)


@given(
    users=counts,
    day=st.sampled_from([1, 2, 9, 28]),
    recent=st.tuples(st.integers(0, 500), st.integers(0, 500)),
    expected=st.floats(0.01, 5000),
    effects=st.lists(st.floats(-0.95, 40), min_size=5, max_size=5),
    seed=st.integers(0, 100),
)
def test_whatever_the_facts_are_the_text_passes_verification(
    users: list[int], day: int, recent: tuple[int, int], expected: float, effects: list[float], seed: int
) -> None:
    week, thirty = min(recent), max(recent)
    facts = item(users, cutoff=datetime(2013, 11, day, tzinfo=UTC), week=week, thirty=thirty)
    drivers = tuple(dataclasses.replace(driver, effect=effect) for driver, effect in zip(DRIVERS, effects, strict=True))
    explanation = explain(facts, expected=expected, seed=seed, drivers=drivers)
    assert [(claim.text, claim.problem) for claim in explanation.verdict.unsupported] == [], explanation.text
    assert explanation.verdict.verified
    assert not re.search(r"\b1 (?:people|users)\b|\b(?:[02-9]|\d\d+) (?:person|user)\b", explanation.text)


@pytest.mark.parametrize(
    ("users", "said", "never"),
    [
        ([40, 60, 80], r"rose|grew|climbed|rising", r"fell|dropped|fading|steady"),
        ([10, 20, 80], r"jumped|surged|doubled|rising", r"fell|dropped|fading|steady"),
        ([80, 60, 40], r"slipped|declined|fading", r"rose|grew|rising|steady"),
        ([80, 60, 57], r"steady|the same|Little has moved", r"fell|fading"),
        ([80, 60, 0], r"quiet|ran dry", r"steady"),
        ([80, 0, 0], r"dormant|[Nn]obody", r"steady"),
        ([0, 0, 3, 0, 1], r"thin|very few|Only 4", r"steady"),
        ([20], r"new|short|little time", r"steady|fell"),
        ([], r"no (?:recorded )?history", r"\bin total\b"),
    ],
)
def test_the_trend_says_what_happened(users: list[int], said: str, never: str) -> None:
    for seed in range(20):
        trend = explain(item(users), seed=seed).sections["Trend"]
        opening = trend.split(". ")[0] if users else trend
        assert re.search(said, trend), trend
        assert not re.search(never, opening), trend


def test_a_month_in_progress_is_called_unfinished() -> None:
    facts = item([40, 60, 12], cutoff=datetime(2013, 11, 7, tzinfo=UTC))
    for seed in range(20):
        trend = explain(facts, seed=seed).sections["Trend"]
        assert re.search(r"[^.]*\bso far\b[^.]*", trend, re.IGNORECASE), trend
        assert "six days" in trend  # the 1st to the 6th: the cut-off is the 7th at midnight
        assert not re.search(r"(?:fell|dropped|down)[^.]*November", trend)


def test_the_strongest_drivers_are_named_with_their_effects() -> None:
    text = phrasings(item([40, 60, 80]), "Integration")
    assert "the total audience multiplied the forecast by 2.5" in text  # 1 + 1.5
    assert re.search(r"the last seven days (?:lifted|raised) the forecast by 34%", text)
    assert re.search(r"the time since release (?:lowered|cut|reduced) the forecast by 12%", text)
    assert "the season" not in text  # 1% is not worth a word


def test_a_driver_turned_round_is_told_the_other_way() -> None:
    turned = (Driver("recency", "the last seven days", -0.34),)
    text = explain(item([40, 60, 80]), drivers=turned).sections["Integration"]
    assert re.search(r"the last seven days (?:lowered|cut|reduced) the forecast by 34%", text)


def test_a_never_seen_item_rests_on_its_catalogue_entry() -> None:
    for seed in range(20):
        explanation = explain(item([]), seed=seed)
        assert "history" in explanation.sections["Trend"]
        assert re.search(r"catalogue", explanation.sections["Integration"])
        assert explanation.verdict.verified


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"year": 2013.0, "genres": ("Drama", "Sci-Fi")}, ("2013", "Drama and Sci-Fi")),
        ({"categories": "Beauty > Skin Care > Eyes > Creams"}, ("Skin Care", "Creams")),
        ({"categories": "Beauty > Makeup"}, ("Beauty", "Makeup")),
        ({"price": 2.1}, ("priced at 2.10", "single attribute|says no more")),
        ({"director": "Ron Howard", "brand": "Acme"}, ("directed by Ron Howard", "Acme")),
        ({}, ("silent|nothing", "title")),
        ({"description": "x" * 300}, ("silent|nothing", "title")),
    ],
)
def test_the_features_are_those_of_the_catalogue(attributes: dict[str, AttributeValue], said: tuple[str, str]) -> None:
    for seed in range(20):
        explanation = explain(item([40, 60, 80], attributes=attributes), seed=seed)
        assert all(re.search(pattern, explanation.sections["Feature"]) for pattern in said), explanation.sections
        assert explanation.verdict.verified


def test_the_same_seed_says_the_same_and_other_items_say_it_otherwise() -> None:
    facts = item([40, 60, 80])
    assert explain(facts).text == explain(facts).text
    others = {explain(dataclasses.replace(facts, item_id=f"tt{n}")).sections["Trend"] for n in range(60)}
    assert len(others) >= 20


def test_large_numbers_have_separators_and_tiny_forecasts_no_false_precision() -> None:
    assert "1,204" in phrasings(item([900, 1000, 1204]), "Trend")
    assert "fewer than one person" in phrasings(item([]), "Integration", expected=0.3)
    assert "about 1 person" in phrasings(item([]), "Integration", expected=1.2)
