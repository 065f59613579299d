"""A user's preference on one aspect, moved by hand: a list for somebody who wants "less tension"."""

import numpy as np
from jaxtyping import Float

from whyrec.errors import InvalidConfigError

LARGEST_AMOUNT = 100
"""Deviations; long before, the aspect alone orders the list."""


def shifted_scores(
    scores: Float[np.ndarray, "*B I"], levels: Float[np.ndarray, " I"], *, amount: float
) -> Float[np.ndarray, "*B I"]:
    """Scores as they would be if the user preferred more or less of one aspect, all else the same.

    In the model, this moves the user's coordinate on the aspect. The unit is one that does not depend on the scale of
    embeddings: at an amount of 1, an item that lies one deviation above the mean on the aspect gains one deviation of
    the user's own scores. As the amount grows, the mean level of the k best items never falls, for any k.

    Args:
        scores: Of all items, higher is better; ``-inf`` stands for items that may not be listed, and stays.
        levels: Of the items on the aspect, in points; NaN where unknown, which counts as the mean: it neither gains nor
            loses.
        amount: Below 0, less of it.

    Raises:
        InvalidConfigError: If the amount is beyond 100 either way, or all items are equal on the aspect.
    """
    if not abs(amount) <= LARGEST_AMOUNT:
        raise InvalidConfigError(
            f"shift: expected an amount from -{LARGEST_AMOUNT} to {LARGEST_AMOUNT}, got {amount:g}. Choose a number "
            "such as -1."
        )
    is_known = ~np.isnan(levels)
    if not is_known.any():
        raise InvalidConfigError("shift: expected levels, got an aspect on which no item has a level. Score it first.")
    mean, spread = levels[is_known].mean(), levels[is_known].std()
    if not spread > 0:
        raise InvalidConfigError(
            f"shift: expected an aspect that tells items apart, got one of level {mean:.3g} for all. Choose another."
        )
    gains = np.where(is_known, (levels - mean) / spread, 0.0)
    shifted: np.ndarray = scores + amount * _deviations(scores) * gains
    return shifted


def mean_level(scores: Float[np.ndarray, " I"], levels: Float[np.ndarray, " I"], *, k: int) -> float:
    """The mean level of the ``k`` best items, in points; one of unknown level counts as the mean of those known.

    Returns:
        NaN if there is none to count, or no item has a level.

    Raises:
        InvalidConfigError: If ``k`` is below 1.
    """
    if k < 1:
        raise InvalidConfigError(f"mean_level: expected k of at least 1, got {k}. Choose a positive k.")
    best = np.argsort(-scores, kind="stable")[:k]
    is_known = ~np.isnan(levels)
    mean = levels[is_known].mean() if is_known.any() else np.nan
    found = np.where(is_known, levels, mean)[best[np.isfinite(scores[best])]]
    # Sorted and in double precision: the same items in another order have the same mean to the bit.
    return float(np.sort(found).mean(dtype=np.float64)) if len(found) else float("nan")


def _deviations(scores: Float[np.ndarray, "*B I"]) -> Float[np.ndarray, "*B 1"]:
    """Of each row's scores that are listed; 0 where there are none."""
    is_listed = np.isfinite(scores)
    listed = np.where(is_listed, scores, 0.0)
    n = np.maximum(is_listed.sum(axis=-1, keepdims=True), 1)
    around = np.where(is_listed, listed - listed.sum(axis=-1, keepdims=True) / n, 0.0)
    deviations: np.ndarray = np.sqrt((around**2).sum(axis=-1, keepdims=True) / n)
    return deviations
