"""What a text about a user's interests is checked against: items' traits, the user's history, the average user.

Read from the raw catalogue and log here, once more and in another way than by whoever wrote the text.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import polars as pl

from whyrec.data import schema
from whyrec.data.attributes import AttributeValue, attributes_of
from whyrec.errors import UnknownIdError
from whyrec.evaluation.verification.interest_words import other_spellings
from whyrec.evaluation.verification.titles import spoken_title, within_quotes, year_in_title
from whyrec.evaluation.verification.vocabulary import LONGEST_VALUE, WORD, attribute_values

Trait = tuple[str, str]
"""Attribute and value; the value in small letters, its words parted by single spaces."""

DECADE, QUARTER, IN_TEXT = "decade", "price quarter", "text"
"""Traits that no column holds as such: ``(DECADE, "1990s")``, ``(QUARTER, "cheapest")``, ``(IN_TEXT, "vampire")``."""
_LONGEST_LISTED = 40


class ItemTraits(NamedTuple):
    """An item as far as texts speak of it."""

    title: str
    """What has none goes by its id."""
    names: frozenset[str]
    """Its title as the catalogue spells it and as it is said, in small letters, as it stands in quotation marks."""
    traits: frozenset[Trait]
    year: int | None
    price: float | None


@dataclass(frozen=True)
class InterestCatalogue:
    """Every item's traits, and how common each trait is with the average user."""

    items: Mapping[str, ItemTraits]
    average: Mapping[Trait, float]
    """Mean over users of the share of their interactions whose item has the trait."""

    @classmethod
    def of(cls, items: pl.DataFrame, *, interactions: pl.LazyFrame, text_columns: Sequence[str] = ()) -> Self:
        """Read a catalogue and a log.

        Args:
            items: The dataset's ``items``.
            interactions: ``user_id, item_id``; only those that may be known, such as ``data.before(cutoff)``.
            text_columns: Columns whose single words count as traits, such as a plot.
        """
        quartiles = _price_quartiles(items)
        read = {
            str(row[schema.ITEM]): _traits_of(row, text_columns=text_columns, quartiles=quartiles)
            for row in items.iter_rows(named=True)
        }
        return cls(read, _averages(read, interactions))

    def with_interactions(self, interactions: pl.LazyFrame) -> Self:
        """The same items, and how common their traits are in another log."""
        other = copy(self)  # with what was worked out of the items
        object.__setattr__(other, "average", _averages(self.items, interactions))
        return other

    @cached_property
    def by_name(self) -> dict[str, tuple[Trait, ...]]:
        """Traits by their value and by other ways to write it; single words of texts are left out."""
        traits = sorted({trait for item in self.items.values() for trait in item.traits if trait[0] != IN_TEXT})
        exact: defaultdict[str, list[Trait]] = defaultdict(list)
        for trait in traits:
            exact[trait[1]].append(trait)
        found = {value: tuple(same) for value, same in exact.items()}
        for value, same in list(found.items()):
            for spelling in other_spellings(value):
                found.setdefault(spelling, same)
        return found

    @cached_property
    def most_words(self) -> dict[str, int]:
        """Words of the longest name in ``by_name`` by the word it begins with."""
        longest: dict[str, int] = {}
        for name in self.by_name:
            words = name.split(" ")
            longest[words[0]] = max(longest.get(words[0], 0), len(words))
        return longest

    @cached_property
    def by_title(self) -> dict[str, tuple[str, ...]]:
        """Items by their title in small letters, as spelled and as said."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for item_id, item in self.items.items():
            for name in item.names:
                found[name].append(item_id)
        return {name: tuple(ids) for name, ids in found.items()}


@dataclass(frozen=True)
class InterestFacts:
    """One user's history up to a moment, and the item in question if there is one."""

    catalogue: InterestCatalogue
    history: Sequence[str]
    """Items taken strictly before that moment, oldest first; all of them, for a text may say "so far"."""
    target: str | None = None

    def __post_init__(self) -> None:
        known = self.catalogue.items
        for item_id in (*self.history, *(() if self.target is None else (self.target,))):
            if item_id not in known:
                raise UnknownIdError(
                    f"interest facts: expected items of the catalogue, got {item_id!r}. Leave it out, or add it."
                )

    @cached_property
    def item(self) -> ItemTraits | None:
        """The item in question."""
        return None if self.target is None else self.catalogue.items[self.target]

    @cached_property
    def past(self) -> list[ItemTraits]:
        """The history's items, oldest first."""
        return [self.catalogue.items[item_id] for item_id in self.history]

    def count(self, trait: Trait, *, last: int | None = None) -> int:
        """How many interactions have a trait, of all or of the last so many."""
        past = self.past if last is None else self.past[max(len(self.past) - last, 0) :]
        return [trait in item.traits for item in past].count(True)

    @cached_property
    def seen(self) -> frozenset[str]:
        """The history's items, each once."""
        return frozenset(self.history)

    def lift(self, trait: Trait, *, last: int | None = None) -> float:
        """The trait's share in the history over its share in the average user's; above 1 means more than average."""
        n = len(self.past) if last is None else min(last, len(self.past))
        average = self.catalogue.average.get(trait, 0.0)
        count = self.count(trait, last=last)
        if not n or not count:
            return 0.0
        return count / n / average if average else float("inf")


def fold(value: str) -> str:
    """A value as traits hold it."""
    return " ".join(WORD.findall(value.casefold()))


def _averages(items: Mapping[str, ItemTraits], interactions: pl.LazyFrame) -> dict[Trait, float]:
    average: defaultdict[Trait, float] = defaultdict(float)
    for item_id, weight in _weights(interactions).items():
        for trait in items[item_id].traits if item_id in items else ():
            average[trait] += weight
    return dict(average)


def _weights(interactions: pl.LazyFrame) -> dict[str, float]:
    """What each item contributes to the average user's shares: a share of 1/n for each of a user's n interactions."""
    by_item = (
        interactions.select(schema.USER, schema.ITEM, (1 / pl.len().over(schema.USER)).alias("share"))
        .group_by(schema.ITEM)
        .agg(pl.col("share").sum())
        .collect()
    )
    n_users = interactions.select(pl.col(schema.USER).n_unique()).collect().item()
    return {item: share / n_users for item, share in by_item.iter_rows()}


def _traits_of(
    row: Mapping[str, object], *, text_columns: Sequence[str], quartiles: tuple[float, float] | None
) -> ItemTraits:
    title, attributes = str(row[schema.TITLE] or ""), attributes_of(row)
    if not title.strip():
        title = str(row[schema.ITEM])
    year = _year(title, attributes)
    price = next((value for name, value in attributes.items() if _is_price(name) and isinstance(value, float)), None)
    texts = (schema.DESCRIPTION, *text_columns)
    traits = {(name, value) for name, given in attributes.items() if name not in texts for value in _values(given)}
    if year is not None:
        traits.add((DECADE, f"{year // 10 * 10}s"))
    if price is not None and quartiles is not None:
        low, high = quartiles
        traits |= {(QUARTER, name) for name, holds in (("cheapest", price <= low), ("dearest", price > high)) if holds}
    for column in text_columns:
        traits.update((IN_TEXT, word) for word in WORD.findall(str(row[column] or "").casefold()))
    names = frozenset(within_quotes(name).casefold() for name in (title, spoken_title(title)))
    return ItemTraits(title, names, frozenset(traits), year, price)


def _values(given: AttributeValue) -> Iterator[str]:
    """Single values, folded: entries, steps and neighbouring steps of a path, and what commas part."""
    parts = attribute_values(given)
    joined = [f"{parent} {step}" for parent, step in itertools.pairwise(parts)] if " > " in str(given) else []
    for part in (*parts, *joined):
        pieces = re.split(r",\s+", part)
        # A sentence has commas too, but hardly between pieces as short as names.
        listed = pieces if max(map(len, pieces)) <= _LONGEST_LISTED else []
        for value in (part, *listed):
            if len(value) <= LONGEST_VALUE and (folded := fold(value)):
                yield folded


def _year(title: str, attributes: Mapping[str, AttributeValue]) -> int | None:
    for name, value in attributes.items():
        if "year" in name.casefold() and re.fullmatch(r"(?:18|19|20)\d\d(?:\.0)?", str(value)):
            return int(float(str(value)))
    return year_in_title(title)


def _is_price(name: str) -> bool:
    return "price" in name.casefold()


def _price_quartiles(items: pl.DataFrame) -> tuple[float, float] | None:
    column = next((name for name, kind in items.schema.items() if _is_price(name) and kind.is_numeric()), None)
    known = None if column is None else items[column].drop_nulls()
    if known is None or not known.len():
        return None
    low, high = (known.quantile(q, interpolation="linear") for q in (0.25, 0.75))
    return (float(low or 0.0), float(high or 0.0))
