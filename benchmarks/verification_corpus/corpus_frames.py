"""Sentence frames: hand-written texts with slots, claims marked in double angle brackets, one file per voice.

In a frame, ``{name}`` is a slot, ``{one|other}`` says the first where the statement is affirmative (up, more, has) and
the second where it is not, and ``<<...>>`` is the span of the claim.
"""

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FRAMES = Path(__file__).with_name("frames")
_SLOT = re.compile(r"\{([^{}]*)\}")
_IN_LAST = re.compile(r"\bin (<<)?(?=last |this past |the month before last)", re.I)
"""Nobody says "in last May"."""


@dataclass(frozen=True)
class Frame:
    """One sentence of one voice about one kind of fact."""

    id: str
    voice: str
    part: str
    method: str
    kind: str
    fact: str
    text: str


@dataclass(frozen=True)
class Voice:
    """A person who writes: how they spell months and numbers, and whether they write for development or held out."""

    name: str
    part: str
    months: Sequence[str]
    numbers: Sequence[str]
    quotes: Sequence[str]
    frames: tuple[Frame, ...]
    words: Mapping[str, Any]
    """How its part says genres, motivations, ends of aspects and marks."""


def read_voices(directory: Path = FRAMES) -> list[Voice]:
    """Read all voices, in the order of their names."""
    return [_voice(path) for path in sorted(directory.glob("*.toml"))]


def _words(part: str) -> Mapping[str, Any]:
    return tomllib.loads(FRAMES.with_name("words").joinpath(f"{part}.toml").read_text(encoding="utf-8"))


def _voice(path: Path) -> Voice:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    frames = tuple(
        Frame(f"{path.stem}/{method}/{kind}/{fact}/{i}", path.stem, raw["part"], method, kind, fact, text)
        for method, kinds in raw["say"].items()
        for kind, facts in kinds.items()
        for fact, texts in facts.items()
        for i, text in enumerate(texts)
    )
    texts = [frame.text for frame in frames]
    assert len(texts) == len(set(texts)), f"{path.name}: a frame stands twice"
    for frame in frames:
        assert frame.text.count("<<") == frame.text.count(">>") == 1, f"{frame.id}: expected one marked claim"
    return Voice(path.stem, raw["part"], raw["months"], raw["numbers"], raw["quotes"], frames, _words(raw["part"]))


def fill(text: str, slots: Mapping[str, str], *, affirmative: bool) -> tuple[str, int, int]:
    """Fill a frame: the sentence, and where its claim starts and ends."""

    def put(hit: re.Match[str]) -> str:
        inner = hit[1]
        if "|" in inner:
            return inner.split("|")[0 if affirmative else 1]
        return slots[inner]

    filled = _IN_LAST.sub(lambda hit: hit[1] or "", _SLOT.sub(put, text))
    assert "|" not in filled, f"a choice outside of braces: {text}"
    before, _, rest = filled.partition("<<")
    claim, _, after = rest.partition(">>")
    whole = before + claim + after
    return whole[:1].upper() + whole[1:], len(before), len(before) + len(claim)


def subject(rng: random.Random, *, quoted: str, is_first: bool) -> str:
    """What a sentence calls the film: its title where the text begins, else often a pronoun."""
    return quoted if is_first or rng.random() < 0.15 else rng.choice(("it", "the film", "this film", "this one"))
