"""Check an explanation, whoever wrote it, claim by claim."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification.binding import bind
from whyrec.evaluation.verification.comparisons import Passage
from whyrec.evaluation.verification.hidden import hidden_claims
from whyrec.evaluation.verification.known import Known
from whyrec.evaluation.verification.lexicon import FORECAST_CUE, POINTS_BACK, RATING_BEFORE
from whyrec.evaluation.verification.mentions import (
    Number,
    Place,
    Stretch,
    blank_places,
    enclosing,
    find_numbers,
    find_places,
    split_clauses,
    split_sentences,
)
from whyrec.evaluation.verification.names import attribute_claims, blank, title_claims
from whyrec.evaluation.verification.numbers import number_claim
from whyrec.evaluation.verification.trends import direction_claims, month_claims, peak_claims, push_claims
from whyrec.evaluation.verification.vocabulary import Vocabulary
from whyrec.interfaces import Claim, Driver, ForecastPoint, Verdict

_NO_VOCABULARY = Vocabulary()
_LEVEL = re.compile(
    r"(?<![\w.,])(?P<hits>\d+|eight|nine|seven|four|three|five)\s(?:times\s|chances\s|cases\s)?(?:out of|"
    r"in)\s(?P<of>10|ten|five|5)\b",
    re.I,
)
_LEVEL_WORDS = {"eight": 8, "nine": 9, "seven": 7, "four": 4, "three": 3, "five": 5, "ten": 10}


class _Sentence(NamedTuple):
    stretch: Stretch
    numbers: list[Number]
    places: list[Place]
    bound: dict[Number, Place]
    carries_forecast: bool


def verify_explanation(
    text: str,
    *,
    facts: ItemFacts,
    forecast: ForecastPoint,
    drivers: Sequence[Driver] = (),
    vocabulary: Vocabulary | None = None,
) -> Verdict:
    """Find every checkable claim of a text and compare it with the evidence.

    Args:
        text: The explanation; section tags may stand in it.
        facts: The item's history and catalogue entry at the cut-off.
        forecast: The item's row of the forecast that the text explains.
        drivers: What moved the forecast; percentages of effects are checked against them.
        vocabulary: Titles and attribute values of the whole catalogue, so that another item's are recognised.

    Returns:
        All claims in the order of the text; ``claim.text == text[claim.start:claim.end]`` holds for each.
    """
    known = Known(facts, forecast, drivers)
    names = title_claims(text, facts=facts, vocabulary=vocabulary or _NO_VOCABULARY)
    plain = blank(text, names)
    values = attribute_claims(plain, facts=facts, vocabulary=vocabulary or _NO_VOCABULARY)
    plain = blank(plain, values)
    levels = list(_level_claims(plain))
    plain = blank(plain, levels)
    claims = [*names, *values, *levels, *_claims_of_text(plain, known), *hidden_claims(text)]
    ordered = sorted(claims, key=lambda claim: (claim.start, claim.end, claim.kind))
    return Verdict(tuple(_with_text(claim, text) for claim in ordered))


def _claims_of_text(text: str, known: Known) -> Iterator[Claim]:
    months = frozenset((*known.users, *known.window_months))
    places = find_places(text, latest=known.latest, known=months, first=known.first)
    numbers = find_numbers(blank_places(text, places))
    lower = _lower(text)
    forecast_before = False
    for sentence in split_sentences(text):
        words = lower[sentence.start : sentence.end]
        carries = forecast_before and bool(POINTS_BACK.match(words))
        forecast_before = carries or bool(FORECAST_CUE.search(words))
        inside = [number for number in numbers if sentence.holds(number.start)]
        where = [place for place in places if sentence.holds(place.start)]
        counts = [number for number in inside if number.unit in ("", "users")]
        bound = bind(lower, numbers=counts, places=[place for place in where if place.day is None])
        found = _Sentence(sentence, inside, where, bound, carries)
        yield from _claims_of_sentence(lower, found, known)


def _claims_of_sentence(text: str, found: _Sentence, known: Known) -> Iterator[Claim]:
    clauses = split_clauses(text, found.stretch)
    for clause in clauses:
        places = [place for place in found.places if clause.holds(place.start)]
        passage = Passage(text, found.stretch, clause, places, known, found.carries_forecast)
        yield from month_claims(passage, found.bound)
        yield from direction_claims(passage, found.numbers)
        yield from push_claims(passage)
        yield from peak_claims(passage, found.numbers)
        for number in found.numbers:
            if enclosing(clauses, number.start) == clause:
                claim = number_claim(number, passage=passage, bound=found.bound, numbers=found.numbers)
                if claim is not None:
                    yield claim


def _level_claims(text: str) -> Iterator[Claim]:
    """ "Eight times out of ten": the level of the interval, in words."""
    for hit in _LEVEL.finditer(text):
        if RATING_BEFORE.search(text[max(0, hit.start() - 60) : hit.start()]):
            continue
        hits, of = (_LEVEL_WORDS.get(word.lower()) or int(word) for word in (hit["hits"], hit["of"]))
        holds = 10 * hits == 8 * of
        problem = "" if holds else "the interval covers 80%"
        yield Claim("number", hit[0], hit.start(), hit.end(), holds, ("forecast:low", "forecast:high"), problem)


def _lower(text: str) -> str:
    """Lower the case without moving any offset (a few letters grow when lowered)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _with_text(claim: Claim, text: str) -> Claim:
    """Quote the claim as the text spells it, not as it was searched."""
    said = text[claim.start : claim.end]
    return Claim(claim.kind, said, claim.start, claim.end, claim.supported, claim.evidence_ids, claim.problem)
