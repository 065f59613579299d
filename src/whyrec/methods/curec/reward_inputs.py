"""What a reward model reads beside histories: patterns and reasons as of a moment, by rows of tables of vectors.

Items have two numbers here: in sequences they count from 1; rows of tables, of lookups and of candidates count from 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.errors import InvalidDataError
from whyrec.methods.curec.histories import UserHistory, as_micros
from whyrec.methods.curec.text_vectors import TextVectors
from whyrec.methods.curec.timelines import NOBODY

Rows = NDArray[np.int32]
"""Rows of a table of texts; ``NOBODY`` where there is none."""


class PatternLookup(Protocol):
    """The part of ``PatternBook`` that is read."""

    def rows_before(self, user_rows: NDArray[np.integer], times: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """The pattern of each user that may be read at a moment, int64 [B]."""
        ...


class ReasonLookup(Protocol):
    """The part of ``ReasonStore`` that is read."""

    def rows_as_of(
        self,
        items: NDArray[np.integer],
        *,
        at: NDArray[np.int64] | int,
        users: NDArray[np.integer] | int | None,
        k: int,
    ) -> Rows:
        """The reasons of each item that may be read at a moment by somebody, int32 [N, k], newest first."""
        ...


@dataclass(frozen=True, eq=False)
class RewardInputs:
    """Patterns and reasons with their vectors; users and items have the numbers of the sequences' rows."""

    patterns: PatternLookup
    pattern_vectors: TextVectors
    reasons: ReasonLookup
    reason_vectors: TextVectors
    """Of all rows that ``reasons`` gives, and of those in ``own_rows`` of a leak control."""
    reason_times: NDArray[np.int64]
    """Of the interaction that each reason explains, microseconds since 1970 UTC; checked wherever reasons are read."""

    def __post_init__(self) -> None:
        widths = {table.vectors.shape[1] for table in (self.pattern_vectors, self.reason_vectors)}
        if len(widths) > 1 or len(self.reason_times) != len(self.reason_vectors.places):
            raise InvalidDataError(
                f"reward model: expected vectors of one width and a time for each of "
                f"{len(self.reason_vectors.places):,} reasons, got widths {sorted(widths)} and "
                f"{len(self.reason_times):,} times. Embed patterns and reasons with one model."
            )

    @property
    def text_dim(self) -> int:
        """Columns of the texts' vectors."""
        return int(self.reason_vectors.vectors.shape[1])

    def reasons_before(
        self,
        items: NDArray[np.integer],
        *,
        at: NDArray[np.int64] | int,
        users: NDArray[np.integer] | None,
        k: int,
    ) -> Rows:
        """Rows of reasons, int32 [N, k], all of them strictly earlier than ``at`` (C3).

        Args:
            items: int [N], rows.
            at: int64 [N], or one moment for all.
            users: int [N]: whose own reasons are left out (C1); None where all own ones are later than ``at``.
            k: The most of each.
        """
        rows = self.reasons.rows_as_of(items, at=at, users=users, k=k)
        place, column = np.nonzero(rows != NOBODY)
        is_earlier = self.reason_times[rows[place, column]] < np.broadcast_to(at, len(rows))[place]
        assert bool(is_earlier.all()), "a reason was read that was not written yet"
        return rows

    def patterns_before(
        self, users: NDArray[np.integer], times: NDArray[np.int64]
    ) -> tuple[Float[Tensor, "B W"], Bool[Tensor, " B"]]:
        """The vector of each user's latest pattern strictly before a moment (C2), and whether there is one."""
        return vectors_of(self.pattern_vectors, self.patterns.rows_before(users, times))


def vectors_of(table: TextVectors, rows: NDArray[np.integer]) -> tuple[Float[Tensor, "*S W"], Bool[Tensor, "*S"]]:
    """Vectors of some rows, and which are there; where none is, the vector is of no meaning."""
    is_there = torch.from_numpy(rows != NOBODY)
    if not len(table.places):
        return torch.zeros(*rows.shape, table.vectors.shape[1]), is_there
    return torch.from_numpy(table.vectors[table.places[np.maximum(rows, 0)]]).float(), is_there


@dataclass(frozen=True, eq=False)
class DescriptionLookup:
    """Gives each item its own description as the only "reason", at any time (CURec Table 3, Text).

    Item row i is row i of the descriptions' vectors, whose times are ``BEGINNING``.
    """

    def rows_as_of(
        self,
        items: NDArray[np.integer],
        *,
        at: NDArray[np.int64] | int,
        users: NDArray[np.integer] | int | None,
        k: int,
    ) -> Rows:
        """The item's row, int32 [N, 1]: descriptions are no one's and of no time."""
        return items.astype(np.int32)[:, None]


BEGINNING = int(np.iinfo(np.int64).min)
"""Earlier than every moment."""


@dataclass(frozen=True, eq=False)
class ShuffledReasons:
    """A control: every item is given the reasons of another, always the same; what they say is as good as noise."""

    reasons: ReasonLookup
    other: NDArray[np.int64]
    """Whose reasons each item is given."""

    @classmethod
    def of(cls, reasons: ReasonLookup, *, n_items: int, seed: int) -> Self:
        """Draw which item is given which other's."""
        return cls(reasons, np.random.default_rng(seed).permutation(n_items))

    def rows_as_of(
        self,
        items: NDArray[np.integer],
        *,
        at: NDArray[np.int64] | int,
        users: NDArray[np.integer] | int | None,
        k: int,
    ) -> Rows:
        """The other item's reasons, under the same rules of time and user."""
        return self.reasons.rows_as_of(self.other[items], at=at, users=users, k=k)


def with_own_first(rows: Rows, own: NDArray[np.integer]) -> Rows:
    """A leak control: put each pair's own reason, where there is one, before the others, the oldest of which goes (C1).

    Args:
        rows: int32 [N, K].
        own: int [N].
    """
    shifted = np.concatenate([own.astype(np.int32)[:, None], rows[:, :-1]], axis=1)
    return np.where((own != NOBODY)[:, None], shifted, rows)


@dataclass(frozen=True, eq=False)
class Queries:
    """For each of some users: which item is asked for when, and what was taken before it."""

    histories: Sequences
    """One row per query, none empty."""
    users: NDArray[np.int64]
    times: NDArray[np.int64]
    """Of the interaction that is asked for: only what is strictly earlier may be read."""
    targets: NDArray[np.int32]
    """Item numbers."""
    own_rows: NDArray[np.int32] | None = None
    """The leak control: reasons of these very pairs, which are put into the targets' lists. None in all else."""

    def __len__(self) -> int:
        return len(self.users)

    def select(self, chosen: NDArray[np.int64]) -> "Queries":
        """Some of them."""
        own = None if self.own_rows is None else self.own_rows[chosen]
        return Queries(self.histories.select(chosen), self.users[chosen], self.times[chosen], self.targets[chosen], own)


@dataclass(frozen=True, eq=False)
class TimedSequences:
    """Histories with the time of every item."""

    sequences: Sequences
    times: NDArray[np.int64]
    """Of ``sequences.items``, microseconds since 1970 UTC, ascending within a user."""

    @classmethod
    def of(cls, histories: Mapping[str, UserHistory], *, item_numbers: Mapping[str, int]) -> Self:
        """Number the items of some histories; row u is the u-th of them.

        Args:
            histories: By user_id.
            item_numbers: From 1, by item_id.
        """
        lengths = np.array([len(history) for history in histories.values()], dtype=np.int64)
        items = [item_numbers[item_id] for history in histories.values() for item_id in history.item_ids]
        times = [as_micros(moment) for history in histories.values() for moment in history.timestamps]
        sequences = Sequences.with_lengths(np.array(items, dtype=np.int32), lengths)
        return cls(sequences, np.array(times, dtype=np.int64))

    def newest(self, n: int) -> "TimedSequences":
        """The last ``n`` items of every user."""
        return self._kept(np.maximum(self.sequences.lengths - n, 0), self.sequences.lengths)

    def without_last(self) -> "TimedSequences":
        """Every user less the last item."""
        return self._kept(np.zeros(len(self.sequences), dtype=np.int64), np.maximum(self.sequences.lengths - 1, 0))

    def last_items(self) -> Queries:
        """The last item of every user with two at least, from what came before it."""
        users = np.flatnonzero(self.sequences.lengths >= 2)
        last = self.sequences.offsets[1:][users] - 1
        histories = self.sequences.select(users, without_last=1)
        return Queries(histories, users, self.times[last], self.sequences.items[last])

    def _kept(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> "TimedSequences":
        place = np.arange(len(self.times)) - np.repeat(self.sequences.offsets[:-1], self.sequences.lengths)
        users = self.sequences.users
        kept = (place >= starts[users]) & (place < ends[users])
        lengths = np.bincount(users[kept], minlength=len(self.sequences))
        return TimedSequences(
            replace(Sequences.with_lengths(self.sequences.items[kept], lengths), owners=self.sequences.owners),
            self.times[kept],
        )
