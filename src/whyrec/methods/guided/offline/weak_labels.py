"""What a catalogue's own values, such as genres, say of an aspect, and what texts can be taught by them.

Labels are weak: they name an end in general ("Thriller" for tension), and may be wrong of one item. So each teaches
what texts of such items are like, and no item's score ever comes from a model that has seen that item's own labels. An
end is how much a text is like each of its labels, all weighing alike: else the commonest would speak for all of them.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import KFold

from whyrec.methods.guided.aspects import Aspect, Pole

Label = tuple[str, str]
"""A column of the catalogue and a value of it."""

_STEP = re.compile(r"\s*[|>]\s*")
_PENALTIES = np.logspace(-1, 3, 9)
_WORD_PENALTY = 1.0
"""Rows of words have length 1. Chosen."""


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


def labels_of(aspects: Iterable[Aspect]) -> tuple[Label, ...]:
    """Every label of some aspects' poles, each once."""
    poles = [pole for aspect in aspects for pole in (aspect.low, aspect.high)]
    return tuple(dict.fromkeys(label for pole in poles for label in _labels_of(pole)))


def labelled(items: pl.DataFrame, labels: Sequence[Label]) -> Bool[np.ndarray, "N L"]:
    """Which items have which labels."""
    found = np.zeros((items.height, len(labels)), dtype=bool)
    for place, (column, value) in enumerate(labels):
        if column in items.columns:
            found[:, place] = _has_any(items[column], [value])
    return found


def likeness_to_labels(
    vectors: Float[np.ndarray, "N E"],
    has_label: Bool[np.ndarray, "N L"],
    *,
    texts: Sequence[str] = (),
    n_folds: int = 5,
    seed: int = 0,
) -> Float[np.ndarray, "N L"]:
    """How much each item's text is like those of the items with each label, by models that never saw that item.

    Ridge regressions, one on the vectors and one on the words: what a sentence encoder smooths over, a name or a rare
    word may tell.

    Args:
        vectors: Centred, from ``poles.centred``.
        has_label: From ``labelled``; each label must have items.
        texts: Whose words are read; they should not spell out the labels. None reads the vectors alone.
        n_folds: Parts into which items are divided.
        seed: Of the division.

    Returns:
        Each label's column has mean 0 and deviation 1, but for parts.
    """
    targets = has_label.astype(np.float64)
    words = _words(texts) if texts else None
    found = np.zeros_like(targets)
    n = min(n_folds, len(targets))
    for taught, asked in KFold(n, shuffle=True, random_state=seed).split(vectors):
        predicted = _standard(RidgeCV(_PENALTIES, alpha_per_target=True).fit(vectors[taught], targets[taught]), vectors)
        if words is not None:
            model = Ridge(_WORD_PENALTY, solver="sparse_cg").fit(words[taught], targets[taught])
            predicted = predicted + _standard(model, words)
        found[asked] = predicted[asked]
    spread = found.std(axis=0)
    standard: np.ndarray = (found - found.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return standard


def label_positions(
    likeness: Float[np.ndarray, "N L"], aspect: Aspect, labels: Sequence[Label]
) -> Float[np.ndarray, " N"] | None:
    """How much more an item is like the labels of the high end than like those of the low one, on average.

    Args:
        likeness: From ``likeness_to_labels``.
        aspect: With labels at its poles.
        labels: Of the columns of ``likeness``; those of the aspect that are not among them are left out.

    Returns:
        None if an end has no label among them.
    """
    ends = [[labels.index(it) for it in _labels_of(pole) if it in labels] for pole in (aspect.low, aspect.high)]
    if not all(ends):
        return None
    low, high = (likeness[:, columns].mean(axis=1) for columns in ends)
    positions: np.ndarray = high - low
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


def _labels_of(pole: Pole) -> Iterable[Label]:
    return [(column, value) for column, values in pole.labels.items() for value in values]


def _words(texts: Sequence[str]) -> sparse.csr_matrix | None:
    """Weighed words; None where no word stands in two texts."""
    try:
        return TfidfVectorizer(min_df=2, sublinear_tf=True, stop_words="english").fit_transform(texts)
    except ValueError:
        return None


def _standard(model: Ridge | RidgeCV, inputs: np.ndarray | sparse.csr_matrix) -> Float[np.ndarray, "N L"]:
    """Predictions of mean 0 and deviation 1: a penalty of its own shrinks each part's values differently."""
    found = model.predict(inputs).reshape(inputs.shape[0], -1)
    spread = found.std(axis=0)
    standard: np.ndarray = (found - found.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return standard
