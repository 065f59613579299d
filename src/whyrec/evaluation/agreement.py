"""How far raters agree beyond chance, where not everybody rated everything: Krippendorff's alpha.

scikit-learn has kappa for two raters without gaps only; statsmodels, which has more, is not among our libraries.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyrec.errors import InvalidDataError

Level = Literal["nominal", "interval"]


def krippendorff_alpha(ratings: ArrayLike, *, level: Level) -> float | None:
    """Alpha of several raters: 1 if they always agree, 0 if as often as by chance, below 0 if less.

    ``1 - (observed disagreement) / (expected disagreement)``, over all pairs of ratings of the same unit and over all
    pairs of ratings whatever. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section F. Units with
    fewer than two ratings say nothing and are left out.

    Args:
        ratings: ``[raters units]``; NaN where a rater did not rate a unit. Categories are any distinct numbers.
        level: What a disagreement weighs: ``nominal`` 1, ``interval`` the squared difference.

    Returns:
        None if no unit has two ratings, or if all these ratings are the same: agreement cannot be told from habit.

    Raises:
        InvalidDataError: If ``ratings`` has not two axes or holds an infinity.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or np.isinf(table).any():
        raise InvalidDataError(
            f"alpha: expected finite ratings [raters units], NaN where missing, got shape {table.shape}. Correct them."
        )
    values, codes = np.unique(table[~np.isnan(table)], return_inverse=True)
    coincidences = _coincidences(table, n_values=len(values), codes=codes)
    totals = coincidences.sum(axis=1)
    n = totals.sum()
    if n == 0 or np.count_nonzero(totals) < 2:
        return None
    weights = _weights(values, level)
    observed = float((coincidences * weights).sum())
    expected = float((np.outer(totals, totals) * weights).sum() / (n - 1))
    return 1 - observed / expected


def _coincidences(table: NDArray[np.float64], *, n_values: int, codes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Ordered pairs of ratings of the same unit by value; a unit with m ratings weighs 1/(m - 1)."""
    counts = np.zeros((table.shape[1], n_values))
    np.add.at(counts, (np.nonzero(~np.isnan(table))[1], codes.ravel()), 1)
    counts = counts[counts.sum(axis=1) > 1]
    weighted = counts / (counts.sum(axis=1, keepdims=True) - 1)
    pairs: NDArray[np.float64] = weighted.T @ counts - np.diag(weighted.sum(axis=0))
    return pairs


def _weights(values: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    differences = values[:, None] - values[None, :]
    weights: NDArray[np.float64] = (differences != 0).astype(np.float64) if level == "nominal" else differences**2
    return weights
