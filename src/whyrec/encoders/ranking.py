"""Exact top-K over the whole catalogue in blocks of users, never a matrix of all users by all items."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.sequences import Sequences, rectangle

_BLOCK_USERS = 256
_BLOCK_ITEMS = 64


@dataclass(frozen=True, slots=True)
class TopItems:
    """The best items of each user, best first; equal scores stand in the order of item numbers."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    """Shape (n_users, k): item numbers from 1; 0 where fewer than k are left."""
    scores: NDArray[np.float32]
    """Shape (n_users, k); minus infinity where the item is 0."""


@torch.inference_mode()
def top_items(
    encoder: SequenceEncoder,
    histories: Sequences,
    users: NDArray[np.int64],
    *,
    k: int,
    seen: Sequences | None,
) -> TopItems:
    """Rank all items for some users.

    Args:
        encoder: A trained encoder.
        histories: What it reads.
        users: Rows of ``histories``; none may be empty.
        k: Length of the lists.
        seen: Items to leave out, per row; None leaves out nothing.
    """
    items = np.zeros((len(users), k), dtype=np.int64)
    scores = np.full((len(users), k), -math.inf, dtype=np.float32)
    for places, block in score_blocks(encoder, histories, users, seen=seen):
        best, found = exact_top_k(block, k=min(k, block.shape[1]))
        valid = np.isfinite(best.numpy())
        items[places, : best.shape[1]] = np.where(valid, found.numpy() + 1, 0)
        scores[places, : best.shape[1]] = best.numpy()
    return TopItems(users, items, scores)


@torch.inference_mode()
def score_blocks(
    encoder: SequenceEncoder, histories: Sequences, users: NDArray[np.int64], *, seen: Sequences | None
) -> Iterator[tuple[NDArray[np.int64], Float[Tensor, "B I"]]]:
    """Scores of all items for a block of users at a time, with minus infinity where an item was seen.

    Blocks hold users with histories of like length. Their composition does not change a score beyond the last bits of
    a float; one user alone is scored by the same operations.

    Yields:
        Positions in ``users``, and scores on the CPU.
    """
    device = encoder.output_table().device
    encoder.eval()
    table, bias = encoder.output_table(), encoder.output_bias()
    order = np.argsort(-histories.lengths[users], kind="stable")
    for start in range(0, len(order), _BLOCK_USERS):
        places = order[start : start + _BLOCK_USERS]
        states = encoder.last_state(rectangle(histories, users[places], max_history=encoder.max_history).to(device))
        scores = states @ table.T
        scores = (scores if bias is None else scores + bias).float().cpu()
        if seen is not None:
            _hide(scores, seen, users[places])
        yield places, scores


def exact_top_k(scores: Float[Tensor, "B I"], *, k: int) -> tuple[Float[Tensor, "B K"], Int[Tensor, "B K"]]:
    """The k best of each row, best first, equal scores in the order of columns.

    The maximum of each block of columns is taken first: only the k best blocks can hold one of the k best items, so
    that the search proper runs over a fraction of the row.
    """
    n_rows, n_items = scores.shape
    n_blocks = -(-n_items // _BLOCK_ITEMS)
    if n_blocks <= 2 * k:
        return _ordered(*scores.topk(k, dim=1), scores=scores)
    padded = torch.nn.functional.pad(scores, (0, n_blocks * _BLOCK_ITEMS - n_items), value=-math.inf)
    blocks = padded.view(n_rows, n_blocks, _BLOCK_ITEMS)
    chosen = blocks.amax(dim=2).topk(k, dim=1).indices
    few = blocks.gather(1, chosen[:, :, None].expand(-1, -1, _BLOCK_ITEMS)).flatten(1)
    best, where = few.topk(k, dim=1)
    found = chosen.gather(1, where // _BLOCK_ITEMS) * _BLOCK_ITEMS + where % _BLOCK_ITEMS
    return _ordered(best, found, scores=scores)


def _ordered(
    best: Float[Tensor, "B K"], found: Int[Tensor, "B K"], *, scores: Float[Tensor, "B I"]
) -> tuple[Float[Tensor, "B K"], Int[Tensor, "B K"]]:
    """Put equal scores in the order of columns, those cut off at the end included."""
    best, found = best.clone(), found.clone()
    worst = best[:, -1:]
    # Rows in which the last score also stands outside the list: which of the equals belong to it is then open.
    is_open = (scores == worst).sum(dim=1) > (best == worst).sum(dim=1)
    for row in torch.nonzero(is_open & torch.isfinite(worst[:, 0])).flatten().tolist():
        n_tied = int((best[row] == worst[row]).sum())
        found[row, len(found[row]) - n_tied :] = torch.nonzero(scores[row] == worst[row]).flatten()[:n_tied]
    # Two stable sorts: by column, then by score.
    by_column = found.argsort(dim=1, stable=True)
    best, found = best.gather(1, by_column), found.gather(1, by_column)
    by_score = best.argsort(dim=1, descending=True, stable=True)
    return best.gather(1, by_score), found.gather(1, by_score)


def _hide(scores: Float[Tensor, "B I"], seen: Sequences, users: NDArray[np.int64]) -> None:
    lengths = seen.lengths[users]
    rows = np.repeat(np.arange(len(users)), lengths)
    places = np.arange(lengths.sum()) + np.repeat(seen.offsets[users] - (np.cumsum(lengths) - lengths), lengths)
    scores[torch.from_numpy(rows), torch.from_numpy(seen.items[places].astype(np.int64) - 1)] = -math.inf


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One item per user to be found again: the last one, from what came before it."""

    histories: Sequences
    targets: NDArray[np.int32]
    """Item numbers, one per row of ``histories``."""

    @classmethod
    def last_items(cls, sequences: Sequences) -> "HeldOut":
        """The last item of every user with at least two."""
        keep = np.flatnonzero(sequences.lengths >= 2)
        rows = [sequences.row(int(user)) for user in keep]
        cut = Sequences.of([row[:-1].tolist() for row in rows])
        return cls(cut, np.array([row[-1] for row in rows], dtype=np.int32))


def target_ranks(encoder: SequenceEncoder, held_out: HeldOut) -> NDArray[np.float64]:
    """Rank of each held-out item among all items that the user has not seen before.

    Ties by average rank: 1 + #greater + #equal / 2. A target that was seen before cannot be found: its rank is
    infinite.
    """
    users = np.arange(len(held_out.histories))
    ranks = np.full(len(users), math.inf)
    for places, scores in score_blocks(encoder, held_out.histories, users, seen=held_out.histories):
        targets = torch.from_numpy(held_out.targets[places].astype(np.int64) - 1)[:, None]
        mine = scores.gather(1, targets)
        better = (scores > mine).sum(dim=1)
        equal = (scores == mine).sum(dim=1) - 1
        found = 1.0 + better.numpy() + equal.numpy() / 2
        ranks[places] = np.where(torch.isfinite(mine[:, 0]).numpy(), found, math.inf)
    return ranks


def hit_rate(ranks: NDArray[np.float64], *, k: int) -> float:
    """Share of held-out items among the first k."""
    return float((ranks <= k).mean())


def ndcg(ranks: NDArray[np.float64], *, k: int) -> float:
    """Mean of 1 / log2(rank + 1) where the held-out item is among the first k, else 0."""
    return float(np.where(ranks <= k, 1 / np.log2(ranks + 1), 0.0).mean())
