"""What hit rate and NDCG of the same lists may be together, where every user has one relevant item.

A hit at rank r adds 1 to HR@k and 1/log2(r+1) to NDCG@k for every k >= r. What two cutoffs differ by comes from hits at
the ranks between them, so it has bounds, which means over users, runs or random orders of ties keep. A row of a table
outside these bounds cannot come from one set of lists.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from whyrec.errors import InvalidDataError

ROUNDING = 1e-9
"""How far a number computed here may be from the truth."""

_CUTOFF = re.compile(r"(?P<name>HR|NDCG)@(?P<k>[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class ConsistencyBound:
    """Between which numbers a value of a row must lie, by the other values of the row."""

    what: str
    """``NDCG@5``, or ``NDCG@10 - NDCG@5``."""
    value: float
    low: float
    high: float
    slack: float
    """How far outside it may seem to lie where every value is rounded."""

    @property
    def is_kept(self) -> bool:
        """False if the row is impossible."""
        return self.low - self.slack <= self.value <= self.high + self.slack

    def __str__(self) -> str:
        return f"{self.what} of {self.low:.4f} to {self.high:.4f}, got {self.value:.4f}"


def consistency_bounds(row: Mapping[str, float], *, rounding: float = ROUNDING) -> list[ConsistencyBound]:
    """The bounds of a row with one relevant item per user, for every cutoff at which it has both metrics.

    HR@5 .3 and NDCG@5: .3 / log2(6) = .1161 to .3. Up to 10, of .5 - .3: .2 / log2(11) = .0578 to .2 / log2(7) = .0712.

    Args:
        row: ``HR@K`` and ``NDCG@K`` by name; other names are left alone.
        rounding: How far each value may be from the true one: .00005 for four printed digits.
    """
    found = {(match["name"], int(match["k"])): value for name, value in row.items() if (match := _match(name))}
    cutoffs = sorted(k for name, k in found if name == "HR" and ("NDCG", k) in found)
    points = [(0, 0.0, 0.0), *((k, found["HR", k], found["NDCG", k]) for k in cutoffs)]
    return [bound for above, below in pairwise(points) for bound in _between(above, below, rounding=rounding)]


def require_consistent(row: Mapping[str, float], *, where: str, rounding: float = ROUNDING) -> None:
    """Refuse a row that cannot come from one set of lists with one relevant item each.

    Args:
        row: As in ``consistency_bounds``; it needs both metrics at one cutoff at least.
        where: What the row is of.
        rounding: As in ``consistency_bounds``.

    Raises:
        InvalidDataError: Naming the first bound that is not kept, or if there is nothing to compare.
    """
    bounds = consistency_bounds(row, rounding=rounding)
    if not bounds:
        raise InvalidDataError(f"{where}: expected HR and NDCG at a common cutoff, got {', '.join(row)}. Compute both.")
    broken = next((bound for bound in bounds if not bound.is_kept), None)
    if broken is not None:
        raise InvalidDataError(
            f"{where}: expected {broken}. Compute all metrics from the same lists, one relevant item each."
        )


def _match(name: str) -> re.Match[str] | None:
    return _CUTOFF.fullmatch(name)


def _between(
    above: tuple[int, float, float], below: tuple[int, float, float], *, rounding: float
) -> list[ConsistencyBound]:
    """Bounds of what one cutoff has more than another; points are a cutoff, its HR and its NDCG, (0, 0, 0) the top."""
    last, k = above[0], below[0]
    hits, gain = below[1] - above[1], below[2] - above[2]
    least, most = 1 / math.log2(k + 1), 1 / math.log2(last + 2)
    hit_name, gain_name = (f"{name}@{k}" + (f" - {name}@{last}" if last else "") for name in ("HR", "NDCG"))
    # A difference of two rounded values is off by twice as much; the top alone has one value.
    off = rounding * (2 if last else 1)
    return [
        ConsistencyBound(hit_name, hits, 0.0, 1 - above[1], off),
        ConsistencyBound(gain_name, gain, hits * least, hits * most, off * (1 + most)),
    ]
