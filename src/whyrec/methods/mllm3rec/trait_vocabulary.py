"""One name for each trait, however it was put: phrases that mean the same are told by their embeddings, and those
that only sound alike ("for men", "for women") by the words in which they contrast.

Deterministic: the same phrases give the same names, in whatever order they come.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from whyrec.errors import InvalidConfigError
from whyrec.methods.mllm3rec.artefacts import ItemTraits
from whyrec.methods.mllm3rec.trait_contrasts import contrasts_in

ALIKE = 0.75
"""Cosine from which two phrases are one trait. Chosen by eye on some sixty phrases, with the packaged encoder."""
_AT_ONCE = 512


class TextEncoder(Protocol):
    """The part of ``Embedder`` that is used."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        ...


@dataclass(frozen=True, slots=True)
class TraitVocabulary:
    """The names of traits (V, M-LLM3REC §3.2.1)."""

    name_of: Mapping[str, str]
    """By phrase in lower case; a name's own name is itself."""

    @classmethod
    def of(cls, traits: Iterable[ItemTraits], *, encoder: TextEncoder, alike: float = ALIKE) -> "TraitVocabulary":
        """Find the phrases that mean the same and name each group by its most frequent one.

        Greedy: from the most frequent phrase to the rarest, each is given the most similar name so far if it is
        similar enough and holds the same contrasting words, and is a name of its own else. Equally frequent ones go by
        the alphabet.

        Args:
            traits: Of all items.
            encoder: Of phrases.
            alike: Cosine from which two phrases are one trait; above 1 nothing is.

        Raises:
            InvalidConfigError: If ``alike`` is not above 0.
        """
        if not alike > 0:
            raise InvalidConfigError(f"trait vocabulary: expected alike above 0, got {alike}. Choose, say, {ALIKE}.")
        counts = Counter(phrase.casefold() for one in traits for phrase in one.traits)
        phrases = sorted(counts, key=lambda phrase: (-counts[phrase], phrase))
        if not phrases:
            return cls({})
        vectors = _unit(encoder.embed(phrases))
        found: dict[str, str] = {}
        for places in _contrasting(phrases):
            found |= _names([phrases[it] for it in places], vectors=vectors[places], alike=alike)
        return cls(found)

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(set(self.name_of.values()))

    def name(self, phrase: str) -> str:
        """What a phrase is called; itself in lower case where it is new."""
        folded = phrase.casefold()
        return self.name_of.get(folded, folded)

    def renamed(self, traits: ItemTraits) -> ItemTraits:
        """An item's traits by their names, each once."""
        return replace(traits, traits=tuple(dict.fromkeys(map(self.name, traits.traits))))


def _contrasting(phrases: Sequence[str]) -> list[list[int]]:
    """Places of the phrases that hold the same contrasting words, each group in its order."""
    groups: dict[frozenset[str], list[int]] = {}
    for place, phrase in enumerate(phrases):
        groups.setdefault(contrasts_in(phrase), []).append(place)
    return list(groups.values())


def _names(phrases: Sequence[str], *, vectors: NDArray[np.float32], alike: float) -> dict[str, str]:
    """Go through the phrases in blocks: each block against all names before it at once, then within itself."""
    names: list[int] = []
    found: dict[str, str] = {}
    for start in range(0, len(phrases), _AT_ONCE):
        block = vectors[start : start + _AT_ONCE]
        before = _most_similar(block, vectors, names)
        within = block @ block.T
        new: list[int] = []
        for row, (place, similarity) in enumerate(before):
            if new:
                nearest = new[int(within[row, new].argmax())]
                # Of equally similar names the earlier, more frequent one is taken.
                if within[row, nearest] > similarity:
                    place, similarity = start + nearest, float(within[row, nearest])
            if similarity < alike:
                place = start + row
                new.append(row)
            found[phrases[start + row]] = phrases[place]
        names += [start + row for row in new]
    return found


def _most_similar(
    block: NDArray[np.float32], vectors: NDArray[np.float32], names: Sequence[int]
) -> list[tuple[int, float]]:
    """The name most similar to each row of a block, and how similar it is."""
    if not names:
        return [(-1, -np.inf)] * len(block)
    similarity = block @ vectors[list(names)].T
    nearest = similarity.argmax(axis=1)
    return [(names[place], float(similarity[row, place])) for row, place in enumerate(nearest.tolist())]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit
