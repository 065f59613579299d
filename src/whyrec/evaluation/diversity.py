"""How much the items of one list differ from each other, and a re-ranking that trades relevance for it (MMR)."""

from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from whyrec.errors import InvalidConfigError, InvalidDataError


def cosine_similarities(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine of every pair of rows of ``vectors``; an all-zero row is like nothing, itself included."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors, dtype=np.float64), where=lengths > 0)
    similarities: NDArray[np.float64] = unit @ unit.T
    return similarities


def jaccard_similarities(attributes: Sequence[Collection[str]]) -> NDArray[np.float64]:
    """|A ∩ B| / |A ∪ B| of every pair of attribute sets; two empty sets share nothing: 0."""
    sets = [frozenset(values) for values in attributes]
    similarities = np.diag([float(bool(values)) for values in sets])
    for (i, a), (j, b) in combinations(enumerate(sets), 2):
        similarities[i, j] = similarities[j, i] = len(a & b) / len(a | b) if a | b else 0.0
    return similarities


def intra_list_diversity(similarities: NDArray[np.float64]) -> float:
    """Mean of ``1 - similarity`` over the pairs of one list; {a, b}, {b}, {c}: (1/2 + 1 + 1) / 3.

    Args:
        similarities: Of every pair of the list's items, from ``cosine_similarities`` or ``jaccard_similarities``.

    Raises:
        InvalidDataError: If the list has fewer than two items.
    """
    n_items = len(similarities)
    if n_items < 2:
        raise InvalidDataError(f"diversity: expected a list of at least 2 items, got {n_items}. Lengthen the list.")
    return float(np.mean(1.0 - similarities[np.triu_indices(n_items, 1)]))


def mmr_order(
    relevance: NDArray[np.float64], similarities: NDArray[np.float64], *, k: int, relevance_weight: float
) -> list[int]:
    """Re-rank by maximal marginal relevance (Carbonell and Goldstein, 1998).

    Each next item maximises ``w * relevance - (1 - w) * (its greatest similarity to an item already chosen)``.

    Args:
        relevance: One value per item, on the scale of the similarities (0 to 1); scale it first if it is not.
        similarities: Of every pair of items.
        k: Length of the new list; at most the number of items.
        relevance_weight: ``w`` from 0 (difference alone) to 1 (the order by relevance).

    Returns:
        Indices in their new order; ties go to the item that stands earlier.

    Raises:
        InvalidConfigError: If ``relevance_weight`` or ``k`` is out of range.
        InvalidDataError: If a relevance is not finite.
    """
    if not 0 <= relevance_weight <= 1 or not 1 <= k <= len(relevance):
        raise InvalidConfigError(
            f"mmr: expected relevance_weight within [0, 1] and k within [1, {len(relevance)}], "
            f"got {relevance_weight} and {k}. Correct them."
        )
    if not np.isfinite(relevance).all():
        raise InvalidDataError("mmr: expected finite relevance, got NaN or infinity. Leave such items out.")
    chosen: list[int] = []
    gain = relevance_weight * relevance
    closest = np.zeros(len(relevance))
    for _ in range(k):
        value = gain - (1 - relevance_weight) * closest
        value[chosen] = -np.inf
        best = int(np.argmax(value))
        chosen.append(best)
        closest = similarities[best].copy() if len(chosen) == 1 else np.maximum(closest, similarities[best])
    return chosen
