"""Which items share words: brands, kinds and series that a sentence encoder blurs, by TF-IDF."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

_FEWEST_ITEMS = 2
"""A word of one item alone is shared by none."""
_MOST_SHARE = 0.2
"""A word of more items than that says little, and takes long."""


@dataclass(frozen=True, eq=False)
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
        """Learn a catalogue's words; nothing is learned where no two items share one."""
        most = max(int(_MOST_SHARE * len(texts)), _FEWEST_ITEMS)
        vectorizer = _vectorizer(min_df=_FEWEST_ITEMS, max_df=most)
        try:
            by_item = vectorizer.fit_transform(texts)
        except ValueError:  # what scikit-learn says of an empty vocabulary
            return cls((), np.zeros(0, dtype=np.float32), sparse.csr_array((len(texts), 0), dtype=np.float32))
        vocabulary = tuple(vectorizer.get_feature_names_out().tolist())
        return cls(vocabulary, vectorizer.idf_.astype(np.float32), sparse.csr_array(by_item))

    def rows(self, texts: Sequence[str]) -> sparse.csr_array:
        """Weighted words of other texts, rows of length 1, [A W]; words that the catalogue lacks do not count."""
        if not len(texts) or not self.vocabulary:
            return sparse.csr_array((len(texts), 0), dtype=np.float32)
        return sparse.csr_array(self._fitted.transform(texts))

    @cached_property
    def _fitted(self) -> TfidfVectorizer:
        vectorizer = _vectorizer(vocabulary=self.vocabulary)
        vectorizer.idf_ = self.inverse_frequency
        return vectorizer

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

    def heaviest_shared(self, query: NDArray[np.float32], place: int) -> str | None:
        """The word that adds most to an item's cosine with a query; fillers such as "about" are passed by.

        Args:
            query: Weighted words, [W].
            place: Of the item, from 0.

        Returns:
            None if they share no word.
        """
        row = slice(self.by_item.indptr[place], self.by_item.indptr[place + 1])
        columns = self.by_item.indices[row]
        products = query[columns] * self.by_item.data[row]
        words = [self.vocabulary[columns[n]] for n in np.argsort(-products, kind="stable") if products[n] > 0]
        return next((word for word in words if len(word) > 2 and word not in ENGLISH_STOP_WORDS), None)

    def grown(self, rows: sparse.csr_array, *, order: NDArray[np.int64]) -> "ItemWords":
        """The same with more items, whose words the catalogue has.

        Args:
            rows: Of the new items, [A W].
            order: Which item, of the old ones followed by the new ones, stands at each place.
        """
        joined = sparse.csr_array(sparse.vstack([self.by_item, rows], format="csr"))[order]
        joined.sort_indices()
        return replace(self, by_item=joined)


def _vectorizer(**settings: object) -> TfidfVectorizer:
    return TfidfVectorizer(
        token_pattern=r"\w+",
        preprocessor=str.casefold,
        sublinear_tf=True,
        smooth_idf=False,
        dtype=np.float32,
        **settings,
    )
