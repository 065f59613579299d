"""The names a catalogue knows: every title, and every value of its attributes. Lets a wrong one be recognised."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple, Self

import polars as pl

from whyrec.data import schema
from whyrec.data.attributes import AttributeValue
from whyrec.evaluation.verification.titles import within_quotes

LONGEST_VALUE = 60
"""Longer texts are descriptions, not values that another item could share."""

WORD = re.compile(r"\w+")


class Name(NamedTuple):
    """A title or attribute value, split into words for look-up."""

    text: str
    words: tuple[str, ...]
    attribute: str
    """The attribute it is a value of; ``title`` for titles."""


NameIndex = Mapping[str, tuple[Name, ...]]
"""Names by how they begin, longest first: attribute values by their first word, titles by their first two."""


@dataclass(frozen=True)
class Vocabulary:
    """Titles (looked up with their capitals) and attribute values (case ignored) of a whole catalogue."""

    titles: NameIndex = field(default_factory=dict)
    quoted_titles: frozenset[str] = frozenset()
    values: NameIndex = field(default_factory=dict)

    @cached_property
    def title_openings(self) -> frozenset[str]:
        """First words of titles."""
        return frozenset(start.split(" ")[0] for start in self.titles)

    @classmethod
    def of(cls, items: pl.DataFrame) -> Self:
        """Read titles and attribute values from a catalogue.

        Args:
            items: The dataset's ``items`` frame. List columns, short text columns and ``A > B > C`` paths give values.
        """
        titles = [title for title in items[schema.TITLE].to_list() if title]
        values: set[tuple[str, str]] = set()
        for column in items.columns:
            if column not in (schema.ITEM, schema.TITLE, schema.DESCRIPTION):
                values.update((column, value) for value in _column_values(items[column]))
        return cls(
            titles=_index((Name(title, tuple(WORD.findall(title)), "title") for title in set(titles)), n_words=2),
            quoted_titles=frozenset(within_quotes(title).casefold() for title in titles),
            values=_index(value_name(value, attribute) for attribute, value in sorted(values)),
        )


def attribute_values(value: AttributeValue) -> tuple[str, ...]:
    """Split an attribute into its single values: the entries of a list, the steps of a path, or the text itself."""
    if isinstance(value, tuple):
        return tuple(part for entry in value for part in attribute_values(entry))
    if isinstance(value, str):
        return tuple(part for part in (step.strip() for step in re.split(r" > |\|", value)) if part)
    return ()


@lru_cache(maxsize=65536)
def value_name(value: str, attribute: str) -> Name:
    """Prepare an attribute value for look-up without regard to case."""
    return Name(value, tuple(WORD.findall(value.casefold())), attribute)


def _column_values(column: pl.Series) -> Iterator[str]:
    if isinstance(column.dtype, pl.List):
        column = column.explode(empty_as_null=True)
    if column.dtype != pl.String:
        return
    for value in column.drop_nulls().unique().sort().to_list():
        for part in attribute_values(value):
            if 2 < len(part) <= LONGEST_VALUE and any(letter.isalpha() for letter in part):
                yield part


def _index(names: Iterable[Name], *, n_words: int = 1) -> dict[str, tuple[Name, ...]]:
    by_start: dict[str, list[Name]] = {}
    for name in names:
        if name.words:
            by_start.setdefault(" ".join(name.words[:n_words]), []).append(name)
    return {start: tuple(sorted(found, key=lambda name: (-len(name.words), name))) for start, found in by_start.items()}
