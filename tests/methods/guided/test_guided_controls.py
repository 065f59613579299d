"""Columns without aspects: of the same shape and scale as guided ones, and without their sense."""

import numpy as np
import polars as pl
import pytest

from whyrec.errors import InvalidConfigError
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.controls import main_components, random_columns, random_projections, shuffled
from whyrec.methods.guided.normalising import Normalisation

IDS = [f"i{n:03}" for n in range(200)]
RNG = np.random.default_rng(0)
VECTORS = (RNG.normal(size=(200, 6)) * np.array([9, 1, 1, 5, 1, 1])).astype(np.float32)
SCORES = AspectScores.of("items", IDS, RNG.uniform(1, 10, (200, 2)), aspects=["tension", "pace"], writer="offline")


def columns(scores: AspectScores) -> np.ndarray:
    everything = np.ones(len(IDS), dtype=bool)
    scale = Normalisation.learn(scores, pl.Series(IDS), is_training=everything, embedding_dim=60)
    return np.asarray(scale.columns(scores, IDS))


def test_all_controls_have_the_scale_of_guided_columns() -> None:
    controls = [
        shuffled(SCORES, seed=1),
        random_columns(IDS, n=2, seed=1),
        random_projections(IDS, VECTORS, n=2, seed=1),
        main_components(IDS, VECTORS, n=2),
    ]
    for found in controls:
        np.testing.assert_allclose(columns(found).std(axis=0), columns(SCORES).std(axis=0), rtol=1e-4)
    assert len({found.writer for found in controls}) == 4


def test_shuffling_keeps_rows_whole_and_moves_them() -> None:
    found = shuffled(SCORES, seed=1).values
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, SCORES.values.tolist()))
    assert (found == SCORES.values).all(axis=1).mean() < 0.05
    assert np.abs(np.corrcoef(found[:, 0], SCORES.values[:, 0])[0, 1]) < 0.3


def test_the_first_component_is_the_widest_direction_and_projections_are_of_the_texts() -> None:
    first, second = columns(main_components(IDS, VECTORS, n=2)).T
    assert abs(np.corrcoef(first, VECTORS[:, 0])[0, 1]) > 0.99
    assert abs(np.corrcoef(second, VECTORS[:, 3])[0, 1]) > 0.99
    projected = columns(random_projections(IDS, VECTORS, n=2, seed=1))
    explained = np.linalg.lstsq(np.c_[VECTORS, np.ones(200)], projected, rcond=None)[1]
    assert (explained < 1e-6).all()
    with pytest.raises(InvalidConfigError, match="expected at most 6 of 200 vectors of 6 columns, got 7"):
        main_components(IDS, VECTORS, n=7)


def test_same_seed_same_columns() -> None:
    assert (random_columns(IDS, n=3, seed=1).values == random_columns(IDS, n=3, seed=1).values).all()
    assert (random_columns(IDS, n=3, seed=1).values != random_columns(IDS, n=3, seed=2).values).any()
