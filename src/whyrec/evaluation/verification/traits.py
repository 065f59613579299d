"""Find the traits that a text speaks of: phrases that a catalogue knows items by, in its own words or in others.

Three ways, the surest first: the phrase itself, in any inflection; all of its telling words close together, in any
order ("races against the clock" for "a race against time"); a theme ("is a riot" for "keeps the audience laughing")
where the catalogue has a single trait of that theme.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from whyrec.evaluation.verification.phrases import Phrases, Token, stem, tokens_of, word_list

_WIDEST = 7
"""Words over which those of one trait may be spread."""
_TELLING_ALONE = 8
"""Letters of a word that is telling enough without the other one of its trait."""
_KEY = 5
_LEAST_DOUBLED = 4
_SAME = {"clock": "time", "clever": "wit", "robot": "machine", "dying": "death", "tale": "story"}
_EMPTY = frozenset(
    [
        "and",
        "or",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "with",
        "from",
        "as",
        "into",
        "against",
        "over",
        "under",
        "up",
        "down",
        "out",
        "off",
        "about",
        "between",
        "through",
        "is",
        "are",
        "be",
        "was",
        "were",
        "been",
        "being",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "that",
        "which",
        "who",
        "whom",
        "whose",
        "what",
        "this",
        "these",
        "those",
        "it",
        "they",
        "them",
        "he",
        "she",
        "you",
        "we",
        "us",
        "i",
        "so",
        "very",
        "much",
        "many",
        "most",
        "more",
        "some",
        "any",
        "all",
        "both",
        "each",
        "every",
        "no",
        "not",
        "without",
        "who's",
        "there",
        "here",
        "then",
        "when",
        "where",
        "while",
        "film",
        "films",
        "movie",
        "movies",
        "picture",
        "story",
        "stories",
        "item",
        "product",
        "people",
        "person",
        "viewer",
        "viewers",
        "audience",
        "keep",
        "keeps",
        "make",
        "makes",
        "get",
        "gets",
        "give",
        "gives",
        "show",
        "shows",
        "bring",
        "brings",
        "come",
        "comes",
        "go",
        "goes",
        "take",
        "takes",
        "full",
        "plenty",
        "lot",
        "lots",
        "good",
        "great",
        "real",
        "end",
        "start",
        "minute",
        "last",
        "way",
        "along",
        "together",
        "two",
    ]
)
_EMPTY_STEMS = frozenset(stem(word) for word in _EMPTY)


class TraitHit(NamedTuple):
    """A trait where a text names it."""

    start: int
    end: int
    traits: tuple[str, ...]
    is_own_phrase: bool
    """Whether it is named in its own words, not only by its theme."""
    is_denied: bool = False


@dataclass(frozen=True)
class TraitNames:
    """All ways to name some traits."""

    own: Phrases
    keys: Mapping[str, tuple[str, ...]]
    """By a telling word's key the traits that have it."""
    words: Mapping[str, frozenset[str]]
    """The keys of every trait."""
    stems: Mapping[tuple[str, str], str]
    """The word behind each of a trait's keys."""
    by_theme: Mapping[str, str]
    """The only trait that is about a theme."""

    @classmethod
    def of(cls, traits: Sequence[str]) -> "TraitNames":
        """Index phrases."""
        words = {trait: _keys(tokens_of(trait)) for trait in traits}
        keys: dict[str, list[str]] = {}
        for trait, of in words.items():
            for key in of:
                keys.setdefault(key, []).append(trait)
        about = {trait: {value for hit in themes().find(trait) for value in hit.values} for trait in traits}
        times = Counter(theme for of in about.values() for theme in of)
        by_theme = {theme: trait for trait, of in about.items() if len(of) == 1 for theme in of if times[theme] == 1}
        own = Phrases.of({trait: [trait.replace("_", " ").replace(" ", "_").replace("|", "_")] for trait in traits})
        stems = {(trait, _key(token.stem)): token.stem for trait in traits for token in tokens_of(trait)}
        return cls(own, {key: tuple(of) for key, of in keys.items()}, words, stems, by_theme)

    def find(self, text: str, start: int, end: int) -> list[TraitHit]:
        """The traits named in a stretch of a text, those named surely first; none overlaps another."""
        tokens = tokens_of(text, start, end)
        found = [TraitHit(hit.start, hit.end, hit.values, True) for hit in self.own.among(tokens)]
        for hit in (*self._scattered(text, tokens), *self._themes(tokens)):
            if not any(hit.start < other.end and other.start < hit.end for other in found):
                found.append(hit)
        return found

    def _scattered(self, text: str, tokens: Sequence[Token]) -> Iterator[TraitHit]:
        keyed = [(key, token) for token in tokens if (key := _key(token.stem)) in self.keys]
        for trait in dict.fromkeys(trait for key, _ in keyed for trait in self.keys[key]):
            wanted = self.words[trait]
            places = {key: token for key, token in keyed if key in wanted}
            telling = [
                key for key in places if len(self.keys[key]) == 1 and _agree(places[key].stem, self.stems[trait, key])
            ]
            if len(places) < len(wanted) and not (telling and 2 * len(places) >= len(wanted)):
                continue
            first, last = min(it.start for it in places.values()), max(it.end for it in places.values())
            if sum(first <= token.start < last for token in tokens) <= _WIDEST and "," not in text[first:last]:
                yield TraitHit(first, last, (trait,), len(places) > 1)

    def _themes(self, tokens: Sequence[Token]) -> Iterator[TraitHit]:
        for hit in themes().among(tokens) if self.by_theme else ():
            traits = tuple(dict.fromkeys(self.by_theme[it] for it in hit.values if it in self.by_theme))
            if traits and len(hit.values) == 1:
                yield TraitHit(hit.start, hit.end, traits, False, hit.is_denied)


@cache
def themes() -> Phrases:
    """Ways to speak of themes."""
    return Phrases.of(word_list("theme_words"))


def _agree(one: str, other: str) -> bool:
    """Whether two words are long and alike enough to stand for a trait alone."""
    return min(len(one), len(other)) >= _TELLING_ALONE and one[:_TELLING_ALONE] == other[:_TELLING_ALONE]


def _keys(tokens: Sequence[Token]) -> frozenset[str]:
    return frozenset(_key(token.stem) for token in tokens if token.stem not in _EMPTY_STEMS)


def _key(word: str) -> str:
    """What the forms of a word share: ``myth`` and ``mythical``."""
    same = stem(_SAME.get(word, word))
    if len(same) > _LEAST_DOUBLED and same.endswith("y") and same[-2] == same[-3]:
        same = same[:-2]
    return same[:_KEY]
