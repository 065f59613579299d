"""A dataset held in memory and found by user, for whoever answers questions about one user after the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset

_BY_TIME = (schema.TIMESTAMP, schema.USER, schema.ITEM)
_MOST_LATER = 10_000
"""Later interactions that are looked through each time; with more, all are ordered anew."""


@dataclass(frozen=True, eq=False)
class UserIndex:
    """A log in memory, and where each user's interactions stand in it."""

    interactions: pl.LazyFrame
    """All of it, in order of time."""
    ordered: pl.DataFrame
    """By user and, of each, by time and item."""
    places: dict[str, tuple[int, int]]
    """First row in ``ordered`` and number of rows, by user_id."""
    later: pl.DataFrame
    """What came after the index was made, in order of time."""

    @classmethod
    def of(cls, log: pl.DataFrame) -> Self:
        """Order a log by user.

        Args:
            log: In any order.
        """
        ordered = log.sort(schema.USER, schema.TIMESTAMP, schema.ITEM, maintain_order=True)
        runs = ordered.group_by(schema.USER, maintain_order=True).len()
        lengths = runs["len"].to_numpy().astype(np.int64)
        starts = np.cumsum(lengths) - lengths
        places = dict(zip(runs[schema.USER], zip(starts.tolist(), lengths.tolist(), strict=True), strict=True))
        by_time = log.sort(*_BY_TIME, maintain_order=True).lazy()
        return cls(by_time, ordered, places, log.clear())

    def rows(self, user_ids: Iterable[str]) -> pl.DataFrame:
        """The interactions of some users, in order of time."""
        asked = list(dict.fromkeys(user_ids))
        found = [self.places[user_id] for user_id in asked if user_id in self.places]
        if len(found) == 1:
            rows = self.ordered.slice(*found[0])
        else:
            none: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
            taken = np.concatenate([none, *(np.arange(start, start + n) for start, n in found)])
            rows = self.ordered[taken].sort(*_BY_TIME, maintain_order=True)
        if self.later.is_empty():
            return rows
        more = self.later.filter(pl.col(schema.USER).is_in(asked))
        return pl.concat([rows, more]).sort(*_BY_TIME, maintain_order=True) if more.height else rows

    def grown(self, more: pl.DataFrame) -> Self:
        """With further interactions of the same columns, in any order."""
        later = pl.concat([self.later, more]).sort(*_BY_TIME, maintain_order=True)
        if later.height > _MOST_LATER:
            return self.of(pl.concat([self.ordered, later]))
        whole = pl.concat([self.ordered.lazy(), later.lazy()]).sort(*_BY_TIME, maintain_order=True)
        return type(self)(whole, self.ordered, self.places, later)


@dataclass(frozen=True)
class HeldDataset(Dataset):
    """A dataset whose log is in memory with an index by user: a history costs microseconds, not a look at the log.

    Made by ``hold``.
    """

    index: UserIndex | None = None
    """Of ``interactions``; one of another log is not looked at."""

    def of_users(self, user_ids: Iterable[str]) -> Dataset:
        """The same data with the interactions of some users alone."""
        if self.index is None or self.index.interactions is not self.interactions:
            return super().of_users(user_ids)
        return Dataset(self.name, self.index.rows(user_ids).lazy(), self.items, self.users)

    def with_interactions(self, interactions: pl.DataFrame) -> "HeldDataset":
        """The same data with further interactions.

        Args:
            interactions: ``user_id, item_id, timestamp`` and any other columns of the log, in any order.
        """
        if self.index is None or self.index.interactions is not self.interactions:
            return hold(self).with_interactions(interactions)
        empty = self.index.later.clear()
        known = interactions.select(name for name in interactions.columns if name in empty.columns)
        more = pl.concat([empty, known.cast({name: empty.schema[name] for name in known.columns})], how="diagonal")
        return _of(self, self.index.grown(more))


def hold(data: Dataset) -> HeldDataset:
    """Read a dataset's log into memory and index it by user."""
    return _of(data, UserIndex.of(data.interactions.collect()))


def _of(data: Dataset, index: UserIndex) -> HeldDataset:
    return HeldDataset(data.name, index.interactions, data.items, data.users, index)
