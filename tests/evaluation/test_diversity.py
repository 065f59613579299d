"""Similarity, diversity and MMR by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.evaluation.diversity import cosine_similarities, intra_list_diversity, jaccard_similarities, mmr_order


def test_cosine_by_hand() -> None:
    """(3, 4) and (4, 3): 24/25; a zero vector is like nothing."""
    got = cosine_similarities(np.array([[3.0, 4.0], [4.0, 3.0], [0.0, 0.0]]))
    np.testing.assert_allclose(got, [[1, 24 / 25, 0], [24 / 25, 1, 0], [0, 0, 0]])


def test_jaccard_diversity_by_hand() -> None:
    """{a, b}, {b}, {c}: pairs differ by 1 - 1/2, 1 and 1."""
    similarities = jaccard_similarities([["a", "b"], {"b"}, ("c",)])
    assert intra_list_diversity(similarities) == pytest.approx((1 / 2 + 1 + 1) / 3)


def test_two_empty_sets_share_nothing() -> None:
    assert intra_list_diversity(jaccard_similarities([[], []])) == 1.0


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=2, max_size=6))
def test_diversity_stays_in_range_and_ignores_order(sets: list[set[str]]) -> None:
    diversity = intra_list_diversity(jaccard_similarities(sets))
    assert 0 <= diversity <= 1
    assert intra_list_diversity(jaccard_similarities(sets[::-1])) == pytest.approx(diversity)


def test_mmr_by_hand() -> None:
    """Items 0 and 1 are the same thing. Second choice at w = .5: 1 gives .45 - .5, 2 gives .3 - 0."""
    relevance = np.array([1.0, 0.9, 0.6])
    similarities = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert mmr_order(relevance, similarities, k=3, relevance_weight=0.5) == [0, 2, 1]
    assert mmr_order(relevance, similarities, k=3, relevance_weight=1.0) == [0, 1, 2]
    assert mmr_order(relevance, similarities, k=2, relevance_weight=0.9) == [0, 1]


def test_mmr_uses_the_greatest_similarity_to_what_is_chosen() -> None:
    """After 0 and 1: item 2 is like 1 (.9), item 3 like neither (.1); their mean similarities are .5 and .1."""
    similarities = np.array([[1, 0, 0.1, 0.1], [0, 1, 0.9, 0.1], [0.1, 0.9, 1, 0], [0.1, 0.1, 0, 1]])
    relevance = np.array([1.0, 0.9, 0.8, 0.3])
    # Third choice at w = .5: 2 gives .4 - .45, 3 gives .15 - .05. With mean similarity 2 would win, .4 - .25.
    assert mmr_order(relevance, similarities, k=3, relevance_weight=0.5) == [0, 1, 3]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0, 1), st.data())
def test_mmr_lists_each_item_once(relevance: list[float], weight: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(relevance)))
    vectors = np.random.default_rng(0).random((len(relevance), 3))
    order = mmr_order(np.array(relevance), cosine_similarities(vectors), k=k, relevance_weight=weight)
    assert len(order) == len(set(order)) == k


def test_mmr_makes_the_list_more_diverse() -> None:
    rng = np.random.default_rng(1)
    similarities = cosine_similarities(rng.random((40, 4)))
    relevance = rng.random(40)
    plain = mmr_order(relevance, similarities, k=10, relevance_weight=1.0)
    mixed = mmr_order(relevance, similarities, k=10, relevance_weight=0.4)
    diversity = [intra_list_diversity(similarities[np.ix_(order, order)]) for order in (plain, mixed)]
    assert diversity[1] > diversity[0]


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="at least 2 items, got 1"):
        intra_list_diversity(np.ones((1, 1)))
    with pytest.raises(InvalidConfigError, match=r"got 1\.5 and 1"):
        mmr_order(np.ones(2), np.eye(2), k=1, relevance_weight=1.5)
    with pytest.raises(InvalidConfigError, match=r"got 0\.5 and 3"):
        mmr_order(np.ones(2), np.eye(2), k=3, relevance_weight=0.5)
    with pytest.raises(InvalidDataError, match="got NaN or infinity"):
        mmr_order(np.array([np.nan, 1.0]), np.eye(2), k=1, relevance_weight=0.5)
