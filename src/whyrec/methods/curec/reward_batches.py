"""Training batches of the reward model: targets next to each other in time, and the items that they are compared with.

All candidates of a batch are given their reasons as of the batch's first target. A target's own reason is later by
construction, and right and wrong items are treated alike (C1, C3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.negatives import ItemDistribution
from whyrec.methods.curec.config import RewardTrainingConfig
from whyrec.methods.curec.reward_inputs import TimedSequences
from whyrec.methods.curec.timelines import NOBODY


@dataclass(frozen=True, eq=False)
class Targets:
    """Items to be predicted, in order of time."""

    users: NDArray[np.int64]
    cells: NDArray[np.int64]
    """The last item of the user's window that may be read for each."""
    rows: NDArray[np.int64]
    """The items that were taken, as rows of the catalogue."""
    times: NDArray[np.int64]
    """When; microseconds since 1970 UTC, ascending."""
    own_rows: NDArray[np.int32] | None = None
    """The leak control: the reasons that these very interactions brought. None in all else."""

    @classmethod
    def of(cls, windows: TimedSequences, *, own_rows: NDArray[np.int32] | None = None) -> Self:
        """All items of the windows but each user's first.

        Args:
            windows: Training items, one more of each user than the encoder reads.
            own_rows: Of every item of the windows; only for the leak control.
        """
        sequences = windows.sequences
        place = np.arange(len(sequences.items)) - np.repeat(sequences.offsets[:-1], sequences.lengths)
        later = np.flatnonzero(place >= 1)
        chosen = later[np.argsort(windows.times[later], kind="stable")]
        return cls(
            sequences.users[chosen],
            place[chosen] - 1,
            sequences.items[chosen].astype(np.int64) - 1,
            windows.times[chosen],
            None if own_rows is None else own_rows[chosen],
        )

    def __len__(self) -> int:
        return len(self.users)

    def select(self, chosen: NDArray[np.int64]) -> "Targets":
        """Some of them."""
        own = None if self.own_rows is None else self.own_rows[chosen]
        return Targets(self.users[chosen], self.cells[chosen], self.rows[chosen], self.times[chosen], own)

    @property
    def first_time(self) -> int:
        """When the first of them was taken: everything that all candidates may know is earlier."""
        return int(self.times[0])


def contiguous_batches(targets: Targets, *, size: int, n: int | None, rng: np.random.Generator) -> Iterator[Targets]:
    """Cut targets into stretches of time, and give these in random order.

    Args:
        targets: All.
        size: Targets of a stretch.
        n: Draw so many first; None takes all.
        rng: Draws targets, where the first stretch ends, and the order.
    """
    chosen = np.arange(len(targets))
    if n is not None and n < len(targets):
        chosen = np.sort(rng.choice(len(targets), size=n, replace=False))
    # Other ends in every epoch: the same targets would meet in each otherwise.
    ends = np.arange(int(rng.integers(1, size + 1)), len(chosen), size)
    stretches = [part for part in np.split(chosen, ends) if len(part)]
    for number in rng.permutation(len(stretches)):
        yield targets.select(stretches[number])


@dataclass(frozen=True, eq=False)
class Candidates:
    """Items that all targets of a batch are compared with."""

    rows: NDArray[np.int64]
    owners: NDArray[np.int64]
    """Who took each in this batch; ``NOBODY`` for drawn ones."""

    def is_hit(self, batch: Targets) -> Bool[Tensor, "B M"]:
        """Which are no wrong items: the target itself, and what the same user took in this batch."""
        same = (batch.rows[:, None] == self.rows) | (batch.users[:, None] == self.owners)
        return torch.from_numpy(same)


@dataclass(frozen=True, eq=False)
class CandidateSampler:
    """Draws candidates and knows how likely each item is drawn, for the logQ correction (C10)."""

    drawn: ItemDistribution
    n_drawn: int
    n_in_batch: int
    logp: Float[Tensor, " I"]
    """Of each item, in the mixture of both ways to become a candidate."""

    @classmethod
    def of(cls, sequences: Sequences, *, n_items: int, config: RewardTrainingConfig) -> Self:
        """Count the training items.

        Args:
            sequences: Training items.
            n_items: Size of the catalogue.
            config: How many are drawn, and how.
        """
        drawn = ItemDistribution.from_counts(sequences, n_items=n_items, exponent=config.popularity_exponent)
        taken = ItemDistribution.from_counts(sequences, n_items=n_items, exponent=1.0)
        total = config.n_negatives + config.n_in_batch
        parts = [(drawn, config.n_negatives), (taken, config.n_in_batch)]
        logs = [part.log_probabilities + float(np.log(n / total)) for part, n in parts if n]
        return cls(drawn, config.n_negatives, config.n_in_batch, torch.stack(logs).logsumexp(dim=0))

    def draw(self, batch: Targets, rng: np.random.Generator) -> Candidates:
        """Draw items, and some of the batch's own targets."""
        rows = self.drawn.draw(self.n_drawn, rng)
        chosen = rng.choice(len(batch), size=min(self.n_in_batch, len(batch)), replace=False)
        return Candidates(
            np.concatenate([rows, batch.rows[chosen]]),
            np.concatenate([np.full(len(rows), NOBODY, dtype=np.int64), batch.users[chosen]]),
        )
