"""What a text mentions, before anything is judged: numbers with units, months, spans of days, sentences, clauses."""

import re
from dataclasses import dataclass

from whyrec.evaluation.verification import lexicon, number_words
from whyrec.evaluation.verification.evidence import YearMonth
from whyrec.evaluation.verification.names import FILLER

_QUOTED = re.compile("“[^”]*”")
_SMALL = 12
"""Spelled-out numbers above this are counts wherever they stand."""
_BEST_RATING = 10
_OF_TIME = re.compile(r"\s(?:months?|weeks?|days?|times?|years?|hours?|place|spot|quarter|of all)\b")


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
    """``about nearly close over under``, or empty for an exact figure."""
    noun: str = ""
    """The word that follows, in lower case."""
    is_share: bool = False
    """True for fractions in words; their unit is percent."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of time that a text speaks of: a month, a date, or the last N days."""

    start: int
    end: int
    months: tuple[YearMonth, ...] = ()
    """What a month's name may stand for; several where the year is left out."""
    day: int | None = None
    span_days: int | None = None
    also_days: int | None = None
    """Days that the same words may mean instead: "the past month"."""
    relative: bool = False
    """True for "last month" and "two months after": the month is read off the cut-off, or off another place."""


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
    if not breaks and whole.end > whole.start:
        return [whole]
    edges = [whole.start, *(end for _, end in breaks)]
    pieces = [Stretch(start, end) for start, end in zip(edges, [*edges[1:], whole.end], strict=True)]
    return [piece for piece in pieces if piece.end > piece.start]


def blank_places(text: str, places: list[Place]) -> str:
    """Overwrite months and spans with filler, so that their digits are not read as counts."""
    for place in places:
        text = text[: place.start] + FILLER * (place.end - place.start) + text[place.end :]
    return text


def folded(text: str) -> str:
    """Small letters, each at its old place; the long s and the Turkish i read like the plain letters."""
    return text.replace("İ", "i").lower().replace("ı", "i").replace("ſ", "s")


def find_numbers(text: str) -> list[Number]:
    """Read every number, spelled out or in digits; months and names must be blanked before."""
    found = [_number(text, hit) for hit in number_words.NUMBER.finditer(folded(text))]
    return [number for number in found if number is not None]


def _number(text: str, hit: re.Match[str]) -> Number | None:
    """Read one number.

    Args:
        text: As it is spelled.
        hit: In the same text in small letters.
    """
    parsed = _value(hit, text)
    small = hit.string
    before, after = small[max(0, hit.start() - 60) : hit.start()], small[hit.end() : hit.end() + 48]
    if parsed is None or (hit["share"] and not _is_share(hit["share"], before=before, after=after)):
        return None
    value, decimals, unit = parsed
    said_after = number_words.APPROXIMATE_AFTER.match(after)
    rest = after[said_after.end() :] if said_after and not said_after["noun_first"] else after
    noun_hit = number_words.UNIT_AFTER.match(rest)
    noun = noun_hit["noun"].lower() if noun_hit else ""
    as_spelled = text[hit.end() + len(after) - len(rest) : hit.end() + 48]
    unit = unit or _unit(text, hit, value, before=before, after=as_spelled, noun=noun)
    if hit["words"] and unit == "" and not _is_count(value, before=before, after=after):
        # "one of those", "two things": an idiom or a count of something the data does not hold.
        return None
    if (hit["none"] or "").lower() in ("nobody", "no one", "no-one", "none"):
        unit = "users"
    if hit["none"] and (unit != "users" and noun not in ("history", "record", "recorded", "past", "activity")):
        return None
    return Number(
        start=hit.start(),
        end=hit.end(),
        value=value,
        decimals=decimals,
        unit="users" if hit["none"] else unit,
        approximate=_approximate(before, said_after) or ("about" if hit["share"] else ""),
        noun=noun,
        is_share=hit["share"] is not None,
    )


def _approximate(before: str, said_after: re.Match[str] | None) -> str:
    if said := number_words.approximation(before):
        return said
    if said_after is None:
        return ""
    return next(name for name in ("about", "over", "under") if said_after[name])


def _is_share(said: str, *, before: str, after: str) -> bool:
    """Tell "a third of", "by half" and "to one half" from "the third", "second half", "a third month"."""
    counted = " " in said or "-" in said or said.lower() == "half"
    if not counted or number_words.NO_SHARE_BEFORE.search(before):
        return False
    follows = number_words.SHARE_AFTER.match(after) is not None
    return follows or (number_words.SHARE_BEFORE.search(before) is not None and not _OF_TIME.match(after))


def _is_count(value: float, *, before: str, after: str) -> bool:
    return bool(value > _SMALL or number_words.LEADS_TO_COUNT.search(before) or number_words.TAKES_COUNT.match(after))


def _value(hit: re.Match[str], text: str) -> tuple[float, int, str] | None:
    suffix = (hit["suffix"] or "").strip().lower()
    unit = "" if not suffix else "percent" if suffix[0] in "%p" else "times"
    if suffix == "times" and number_words.TIMES_TAKEN.search(text, max(0, hit.start() - 40), hit.start()):
        unit = "users"
    if hit["share"]:
        return _share(hit["share"].lower()), 0, "percent"
    if hit["none"]:
        return 0.0, 0, unit
    if hit["dozen"]:
        return 6.0, 0, unit
    if hit["words"]:
        return spelled(hit["words"].lower()), 0, unit
    digits = hit["digits"].replace(",", "")
    _, _, fraction = digits.partition(".")
    if hit["kilo"] or hit["scale"]:
        scale = 1000 if hit["kilo"] else lexicon.SCALES[hit["scale"].lower()]
        zeros = len(str(scale)) - 1 if scale >= 1000 else 0
        return float(digits) * scale, -max(0, zeros - len(fraction)), unit
    return float(digits), len(fraction), "rank" if hit["ordinal"] else "price" if hit["currency"] else unit


def _share(words: str) -> float:
    parts = words.replace("-", " ").split()
    count = lexicon.SMALL_NUMBERS.get(parts[0], 1) if len(parts) > 1 else 1
    name = parts[-1] if parts[-1] == "half" else "half" if parts[-1] == "halves" else parts[-1].rstrip("s")
    return min(100.0, count * lexicon.FRACTIONS[name])


def spelled(words: str) -> float:
    """Read a number in words: ``two hundred and five``, ``a dozen``."""
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


def _unit(text: str, hit: re.Match[str], value: float, *, before: str, after: str, noun: str) -> str:
    noun_unit = number_words.UNIT_OF_NOUN.get(noun, "")
    if number_words.SCALE_BEFORE.search(text, max(0, hit.start() - 12), hit.start()):
        return "rating"
    if number_words.FACTOR_BEFORE.search(before):
        return "times"
    is_plain_year = hit["digits"] and len(hit["digits"]) == 4 and value == int(value) and 1880 <= value <= 2100
    if is_plain_year and noun_unit == "" and not number_words.approximation(before):
        return "year"
    if (
        number_words.RANK_BEFORE.search(before)
        or number_words.RANK_AFTER.match(after)
        or number_words.TOP_BEFORE.search(before[-6:])
    ):
        return "rank"
    if noun_unit:
        return noun_unit
    if number_words.PRICE_BEFORE.search(before):
        return "price"
    is_rated = number_words.RATING_BEFORE.search(before) and value <= _BEST_RATING
    if is_rated or re.match(r"\s?(?:/\s?\d|out of (?:\d|ten|five))", after):
        return "rating"
    return ""
