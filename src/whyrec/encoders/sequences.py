"""Histories as ragged arrays, and the rectangles that encoders read: padded on the right, of like lengths."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor

PADDING = 0
"""Fills a row behind its last item; items count from 1."""


@dataclass(frozen=True, slots=True)
class Sequences:
    """The items of every user, oldest first, one user after the other."""

    items: NDArray[np.int32]
    """All item numbers, from 1."""
    offsets: NDArray[np.int64]
    """User u's items are ``items[offsets[u] : offsets[u + 1]]``."""

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "Sequences":
        """Take one list of item numbers per user."""
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        flat = [item for row in rows for item in row]
        return cls(np.array(flat, dtype=np.int32), np.concatenate([[0], lengths.cumsum()]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Items of each user."""
        return np.diff(self.offsets)

    def row(self, user: int) -> NDArray[np.int32]:
        """The items of one user."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def without_last(self, n: int = 1) -> "Sequences":
        """Every user less the ``n`` most recent items; users with fewer are left empty."""
        kept = np.maximum(self.lengths - n, 0)
        places = np.arange(kept.sum()) + np.repeat(self.offsets[:-1] - (np.cumsum(kept) - kept), kept)
        return Sequences(self.items[places], np.concatenate([[0], kept.cumsum()]))

    def last(self) -> NDArray[np.int32]:
        """The most recent item of every user, ``PADDING`` for an empty history."""
        found = np.full(len(self), PADDING, dtype=np.int32)
        has_items = self.lengths > 0
        found[has_items] = self.items[self.offsets[1:][has_items] - 1]
        return found


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Histories of several users as one matrix, padded on the right."""

    users: NDArray[np.int64]
    """Which rows of the sequences these are."""
    items: Int[Tensor, "B T"]
    lengths: Int[Tensor, " B"]

    @property
    def is_item(self) -> Bool[Tensor, "B T"]:
        """True where an item stands."""
        return torch.arange(self.items.shape[1], device=self.items.device) < self.lengths[:, None]

    def to(self, device: torch.device) -> "Rectangle":
        """The same on a device."""
        return Rectangle(self.users, self.items.to(device), self.lengths.to(device))


def rectangle(sequences: Sequences, users: NDArray[np.int64], *, max_history: int) -> Rectangle:
    """Cut the most recent items of some users into one matrix, as wide as the longest.

    Args:
        sequences: All histories.
        users: Which rows, in the order of the matrix.
        max_history: Older items than so many are left out.
    """
    lengths = np.minimum(sequences.lengths[users], max_history)
    width = max(int(lengths.max(initial=0)), 1)
    columns = np.arange(width)
    is_item = columns < lengths[:, None]
    # Out of range only where no item is; those cells are overwritten.
    places = np.minimum((sequences.offsets[users + 1] - lengths)[:, None] + columns, max(len(sequences.items) - 1, 0))
    found = sequences.items[places] if len(sequences.items) else np.zeros_like(places, dtype=np.int32)
    items = np.where(is_item, found, PADDING).astype(np.int64)
    return Rectangle(users, torch.from_numpy(items), torch.from_numpy(lengths))


def micro_batches(lengths: NDArray[np.int64], users: NDArray[np.int64], *, size: int) -> list[NDArray[np.int64]]:
    """Split one batch of users into groups of like lengths, the longest first, so that little padding is computed."""
    ordered = users[np.argsort(-lengths[users], kind="stable")]
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]
