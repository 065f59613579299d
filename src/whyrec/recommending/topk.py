"""The best K of many scores, exactly and in a defined order, without sorting all of them."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data.sequences import Sequences

_BLOCK_ITEMS = 64


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


def hide_seen(scores: Float[Tensor, "B I"], seen: Sequences, users: NDArray[np.int64]) -> None:
    """Set the scores of seen items to minus infinity, in place; row b of the scores is row ``users[b]`` of ``seen``."""
    hidden = seen.select(users)
    scores[torch.from_numpy(hidden.users), torch.from_numpy(hidden.items.astype(np.int64) - 1)] = -math.inf
