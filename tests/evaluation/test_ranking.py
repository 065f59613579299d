"""Ranking metrics against hand-worked arithmetic, chance, brute force over tie orders, ranx, and themselves."""

import warnings
from itertools import pairwise, permutations
from math import comb, log2

import numba
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.evaluation.positions import Positions, candidate_positions, list_positions
from whyrec.evaluation.ranking import (
    auc,
    average_rank,
    catalogue_coverage,
    hr_at_k,
    jaccard_at_k,
    metrics_per_user,
    mrr,
    ndcg_at_k,
    ndcg_div_at_k,
    recall_at_k,
    top_k_lists,
)

ALL_METRICS = ("HR@3", "Recall@3", "NDCG@3", "NDCG_div@3", "MRR", "MRR@3", "AUC")


def ranking(*scores: float) -> pl.DataFrame:
    """Items a, b, c, ... with these scores."""
    return pl.DataFrame({"item_id": [chr(97 + n) for n in range(len(scores))], "score": [float(s) for s in scores]})


def pairs(*user_items: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame({"user_id": [u for u, _ in user_items], "item_id": [i for _, i in user_items]})


def one_user(scores: list[float], relevant: set[int]) -> Positions:
    """One user whose relevant items are given by their place in ``scores``."""
    return list_positions(ranking(*scores), truth=pairs(*(("u", chr(97 + place)) for place in sorted(relevant))))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[float], set[int]]:
    """A scored list of up to six items with ties, and which of them are relevant."""
    scores = draw(st.lists(st.integers(0, 3).map(float), min_size=2, max_size=6))
    return scores, draw(st.sets(st.integers(0, len(scores) - 1), min_size=1))


def test_metrics_of_a_list_without_ties() -> None:
    """Relevant at ranks 1 and 3 of 4."""
    positions = one_user([9, 8, 7, 6], {0, 2})
    assert hr_at_k(positions, k=1).tolist() == [1.0]
    assert recall_at_k(positions, k=2).tolist() == [1 / 2]
    assert ndcg_at_k(positions, k=3) == pytest.approx([(1 + 1 / log2(4)) / (1 + 1 / log2(3))])
    assert ndcg_div_at_k(positions, k=3) == pytest.approx([(1 + 1 / log2(4)) / (1 + 1 / log2(3)) / 2])
    assert mrr(positions).tolist() == [1.0]
    # Pairs (relevant, other): rank 1 beats both others, rank 3 beats one of two.
    assert auc(positions) == pytest.approx([(2 + 1) / 4])


def test_only_second_hit_counts_for_mrr_when_first_place_is_missed() -> None:
    positions = one_user([9, 8, 7, 6], {1, 3})
    assert mrr(positions).tolist() == [1 / 2]
    assert mrr(positions, k=1).tolist() == [0.0]


def test_hit_probability_in_a_group_of_ties() -> None:
    """One item above; 2 of the 4 tied are relevant; 2 places left: all missed with chance C(2,2) / C(4,2)."""
    positions = one_user([9, 5, 5, 5, 5], {1, 2})
    assert hr_at_k(positions, k=3) == pytest.approx([1 - comb(2, 2) / comb(4, 2)])
    assert recall_at_k(positions, k=3) == pytest.approx([2 / 4])


def test_average_ties_give_each_its_mean_rank() -> None:
    positions = one_user([5.0] * 30, {0})
    assert average_rank(positions).tolist() == [15.5]
    assert hr_at_k(positions, k=10, ties="average").tolist() == [0.0]
    assert hr_at_k(positions, k=16, ties="average").tolist() == [1.0]
    assert mrr(positions, ties="average").tolist() == [1 / 15.5]
    assert ndcg_at_k(positions, k=20, ties="average") == pytest.approx([1 / log2(16.5)])
    assert recall_at_k(positions, k=20, ties="average").tolist() == [1.0]


def test_constant_scorer_scores_the_chance_that_the_literature_states() -> None:
    """One relevant among 30: HR@10 10/30; NDCG@5 and @10 are the mean discounts .0983 and .1515."""
    positions = one_user([0.0] * 30, {4})
    assert hr_at_k(positions, k=5) == pytest.approx([5 / 30])
    assert hr_at_k(positions, k=10) == pytest.approx([10 / 30])
    assert ndcg_at_k(positions, k=5) == pytest.approx([sum(1 / log2(r + 1) for r in range(1, 6)) / 30])
    assert ndcg_at_k(positions, k=5) == pytest.approx([0.0983], abs=5e-5)
    assert ndcg_at_k(positions, k=10) == pytest.approx([0.1515], abs=5e-5)
    assert mrr(positions) == pytest.approx([sum(1 / r for r in range(1, 31)) / 30])
    assert auc(positions).tolist() == [0.5]


@given(n_items=st.integers(2, 40), n_relevant=st.integers(1, 10), k=st.integers(1, 45))
def test_constant_scorer_is_exactly_chance(n_items: int, n_relevant: int, k: int) -> None:
    n_relevant = min(n_relevant, n_items)
    positions = one_user([7.0] * n_items, set(range(n_relevant)))
    missed = comb(n_items - n_relevant, k) / comb(n_items, k) if k <= n_items else 0.0
    assert hr_at_k(positions, k=k) == pytest.approx([1 - missed])
    assert recall_at_k(positions, k=k) == pytest.approx([min(k, n_items) / n_items])
    gain = n_relevant / n_items * sum(1 / log2(r + 1) for r in range(1, min(k, n_items) + 1))
    assert ndcg_at_k(positions, k=k) == pytest.approx(
        [gain / sum(1 / log2(r + 1) for r in range(1, min(k, n_relevant) + 1))]
    )


@given(worlds(), st.integers(1, 7))
def test_expected_ties_equal_the_mean_over_all_orders(world: tuple[list[float], set[int]], k: int) -> None:
    """Brute force: break the ties in every possible way, and average the plain definitions."""
    scores, relevant = world
    sums = np.zeros(5)
    orders = {tuple(sorted(order, key=lambda i: -scores[i])) for order in permutations(range(len(scores)))}
    for order in orders:
        hits = [item in relevant for item in order]
        top = hits[:k]
        ideal = sum(1 / log2(r + 1) for r in range(1, min(k, len(relevant)) + 1))
        first = hits.index(True) + 1
        gain = sum(hit / log2(r + 1) for r, hit in enumerate(top, start=1))
        sums += [any(top), sum(top) / len(relevant), gain / ideal, 1 / first, (1 / first) * (first <= k)]
    hr, recall, ndcg, reciprocal, reciprocal_at_k = sums / len(orders)
    positions = one_user(scores, relevant)
    assert hr_at_k(positions, k=k) == pytest.approx([hr])
    assert recall_at_k(positions, k=k) == pytest.approx([recall])
    assert ndcg_at_k(positions, k=k) == pytest.approx([ndcg])
    assert mrr(positions) == pytest.approx([reciprocal])
    assert mrr(positions, k=k) == pytest.approx([reciprocal_at_k])


@given(worlds())
def test_auc_equals_the_share_of_ordered_pairs(world: tuple[list[float], set[int]]) -> None:
    scores, relevant = world
    others = set(range(len(scores))) - relevant
    won = [(scores[r] > scores[o]) + (scores[r] == scores[o]) / 2 for r in relevant for o in others]
    value = auc(one_user(scores, relevant))
    assert value == pytest.approx([np.mean(won)] if won else [np.nan], nan_ok=True)


@given(worlds(), st.sampled_from(["expected", "average"]))
def test_metrics_stay_in_range_and_grow_with_k(world: tuple[list[float], set[int]], ties: str) -> None:
    positions = one_user(*world)
    for metric in (hr_at_k, recall_at_k, mrr):
        values = [metric(positions, k=k, ties=ties)[0] for k in range(1, 8)]  # type: ignore[operator]
        assert all(0 <= value <= 1 + 1e-12 for value in values)
        assert all(later >= earlier - 1e-12 for earlier, later in pairwise(values))
    for k in range(1, 8):
        assert 0 <= ndcg_at_k(positions, k=k)[0] <= 1 + 1e-12


def test_average_ties_can_push_ndcg_beyond_one() -> None:
    """Three tied relevant items all have rank 2, so all three fit into a list of two: why it is not the default."""
    positions = one_user([1.0] * 3, {0, 1, 2})
    assert ndcg_at_k(positions, k=2, ties="average") == pytest.approx([3 / log2(3) / (1 + 1 / log2(3))])
    assert ndcg_at_k(positions, k=2) == pytest.approx([1.0])


@given(n_items=st.integers(2, 12), n_relevant=st.integers(1, 6), k=st.integers(1, 12))
def test_perfect_list_scores_one(n_items: int, n_relevant: int, k: int) -> None:
    n_relevant = min(n_relevant, n_items)
    positions = one_user([float(-place) for place in range(n_items)], set(range(n_relevant)))
    assert hr_at_k(positions, k=k).tolist() == [1.0]
    assert mrr(positions).tolist() == [1.0]
    assert ndcg_at_k(positions, k=k) == pytest.approx([1.0])
    assert recall_at_k(positions, k=k) == pytest.approx([min(k, n_relevant) / n_relevant])
    if n_items > n_relevant:
        assert auc(positions).tolist() == [1.0]


@given(worlds(), st.randoms(use_true_random=False))
def test_row_order_and_item_names_do_not_matter(world: tuple[list[float], set[int]], random: object) -> None:
    scores, relevant = world
    places = list(range(len(scores)))
    random.shuffle(places)  # type: ignore[attr-defined]
    names = [f"x{random.randrange(10**9)}-{n}" for n in places]  # type: ignore[attr-defined]
    other = pl.DataFrame({"item_id": [names[p] for p in places], "score": [scores[p] for p in places]})
    renamed = list_positions(other, truth=pairs(*(("u", names[p]) for p in relevant)))
    expected = metrics_per_user(one_user(scores, relevant), metrics=ALL_METRICS)
    got = metrics_per_user(renamed, metrics=ALL_METRICS)
    np.testing.assert_allclose(got.drop("user_id").to_numpy(), expected.drop("user_id").to_numpy())


def test_seen_items_are_removed_per_user() -> None:
    """Items a > b > c > d. User u has seen a and b: c is first for u, third for v."""
    truth = pairs(("u", "c"), ("v", "c"))
    positions = list_positions(ranking(9, 8, 7, 6), truth=truth, seen=pairs(("u", "a"), ("u", "b"), ("w", "c")))
    assert positions.user_ids.to_list() == ["u", "v"]
    assert mrr(positions).tolist() == [1.0, 1 / 3]
    assert positions.n_candidates.tolist() == [2, 4]


def test_a_relevant_item_seen_before_cannot_be_hit_but_its_user_counts() -> None:
    truth = pairs(("u", "a"), ("v", "a"), ("v", "b"))
    positions = list_positions(ranking(9, 8, 7), truth=truth, seen=pairs(("u", "a"), ("v", "a")))
    assert hr_at_k(positions, k=3).tolist() == [0.0, 1.0]
    assert recall_at_k(positions, k=3).tolist() == [0.0, 1 / 2]
    assert np.isnan(auc(positions)[0])
    assert mrr(positions).tolist() == [0.0, 1.0]


def test_seen_items_leave_their_tie_group() -> None:
    """a, b, c tied, u has seen b: the relevant c is one of two, so first with chance 1/2."""
    positions = list_positions(ranking(5, 5, 5, 1), truth=pairs(("u", "c")), seen=pairs(("u", "b"), ("u", "b")))
    assert hr_at_k(positions, k=1) == pytest.approx([1 / 2])


@given(
    st.lists(st.integers(0, 4).map(float), min_size=3, max_size=8),
    st.sets(st.tuples(st.sampled_from("uvw"), st.integers(0, 7)), min_size=1),
    st.sets(st.tuples(st.sampled_from("uvw"), st.integers(0, 7))),
)
def test_one_list_without_seen_items_equals_each_users_own_candidates(
    scores: list[float], relevant: set[tuple[str, int]], seen: set[tuple[str, int]]
) -> None:
    common = ranking(*scores)
    truth = pairs(*((u, chr(97 + i)) for u, i in sorted(relevant)))
    seen_pairs = pairs(*((u, chr(97 + i)) for u, i in sorted(seen))).cast(pl.String)
    users = truth.select("user_id").unique()
    own = users.join(common, how="cross").join(seen_pairs, on=["user_id", "item_id"], how="anti")
    a = metrics_per_user(list_positions(common, truth=truth, seen=seen_pairs), metrics=ALL_METRICS)
    b = metrics_per_user(candidate_positions(own, truth=truth), metrics=ALL_METRICS)
    assert a["user_id"].equals(b["user_id"])
    np.testing.assert_allclose(a.drop("user_id").to_numpy(), b.drop("user_id").to_numpy())


def test_a_user_without_candidates_is_evaluated_and_has_no_hit() -> None:
    scored = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "score": [1.0]})
    positions = candidate_positions(scored, truth=pairs(("u", "a"), ("v", "a")))
    assert hr_at_k(positions, k=1).tolist() == [1.0, 0.0]


def test_all_relevant_items_missing_from_the_list() -> None:
    positions = list_positions(ranking(2, 1), truth=pairs(("u", "z")))
    values = metrics_per_user(positions, metrics=ALL_METRICS).drop("user_id").row(0)
    assert values[:-1] == (0.0,) * 6
    assert np.isnan(values[-1])


def test_agrees_with_ranx(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 users with random tie-free scores over 50 items: every shared metric to 1e-9."""
    # Compiled, ranx takes 40 s the first time; interpreted, a second.
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    with warnings.catch_warnings():
        # ranx and what it imports use syntax and functions that newer Pythons and numpys warn about.
        warnings.simplefilter("ignore")
        from ranx import Qrels, Run, evaluate

    rng = np.random.default_rng(3)
    items = [f"i{n}" for n in range(50)]
    scores = {f"u{u}": dict(zip(items, rng.permutation(50).astype(float), strict=True)) for u in range(200)}
    truth = {u: {str(i): 1 for i in rng.choice(items, size=rng.integers(1, 8), replace=False)} for u in scores}
    names = {"HR@10": "hit_rate@10", "Recall@10": "recall@10", "NDCG@10": "ndcg@10", "MRR": "mrr", "MRR@5": "mrr@5"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = evaluate(Qrels(truth), Run(scores), list(names.values()))
    scored = pl.DataFrame([(u, i, s) for u, row in scores.items() for i, s in row.items()], orient="row")
    scored.columns = ["user_id", "item_id", "score"]
    relevant = pairs(*((u, i) for u, row in truth.items() for i in row))
    ours = metrics_per_user(candidate_positions(scored, truth=relevant), metrics=list(names))
    for name, their_name in names.items():
        assert ours[name].to_numpy().mean() == pytest.approx(theirs[their_name], abs=1e-9), name


def test_jaccard_by_hand() -> None:
    """Top 2 {a, b} and {b, c}: 1/3. With b, c tied for the second place, {a, b} or {a, c} against {a, b}: 1 or 1/3."""
    assert jaccard_at_k(ranking(3, 2, 1), truth=ranking(1, 3, 2), k=2) == pytest.approx(1 / 3)
    assert jaccard_at_k(ranking(3, 1, 1), truth=ranking(3, 2, 1), k=2) == pytest.approx((1 + 1 / 3) / 2)
    assert jaccard_at_k(ranking(3, 1, 1), truth=ranking(3, 1, 1), k=2) == pytest.approx((1 + 1 / 3) / 2)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=5), st.integers(1, 3))
def test_jaccard_equals_the_mean_over_all_orders(scores: list[tuple[int, int]], k: int) -> None:
    def tops(column: int) -> list[frozenset[int]]:
        orders = permutations(range(len(scores)))
        return [frozenset(sorted(order, key=lambda i: -scores[i][column])[:k]) for order in orders]

    expected = np.mean([len(a & b) / len(a | b) for a in tops(0) for b in tops(1)])
    got = jaccard_at_k(ranking(*(s for s, _ in scores)), truth=ranking(*(s for _, s in scores)), k=k)
    assert got == pytest.approx(expected)


def test_top_k_lists_and_coverage() -> None:
    """a > b > c > d; u has seen a, so u's two are b, c and v's are a, b: 3 of 4 items are shown to somebody."""
    lists = top_k_lists(ranking(9, 8, 7, 6), seen=pairs(("u", "a")), user_ids=pl.Series(["v", "u", "v"]), k=2)
    assert lists.rows() == [("u", "b", 1), ("u", "c", 2), ("v", "a", 1), ("v", "b", 2)]
    assert catalogue_coverage(lists, n_items=4) == 3 / 4


def test_top_k_lists_agree_with_the_hit_rate() -> None:
    rng = np.random.default_rng(5)
    common = ranking(*rng.permutation(20))
    draw = [(f"u{u}", chr(97 + i)) for u in range(30) for i in rng.choice(20, size=6, replace=False)]
    truth, seen = pairs(*draw[::2]), pairs(*draw[1::2])
    lists = top_k_lists(common, seen=seen, user_ids=truth["user_id"], k=4)
    hit = lists.join(truth, on=["user_id", "item_id"])["user_id"].n_unique()
    positions = list_positions(common, truth=truth, seen=seen)
    assert hr_at_k(positions, k=4).sum() == pytest.approx(hit)


def test_bad_input_is_refused() -> None:
    good, truth = ranking(2, 1), pairs(("u", "a"))
    with pytest.raises(InvalidDataError, match="got null or NaN"):
        list_positions(ranking(2, float("nan")), truth=truth)
    with pytest.raises(InvalidDataError, match="got item_id 'a' twice"):
        list_positions(pl.concat([good, good]), truth=truth)
    with pytest.raises(InvalidDataError, match="got user_id 'u', item_id 'a' twice"):
        candidate_positions(pl.concat([good, good]).with_columns(pl.lit("u").alias("user_id")), truth=truth)
    with pytest.raises(InvalidDataError, match="pair, got none"):
        list_positions(good, truth=truth.clear())
    positions = list_positions(good, truth=truth)
    with pytest.raises(InvalidConfigError, match="got 0"):
        hr_at_k(positions, k=0)
    with pytest.raises(InvalidConfigError, match="got 'best'"):
        hr_at_k(positions, k=1, ties="best")  # type: ignore[arg-type]
    with pytest.raises(InvalidConfigError, match="got 'HR@ten'"):
        metrics_per_user(positions, metrics=["HR@ten"])
    with pytest.raises(InvalidDataError, match="at least 3 items, got 2"):
        jaccard_at_k(good, truth=good, k=3)
    with pytest.raises(InvalidConfigError, match="got 0"):
        catalogue_coverage(good, n_items=0)
