"""Claims about the best and the worst month: "peaked in June", "never busier than in June", "highest since June"."""

import re
from collections.abc import Iterator

from whyrec.evaluation.verification.comparisons import Passage
from whyrec.evaluation.verification.concepts import Concept
from whyrec.evaluation.verification.events import is_denied
from whyrec.evaluation.verification.extreme_words import (
    AS_OF,
    AT,
    BEATS,
    BEHIND,
    EVER,
    NEVER,
    NOT_COUNT,
    ONCE,
    OTHER_MONTHS,
    PAST,
    RECORD_IDIOM,
    SCOPE,
    THAN,
    UNBEATEN,
    WAS_MORE,
)
from whyrec.evaluation.verification.known import Basis, Known
from whyrec.evaluation.verification.mentions import Number, Place
from whyrec.evaluation.verification.since import comparatives, last_time_claim, present, since_claims
from whyrec.interfaces import Claim

_LOWEST = {"peak": False, "strongest": False, "trough": True, "weakest": True}
"""Names of concepts, and whether the lowest month is meant."""


def extreme_claims(passage: Passage, numbers: list[Number]) -> Iterator[Claim]:
    """Check peaks, troughs and "highest since" against the whole monthly history.

    Args:
        passage: The clause.
        numbers: Those of its sentence.
    """
    if not passage.known.users:
        return
    claims = [*since_claims(passage)] or [*last_time_claim(passage)]
    if not claims:
        claims += _denied_claims(passage)
    if not claims:
        claims += _standing_claims(passage)
    yield from claims
    taken = [(claim.start, claim.end) for claim in claims]
    for concept in passage.concepts:
        if concept.name in _LOWEST and not any(start < concept.end and concept.start < end for start, end in taken):
            claim = _extreme_claim(passage, concept, numbers)
            if claim is not None:
                yield claim


def _denied_claims(passage: Passage) -> Iterator[Claim]:
    """ "Never busier than in June", "no month beat June", "June was never bettered", "all others were quieter"."""
    text, clause = passage.text, passage.clause
    months = [place for place in passage.places if place.months]
    if not months:
        return
    never = NEVER.search(text, clause.start, clause.end)
    others = OTHER_MONTHS.search(text, clause.start, clause.end)
    for place in months:
        unbeaten = UNBEATEN.match(text, place.end, min(place.end + 60, clause.end))
        if unbeaten:
            yield _month_claim(passage, place, span=(place.start, unbeaten.end()), lowest=False)
            return
        before = text[clause.start : place.start]
        beats = BEATS.search(before) if never and never.start() < place.start else None
        if never and beats:
            yield _month_claim(passage, place, span=(never.start(), place.end), lowest=beats["low"] is not None)
            return
    for start, end, is_low in comparatives(passage) if never or others else ():
        if others and not never and months and months[0].end <= start < others.start():
            yield _month_claim(passage, months[0], span=(months[0].start, others.end()), lowest=is_low)
            return
        if never and never.start() < start:
            named = next((it for it in months if it.start >= end and THAN.match(text[end : it.start])), None)
            if named is not None:
                yield _month_claim(passage, named, span=(never.start(), named.end), lowest=is_low)
                return
        if others and months and others.start() < start:
            span = (min(months[0].start, others.start()), max(months[0].end, end))
            yield _month_claim(passage, months[0], span=span, lowest=not is_low)
            return


def _month_claim(passage: Passage, place: Place, *, span: tuple[int, int], lowest: bool, denied: bool = False) -> Claim:
    known = passage.known
    months = _extreme_months(known, lowest=lowest)
    stated = [basis.evidence_ids for basis in known.in_place(place)]
    holds = any(basis.evidence_ids in stated for basis in months) != denied
    problem = f"the {'lowest' if lowest else 'highest'} month is {months[0].label} with {months[0].value:g}"
    ids = months[0].evidence_ids
    return Claim("peak", passage.text[span[0] : span[1]], *span, holds, ids, "" if holds else problem)


def _standing_claims(passage: Passage) -> Iterator[Claim]:
    """Whether a month was the highest up to then: "past its peak", "as big as it had ever been", "bigger than ever"."""
    text = passage.text
    behind = BEHIND.search(text, passage.clause.start, passage.clause.end)
    if behind:
        yield from _standing(passage, span=behind.span(), at_peak=False, lowest=False)
        return
    for concept in passage.concepts:
        after = text[concept.end : min(concept.end + 60, passage.clause.end)]
        before = text[max(passage.clause.start, concept.start - 44) : concept.start]
        if concept.name in ("peak", "strongest", "trough", "weakest"):
            lowest = concept.name in ("trough", "weakest")
            gone = PAST.search(before)
            if gone is None or (
                gone["below"] and _month_after(passage, concept) is not None and not _months_before(passage, concept)
            ):
                continue
            start = _opening(passage, concept.start - len(before) + gone.start())
            denied = is_denied(passage, start, concept.end)
            yield from _standing(passage, span=(start, concept.end), at_peak=denied, lowest=lowest)
            return
        if concept.name not in ("strong", "stronger", "weak", "weaker"):
            continue
        ever, once = EVER.match(after), ONCE.match(after)
        lowest = concept.name.startswith("weak")
        denied = is_denied(passage, concept.start, concept.end)
        hit_end = concept.end + max(it.end() for it in (ever, once) if it) if ever or once else 0
        if any(place.start < hit_end and place.end > concept.end for place in passage.places):
            continue
        if ever or once:
            is_more = concept.name.endswith("er")
            span = (_opening(passage, concept.start), hit_end)
            if once and not ever and is_more:
                continue
            yield from _standing(passage, span=span, at_peak=not denied, lowest=lowest)
            return
        if concept.name.endswith("er") and WAS_MORE.search(before):
            is_never = denied or NEVER.search(before) is not None
            yield from _standing(passage, span=(concept.start, concept.end), at_peak=is_never, lowest=lowest)
            return


def _months_before(passage: Passage, concept: Concept) -> list[Place]:
    return [place for place in passage.places if place.months and place.end <= concept.start]


def _month_after(passage: Passage, concept: Concept) -> Place | None:
    return next((place for place in passage.places if place.months and place.start >= concept.end), None)


def _standing(passage: Passage, *, span: tuple[int, int], at_peak: bool, lowest: bool) -> Iterator[Claim]:
    known = passage.known
    places = sorted((place for place in passage.places if place.months), key=lambda place: abs(place.start - span[0]))
    subjects = known.in_place(places[0]) if places else present(known)
    if not subjects:
        return
    holds = any(_is_extreme_so_far(known, subject, lowest=lowest) == at_peak for subject in subjects)
    best = _extreme_months(known, lowest=lowest)[0]
    problem = "" if holds else f"the {'lowest' if lowest else 'highest'} month is {best.label} with {best.value:g}"
    ids = (*subjects[0].evidence_ids, *best.evidence_ids)
    yield Claim("peak", passage.text[span[0] : span[1]], *span, holds, ids, problem)


def _is_extreme_so_far(known: Known, subject: Basis, *, lowest: bool) -> bool:
    partial = _partial_ids(known)
    so_far = [basis.value for basis in known.months if basis.evidence_ids <= subject.evidence_ids]
    if lowest:
        whole = [
            b.value for b in known.months if b.evidence_ids <= subject.evidence_ids and b.evidence_ids[0] not in partial
        ]
        return subject.value <= min(whole, default=subject.value)
    return subject.value >= max(so_far, default=subject.value)


def _extreme_claim(passage: Passage, concept: Concept, numbers: list[Number]) -> Claim | None:
    text, known = passage.text, passage.known
    if not _is_meant(passage, concept):
        return None
    lowest = _is_lowest(passage, concept)
    denied = is_denied(passage, concept.start, concept.end)
    place = _month_of(passage, concept)
    if place is not None:
        span = (min(_opening(passage, concept.start), place.start), max(concept.end, place.end))
        claim = _month_claim(passage, place, span=span, lowest=lowest, denied=denied)
        until = AS_OF.search(text, passage.clause.start, place.start)
        if until and not claim.supported and not denied:
            subjects = known.in_place(place)
            if any(_is_extreme_so_far(known, subject, lowest=lowest) for subject in subjects):
                return Claim("peak", claim.text, *span, True, subjects[0].evidence_ids, "")
        return claim
    months = _extreme_months(known, lowest=lowest)
    number = next((n for n in numbers if concept.end <= n.start <= concept.end + 24 and n.unit in ("", "users")), None)
    if number is None:
        return None
    near = abs(number.value - months[0].value) <= 0.05 * months[0].value
    holds = near if number.approximate else number.value == months[0].value
    problem = f"the {'lowest' if lowest else 'highest'} month is {months[0].label} with {months[0].value:g}"
    span = (concept.start, concept.end)
    return Claim("peak", text[span[0] : span[1]], *span, holds, months[0].evidence_ids, "" if holds else problem)


_OPENING = re.compile(
    r"(?:\b(?:was|is|were|stands|stood|had|has|reached|hit|saw|sat|sits|wasn['’]t|isn['’]t)\s)?(?:(?:already|now|not|"
    r"well|long)\s)*"
    r"(?:(?:at|on|in|as|so)\s)?(?:(?:its|the|their|a)\s)?$"
)


def _opening(passage: Passage, start: int) -> int:
    """Where a statement begins that has its main word at ``start``: "was at its peak"."""
    begin = max(passage.clause.start, start - 30)
    hit = _OPENING.search(passage.text, begin, start)
    return hit.start() if hit else start


def _is_lowest(passage: Passage, concept: Concept) -> bool:
    if concept.said.startswith("than "):
        before = [it for it in passage.concepts if it.end <= concept.start and it.name in ("stronger", "weaker")]
        fewer = re.search(r"\b(?:fewer|less)\b[^,;.]{0,24}$", passage.text[passage.clause.start : concept.start])
        return bool(fewer) or (bool(before) and before[-1].name == "weaker")
    return _LOWEST[concept.name]


def _is_meant(passage: Passage, concept: Concept) -> bool:
    """Tell the best month from "at best", "one of its best months", "the lower bound", "on record"."""
    text = passage.text
    before, after = text[max(0, concept.start - 28) : concept.start], text[concept.end : concept.end + 24]
    if SCOPE.search(before) or NOT_COUNT.match(after):
        return False
    if concept.said in ("best", "worst", "its best") and AT.search(before):
        return False
    if concept.said in ("record", "records"):
        return (
            concept.said == "record"
            and not RECORD_IDIOM.search(before)
            and not re.match(r"\s(?:of (?!\d)|start|beg|show|hold|s\b)", after)
        )
    return True


def _month_of(passage: Passage, concept: Concept) -> Place | None:
    """The month that a peak word speaks of: the next one after it ("peaked in June"), or the subject before it."""
    text = passage.text
    months = [place for place in passage.places if place.span_days is None]
    after = [place for place in months if place.start >= concept.end and place.start - concept.end <= 60]
    rivals = [it for it in passage.concepts if it.name in _LOWEST and it.start >= concept.end]
    if after and any(it.start < after[0].start for it in rivals):
        return None
    gap = re.sub(r"\bfrom its\b", "", text[concept.end : after[0].start]) if after else ""
    if after and not re.search(r"\b(?:since|before|after|from|to|than)\b", gap):
        return after[0]
    before = [place for place in months if place.end <= concept.start and concept.start - place.end <= 80]
    return before[-1] if before else None


def _extreme_months(known: Known, *, lowest: bool) -> list[Basis]:
    months = [basis for basis in known.months if not lowest or basis.evidence_ids[0] not in _partial_ids(known)]
    months = months or known.months
    extreme = (min if lowest else max)(basis.value for basis in months)
    return [basis for basis in months if basis.value == extreme]


def _partial_ids(known: Known) -> set[str]:
    return {f"month:{year:04d}-{month:02d}" for year, month in known.partial}
