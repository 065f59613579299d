"""Dropout that is the same for the same seed, on any thread, and costs a multiplication.

torch draws its masks from one generator that all threads share, so that two threads would not repeat a run. Here the
masks are stretches of one long random row, made once, beginning at a random place for every use.
"""

from functools import cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

_POOL_SIZE = 1 << 22
_POOL_SEED = 0x5EED


class Dropout(Protocol):
    """Drops some elements and scales up the others."""

    def __call__(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        ...


def no_dropout(x: Tensor) -> Tensor:
    """Leave everything as it is: for evaluation and use."""
    return x


def pooled_dropout(rate: float, *, seed: tuple[int, ...], device: torch.device) -> Dropout:
    """Dropout of a given rate whose masks depend on the seed and on how often it has been used since.

    Args:
        rate: Share of elements that are set to 0.
        seed: Non-negative numbers; same seed, same masks.
        device: Where the tensors will be.
    """
    if rate <= 0:
        return no_dropout
    rng = np.random.default_rng(seed)
    pool = _pool(rate, device)

    def drop(x: Tensor) -> Tensor:
        start = int(rng.integers(_POOL_SIZE))
        n = x.numel()
        row = pool[start : start + n] if start + n <= len(pool) else pool.roll(-start).repeat(-(-n // len(pool)))[:n]
        return x * row.view_as(x)

    return drop


@cache
def _pool(rate: float, device: torch.device) -> Tensor:
    generator = torch.Generator().manual_seed(_POOL_SEED)
    keep = torch.rand(_POOL_SIZE, generator=generator) >= rate
    row = keep.float() / (1 - rate)
    # Twice over, so that a stretch that begins near the end need not be joined from two.
    return torch.cat([row, row]).to(device)
