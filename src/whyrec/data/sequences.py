"""Histories as ragged arrays of item numbers: what sequence models and neighbourhood methods read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset

PADDING = 0
"""The number of no item; items count from 1."""


@dataclass(frozen=True, slots=True)
class Sequences:
    """The items of every user, oldest first, one user after the other."""

    items: NDArray[np.int32]
    """All item numbers, from 1."""
    offsets: NDArray[np.int64]
    """User u's items are ``items[offsets[u] : offsets[u + 1]]``."""
    owners: NDArray[np.int64] | None = None
    """For models that learn something of each user: the number, from 1, by which they know who row u is; 0 is somebody
    they do not know. It goes with the rows wherever they are taken. None if nobody asks."""

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "Sequences":
        """Take one list of item numbers per user."""
        flat = np.array([item for row in rows for item in row], dtype=np.int32)
        return cls.with_lengths(flat, np.array([len(row) for row in rows], dtype=np.int64))

    @classmethod
    def with_lengths(cls, items: NDArray[np.int32], lengths: NDArray[np.int64]) -> "Sequences":
        """Cut a row of items into users of given lengths."""
        return cls(items, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Items of each user."""
        return np.diff(self.offsets)

    @property
    def users(self) -> NDArray[np.int64]:
        """The row that each item belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def row(self, user: int) -> NDArray[np.int32]:
        """The items of one user."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def select(
        self, users: NDArray[np.int64], *, newest: int | None = None, without_last: int | NDArray[np.int64] = 0
    ) -> "Sequences":
        """Some users, in a given order, with a stretch of their items.

        Args:
            users: Rows; a row may be taken more than once.
            newest: At most so many items of each, the most recent ones; None takes all.
            without_last: Leave out so many of the most recent items first; one number, or one for each of ``users``.
        """
        ends = np.maximum(self.offsets[users + 1] - without_last, self.offsets[users])
        lengths = ends - self.offsets[users]
        if newest is not None:
            lengths = np.minimum(lengths, newest)
        starts = np.repeat(ends - lengths - (np.cumsum(lengths) - lengths), lengths)
        taken = Sequences.with_lengths(self.items[starts + np.arange(int(lengths.sum()))], lengths)
        return taken if self.owners is None else replace(taken, owners=self.owners[users])

    def without_last(self, n: int = 1) -> "Sequences":
        """Every user less the ``n`` most recent items; users with fewer are left empty."""
        return self.select(np.arange(len(self)), without_last=n)

    def last(self) -> NDArray[np.int32]:
        """The most recent item of every user, ``PADDING`` for an empty history."""
        found = np.full(len(self), PADDING, dtype=np.int32)
        has_items = self.lengths > 0
        found[has_items] = self.items[self.offsets[1:][has_items] - 1]
        return found


@dataclass(frozen=True, slots=True)
class Histories:
    """The histories of named users over a named catalogue."""

    sequences: Sequences
    user_ids: pl.Series
    """The user of each row."""
    item_ids: pl.Series
    """The catalogue, sorted; item number n is entry n - 1."""


def read_histories(
    data: Dataset, *, item_ids: pl.Series, cutoff: datetime | None = None, user_ids: pl.Series | None = None
) -> Histories:
    """Collect users' items in order of time; items of equal time stand in the order of their ids.

    Args:
        data: The dataset.
        item_ids: The catalogue, sorted; interactions with other items are left out.
        cutoff: Only interactions strictly before it are read; None reads all.
        user_ids: Whose histories, in this order; users without any have an empty one. None takes all users that have
            interactions, sorted.
    """
    if user_ids is not None:
        data = data.of_users(user_ids)
    log = data.interactions if cutoff is None else data.before(cutoff)
    numbers = pl.DataFrame({schema.ITEM: item_ids}).with_row_index("item", offset=1).lazy()
    events = log.select(schema.USER, schema.ITEM).join(numbers, on=schema.ITEM, how="inner", maintain_order="left")
    if user_ids is None:
        user_ids = log.select(pl.col(schema.USER).unique()).collect(engine="streaming").to_series().sort()
    rows = pl.DataFrame({schema.USER: user_ids}).with_row_index("row").lazy()
    # Rows of the log ascend by time, so a stable sort by user leaves each user's items in order of time.
    found = events.join(rows, on=schema.USER, how="inner", maintain_order="left").select("row", "item").collect()
    user = found["row"].to_numpy()
    order = np.argsort(user, kind="stable")
    lengths = np.bincount(user, minlength=len(user_ids)).astype(np.int64)
    items = found["item"].to_numpy()[order].astype(np.int32)
    return Histories(Sequences.with_lengths(items, lengths), user_ids, item_ids)
