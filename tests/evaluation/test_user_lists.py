"""Lists of users judged against arithmetic by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidDataError
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.evaluation.user_lists import judge_lists, later_truth

MOMENT = datetime(2020, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def world() -> Dataset:
    """u had a and then takes b, c; v had nothing and takes a; w had a and never comes back."""
    rows = [("u", "a", MOMENT - DAY), ("w", "a", MOMENT - DAY)]
    rows += [("u", "b", MOMENT), ("u", "c", MOMENT + DAY), ("v", "a", MOMENT)]
    log = pl.DataFrame(
        rows,
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")},
        orient="row",
    )
    ids = [f"{letter}" for letter in "abcdefghijklmnopqrst"]
    return Dataset.from_frames(log, pl.DataFrame({"item_id": ids, "title": ids}), name="three")


def test_truth_is_what_comes_from_the_moment_on() -> None:
    truth = later_truth(world(), moment=MOMENT)
    assert truth.user_ids == ["u", "v"]
    assert sorted(truth.pairs.iter_rows()) == [("u", "b"), ("u", "c"), ("v", "a")]
    assert truth.seen.rows() == [("u", "a")]
    with pytest.raises(InvalidDataError, match=r"three: expected interactions from 2021-01-01.* got none. Fit with an"):
        later_truth(world(), moment=datetime(2021, 1, 1, tzinfo=UTC))


def test_figures_by_hand() -> None:
    """u finds b at 2 and c at 7, v finds nothing; chance fills ten of u's 19 places and ten of v's 20."""
    truth = later_truth(world(), moment=MOMENT)
    served = pl.DataFrame(
        {
            "user_id": ["u"] * 10 + ["v"] * 10,
            "item_id": list("dbefghcijk") + list("bcdefghijk"),
            "rank": [*range(1, 11), *range(1, 11)],
        }
    )
    rows = judge_lists({"served": served}, truth=truth)
    assert dict(rows.schema) == ROW_SCHEMA
    found = {(row["method"], row["metric"]): row for row in rows.to_dicts()}
    ideal = 1 + 1 / np.log2(3)
    expected = {
        "HR@5": 1 / 2,
        "HR@10": 1 / 2,
        "Recall@10": 1 / 2,
        "NDCG@5": 1 / np.log2(3) / ideal / 2,
        "NDCG@10": (1 / np.log2(3) + 1 / np.log2(8)) / ideal / 2,
        "MRR@10": 1 / 2 / 2,
    }
    for metric, value in expected.items():
        assert found["served", metric]["value"] == pytest.approx(value), metric
        assert found["served", metric]["n"] == 2
        assert found["served", metric]["protocol"] == "from 2020-02-01 on"
    assert found["chance", "Recall@10"]["value"] == pytest.approx((10 / 19 + 10 / 20) / 2)
    assert found["chance", "HR@10"]["value"] == pytest.approx((1 - (9 * 8) / (19 * 18) + 10 / 20) / 2)


def test_a_user_who_got_no_list_counts_as_missed() -> None:
    truth = later_truth(world(), moment=MOMENT)
    served = pl.DataFrame({"user_id": ["u"], "item_id": ["b"], "rank": [1]})
    rows = judge_lists({"served": served}, truth=truth).filter(method="served", metric="HR@10")
    assert (rows["value"].item(), rows["n"].item()) == (0.5, 2)
