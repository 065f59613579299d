from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.errors import InvalidDataError
from whyrec.evaluation.candidate_cases import (
    CandidateCases,
    case_metrics,
    draw_cases,
    hit_rate_by_position,
    score_cases,
)
from whyrec.evaluation.case_splits import last_item_split
from whyrec.evaluation.consistency import require_consistent
from whyrec.interfaces import RECOMMENDATION_SCHEMA

START = datetime(2020, 1, 1, tzinfo=UTC)
N_USERS, N_ITEMS = 120, 80


def world(*, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(N_USERS):
        for hour, item in enumerate(rng.permutation(N_ITEMS)[:6].tolist()):
            rows.append((f"u{user:03}", f"i{item:02}", START + timedelta(hours=int(hour))))
    schema = {"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}
    ids = [f"i{n:02}" for n in range(N_ITEMS)]
    return Dataset.from_frames(
        pl.DataFrame(rows, schema=schema, orient="row"), pl.DataFrame({"item_id": ids, "title": ids}), name="world"
    )


@pytest.fixture(scope="module")
def data() -> Dataset:
    return world()


@pytest.fixture(scope="module")
def cases(data: Dataset) -> CandidateCases:
    return draw_cases(data, last_item_split(data))


class Scripted:
    """A recommender that scores by a function of the item, from what it is asked with."""

    def __init__(self) -> None:
        self.asked: Dataset | None = None

    def recommend(self, data: Dataset, *, candidates: pl.DataFrame, **_: object) -> pl.DataFrame:
        self.asked = data
        number = pl.col("item_id").str.slice(1).cast(pl.Float64)
        scored = candidates.with_columns(number.alias("score"))
        ranked = scored.with_columns(pl.col("score").rank("ordinal", descending=True).over("user_id").alias("rank"))
        return ranked.cast(RECOMMENDATION_SCHEMA).select(list(RECOMMENDATION_SCHEMA))


def test_a_case_holds_the_positive_once_among_items_that_its_user_never_takes(
    data: Dataset, cases: CandidateCases
) -> None:
    taken = dict(data.interactions.group_by("user_id").agg("item_id").collect().iter_rows())
    assert cases.frame.height == N_USERS
    for row in cases.frame.iter_rows(named=True):
        assert len(set(row["candidates"])) == 30
        assert row["candidates"][row["position"]] == row["item_id"]
        assert set(row["candidates"]) & set(taken[row["user_id"]]) == {row["item_id"]}


def test_histories_are_strictly_earlier(cases: CandidateCases) -> None:
    for row in cases.frame.iter_rows(named=True):
        assert len(row["history"]) == 5
        assert all(time < row["timestamp"] for time in row["times"])
        assert row["times"] == sorted(row["times"])


def test_a_constant_scorer_has_exactly_chance(cases: CandidateCases) -> None:
    per_user = case_metrics(cases.pairs().with_columns(pl.lit(0.0).alias("score")), cases)
    means = {name: per_user[name].mean() for name in per_user.columns[1:]}
    discounts = 1 / np.log2(np.arange(10) + 2)
    assert means == pytest.approx(
        {"HR@5": 5 / 30, "HR@10": 10 / 30, "NDCG@5": discounts[:5].sum() / 30, "NDCG@10": discounts.sum() / 30}
    )
    require_consistent(means, where="chance")
    by_position = hit_rate_by_position(per_user, cases)
    assert by_position["HR@5"].to_list() == pytest.approx([5 / 30] * by_position.height)
    assert by_position["n"].sum() == N_USERS


def test_a_scorer_by_place_is_seen_through_by_position(cases: CandidateCases) -> None:
    place = pl.int_range(pl.len()).over("user_id")
    scored = cases.pairs().with_columns((-place).cast(pl.Float64).alias("score"))
    by_position = hit_rate_by_position(case_metrics(scored, cases), cases)
    expected = [1.0 if position < 5 else 0.0 for position in by_position["position"]]
    assert by_position["HR@5"].to_list() == expected


def test_the_positive_stands_anywhere(cases: CandidateCases) -> None:
    counts = np.bincount(cases.frame["position"].to_numpy(), minlength=30)
    # 120 cases over 30 places: 4 each, deviation 2.
    assert counts.max() <= 4 + 5 * 2
    assert (counts > 0).sum() >= 20


def test_same_seed_same_cases_and_another_another(data: Dataset, cases: CandidateCases) -> None:
    split = last_item_split(data)
    assert draw_cases(data, split).frame.equals(cases.frame)
    assert not draw_cases(data, split, seed=1).frame["candidates"].equals(cases.frame["candidates"])
    some = draw_cases(data, split.sampled(10, seed=0)).frame
    assert some.equals(cases.frame.join(some.select("user_id"), on="user_id", how="semi"))


def test_of_one_category(data: Dataset) -> None:
    split = last_item_split(data)
    category_of = {f"i{n:02}": "low" if n < 60 else "high" for n in range(N_ITEMS)}
    drawn = draw_cases(data, split, scheme="category", category_of=category_of)
    assert drawn.name == "standard[cat29]"
    for row in drawn.frame.iter_rows(named=True):
        mine = category_of[row["item_id"]]
        same = [item for item in row["candidates"] if category_of[item] == mine]
        # The high ones are twenty: a case has all that its user never takes, and others fill it up.
        assert len(same) == 30 if mine == "low" else 15 <= len(same) <= 20
        assert len(row["candidates"]) == 30


def test_a_recommender_is_asked_with_the_histories_alone(data: Dataset, cases: CandidateCases) -> None:
    scripted = Scripted()
    (scored,) = score_cases(scripted, [cases], data=data)  # type: ignore[arg-type]
    assert scored.height == 30 * N_USERS
    assert scripted.asked is not None
    seen = set(scripted.asked.interactions.select("user_id", "item_id").collect().iter_rows())
    assert not seen & set(cases.truth.iter_rows())
    assert len(seen) == 5 * N_USERS
    per_user = case_metrics(scored, cases)
    best = [sorted(candidates, reverse=True)[:5] for candidates in cases.frame["candidates"]]
    assert per_user["HR@5"].to_list() == [
        float(item in top) for item, top in zip(cases.frame["item_id"], best, strict=True)
    ]


def test_a_recommender_that_leaves_candidates_out_is_refused(data: Dataset, cases: CandidateCases) -> None:
    class Forgetful(Scripted):
        def recommend(self, data: Dataset, *, candidates: pl.DataFrame, **given: object) -> pl.DataFrame:
            return super().recommend(data, candidates=candidates.head(100), **given)

    with pytest.raises(InvalidDataError, match=r"standard\[uni29\]: expected 3,600 scores, got 100"):
        score_cases(Forgetful(), [cases], data=data)  # type: ignore[arg-type]


def test_several_draws_for_the_same_users_are_scored_as_each_alone(data: Dataset, cases: CandidateCases) -> None:
    other = draw_cases(data, last_item_split(data), seed=1)
    together = score_cases(Scripted(), [cases, other], data=data)  # type: ignore[arg-type]
    for mine, scored in zip((cases, other), together, strict=True):
        (alone,) = score_cases(Scripted(), [mine], data=data)  # type: ignore[arg-type]
        assert scored.equals(alone)
    fewer = draw_cases(data, last_item_split(data).sampled(5, seed=0))
    with pytest.raises(InvalidDataError, match="expected cases of the same users and moments"):
        score_cases(Scripted(), [cases, fewer], data=data)  # type: ignore[arg-type]


def test_written_and_read_are_the_same_and_belong_to_the_data(
    data: Dataset, cases: CandidateCases, tmp_path: Path
) -> None:
    cases.write(tmp_path / "cases")
    read = CandidateCases.read(tmp_path / "cases", data=data)
    assert read.frame.equals(cases.frame)
    assert (read.name, read.settings) == ("standard[uni29]", cases.settings)
    with pytest.raises(InvalidDataError, match="expected cases for world"):
        CandidateCases.read(tmp_path / "cases", data=world(seed=1))
    with pytest.raises(InvalidDataError, match=r"expected sampled cases \(cases.json\), found none"):
        CandidateCases.read(tmp_path, data=data)
