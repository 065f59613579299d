"""Numbers and months as people write them, and the statement that each way of writing makes."""

import calendar
import random
from collections.abc import Callable
from datetime import date

MONTHS = tuple(calendar.month_name[1:])
_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
Said = tuple[str, str, float]
"""The text, how it is meant (``exact``, ``about``, ``over``: a little more than, ``under``: not quite), the value."""


class UnfitError(Exception):
    """The facts do not allow a sentence; others are drawn."""


def in_words(n: int) -> str:
    """Spell a whole number below a million, with a British "and"."""
    if n < 20:
        return _UNITS[n]
    if n < 100:
        return _TENS[n // 10] + (f"-{_UNITS[n % 10]}" if n % 10 else "")
    size, name = (1000, "thousand") if n >= 1000 else (100, "hundred")
    rest = n % size
    joint = " and " if rest < 100 else " "
    return f"{in_words(n // size)} {name}" + (f"{joint}{in_words(rest)}" if rest else "")


def _step(n: float) -> int:
    return 5 if n < 60 else 10 if n < 200 else 50 if n < 1000 else 100


def _rounded(n: float) -> int:
    if n < 18:
        raise UnfitError("too small to round")
    return round(n / _step(n)) * _step(n)


def _floor(n: float) -> int:
    low = int((n - 0.5) // _step(n)) * _step(n)
    if low < 20 or n > 1.08 * low:
        raise UnfitError("no round number just below")
    return low


def _ceil(n: float) -> int:
    high = -int(-(n + 0.5) // _step(n)) * _step(n)
    if high < 20 or n < 0.93 * high:
        raise UnfitError("no round number just above")
    return high


def _a_hundred(text: str) -> str:
    return text.replace("one hundred", "a hundred", 1) if text.startswith("one hundred") else text


STYLES: dict[str, Callable[[float], Said]] = {
    "exact": lambda n: (f"{round(n):,}", "exact", round(n)),
    "plain": lambda n: (f"{round(n)}", "exact", round(n)),
    "words": lambda n: (in_words(round(n)), "exact", round(n)),
    "tenth": lambda n: (f"{n:.1f}", "exact", round(n, 1)),
    "round": lambda n: (f"{_rounded(n):,}", "about", _rounded(n)),
    "roundwords": lambda n: (_a_hundred(in_words(_rounded(n))), "about", _rounded(n)),
    "floor": lambda n: (f"{_floor(n):,}", "over", _floor(n)),
    "floorwords": lambda n: (_a_hundred(in_words(_floor(n))), "over", _floor(n)),
    "ceil": lambda n: (f"{_ceil(n):,}", "under", _ceil(n)),
    "ceilwords": lambda n: (_a_hundred(in_words(_ceil(n))), "under", _ceil(n)),
}


def say_number(n: float, style: str, *, is_wrong: bool, rng: random.Random) -> Said:
    """Write a number, or one that is far from it in the direction that the style's hedge rules out."""
    if not is_wrong:
        return STYLES[style](n)
    if style == "tenth":
        shifted = round(n + (3.1 if n < 5.5 else -3.1), 1)
        return STYLES[style](shifted)
    more, fewer = (1.6, 1.9, 2.3), (0.35, 0.5, 0.6)
    factors = more if style.startswith("floor") else fewer if style.startswith("ceil") else more + fewer
    wrong = round(n * rng.choice(factors))
    if style in ("exact", "plain", "words") and abs(wrong - n) < 3:
        wrong = round(n) + rng.randint(3, 6)
    text, how, value = STYLES[style](wrong)
    if abs(value - n) < max(3, 0.25 * n):
        raise UnfitError("the wrong number is not wrong enough")
    return text, how, value


def say_month(month: str, style: str, *, cutoff: str) -> str:
    """Write a month (``2013-10``) as of a cut-off (``2013-10-16``)."""
    year, number = int(month[:4]), int(month[5:])
    name = MONTHS[number - 1]
    short = "Sept" if number == 9 and style == "apos" else name[:3]
    today = date.fromisoformat(cutoff)
    ago = (today.year - year) * 12 + today.month - number
    if style == "ago":
        if not 1 <= ago <= 7:
            raise UnfitError("too long ago")
        return "last month" if ago == 1 else f"{in_words(ago)} months ago"
    if style == "last":
        if ago < 1:
            raise UnfitError("not past")
        return f"last {name}"
    return {
        "long": f"{name} {year}",
        "bare": name,
        "short": f"{name[:3]} {year}",
        "apos": f"{short} '{year % 100}",
        "iso": month,
        "slash": f"{number:02d}/{year}",
        "of": f"{name} of {year}",
        "comma": f"{name}, {year}",
        "this": f"{name} this year",
    }[style]
