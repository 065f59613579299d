"""Sparse counts and how they are weighted: the same formulas serve users by items and items by words.

Every row is computed from itself and from what was learned, so that it is the same to the bit in any company.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from whyrec.data.sequences import Sequences

Weighting = Literal["binary", "tfidf", "bm25"]

BM25_K1 = 1.2
BM25_B = 0.75


def user_item_counts(
    sequences: Sequences, *, n_items: int, values: NDArray[np.float32] | None = None
) -> sparse.csr_array:
    """How often each user has had each item: users by items, float32.

    Args:
        sequences: Histories.
        n_items: Size of the catalogue.
        values: What one interaction counts, in the order of ``sequences.items``; None counts each as 1.
    """
    counted = np.ones(len(sequences.items), dtype=np.float32) if values is None else values
    shape = (len(sequences), n_items)
    counts = sparse.csr_array((counted, sequences.items.astype(np.int64) - 1, sequences.offsets), shape=shape)
    counts.sum_duplicates()
    return counts


def recency_weights(sequences: Sequences, *, half_life: float | None) -> NDArray[np.float32]:
    """What each item of a history counts: 1 for the newest, half as much so many items earlier; None: all alike."""
    if half_life is None:
        return np.ones(len(sequences.items), dtype=np.float32)
    ends = np.repeat(sequences.offsets[1:], sequences.lengths)
    age = ends - 1 - np.arange(len(sequences.items))
    return np.exp2(-age / half_life).astype(np.float32)


def row_lengths(matrix: sparse.csr_array) -> NDArray[np.float32]:
    """Euclidean length of every row."""
    squares = sparse.csr_array((matrix.data * matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)
    return np.sqrt(np.asarray(squares.sum(axis=1), dtype=np.float32))


@dataclass(frozen=True, slots=True)
class ColumnWeights:
    """What is known of the columns, from which any row of counts is weighted: those learned from and new ones."""

    kind: Weighting
    inverse_frequency: NDArray[np.float32]
    """Per column; ones where the weighting does not ask for it."""
    mean_count: float
    """Counts of a row, on average."""

    @classmethod
    def learn(cls, counts: sparse.csr_array, kind: Weighting) -> "ColumnWeights":
        """Count in how many rows each column stands."""
        n_rows, n_columns = counts.shape
        frequency = np.bincount(counts.indices, minlength=n_columns)
        if kind == "binary":
            inverse = np.ones(n_columns)
        elif kind == "tfidf":
            inverse = np.log(n_rows / np.maximum(frequency, 1)) + 1
        else:
            inverse = np.log1p((n_rows - frequency + 0.5) / (frequency + 0.5))
        return cls(kind, inverse.astype(np.float32), float(counts.sum()) / max(n_rows, 1))

    def weigh(self, counts: sparse.csr_array) -> sparse.csr_array:
        """Weigh rows of counts.

        ``binary``: 1. ``tfidf``: sqrt(count) x (log(rows / rows with it) + 1). ``bm25``: Okapi BM25 with k1 = 1.2 and
        b = 0.75, in the form whose inverse frequency is never negative.
        """
        if self.kind == "binary":
            data = np.ones_like(counts.data)
        elif self.kind == "tfidf":
            data = np.sqrt(counts.data) * self.inverse_frequency[counts.indices]
        else:
            per_row = np.asarray(counts.sum(axis=1), dtype=np.float32)
            relative = np.repeat(per_row, np.diff(counts.indptr)) / np.float32(max(self.mean_count, 1e-9))
            damped = counts.data + np.float32(BM25_K1) * (np.float32(1 - BM25_B) + np.float32(BM25_B) * relative)
            data = counts.data * np.float32(BM25_K1 + 1) / damped * self.inverse_frequency[counts.indices]
        return sparse.csr_array((data.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)
