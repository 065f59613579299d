"""Thinned copies: fewer users by one and the same share, everywhere, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning_world import sample

from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.thinning import LEAST_KEPT, thinned

MANY = 1_000_000


def copy(of: Sample, *, seed: int = 0, **options: float) -> Sample:
    return thinned(of, rng=np.random.default_rng(seed), **options)


def crowd(n: int) -> Sample:
    whole = sample(users=(n, n), daily=(n, n, n), target=n)
    return replace(whole, history=replace(whole.history, months=(n, n), this_month=n))


def shares(of: Sample, thinner: Sample) -> list[float]:
    pairs = [
        *zip(thinner.history.users, of.history.users, strict=True),
        *zip(thinner.history.daily, of.history.daily, strict=True),
        *zip(thinner.history.months, of.history.months, strict=True),
        (thinner.history.this_month or 0, of.history.this_month or 0),
        (thinner.history.total_users, of.history.total_users),
        (thinner.target or 0, of.target or 0),
    ]
    return [fewer / before for fewer, before in pairs]


def test_a_copy_that_keeps_everybody_is_the_sample() -> None:
    assert copy(sample(), least=1.0) == sample()


@pytest.mark.parametrize("seed", range(5))
def test_all_counts_of_a_copy_shrink_by_one_share(seed: int) -> None:
    """Of a million users, one share keeps that share to within 5 * sqrt(.25 / 1e6) = .0025."""
    kept = shares(crowd(MANY), copy(crowd(MANY), seed=seed))
    assert max(kept) - min(kept) < 2 * 0.0025
    assert LEAST_KEPT - 0.0025 < min(kept) < 1


def test_shares_are_spread_over_all_that_may_be_kept() -> None:
    """Uniform from .3 to 1: the mean of 400 is .65, give or take 4 * .7 / sqrt(12 * 400) = .04."""
    rng = np.random.default_rng(3)
    kept = [(thinned(crowd(MANY), rng=rng).target or 0) / MANY for _ in range(400)]
    assert np.mean(kept) == pytest.approx((LEAST_KEPT + 1) / 2, abs=0.04)
    assert min(kept) < LEAST_KEPT + 0.03
    assert max(kept) > 0.97


def test_arrivals_stay_as_irregular_as_arrivals_are() -> None:
    """Poisson counts of mean 30, thinned to half, are Poisson counts of mean 15: variance 15, not 30 / 4."""
    counts = np.random.default_rng(1).poisson(30, size=4000)
    half = thinned(
        sample(users=tuple(counts.tolist())), rng=_Half(np.random.PCG64(2)), least=0.5
    )  # the share that is drawn is fixed to the least one
    found = np.array(half.history.users)
    assert found.mean() == pytest.approx(15, abs=4 * np.sqrt(15 / 4000))
    assert found.var() == pytest.approx(15, rel=0.1)


class _Half(np.random.Generator):
    """Draws the smallest share that it may."""

    def uniform(self, low: float = 0.0, high: float = 1.0, size: None = None) -> float:  # type: ignore[override]
        return low


@given(
    st.lists(st.integers(0, 60), max_size=6),
    st.lists(st.integers(0, 9), max_size=7),
    st.integers(0, 400),
    st.integers(0, 2**32 - 1),
)
def test_a_copy_is_a_history_that_could_have_been(users: list[int], daily: list[int], target: int, seed: int) -> None:
    given_ = sample(users=tuple(users), daily=tuple(daily), target=target)
    # Whoever came in the last days came at some time, complete windows or none.
    given_ = replace(given_, history=replace(given_.history, total_users=max(sum(users), sum(daily))))
    thinner = copy(given_, seed=seed)
    before, after = given_.history, thinner.history
    assert all(fewer <= more for fewer, more in zip(after.users, before.users, strict=True))
    assert all(fewer <= more for fewer, more in zip(after.daily, before.daily, strict=True))
    assert max([*after.users, *after.daily, 0]) <= after.total_users <= before.total_users
    assert 0 <= (thinner.target or 0) <= target
    counted = {"users": before.users, "daily": before.daily, "total_users": before.total_users}
    assert replace(after, **counted) == before, "all else stays"
    assert (thinner.window, thinner.weight) == (given_.window, given_.weight)
