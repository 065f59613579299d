"""Columns that hold no aspects, in place of those that do: what guided columns must beat (G14).

All come as scores from 1 to 10, so that they pass the same normalisation and take as many columns.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy.typing import NDArray

from whyrec.errors import InvalidConfigError
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.aspects import HIGHEST, LOWEST


def shuffled(scores: AspectScores, *, seed: int) -> AspectScores:
    """The same rows of scores, in another order: levels and how they go together stay, sense goes."""
    order = np.random.default_rng(seed).permutation(len(scores))
    return AspectScores(scores.side, scores.ids, scores.aspects, scores.values[order], f"{scores.writer}, shuffled")


def random_columns(item_ids: Sequence[str] | pl.Series, *, n: int, seed: int) -> AspectScores:
    """Numbers that mean nothing, from a normal distribution."""
    drawn = np.random.default_rng(seed).normal(size=(len(item_ids), n))
    return _as_scores(item_ids, drawn, writer="random")


def random_projections(
    item_ids: Sequence[str] | pl.Series, vectors: NDArray[np.float32], *, n: int, seed: int
) -> AspectScores:
    """The texts' vectors on ``n`` random directions: what texts say, but on no scale that has a name."""
    directions = np.random.default_rng(seed).normal(size=(vectors.shape[1], n))
    return _as_scores(item_ids, vectors.astype(np.float64) @ directions, writer="random projections")


def main_components(item_ids: Sequence[str] | pl.Series, vectors: NDArray[np.float32], *, n: int) -> AspectScores:
    """The texts' vectors on their ``n`` main directions: most of what texts say.

    Raises:
        InvalidConfigError: If there are not so many.
    """
    if n > min(vectors.shape):
        raise InvalidConfigError(
            f"main components: expected at most {min(vectors.shape)} of {vectors.shape[0]} vectors of "
            f"{vectors.shape[1]} columns, got {n}. Ask for fewer."
        )
    around = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(around.T @ around)
    return _as_scores(item_ids, around @ directions[:, ::-1][:, :n], writer="main components")


def _as_scores(item_ids: Sequence[str] | pl.Series, columns: Float[np.ndarray, "N K"], *, writer: str) -> AspectScores:
    """A straight map of each column onto the scale; the normalisation undoes it."""
    low, high = columns.min(axis=0), columns.max(axis=0)
    reach = np.where(high > low, high - low, 1.0)
    values = np.clip(LOWEST + (HIGHEST - LOWEST) * (columns - low) / reach, LOWEST, HIGHEST)
    names = [f"column_{place}" for place in range(columns.shape[1])]
    return AspectScores.of("items", item_ids, values, aspects=names, writer=writer)
