"""Find phrases in a text by their words: any inflection, any article, a few words between where the phrase allows it.

Lists of phrases are data (the ``*.toml`` files beside this module) in a small grammar: ``plot|story ~ simple|plain``
stands for every choice of alternatives; ``~`` for up to three words of any kind; ``_`` joins the words of one
alternative, gaps among them, as in ``easy_to_follow|on_the_edge_of_~_seat``; ``!`` behind a word wants it as it is,
not in another inflection: ``giving!`` is not "gives".
"""

import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

GAP, EXACT = "~", "!"
_WIDEST_GAP = 3
_TOKEN = re.compile(r"[^\W_]+")
_BREAK = re.compile(r"[,;:!?.…—–]")
_PATTERN_TOKEN = re.compile(r"[^\W_]+!?")
_SKIPPED = frozenset(["a", "an", "the", "s", "your", "their", "his", "her", "its", "my"])
"""Words that a phrase may have or not: articles and owners."""
_DENYING = frozenset(
    [
        "not",
        "no",
        "never",
        "nor",
        "neither",
        "without",
        "t",
        "hardly",
        "barely",
        "scarcely",
        "cannot",
        "anything",
        "from",
        "lack",
    ]
)
_WHOLE = frozenset(
    [
        "evening",
        "morning",
        "wedding",
        "nothing",
        "something",
        "anything",
        "everything",
        "during",
        "thing",
        "bed",
        "need",
        "indeed",
    ]
)
"""Words that only look inflected."""


class Token(NamedTuple):
    """A word of a text."""

    stem: str
    start: int
    end: int
    word: str
    """As it stands there, in small letters."""
    opens: bool
    """Whether a comma or the like stands before it; no gap goes over that."""


class Hit(NamedTuple):
    """A phrase where it stands."""

    start: int
    end: int
    values: tuple[str, ...]
    """What the phrase stands for; several where it is ambiguous."""
    n_words: int
    is_denied: bool = False
    """Whether a gap of the phrase holds a denial: "the plot is not simple"."""


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without its ending: ``move`` and ``moving``, ``story`` and ``stories``, ``humour`` and ``humor`` agree."""
    small = word.casefold()
    if small in _WHOLE or len(small) < 4:
        return small
    small = small.replace("isation", "ization").replace("our", "or") if len(small) > 5 else small
    if small.endswith("ies"):
        small = f"{small[:-3]}y"
    elif small.endswith("s") and not small.endswith(("ss", "us", "is")):
        small = small[:-1]
    for ending, least in (("ing", 6), ("ed", 5)):
        if small.endswith(ending) and len(small) >= least:
            small = small[: -len(ending)]
            if len(small) > 3 and small[-1] == small[-2] and small[-1] not in "lsz":
                small = small[:-1]
            break
    return small[:-1] if small.endswith("e") and len(small) > 3 else f"{small[:-1]}y" if _ends_in_i(small) else small


def _ends_in_i(small: str) -> bool:
    return len(small) > 3 and small.endswith("i")


def tokens_of(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The words of a stretch, without articles and owners."""
    found: list[Token] = []
    last = start
    for hit in _TOKEN.finditer(text, start, len(text) if end is None else end):
        word = hit[0].casefold()
        if word not in _SKIPPED:
            found.append(
                Token(stem(word), hit.start(), hit.end(), word, _BREAK.search(text, last, hit.start()) is not None)
            )
            last = hit.end()
    return found


def spelled_out(pattern: str) -> Iterator[tuple[str, ...]]:
    """Every phrase that a pattern stands for, as stems; gaps stay."""
    choices = [part.split("|") for part in pattern.split()]
    for chosen in itertools.product(*choices):
        words = [word for part in chosen for word in ([GAP] if part == GAP else part.replace("-", "_").split("_"))]
        stems = tuple(
            part if part.endswith((GAP, EXACT)) else stem(part)
            for word in words
            for part in ([GAP] if word == GAP else _PATTERN_TOKEN.findall(word))
            if part.casefold() not in _SKIPPED
        )
        if stems:
            yield stems


@dataclass(frozen=True)
class Phrases:
    """Phrases by their first word, the longest first."""

    by_first: Mapping[str, Sequence[tuple[tuple[str, ...], tuple[str, ...]]]]

    @classmethod
    def of(cls, said: Mapping[str, Iterable[str]]) -> "Phrases":
        """Index patterns by the value that they stand for."""
        values: dict[tuple[str, ...], dict[str, None]] = {}
        for value, patterns in said.items():
            for pattern in patterns:
                for stems in spelled_out(pattern):
                    values.setdefault(stems, {})[value] = None
        by_first: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        for stems, of in values.items():
            by_first.setdefault(stem(first[:-1]) if (first := stems[0]).endswith(EXACT) else first, []).append(
                (stems, tuple(of))
            )
        return cls({first: sorted(them, key=lambda it: -len(it[0])) for first, them in by_first.items()})

    def find(self, text: str, start: int = 0, end: int | None = None) -> list[Hit]:
        """Where they stand in a stretch of a text, from left to right, the longest first, none inside another."""
        return self.among(tokens_of(text, start, end))

    def among(self, tokens: Sequence[Token]) -> list[Hit]:
        """The same for words already read."""
        found: list[Hit] = []
        place = 0
        while place < len(tokens):
            hit = self._at(tokens, place)
            if hit is None:
                place += 1
                continue
            found.append(hit[0])
            place = hit[1]
        return found

    def _at(self, tokens: Sequence[Token], place: int) -> tuple[Hit, int] | None:
        for stems, values in self.by_first.get(tokens[place].stem, ()):
            last = _match(stems, tokens, place)
            if last is not None:
                inside = {token.stem for token in tokens[place : last + 1]} - set(stems)
                denied = GAP in stems and not inside.isdisjoint(_DENYING)
                return Hit(tokens[place].start, tokens[last].end, values, last + 1 - place, denied), last + 1
        return None


def _match(stems: tuple[str, ...], tokens: Sequence[Token], place: int) -> int | None:
    """The place of the last word where a phrase stands from a place on."""
    for index, wanted in enumerate(stems):
        if wanted == GAP:
            rest = stems[index + 1 :]
            for width in range(_WIDEST_GAP + 1):
                if place + width >= len(tokens) or tokens[place + width].opens:
                    return None
                if (end := _match(rest, tokens, place + width)) is not None:
                    return end
            return None
        if place >= len(tokens) or not _is(tokens[place], wanted):
            return None
        place += 1
    return place - 1


def _is(token: Token, wanted: str) -> bool:
    return token.word == wanted[:-1] if wanted.endswith(EXACT) else token.stem == wanted


@cache
def word_list(name: str) -> Mapping[str, Any]:
    """A list of words that comes with this package: the tables of ``NAME.toml``."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
