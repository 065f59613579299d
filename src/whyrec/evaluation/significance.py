"""Percentile bootstrap over users: one system, a paired difference, any statistic of several strata's means.

Users are drawn with replacement within each stratum (a window, a data set). The strata are drawn independently of each
other: a user who is active in two windows counts as two, so an average over windows speaks of user-windows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyrec.errors import InvalidConfigError, InvalidDataError

_CHUNK_WEIGHTS = 1 << 22
"""Weights held at once while resampling: 32 MiB of float64, whatever the number of users."""

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Maps means ``[R strata systems]`` to values ``[R]``; R is the number of resamples."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its bootstrap interval."""

    value: float
    low: float
    high: float
    n: int
    """Units (users) that were resampled, over all strata."""

    def excludes(self, value: float) -> bool:
        """True when ``value`` lies outside ``[low, high]``."""
        return value < self.low or value > self.high


def bootstrap_mean(values: ArrayLike, *, n_resamples: int = 2000, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Mean of one value per user with its percentile interval. NaN (a metric undefined for a user) is left out.

    Raises:
        InvalidDataError: If no value is left.
    """
    column = np.asarray(values, dtype=np.float64)
    column = column[~np.isnan(column)]
    return bootstrap_statistic(
        [column[:, None]], statistic=mean_of(0), n_resamples=n_resamples, confidence=confidence, seed=seed
    )


def bootstrap_difference(
    first: ArrayLike, second: ArrayLike, *, n_resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Mean of ``first - second`` over the same users in the same order; users with a NaN in either are left out.

    Raises:
        InvalidDataError: If the two have different lengths, or no user is left.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise InvalidDataError(
            f"bootstrap_difference: expected the same users, got {a.size} and {b.size} values. Align them by user_id."
        )
    return bootstrap_mean(a - b, n_resamples=n_resamples, confidence=confidence, seed=seed)


def bootstrap_statistic(
    strata: Sequence[NDArray[np.float64]],
    *,
    statistic: Statistic,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Resample users within each stratum and take one statistic of the means; see ``bootstrap_statistics``."""
    intervals = bootstrap_statistics(
        strata, statistics={"it": statistic}, n_resamples=n_resamples, confidence=confidence, seed=seed
    )
    return intervals["it"]


def bootstrap_statistics(
    strata: Sequence[NDArray[np.float64]],
    *,
    statistics: Mapping[str, Statistic],
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Resample users within each stratum once, and take several statistics of the means.

    Args:
        strata: One array ``[users systems]`` per stratum; a row holds one user's value under every system, so
            comparisons are paired. The number of systems is the same everywhere, the number of users is not.
        statistics: Each maps means ``[R strata systems]`` to ``[R]``: ``mean_of``, ``difference_of``, ``ratio_of``,
            ``averaged_over`` or your own.
        n_resamples: Bootstrap resamples.
        confidence: Mass of the interval.
        seed: Fixes the resamples; the same seed draws the same users for every system.

    Returns:
        An interval per statistic; its bounds are NaN if the statistic is undefined for some resample.

    Raises:
        InvalidDataError: If a stratum has no users, or a value is not finite.
        InvalidConfigError: If ``n_resamples`` or ``confidence`` is out of range.
    """
    if n_resamples < 1 or not 0 < confidence < 1:
        raise InvalidConfigError(
            "bootstrap: expected n_resamples of at least 1 and confidence within (0, 1), "
            f"got {n_resamples} and {confidence}. Correct them."
        )
    for number, values in enumerate(strata):
        if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
            raise InvalidDataError(
                f"bootstrap, stratum {number}: expected finite values [users systems], at least one user, "
                f"got shape {values.shape}. Leave out users without a value."
            )
    observed = np.stack([values.mean(axis=0) for values in strata])[None]
    draws = [
        resampled_means(values, n_resamples=n_resamples, rng=np.random.default_rng([seed, number]))
        for number, values in enumerate(strata)
    ]
    means = np.stack(draws, axis=1)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    n = sum(len(values) for values in strata)
    intervals = {}
    for name, statistic in statistics.items():
        low, high = np.quantile(statistic(means), tails)
        intervals[name] = Interval(value=float(statistic(observed)[0]), low=float(low), high=float(high), n=n)
    return intervals


def resampled_means(values: NDArray[np.float64], *, n_resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Means ``[resamples systems]`` of ``values`` ``[users systems]`` under draws of users with replacement."""
    n_users = len(values)
    rows = max(1, _CHUNK_WEIGHTS // n_users)
    chunks = []
    for start in range(0, n_resamples, rows):
        n_rows = min(rows, n_resamples - start)
        drawn = rng.integers(n_users, size=(n_rows, n_users)) + np.arange(n_rows)[:, None] * n_users
        weights = np.bincount(drawn.ravel(), minlength=n_rows * n_users).reshape(n_rows, n_users)
        chunks.append(weights.astype(np.float64) @ values / n_users)
    return np.concatenate(chunks)


def mean_of(system: int) -> Statistic:
    """Mean over strata of one system's means."""
    return lambda means: means[:, :, system].mean(axis=1)


def difference_of(first: int, second: int) -> Statistic:
    """Mean over strata of one system's means less another's."""
    return lambda means: (means[:, :, first] - means[:, :, second]).mean(axis=1)


def ratio_of(numerator: int, denominator: int) -> Statistic:
    """Mean over strata of one system's means, divided by another's: a share of the oracle, say. NaN over 0."""

    def ratio(means: NDArray[np.float64]) -> NDArray[np.float64]:
        below = means[:, :, denominator].mean(axis=1)
        above = means[:, :, numerator].mean(axis=1)
        return np.asarray(np.divide(above, below, out=np.full_like(below, np.nan), where=below != 0))

    return ratio


def averaged_over(groups: Sequence[Sequence[int]], statistic: Statistic) -> Statistic:
    """Take a statistic within each group of strata (the windows of a data set), then the mean over groups."""
    return lambda means: np.mean([statistic(means[:, list(group)]) for group in groups], axis=0)
