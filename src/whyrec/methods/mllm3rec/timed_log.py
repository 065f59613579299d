"""A log as arrays, with what each interaction may be told from: its user's items strictly before its moment."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.sequences import PADDING, Sequences


@dataclass(frozen=True, slots=True, eq=False)
class TimedLog:
    """Users' interactions, oldest first, one user after the other."""

    sequences: Sequences
    n_before: NDArray[np.int64]
    """Per interaction: how many of its user's are strictly earlier; those of one moment do not know each other."""
    times: NDArray[np.int64]
    """Per interaction: microseconds since 1970."""

    @classmethod
    def read(cls, log: pl.LazyFrame, *, item_ids: pl.Series) -> "TimedLog":
        """Collect a log; interactions with items outside the catalogue are left out.

        Args:
            log: ``user_id, item_id, timestamp``.
            item_ids: The catalogue, sorted.
        """
        numbers = pl.DataFrame({schema.ITEM: item_ids}).with_row_index("item", offset=1).lazy()
        found = (
            log.select(schema.USER, schema.ITEM, schema.TIMESTAMP)
            .join(numbers, on=schema.ITEM)
            .sort(schema.USER, schema.TIMESTAMP, schema.ITEM)
            .with_columns((pl.col(schema.TIMESTAMP).rank("min").over(schema.USER) - 1).alias("n_before"))
            .collect(engine="streaming")
        )
        lengths = found.group_by(schema.USER, maintain_order=True).len()["len"].cast(pl.Int64).to_numpy()
        sequences = Sequences.with_lengths(found["item"].cast(pl.Int32).to_numpy(), lengths)
        times = found[schema.TIMESTAMP].dt.epoch("us").to_numpy()
        return cls(sequences, found["n_before"].cast(pl.Int64).to_numpy(), times)

    @property
    def asked(self) -> NDArray[np.int64]:
        """Interactions that something can be told about: those with earlier ones."""
        return np.flatnonzero(self.n_before > 0)

    def prefixes(self, interactions: NDArray[np.int64], *, newest: int) -> NDArray[np.int64]:
        """Item numbers before some interactions, newest last, padded in front: [B newest]."""
        starts = self.sequences.offsets[self.sequences.users[interactions]]
        return windows(self.sequences.items, starts + self.n_before[interactions], starts=starts, newest=newest)

    def without(self, interactions: NDArray[np.int64]) -> "TimedLog":
        """The same log less these, none of which may stand before another of its user's."""
        kept = np.ones(len(self.times), dtype=bool)
        kept[interactions] = False
        lengths = np.bincount(self.sequences.users[kept], minlength=len(self.sequences)).astype(np.int64)
        items = Sequences.with_lengths(self.sequences.items[kept], lengths)
        return TimedLog(items, self.n_before[kept], self.times[kept])

    def last(self) -> NDArray[np.int64]:
        """The last interaction of every user of whom something is known before it."""
        ends = self.sequences.offsets[1:][self.sequences.lengths > 0] - 1
        return ends[self.n_before[ends] > 0]


def windows(
    items: NDArray[np.int32], ends: NDArray[np.int64], *, starts: NDArray[np.int64], newest: int
) -> NDArray[np.int64]:
    """The last ``newest`` items of stretches ``[starts, ends)`` of a row of items, padded in front: [B newest]."""
    places = ends[:, None] - newest + np.arange(newest)
    inside = places >= starts[:, None]
    return np.where(inside, items[np.where(inside, places, 0)], PADDING).astype(np.int64)
