"""Frames: sentences with marked claims and slots, filled in from facts."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from claim_catalogue_shapes import CATALOGUE_SHAPES
from claim_evidence import evidence_ids
from claim_film_shapes import FILM_SHAPES
from claim_numbers import UnfitError
from claim_slots import Filling, Says, Slot, Sources, Wording
from claim_user_shapes import USER_SHAPES
from claim_world import HERE

SHAPES = FILM_SHAPES | CATALOGUE_SHAPES | USER_SHAPES
METHODS = ("trail", "curec", "mllm3rec", "guided")
_SPAN = re.compile(r"\[\[(?P<kind>\w+)(?:#(?P<group>\w+))?\|(?P<text>.*?)\]\]")
_SLOT = re.compile(r"\{(?P<name>\w+)(?::(?P<style>[^}]*))?\}")


@dataclass(frozen=True)
class Frame:
    """A sentence to be filled in."""

    id: str
    shapes: tuple[str, ...]
    text: str

    @cached_property
    def claims(self) -> list[tuple[str, str]]:
        """Kind of every claim with each slot in it: what can be planted."""
        return [(span["kind"], slot["name"]) for span in _SPAN.finditer(self.text) for slot in _own_slots(span)]


def _own_slots(span: re.Match[str]) -> list[re.Match[str]]:
    """The slots that a claim is true or false for: choices decide alone, beside them months only say of when."""
    slots = list(_SLOT.finditer(span["text"]))
    choices = [slot for slot in slots if "/" in (slot["style"] or "")]
    return choices or slots


@dataclass(frozen=True)
class Voice:
    """One way of talking: its frames by method, its words and quotation marks."""

    name: str
    part: str
    frames: Mapping[str, list[Frame]]
    wording: Wording


def read_voices() -> list[Voice]:
    """All voices, in the order of their names."""
    return [_voice(path) for path in sorted((HERE / "frames").glob("*.toml"))]


def _voice(path: Path) -> Voice:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    words = tomllib.loads((HERE / "words" / f"{told['part']}.toml").read_text(encoding="utf-8"))
    frames = {
        method: [
            Frame(f"{path.stem}/{method}/{number}", tuple(shapes.split()), text)
            for number, (shapes, text) in enumerate(told[method])
        ]
        for method in METHODS
    }
    return Voice(path.stem, told["part"], frames, Wording(words, tuple(told["quotes"])))


@dataclass(frozen=True)
class Sentence:
    """A filled frame; claims as the corpus holds them, offsets from the sentence's start."""

    text: str
    claims: list[dict[str, Any]]


def fill(frame: Frame, wording: Wording, *, sources: Sources, plant: str | None) -> Sentence:
    """Fill a frame, with one slot planted wrong or none.

    Raises:
        UnfitError: If the facts do not allow it.
    """
    slots, says = _find(frame, sources, plant)
    text, claims, last = "", [], 0
    stand_ins: dict[str, Any] = {}

    def say(words: str) -> str:
        return _SLOT.sub(lambda hit: _say(hit, slots, wording, sources=sources, stand_ins=stand_ins), words)

    for span in _SPAN.finditer(frame.text):
        text += say(frame.text[last : span.start()])
        said, names = say(span["text"]), [slot["name"] for slot in _own_slots(span)]
        place = {"start": len(text), "end": len(text) + len(said), "kind": span["kind"], "group": span["group"]}
        is_blurred = plant in ("n1", "n2") and "d" in names
        claims.append(place | {"is_true": None if is_blurred else plant not in names, "says": says[names[0]]})
        text, last = text + said, span.end()
    text += say(frame.text[last:])
    _settle(claims, stand_ins)
    for claim in claims:
        claim["evidence"] = evidence_ids(claim["says"], item_id=sources.case["item_id"])
    return Sentence(text[0].upper() + text[1:], claims)


def _find(frame: Frame, sources: Sources, plant: str | None) -> tuple[dict[str, Slot], dict[str, Says]]:
    slots: dict[str, Slot] = {}
    says: dict[str, Says] = {}
    for shape in frame.shapes:
        found: Filling = SHAPES[shape](sources, plant)
        slots |= found.slots
        says |= found.says
    missing = {slot["name"] for slot in _SLOT.finditer(frame.text)} - set(slots)
    if missing:
        raise UnfitError(f"{frame.id}: nothing for {missing}")
    return slots, says


def _say(
    hit: re.Match[str], slots: Mapping[str, Slot], wording: Wording, *, sources: Sources, stand_ins: dict[str, Any]
) -> str:
    name = hit["name"]
    said, stand_ins[f"@{name}"] = wording.say(slots[name], hit["style"] or "", sources=sources)
    return said


def _settle(claims: list[dict[str, Any]], stand_ins: Mapping[str, Any]) -> None:
    """Put what was said into the statements; where a claim is false, leave open whether the rest of its pair is."""
    for claim in claims:
        claim["says"] = [part for told in claim["says"] for part in _resolved(told, stand_ins)]
    for claim in claims:
        if claim["is_true"] and claim["group"] is not None:
            group = [other for other in claims if other["group"] == claim["group"]]
            if any(other["is_true"] is False for other in group):
                claim["is_true"] = None


def _resolved(told: Any, stand_ins: Mapping[str, Any]) -> list[Any]:
    return list(stand_ins[told]) if isinstance(told, str) and told.startswith("@") else [told]
