"""Which phrases may be traits: no brand, no price, no measure, and short (M-LLM3REC §3.2.2), checked by rules alone."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from whyrec.data import schema
from whyrec.methods.mllm3rec.answers import (
    LONGEST_TRAIT_WORDS,
)

BRAND_COLUMNS = ("brand", "manufacturer", "maker")
"""Catalogue columns that hold who makes an item."""

_PRICE = re.compile(r"[$€£¥₹]|\b(?:usd|eur|gbp|dollars?|euros?|pounds sterling|cents?|priced?|prices)\b", re.IGNORECASE)
_UNITS = (
    r"mm|cm|m|km|in|inch(?:es)?|ft|feet|foot|yards?|g|kg|mg|grams?|oz|ounces?|lbs?|pounds?|ml|l|litres?|liters?|"
    r"gallons?|quarts?|pints?|fl|watts?|w|volts?|v|mah|gb|mb|tb|hz|khz|ghz|dpi|pixels?|mp|sheets?|pages?|pieces?|pcs?|"
    r"packs?|pk|counts?|ct|sets?|colou?rs?|spf|percent|%|x"
)
_MEASURE = re.compile(
    rf"\d(?:[\d.,/]*\d)?[\s-]*(?:{_UNITS})(?!\w)|\b(?:spf|size|pack of|set of)[\s-]*\d|\d\s*[\"″'′]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Brands:
    """Who makes the items of a catalogue."""

    of_item: Mapping[str, str]
    """By item_id, in lower case."""
    all: frozenset[str]
    """As they are spelt."""

    @classmethod
    def none(cls) -> "Brands":
        """Of a catalogue that does not tell."""
        return cls({}, frozenset())

    @classmethod
    def of(cls, items: pl.DataFrame, *, columns: Sequence[str] = BRAND_COLUMNS) -> "Brands":
        """Read the brands of a catalogue.

        Args:
            items: ``item_id`` and any of the columns; without any there are no brands.
            columns: Where brands stand, the first that is there.
        """
        column = next((it for it in columns if it in items.columns and items.schema[it] == pl.String), None)
        if column is None:
            return cls.none()
        named = items.select(schema.ITEM, pl.col(column).str.strip_chars()).filter(pl.col(column).str.len_chars() > 1)
        return cls({item_id: brand.casefold() for item_id, brand in named.iter_rows()}, frozenset(named[column]))

    def named_in(self, phrase: str, *, item_id: str) -> bool:
        """Whether a phrase names the item's own brand in any spelling, or another's as that brand spells itself.

        A capital at the beginning of a phrase says nothing: "Gentle on skin" does not name the brand Gentle.
        """
        own = self.of_item.get(item_id)
        if own is not None and _holds(phrase.casefold(), own):
            return True
        return any(brand in self.all for brand in _proper_names(phrase))


@dataclass(frozen=True, slots=True)
class CleanTraits:
    """The phrases that may stay."""

    kept: tuple[str, ...]
    dropped: Counter[str]
    """Why others may not: ``brand``, ``price``, ``measure``, ``long``, ``empty``, ``repeated``."""


def clean_traits(phrases: Iterable[str], *, item_id: str, brands: Brands) -> CleanTraits:
    """Leave out what is no trait.

    Args:
        phrases: As a writer gave them.
        item_id: Whose they are.
        brands: Of the catalogue.
    """
    kept: list[str] = []
    dropped: Counter[str] = Counter()
    for phrase in phrases:
        text = " ".join(phrase.split()).strip(" .,;:-–•*\"'")
        fault = _fault_of(text, item_id=item_id, brands=brands)
        if fault is None and text.casefold() in {other.casefold() for other in kept}:
            fault = "repeated"
        if fault is None:
            kept.append(text)
        else:
            dropped[fault] += 1
    return CleanTraits(tuple(kept), dropped)


def _fault_of(text: str, *, item_id: str, brands: Brands) -> str | None:
    if not any(character.isalpha() for character in text) or any("\ud800" <= it <= "\udfff" for it in text):
        return "empty"
    if len(text.split()) > LONGEST_TRAIT_WORDS:
        return "long"
    if _PRICE.search(text):
        return "price"
    if _MEASURE.search(text):
        return "measure"
    return "brand" if brands.named_in(text, item_id=item_id) else None


def _holds(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _proper_names(phrase: str) -> Collection[str]:
    """Runs of words that might be a name: those that do not begin the phrase, and longer ones, with a capital."""
    words = phrase.split()
    runs = {
        " ".join(words[start:end]).strip(",;:()")
        for start in range(len(words))
        for end in range(start + 1, len(words) + 1)
        if start or end > 1
    }
    return {run for run in runs if any(character.isupper() for character in run)}
