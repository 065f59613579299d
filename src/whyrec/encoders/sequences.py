"""The rectangles that encoders read: histories padded on the right, in groups of like lengths."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data.sequences import PADDING, Sequences


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Histories of several users as one matrix, padded on the right."""

    users: NDArray[np.int64]
    """Which rows of the sequences these are."""
    items: Int[Tensor, "B T"]
    lengths: Int[Tensor, " B"]
    owners: Int[Tensor, " B"] | None = None
    """By which numbers a model knows these users, where the sequences say so; 0 is unknown."""

    @property
    def is_item(self) -> Bool[Tensor, "B T"]:
        """True where an item stands."""
        return torch.arange(self.items.shape[1], device=self.items.device) < self.lengths[:, None]

    def to(self, device: torch.device) -> "Rectangle":
        """The same on a device."""
        owners = None if self.owners is None else self.owners.to(device)
        return Rectangle(self.users, self.items.to(device), self.lengths.to(device), owners)


def rectangle(
    sequences: Sequences, users: NDArray[np.int64], *, max_history: int | None, width: int | None = None
) -> Rectangle:
    """Cut the most recent items of some users into one matrix.

    Args:
        sequences: All histories.
        users: Which rows, in the order of the matrix.
        max_history: Older items than so many are left out; None keeps all.
        width: Columns; by default as many as the longest needs.
    """
    cut = sequences.select(users, newest=max_history)
    items = np.full((len(users), width or max(int(cut.lengths.max(initial=0)), 1)), PADDING, dtype=np.int64)
    columns = np.arange(len(cut.items)) - np.repeat(cut.offsets[:-1], cut.lengths)
    items[cut.users, columns] = cut.items
    owners = None if cut.owners is None else torch.from_numpy(cut.owners)
    return Rectangle(users, torch.from_numpy(items), torch.from_numpy(cut.lengths), owners)


def micro_batches(lengths: NDArray[np.int64], users: NDArray[np.int64], *, size: int) -> list[NDArray[np.int64]]:
    """Split one batch of users into groups of like lengths, the longest first, so that little padding is computed."""
    ordered = users[np.argsort(-lengths[users], kind="stable")]
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]
