"""What a drawn fact is: slots for a frame, whether it is true, what it says in a form that can be computed again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from corpus_frames import Voice
from corpus_wording import could_be_said, month, number, off


@dataclass
class Case:
    """What one explanation is about: the facts that are stored with it, and how its voice spells them."""

    method: str
    facts: dict[str, Any]
    catalogue: dict[str, dict[str, Any]]
    averages: dict[str, float]
    """Each genre's share with the mean user of the corpus."""
    voice: Voice
    rng: Random

    def __post_init__(self) -> None:
        # One person spells the months of one text in one way.
        self.month_style = self.rng.choice(self.voice.months)

    def say_month(self, key: str) -> str:
        """Spell a month such as ``2013-10``."""
        year, number_ = map(int, key.split("-"))
        cutoff = date.fromisoformat(self.facts["cutoff"])
        return month(date(year, number_, 1), self.month_style, cutoff=cutoff)

    def say_number(self, n: int) -> tuple[str, dict[str, Any]]:
        """Spell a count, with what that commits to."""
        text, said, relation = number(n, self.rng.choice(self.voice.numbers))
        return text, {"said": said, "relation": relation}

    def say_count(self, n: int, true: bool) -> tuple[str, dict[str, Any]]:
        """Spell a count, or a wrong one that is wrong however it is read."""
        while True:
            text, says = self.say_number(n if true else off(n, self.rng))
            if true or not could_be_said(n, **says):
                return text, says

    def quote(self, title: str) -> str:
        """A title in this voice's quotation marks."""
        return f"{self.voice.quotes[0]}{title}{self.voice.quotes[1]}"


@dataclass
class Fact:
    """One statement, ready for a frame."""

    slots: dict[str, str]
    says: dict[str, Any]
    evidence: list[str] = field(default_factory=list)
    affirmative: bool = True


Maker = Callable[[Case, bool], Fact | None]
"""Draws a statement, true or false as asked; None where the case has none of this kind."""
MAKERS: dict[str, Maker] = {}


def maker(function: Maker) -> Maker:
    """Register a maker under its own name."""
    MAKERS[function.__name__] = function
    return function
