"""Words of change, size and time, found in a text whatever their inflection.

The words are data (``concepts.toml``); here they are inflected and looked up. Between the words of a phrase a few small
words may stand: "lost a little ground".
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_FILLERS = frozenset(
    [
        "a",
        "an",
        "the",
        "its",
        "their",
        "some",
        "much",
        "more",
        "further",
        "bit",
        "little",
        "of",
        "right",
        "way",
        "lot",
        "any",
        "quite",
    ]
)
_MOST_FILLERS = 2
_OPPOSITE = {"strong": "weak", "weak": "strong"}


class Concept(NamedTuple):
    """A word or phrase of the list, where a text uses it."""

    start: int
    end: int
    name: str
    """``up down flat double triple quadruple quintuple half``, ``strong stronger strongest``, ``weak ...``,
    ``peak trough first ahead``."""
    said: str
    """The list's own spelling of the form found."""


Phrases = Sequence[tuple[tuple[str, ...], str]]
"""Phrases that begin with the same word: the words that follow and the concept's name, longest first."""


class _Opening(NamedTuple):
    """All phrases that begin with one word."""

    all: Phrases
    alone: Phrases
    """The word by itself."""
    by_second: Mapping[str, Phrases]
    """Phrases with that second word, and the word by itself."""

    def before(self, following: str) -> Phrases:
        """Those that may stand where this word follows."""
        return self.all if following in _FILLERS else self.by_second.get(following, self.alone)


def find_concepts(text: str) -> list[Concept]:
    """Find every concept in a text.

    Args:
        text: In small letters.

    Returns:
        Concepts in the order of the text; they do not overlap, and the longest phrase wins.
    """
    words = [(hit[0], hit.start(), hit.end()) for hit in _WORD.finditer(text.replace("’", "'"))]
    lookup = _lookup()
    found: list[Concept] = []
    position = 0
    while position < len(words):
        word, start, _ = words[position]
        following = words[position + 1][0] if position + 1 < len(words) else ""
        opening = lookup.get(word)
        for rest, name in opening.before(following) if opening else ():
            last = _last_word(text, words, position=position, rest=rest)
            if last is not None:
                found.append(Concept(start, words[last][2], name, " ".join((word, *rest))))
                position = last
                break
        position += 1
    return found


def _last_word(text: str, words: Sequence[tuple[str, int, int]], *, position: int, rest: tuple[str, ...]) -> int | None:
    for wanted in rest:
        for step in range(1, _MOST_FILLERS + 2):
            at = position + step
            if at >= len(words) or text[words[at - 1][2] : words[at][1]] not in (" ", "-"):
                return None
            if words[at][0] == wanted:
                break
            if words[at][0] not in _FILLERS:
                return None
        else:
            return None
        position = at
    return position


@cache
def _lookup() -> Mapping[str, _Opening]:
    told = tomllib.loads(files(__package__).joinpath("concepts.toml").read_text(encoding="utf-8"))
    by_first: dict[str, dict[tuple[str, ...], str]] = {}
    for concept, lists in told.items():
        for phrase, name in _forms_of(concept, lists):
            first, *rest = phrase.split()
            by_first.setdefault(first, {}).setdefault(tuple(rest), name)
    return {first: _opening(phrases) for first, phrases in by_first.items()}


def _opening(phrases: Mapping[tuple[str, ...], str]) -> _Opening:
    longest_first = sorted(phrases.items(), key=lambda entry: (-len(entry[0]), entry))
    seconds = {rest[0] for rest in phrases if rest}
    by_second = {it: [entry for entry in longest_first if entry[0][:1] in ((), (it,))] for it in seconds}
    return _Opening(longest_first, [entry for entry in longest_first if not entry[0]], by_second)


def _forms_of(concept: str, lists: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for phrase in lists.get("phrases", ()):
        yield phrase, concept
    for verb in lists.get("verbs", ()):
        yield from ((form, concept) for form in verb_forms(verb))
    for noun in lists.get("nouns", ()):
        yield noun, concept
        yield noun + "s", concept
    for adjective in lists.get("adjectives", ()):
        base, comparative, superlative = adjective_forms(adjective)
        yield from ((base, concept), (comparative, f"{concept}er"), (superlative, f"{concept}est"))
    for adjective in lists.get("long_adjectives", ()):
        yield adjective, concept
        for name, more, most in ((concept, "more", "most"), (_OPPOSITE[concept], "less", "least")):
            yield from ((f"{more} {adjective}", f"{name}er"), (f"{most} {adjective}", f"{name}est"))
    for superlative in lists.get("superlatives", ()):
        yield superlative, f"{concept}est"


def verb_forms(verb: str) -> tuple[str, ...]:
    """Inflect a verb's first word: ``go/went/gone up`` gives "go up, goes up, went up, gone up, going up"."""
    first, _, rest = verb.partition(" ")
    base, *irregular = first.split("/")
    stem = _doubled(base)
    past = irregular or [
        f"{base}d" if base.endswith("e") else f"{_to_i(base)}ed" if _to_i(base) != base else f"{stem}ed"
    ]
    ending = f"{base[:-1]}ing" if base.endswith("e") and not base.endswith(("ee", "ie")) else f"{stem}ing"
    ending = f"{base[:-2]}ying" if base.endswith("ie") else ending
    third = f"{_to_i(base)}es" if base.endswith(("s", "sh", "ch", "x", "o")) or _to_i(base) != base else f"{base}s"
    return tuple(dict.fromkeys(f"{form} {rest}".strip() for form in (base, third, *past, ending)))


def adjective_forms(adjective: str) -> tuple[str, str, str]:
    """Base form, comparative and superlative of a short adjective; irregular ones give all three."""
    if "/" in adjective:
        base, comparative, superlative = adjective.split("/")
        return base, comparative, superlative
    stem = adjective[:-1] if adjective.endswith("e") else _to_i(_doubled(adjective))
    return adjective, f"{stem}er", f"{stem}est"


def _to_i(word: str) -> str:
    return re.sub(r"(?<=[^aeiou])y$", "i", word)


def _doubled(word: str) -> str:
    return word + word[-1] if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", word) else word
