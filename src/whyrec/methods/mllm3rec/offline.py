"""The three modules without a language model: what items say of themselves, and why an item fits a user.

Traits are words of an item's own text that mean one motivation more than the others do, told by their embeddings.
Beside them stand the descriptions of motivations that its whole text is most like. A reason names a motivation of the
user, a word of the item's text that speaks of it, and the items that it is inferred from; it is then verified against
the catalogue and the history, by rules that know nothing of how it was written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from whyrec.methods.mllm3rec.artefacts import ItemTraits
from whyrec.methods.mllm3rec.motives import WRITER, MotiveScale, TextEncoder
from whyrec.methods.mllm3rec.schema import MotivationSchema
from whyrec.methods.mllm3rec.text_space import Vectors, require_length, unit_rows
from whyrec.methods.mllm3rec.trait_rules import Brands, clean_traits

_WORD = r"(?u)\b[^\W\d_]{4,}\b"
_FEWEST_ITEMS = 3
_MOST_SHARE = 0.1
_LEAST_TIE = 2.0
"""Deviations from which a word speaks of a motivation: one word in forty does. Chosen by reading on both sides."""
_MOST_FIRST = 0.5
"""A word that begins so many of the titles it stands in is a brand, as far as a catalogue without brands can tell."""
_MOST_WORDS = 6
_MOST_DESCRIPTIONS = 2
_LEAST_LIKE = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class TraitLexicon:
    """Words of a catalogue's texts, and the motivations that they speak of."""

    words: tuple[str, ...]
    ties: Vectors
    """How much each means each motivation, beyond what it means all of them, in deviations over the words, [W M]."""
    number_of: dict[str, int] = field(repr=False)

    @classmethod
    def of(
        cls, texts: Sequence[str], titles: Sequence[str], *, scale: MotiveScale, encoder: TextEncoder
    ) -> "TraitLexicon":
        """Learn which words of a catalogue speak of which motivation.

        Args:
            texts: Of the items.
            titles: Of the same items.
            scale: The motivations.
            encoder: The one that the scale was made with.
        """
        words = _told_words(texts, titles)
        if not words:
            return cls((), np.zeros((0, len(scale.schema.keys)), dtype=np.float32), {})
        vectors = encoder.embed(words)
        require_length(vectors, scale.described.shape[1])
        likeness = unit_rows(vectors) @ scale.described.T
        own = likeness - likeness.mean(axis=1, keepdims=True)
        ties = (own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-6)
        return cls(tuple(words), np.asarray(ties, dtype=np.float32), {word: n for n, word in enumerate(words)})

    def speaking_of(self, text: str, dimension: int, *, most: int = 1) -> list[str]:
        """Words of a text that speak of a motivation, those most tied to it first; as the text spells them."""
        found: dict[str, str] = {}
        for hit in re.finditer(_WORD, text):
            found.setdefault(hit[0].lower(), hit[0])
        tied = [(self.ties[self.number_of[low], dimension], low) for low in found if low in self.number_of]
        best = sorted((pair for pair in tied if pair[0] >= _LEAST_TIE), key=lambda pair: (-pair[0], pair[1]))
        return [found[low] for _, low in best[:most]]

    def traits(
        self, item_id: str, text: str, *, served: Vectors, of: MotivationSchema, brands: Brands | None = None
    ) -> ItemTraits | None:
        """An item's traits: words that speak of what it serves most, then descriptions that its text is like.

        Args:
            item_id: Whose.
            text: Its whole text.
            served: How much it serves each motivation, [M].
            of: The motivations.
            brands: Of the catalogue; no trait names one.

        Returns:
            None where nothing can be said.
        """
        order = np.argsort(-served, kind="stable").tolist()
        words = [word.lower() for number in order[:3] for word in self.speaking_of(text, number, most=3)]
        liked = [number for number in order[:_MOST_DESCRIPTIONS] if served[number] >= _LEAST_LIKE]
        phrases = [*list(dict.fromkeys(words))[:_MOST_WORDS], *(of.dimensions[n].descriptions[0] for n in liked)]
        kept = clean_traits(phrases, item_id=item_id, brands=brands or Brands.none()).kept
        return ItemTraits(item_id, kept, WRITER) if kept else None


def _told_words(texts: Sequence[str], titles: Sequence[str]) -> list[str]:
    """Words that some items' texts hold, but not most; no fillers and no brands."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer  # loads slowly

    counter = CountVectorizer(token_pattern=_WORD, binary=True, dtype=np.float32)
    try:
        held = counter.fit_transform(texts)
    except ValueError:  # No text holds a word: scikit-learn knows no empty vocabulary.
        return []
    words = counter.get_feature_names_out().tolist()
    n_items = np.asarray(held.sum(axis=0)).ravel()
    firsts = dict.fromkeys(words, 0)
    for title in titles:
        first = re.search(r"[^\W\d_]+", title)
        if first and first[0].lower() in firsts:
            firsts[first[0].lower()] += 1
    is_brand = np.array([firsts[word] for word in words]) > _MOST_FIRST * n_items
    is_common = (n_items >= min(_FEWEST_ITEMS, len(texts))) & (n_items <= max(_MOST_SHARE * len(texts), 2))
    return [words[n] for n in np.flatnonzero(is_common & ~is_brand) if words[n] not in ENGLISH_STOP_WORDS]


@dataclass(frozen=True, slots=True)
class OfflineReason:
    """What a reason rests on, before it is put in words."""

    dimension: int | None
    """Of the motivations; None where none is shared."""
    trait: str | None
    """A word of the item's text that speaks of it; None if none does."""


def shared_motivation(strengths: Sequence[int], served: Vectors, *, text: str, lexicon: TraitLexicon) -> OfflineReason:
    """The motivation of a user that an item serves most; one that a word of its text speaks of goes first.

    Args:
        strengths: Of the user's motivations, [M].
        served: How much the item serves each, [M].
        text: The item's.
        lexicon: Of the catalogue.
    """
    shared = [
        (float(strength * value), number)
        for number, (strength, value) in enumerate(zip(strengths, served.tolist(), strict=True))
        if strength and value > 0
    ]
    ordered = [number for _, number in sorted(shared, key=lambda pair: (-pair[0], pair[1]))]
    for number in ordered:
        words = lexicon.speaking_of(text, number)
        if words:
            return OfflineReason(number, words[0])
    return OfflineReason(ordered[0] if ordered else None, None)
