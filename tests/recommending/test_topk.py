"""The exact best K against plain sorting, with many ties and hidden items."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.sequences import Sequences
from whyrec.recommending.topk import exact_top_k, hide_seen


def by_sorting(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.stack([np.lexsort((np.arange(len(row)), -row)) for row in scores])[:, :k]
    return np.take_along_axis(scores, order, axis=1), order


@given(
    n_items=st.integers(1, 900),
    k=st.integers(1, 12),
    n_values=st.sampled_from([1, 2, 5, 40, 100_000]),
    hidden=st.sampled_from([0.0, 0.3, 0.97]),
    seed=st.integers(0, 1000),
)
def test_the_same_as_sorting(n_items: int, k: int, n_values: int, hidden: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = min(k, n_items)
    scores = rng.integers(n_values, size=(6, n_items)).astype(np.float32) - n_values // 2
    scores[rng.random(scores.shape) < hidden] = -np.inf
    best, found = exact_top_k(torch.from_numpy(scores), k=k)
    expected_best, expected = by_sorting(scores, k)
    assert np.array_equal(best.numpy(), expected_best)
    # Hidden items are never shown, so that their order among themselves is open.
    is_item = expected_best > -np.inf
    assert np.array_equal(found.numpy()[is_item], expected[is_item])


def test_a_hundred_rows_of_a_real_size() -> None:
    scores = np.random.default_rng(0).normal(size=(100, 5000)).astype(np.float32).round(2)
    best, found = exact_top_k(torch.from_numpy(scores), k=10)
    expected_best, expected = by_sorting(scores, 10)
    assert np.array_equal(best.numpy(), expected_best)
    assert np.array_equal(found.numpy(), expected)
    ties = [len(set(row)) < 10 for row in expected_best.tolist()]
    assert sum(ties) > 50, "the example must hold ties"


def test_the_scores_are_left_alone() -> None:
    scores = torch.randn(4, 300)
    before = scores.clone()
    exact_top_k(scores, k=3)
    assert torch.equal(scores, before)


def test_seen_items_are_hidden_in_the_rows_asked_for() -> None:
    scores = torch.zeros(3, 4)
    hide_seen(scores, Sequences.of([[1], [2, 2, 4], []]), np.array([1, 2, 0]))
    hidden = [[column for column in range(4) if row[column] == -math.inf] for row in scores.tolist()]
    assert hidden == [[1, 3], [], [0]]


@pytest.mark.parametrize("n_items", [1, 64, 65, 2000])
def test_k_may_be_the_whole_catalogue(n_items: int) -> None:
    scores = torch.arange(n_items, dtype=torch.float32)[None]
    assert exact_top_k(scores, k=n_items)[1][0].tolist() == list(range(n_items))[::-1]
