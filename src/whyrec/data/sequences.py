"""Histories as padded integer matrices, the input of sequence models."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError

PADDING = 0
"""Stands before the first item of a history shorter than the matrix is wide; items count from 1."""


@dataclass(frozen=True, slots=True)
class Histories:
    """The most recent items of every user, oldest to newest from left to right, padded on the left."""

    items: NDArray[np.int32]
    """Shape (n_users, max_history): item numbers, or ``PADDING``."""
    user_ids: pl.Series
    """The user of each row, sorted."""
    item_ids: pl.Series
    """The catalogue, sorted; item number n is entry n - 1."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many items each row holds."""
        return np.asarray(np.count_nonzero(self.items != PADDING, axis=1), dtype=np.int64)


def padded_histories(data: Dataset, *, cutoff: datetime, max_history: int) -> Histories:
    """Arrange each user's last items before a cut-off.

    Items of equal time stand in the order of their ids. The numbering covers the whole catalogue, so it is the same
    at every cut-off.

    Args:
        data: The dataset.
        cutoff: Only interactions strictly before it are read.
        max_history: Columns of the matrix; older items are left out.

    Raises:
        InvalidConfigError: If ``max_history`` is below 1.
    """
    if max_history < 1:
        raise InvalidConfigError(f"max_history: expected at least 1, got {max_history}. Raise it.")
    item_ids = data.items[schema.ITEM].sort()
    numbers = pl.DataFrame({schema.ITEM: item_ids}).with_row_index("number", offset=1).lazy()
    recent = (
        data.before(cutoff)
        .select(schema.USER, schema.ITEM, schema.TIMESTAMP)
        .join(numbers, on=schema.ITEM, how="left")
        .group_by(schema.USER)
        .agg(pl.col("number").sort_by(schema.TIMESTAMP, schema.ITEM).tail(max_history))
        .sort(schema.USER)
        .collect(engine="streaming")
    )
    items = np.full((recent.height, max_history), PADDING, dtype=np.int32)
    lengths = recent["number"].list.len().to_numpy().astype(np.int64)
    rows = np.repeat(np.arange(recent.height), lengths)
    # Cell of each item: its place in the row's list, shifted so that the newest stands in the last column.
    places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    items[rows, places + max_history - lengths[rows]] = recent["number"].explode(empty_as_null=False).to_numpy()
    return Histories(items, recent[schema.USER], item_ids)
