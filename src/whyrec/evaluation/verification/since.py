"""Claims that a month was the best, or the worst, since an earlier one."""

import re
from collections.abc import Iterator

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.comparisons import Passage
from whyrec.evaluation.verification.extreme_words import AMOUNT, NEVER, SINCE, THAN
from whyrec.evaluation.verification.known import Basis, Known
from whyrec.interfaces import Claim


def present(known: Known) -> list[Basis]:
    """The last full month, and the one that the cut-off falls into."""
    return [basis for month in (*known.complete[-1:], known.latest) if (basis := known.in_month(month))]


_PLAIN = re.compile(r"\b(?:(?P<high>more|greater|so many|as many)|(?P<low>fewer|less|so few|as few))\b")


def comparatives(passage: Passage) -> list[tuple[int, int, bool]]:
    """Words of more and less in a clause: where they stand, and whether they mean less."""
    found = [
        (concept.start, concept.end, concept.name in ("weak", "weaker", "down"))
        for concept in passage.concepts
        if concept.name in ("strong", "stronger", "weak", "weaker", "up", "down")
    ]
    hits = _PLAIN.finditer(passage.text, passage.clause.start, passage.clause.end)
    return sorted([*found, *((hit.start(), hit.end(), hit["low"] is not None) for hit in hits)])


_BACK_TO = re.compile(
    r"\b(?:have|has|had|need|needs|must|got)\s(?:to\s)?(?:go|reach|look|turn|travel)\s(?:\w+\s){0,4}?back\s(?:to|"
    r"as far as)\s$"
)
"""One must "go back to June" for a month as good: the like has not been seen since."""


def since_claims(passage: Passage) -> Iterator[Claim]:
    """Check "highest since June", "not so busy since June", "one must go back to June"."""
    text, known = passage.text, passage.known
    for place in passage.places:
        opening = SINCE.search(text, passage.clause.start, place.start)
        opening = opening or _BACK_TO.search(text, passage.clause.start, place.start)
        if not place.months or opening is None or opening.end() != place.start or not known.in_place(place):
            continue
        size = _size_word(passage, opening.start())
        if size is None:
            continue
        start, end, lowest = size
        since = known.in_place(place)[0]
        others = [it for it in passage.places if it is not place and it.months]
        other = min(others, key=lambda it: abs(it.start - start), default=None)
        subjects = known.in_place(other) if other else present(known)
        holds = any(_is_extreme_since(known, subject, since, lowest=lowest) for subject in subjects)
        problem = "" if holds else f"the months since {since.label} say otherwise"
        first, last = min(start, opening.start()), max(end, place.end)
        if other is not None and other.start > last:
            last = other.end
        ids = (*since.evidence_ids, *(subjects[0].evidence_ids if subjects else ()))
        yield Claim("peak", text[first:last], first, last, holds, ids, problem)


def last_time_claim(passage: Passage) -> Iterator[Claim]:
    """ "The last time it did better than in October was in June": October is the best since June."""
    months = [place for place in passage.places if place.months]
    if len(months) != 2:
        return
    hit = _LAST_TIME.search(passage.text, passage.clause.start, passage.clause.end)
    sizes = comparatives(passage) if hit else []
    if hit is None or not sizes:
        return
    known, text = passage.known, passage.text
    subject = next((it for it in months if THAN.search(text[sizes[0][1] : it.start])), None)
    other = next((it for it in months if it is not subject), None)
    if subject is None or other is None or not known.in_place(other):
        return
    since, lowest = known.in_place(other)[0], sizes[0][2]
    holds = any(_is_extreme_since(known, it, since, lowest=lowest) for it in known.in_place(subject))
    start, end = hit.start(), max(place.end for place in months)
    problem = "" if holds else f"the months since {since.label} say otherwise"
    yield Claim("peak", text[start:end], start, end, holds, since.evidence_ids, problem)


_LAST_TIME = re.compile(r"\b(?:last time|last month (?:to|that|with)|most recent month (?:to|that|with))\b")


def _size_word(passage: Passage, since: int) -> tuple[int, int, bool] | None:
    """The superlative, or the denied comparison, of a "since": where it stands, and whether it means low."""
    words = passage.words
    denied = NEVER.search(words) or lexicon.NEGATOR.search(words) or " back " in words
    sizes = [
        (concept.start, concept.end, concept.name in ("weak", "weaker", "weakest", "trough"))
        for concept in passage.concepts
        if concept.name in (("strongest", "weakest", "peak", "trough") if not denied else _SIZES)
    ]
    if not sizes:
        sizes = [
            (hit.start(), hit.end(), hit["low"] is not None)
            for hit in AMOUNT.finditer(passage.text, passage.clause.start, passage.clause.end)
            if denied or hit[0] in ("most", "fewest", "least")
        ]
    return min(sizes, key=lambda size: abs(size[0] - since), default=None)


_SIZES = ("strong", "stronger", "strongest", "weak", "weaker", "weakest", "peak", "trough")


def _is_extreme_since(known: Known, subject: Basis, since: Basis, *, lowest: bool) -> bool:
    between = [b.value for b in known.months if since.evidence_ids < b.evidence_ids < subject.evidence_ids]
    if subject.evidence_ids <= since.evidence_ids:
        return False
    if lowest:
        return all(value >= subject.value for value in between) and since.value <= subject.value
    return all(value <= subject.value for value in between) and since.value >= subject.value
