"""What a text mentions, before anything is judged: numbers with units, months, spans of days, sentences, clauses."""

import re
from bisect import bisect_right
from dataclasses import dataclass

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.evidence import YearMonth
from whyrec.evaluation.verification.names import FILLER

_QUOTED = re.compile("“[^”]*”")
_NEARBY = 80
"""Characters within which "the month before" refers back to a named month."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, with what surrounds it."""

    start: int
    end: int
    value: float
    decimals: int
    unit: str
    """``users percent times days weeks months years rating price rank year``; empty where the text names none."""
    approximate: str
    """``about nearly over under``, or empty for an exact figure."""
    noun: str = ""
    """The word that follows, in lower case."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of time that a text speaks of: a month, a date, or the last N days."""

    start: int
    end: int
    months: tuple[YearMonth, ...] = ()
    """What a month's name may stand for; several where the year is left out."""
    day: int | None = None
    span_days: int | None = None
    relative: bool = False
    """True for "last month" and the like: the month is read off the cut-off."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sentence or clause."""

    start: int
    end: int

    def holds(self, position: int) -> bool:
        """Whether an offset lies inside."""
        return self.start <= position < self.end


def split_sentences(text: str) -> list[Stretch]:
    """Cut a text at sentence ends, line breaks and section tags."""
    return _cut(Stretch(0, len(text)), [(hit.start(), hit.end()) for hit in lexicon.SENTENCE_END.finditer(text)])


def leading_sentences(text: str, n: int = 1) -> str:
    """The first so many sentences; full stops of a quoted title end none."""
    masked = _QUOTED.sub(lambda title: "x" * len(title[0]), text)
    kept = [it for it in split_sentences(masked) if masked[it.start : it.end].strip()][:n]
    return text[kept[0].start : kept[-1].end].strip() if kept else ""


def split_clauses(text: str, sentence: Stretch) -> list[Stretch]:
    """Cut a sentence where a new subject begins."""
    breaks = [(hit.start(), hit.end()) for hit in lexicon.CLAUSE_BREAK.finditer(text, sentence.start, sentence.end)]
    return _cut(sentence, breaks)


def _cut(whole: Stretch, breaks: list[tuple[int, int]]) -> list[Stretch]:
    edges = [whole.start, *(end for _, end in breaks)]
    pieces = [Stretch(start, end) for start, end in zip(edges, [*edges[1:], whole.end], strict=True)]
    return [piece for piece in pieces if piece.end > piece.start]


def enclosing(stretches: list[Stretch], position: int) -> Stretch:
    """The stretch that holds an offset."""
    index = bisect_right([stretch.start for stretch in stretches], position) - 1
    return stretches[max(index, 0)]


def blank_places(text: str, places: list[Place]) -> str:
    """Overwrite months and spans with filler, so that their digits are not read as counts."""
    for place in places:
        text = text[: place.start] + FILLER * (place.end - place.start) + text[place.end :]
    return text


def find_numbers(text: str) -> list[Number]:
    """Read every number, spelled out or in digits; months and names must be blanked before."""
    found = [_number(text, hit) for hit in lexicon.NUMBER.finditer(text)]
    return [number for number in found if number is not None]


def _number(text: str, hit: re.Match[str]) -> Number | None:
    parsed = _value(hit)
    if parsed is None:
        return None
    value, decimals, unit = parsed
    before, after = text[max(0, hit.start() - 60) : hit.start()], text[hit.end() : hit.end() + 40]
    noun_hit = lexicon.UNIT_AFTER.match(after)
    noun = noun_hit["noun"].lower() if noun_hit else ""
    unit = unit or _unit(hit, value, before=before, after=after, noun=noun)
    if hit["words"] and unit == "" and not lexicon.LEADS_TO_COUNT.search(before):
        # "one of those", "two things": an idiom or a count of something the data does not hold.
        return None
    if (hit["none"] or "").lower() in ("nobody", "no one", "no-one", "none"):
        unit = "users"
    if hit["none"] and (unit != "users" and noun not in ("history", "record", "recorded", "past", "activity")):
        return None
    approximate = lexicon.APPROXIMATE.search(before)
    return Number(
        start=hit.start(),
        end=hit.end(),
        value=value,
        decimals=decimals,
        unit="users" if hit["none"] else unit,
        approximate=(approximate.lastgroup or "") if approximate else ("about" if hit["share"] else ""),
        noun=noun,
    )


def _value(hit: re.Match[str]) -> tuple[float, int, str] | None:
    suffix = (hit["suffix"] or "").strip().lower()
    unit = "" if not suffix else "percent" if suffix[0] in "%p" else "times"
    if hit["share"]:
        return _share(hit["share"].lower()), 0, "percent"
    if hit["none"]:
        return 0.0, 0, unit
    if hit["words"]:
        return _spelled(hit["words"].lower()), 0, unit
    digits = hit["digits"].replace(",", "")
    _, _, fraction = digits.partition(".")
    return float(digits), len(fraction), "rank" if hit["ordinal"] else "price" if hit["currency"] else unit


def _share(words: str) -> float:
    parts = words.replace("-", " ").split()
    count = lexicon.SMALL_NUMBERS.get(parts[0], 1) if len(parts) > 1 else 1
    return min(100.0, count * lexicon.FRACTIONS[parts[-1] if parts[-1] == "half" else parts[-1].rstrip("s")])


def _spelled(words: str) -> float:
    total, current = 0, 0
    for word in words.replace("-", " ").split():
        if word in lexicon.SCALES:
            scale = lexicon.SCALES[word]
            current = max(current, 1) * scale
            if scale >= 1000:
                total, current = total + current, 0
        elif word not in ("and", "a"):
            current += lexicon.SMALL_NUMBERS.get(word, lexicon.TENS.get(word, 0))
    return float(total + current)


def _unit(hit: re.Match[str], value: float, *, before: str, after: str, noun: str) -> str:
    noun_unit = lexicon.UNIT_OF_NOUN.get(noun, "")
    if lexicon.SCALE_BEFORE.search(before):
        return "rating"
    if lexicon.FACTOR_BEFORE.search(before):
        return "times"
    is_plain_year = hit["digits"] and len(hit["digits"]) == 4 and value == int(value) and 1880 <= value <= 2100
    if is_plain_year and noun_unit == "" and not lexicon.APPROXIMATE.search(before):
        return "year"
    if lexicon.RANK_BEFORE.search(before) or lexicon.RANK_AFTER.match(after) or lexicon.TOP_BEFORE.search(before):
        return "rank"
    if noun_unit:
        return noun_unit
    if lexicon.PRICE_BEFORE.search(before):
        return "price"
    if lexicon.RATING_BEFORE.search(before) or re.match(r"\s?(?:/\s?\d|out of \d)", after):
        return "rating"
    return ""


def find_places(text: str, *, latest: YearMonth, known: frozenset[YearMonth], first: YearMonth) -> list[Place]:
    """Read every month, date and span of days.

    Args:
        text: Names must be blanked before.
        latest: The month that the cut-off falls into, or ends.
        known: Months of the history and of the forecast window; a bare month's name stands for one of these.
        first: The history's first month.
    """
    years_by_month = {hit.start(): hit for hit in lexicon.MONTH.finditer(text)}
    years = {int(year) for hit in years_by_month.values() if (year := _year(hit))}
    places = [_month_place(hit, years=years, known=known, latest=latest) for hit in years_by_month.values()]
    places += [
        _relative_place(hit, latest=latest, first=first, named=[place for place in places if place.end <= hit.start()])
        for hit in lexicon.RELATIVE_MONTH.finditer(text)
    ]
    places += [place for hit in lexicon.SPAN.finditer(text) if (place := _span_place(hit))]
    return sorted(places, key=lambda place: place.start)


def _year(hit: re.Match[str]) -> str | None:
    return hit["iso_year"] or hit["us_year"] or hit["year"] or hit["year_a"] or hit["year_b"]


def _month_place(hit: re.Match[str], *, years: set[int], known: frozenset[YearMonth], latest: YearMonth) -> Place:
    number = int(hit["iso_month"] or hit["us_month"] or 0) or lexicon.MONTH_NUMBERS[hit["name"]]
    day = hit["iso_day"] or hit["day_before"] or hit["day_after"] or hit["day_us"]
    year = _year(hit)
    if year:
        months: tuple[YearMonth, ...] = ((int(year), number),)
    else:
        same_name = sorted((month for month in known if month[1] == number), reverse=True)
        months = tuple(dict.fromkeys([*same_name[:1], *(month for month in same_name if month[0] in years)]))
        # Not in the history and not in the window: the last one before the cut-off, which is then judged missing.
        months = months or ((latest[0] - (number > latest[1]), number),)
    return Place(hit.start(), hit.end(), months=months, day=int(day) if day else None)


def _relative_place(hit: re.Match[str], *, latest: YearMonth, first: YearMonth, named: list[Place]) -> Place:
    which = hit["which"].lower()
    if which.startswith("first"):
        months: tuple[YearMonth, ...] = (first,)
    elif which.startswith(("this", "current")):
        months = (latest,)
    elif which.startswith(("last", "latest", "most", "recent")):
        months = (month_before(latest), latest)
    elif named and hit.start() - named[-1].end < _NEARBY:
        months = tuple(month_before(month) for month in named[-1].months)
    else:
        months = (month_before(latest), month_before(month_before(latest)))
    return Place(hit.start(), hit.end(), months=months, relative=True)


def month_before(month: YearMonth) -> YearMonth:
    """The calendar month before another."""
    year, number = month
    return (year, number - 1) if number > 1 else (year - 1, 12)


def _span_place(hit: re.Match[str]) -> Place | None:
    count = 1 if hit["n"] is None else int(hit["n"]) if hit["n"].isdigit() else int(_spelled(hit["n"].lower()))
    unit = hit["unit"].lower()
    days = count * (7 if unit.startswith("week") else 14 if unit == "fortnight" else 1)
    return Place(hit.start(), hit.end(), span_days=days)
