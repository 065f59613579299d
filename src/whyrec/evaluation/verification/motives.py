"""Check what a text says of a user's motivations, and of the traits that an item has or lacks.

A motivation is claimed with a number ("a strength of 2"), as the strongest ("above all"), or as there or not ("looks
for", "does not care about"). A trait is a phrase that the catalogue knows items by.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from whyrec.evaluation.verification.interest_words import decimal_number
from whyrec.evaluation.verification.lexicon import NUMBER_WORDS
from whyrec.evaluation.verification.mentions import Stretch, split_sentences
from whyrec.evaluation.verification.vocabulary import WORD
from whyrec.interfaces import Claim

TOP = 3
"""The greatest strength."""
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "performance": ("functional performance", "reliability", "durability", "quality", "things that do their job well"),
    "convenience": ("convenience", "ease of use", "effortless choice", "saving time"),
    "aesthetics": ("aesthetics", "beauty", "self-expression", "good looks", "looks and style", "style"),
    "enjoyment": ("enjoyment", "fun", "entertainment", "a good time", "pleasure"),
    "status": ("belonging", "status", "admiration of others", "prestige", "something to share with a crowd"),
    "value": ("value for money", "a bargain", "bargains", "low prices", "much for little money", "savings"),
    "safety": ("health and safety", "well-being", "safety", "health", "what does body and mind good"),
    "sustainability": ("sustainability", "ethical choices", "the environment", "kindness to the environment"),
    "novelty": ("novelty", "something new", "learning", "the unfamiliar", "new things"),
    "giving": ("giving to others", "caring for others", "gifts", "presents", "a present for somebody else"),
}
"""Other words for the motivations that come with whyrec, by their keys."""


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NUMBER = _found(rf"(?<![\w.])(?P<n>\d(?:\.\d)?|{NUMBER_WORDS})(?![\w%])(?!\s(?:of the|films?|items?))")
_SCALE = _found(r"\b(?:(?:from |of )?(?:0|zero) (?:to|–|-) (?:3|three)|out of (?:3|three)|of (?:3|three)|/\s?3)\b")
_STRONGEST = _found(
    r"\b(?:most of all|wants? most|looks? for most|above all|first and foremost|dominant|strongest|main|chief|"
    r"all about|more than anything|leading|top|primary|nothing matters more)\b"
)
_THERE = _found(
    r"\b(?:looks? for|looking for|cares?|want(?:s|ed)?|seeks?|values?|interest|drawn to|keen on|matters?|likes?|"
    r"wish(?:es)?|motivated|motivation|driven|evidence|after|important|appeals?|counts?|goes with that)\b"
)
_DENIED = _found(
    r"\b(?:not|no|never|none|without|absent|lacks?|lacking|missing|free of|little|nor|hardly|devoid)\b|n['’]t\b"
)


@dataclass(frozen=True, slots=True)
class Motive:
    """One motivation of a user."""

    key: str
    name: str
    strength: float
    """From 0 to 3."""


@dataclass(frozen=True)
class MotiveFacts:
    """A user's motivations, and the traits of an item among all that the catalogue knows."""

    motives: tuple[Motive, ...]
    traits: frozenset[str] = frozenset()
    """Of the item."""
    known_traits: frozenset[str] = frozenset()
    """Of any item."""

    @cached_property
    def motive_names(self) -> "Phrases":
        """Finds motivations."""
        said = {name: motive.key for motive in self.motives for name in (motive.name, *_parts(motive))}
        return Phrases.of(said)

    @cached_property
    def trait_names(self) -> "Phrases":
        """Finds traits."""
        return Phrases.of({trait: trait for trait in self.known_traits | self.traits})


@dataclass(frozen=True)
class Phrases:
    """Phrases by their words, whatever article they have and whether they are one or several."""

    by_words: Mapping[tuple[str, ...], str]
    longest: int

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Phrases":
        """Index phrases; each stands for a value."""
        by_words = {words: value for text, value in said.items() if (words := _stems(text))}
        return cls(by_words, max(map(len, by_words), default=0))

    def find(self, masked: str, stretch: Stretch) -> Iterator[tuple[int, int, str]]:
        """Where they stand in a stretch of a text, the longest first."""
        tokens = [(_stem(hit[0]), hit.start(), hit.end()) for hit in WORD.finditer(masked, stretch.start, stretch.end)]
        place = 0
        while place < len(tokens):
            step = 1
            for length in range(min(self.longest, len(tokens) - place), 0, -1):
                value = self.by_words.get(tuple(token[0] for token in tokens[place : place + length]))
                if value is not None:
                    yield tokens[place][1], tokens[place + length - 1][2], value
                    step = length
                    break
            place += step


def motive_claims(masked: str, facts: MotiveFacts) -> Iterator[Claim]:
    """Find every claim about motivations and traits and compare it.

    Args:
        masked: The text with filler for what stands in quotation marks.
        facts: As of the moment of the text.
    """
    sentences = split_sentences(masked)
    for place, sentence in enumerate(sentences):
        yield from _motive_claims(masked, sentence, facts)
        # "Into gangland feuds? Then this isn't for you" is settled by the answer.
        is_asked = masked[sentence.start : sentence.end].rstrip().endswith("?") and place + 1 < len(sentences)
        judged = sentences[place + 1] if is_asked else sentence
        for start, end, trait in facts.trait_names.find(masked, sentence):
            is_denied = _is_denied(masked, judged, but=(start, end))
            has = trait in facts.traits
            problem = "" if has != is_denied else "the item has it" if has else "the item does not have it"
            yield Claim("trait", masked[start:end], start, end, not problem, (f"trait:{trait}",), problem)


def _motive_claims(masked: str, sentence: Stretch, facts: MotiveFacts) -> Iterator[Claim]:
    strength = {motive.key: motive.strength for motive in facts.motives}
    greatest = max(strength.values(), default=0.0)
    for start, end, key in facts.motive_names.find(masked, sentence):
        number = _number(masked, sentence, but=(start, end))
        is_denied = _is_denied(masked, sentence, but=(start, end))
        known = f"its strength is {strength[key]:g}, the greatest {greatest:g}"
        if number is not None:
            value, where = number
            start, end = min(start, where[0]), max(end, where[1])
            holds = abs(value - strength[key]) < 0.5
        elif _STRONGEST.search(masked, sentence.start, sentence.end):
            holds = (strength[key] > 0 and strength[key] == greatest) != is_denied
        elif _THERE.search(masked, sentence.start, sentence.end):
            holds = (strength[key] > 0) != is_denied
        else:
            continue
        problem = "" if holds else known
        yield Claim("motivation", masked[start:end], start, end, holds, (f"motivation:{key}",), problem)


def _is_denied(masked: str, stretch: Stretch, *, but: tuple[int, int]) -> bool:
    """Whether a stretch denies what it speaks of; "little" within "much for little money" does not."""
    hits = _DENIED.finditer(masked, stretch.start, stretch.end)
    return any(hit.end() <= but[0] or hit.start() >= but[1] for hit in hits)


def _number(masked: str, stretch: Stretch, *, but: tuple[int, int]) -> tuple[float, tuple[int, int]] | None:
    """A strength from 0 to 3 and where it stands, with the scale behind it."""
    scales = [hit.span() for hit in _SCALE.finditer(masked, stretch.start, stretch.end)]
    for hit in _NUMBER.finditer(masked, stretch.start, stretch.end):
        is_scale = any(first <= hit.start() < last for first, last in scales)
        if is_scale or but[0] <= hit.start() < but[1]:
            continue
        value = decimal_number(hit["n"])
        if 0 <= value <= TOP:
            ends = [last for first, last in scales if 0 <= first - hit.end() <= 1]
            return value, (hit.start(), max([hit.end(), *ends]))
    return None


def _parts(motive: Motive) -> Sequence[str]:
    """A name's halves, its key, and what else it is called."""
    halves = motive.name.split(" and ")
    return (*halves, motive.key.replace("_", " "), *_SYNONYMS.get(motive.key, ()))


def _stems(text: str) -> tuple[str, ...]:
    words = [_stem(hit[0]) for hit in WORD.finditer(text)]
    return tuple(words[1:] if words and words[0] in ("a", "an", "the") else words)


def _stem(word: str) -> str:
    small = word.casefold()
    if len(small) > 4 and small.endswith("ies"):
        return f"{small[:-3]}y"
    return small[:-1] if len(small) > 3 and small.endswith("s") and not small.endswith("ss") else small
