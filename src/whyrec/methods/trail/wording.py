"""Small pieces of English: counts with their nouns, months, dates, lists, and a seeded choice between phrasings."""

import random
from collections.abc import Sequence
from datetime import date

from whyrec.data.windows import Window, month_after

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


class Voice:
    """Chooses among phrasings, the same way every time for the same item and seed."""

    def __init__(self, item_id: str, *, seed: int = 0) -> None:
        self._random = random.Random(f"{seed}:{item_id}")
        self._plural = self._random.choice(("people", "people", "users"))

    def pick(self, *phrases: str) -> str:
        """Choose one phrasing."""
        return self._random.choice(phrases)

    def users(self, count: int) -> str:
        """Spell a number of users: ``1 person``, ``1,204 people``, ``nobody``."""
        return counted(count, plural=self._plural)

    def forecast(self, expected: float) -> str:
        """Spell a forecast number of users."""
        return counted_forecast(expected, plural=self._plural)


def counted(users: int, *, plural: str) -> str:
    """Spell a number of users with its noun: ``1 person``, ``1,204 people``, ``nobody``.

    Args:
        users: How many.
        plural: ``people`` or ``users``.
    """
    if users == 0:
        return "nobody"
    return f"{whole(users)} {plural if users != 1 else 'person' if plural == 'people' else 'user'}"


def counted_forecast(users: float, *, plural: str) -> str:
    """Spell a forecast number of users: small ones are said to be about right.

    Args:
        users: The mean that is expected.
        plural: ``people`` or ``users``.
    """
    if round(users) < 1:
        return "fewer than one person"
    return f"{'about ' if users < 10 else ''}{counted(round(users), plural=plural)}"


def whole(count: float) -> str:
    """Write a count with thousands separators."""
    return f"{round(count):,}"


def small(count: int) -> str:
    """Spell out up to twelve; digits above."""
    return _SMALL[count] if count < len(_SMALL) else whole(count)


def percent(share: float) -> str:
    """Write a share as a whole per cent; a decimal below one."""
    size = abs(share) * 100
    return f"{size:.1f}%" if size < 0.95 else f"{size:,.0f}%"


def month(start: date, *, with_year: bool = True) -> str:
    """Name a month: ``October 2013`` or ``October``."""
    name = MONTHS[start.month - 1]
    return f"{name} {start.year}" if with_year else name


def day(moment: date) -> str:
    """Write a date: ``6 November 2013``."""
    return f"{moment.day} {month(moment)}"


def window_phrase(window: Window) -> str:
    """Name a window: ``November 2013``, or ``the 30 days from 8 October 2013``."""
    if window.start.day == 1 and window.end == month_after(window.start):
        return month(window.start)
    return f"the {whole(window.days)} days from {day(window.start)}"


def listing(parts: Sequence[str]) -> str:
    """Join with commas and "and"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """Begin with a capital and end with one full stop."""
    return f"{text[0].upper()}{text[1:]}".rstrip(".") + "."
