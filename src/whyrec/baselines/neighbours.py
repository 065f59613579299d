"""Nearest neighbours on interactions: items like those of the history (ItemKNN), items of users alike (UserKNN).

Both read the history at hand: interactions since the fit count, and a user whom fit did not know needs no treatment of
its own. Similarities are computed and cut to the nearest in blocks; there is never a full matrix of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy import sparse

from whyrec.baselines.scoring import rows_per_block, vote_blocks
from whyrec.baselines.weighting import ColumnWeights, Weighting, recency_weights, row_lengths, user_item_counts
from whyrec.data.sequences import Histories, Sequences
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.recommending.topk import exact_top_k
from whyrec.runtime.strict_model import StrictModel


class NeighbourConfig(StrictModel):
    """Settings of both kinds."""

    n_neighbours: int = Field(default=100, ge=1)
    """Nearest that are kept. Chosen: between the 20 of early papers and the 200 of tuned ones."""
    weighting: Weighting = "binary"
    """How an interaction counts: ``binary``, ``tfidf`` or ``bm25``, over users' items; then cosine."""
    shrinkage: float = Field(default=0.0, ge=0)
    """Added to the denominator of the cosine, so that likeness that rests on few interactions counts less."""


class ItemKnnConfig(NeighbourConfig):
    """Settings of ItemKNN."""

    half_life: float | None = Field(default=None, gt=0)
    """An item counts half of one that stands so many places later in the history; None: all count alike."""


class ItemKnnRecommender(ScoringRecommender):
    """Every item of the history votes for its nearest items, by cosine over users (Deshpande and Karypis 2004)."""

    Config: ClassVar[type[BaseModel]] = ItemKnnConfig
    config: ItemKnnConfig
    neighbours_: sparse.csr_array

    def learn(self, training: TrainingData) -> None:
        """Find the nearest items of every item."""
        counts = user_item_counts(training.sequences, n_items=training.n_items)
        by_item = ColumnWeights.learn(counts, self.config.weighting).weigh(counts).T.tocsr()
        self.neighbours_ = nearest(by_item, NeighbourTable.of(by_item), config=self.config, is_same=True)

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Sum the votes of each row's items."""

        def votes(sequences: Sequences) -> sparse.csr_array:
            weights = recency_weights(sequences, half_life=self.config.half_life)
            had = user_item_counts(sequences, n_items=len(self.item_ids_), values=weights)
            # An item that was had twice votes once, as it did when likeness was learned.
            had.data = np.minimum(had.data, 1)
            return had @ self.neighbours_

        return vote_blocks(histories, rows, votes=votes, popularity=self.popularity_)

    def arrays(self) -> dict[str, np.ndarray]:
        """The nearest items and their likeness."""
        return sparse_arrays(self.neighbours_)

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take the nearest items back."""
        n_items = len(self.item_ids_)
        self.neighbours_ = sparse_from(arrays, shape=(n_items, n_items))


class UserKnnRecommender(ScoringRecommender):
    """The users whose histories are nearest vote for their items, each by its cosine (Resnick et al. 1994)."""

    Config: ClassVar[type[BaseModel]] = NeighbourConfig
    config: NeighbourConfig
    counts_: sparse.csr_array

    def learn(self, training: TrainingData) -> None:
        """Keep who had what."""
        self._take(user_item_counts(training.sequences, n_items=training.n_items))

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Sum the votes of the users who are nearest to each row."""

        def votes(sequences: Sequences) -> sparse.csr_array:
            asked = self._weights.weigh(user_item_counts(sequences, n_items=len(self.item_ids_)))
            return nearest(asked, self._table, config=self.config) @ self._had

        return vote_blocks(histories, rows, votes=votes, popularity=self.popularity_)

    def arrays(self) -> dict[str, np.ndarray]:
        """Who had what, without names."""
        return sparse_arrays(self.counts_)

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take it back."""
        self._take(sparse_from(arrays, shape=(len(arrays["offsets"]) - 1, len(self.item_ids_))))

    def _take(self, counts: sparse.csr_array) -> None:
        self.counts_ = counts
        self._weights = ColumnWeights.learn(counts, self.config.weighting)
        self._table = NeighbourTable.of(self._weights.weigh(counts))
        self._had = sparse.csr_array((np.ones_like(counts.data), counts.indices, counts.indptr), shape=counts.shape)


@dataclass(frozen=True, slots=True)
class NeighbourTable:
    """Rows among which neighbours are found, prepared once."""

    transposed: sparse.csr_array
    """Columns by rows."""
    lengths: NDArray[np.float32]
    """Euclidean, of each row."""

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> "NeighbourTable":
        """Prepare a matrix."""
        return cls(matrix.T.tocsr(), row_lengths(matrix))


def nearest(
    asked: sparse.csr_array, table: NeighbourTable, *, config: NeighbourConfig, is_same: bool = False
) -> sparse.csr_array:
    """The nearest rows of a table, by shrunken cosine, equal ones in the order of rows.

    Args:
        asked: Rows to find neighbours of.
        table: Rows to find them among.
        config: How many, and the shrinkage.
        is_same: The two are one; a row is then not its own neighbour.

    Returns:
        Asked rows by table rows: the likeness of those that are near and like at all.
    """
    n_rows, n_table = asked.shape[0], len(table.lengths)
    lengths = row_lengths(asked)
    k = min(config.n_neighbours, n_table)
    parts = []
    size = rows_per_block(n_table)
    for start in range(0, n_rows, size):
        block = np.arange(start, min(start + size, n_rows))
        likeness = (asked[block] @ table.transposed).toarray()
        likeness /= lengths[block, None] * table.lengths + np.float32(config.shrinkage) + np.float32(1e-12)
        if is_same:
            likeness[np.arange(len(block)), block] = 0
        likeness[likeness <= 0] = -np.inf
        best, found = (tensor.numpy() for tensor in exact_top_k(torch.from_numpy(likeness), k=k))
        is_near = best > -np.inf
        offsets = np.concatenate([[0], np.cumsum(is_near.sum(axis=1))])
        parts.append(sparse.csr_array((best[is_near], found[is_near], offsets), shape=(len(block), n_table)))
    joined = sparse.csr_array(sparse.vstack(parts, format="csr"))
    # In the order of columns, so that sums come out the same whatever the order of likeness.
    joined.sort_indices()
    return joined


def sparse_arrays(matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    """A sparse matrix as three arrays that can be saved."""
    return {
        "values": matrix.data.astype(np.float32),
        "columns": matrix.indices.astype(np.int64),
        "offsets": matrix.indptr.astype(np.int64),
    }


def sparse_from(arrays: dict[str, np.ndarray], *, shape: tuple[int, int]) -> sparse.csr_array:
    """What ``sparse_arrays`` took apart."""
    return sparse.csr_array((arrays["values"], arrays["columns"], arrays["offsets"]), shape=shape)
