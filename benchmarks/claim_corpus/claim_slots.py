"""What fills a frame: typed values with their truth, and how they are put into words."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from claim_numbers import UnfitError, say_month, say_number
from claim_world import Case, World

Type = Literal["number", "month", "choice", "genre", "decade", "title", "person", "trait", "motive", "aspect", "name"]
Says = list[Any]
"""What a claim states, for machines: ``["users", "2013-10", "about", 160]``."""


@dataclass(frozen=True)
class Slot:
    """One value of a frame; ``is_wrong`` for the one that was planted, its value then being the false one.

    A number stays true here: which wrong one is told depends on how it is rounded.
    """

    type: Type
    value: Any
    is_wrong: bool = False


@dataclass(frozen=True)
class Filling:
    """Slots by name, and what the claims that contain them state; ``"@n"`` stands for what slot ``n`` says."""

    slots: Mapping[str, Slot]
    says: Mapping[str, Says] = field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """Where a shape finds its facts."""

    world: World
    case: Case
    rng: random.Random

    @property
    def item(self) -> dict[str, Any]:
        """Catalogue row of the film in question."""
        return self.world.items[self.case["item_id"]]

    def pick(self, options: Sequence[Any]) -> Any:
        """Draw one of the options, if there is one."""
        if not options:
            raise UnfitError("nothing fits")
        return self.rng.choice(options)


Shape = Callable[[Sources, str | None], Filling]
"""Finds facts of one form. The second argument names the slot to be planted wrong, None for all true."""


@dataclass(frozen=True)
class Wording:
    """The words of a part (development or held out) and the quotation marks of a voice."""

    words: Mapping[str, Any]
    quotes: tuple[str, str]

    def say(self, slot: Slot, style: str, *, sources: Sources) -> tuple[str, list[Any]]:
        """Text of a slot, and what stands for it in a statement."""
        rng, value = sources.rng, slot.value
        if slot.type == "number":
            text, how, number = say_number(value, style, is_wrong=slot.is_wrong, rng=rng)
            return text, [how, number]
        if slot.type == "choice":
            return style.split("/")[value], []
        if slot.type == "month":
            return say_month(value, style, cutoff=sources.case["cutoff"]), [value]
        return self._name(slot, style, rng=rng, sources=sources), [value]

    def _name(self, slot: Slot, style: str, *, rng: random.Random, sources: Sources) -> str:
        value = slot.value
        if slot.type == "title":
            return self.quotes[0] + sources.world.items[value]["title"] + self.quotes[1]
        if slot.type == "genre":
            one, many = rng.choice(self.words["genre"][value])
            return str({"a": one, "pl": many, "n": one.split(" ", 1)[1]}[style])
        if slot.type == "decade":
            return str(rng.choice(self.words["decade"][str(value)]))
        if slot.type == "aspect":
            key, side = value
            return str(rng.choice(self.words["aspect"][key][side]))
        if slot.type == "name":
            return str(rng.choice(self.words["aspect"][value]["name"]))
        if slot.type in ("trait", "motive"):
            return str(rng.choice(self.words[slot.type][value]))
        return str(value)
