"""Claims about direction ("rose", "steady", "highest since June") and about peaks and troughs."""

import re
from collections.abc import Iterator
from datetime import timedelta

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.comparisons import Pair, Passage, compared
from whyrec.evaluation.verification.known import Basis, Known
from whyrec.evaluation.verification.mentions import Number, Place
from whyrec.interfaces import Claim, ClaimKind, Driver

STEADY_TOLERANCE = 0.25
"""Counts within 25% of each other, or within 2, may be called steady."""

_NOT_HISTORY = re.compile(r"^\s(?:end|bound|limit|edge|side|bracket|quartile)\b")
_EXTREME_SCOPE = re.compile(r"\b(?:local|second|minor|previous|another|secondary)\s$")


def direction_claims(passage: Passage, numbers: list[Number]) -> Iterator[Claim]:
    """Check every word of change in a clause."""
    text = passage.text
    pushes = driver_of_clause(passage)
    streak = lexicon.STREAK_CUE.search(passage.words)
    for hit in lexicon.DIRECTION.finditer(text, passage.clause.start, passage.clause.end):
        kind = hit.lastgroup or ""
        if _NOT_HISTORY.match(text[hit.end() : hit.end() + 12]) or pushes:
            continue
        pairs = _stated_pair(passage, hit.end(), numbers) or compared(passage, hit.start())
        if streak:
            pairs = _streak_pairs(passage.known, numbers, passage) or pairs
        if not pairs:
            continue
        negated = bool(lexicon.NEGATION.search(text[max(passage.clause.start, hit.start() - 26) : hit.start()]))
        agree = all if streak else any
        holds = agree(_moves(kind, pair, text[max(0, hit.start() - 14) : hit.start()]) for pair in pairs) != negated
        yield _claim("direction", passage, span=hit.span(), holds=holds, pairs=pairs)


def driver_of_clause(passage: Passage) -> list[Driver]:
    """The drivers that a clause names, where it speaks of what pushes the forecast; all of them if it names none."""
    words = passage.words
    if not (lexicon.PUSH.search(words) and lexicon.DRIVER_OBJECT.search(words)):
        return []
    named = [driver for driver in passage.known.drivers if driver.label.casefold() in words]
    return named or list(passage.known.drivers)


def push_claims(passage: Passage) -> Iterator[Claim]:
    """Check "lifts the forecast" and "holds it back" against the sign of the driver that the clause names."""
    for driver in passage.known.drivers:
        at = passage.text.find(driver.label.casefold(), passage.clause.start, passage.clause.end)
        if at < 0:
            continue
        after = at + len(driver.label)
        hit = lexicon.PUSH.search(passage.text, after, min(after + 40, passage.clause.end))
        if hit is None or not lexicon.DRIVER_OBJECT.search(passage.words):
            continue
        holds = driver.effect != 0 and (hit.lastgroup == "up") == (driver.effect > 0)
        problem = "" if holds else f"{driver.label} changes the forecast by {driver.effect:+.0%}"
        yield Claim("direction", hit[0], hit.start(), hit.end(), holds, (f"driver:{driver.id}",), problem)


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


def _moves(kind: str, pair: Pair, before_word: str) -> bool:
    before, after = pair[0].value, pair[1].value
    if kind in ("up", "up_word", "above", "more"):
        return after > before
    if kind in ("down", "down_word", "below", "fewer"):
        return after < before
    if kind == "flat":
        return abs(after - before) <= max(STEADY_TOLERANCE * max(after, before), 2)
    factor = {"double": 2.0, "triple": 3.0, "half": 0.5}[kind]
    if re.search(r"more than\s$", before_word):
        return before > 0 and (factor <= after / before if factor > 1 else after / before <= factor)
    if re.search(r"(?:nearly|almost|about|roughly)\s$", before_word):
        return before > 0 and 0.75 * factor <= after / before <= 1.15 * factor
    return before > 0 and 0.85 * factor <= after / before <= 1.25 * factor


def peak_claims(passage: Passage, numbers: list[Number]) -> Iterator[Claim]:
    """Check peaks, troughs and "highest since" against the whole monthly history."""
    text, known = passage.text, passage.known
    for hit in lexicon.PEAK.finditer(text, passage.clause.start, passage.clause.end):
        if _EXTREME_SCOPE.search(text[max(0, hit.start() - 12) : hit.start()]) or not known.users:
            continue
        if hit["since"]:
            yield from _since_claim(passage, hit)
            continue
        months = _extreme_months(known, lowest=hit["low"] is not None)
        place = _nearest_month(passage, hit)
        ids = tuple(basis.evidence_ids[0] for basis in months[:1])
        problem = f"the {'lowest' if hit['low'] else 'highest'} month is {months[0].label} with {months[0].value:g}"
        if place is not None:
            stated = [basis.evidence_ids for basis in known.in_place(place)]
            holds = any(basis.evidence_ids in stated for basis in months)
        else:
            number = next(
                (n for n in numbers if hit.end() <= n.start <= hit.end() + 24 and n.unit in ("", "users")), None
            )
            if number is None:
                continue
            holds = (
                abs(number.value - months[0].value) <= 0.05 * months[0].value
                if number.approximate
                else number.value == months[0].value
            )
        end = place.end if place is not None and place.start > hit.end() else hit.end()
        yield Claim("peak", text[hit.start() : end], hit.start(), end, holds, ids, "" if holds else problem)


def _extreme_months(known: Known, *, lowest: bool) -> list[Basis]:
    months = [basis for basis in known.months if not lowest or basis.evidence_ids[0] not in _partial_ids(known)]
    months = months or known.months
    extreme = (min if lowest else max)(basis.value for basis in months)
    return [basis for basis in months if basis.value == extreme]


def _partial_ids(known: Known) -> set[str]:
    return {f"month:{year:04d}-{month:02d}" for year, month in known.partial}


def _nearest_month(passage: Passage, hit: re.Match[str]) -> Place | None:
    """The month that a peak word speaks of: the next one after it ("peaked in June"), or the subject before it."""
    text = passage.text
    months = [place for place in passage.places if place.span_days is None]
    after = [place for place in months if place.start >= hit.end() and place.start - hit.end() <= 48]
    if after and lexicon.PEAK.search(text, hit.end(), after[0].start):
        return None
    if after and not re.search(
        r"\b(?:since|before|after|from|to|than)\b", _without_parts(text[hit.end() : after[0].start])
    ):
        return after[0]
    before = [place for place in months if place.end <= hit.start() and hit.start() - place.end <= 60]
    return before[-1] if before else None


def _without_parts(gap: str) -> str:
    return re.sub(r"\bfrom its\b", "", gap)


def _since_claim(passage: Passage, hit: re.Match[str]) -> Iterator[Claim]:
    known, text = passage.known, passage.text
    month = next((place for place in passage.places if place.start >= hit.end()), None)
    if month is None or month.start - hit.end() > 12 or not known.in_place(month):
        return
    since = known.in_place(month)[0]
    subject_place = next(
        (place for place in reversed(passage.places) if place.end <= hit.start() and place.months), None
    )
    subjects = known.in_place(subject_place) if subject_place else known.months[-2:]
    lowest = hit["extreme"].lower() in ("lowest", "weakest", "fewest")
    holds = any(_is_extreme_since(known, subject, since, lowest=lowest) for subject in subjects)
    problem = "" if holds else f"the months since {since.label} say otherwise"
    yield Claim("peak", text[hit.start() : month.end], hit.start(), month.end, holds, since.evidence_ids, problem)


def _is_extreme_since(known: Known, subject: Basis, since: Basis, *, lowest: bool) -> bool:
    between = [b.value for b in known.months if since.evidence_ids < b.evidence_ids < subject.evidence_ids]
    if subject.evidence_ids <= since.evidence_ids:
        return False
    if lowest:
        return all(value >= subject.value for value in between) and since.value <= subject.value
    return all(value <= subject.value for value in between) and since.value >= subject.value


def month_claims(passage: Passage, bound: dict[Number, Place]) -> Iterator[Claim]:
    """Check that months and dates exist, lie before the cut-off or in the window, and begin what they are said to."""
    for place in passage.places:
        if place.span_days is not None:
            if place.span_days not in passage.known.facts.recent:
                counted = ", ".join(str(days) for days in passage.known.facts.recent)
                problem = f"users are counted over the last {counted} days only"
                yield Claim("number", passage.text[place.start : place.end], place.start, place.end, False, (), problem)
            continue
        if place.relative:
            continue
        problem, ids = _month_problem(passage, place, has_number=place in bound.values())
        yield Claim("month", passage.text[place.start : place.end], place.start, place.end, not problem, ids, problem)


def _month_problem(passage: Passage, place: Place, *, has_number: bool) -> tuple[str, tuple[str, ...]]:
    known = passage.known
    before = passage.text[passage.clause.start : place.start]
    usable = [
        month for month in place.months if month in known.users or month in known.window_months or month == known.latest
    ]
    ids = tuple(
        f"month:{year:04d}-{month:02d}" if (year, month) in known.users else "forecast" for year, month in usable
    )
    if place.day is not None:
        return _day_problem(known, place, before=before, is_forecast=passage.speaks_of_forecast), ids
    after = passage.text[place.end : place.end + 40]
    if (
        lexicon.FORECAST_OF.search(before)
        or lexicon.THEN_FORECAST.match(after)
        or (passage.speaks_of_forecast and before.endswith("for "))
    ):
        wrong = not known.window_months & set(place.months)
        return ("the forecast is for " + known.forecast.window.label if wrong else ""), ("forecast",)
    if known.facts.first_seen and lexicon.FIRST_CUE.search(before):
        if known.first in place.months:
            return "", ("first_seen",)
        return f"first seen on {known.facts.first_seen:%Y-%m-%d}", ("first_seen",)
    if usable:
        return "", ids
    if min(place.months) > known.latest:
        return "later than the cut-off and outside the forecast window", ()
    if not known.users:
        return "the item has no history", ()
    zero = {basis.value for basis in known.in_place(place)} == {0} and has_number
    return ("" if zero else f"the history begins on {known.facts.first_seen:%Y-%m-%d}"), ()


def _day_problem(known: Known, place: Place, *, before: str, is_forecast: bool) -> str:
    window, cutoff, first = known.forecast.window, known.facts.cutoff.date(), known.facts.first_seen
    eve = cutoff - timedelta(days=1)
    if lexicon.UP_TO.search(before):
        days, said = {cutoff, eve}, f"the cut-off is {cutoff}"
    elif lexicon.FIRST_CUE.search(before) and first is not None and not is_forecast:
        days, said = {first}, f"first seen on {first}"
    else:
        days = {cutoff, eve, window.start.date(), window.end.date(), window.end.date() - timedelta(days=1)}
        days |= {first} if first is not None else set()
        said = "no such date in the data: neither the first user's, nor the cut-off, nor the window's"
    stated = {(*month, place.day) for month in place.months}
    return "" if stated & {(day.year, day.month, day.day) for day in days} else said


def _claim(kind: ClaimKind, passage: Passage, *, span: tuple[int, int], holds: bool, pairs: list[Pair]) -> Claim:
    start, end = span
    before, after = pairs[0]
    problem = "" if holds else f"{before.label}: {before.value:.4g}, {after.label}: {after.value:.4g}"
    ids = tuple(dict.fromkeys((*before.evidence_ids, *after.evidence_ids)))
    return Claim(kind, passage.text[start:end], start, end, holds, ids, problem)
