import pytest
import torch

from whyrec.encoders.dropout import no_dropout, pooled_dropout

CPU = torch.device("cpu")


def test_the_rate_is_dropped_and_the_rest_scaled_up() -> None:
    drop = pooled_dropout(0.25, seed=(1, 2), device=CPU)
    first, second = drop(torch.ones(100_000)), drop(torch.ones(100_000))
    assert first.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert (first == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert not torch.equal(first, second)


def test_same_seed_same_masks() -> None:
    x = torch.ones(30, 40)
    drops = [pooled_dropout(0.5, seed=seed, device=CPU) for seed in ((1, 2), (1, 2), (1, 3))]
    first, again, other = ([drop(x), drop(x)] for drop in drops)
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_tensor_larger_than_the_pool_is_dropped_too() -> None:
    found = pooled_dropout(0.5, seed=(0,), device=CPU)(torch.ones(3, 1 << 22))
    assert found.mean().item() == pytest.approx(1.0, abs=0.01)


def test_rate_zero_does_nothing() -> None:
    assert pooled_dropout(0.0, seed=(0,), device=CPU) is no_dropout
