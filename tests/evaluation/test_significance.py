"""The bootstrap against the normal approximation, planted differences and its own invariances."""

import numpy as np
import pytest

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.evaluation import significance
from whyrec.evaluation.significance import (
    Interval,
    averaged_over,
    bootstrap_difference,
    bootstrap_mean,
    bootstrap_statistic,
    bootstrap_statistics,
    difference_of,
    mean_of,
    ratio_of,
    resampled_means,
)


def test_interval_of_a_share_is_the_textbook_one() -> None:
    """300 hits of 1,000: .3 +- 1.96 * sqrt(.3 * .7 / 1000)."""
    hits = np.repeat([1.0, 0.0], [300, 700])
    interval = bootstrap_mean(hits, n_resamples=4000)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert interval.value == 0.3
    assert interval.low == pytest.approx(0.3 - half, abs=0.003)
    assert interval.high == pytest.approx(0.3 + half, abs=0.003)
    assert interval.n == 1000


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    """200 samples of 80 from a known mean: 95% intervals cover it in about 190; under 180 would be 4 sigma off."""
    rng = np.random.default_rng(0)
    samples = rng.exponential(size=(200, 80))
    covered = sum(not bootstrap_mean(sample, n_resamples=400).excludes(1.0) for sample in samples)
    assert 178 <= covered <= 199


def test_pairing_finds_a_difference_that_is_lost_between_separate_intervals() -> None:
    rng = np.random.default_rng(1)
    level = rng.normal(0.5, 0.3, size=400)
    first, second = level + 0.02 + rng.normal(0, 0.05, size=400), level
    difference = bootstrap_difference(first, second)
    assert difference.excludes(0.0)
    assert difference.value == pytest.approx(np.mean(first - second))
    assert bootstrap_mean(first).low < bootstrap_mean(second).high


def test_no_difference_is_not_found() -> None:
    values = np.random.default_rng(2).random(300)
    assert bootstrap_difference(values, values) == Interval(value=0.0, low=0.0, high=0.0, n=300)


def test_same_seed_same_interval_and_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).random(200)
    whole = bootstrap_mean(values, seed=7)
    monkeypatch.setattr(significance, "_CHUNK_WEIGHTS", 1000)
    in_chunks = bootstrap_mean(values, seed=7)
    assert in_chunks.low == pytest.approx(whole.low, abs=1e-12)
    assert in_chunks.high == pytest.approx(whole.high, abs=1e-12)
    assert bootstrap_mean(values, seed=8).low != whole.low


def test_resamples_average_to_the_mean_with_the_right_spread() -> None:
    values = np.array([[0.0], [1.0], [2.0], [3.0]])
    means = resampled_means(values, n_resamples=20000, rng=np.random.default_rng(0))[:, 0]
    assert means.mean() == pytest.approx(1.5, abs=0.02)
    # Variance of one draw is (2.25 + .25 + .25 + 2.25) / 4 = 1.25; of the mean of four, 1.25 / 4.
    assert means.var() == pytest.approx(1.25 / 4, rel=0.05)


def test_users_without_a_value_are_left_out() -> None:
    assert bootstrap_mean([1.0, np.nan, 0.0]).n == 2
    assert bootstrap_difference([1.0, np.nan, 0.5], [0.0, 1.0, np.nan]).value == 1.0


def test_strata_count_alike_whatever_their_size() -> None:
    """Means .2 of 10 users and .6 of 1,000: the mean of means is .4, not .596."""
    strata = [np.repeat([1.0, 0.0], [2, 8])[:, None], np.repeat([1.0, 0.0], [600, 400])[:, None]]
    interval = bootstrap_statistic(strata, statistic=mean_of(0))
    assert interval.value == pytest.approx((0.2 + 0.6) / 2)
    assert interval.n == 1010
    # The spread comes almost only from the small one: sqrt(.2 * .8 / 10) / 2 on each side, times 1.96.
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * np.sqrt(0.2 * 0.8 / 10) / 2, rel=0.15)


def test_statistics_of_means_by_hand() -> None:
    """Systems' means per stratum: (.2, .4), (.3, .6), (.1, .1)."""
    means = np.array([[[0.2, 0.4], [0.3, 0.6], [0.1, 0.1]]])
    assert mean_of(1)(means) == pytest.approx([(0.4 + 0.6 + 0.1) / 3])
    assert difference_of(1, 0)(means) == pytest.approx([(0.2 + 0.3 + 0.0) / 3])
    assert ratio_of(0, 1)(means) == pytest.approx([(0.2 + 0.3 + 0.1) / (0.4 + 0.6 + 0.1)])
    grouped = averaged_over([[0, 1], [2]], ratio_of(0, 1))
    assert grouped(means) == pytest.approx([((0.2 + 0.3) / (0.4 + 0.6) + 0.1 / 0.1) / 2])


def test_a_share_of_nothing_is_undefined_not_infinite() -> None:
    strata = [np.array([[1.0, 0.0], [0.0, 0.0]])]
    interval = bootstrap_statistic(strata, statistic=ratio_of(0, 1))
    assert np.isnan([interval.value, interval.low, interval.high]).all()


def test_a_ratio_of_a_system_to_itself_has_no_spread() -> None:
    values = np.random.default_rng(4).random((50, 1))
    strata = [np.concatenate([values, 2 * values], axis=1)] * 2
    interval = bootstrap_statistic(strata, statistic=ratio_of(0, 1))
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.5, 0.5, 0.5))


def test_several_statistics_share_one_draw() -> None:
    strata = [np.random.default_rng(5).random((40, 2))]
    together = bootstrap_statistics(strata, statistics={"a": mean_of(0), "d": difference_of(0, 1)}, seed=3)
    assert together["a"] == bootstrap_statistic(strata, statistic=mean_of(0), seed=3)
    assert together["d"] == bootstrap_statistic(strata, statistic=difference_of(0, 1), seed=3)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"got shape \(0, 1\)"):
        bootstrap_mean([np.nan])
    with pytest.raises(InvalidDataError, match="stratum 1: expected finite"):
        bootstrap_statistic([np.ones((2, 1)), np.array([[np.inf]])], statistic=mean_of(0))
    with pytest.raises(InvalidDataError, match="got 2 and 1 values"):
        bootstrap_difference([1.0, 2.0], [1.0])
    with pytest.raises(InvalidConfigError, match="got 0 and"):
        bootstrap_mean([1.0], n_resamples=0)
