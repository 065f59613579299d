"""Claims that the audience rose, fell or held, or was larger or smaller than it had been."""

import re
from collections.abc import Iterator
from itertools import pairwise

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.comparisons import Pair, Passage, compared
from whyrec.evaluation.verification.drivers import driver_of_clause
from whyrec.evaluation.verification.events import FACTORS, FLAT, UP, Event, events_of, is_denied
from whyrec.evaluation.verification.known import Basis, Known
from whyrec.evaluation.verification.mentions import Number
from whyrec.interfaces import Claim, ClaimKind

STEADY_TOLERANCE = 0.25
"""Counts within 25% of each other, or within 2, may be called steady."""

Span = tuple[int, int]
_SINCE = re.compile(r"\b(?:since|from|after)\s(?:\w+\s)?$")
_MORE_THAN = re.compile(r"\b(?:more than|over|better than|at least)\s$")
_NEARLY = re.compile(r"\b(?:nearly|almost|about|roughly|close to|just about|practically|all but|some|around)\s$")


def direction_claims(passage: Passage, numbers: list[Number], *, taken: list[Span]) -> Iterator[Claim]:
    """Check every word of change in a clause.

    Args:
        passage: The clause.
        numbers: Those of its sentence.
        taken: Stretches that another claim has read ("never busier than in June").
    """
    if driver_of_clause(passage):
        return
    events = events_of(passage)
    if not events:
        return
    streak = lexicon.STREAK_CUE.search(passage.words)
    run = _run_pairs(passage)
    for event in events:
        if any(start < event.end and event.start < end for start, end in taken):
            continue
        pairs = _stated_pair(passage, event.end, numbers) or compared(passage, event.start)
        if streak:
            pairs = _streak_pairs(passage.known, numbers, passage) or pairs
        pairs = run or pairs
        if not pairs:
            continue
        denied = is_denied(passage, event.start, event.end)
        before = passage.text[max(0, event.start - 16) : event.start]
        agree = all if (streak or run) and not (denied and not run) else any
        holds = agree(_moves(event, pair, before) != denied for pair in pairs)
        yield _claim("direction", passage, span=(event.start, event.end), holds=holds, pairs=pairs)


def _run_pairs(passage: Passage) -> list[Pair]:
    """ "Every month since May", "has not fallen once since May": all the steps from there on."""
    if not lexicon.RUN_CUE.search(passage.words):
        return []
    known = passage.known
    start = next(
        (it for it in passage.places if it.months and _SINCE.search(passage.text, it.start - 24, it.start)), None
    )
    if start is None:
        return []
    ends = [place for place in passage.places if place.start > start.start and place.months]
    last = ends[-1].months[0] if ends else None
    months = [m for m in known.complete if m >= start.months[0] and (last is None or m <= last)]
    bases = [basis for month in months if (basis := known.in_month(month))]
    return list(pairwise(bases))


def _stated_pair(passage: Passage, after: int, numbers: list[Number]) -> list[Pair]:
    """ "Rose from 72 to 88", no month named: the text's own two numbers are compared; each is checked by itself."""
    if passage.places:
        return []
    counts = [n for n in numbers if n.unit in ("", "users") and after <= n.start <= min(after + 40, passage.clause.end)]
    if len(counts) < 2 or "from" not in passage.text[after : counts[0].start].split():
        return []
    before, later = counts[:2]
    pair = (Basis(before.value, (), f"{before.value:g}"), Basis(later.value, (), f"{later.value:g}"))
    return [pair]


def _streak_pairs(known: Known, numbers: list[Number], passage: Passage) -> list[Pair]:
    length = next((int(n.value) for n in numbers if n.unit == "months" and passage.clause.holds(n.start)), 0)
    counts = [basis for month in known.complete if (basis := known.in_month(month))]
    return list(zip(counts[-length - 1 : -1], counts[-length:], strict=True)) if 0 < length < len(counts) else []


def _moves(event: Event, pair: Pair, before_word: str) -> bool:
    before, after = pair[0].value, pair[1].value
    if event.kind == FLAT:
        return abs(after - before) <= max(STEADY_TOLERANCE * max(after, before), 2)
    if event.kind not in FACTORS:
        return after > before if event.kind == UP else after < before
    factor = FACTORS[event.kind]
    if _MORE_THAN.search(before_word):
        return before > 0 and (factor <= after / before if factor > 1 else after / before <= factor)
    if _NEARLY.search(before_word):
        return before > 0 and 0.75 * factor <= after / before <= 1.15 * factor
    return before > 0 and 0.85 * factor <= after / before <= 1.25 * factor


def _claim(kind: ClaimKind, passage: Passage, *, span: tuple[int, int], holds: bool, pairs: list[Pair]) -> Claim:
    start, end = span
    before, after = pairs[0]
    problem = "" if holds else f"{before.label}: {before.value:.4g}, {after.label}: {after.value:.4g}"
    ids = tuple(dict.fromkeys((*before.evidence_ids, *after.evidence_ids)))
    return Claim(kind, passage.text[start:end], start, end, holds, ids, problem)
