"""Which of a catalogue's features a text names: attribute values, traits, and titles in quotation marks.

What PETER's measures of explanations count (Li, Zhang and Chen, 2021). It asks whether a feature is named, not whether
what is said of it is true: that is ``verification``'s matter.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import polars as pl

from whyrec.data import schema
from whyrec.data.attributes import AttributeValue, attributes_of
from whyrec.evaluation.verification.interest_words import other_spellings
from whyrec.evaluation.verification.titles import spoken_title
from whyrec.evaluation.verification.vocabulary import LONGEST_VALUE, WORD, attribute_values

Feature = str
"""A value or trait in small letters, its words parted by single spaces; a title so in quotation marks: ``“heat”``."""

_QUOTED = re.compile(r"“([^”\n]{1,300})”|\"([^\"\n]{1,300})\"|«([^»\n]{1,300})»")
_FEWEST_LETTERS = 3


@dataclass(frozen=True)
class FeatureSpace:
    """The features of a catalogue, and which item has which."""

    of_items: Mapping[str, frozenset[Feature]]
    """Values and traits by item_id; titles are no features of their own items: every text names that."""
    titles: Mapping[str, Feature]
    """By item_id."""
    spellings: Mapping[tuple[str, ...], Feature]
    """Words of a value or trait, of its plural, and of words that mean the same."""

    @classmethod
    def of(cls, items: pl.DataFrame, *, traits: Mapping[str, Sequence[str]] | None = None) -> Self:
        """Read a catalogue.

        Args:
            items: The dataset's ``items``. Lists, short texts and ``A > B`` paths give values; numbers and prose none.
            traits: More phrases by item_id, such as those of M-LLM3REC.
        """
        more = traits or {}
        of_items = {
            entry[schema.ITEM]: frozenset(_folded_values(entry, more.get(entry[schema.ITEM], ())))
            for entry in items.iter_rows(named=True)
        }
        named = items.select(schema.ITEM, schema.TITLE).drop_nulls().iter_rows()
        titles = {item_id: _title(title) for item_id, title in named if _folded(title)}
        features = sorted(frozenset[str]().union(*of_items.values()))
        others = {tuple(other.split()): feature for feature in features for other in other_spellings(feature)}
        # A feature's own name goes before another's plural.
        return cls(of_items, titles, others | {tuple(feature.split()): feature for feature in features})

    @property
    def features(self) -> frozenset[Feature]:
        """All values, traits and titles."""
        return frozenset(self.spellings.values()) | self.all_titles

    @cached_property
    def all_titles(self) -> frozenset[Feature]:
        """Each title once."""
        return frozenset(self.titles.values())

    def named_in(self, text: str, *, about: str | None = None) -> frozenset[Feature]:
        """The features that a text names; of overlapping ones the longest that begins first.

        Args:
            text: What is said.
            about: The item that it is said of, whose own title does not count.
        """
        quoted = {_title(next(filter(None, hit.groups()))) for hit in _QUOTED.finditer(text)}
        rest = _QUOTED.sub(lambda hit: " □ " if self._is_title(hit) else hit[0], text)
        words = [word.casefold() for word in WORD.findall(rest)]
        return (frozenset(self._phrases(words)) | (quoted & self.all_titles)) - {self.titles.get(about or "")}

    def _is_title(self, hit: re.Match[str]) -> bool:
        return _title(next(filter(None, hit.groups()))) in self.all_titles

    def _phrases(self, words: Sequence[str]) -> Iterator[Feature]:
        place, longest = 0, max(map(len, self.spellings), default=0)
        while place < len(words):
            for length in range(min(longest, len(words) - place), 0, -1):
                found = self.spellings.get(tuple(words[place : place + length]))
                if found is not None:
                    yield found
                    place += length - 1
                    break
            place += 1


def _folded_values(entry: Mapping[str, object], traits: Iterable[str]) -> Iterator[Feature]:
    values: list[AttributeValue] = [value for name, value in attributes_of(entry).items() if name != schema.DESCRIPTION]
    for value in (*values, *traits):
        for part in attribute_values(value):
            folded = _folded(part)
            if len(part) <= LONGEST_VALUE and sum(map(str.isalpha, folded)) >= _FEWEST_LETTERS:
                yield folded


def _folded(text: str) -> str:
    return " ".join(WORD.findall(text.casefold()))


def _title(title: str) -> Feature:
    """As it is said, so that "Matrix, The (1999)" and "The Matrix" are one."""
    return f"“{_folded(spoken_title(title))}”"
