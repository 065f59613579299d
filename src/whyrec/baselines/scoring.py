"""Scores of all items from sparse votes or dense vectors, in blocks whose size bounds the memory.

A row's scores are the same to the bit whoever else is asked for: sparse products run row by row, and dense ones, which
round differently in other shapes, always get the same number of rows.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from whyrec.data.sequences import Histories, Sequences
from whyrec.recommending.base import ScoreBlock
from whyrec.runtime.threads import one_thread

Vectors = NDArray[np.float32]

DENSE_ROWS = 16
_BLOCK_VALUES = 1 << 23
"""Scores that stand in memory at once: 32 MiB of float32."""


def rows_per_block(n_columns: int) -> int:
    """How many rows of so many columns may stand in memory densely."""
    return max(1, _BLOCK_VALUES // max(n_columns, 1))


def vote_blocks(
    histories: Histories,
    rows: NDArray[np.int64],
    *,
    votes: Callable[[Sequences], sparse.csr_array],
    popularity: NDArray[np.float64],
) -> Iterator[ScoreBlock]:
    """Scores that most items get none of: those without a vote follow, the popular ones first.

    Args:
        histories: Of everybody.
        rows: Whom to score.
        votes: Turns the histories of a block into users by items; nothing in it is negative.
        popularity: Per item.
    """
    rest = (popularity / (popularity.max(initial=0) + 1) - 1).astype(np.float32)
    n_items = len(popularity)
    size = rows_per_block(n_items)
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        found = votes(histories.sequences.select(block)).toarray()
        scores = np.where(found > 0, found, rest)
        yield block, torch.from_numpy(scores.astype(np.float32, copy=False))


def vector_blocks(
    rows: NDArray[np.int64],
    *,
    user_vectors: Vectors,
    item_vectors: Vectors,
    item_bias: Vectors | None = None,
) -> Iterator[ScoreBlock]:
    """Products of users' vectors with those of all items.

    Args:
        rows: Whom the user vectors belong to, one each.
        user_vectors: In the order of ``rows``.
        item_vectors: One per item.
        item_bias: Added to the scores.
    """
    table = torch.from_numpy(np.ascontiguousarray(item_vectors.T))
    bias = 0 if item_bias is None else torch.from_numpy(item_bias)
    # Many small products, but few blocks: whoever takes them has a cost per block.
    size = max(rows_per_block(len(item_vectors)) // DENSE_ROWS, 1) * DENSE_ROWS
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        padded = np.zeros((-(-len(block) // DENSE_ROWS) * DENSE_ROWS, user_vectors.shape[1]), dtype=np.float32)
        padded[: len(block)] = user_vectors[start : start + size]
        with one_thread():
            parts = torch.from_numpy(padded).view(-1, DENSE_ROWS, padded.shape[1])
            scores = torch.cat([part @ table + bias for part in parts])
        yield block, scores[: len(block)]
