"""Neighbours against a comparison of all pairs, and samples from the future that are planted and caught."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyrec.errors import InvalidDataError
from whyrec.methods.trail import dtw
from whyrec.methods.trail import neighbours as module
from whyrec.methods.trail.neighbours import NeighbourInputs, neighbours
from whyrec.methods.trail.similarity import (
    SimilarityConfig,
    greatest_similarities,
    sample_features,
    similarity_matrix,
    text_products,
)

UNTIL = datetime(2014, 1, 1, tzinfo=UTC)


def world(seed: int, n: int, *, width: int = 5, longest: int = 9, n_texts: int | None = None) -> NeighbourInputs:
    """Samples with few distinct values, so that equal similarities occur."""
    rng = np.random.default_rng(seed)
    texts = rng.normal(size=(n_texts or n, width))
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    return NeighbourInputs(
        histories=[rng.poisson(rng.choice([0.2, 2, 20]), rng.integers(0, longest)) for _ in range(n)],
        targets=rng.poisson(2, n),
        text=texts[rng.integers(0, len(texts), n)].astype(np.float32),
        groups=rng.integers(0, max(n // 3, 1), n),
        target_ends=np.full(n, "2013-12-01", dtype="datetime64[D]"),
        until=UNTIL,
    )


def by_full_search(
    inputs: NeighbourInputs, *, n: int, config: SimilarityConfig, same_group: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Compare all pairs, sort by similarity, then by row."""
    samples = sample_features(inputs.histories, inputs.targets, inputs.text, config=config)
    matrix = similarity_matrix(samples, config=config)
    index, similarity = np.full((len(inputs), n), -1), np.full((len(inputs), n), np.nan)
    for row in range(len(inputs)):
        allowed = [
            other
            for other in range(len(inputs))
            if other != row
            and (same_group or inputs.groups[other] != inputs.groups[row])
            and matrix[row, other] > -np.inf
        ]
        best = sorted(allowed, key=lambda other: (-matrix[row, other], other))[:n]
        index[row, : len(best)], similarity[row, : len(best)] = best, matrix[row, best]
    return index, similarity.astype(np.float32)


def assert_exact(inputs: NeighbourInputs, *, n: int, config: SimilarityConfig, same_group: bool = False) -> None:
    found = neighbours(inputs, n=n, config=config, same_group=same_group, threads=1)
    index, similarity = by_full_search(inputs, n=n, config=config, same_group=same_group)
    np.testing.assert_array_equal(found.index, index)
    np.testing.assert_array_equal(found.similarity, similarity)


CONFIGS = [
    SimilarityConfig(),
    SimilarityConfig(trend="raw"),
    SimilarityConfig(band=1),
    SimilarityConfig(trend="raw", band=0),
    SimilarityConfig(level_weight=0, sigma=0.1),
    SimilarityConfig(level_weight=3, level_windows=1, max_history=4),
    SimilarityConfig(trend_weight=1, latest_weight=0, metadata_weight=0),
    SimilarityConfig(trend_weight=0),
    SimilarityConfig(metadata_weight=0),
]


@pytest.mark.parametrize("same_group", [True, False])
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_neighbours_are_those_of_a_full_search(config: SimilarityConfig, same_group: bool) -> None:
    """More samples than are measured first, so that bounds decide about the rest."""
    assert_exact(world(0, 200), n=7, config=config, same_group=same_group)


@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 12), st.integers(1, 4), st.sampled_from(CONFIGS))
@settings(max_examples=40)
def test_neighbours_of_random_worlds(seed: int, n_samples: int, n: int, n_texts: int, config: SimilarityConfig) -> None:
    """Few texts make many ties, few samples leave places empty."""
    assert_exact(world(seed, n_samples, n_texts=n_texts), n=n, config=config)


@pytest.mark.parametrize("trend", ["shape", "raw"])
def test_warping_that_is_given_up_changes_nothing(trend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long histories, on the trend alone: most are far from alike, and some are seen to be before their last window."""
    found, exact = [], dtw.distances

    def watched(*args: object, **options: object) -> np.ndarray:
        found.append(exact(*args, **options))
        return found[-1]

    config = SimilarityConfig(trend=trend, latest_weight=0, metadata_weight=0)
    inputs = world(7, 250, longest=37)
    with monkeypatch.context() as patch:
        patch.setattr(dtw, "distances", watched)
        neighbours(inputs, n=2, config=config, threads=1)
    assert (np.concatenate(found) == dtw.FAR).any()
    assert_exact(inputs, n=2, config=config)


def test_equal_samples_stand_in_the_order_of_rows() -> None:
    """A hundred copies of one sample: more than are measured before a limit is known."""
    inputs = world(1, 100)
    same = replace(
        inputs,
        histories=[np.array([1, 4, 2])] * 100,
        targets=np.full(100, 3),
        text=np.repeat(inputs.text[:1], 100, axis=0),
        groups=np.arange(100),
    )
    found = neighbours(same, n=3, config=SimilarityConfig())
    assert found.index[0].tolist() == [1, 2, 3]
    assert found.index[1].tolist() == [0, 2, 3]
    assert found.index[99].tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.similarity, 1, atol=5e-4)


def test_one_item_is_not_its_own_neighbour_unless_asked() -> None:
    inputs = replace(world(2, 60), groups=np.zeros(60, int))
    assert (neighbours(inputs, n=2, config=SimilarityConfig()).index == -1).all()
    found = neighbours(inputs, n=2, config=SimilarityConfig(), same_group=True)
    assert (found.index >= 0).all()
    assert (found.index != np.arange(60)[:, None]).all()


def test_blocks_and_threads_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = world(3, 150)
    expected = neighbours(inputs, n=5, config=SimilarityConfig(), threads=1)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 4 * 150 * 7)
    found = neighbours(inputs, n=5, config=SimilarityConfig(), threads=3)
    np.testing.assert_array_equal(found.index, expected.index)
    np.testing.assert_array_equal(found.similarity, expected.similarity)


def test_most_pairs_are_never_warped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds are of use: with texts that differ, fewer than half of the pairs are measured."""
    inputs, measured = world(4, 400, width=3), []
    exact = dtw.distances

    def counted(*args: object, **options: object) -> np.ndarray:
        measured.append(len(args[2]))
        return exact(*args, **options)

    monkeypatch.setattr(dtw, "distances", counted)
    neighbours(inputs, n=5, config=SimilarityConfig(), threads=1)
    assert 0 < sum(measured) < 400 * 400 / 2


def test_a_target_that_ends_after_the_training_data_is_refused() -> None:
    """The planted leak: one sample of many whose outcome nobody knew yet, by a second."""
    ends = np.full(30, "2013-12-01T00:00:00", dtype="datetime64[s]")
    ends[3] = np.datetime64("2014-01-01T00:00:00")
    assert len(replace(world(5, 30), target_ends=ends)) == 30
    ends = ends.copy()
    ends[17] = np.datetime64("2014-01-01T00:00:01")
    with pytest.raises(InvalidDataError, match=r"sample 17: expected a target window that ends by 2014-01-01T00:00:00"):
        replace(world(5, 30), target_ends=ends)


def test_an_unknown_end_is_refused() -> None:
    ends = np.full(30, "NaT", dtype="datetime64[s]")
    with pytest.raises(InvalidDataError, match="got NaT"):
        replace(world(5, 30), target_ends=ends)


def test_rows_that_do_not_match_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="got 30, 29 and 30"):
        replace(world(5, 30), groups=np.zeros(29, int))
    with pytest.raises(InvalidDataError, match="got 29, 30 and 30"):
        neighbours(replace(world(5, 30), histories=[np.zeros(1, int)] * 29), n=1, config=SimilarityConfig())


def test_no_samples_have_no_neighbours() -> None:
    assert neighbours(world(6, 0, n_texts=1), n=2, config=SimilarityConfig()).index.shape == (0, 2)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_bounds_are_above_similarities(config: SimilarityConfig) -> None:
    """Also of copies, whose similarity the bound can only equal."""
    inputs = world(8, 40)
    histories, targets = [*inputs.histories] * 2, np.tile(inputs.targets, 2)
    samples = sample_features(histories, targets, np.tile(inputs.text, (2, 1)), config=config)
    products, exact = text_products(samples, slice(None)), similarity_matrix(samples, config=config)
    for row in range(len(samples)):
        bounds = greatest_similarities(samples, row, text_product=products[row], config=config)
        assert (bounds >= exact[row]).all()
