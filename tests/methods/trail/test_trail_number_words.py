"""Counts as words: exact where they are small, in even steps above, and spread over neighbours where asked."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.methods.trail.number_words import (
    EXACT_UP_TO,
    LARGEST,
    STEP,
    number_word,
    number_words,
    soft_words,
    word_indices,
    word_values,
)

VALUES = np.array(word_values(), dtype=float)
counts = st.integers(0, 50_000)


def test_small_counts_have_words_of_their_own() -> None:
    assert EXACT_UP_TO == 30
    assert [number_word(n) for n in range(31)] == [f"n{n}" for n in range(31)]


def test_words_are_distinct_and_rise_by_about_six_percent_up_to_the_largest() -> None:
    assert len(set(number_words())) == len(number_words()) == len(word_values())
    assert (np.diff(VALUES) > 0).all()
    above = VALUES[EXACT_UP_TO:]
    # Half a user of rounding, as a share of the smaller one.
    assert (np.abs(above[1:] / above[:-1] - STEP) <= 0.5 / above[:-1] + 1e-12).all()
    assert VALUES[-2] < LARGEST <= VALUES[-1]


@given(st.sampled_from(word_values()))
def test_a_word_of_a_words_count_is_that_word(value: int) -> None:
    assert number_words()[word_values().index(value)] == number_word(value) == f"n{value}"


@given(counts)
def test_the_word_is_the_nearest_on_the_scale_of_log1p(count: int) -> None:
    told = int(number_word(count).removeprefix("n"))
    distances = np.abs(np.log1p(VALUES) - math.log1p(count))
    assert abs(math.log1p(told) - math.log1p(count)) == pytest.approx(distances.min(), abs=1e-12)


@given(counts, counts)
def test_more_users_never_have_a_lower_word(first: int, second: int) -> None:
    low, high = sorted((first, second))
    below, above = word_indices([low, high])
    assert below <= above


def test_between_30_and_32_the_border_is_at_the_mean_of_the_logarithms() -> None:
    """exp((ln 31 + ln 33) / 2) - 1 = sqrt(31 * 33) - 1 = 30.98."""
    assert [number_word(count) for count in (30.97, 30.99, 31)] == ["n30", "n32", "n32"]


def test_what_exceeds_all_words_shares_the_last() -> None:
    assert number_word(10 * LARGEST) == number_words()[-1]


@given(st.lists(counts, min_size=1, max_size=5), st.floats(1e-3, 1))
def test_soft_words_are_distributions(found: list[int], spread: float) -> None:
    rows = soft_words(np.array(found, dtype=float), spread=spread)
    assert rows.shape == (len(found), len(VALUES))
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1)


@given(st.integers(0, 15_000), st.sampled_from([0.05, 0.1, 0.15, 0.2]))
def test_their_mean_is_near_the_count(count: int, spread: float) -> None:
    (row,) = soft_words(np.array([float(count)]), spread=spread)
    # A lognormal's mean lies exp(spread**2 / 2) above its median, and a word stands for up to 3% more or less.
    assert row @ VALUES + 1 == pytest.approx((count + 1) * math.exp(spread**2 / 2), rel=0.04)


@given(st.lists(counts, min_size=1, max_size=5))
def test_without_a_spread_all_is_on_the_nearest_word(found: list[int]) -> None:
    rows = soft_words(np.array(found, dtype=float), spread=0)
    assert (rows.argmax(axis=1) == word_indices(found)).all()
    assert ((rows == 1).sum(axis=1) == 1).all()
    assert (rows.sum(axis=1) == 1).all()


def test_equal_stretches_of_the_scale_get_equal_mass_however_many_words_lie_in_them() -> None:
    """Around 30 words lie a user apart below and two above: each side still gets about half."""
    (row,) = soft_words(np.array([30.0]), spread=0.15)
    below, above = row[VALUES < 30].sum(), row[VALUES > 30].sum()
    assert below == pytest.approx(above, rel=0.15)
    assert (((VALUES > 20) & (VALUES < 30)).sum(), ((VALUES > 30) & (VALUES < 45)).sum()) == (9, 6)


def test_words_far_apart_still_get_their_own_mass() -> None:
    """Between 0 and 1 lie ln 2 = .69: at a spread of .01 all is on the word itself, and nothing is divided by 0."""
    np.testing.assert_allclose(soft_words(np.array([0.0, 1.0, 1e9]), spread=0.01).max(axis=1), 1)
