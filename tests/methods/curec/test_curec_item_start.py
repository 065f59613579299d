"""Where the encoder of histories starts: items that are taken together lie together."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.sequences import Sequences
from whyrec.methods.curec.base_encoder import new_encoder
from whyrec.methods.curec.config import BaseConfig
from whyrec.methods.curec.item_start import cooccurrence_vectors, start_from_cooccurrence

CAMPS = [[1, 2, 3], [2, 3, 1], [3, 1], [4, 5, 6], [6, 5, 4], [5, 4]]
"""Items 1 to 3 stand in the same histories, and so do 4 to 6; 7 stands in none, 8 alone."""


def test_items_of_the_same_histories_lie_together() -> None:
    found = cooccurrence_vectors(Sequences.of([*CAMPS, [8]]), n_items=8, dim=2, seed=0)
    unit = found[:6] / np.linalg.norm(found[:6], axis=1, keepdims=True)
    cosines = unit @ unit.T
    assert cosines[:3, :3].min() > 0.99
    assert cosines[3:, 3:].min() > 0.99
    assert np.abs(cosines[:3, 3:]).max() < 0.01
    assert not found[6:].any()
    assert found[:6].std() == pytest.approx(0.1, abs=1e-6)


def test_the_same_histories_twice_say_the_same() -> None:
    once = cooccurrence_vectors(Sequences.of([[1, 2], [2, 3], [3, 4]]), n_items=4, dim=3, seed=0)
    twice = cooccurrence_vectors(Sequences.of([[1, 2], [2, 3], [3, 4]] * 2), n_items=4, dim=3, seed=0)
    np.testing.assert_allclose(np.abs(once), np.abs(twice), atol=1e-5)


def test_what_was_never_taken_together_keeps_its_draw() -> None:
    config = BaseConfig(embedding_dim=8, n_heads=2, n_layers=1, max_history=5)
    plain, started = (new_encoder(8, config, seed=1) for _ in range(2))
    start_from_cooccurrence(started, Sequences.of([*CAMPS, [8]]), seed=0)
    before, after = (encoder.items.trainable.detach() for encoder in (plain, started))
    assert torch.equal(after[[0, 7, 8]], before[[0, 7, 8]]), "the padding too"
    assert not torch.equal(after[1:7], before[1:7])
    assert torch.equal(after[1:, 7:], before[1:, 7:]), "eight items have seven directions"
    others = [name for name in plain.state_dict() if name != "items.trainable"]
    assert all(torch.equal(plain.state_dict()[name], started.state_dict()[name]) for name in others)


def test_only_the_items_that_are_read_count() -> None:
    config = BaseConfig(embedding_dim=2, n_heads=1, n_layers=1, max_history=2)
    some, all_ = (new_encoder(6, config, seed=1) for _ in range(2))
    start_from_cooccurrence(some, Sequences.of([[1, 3, 4], [2, 5, 6]]), seed=0)
    start_from_cooccurrence(all_, Sequences.of([[3, 4], [5, 6]]), seed=0)
    assert torch.equal(some.items.trainable, all_.items.trainable)


@given(st.lists(st.lists(st.integers(1, 6), max_size=5), max_size=5), st.integers(1, 9))
def test_whatever_the_histories_the_vectors_are_numbers_and_the_same_again(rows: list[list[int]], dim: int) -> None:
    found = cooccurrence_vectors(Sequences.of(rows), n_items=6, dim=dim, seed=3)
    assert found.shape == (6, min(dim, 5))
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, cooccurrence_vectors(Sequences.of(rows), n_items=6, dim=dim, seed=3))
    apart = [set(row) for row in rows]
    for item in range(1, 7):
        if not any(item in row and len(row) > 1 for row in apart):
            assert not found[item - 1].any()


def test_one_item_has_no_direction() -> None:
    assert cooccurrence_vectors(Sequences.of([[1, 1]]), n_items=1, dim=4, seed=0).shape == (1, 0)
