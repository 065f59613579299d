"""Check what a text says of a user's motivations, and of the traits that an item has or lacks.

A motivation is claimed with a number ("a strength of 2"), as the strongest ("above all"), or as there or not ("looks
for", "does not care about"). A trait is a phrase that the catalogue knows items by.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from whyrec.evaluation.verification.interest_words import decimal_number
from whyrec.evaluation.verification.lexicon import NUMBER_WORDS
from whyrec.evaluation.verification.mentions import Stretch, split_sentences
from whyrec.evaluation.verification.vocabulary import WORD
from whyrec.interfaces import Claim

TOP = 3
"""The greatest strength."""
_MANY_ROOTS = 4
"""A trait of so many telling words may be told without one of them."""
_MOST_BETWEEN = 3
"""Other words between the telling ones of a trait."""
_SHORTEST_ROOT = 3


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NUMBER = _found(
    rf"(?<![\w.])(?<!this )(?<!that )(?<!every )(?P<n>\d(?:\.\d)?|{NUMBER_WORDS})(?![\w%])"
    r"(?!\s(?:of the|films?|items?))"
)
_SCALE = _found(r"\b(?:(?:from |of )?(?:0|zero) (?:to|–|-) (?:3|three)|out of (?:3|three)|of (?:3|three)|/\s?3)\b")
_STRONGEST = _found(
    r"\b(?:most of all|wants? most|looks? for most|above all|first and foremost|dominant|strongest|main|chief|"
    r"all about|more than anything|leading|top|primary|nothing matters more)\b"
)
_THERE = _found(
    r"\b(?:looks? for|looking for|cares?|want(?:s|ed)?|seeks?|values?|interest|drawn to|keen on|matters?|likes?|"
    r"wish(?:es)?|motivated|motivations?|motives?|driven|drives?|drove|evidence|after|important|appeals?|counts?|"
    r"goes with that|in it for|thing|wanted|sought|seeking|search(?:es|ing)?|plays? (?:a|no|any) (?:part|role)|"
    r"moves?|pursues?|hopes? for|hoping for|craves?|needs?|asks? for|goes for|going for|reason|"
    r"aims? (?:at|for)|hunts? for|enjoys?|prefers?|loves?|fond of|priority|prized?|prizes|cherish(?:es)?|"
    r"has time for)\b"
)
_DENIED = _found(
    r"\b(?:not|no|never|none|without|absent|lacks?|lacking|missing|free of|little|nor|hardly|devoid)\b|n['’]t\b"
)
_NEW_STATEMENT = _found(
    r";\s|\b(?:but|while|whereas|although|though|yet)\s|,\s(?=[^,.;]*\b(?:is|are|was|were|does|do|plays?|this one|"
    r"the (?:film|item|book|game|product))\b|[^,.;]*n['’]t\b)"
)
"""Where a sentence turns to something else; commas of a list do not."""


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

    @cached_property
    def trait_roots(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Traits of two telling words at least, by the roots of these; those of the most words first."""
        found = {trait: _roots(trait) for trait in self.known_traits | self.traits}
        rooted = [(trait, roots) for trait, roots in found.items() if len(roots) > 1]
        return tuple(sorted(rooted, key=lambda it: (-len(it[1]), it[0])))


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
        exact = list(facts.trait_names.find(masked, sentence))
        for start, end, trait in (*exact, *_reworded(masked, sentence, facts, taken=exact)):
            is_denied = _is_denied(masked, judged, but=(start, end))
            has = trait in facts.traits
            problem = "" if has != is_denied else "the item has it" if has else "the item does not have it"
            yield Claim("trait", masked[start:end], start, end, not problem, (f"trait:{trait}",), problem)


def _reworded(
    masked: str, sentence: Stretch, facts: MotiveFacts, *, taken: Sequence[tuple[int, int, str]]
) -> Iterator[tuple[int, int, str]]:
    """Traits whose telling words stand close together in any order: "full of fights and chases"."""
    tokens = [(_root(hit[0]), hit.start(), hit.end()) for hit in WORD.finditer(masked, sentence.start, sentence.end)]
    present = {root for root, _, _ in tokens}
    used = [(start, end) for start, end, _ in taken]
    for trait, roots in facts.trait_roots:
        n_needed = len(roots) if len(roots) < _MANY_ROOTS else len(roots) - 1
        if len(roots & present) < n_needed:
            continue
        span = _closest(tokens, roots, n_needed=n_needed)
        if span is not None and not any(span[0] < end and start < span[1] for start, end in used):
            used.append(span)
            yield *span, trait


def _closest(tokens: Sequence[tuple[str, int, int]], roots: frozenset[str], *, n_needed: int) -> tuple[int, int] | None:
    """The shortest stretch that holds enough of the roots, with few other words between."""
    places = [place for place, (root, _, _) in enumerate(tokens) if root in roots]
    best: tuple[int, int] | None = None
    for first in range(len(places)):
        seen: set[str] = set()
        for place in places[first:]:
            seen.add(tokens[place][0])
            width = place - places[first] + 1
            if width > len(roots) + _MOST_BETWEEN:
                break
            if len(seen) >= n_needed:
                if best is None or width < best[1] - best[0] + 1:
                    best = (places[first], place)
                break
    return None if best is None else (tokens[best[0]][1], tokens[best[1]][2])


def _motive_claims(masked: str, sentence: Stretch, facts: MotiveFacts) -> Iterator[Claim]:
    strength = {motive.key: motive.strength for motive in facts.motives}
    greatest = max(strength.values(), default=0.0)
    for start, end, key in facts.motive_names.find(masked, sentence):
        number = _number(masked, sentence, but=(start, end))
        is_denied = _is_denied(masked, _part_of(masked, sentence, (start, end)), but=(start, end))
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


def _part_of(masked: str, sentence: Stretch, span: tuple[int, int]) -> Stretch:
    """The part of a sentence that speaks of a phrase: "enjoyment is your thing" of "..., staying safe is not"."""
    cuts = [hit.end() for hit in _NEW_STATEMENT.finditer(masked, sentence.start, sentence.end)]
    starts = [cut for cut in cuts if cut <= span[0]]
    ends = [cut for cut in cuts if cut >= span[1]]
    return Stretch(starts[-1] if starts else sentence.start, ends[0] if ends else sentence.end)


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
    return (*halves, motive.key.replace("_", " "), *_synonyms().get(motive.key, ()))


@cache
def _synonyms() -> Mapping[str, Sequence[str]]:
    """Other words for the motivations that come with whyrec, by their keys."""
    return tomllib.loads(files(__package__).joinpath("motives.toml").read_text(encoding="utf-8"))


def _stems(text: str) -> tuple[str, ...]:
    words = [_stem(hit[0]) for hit in WORD.finditer(text)]
    return tuple(words[1:] if words and words[0] in ("a", "an", "the") else words)


def _roots(text: str) -> frozenset[str]:
    words = (hit[0] for hit in WORD.finditer(text))
    return frozenset(_root(word) for word in words if word.casefold() not in ENGLISH_STOP_WORDS and len(word) > 2)


def _root(word: str) -> str:
    """What is left of a word without its endings: "chases", "chasing" and "chase" are one."""
    root = _stem(word)
    for ending in ("ingly", "ing", "ed", "er", "ly", "e"):
        if root.endswith(ending) and len(root) - len(ending) >= _SHORTEST_ROOT:
            return root.removesuffix(ending)
    return root


def _stem(word: str) -> str:
    small = word.casefold()
    if len(small) > 4 and small.endswith("ies"):
        return f"{small[:-3]}y"
    return small[:-1] if len(small) > 3 and small.endswith("s") and not small.endswith("ss") else small
