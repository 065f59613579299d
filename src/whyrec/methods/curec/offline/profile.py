"""How a history's shares of aspects compare with the average user's: counts by sparse products, smoothed lifts."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from whyrec.data.sequences import Sequences

CLEARLY_MORE = 1.2
"""Times the average user's share from which a share is worth a word; below its inverse it is called smaller."""


def average_shares(histories: Sequences, matrix: csr_matrix) -> Float[np.ndarray, " A"]:
    """Mean over users of the share of their items that has each aspect.

    Args:
        histories: Of all users, up to the moment that may be known; empty ones do not count.
        matrix: Items by aspects, from item number 1.

    Returns:
        Shares from 0 to 1; zeros where nobody has a history.
    """
    lengths = histories.lengths
    n_users = int((lengths > 0).sum())
    if not n_users:
        return np.zeros(matrix.shape[1])
    by_item = np.bincount(histories.items, weights=1 / np.repeat(lengths, lengths), minlength=matrix.shape[0])
    shares: Float[np.ndarray, " A"] = matrix.T @ by_item / n_users
    return shares


def aspect_counts(histories: Sequences, matrix: csr_matrix) -> csr_matrix:
    """Interactions of each history that have each aspect: ``[B, A]``."""
    ones = np.ones(len(histories.items), dtype=np.float32)
    chosen = csr_matrix((ones, histories.items, histories.offsets), shape=(len(histories), matrix.shape[0]))
    return chosen @ matrix


def log_lifts(
    counts: NDArray[np.float64], *, lengths: NDArray[np.float64], shares: NDArray[np.float64], prior: float
) -> NDArray[np.float64]:
    """Logarithm of a smoothed share over the average user's: the weight of an interest; above 0 is more than average.

    Args:
        counts: Interactions that have an aspect.
        lengths: Interactions of the history that each count was taken from.
        shares: The average user's share of each aspect, above 0.
        prior: Interactions of the average user that are added to the history.
    """
    smoothed = (counts + prior * shares) / (lengths + prior)
    found: NDArray[np.float64] = np.log(smoothed / shares)
    return found


@dataclass(frozen=True, slots=True)
class Interest:
    """An aspect of a history, and how it compares with the average user's."""

    aspect: int
    """Number in the table of aspects."""
    count: int
    n: int
    """Interactions that were counted, the most recent ones of the history."""
    share: float
    """The average user's share of the aspect."""
    weight: float
    """Smoothed log-lift."""

    @property
    def lift(self) -> float:
        """Plain share over the average user's; infinite where nobody else has it."""
        return self.count / self.n / self.share if self.share else np.inf

    @property
    def is_more(self) -> bool:
        """More than the average user, be it of a single interaction."""
        return self.weight > 0 and self.lift > 1

    @property
    def is_interest(self) -> bool:
        """More than a single interaction, and clearly more than the average user."""
        return self.count > 1 and self.lift >= CLEARLY_MORE


@dataclass(frozen=True, slots=True)
class Ranked:
    """The entries of a sparse table, best first within each row."""

    offsets: NDArray[np.int64]
    aspects: NDArray[np.int32]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]

    def row(self, row: int, *, n: int, shares: NDArray[np.float64]) -> list[Interest]:
        """One row's interests, best first, of a history of ``n`` counted interactions."""
        span = slice(self.offsets[row], self.offsets[row + 1])
        triples = zip(self.aspects[span].tolist(), self.counts[span].tolist(), self.weights[span].tolist(), strict=True)
        return [Interest(aspect, int(count), n, float(shares[aspect]), weight) for aspect, count, weight in triples]


def rank_aspects(
    counts: csr_matrix,
    *,
    lengths: NDArray[np.int64],
    shares: NDArray[np.float64],
    salience: NDArray[np.float64],
    prior: float,
    at_most: int,
) -> Ranked:
    """Order each row's aspects by log-lift, salience and evidence, and keep the best.

    Args:
        counts: ``[B, A]`` interactions by aspect.
        lengths: Counted interactions of each row.
        shares: The average user's, by aspect.
        salience: How telling each aspect is, as a factor.
        prior: As in ``log_lifts``.
        at_most: Entries of a row to keep.
    """
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    aspects, numbers = counts.indices, counts.data.astype(np.float64)
    floor = np.maximum(shares, 1e-9)
    weights = log_lifts(numbers, lengths=lengths[rows].astype(np.float64), shares=floor[aspects], prior=prior)
    # One film by a rare director counts, nine film noirs count more: evidence grows with the root.
    telling = salience[aspects] * np.sqrt(numbers)
    score = weights * np.where(weights > 0, telling, 1 / np.maximum(telling, 1e-9))
    order = np.lexsort((aspects, -score, rows))
    starts = np.repeat(counts.indptr[:-1], np.diff(counts.indptr))
    is_kept = np.arange(len(order)) - starts < at_most
    kept = order[is_kept]
    n_kept = np.minimum(np.diff(counts.indptr), at_most)
    offsets = np.concatenate([[0], np.cumsum(n_kept)]).astype(np.int64)
    return Ranked(offsets, aspects[kept], numbers[kept], weights[kept])
