"""Chance, count oracle and greedy coverage on a world where counts mislead."""

import polars as pl
import pytest

from whyrec.evaluation.positions import list_positions
from whyrec.evaluation.ranking import hr_at_k
from whyrec.evaluation.references import chance_ranking, count_oracle, greedy_coverage_oracle

ITEMS = pl.Series("item_id", ["a", "b", "c", "d"])
# a has u1-u3, b has u1-u2 (already reached by a), c has u4 alone; d has nobody.
TRUTH = pl.DataFrame(
    {"user_id": ["u1", "u2", "u3", "u1", "u2", "u4", "u4"], "item_id": ["a", "a", "a", "b", "b", "c", "c"]}
)
NOTHING = TRUTH.clear()


def hit_rate(ranking: pl.DataFrame, *, k: int, seen: pl.DataFrame = NOTHING) -> float:
    return float(hr_at_k(list_positions(ranking, truth=TRUTH, seen=seen), k=k).mean())


def test_count_oracle_scores_distinct_users() -> None:
    assert dict(count_oracle(ITEMS, truth=TRUTH).iter_rows()) == {"a": 3.0, "b": 2.0, "c": 1.0, "d": 0.0}


def test_greedy_coverage_beats_counts_at_two() -> None:
    """By count: a, b hit u1-u3, 3/4. Greedy: a, c hit all four."""
    greedy = greedy_coverage_oracle(ITEMS, truth=TRUTH, seen=NOTHING)
    assert greedy.sort("score", descending=True)["item_id"].to_list() == ["a", "c", "b", "d"]
    assert hit_rate(count_oracle(ITEMS, truth=TRUTH), k=2) == 3 / 4
    assert hit_rate(greedy, k=2) == 1.0


def test_greedy_coverage_does_not_count_users_who_have_seen_the_item() -> None:
    """u1 to u3 have seen a, so b reaches u1 and u2, c reaches u4, and a nobody."""
    seen = pl.DataFrame({"user_id": ["u1", "u2", "u3"], "item_id": ["a", "a", "a"]})
    greedy = greedy_coverage_oracle(ITEMS, truth=TRUTH, seen=seen)
    assert greedy.sort("score", descending=True)["item_id"].to_list() == ["b", "c", "a", "d"]
    assert hit_rate(greedy, k=1, seen=seen) == 2 / 4


def test_greedy_coverage_re_counts_after_each_choice() -> None:
    """x has 1-4; y has 3-6; z has 5-7. After x, y gains 2 and z gains 3."""
    users = {"x": "1234", "y": "3456", "z": "567"}
    truth = pl.DataFrame([(u, i) for i, us in users.items() for u in us], schema=["user_id", "item_id"], orient="row")
    greedy = greedy_coverage_oracle(pl.Series("item_id", ["z", "y", "x"]), truth=truth, seen=truth.clear())
    assert greedy.sort("score", descending=True)["item_id"].to_list() == ["x", "z", "y"]


def test_chance_is_the_share_of_lists_that_hit() -> None:
    """Two of four places: u1 and u2 have two relevant (1 - C(2,2)/C(4,2) = 5/6), u3 and u4 one (1/2)."""
    assert hit_rate(chance_ranking(ITEMS), k=2) == pytest.approx((2 * 5 / 6 + 2 * 1 / 2) / 4)
