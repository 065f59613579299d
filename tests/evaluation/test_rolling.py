"""Judging lists on windows: hand-worked rows, the wall at the cut-off, and the figures the project starts from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.data.windows import Window, WindowLength, users_per_item
from whyrec.errors import InvalidDataError
from whyrec.evaluation.positions import list_positions
from whyrec.evaluation.ranking import hr_at_k
from whyrec.evaluation.references import count_oracle
from whyrec.evaluation.rolling import (
    METRICS,
    ROW_SCHEMA,
    WindowTruth,
    evaluate_forecast,
    evaluate_rolling,
    last_windows,
    paired_strata,
    per_user_metrics,
    refit_each_window,
    window_truth,
)

START = datetime(2020, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


@pytest.fixture
def tiny() -> Dataset:
    """Items i00 to i11. In window [30, 60): u takes i00 (seen before) and i01, v takes i01, w takes i02."""
    events = [("u", "i00", 3), ("v", "i05", 4), ("w", "i01", 29), ("x", "i00", 31 - 31)]
    events += [
        ("u", "i00", 30),
        ("u", "i01", 40),
        ("v", "i01", 59),
        ("w", "i02", 45),
        ("u", "i03", 60),
        ("y", "i04", 95),
    ]
    log = pl.DataFrame(
        {
            "user_id": [u for u, _, _ in events],
            "item_id": [i for _, i, _ in events],
            "timestamp": [day(d) for *_, d in events],
        },
        schema_overrides={"timestamp": TIMESTAMP_TYPE},
    )
    ids = [f"i{n:02}" for n in range(12)]
    return Dataset.from_frames(log, pl.DataFrame({"item_id": ids, "title": ids}), name="tiny")


def by_score(scores: dict[str, float], data: Dataset) -> pl.DataFrame:
    items = data.items["item_id"]
    values = [scores.get(item_id, -float(n)) for n, item_id in enumerate(items)]
    empty = pl.lit(None, dtype=pl.Float64)
    frame = pl.DataFrame({"item_id": items, "score": values, "expected": [max(v, 0.0) for v in values]})
    return frame.with_columns(empty.alias("low"), empty.alias("high"))


def test_window_truth_is_half_open_and_split_at_the_start(tiny: Dataset) -> None:
    truth = window_truth(tiny, window=Window(day(30), day(60)))
    assert sorted(truth.pairs.iter_rows()) == [("u", "i00"), ("u", "i01"), ("v", "i01"), ("w", "i02")]
    # x has no interaction in the window: not evaluated, so what x has seen is not needed either.
    assert sorted(truth.seen.iter_rows()) == [("u", "i00"), ("v", "i05"), ("w", "i01")]
    assert truth.counts.rows() == [("i00", 1), ("i01", 2), ("i02", 1)]


def test_rows_of_one_list_by_hand(tiny: Dataset) -> None:
    """Served: i00 3, i01 2, then i02, i03, ... by score. u has seen i00: i01 is first for u, second for v. w has
    seen i01: after i00, i02 is second. True counts i00 1, i01 2, i02 1; expected 3, 2 and 0."""
    served = by_score({"i00": 3.0, "i01": 2.0}, tiny)
    rows = evaluate_forecast(served, data=tiny, window=Window(day(30), day(60)), method="m", seed=4)
    assert dict(rows.schema) == ROW_SCHEMA
    assert rows.select("method", "dataset", "protocol", "seed", "writer").unique().rows() == [
        ("m", "tiny", "2020-01-31/2020-03-01", 4, "offline")
    ]
    value = dict(rows.select("metric", "value").iter_rows())
    assert value["HR@5"] == 1.0
    second = 1 / np.log2(3)
    assert value["NDCG@5"] == pytest.approx((1 / (1 + second) + second + second) / 3)
    assert value["NDCG_div@10"] == pytest.approx((1 / (1 + second) / 2 + second + second) / 3)
    assert value["MAE"] == pytest.approx((2 + 0 + 1) / 12)
    assert value["WAPE"] == pytest.approx((2 + 0 + 1) / 4)
    assert value["MAE[active]"] == pytest.approx((2 + 0 + 1) / 3)
    assert dict(rows.select("metric", "n").iter_rows())["HR@5"] == 3
    assert rows.filter(metric="Jaccard@10")["low"].item() is None


def test_a_list_that_is_not_the_catalogue_is_refused(tiny: Dataset) -> None:
    window = Window(day(30), day(60))
    with pytest.raises(InvalidDataError, match="exactly the 12 catalogue items, got 5 rows, 7 items"):
        evaluate_forecast(by_score({}, tiny).head(5), data=tiny, window=window, method="m")
    with pytest.raises(InvalidDataError, match="2020-07-19/2020-08-18, got none"):
        window_truth(tiny, window=Window(day(200), day(230)))


def test_last_windows_leave_a_past(tiny: Dataset) -> None:
    assert last_windows(tiny, length=WindowLength(30), n=2) == [Window(day(30), day(60)), Window(day(60), day(90))]
    with pytest.raises(InvalidDataError, match="at least 4 full windows of 30d, got 3"):
        last_windows(tiny, length=WindowLength(30), n=3)


def test_rolling_shows_a_ranker_nothing_later_than_the_window_start(tiny: Dataset) -> None:
    latest: list[datetime] = []

    def peeking(data: Dataset, at: datetime) -> pl.DataFrame:
        last = data.time_range[1]
        latest.append(last)
        assert last < at
        assert data.between(at, at + timedelta(days=1000)).collect().is_empty()
        return by_score({}, data)

    windows = last_windows(tiny, length=WindowLength(30), n=2)
    result = evaluate_rolling(tiny, windows=windows, rankers={"peeking": peeking}, writers={"peeking": "model@1"})
    assert latest == [day(29), day(59)]
    assert set(result.rows["method"]) == {"peeking", "chance", "oracle", "greedy_coverage_oracle"}
    assert result.rows.filter(method="peeking")["writer"].unique().to_list() == ["model@1"]
    assert result.rows["protocol"].unique(maintain_order=True).to_list() == [
        *(window.label for window in windows),
        "mean of 2 windows to 2020-03-31",
    ]


def test_mean_rows_average_windows_and_shares_divide_means(tiny: Dataset) -> None:
    windows = last_windows(tiny, length=WindowLength(30), n=2)
    result = evaluate_rolling(tiny, windows=windows, rankers={"m": lambda data, at: by_score({}, data)})
    value = {(m, p, k): v for m, p, k, v in result.rows.select("method", "protocol", "metric", "value").iter_rows()}
    mean = "mean of 2 windows to 2020-03-31"
    for metric in METRICS:
        each = [value["m", window.label, metric] for window in windows]
        oracle = [value["oracle", window.label, metric] for window in windows]
        assert value["m", mean, metric] == pytest.approx(sum(each) / 2)
        assert value["m", mean, f"{metric}/oracle"] == pytest.approx(sum(each) / sum(oracle))
    strata = paired_strata(result.per_user, methods=["m", "oracle"], metric="HR@5")
    assert [array.shape for array in strata] == [(3, 2), (1, 2)]
    with pytest.raises(InvalidDataError, match="same users for 'm' and 'nobody'"):
        paired_strata(result.per_user, methods=["m", "nobody"], metric="HR@5")


def test_one_window_of_rolling_equals_one_evaluation(tiny: Dataset) -> None:
    window = Window(day(30), day(60))
    alone = evaluate_forecast(by_score({}, tiny), data=tiny, window=window, method="m").select("metric", "value")
    rolled = evaluate_rolling(tiny, windows=[window], rankers={"m": lambda data, at: by_score({}, data)}).rows
    both = rolled.filter(method="m", protocol=window.label).join(alone, on="metric", nulls_equal=True)
    assert both.height == alone.height
    for metric, a, b in both.select("metric", "value", "value_right").iter_rows():
        assert a == pytest.approx(b), metric


def test_shuffled_truth_drops_to_chance() -> None:
    """The oracle's own list against truth whose items were permuted: 4,000 users cannot tell it from chance."""
    rng = np.random.default_rng(0)
    popularity = rng.zipf(1.5, size=100).clip(max=50).astype(float)
    items = [f"i{n:03}" for n in range(100)]
    users = [f"u{n}" for n in range(4000)]
    truth = pl.DataFrame({"user_id": users, "item_id": rng.choice(items, size=4000, p=popularity / popularity.sum())})
    oracle = count_oracle(pl.Series("item_id", items), truth=truth)
    chance = []
    for seed in range(20):
        renamed = dict(zip(items, np.random.default_rng(seed).permutation(items).tolist(), strict=True))
        shuffled = truth.with_columns(pl.col("item_id").replace_strict(renamed))
        chance.append(hr_at_k(list_positions(oracle, truth=shuffled), k=10).mean())
    assert hr_at_k(list_positions(oracle, truth=truth), k=10).mean() > 0.3
    assert np.mean(chance) == pytest.approx(10 / 100, abs=0.05)


def last_days(data: Dataset, truth: WindowTruth, days: int) -> float:
    """HR@10 of the list by distinct users in the last N days, straight from the parts."""
    at = truth.window.start
    counts = users_per_item(data.before(at), Window(at - timedelta(days=days), at))
    scores = pl.DataFrame({"item_id": truth.item_ids}).join(counts, on="item_id", how="left").fill_null(0)
    ranking = scores.rename({"users": "score"})
    return float(per_user_metrics(ranking, truth=truth, metrics=["HR@10"])["HR@10"].to_numpy().mean())


def oracle(truth: WindowTruth) -> float:
    ranking = count_oracle(truth.item_ids, truth=truth.pairs)
    return float(per_user_metrics(ranking, truth=truth, metrics=["HR@10"])["HR@10"].to_numpy().mean())


@pytest.mark.parametrize(
    ("index", "last_30", "last_7", "ceiling"), [(6, 0.2809, 0.3223, 0.3649), (7, 0.2476, 0.2914, 0.4606)]
)
def test_reference_points_of_movietweetings(index: int, last_30: float, last_7: float, ceiling: float) -> None:
    data = bundled_dataset()
    windows = WindowLength(30).full_windows(*data.time_range)
    truth = window_truth(data, window=windows[index])
    assert last_days(data, truth, 30) == pytest.approx(last_30, abs=1e-4)
    assert last_days(data, truth, 7) == pytest.approx(last_7, abs=1e-4)
    assert oracle(truth) == pytest.approx(ceiling, abs=1e-4)


@pytest.mark.shared_data
def test_reference_points_of_amazon_beauty(shared_data: Path) -> None:
    """June 2014. Counts of few days tie at the border of the ten; ours is the mean over the orders of tied items."""
    raw = pl.read_parquet(shared_data / "amazon2014_beauty" / "interactions.parquet")
    log = raw.select(
        pl.col("user").cast(pl.String).alias("user_id"),
        pl.col("item").cast(pl.String).alias("item_id"),
        pl.from_epoch("timestamp").dt.replace_time_zone("UTC").cast(TIMESTAMP_TYPE),
    )
    ids = log["item_id"].unique().sort()
    data = Dataset.from_frames(log, pl.DataFrame({"item_id": ids, "title": ids}), name="beauty")
    june = Window(datetime(2014, 6, 1, tzinfo=UTC), datetime(2014, 7, 1, tzinfo=UTC))
    truth = window_truth(data, window=june)
    assert last_days(data, truth, 30) == pytest.approx(0.0616, abs=1e-4)
    assert last_days(data, truth, 7) == pytest.approx(0.0780, abs=0.001)
    assert last_days(data, truth, 3) == pytest.approx(0.0876, abs=0.001)
    assert oracle(truth) == pytest.approx(0.0840, abs=1e-4)


def test_refit_each_window_fits_at_the_start_of_the_window(tiny: Dataset) -> None:
    calls: list[tuple[str, datetime]] = []

    class Recorder:
        def fit(self, data: Dataset, *, until: datetime) -> "Recorder":
            calls.append(("fit", until))
            return self

        def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
            calls.append(("forecast", at))
            return by_score({}, data)

    refit_each_window(Recorder)(tiny, day(30))  # type: ignore[arg-type]
    assert calls == [("fit", day(30)), ("forecast", day(30))]
