"""Rolling evaluation of every forecaster on four data sets: the last three full 30-day windows of each.

    python benchmarks/forecasting.py --data ../shared/data --out results

MovieTweetings comes with the package; the others are read from --data and skipped where absent. Writes one results
file per data set (forecasting_NAME.json), forecasting_beauty_june_2014.json for the calendar month that TRAIL tests
on, and forecasting.json: each method's share of the count oracle's HR@10, and ours against the recency baseline that
was best on the windows before the tested ones.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength
from whyrec.evaluation.rolling import evaluate_rolling, last_windows
from whyrec.experiments.forecasting import METRIC, OURS, best_recency, compare_with_recency, forecast_rankers
from whyrec.runtime.manifest import write_results

LENGTH = WindowLength.parse("30d")
JUNE_2014 = Window(datetime(2014, 6, 1, tzinfo=UTC), datetime(2014, 7, 1, tzinfo=UTC))


def movietweetings(_: Path) -> Dataset:
    return bundled_dataset()


def online_retail(folder: Path) -> Dataset:
    """Sales only (Quantity > 0). The catalogue's price_median and first_seen are left out: they know the future."""
    log = pl.read_parquet(folder / "online_retail" / "interactions.parquet").filter(pl.col("Quantity") > 0)
    items = pl.read_parquet(folder / "online_retail" / "items.parquet")
    return Dataset.from_frames(
        log.select(
            user_id=pl.col("user").cast(pl.String), item_id="item", timestamp=pl.col("time").dt.replace_time_zone("UTC")
        ).unique(maintain_order=True),
        items.select(item_id="item", title=pl.col("description").str.strip_chars()),
        name="online_retail",
    )


def amazon(name: str) -> Callable[[Path], Dataset]:
    def read(folder: Path) -> Dataset:
        log = pl.read_parquet(folder / name / "interactions.parquet")
        items = pl.read_parquet(folder / name / "items.parquet")
        return Dataset.from_frames(
            log.select(
                user_id=pl.col("user").cast(pl.String),
                item_id=pl.col("item").cast(pl.String),
                timestamp=pl.from_epoch("timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC"),
            ),
            items.select(item_id=pl.col("item").cast(pl.String), title="title", categories="categories"),
            name=name,
        )

    return read


DATASETS: dict[str, Callable[[Path], Dataset]] = {
    "movietweetings": movietweetings,
    "online_retail": online_retail,
    "amazon2014_toys": amazon("amazon2014_toys"),
    "amazon2014_beauty": amazon("amazon2014_beauty"),
}


def judge(data: Dataset, *, windows: list[Window], out: Path | None, seed: int) -> tuple[pl.DataFrame, str]:
    """Evaluate everything on some windows; returns per-user values and the chosen recency baseline."""
    started = time.perf_counter()
    chosen = best_recency(data, tested=windows, length=LENGTH)
    window = "month" if windows == [JUNE_2014] else str(LENGTH)
    result = evaluate_rolling(data, windows=windows, rankers=forecast_rankers(window), seed=seed)
    show(result.rows, title=data.name)
    print(f"recency baseline chosen on earlier windows: {chosen}", flush=True)
    if out is not None:
        config = {
            "dataset": data.describe(),
            "windows": [w.label for w in windows],
            "window": window,
            "recency_baseline_chosen_before": chosen,
            "seed": seed,
        }
        rows = result.rows.to_dicts()
        write_results(out, config=config, wall_time_s=time.perf_counter() - started, rows=rows)
    return result.per_user, chosen


def show(rows: pl.DataFrame, *, title: str) -> None:
    last = rows.filter(pl.col("protocol") == rows["protocol"][-1])
    table = last.filter(pl.col("metric").is_in(["HR@5", METRIC, "NDCG@10", f"{METRIC}/oracle"])).pivot(
        on="metric", index="method", values="value", aggregate_function="first"
    )
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(f"\n{title}, {last['protocol'][0]}\n{table.sort(METRIC, descending=True)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per data set")
    parser.add_argument("--out", type=Path, help="folder for results files")
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=list(DATASETS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.perf_counter()
    per_user, chosen = {}, {}
    for name in options.datasets:
        if name != "movietweetings" and not (options.data / name).is_dir():
            print(f"{name}: not in {options.data}, left out", file=sys.stderr)
            continue
        data = DATASETS[name](options.data)
        out = options.out / f"forecasting_{name}.json" if options.out else None
        windows = last_windows(data, length=LENGTH, n=3)
        per_user[name], chosen[name] = judge(data, windows=windows, out=out, seed=options.seed)
        if name == "amazon2014_beauty":
            june = options.out / "forecasting_beauty_june_2014.json" if options.out else None
            judge(data, windows=[JUNE_2014], out=june, seed=options.seed)
    comparison = compare_with_recency(per_user, chosen=chosen, seed=options.seed)
    rows = []
    for system, interval in asdict(comparison).items():
        print(f"{system:<12} {interval['value']:.4f} [{interval['low']:.4f}, {interval['high']:.4f}]")
        method = {"ours": OURS, "baseline": "best recency", "difference": f"{OURS} - best recency"}[system]
        metric = f"{METRIC}/oracle, mean of {len(per_user)} data sets"
        rows.append({"method": method, "dataset": "all", "protocol": "last 3 windows of 30 days", "metric": metric,
                     **interval, "seed": options.seed, "writer": "offline"})  # fmt: skip
    if options.out:
        config = {"datasets": list(per_user), "chosen": chosen, "seed": options.seed}
        path = options.out / "forecasting.json"
        write_results(path, config=config, wall_time_s=time.perf_counter() - started, rows=rows)


if __name__ == "__main__":
    main()
