"""Which items share words: brands, kinds and series that a sentence encoder blurs, by TF-IDF."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_WORD = re.compile(r"\w+")
_FEWEST_ITEMS = 2
"""A word of one item alone is shared by none."""
_MOST_SHARE = 0.2
"""A word of more items than that says little, and takes long."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemWords:
    """Words of a catalogue's texts, weighted."""

    vocabulary: tuple[str, ...]
    """Sorted."""
    inverse_frequency: NDArray[np.float32]
    """log(items / items with the word) + 1, [W]."""
    by_item: sparse.csr_array
    """(1 + log(count)) x inverse frequency, rows of length 1, [N W]."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> "ItemWords":
        """Learn a catalogue's words."""
        counts = [_counts(text) for text in texts]
        n_items = Counter(word for count in counts for word in count)
        most = max(_MOST_SHARE * len(texts), _FEWEST_ITEMS)
        vocabulary = tuple(sorted(word for word, n in n_items.items() if _FEWEST_ITEMS <= n <= most))
        frequency = np.array([n_items[word] for word in vocabulary], dtype=np.float64)
        inverse = (np.log(len(texts) / np.maximum(frequency, 1)) + 1).astype(np.float32)
        return cls(vocabulary, inverse, _rows(counts, vocabulary, inverse))

    def rows(self, texts: Sequence[str]) -> sparse.csr_array:
        """Weighted words of other texts, rows of length 1, [A W]; words that the catalogue lacks do not count."""
        return _rows([_counts(text) for text in texts], self.vocabulary, self.inverse_frequency)

    def of_rows(self, rows: sparse.csr_array) -> "ItemWords":
        """Other items in the same vocabulary."""
        return replace(self, by_item=rows)

    def asked(self, history: NDArray[np.int64], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weighted words of a history, of length 1, [W]; zeros if it has none.

        Args:
            history: Places in the catalogue, from 0.
            weights: Of each of them.
        """
        summed = np.zeros(len(self.vocabulary), dtype=np.float32)
        for place, weight in zip(history.tolist(), weights.tolist(), strict=True):
            row = slice(self.by_item.indptr[place], self.by_item.indptr[place + 1])
            summed[self.by_item.indices[row]] += np.float32(weight) * self.by_item.data[row]
        return np.asarray(summed / max(float(np.linalg.norm(summed)), 1e-9), dtype=np.float32)

    def shared(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosine of each item's words with a query of length 1, [N]."""
        return np.asarray(self.by_item @ query, dtype=np.float32)

    def grown(self, rows: sparse.csr_array, *, order: NDArray[np.int64]) -> "ItemWords":
        """The same with more items, whose words the catalogue has.

        Args:
            rows: Of the new items, [A W].
            order: Which item, of the old ones followed by the new ones, stands at each place.
        """
        joined = sparse.csr_array(sparse.vstack([self.by_item, rows], format="csr"))[order]
        joined.sort_indices()
        return replace(self, by_item=joined)


def _counts(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.casefold()))


def _rows(counts: Sequence[Counter[str]], vocabulary: Sequence[str], inverse: NDArray[np.float32]) -> sparse.csr_array:
    number_of = {word: number for number, word in enumerate(vocabulary)}
    columns, values, lengths = list[int](), list[float](), list[int]()
    for count in counts:
        known = sorted((number_of[word], n) for word, n in count.items() if word in number_of)
        weighed = [(1 + np.log(n)) * float(inverse[number]) for number, n in known]
        length = max(float(np.linalg.norm(weighed)), 1e-9) if weighed else 1.0
        columns += [number for number, _ in known]
        values += [value / length for value in weighed]
        lengths.append(len(known))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    shape = (len(counts), len(vocabulary))
    return sparse.csr_array(
        (np.array(values, dtype=np.float32), np.array(columns, dtype=np.int64), offsets), shape=shape
    )
