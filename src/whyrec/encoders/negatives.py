"""Items that did not come next, drawn from numpy generators alone; never from the generator that torch's threads share.

Everything here speaks of rows of the output table, which count from 0, not of item numbers, which count from 1.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data.sequences import Sequences


@dataclass(frozen=True, slots=True)
class ItemDistribution:
    """Items in proportion to a power of how often they stand in the training data."""

    cumulative: NDArray[np.float64]
    log_probabilities: Float[Tensor, " I"]

    @classmethod
    def from_counts(cls, sequences: Sequences, *, n_items: int, exponent: float) -> Self:
        """Count items.

        Args:
            sequences: Training items.
            n_items: Size of the catalogue.
            exponent: 0 draws all items alike, 1 as often as they occur; above 0, items without any are never drawn.
        """
        counts = np.bincount(sequences.items - 1, minlength=n_items).astype(np.float64)
        weights = counts**exponent
        probabilities = weights / weights.sum()
        with np.errstate(divide="ignore"):
            logs = np.log(probabilities)
        return cls(np.cumsum(probabilities), torch.from_numpy(logs.astype(np.float32)))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """So many rows, with replacement."""
        # Rounding may leave the last of the cumulative shares below 1; scaling keeps every draw below it.
        drawn = np.searchsorted(self.cumulative, rng.random(n) * self.cumulative[-1], side="right")
        return np.asarray(drawn, dtype=np.int64)


def uniform_others(targets: NDArray[np.int64], *, n_items: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw, for each target, ``n`` rows alike from all but the target itself.

    Args:
        targets: Rows of the output table.
        n_items: Size of the catalogue, at least 2.
        n: Draws for each target.
        rng: Where the draws come from.
    """
    draws = rng.integers(n_items - 1, size=(len(targets), n))
    return draws + (draws >= targets[:, None])


def uniform_unseen(
    seen: Sequences, users: NDArray[np.int64], *, n_items: int, n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw, for each position, ``n`` rows alike from those that its user has not had.

    A user who has had the whole catalogue draws from all of it.

    Args:
        seen: What users have had.
        users: For each position, a row of ``seen``.
        n_items: Size of the catalogue.
        n: Draws for each position.
        rng: Where the draws come from.
    """
    had = np.unique(seen.users * n_items + seen.items - 1)
    owner, item = had // n_items, had % n_items
    n_had = np.bincount(owner, minlength=len(seen))
    keeps = n_had[owner] < n_items
    owner, item = owner[keeps], item[keeps]
    n_had = np.bincount(owner, minlength=len(seen))
    first = np.cumsum(n_had) - n_had
    # The r-th unseen item is r plus the number of seen ones that have at most r unseen items before them.
    unseen_before = item - (np.arange(len(item)) - first[owner])
    draws = (rng.random((len(users), n)) * (n_items - n_had[users])[:, None]).astype(np.int64)
    stride = n_items + 1
    ranked = np.searchsorted(owner * stride + unseen_before, users[:, None] * stride + draws, side="right")
    return np.asarray(draws + ranked - first[users][:, None])
