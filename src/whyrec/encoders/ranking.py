"""Scores of the whole catalogue in blocks of users, and where held-out items stand; never all users by all items."""

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.sequences import rectangle
from whyrec.recommending.topk import hide_seen

ScoredBlock = tuple[NDArray[np.int64], Float[Tensor, "B I"]]
"""Some of the users, and their scores on the CPU."""

Block = tuple[NDArray[np.int64], int]
"""Positions of users whose histories fit one width, and the width."""

_BLOCK_USERS = 16
_SCORES_AT_ONCE = 1 << 19
"""Several blocks are handed out together up to so many scores: what is done with each then costs less."""
_WIDTH_STEP = 16


@torch.inference_mode()
def score_blocks(encoder: SequenceEncoder, histories: Sequences, users: NDArray[np.int64]) -> Iterator[ScoredBlock]:
    """Scores of all items for a block of users at a time.

    A user's scores are the same to the bit whoever else is asked for: matrix products round differently in other
    shapes, so that all blocks have the same number of rows (the last is filled up) and a user's own length alone
    decides how wide the block is.

    Args:
        encoder: A trained encoder.
        histories: What it reads.
        users: Rows of ``histories``; none may be empty.

    Yields:
        Some of the users, and their scores on the CPU.
    """
    encoder.eval()
    table, bias = encoder.output_table().T.contiguous(), encoder.output_bias()

    @torch.inference_mode()
    def scored(group: Sequence[Block]) -> ScoredBlock:
        parts = []
        for block, width in group:
            filled = np.resize(users[block], _BLOCK_USERS)
            batch = rectangle(histories, filled, max_history=encoder.max_history, width=width).to(table.device)
            scores = encoder.last_state(batch) @ table
            if bias is not None:
                scores += bias
            parts.append(scores[: len(block)])
        return users[np.concatenate([block for block, _ in group])], torch.cat(parts).float().cpu()

    blocks = list(_blocks(histories.lengths[users], max_history=encoder.max_history))
    at_once = max(_SCORES_AT_ONCE // (_BLOCK_USERS * table.shape[1]), 1)
    groups = [blocks[start : start + at_once] for start in range(0, len(blocks), at_once)]
    yield from _side_by_side(scored, groups, n_threads=(os.cpu_count() or 1) if table.device.type == "cpu" else 1)


def _side_by_side(
    scored: Callable[[Sequence[Block]], ScoredBlock], groups: Sequence[Sequence[Block]], *, n_threads: int
) -> Iterator[ScoredBlock]:
    """Results in order; only a few groups are ahead of the one that is asked for, so that memory stays small."""
    ahead: deque[Future[ScoredBlock]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        for group in groups:
            ahead.append(pool.submit(scored, group))
            if len(ahead) > n_threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _blocks(lengths: NDArray[np.int64], *, max_history: int) -> Iterator[Block]:
    """Positions in blocks of equal width, and the width."""
    widths = np.minimum(-(-np.maximum(lengths, 1) // _WIDTH_STEP) * _WIDTH_STEP, max_history)
    for width in np.unique(widths)[::-1]:
        same = np.flatnonzero(widths == width)
        for start in range(0, len(same), _BLOCK_USERS):
            yield same[start : start + _BLOCK_USERS], int(width)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One item per user to be found again: the last one, from what came before it."""

    histories: Sequences
    targets: NDArray[np.int32]
    """Item numbers, one per row of ``histories``."""

    @classmethod
    def last_items(cls, sequences: Sequences) -> "HeldOut":
        """The last item of every user with at least two."""
        users = np.flatnonzero(sequences.lengths >= 2)
        return cls(sequences.select(users, without_last=1), sequences.select(users, newest=1).items)


@torch.inference_mode()
def target_ranks(encoder: SequenceEncoder, held_out: HeldOut) -> NDArray[np.float64]:
    """Rank of each held-out item among all items that the user has not seen before, as ``ranks_in``.

    A target that was seen before cannot be found: its rank is infinite.
    """
    users = np.arange(len(held_out.histories))
    ranks = np.empty(len(users))
    for block, scores in score_blocks(encoder, held_out.histories, users):
        hide_seen(scores, held_out.histories, block)
        ranks[block] = ranks_in(scores, held_out.targets[block])
    return ranks


def ranks_in(scores: Float[Tensor, "B I"], targets: NDArray[np.int32]) -> NDArray[np.float64]:
    """Rank of one item in each row: ties by average rank, 1 + #greater + #equal / 2; infinite where it is hidden.

    Args:
        scores: On the CPU, minus infinity where an item is hidden.
        targets: Item numbers, from 1.
    """
    table = scores.numpy()
    mine = np.take_along_axis(table, targets.astype(np.int64)[:, None] - 1, axis=1)
    found = 1.0 + _true_in_rows(table > mine) + (_true_in_rows(table == mine) - 1) / 2
    return np.where(np.isfinite(mine[:, 0]), found, math.inf)


def _true_in_rows(mask: Bool[np.ndarray, "B I"]) -> NDArray[np.int64]:
    """How many are true in each row; numpy counts a whole row many at a time, but one by one along an axis."""
    return np.array([np.count_nonzero(row) for row in mask], dtype=np.int64)


def hit_rate(ranks: NDArray[np.float64], *, k: int) -> float:
    """Share of held-out items among the first k."""
    return float((ranks <= k).mean())


def ndcg(ranks: NDArray[np.float64], *, k: int) -> float:
    """Mean of 1 / log2(rank + 1) where the held-out item is among the first k, else 0."""
    return float(np.where(ranks <= k, 1 / np.log2(ranks + 1), 0.0).mean())
