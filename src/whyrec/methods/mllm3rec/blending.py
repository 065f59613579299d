"""How much each part of a score counts: a conditional logit on cases that are earlier than whatever is asked later."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

_PENALTY = 1e-3


def blend_weights(parts: Float[np.ndarray, "U C P"], *, penalty: float = _PENALTY) -> NDArray[np.float64]:
    """Weights that make the first candidate of every case likeliest, by softmax over its candidates.

    Args:
        parts: Of each case and candidate; the first candidate is what was taken.
        penalty: On squared weights of parts scaled to deviation 1.

    Returns:
        One weight per part; 0 for a part that is the same everywhere.
    """
    from scipy.optimize import minimize  # loads slowly

    deviation = parts.std(axis=(0, 1), dtype=np.float64)
    scale = np.where(deviation > 1e-9, deviation, np.inf)
    scaled = parts / scale

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = scaled @ weights
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        expected = np.einsum("uc,ucp->up", likely, scaled)
        value = -np.log(np.maximum(likely[:, 0], 1e-300)).mean() + penalty * (weights @ weights)
        return float(value), (expected - scaled[:, 0]).mean(axis=0) + 2 * penalty * weights

    found = minimize(loss, np.zeros(parts.shape[2]), jac=True, method="L-BFGS-B").x
    return np.asarray(found / scale, dtype=np.float64)


def first_is_hit(scores: Float[np.ndarray, "U C"], *, k: int) -> NDArray[np.float64]:
    """Per case: the probability that the first candidate is among the best ``k``, ties in random order."""
    better = (scores > scores[:, :1]).sum(axis=1)
    tied = (scores == scores[:, :1]).sum(axis=1)
    return np.asarray(np.clip((k - better) / tied, 0.0, 1.0), dtype=np.float64)


def draw_others(
    rng: np.random.Generator, *, n_items: int, had: Sequence[NDArray[np.int64]], n: int
) -> NDArray[np.int64]:
    """For each case ``n`` items that its user has not had, all alike, repeats possible: [U n].

    Where a user has had everything, any items.
    """
    drawn = rng.integers(n_items, size=(len(had), n))
    for row, taken in enumerate(had):
        if len(np.unique(taken)) == n_items:
            continue
        is_had = np.isin(drawn[row], taken)
        while is_had.any():
            drawn[row, is_had] = rng.integers(n_items, size=int(is_had.sum()))
            is_had = np.isin(drawn[row], taken)
    return drawn
