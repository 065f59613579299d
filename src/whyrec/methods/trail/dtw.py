"""Exact dynamic time warping of whole numbers, one series against 32 at a time, each in a lane of vector registers.

Whole numbers, because their sums have no rounding: every machine, order and number of threads gives the same distances
and the same ties. Counts are whole; ``similarity`` brings scaled logarithms to a grid.

The recursion is ``equations.cumulative_costs`` with ``step`` added once per point of the path. Step 0 gives the plain
distance D. Step 1, with values that are multiples of ``PATH_UNIT``, gives ``D + L``: L counts the points of the path
that minimises D and, of several such paths, of the shortest; it stays below ``PATH_UNIT`` and never outweighs D.

A band (Sakoe and Chiba 1978) forbids pairs of points whose places differ by more than its width. It is widened to the
difference of the two lengths where that is greater, since no path would exist otherwise.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numba
import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray

from whyrec.errors import InvalidDataError

LANES = 32
"""Candidates side by side: enough independent sums to hide how long each takes."""
LONGEST = 60
"""Points of a series at most."""
PATH_UNIT = 128
"""More than the 2 * 60 - 1 points of the longest path."""
FAR = 2**30
"""Above every distance, and low enough that adding one more cost still fits 32 bits."""
_ABANDON_EVERY = 4
"""Rows between two looks at whether any lane can still come near enough."""
_FIRST = 2 * LANES
"""Candidates that are measured before a limit is known: those with the least bounds."""
_CHUNK = 64 * LANES
"""Candidates that are measured between two looks at the limit."""

_njit = numba.njit(cache=True, nogil=True)
_Values = NDArray[np.int32]
_Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """Series of different lengths, end to end."""

    values: Int[np.ndarray, " N"]
    offsets: Int[np.ndarray, " S1"]
    """Where each series begins; one more for the end."""

    @classmethod
    def of(cls, series: Sequence[np.ndarray], *, where: str = "series") -> Self:
        """Join series of whole numbers.

        Args:
            series: At most 60 points each; some may be empty.
            where: What they are, for messages.

        Raises:
            InvalidDataError: If one is too long, or values lie so far apart that a path may not fit 32 bits.
        """
        lengths = np.array([len(one) for one in series], dtype=np.int64)
        joined = np.concatenate([np.zeros(0, np.int64), *series])
        if len(lengths) and lengths.max() > LONGEST:
            row = int(lengths.argmax())
            raise InvalidDataError(
                f"{where} {row}: expected at most {LONGEST} points, got {lengths[row]}. Keep the newest."
            )
        spread = int(joined.max()) - int(joined.min()) if len(joined) else 0
        if spread * LONGEST >= FAR or np.abs(joined).max(initial=0) >= FAR:
            raise InvalidDataError(
                f"{where}: expected values that differ by less than {FAR // LONGEST}, got a difference of {spread}. "
                "Scale them down."
            )
        return cls(joined.astype(np.int32), _offsets(lengths))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> _Places:
        """Points of each series."""
        return np.diff(self.offsets)

    @cached_property
    def lanes(self) -> tuple[_Values, _Places, NDArray[np.int32]]:
        """The same for ``least_bounds``: points side by side, where each block begins, and five columns of facts."""
        return _side_by_side(self.values, self.offsets)

    def take(self, rows: _Places) -> "SeriesTable":
        """Some of the series, in the order given."""
        lengths = self.lengths[rows]
        offsets = _offsets(lengths)
        places = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - self.offsets[rows], lengths)
        return SeriesTable(self.values[places], offsets)


def least_bounds(series: SeriesTable, row: int) -> Int[np.ndarray, " S"]:
    """Bound the distances of one series to all others from below.

    The cost of the first points, that of the last ones, and how far the points between lie outside the range of the
    other series. Sources: Kim, Park and Chu 2001 for the ends, Yi, Jagadish and Faloutsos 1998 for the range.

    Returns:
        At most the plain distance, in a band or out of it; without meaning where one of the two is empty.
    """
    query = series.values[series.offsets[row] : series.offsets[row + 1]]
    return _least_bounds(*series.lanes, query)[: len(series)]


def distances(
    series: SeriesTable,
    row: int,
    rows: Int[np.ndarray, " R"],
    *,
    limits: Int[np.ndarray, " R"],
    step: int = 0,
    band: int | None = None,
) -> Int[np.ndarray, " R"]:
    """Warp one series onto others, neither of them empty.

    Args:
        series: All series.
        row: The one.
        rows: The others; fastest where neighbours in this list have equal lengths.
        limits: What is above it need not be known; at most ``FAR``.
        step: Added for each point of the path: 0 or 1.
        band: Width of the band; None allows every path.

    Returns:
        The distance of each, exact where it is at most its limit; else that, or ``FAR``.
    """
    width = LONGEST if band is None else band
    at = np.ascontiguousarray(rows, dtype=np.int64)
    most = np.ascontiguousarray(limits, dtype=np.int32)
    return _distances(series.values, series.offsets, row, at, most, np.int32(step), width)


def cheapest(
    bounds: Shaped[np.ndarray, " S"],
    measure: Callable[[_Places, float], NDArray[np.float64]],
    *,
    n: int,
    ids: Int[np.ndarray, " S"],
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Find the rows of least cost exactly, measuring only those whose bound leaves them a chance.

    Args:
        bounds: At most the cost of each row; infinity for one that may not be found.
        measure: Costs of rows; above the limit given to it, any value above it will do.
        n: How many to find.
        ids: Of each row; of equal costs the lower id comes first.

    Returns:
        Ids and costs, least first; -1 and infinity where fewer rows may be found.
    """
    found, costs = np.full(n, -1, dtype=np.int64), np.full(n, np.inf)
    rows = _least(bounds, max(_FIRST, n))
    is_left = np.ones(len(bounds), dtype=np.bool_)
    is_left[rows] = False
    rows = rows[bounds[rows] < np.inf]
    found, costs = _merge((found, costs), ids[rows], measure(rows, np.inf))
    rest = np.flatnonzero(is_left & (bounds <= min(costs[-1], np.finfo(np.float64).max)))
    for start in range(0, len(rest), _CHUNK):
        chunk = rest[start : start + _CHUNK]
        chunk = chunk[bounds[chunk] <= costs[-1]]
        found, costs = _merge((found, costs), ids[chunk], measure(chunk, float(costs[-1])))
    return found, costs


def nearest(
    series: SeriesTable,
    *,
    n: int,
    rows: Int[np.ndarray, " A"] | None = None,
    band: int | None = None,
    threads: int | None = None,
) -> tuple[Int[np.ndarray, "A n"], Int[np.ndarray, "A n"]]:
    """Find the other series that are nearest by plain distance, exactly.

    Args:
        series: None of them empty.
        n: How many to find; fewer than there are series.
        rows: Of which series; None: of each.
        band: Width of the band; None allows every path.
        threads: At most; None: as many as this process may use cores.

    Returns:
        Rows and distances, nearest first; equal ones in the order of rows.

    Raises:
        InvalidDataError: If a series is empty, or there are not more than ``n``.
    """
    if not 1 <= n < len(series):
        raise InvalidDataError(f"nearest series: expected n from 1 to {len(series) - 1}, got {n}. Ask for fewer.")
    if int(series.lengths.min()) == 0:
        row = int(series.lengths.argmin())
        raise InvalidDataError(f"series {row}: expected at least one point, got none. Leave it out.")
    # Lanes side by side then end at the same time.
    order = np.argsort(series.lengths, kind="stable")
    ordered = series.take(order)
    place = np.argsort(order)

    def search(row: int) -> tuple[_Places, NDArray[np.float64]]:
        def measure(others: _Places, limit: float) -> NDArray[np.float64]:
            limits = np.full(len(others), min(limit, FAR), dtype=np.int32)
            return distances(ordered, row, others, limits=limits, band=band).astype(np.float64)

        bounds = least_bounds(ordered, row).astype(np.float64)
        bounds[row] = np.inf
        return cheapest(bounds, measure, n=n, ids=order)

    asked = place if rows is None else place[rows]
    found = np.empty((2, len(asked), n), dtype=np.int32)
    with ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool:
        for at, pair in enumerate(pool.map(search, asked.tolist())):
            found[:, at] = pair
    return found[0], found[1]


def _least(bounds: Shaped[np.ndarray, " S"], k: int) -> _Places:
    """Rows of the k least bounds, in the order of rows."""
    if k >= len(bounds):
        return np.arange(len(bounds))
    return np.sort(np.argpartition(bounds, k)[:k])


def _merge(
    best: tuple[_Places, NDArray[np.float64]], ids: _Places, new: NDArray[np.float64]
) -> tuple[_Places, NDArray[np.float64]]:
    """The best of those found and new ones, as many as were found."""
    found, costs = best
    is_near = new <= costs[-1]
    all_ids, all_costs = np.concatenate([found, ids[is_near]]), np.concatenate([costs, new[is_near]])
    order = np.lexsort((all_ids, all_costs))[: len(found)]
    return all_ids[order], all_costs[order]


def _offsets(lengths: _Places) -> _Places:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


@_njit
def _side_by_side(
    values: _Values, offsets: _Places
) -> tuple[_Values, _Places, NDArray[np.int32]]:  # pragma: no cover - compiled
    n_series = len(offsets) - 1
    n_blocks = (n_series + LANES - 1) // LANES
    facts = np.zeros((5, n_blocks * LANES), np.int32)
    starts = np.zeros(n_blocks + 1, np.int64)
    for row in range(n_series):
        one = values[offsets[row] : offsets[row + 1]]
        if len(one):
            facts[0, row], facts[1, row], facts[2, row], facts[3, row] = one[0], one[-1], one.min(), one.max()
            facts[4, row] = len(one)
    for block in range(n_blocks):
        starts[block + 1] = starts[block] + facts[4, block * LANES : (block + 1) * LANES].max() * LANES
    packed = np.zeros(starts[-1], np.int32)
    for row in range(n_series):
        at = starts[row // LANES] + row % LANES
        for place in range(offsets[row + 1] - offsets[row]):
            packed[at + place * LANES] = values[offsets[row] + place]
    return packed, starts, facts


@_njit
def _least_bounds(
    packed: _Values, starts: _Places, facts: NDArray[np.int32], query: _Values
) -> _Values:  # pragma: no cover - compiled
    zero, n = np.int32(0), len(query)
    bounds = np.zeros(facts.shape[1], np.int32)
    if n == 0:
        return bounds
    first, last, least, greatest = query[0], query[-1], query.min(), query.max()
    mine, theirs = np.zeros(LANES, np.int32), np.zeros(LANES, np.int32)
    for block in range(len(starts) - 1):
        some = slice(block * LANES, (block + 1) * LANES)
        firsts, lasts, lengths = facts[0, some], facts[1, some], facts[4, some]
        leasts, greatests = facts[2, some], facts[3, some]
        n_rows = (starts[block + 1] - starts[block]) // LANES
        mine[:] = 0
        theirs[:] = 0
        for place in range(1, n - 1):
            point = query[place]
            for lane in range(LANES):
                above, below = np.int32(point - greatests[lane]), np.int32(leasts[lane] - point)
                mine[lane] = np.int32(mine[lane] + np.int32(max(above, zero) + max(below, zero)))
        for place in range(1, n_rows - 1):
            at, where = starts[block] + place * LANES, np.int32(place + 1)
            for lane in range(LANES):
                point = packed[at + lane]
                above, below = np.int32(point - greatest), np.int32(least - point)
                outside = np.int32(max(above, zero) + max(below, zero))
                theirs[lane] = np.int32(theirs[lane] + (outside if where < lengths[lane] else zero))
        for lane in range(LANES):
            at_ends = np.int32(abs(first - firsts[lane]))
            # Of two single points, first and last are the same pair.
            if n > 1 or lengths[lane] > 1:
                at_ends = np.int32(at_ends + abs(last - lasts[lane]))
            bounds[block * LANES + lane] = np.int32(at_ends + max(mine[lane], theirs[lane]))
    return bounds


@_njit
def _distances(
    values: _Values,
    offsets: _Places,
    row: int,
    rows: _Places,
    limits: _Values,
    step: np.int32,
    band: int,
) -> _Values:  # pragma: no cover - compiled
    query = values[offsets[row] : offsets[row + 1]]
    found = np.empty(len(rows), np.int32)
    packed = np.empty(LONGEST * LANES, np.int32)
    here, above = np.empty((LONGEST + 1) * LANES, np.int32), np.empty((LONGEST + 1) * LANES, np.int32)
    lengths = np.empty(LANES, np.int64)
    for start in range(0, len(rows), LANES):
        n_lanes = min(LANES, len(rows) - start)
        for lane in range(n_lanes):
            other = rows[start + lane]
            begin, end = offsets[other], offsets[other + 1]
            lengths[lane] = end - begin
            for point in range(end - begin):
                packed[point * LANES + lane] = values[begin + point]
        some = slice(start, start + n_lanes)
        _warp_lanes(query, packed, lengths[:n_lanes], limits[some], step, band, here, above, found[some])
    return found


@_njit
def _warp_lanes(
    query: _Values,
    packed: _Values,
    lengths: _Places,
    limits: _Values,
    step: np.int32,
    band: int,
    here: _Values,
    above: _Values,
    result: _Values,
) -> None:  # pragma: no cover - compiled
    """Fill cumulative costs row by row, a row being one point of all candidates.

    Flat arrays with the lane as last axis of fixed length let the compiler put the innermost loop into registers.
    """
    far, n, n_lanes = np.int32(FAR), len(query), len(lengths)
    n_rows = lengths.max()
    for place in range((n + 1) * LANES):
        above[place] = far
    for lane in range(LANES):
        above[lane] = 0
    for lane in range(n_lanes):
        result[lane] = far
    for row in range(n_rows):
        for lane in range(LANES):
            here[lane] = far
        for column in range(n):
            at, point = column * LANES, query[column]
            for lane in range(LANES):
                cost = np.int32(point - packed[row * LANES + lane])
                cost = max(cost, np.int32(-cost))
                before = min(min(above[at + lane], above[at + LANES + lane]), here[at + lane])
                here[at + LANES + lane] = np.int32(np.int32(before + cost) + step)
            if band < LONGEST:
                for lane in range(n_lanes):
                    if abs(row - column) > max(band, abs(n - lengths[lane])):
                        here[at + LANES + lane] = far
        for lane in range(n_lanes):
            if lengths[lane] == row + 1:
                result[lane] = here[n * LANES + lane]
        here, above = above, here
        is_time = row % _ABANDON_EVERY == _ABANDON_EVERY - 1
        if is_time and _is_hopeless(above, lengths, limits, n, row):
            return


@_njit
def _is_hopeless(
    above: _Values, lengths: _Places, limits: _Values, n: int, row: int
) -> bool:  # pragma: no cover - compiled
    """True where every lane has ended or all its sums are above its limit: costs only grow along a path."""
    least = np.full(LANES, np.int32(FAR), np.int32)
    for column in range(1, n + 1):
        for lane in range(LANES):
            least[lane] = min(least[lane], above[column * LANES + lane])
    n_open = 0
    for lane in range(len(lengths)):
        n_open += lengths[lane] > row + 1 and least[lane] <= limits[lane]
    return n_open == 0
