"""Months, dates and spans of days that a text speaks of."""

import re

from whyrec.evaluation.verification import time_words
from whyrec.evaluation.verification.evidence import YearMonth
from whyrec.evaluation.verification.lexicon import MONTH_NUMBERS
from whyrec.evaluation.verification.mentions import Place, folded, spelled

_NEARBY = 80
"""Characters within which "the month before" refers back to a named month."""
_APPOSITION = re.compile(r"^,?\s\(?(?:of\s|in\s|being\s)?$")
"""Between "the latest full month" and its name."""
_CENTURY = 2000


def find_places(
    text: str,
    *,
    latest: YearMonth,
    known: frozenset[YearMonth],
    first: YearMonth,
    last_full: YearMonth | None = None,
) -> list[Place]:
    """Read every month, date and span of days.

    Args:
        text: Names must be blanked before.
        latest: The month that the cut-off falls into, or ends.
        known: Months of the history and of the forecast window; a bare month's name stands for one of these.
        first: The history's first month.
        last_full: What "last month" is; where it is not told, ``latest`` or the month before.
    """
    ends = (last_full,) if last_full is not None else (month_before(latest), latest)
    hits = list(time_words.MONTH.finditer(text))
    years = {year for hit in hits if (year := _year(hit)) is not None}
    places = [_month_place(hit, years=years, known=known, latest=latest) for hit in hits]
    small = folded(text)
    if "month" not in small:
        return sorted([*places, *_spans(small)], key=lambda place: place.start)
    places += [_ordinal_place(hit) for hit in time_words.ORDINAL_MONTH.finditer(small)]
    places += [place for hit in time_words.OFFSET.finditer(small) if (place := _offset_place(hit, named=places))]
    for hit in time_words.RELATIVE_MONTH.finditer(small):
        place = _relative_place(
            hit, text, latest=latest, first=first, ends=ends, named=[it for it in places if it.end <= hit.start()]
        )
        is_told = any(it.start - hit.end() >= 0 and _APPOSITION.match(text[hit.end() : it.start]) for it in places)
        if place is not None and not is_told and not any(_overlap(place, other) for other in places):
            places.append(place)
    return sorted([*places, *_spans(small)], key=lambda place: place.start)


def _overlap(one: Place, other: Place) -> bool:
    return one.start < other.end and other.start < one.end


def _year(hit: re.Match[str]) -> int | None:
    year = hit["iso_year"] or hit["us_year"] or hit["year"] or hit["year_a"] or hit["year_b"]
    short = hit["year_short"] or hit["year_dash"]
    return int(year) if year else _CENTURY + int(short) if short else None


def _month_place(hit: re.Match[str], *, years: set[int], known: frozenset[YearMonth], latest: YearMonth) -> Place:
    number = int(hit["iso_month"] or hit["us_month"] or 0) or MONTH_NUMBERS[hit["name"].rstrip(".")]
    day = hit["iso_day"] or hit["day_before"] or hit["day_after"] or hit["day_us"]
    year = _year(hit)
    if year:
        months: tuple[YearMonth, ...] = ((year, number),)
    else:
        same_name = sorted((month for month in known if month[1] == number), reverse=True)
        months = tuple(dict.fromkeys([*same_name[:1], *(month for month in same_name if month[0] in years)]))
        # Not in the history and not in the window: the last one before the cut-off, which is then judged missing.
        months = months or ((latest[0] - (number > latest[1]), number),)
    return Place(hit.start(), hit.end(), months=months, day=int(day) if day else None)


def _ordinal_place(hit: re.Match[str]) -> Place:
    """ "The tenth month of 2013"."""
    number = time_words.ORDINAL_MONTHS.get(hit["nth"].lower(), 12)
    return Place(hit.start(), hit.end(), months=((int(hit["year"]), number),))


def _offset_place(hit: re.Match[str], *, named: list[Place]) -> Place | None:
    """ "Two months after May", "three months later": counted from the month named beside it, or before it."""
    step = _count(hit["n"]) * (-1 if hit["until"] or hit["earlier"] else 1)
    if hit["from"] or hit["until"]:
        anchor = next((place for place in named if place.months and place.start == hit.end()), None)
        end = hit.start("from") if hit["from"] else hit.start("until")
    else:
        before = [place for place in named if place.months and place.end <= hit.start()]
        anchor, end = (before[-1] if before else None), hit.end()
        anchor = anchor if anchor is not None and hit.start() - anchor.end < 2 * _NEARBY else None
    if anchor is None:
        return None
    return Place(hit.start(), end, months=tuple(shifted(month, step) for month in anchor.months), relative=True)


def _count(said: str | None) -> int:
    if said is None or said.lower() in ("a", "an", "a single"):
        return 1
    return int(said) if said.isdigit() else int(spelled(said.lower()))


def _relative_place(
    hit: re.Match[str],
    text: str,
    *,
    latest: YearMonth,
    first: YearMonth,
    ends: tuple[YearMonth, ...],
    named: list[Place],
) -> Place | None:
    which = hit["which"].lower()
    near = named[-1].months if named and hit.start() - named[-1].end < _NEARBY else ()
    if which.startswith("next") and near and re.search(r"[.!?]\s", text[named[-1].end : hit.start()]):
        return None
    if which.startswith("first"):
        months: tuple[YearMonth, ...] = (first,)
    elif which.startswith(("this", "current", "running")):
        months = (latest,)
    elif which.startswith(("month before last", "last month but", "penult")):
        months = tuple(month_before(month) for month in ends)
    elif which.startswith(("last", "past", "month just")) or "full" in which or "complete" in which:
        months = ends
    elif which.startswith(("latest", "most", "recent")):
        months = (month_before(latest), latest)
    elif which.startswith(("following", "subsequent", "ensuing", "next", "month after", "month later", "month that")):
        if not near:
            return None
        months = tuple(shifted(month, 1) for month in near)
    elif near:
        months = tuple(month_before(month) for month in near)
    else:
        months = (month_before(latest), shifted(latest, -2))
    also = 30 if which.startswith("past") or hit[0].lower().startswith("the last month") else None
    return Place(hit.start(), hit.end(), months=months, also_days=also, relative=True)


def month_before(month: YearMonth) -> YearMonth:
    """The calendar month before another."""
    return shifted(month, -1)


def shifted(month: YearMonth, step: int) -> YearMonth:
    """The calendar month so many months later."""
    years, index = divmod(month[0] * 12 + month[1] - 1 + step, 12)
    return years, index + 1


def _spans(small: str) -> list[Place]:
    if not any(unit in small for unit in ("day", "week", "fortnight")):
        return []
    return [_span_place(hit) for hit in time_words.SPAN.finditer(small)]


def _span_place(hit: re.Match[str]) -> Place:
    count = _count(hit["n"])
    unit = (hit["unit"] or hit["just"]).lower()
    days = count * (7 if unit.startswith("week") else 14 if unit == "fortnight" else 1)
    return Place(hit.start(), hit.end(), span_days=days)
