import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.sequences import Sequences
from whyrec.encoders.negatives import ItemDistribution, uniform_others, uniform_unseen

N_ITEMS = 7
ragged = st.lists(st.lists(st.integers(1, N_ITEMS), max_size=12), min_size=1, max_size=5)


@given(ragged, st.integers(0, 99))
def test_what_a_user_had_is_not_drawn(lists: list[list[int]], seed: int) -> None:
    users = np.repeat(np.arange(len(lists)), 3)
    drawn = uniform_unseen(Sequences.of(lists), users, n_items=N_ITEMS, n=20, rng=np.random.default_rng(seed))
    assert drawn.shape == (len(users), 20)
    for user, row in zip(users, drawn, strict=True):
        had = {item - 1 for item in lists[user]}
        allowed = set(range(N_ITEMS)) - had if len(had) < N_ITEMS else set(range(N_ITEMS))
        assert set(row.tolist()) <= allowed


def test_the_unseen_are_drawn_alike() -> None:
    """Items 1, 4 and 5 are left of seven; 30,000 draws give each a third within 1.5%."""
    drawn = uniform_unseen(
        Sequences.of([[1], [3, 4, 7, 1, 3]]), np.full(300, 1), n_items=N_ITEMS, n=100, rng=np.random.default_rng(0)
    )
    shares = np.bincount(drawn.ravel(), minlength=N_ITEMS) / drawn.size
    assert shares == pytest.approx([0, 1 / 3, 0, 0, 1 / 3, 1 / 3, 0], abs=0.015)


def test_others_are_all_but_the_target_alike() -> None:
    drawn = uniform_others(np.array([0, 2, 3]), n_items=4, n=20_000, rng=np.random.default_rng(0))
    shares = np.stack([np.bincount(row, minlength=4) / 20_000 for row in drawn])
    third = 1 / 3
    expected = np.array([[0, third, third, third], [third, third, 0, third], [third, third, third, 0]])
    assert shares == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize(("exponent", "weights"), [(0.0, [1, 1, 1]), (1.0, [4, 1, 0]), (0.5, [2, 1, 0])])
def test_a_distribution_follows_a_power_of_the_counts(exponent: float, weights: list[float]) -> None:
    sequences = Sequences.of([[1, 1, 2], [1, 1]])
    distribution = ItemDistribution.from_counts(sequences, n_items=3, exponent=exponent)
    expected = np.array(weights) / sum(weights)
    assert np.exp(distribution.log_probabilities.numpy()) == pytest.approx(expected)
    drawn = distribution.draw(30_000, np.random.default_rng(0))
    assert np.bincount(drawn, minlength=3) / 30_000 == pytest.approx(expected, abs=0.01)


def test_same_generator_same_draws() -> None:
    sequences = Sequences.of([[1, 2], [3]])
    distribution = ItemDistribution.from_counts(sequences, n_items=5, exponent=1.0)
    for draw in (
        lambda rng: distribution.draw(50, rng),
        lambda rng: uniform_unseen(sequences, np.array([0, 1, 1]), n_items=5, n=9, rng=rng),
        lambda rng: uniform_others(np.array([0, 4]), n_items=5, n=9, rng=rng),
    ):
        first, again = draw(np.random.default_rng(1)), draw(np.random.default_rng(1))
        assert first.tolist() == again.tolist()
        assert first.tolist() != draw(np.random.default_rng(2)).tolist()
