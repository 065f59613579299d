"""Bounds that hit rate and NDCG keep where every user has one relevant item."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import InvalidDataError
from whyrec.evaluation.consistency import consistency_bounds, require_consistent
from whyrec.evaluation.positions import candidate_positions
from whyrec.evaluation.ranking import metrics_per_user

METRICS = ("HR@1", "HR@5", "HR@10", "NDCG@1", "NDCG@5", "NDCG@10")


def test_bounds_by_hand() -> None:
    """HR .3 to .5: the top's NDCG in .3 / log2(6) to .3, the rest in .2 / log2(11) to .2 / log2(7)."""
    bounds = consistency_bounds({"HR@5": 0.3, "NDCG@5": 0.2, "HR@10": 0.5, "NDCG@10": 0.26, "MRR": 0.9})
    assert [bound.what for bound in bounds] == ["HR@5", "NDCG@5", "HR@10 - HR@5", "NDCG@10 - NDCG@5"]
    assert (bounds[1].low, bounds[1].high) == pytest.approx((0.3 / math.log2(6), 0.3))
    assert (bounds[3].low, bounds[3].high) == pytest.approx((0.2 / math.log2(11), 0.2 / math.log2(7)))
    assert all(bound.is_kept for bound in bounds)


@given(ranks=st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_means_over_ranks_are_always_possible(ranks: list[int]) -> None:
    row = {f"HR@{k}": float(np.mean([rank <= k for rank in ranks])) for k in (5, 10)}
    row |= {f"NDCG@{k}": float(np.mean([(rank <= k) / math.log2(rank + 1) for rank in ranks])) for k in (5, 10)}
    require_consistent(row, where="random ranks")


@given(scores=st.lists(st.lists(st.integers(0, 3), min_size=12, max_size=12), min_size=1, max_size=6))
def test_rows_of_our_own_metrics_are_always_possible_with_ties_too(scores: list[list[int]]) -> None:
    scored = pl.DataFrame(
        [(f"u{u}", f"i{i}", float(score)) for u, row in enumerate(scores) for i, score in enumerate(row)],
        schema=["user_id", "item_id", "score"],
        orient="row",
    )
    truth = pl.DataFrame({"user_id": [f"u{u}" for u in range(len(scores))], "item_id": ["i0"] * len(scores)})
    per_user = metrics_per_user(candidate_positions(scored, truth=truth), metrics=METRICS)
    require_consistent(per_user.select(METRICS).mean().row(0, named=True), where="own row")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        # M-LLM3REC's row on Beauty: .358 - .339 is .019, where .169 more hits bring .169 / log2(11) = .0489 at least.
        (
            {"HR@5": 0.540, "NDCG@5": 0.339, "HR@10": 0.709, "NDCG@10": 0.358},
            r"Beauty: expected NDCG@10 - NDCG@5 of 0\.0489 to 0\.0602, got 0\.0190\. Compute all metrics from the same",
        ),
        ({"HR@5": 0.5, "NDCG@5": 0.51}, r"expected NDCG@5 of 0\.1934 to 0\.5000, got 0\.5100"),
        ({"HR@5": 0.5, "NDCG@5": 0.19}, r"expected NDCG@5 of 0\.1934 to 0\.5000, got 0\.1900"),
        ({"HR@5": 0.5, "NDCG@5": 0.3, "HR@10": 0.4, "NDCG@10": 0.3}, r"expected HR@10 - HR@5 of 0\.0000 to 0\.5000"),
        ({"HR@5": 1.2, "NDCG@5": 1.0}, r"expected HR@5 of 0\.0000 to 1\.0000, got 1\.2000"),
        ({"HR@5": 0.5, "NDCG@5": float("nan")}, r"expected NDCG@5 of .*, got nan"),
        ({"HR@5": 0.5, "NDCG@10": 0.3}, r"expected HR and NDCG at a common cutoff, got HR@5, NDCG@10"),
    ],
)
def test_impossible_rows_are_refused(row: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        require_consistent(row, where="Beauty")


def test_rounded_rows_are_given_room() -> None:
    """One of four users is hit at rank 10: .25 / log2(11) = .0723, which is printed as .07."""
    exact = {"HR@5": 0.0, "NDCG@5": 0.0, "HR@10": 0.25, "NDCG@10": 0.25 / math.log2(11)}
    rounded = exact | {"NDCG@10": 0.07}
    require_consistent(exact, where="exact")
    with pytest.raises(InvalidDataError, match=r"got 0\.0700"):
        require_consistent(rounded, where="rounded")
    require_consistent(rounded, where="rounded", rounding=0.005)
