"""What a catalogue's own values, such as genres, say of an aspect, and what texts can be taught by them.

Labels are weak: they name an end in general ("Thriller" for tension), and may be wrong of one item. So they teach a
direction in the space of texts, and no item's score ever comes from a model that has seen that item's own labels.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from whyrec.methods.guided.aspects import Aspect

_STEP = re.compile(r"\s*[|>]\s*")
_PENALTIES = np.logspace(-1, 3, 9)


def weak_labels(items: pl.DataFrame, aspect: Aspect) -> Int[np.ndarray, " N"]:
    """Which end each item's values name: 1, -1, or 0 where they name none or both.

    Values of a path such as ``Beauty > Fragrance`` or ``Action|War`` count one by one, upper and lower case alike.

    Args:
        items: The catalogue.
        aspect: With ``labels`` at its poles.
    """
    found = np.zeros((2, items.height), dtype=bool)
    for place, pole in enumerate((aspect.low, aspect.high)):
        for column, values in pole.labels.items():
            if column in items.columns:
                found[place] |= _has_any(items[column], values)
    labels: np.ndarray = found[1].astype(np.int64) - found[0].astype(np.int64)
    return labels


def label_positions(
    vectors: Float[np.ndarray, "N E"], labels: Int[np.ndarray, " N"], *, n_folds: int = 5, seed: int = 0
) -> Float[np.ndarray, " N"]:
    """Place items by ridge regression from their vectors to labels; a labelled item by models that never saw it.

    Args:
        vectors: Centred, from ``poles.centred``.
        labels: From ``weak_labels``; both ends must have ``n_folds`` items at least.
        n_folds: Parts into which labelled items are divided.
        seed: Of the division.

    Returns:
        Higher is nearer to the end of 10. Each part's values are brought to the same mean and deviation first.
    """
    folds = _folds(labels, n_folds=n_folds, seed=seed)
    by_fold = np.stack([_predicted(vectors, labels, folds != fold) for fold in range(n_folds)])
    own = by_fold[np.maximum(folds, 0), np.arange(len(labels))]
    positions: np.ndarray = np.where(folds >= 0, own, by_fold.mean(axis=0))
    return positions


def label_counts(labels: Int[np.ndarray, " N"]) -> tuple[int, int]:
    """Items that name the low end, and that name the high end."""
    return int((labels < 0).sum()), int((labels > 0).sum())


def _has_any(values: pl.Series, wanted: Sequence[str]) -> NDArray[np.bool_]:
    known = {_folded(value) for value in wanted}
    return np.array([any(_folded(part) in known for part in _parts(value)) for value in values.to_list()], dtype=bool)


def _parts(value: object) -> Iterable[str]:
    if isinstance(value, list | tuple):
        return [part for one in value for part in _parts(one)]
    return [] if value is None else [*_STEP.split(str(value)), str(value)]


def _folded(text: str) -> str:
    return text.strip().casefold()


def _folds(labels: Int[np.ndarray, " N"], *, n_folds: int, seed: int) -> Int[np.ndarray, " N"]:
    """A part for each labelled item, each end spread evenly over them; -1 for the others."""
    rng = np.random.default_rng(seed)
    folds = np.full(len(labels), -1)
    for end in (-1, 1):
        rows = rng.permutation(np.flatnonzero(labels == end))
        folds[rows] = np.arange(len(rows)) % n_folds
    return folds


def _predicted(
    vectors: Float[np.ndarray, "N E"], labels: Int[np.ndarray, " N"], is_taught: NDArray[np.bool_]
) -> Float[np.ndarray, " N"]:
    chosen = (labels != 0) & is_taught
    targets = labels[chosen].astype(np.float64)
    # Both ends weigh alike, however many items name them.
    shares: Mapping[int, float] = {end: float((targets == end).mean()) for end in (-1, 1)}
    weights = np.array([0.5 / shares[int(target)] for target in targets])
    model = RidgeCV(alphas=_PENALTIES).fit(vectors[chosen], targets, sample_weight=weights)
    found = model.predict(vectors)
    # A penalty of its own shrinks each part's values differently.
    spread = found.std()
    standard: np.ndarray = (found - found.mean()) / (spread if spread > 0 else 1.0)
    return standard
