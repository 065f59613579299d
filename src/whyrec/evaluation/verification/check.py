"""Check an explanation, whoever wrote it, claim by claim."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification.binding import bind
from whyrec.evaluation.verification.comparisons import Passage
from whyrec.evaluation.verification.concepts import Concept, find_concepts
from whyrec.evaluation.verification.drivers import push_claims
from whyrec.evaluation.verification.extremes import extreme_claims
from whyrec.evaluation.verification.hidden import hidden_claims
from whyrec.evaluation.verification.known import Known
from whyrec.evaluation.verification.lexicon import FORECAST_CUE, POINTS_BACK, TOTAL_CUE
from whyrec.evaluation.verification.mentions import (
    Number,
    Place,
    Stretch,
    blank_places,
    find_numbers,
    folded,
    split_clauses,
    split_sentences,
)
from whyrec.evaluation.verification.months import month_claims
from whyrec.evaluation.verification.names import blank, title_claims
from whyrec.evaluation.verification.number_words import RATING_BEFORE
from whyrec.evaluation.verification.numbers import number_claim
from whyrec.evaluation.verification.places import find_places
from whyrec.evaluation.verification.quotes import plainly
from whyrec.evaluation.verification.ranks import rank_claims
from whyrec.evaluation.verification.trends import direction_claims
from whyrec.evaluation.verification.values import attribute_claims
from whyrec.evaluation.verification.vocabulary import Vocabulary
from whyrec.interfaces import Claim, Driver, ForecastPoint, Verdict

_NO_VOCABULARY = Vocabulary()
_LEVEL = re.compile(
    r"(?<![\w.,])(?P<hits>\d+|eight|nine|seven|four|three|five)\s(?:times\s|chances\s|cases\s)?(?:out of|"
    r"in)\s(?P<of>10|ten|five|5)\b"
)
_LEVEL_WORDS = {"eight": 8, "nine": 9, "seven": 7, "four": 4, "three": 3, "five": 5, "ten": 10}


class _Sentence(NamedTuple):
    masked: str
    """The whole text in small letters, months blanked."""
    stretch: Stretch
    numbers: list[Number]
    places: list[Place]
    concepts: list[Concept]
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
    plain = plainly(text)
    names = title_claims(plain, facts=facts, vocabulary=vocabulary or _NO_VOCABULARY)
    plain = blank(plain, names)
    values = attribute_claims(plain, facts=facts, vocabulary=vocabulary or _NO_VOCABULARY)
    plain = blank(plain, values)
    levels = list(_level_claims(plain))
    plain = blank(plain, levels)
    claims = [*names, *values, *levels, *_claims_of_text(plain, known), *hidden_claims(text)]
    ordered = sorted(claims, key=lambda claim: (claim.start, claim.end, claim.kind))
    return Verdict(tuple(_with_text(claim, text) for claim in ordered))


def _claims_of_text(text: str, known: Known) -> Iterator[Claim]:
    months = frozenset((*known.users, *known.window_months))
    places = find_places(text, latest=known.latest, known=months, first=known.first, last_full=known.last_full)
    masked = blank_places(text, places)
    numbers = find_numbers(masked)
    lower, lower_masked = folded(text), folded(masked)
    concepts = find_concepts(lower)
    forecast_before = False
    for sentence in split_sentences(masked):
        words = lower[sentence.start : sentence.end]
        carries = forecast_before and bool(POINTS_BACK.match(words))
        forecast_before = carries or bool(FORECAST_CUE.search(words))
        start, end = sentence.start, sentence.end
        inside = [number for number in numbers if start <= number.start < end]
        where = [place for place in places if start <= place.start < end]
        told = [concept for concept in concepts if start <= concept.start < end]
        counts = [number for number in inside if number.unit in ("", "users")]
        is_ahead = forecast_before or bool(TOTAL_CUE.search(words))
        bound = bind(
            lower, numbers=counts, places=[place for place in where if place.day is None], is_loose=not is_ahead
        )
        found = _Sentence(lower_masked, sentence, inside, where, told, bound, carries)
        yield from _claims_of_sentence(lower, found, known)


def _claims_of_sentence(text: str, found: _Sentence, known: Known) -> Iterator[Claim]:
    clauses = split_clauses(found.masked, found.stretch)
    for clause in clauses:
        start, end = clause.start, clause.end
        places = [place for place in found.places if start <= place.start < end]
        concepts = [concept for concept in found.concepts if start <= concept.start < end]
        passage = Passage(
            text,
            found.stretch,
            clause,
            places,
            known,
            concepts=concepts,
            around=found.places,
            carries_forecast=found.carries_forecast,
        )
        ranks = list(rank_claims(passage))
        extremes = list(extreme_claims(passage, found.numbers))
        taken = [(claim.start, claim.end) for claim in extremes]
        moves = [*extremes, *direction_claims(passage, found.numbers, taken=taken), *push_claims(passage)]
        counted = []
        for number in found.numbers:
            if start <= number.start < end and not any(it.start <= number.start < it.end for it in ranks):
                claim = number_claim(number, passage=passage, bound=found.bound, numbers=found.numbers)
                if claim is not None:
                    counted.append(claim)
        is_engaged = bool(moves) or any(claim.kind == "number" for claim in counted)
        yield from month_claims(passage, counted=list(found.bound.values()), is_engaged=is_engaged)
        yield from (*ranks, *moves, *counted)


def _level_claims(text: str) -> Iterator[Claim]:
    """ "Eight times out of ten": the level of the interval, in words."""
    small = folded(text)
    for hit in _LEVEL.finditer(small):
        if RATING_BEFORE.search(small[max(0, hit.start() - 60) : hit.start()]):
            continue
        hits, of = (_LEVEL_WORDS.get(word) or int(word) for word in (hit["hits"], hit["of"]))
        holds = 10 * hits == 8 * of
        problem = "" if holds else "the interval covers 80%"
        yield Claim("number", hit[0], hit.start(), hit.end(), holds, ("forecast:low", "forecast:high"), problem)


def _with_text(claim: Claim, text: str) -> Claim:
    """Quote the claim as the text spells it, not as it was searched."""
    said = text[claim.start : claim.end]
    if said == claim.text:
        return claim
    return Claim(claim.kind, said, claim.start, claim.end, claim.supported, claim.evidence_ids, claim.problem)
