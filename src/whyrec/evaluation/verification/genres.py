"""Other words for genres: "a whodunnit", "a scary film"."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class GenreName(NamedTuple):
    """A way to name a genre."""

    words: tuple[str, ...]
    value: tuple[str, ...]
    """The catalogue's own words, in small letters."""
    is_noun: bool
    """Whether it names a work by itself; else a word such as "film" must follow."""


@cache
def genre_names() -> Mapping[str, tuple[GenreName, ...]]:
    """Ways to name genres by their first word, longest first; plurals too."""
    told = tomllib.loads(files(__package__).joinpath("genres.toml").read_text(encoding="utf-8"))
    found: dict[tuple[str, ...], list[GenreName]] = {}
    for value, lists in told.items():
        said = [(name, True) for noun in lists["nouns"] for name in (noun, plural(noun))]
        for name, is_noun in (*said, *((name, False) for name in lists["adjectives"])):
            words = tuple(name.replace("'", " ").split())
            found.setdefault(words, []).append(GenreName(words, tuple(value.split()), is_noun))
    by_first: dict[str, list[GenreName]] = {}
    for names in found.values():
        by_first.setdefault(names[0].words[0], []).extend(names)
    return {
        first: tuple(sorted(names, key=lambda name: (-len(name.words), not name.is_noun, name)))
        for first, names in by_first.items()
    }


def plural(noun: str) -> str:
    """The plural of a noun or of a phrase that ends in one."""
    if re.search(r"(?:[^aeiou]y)$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "sh", "ch", "x")) else f"{noun}s"
