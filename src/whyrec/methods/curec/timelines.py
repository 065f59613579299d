"""Rows of a table by owner and time, to be asked for what was there strictly before a moment, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numba
import numpy as np
from numpy.typing import NDArray

NOBODY = -1
"""The number of an owner or row that there is not."""

_njit = numba.njit(cache=True, nogil=True)


@dataclass(frozen=True, eq=False)
class Timelines:
    """Rows in the order of owner, time and a tie-breaker."""

    rows: NDArray[np.int64]
    """All rows: owner by owner, oldest first."""
    offsets: NDArray[np.int64]
    """Owner o's rows are ``rows[offsets[o] : offsets[o + 1]]``."""
    _moments: NDArray[np.int64]
    """Distinct times, ascending."""
    _codes: NDArray[np.int64]
    """Of each place: owner and rank of its time in one number. Ranks, as owner times microseconds overflows."""

    @classmethod
    def of(
        cls,
        owners: NDArray[np.int32],
        times: NDArray[np.int64],
        *,
        n_owners: int,
        rows: NDArray[np.int64] | None = None,
        tie_breakers: Sequence[NDArray[np.int64]] = (),
    ) -> Self:
        """Sort rows.

        Args:
            owners: Of each row of the table, from 0.
            times: Of each row, in microseconds since 1970 UTC.
            n_owners: How many owners there are.
            rows: Which rows count; None: all.
            tie_breakers: What decides between rows of one owner and time, the most important first; a larger number
                is later. At last the row's own number does.
        """
        kept = np.arange(len(owners)) if rows is None else np.sort(rows)
        values: list[NDArray[np.integer]] = [owners, times, *tie_breakers]
        keys = [value[kept] for value in values]
        ordered = kept[np.lexsort(keys[::-1])]
        moments, ranks = np.unique(times[ordered], return_inverse=True)
        codes = owners[ordered].astype(np.int64) * (len(moments) + 1) + ranks
        lengths = np.bincount(owners[ordered], minlength=n_owners)
        return cls(ordered, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), moments, codes)

    def stretches_before(
        self, owners: NDArray[np.integer], times: NDArray[np.int64] | int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each owner's rows strictly before a moment stand in ``rows``.

        Args:
            owners: int [N]; ``NOBODY`` has none.
            times: int64 [N], or one number for all.

        Returns:
            Starts and ends of the stretches, int64 [N] each; empty where nothing is earlier.
        """
        known = owners != NOBODY
        numbers = np.where(known, owners, 0).astype(np.int64)
        ranks = np.searchsorted(self._moments, times, side="left")
        ends = np.searchsorted(self._codes, numbers * (len(self._moments) + 1) + ranks, side="left")
        starts = self.offsets[numbers]
        return starts, np.where(known, ends, starts)

    def latest_before(self, owners: NDArray[np.integer], times: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """The last row of each owner strictly before a moment, int64 [N]; ``NOBODY`` where there is none."""
        starts, ends = self.stretches_before(owners, times)
        if not len(self.rows):
            return np.full(len(ends), NOBODY, dtype=np.int64)
        return np.where(ends > starts, self.rows[np.maximum(ends, 1) - 1], NOBODY)

    def newest_before(
        self,
        owners: NDArray[np.integer],
        times: NDArray[np.int64] | int,
        *,
        k: int,
        authors: NDArray[np.int32],
        without: NDArray[np.int32],
    ) -> NDArray[np.int32]:
        """The last rows of each owner strictly before a moment that somebody else wrote.

        Args:
            owners: int [N].
            times: int64 [N], or one number for all.
            k: The most rows of each.
            authors: Of every row of the table, from 0.
            without: int32 [N]: whose rows are left out; ``NOBODY`` leaves none out.

        Returns:
            int32 [N, k], newest first, filled up with ``NOBODY``.
        """
        starts, ends = self.stretches_before(owners, times)
        found = np.full((len(ends), k), NOBODY, dtype=np.int32)
        _take_newest(found, self.rows, starts, ends, authors, without)
        return found


@_njit
def _take_newest(
    found: NDArray[np.int32],
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    authors: NDArray[np.int32],
    without: NDArray[np.int32],
) -> None:
    k = found.shape[1]
    for n in range(len(ends)):
        taken = 0
        place = ends[n] - 1
        while taken < k and place >= starts[n]:
            row = rows[place]
            if authors[row] != without[n]:
                found[n, taken] = row
                taken += 1
            place -= 1
