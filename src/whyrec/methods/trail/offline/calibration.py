"""From raw predictions to expected audiences with intervals, by what past forecasts got wrong.

Split-conformal in spirit: the errors come from validation windows whose models had not seen them. They are taken
separately for small and large forecasts, because a forecast of 3 users and one of 300 are not wrong in the same way.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from whyrec.runtime.strict_model import StrictModel

_LEVELS = 8
_LEAST_PER_LEVEL = 20
_MOST_CORRECTION = 3.0
Column = NDArray[np.float64]


class Calibration(StrictModel):
    """Corrections at a few levels of the raw forecast, interpolated in between."""

    level: tuple[float, ...] = (0.0,)
    """log1p of the raw forecast, increasing."""
    correction: tuple[float, ...] = (1.0,)
    """True audience over raw forecast, summed over the items near the level."""
    below: tuple[float, ...] = (0.0,)
    """Lower quantile of log1p(truth) - log1p(corrected forecast); at most 0."""
    above: tuple[float, ...] = (0.0,)
    """Upper quantile of the same; at least 0."""

    def apply(self, raw: Column) -> tuple[Column, Column, Column]:
        """Expected audience with the ends of its interval, each of shape (n,)."""
        level = np.log1p(raw)
        expected = raw * np.interp(level, self.level, self.correction)
        low = np.expm1(np.log1p(expected) + np.interp(level, self.level, self.below))
        high = np.expm1(np.log1p(expected) + np.interp(level, self.level, self.above))
        return expected, np.maximum(np.floor(low), 0.0), np.ceil(high)


def calibrate(raw: Sequence[Column], truth: Sequence[Column], *, interval: float) -> Calibration:
    """Learn the corrections from past forecasts and what then happened.

    Args:
        raw: Per validation window the raw forecasts, each of shape (n_items,).
        truth: The audiences that came, in the same order.
        interval: Share of true audiences that the interval is meant to cover.
    """
    if not raw:
        return Calibration()
    forecast, came = np.concatenate(list(raw)), np.concatenate(list(truth))
    edges = _level_edges(forecast)
    level, correction, below, above = [], [], [], []
    for low, high in pairwise(edges):
        near = (forecast >= low) & (forecast < high)
        ratio = float(
            np.clip(came[near].sum() / max(forecast[near].sum(), 1e-9), 1 / _MOST_CORRECTION, _MOST_CORRECTION)
        )
        error = np.log1p(came[near]) - np.log1p(forecast[near] * ratio)
        level.append(float(np.log1p(forecast[near]).mean()))
        correction.append(ratio)
        below.append(min(float(np.quantile(error, (1 - interval) / 2, method="lower")), 0.0))
        above.append(max(float(np.quantile(error, (1 + interval) / 2, method="higher")), 0.0))
    return Calibration(level=tuple(level), correction=tuple(correction), below=tuple(below), above=tuple(above))


def _level_edges(forecast: Column) -> Column:
    """Edges of levels with equal steps in the log of the forecast and at least 20 items each."""
    steps = np.expm1(np.linspace(0.0, np.log1p(forecast.max()), _LEVELS + 1))[1:-1]
    edges = [np.inf]
    for edge in steps[::-1]:
        if ((forecast >= edge) & (forecast < edges[-1])).sum() >= _LEAST_PER_LEVEL:
            edges.append(edge)
    if (forecast < edges[-1]).any():
        edges.append(-np.inf)
    return np.array(edges[::-1])
