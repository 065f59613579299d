"""The protocol of published tables: the last item of every user is left out and the whole catalogue is ranked.

    python benchmarks/leave_one_out.py --data ../shared/data --dataset ml1m --method sasrec --out results

A killed run goes on where it was if it is started again with the same --checkpoints directory.

Items with fewer than 5 interactions are dropped, ratings are ignored, what a user has had is hidden. A user's items
stand in order of time and, at equal times, in the order of the source file (a stable sort): on MovieLens-1M many items
share a second, and another order would ask for other test items. Time leaks between users here, as in the tables that
this is to be compared with; the honest split is by time.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from whyrec.baselines.recommenders import RECOMMENDERS
from whyrec.data.dataset import Dataset
from whyrec.encoders.recommender import SequentialConfig, SequentialRecommender
from whyrec.evaluation.significance import Interval, bootstrap_mean
from whyrec.recommending.base import ScoringRecommender
from whyrec.runtime.config import layered, parse_settings, validated
from whyrec.runtime.manifest import write_results

MIN_INTERACTIONS = 5
END = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Protocol:
    """A dataset whose last item per user is asked for."""

    name: str
    train: Dataset
    """All but each user's last interaction."""
    test: pl.DataFrame
    """Columns user_id, item_id: the last one."""
    n_ties: int
    """Users whose last two items carry the same time in the source."""

    def describe(self) -> dict[str, object]:
        """What a reader must know to compare."""
        return {
            "users": self.test.height,
            "items": self.train.items.height,
            "interactions": self.train.counts["n_interactions"] + self.test.height,
            "users_whose_last_two_items_share_a_time": self.n_ties,
            "protocol": "leave-one-out, full ranking, seen items hidden, ties at equal times by order of the source",
        }


def load(name: str, data: Path) -> Protocol:
    """Read ``ml1m`` or ``amazon2014_beauty`` from the directory of data sets."""
    readers = {"ml1m": _ml1m, "amazon2014_beauty": _beauty}
    events, items = readers[name](data / name)
    return _protocol(name, events, items)


def _ml1m(directory: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    events = pl.read_parquet(directory / "ratings.parquet").drop_nulls("timestamp")
    log = events.select(
        pl.col("user").cast(pl.String).alias("user_id"),
        pl.col("movie").cast(pl.String).alias("item_id"),
        pl.from_epoch("timestamp", time_unit="s")
        .cast(pl.Datetime("us"))
        .dt.replace_time_zone("UTC")
        .alias("timestamp"),
    )
    texts = pl.read_parquet(directory / "items_text.parquet")
    key = texts.columns[0]
    return log, texts.with_columns(pl.col(key).cast(pl.String).alias("item_id")).select("item_id", "title")


def _beauty(directory: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    events = pl.read_parquet(directory / "interactions.parquet")
    log = events.select(
        pl.col("user").cast(pl.String).alias("user_id"),
        pl.col("item").cast(pl.String).alias("item_id"),
        pl.from_epoch("timestamp", time_unit="s")
        .cast(pl.Datetime("us"))
        .dt.replace_time_zone("UTC")
        .alias("timestamp"),
    )
    return log, log.select("item_id").unique().sort("item_id").with_columns(pl.col("item_id").alias("title"))


def _time() -> pl.Expr:
    return pl.from_epoch("timestamp", time_unit="s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _protocol(name: str, events: pl.DataFrame, items: pl.DataFrame) -> Protocol:
    frequent = events.group_by("item_id").len().filter(pl.col("len") >= MIN_INTERACTIONS)
    log = (
        events.join(frequent, on="item_id", how="semi", maintain_order="left")
        .sort("timestamp", maintain_order=True)
        # Microseconds keep the order of the source within a second, which a sort by id would lose.
        .with_columns(pl.col("timestamp").cum_count().over("user_id", "timestamp").alias("place"))
        .with_columns(pl.col("timestamp") + pl.duration(microseconds=pl.col("place")))
    )
    ranked = log.with_columns(
        pl.len().over("user_id").alias("n"), pl.col("item_id").cum_count().over("user_id").alias("at")
    )
    is_last = pl.col("at") == pl.col("n")
    test = ranked.filter(is_last, pl.col("n") >= 3)
    train = ranked.join(test.select("user_id", "at"), on=["user_id", "at"], how="anti", maintain_order="left")
    known = items.filter(pl.col("item_id").is_in(log["item_id"].unique().implode()))
    missing = log.select("item_id").unique().join(known, on="item_id", how="anti")
    catalogue = (
        pl.concat([known, missing.with_columns(pl.col("item_id").alias("title"))]).unique("item_id").sort("item_id")
    )
    columns = ["user_id", "item_id", "timestamp"]
    dataset = Dataset.from_frames(train.select(columns), catalogue, name=name)
    return Protocol(name, dataset, test.select("user_id", "item_id"), n_ties=int((test["place"] > 1).sum()))


def figures(recommender: ScoringRecommender, protocol: Protocol) -> dict[str, Interval]:
    """HR@K and NDCG@K of lists of ten, with 95% bootstrap intervals over users."""
    users = protocol.test["user_id"].sort().to_list()
    lists = recommender.recommend(protocol.train, user_ids=users, k=10)
    hits = protocol.test.join(lists, on=["user_id", "item_id"], how="left").sort("user_id")
    rank = hits["rank"].cast(pl.Float64).fill_null(np.inf).to_numpy()
    metrics = {}
    for k in (5, 10):
        metrics[f"HR@{k}"] = bootstrap_mean(rank <= k)
        metrics[f"NDCG@{k}"] = bootstrap_mean(np.where(rank <= k, 1 / np.log2(rank + 1), 0.0))
    return metrics


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", choices=["ml1m", "amazon2014_beauty"], required=True)
    parser.add_argument("--method", choices=sorted(RECOMMENDERS), required=True)
    parser.add_argument("--name", help="how the row is called; by default the method")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as training.epochs=50")
    parser.add_argument("--checkpoints", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    name = options.name or options.method
    protocol = load(options.dataset, options.data)
    print(protocol.describe(), file=sys.stderr)
    kind = RECOMMENDERS[options.method]
    settings = layered(parse_settings(options.set))
    if options.checkpoints and issubclass(kind.Config, SequentialConfig):
        settings["checkpoint"] = str(options.checkpoints / f"{options.dataset}_{name}.safetensors")
    config = validated(kind.Config, settings, where=options.method)
    started = time.perf_counter()
    recommender = kind(config).fit(protocol.train, until=END)
    wall_time_s = time.perf_counter() - started
    started = time.perf_counter()
    metrics = figures(recommender, protocol)
    # Where the state of training lay is of no interest to anybody else.
    settings_used = config.model_dump(mode="json", exclude={"checkpoint"})
    record = {"dataset": options.dataset, **protocol.describe(), "method": name, **settings_used}
    record["recommend_s"] = round(time.perf_counter() - started, 2)
    if isinstance(recommender, SequentialRecommender) and recommender.report_ is not None:
        epochs = recommender.report_.epochs
        record |= {"epochs_run": len(epochs), "best_epoch": recommender.report_.best_epoch}
        # Epochs of earlier parts of a resumed run count too.
        wall_time_s = max(wall_time_s, sum(epoch.seconds for epoch in epochs))
        record["ended"] = "by patience" if len(epochs) < config.training.epochs else "by the limit on epochs"
    rows = [
        {
            "method": name,
            "dataset": options.dataset,
            "protocol": "leave-one-out",
            "metric": metric,
            "value": round(interval.value, 6),
            "low": round(interval.low, 6),
            "high": round(interval.high, 6),
            "n": interval.n,
            "seed": record.get("training", {}).get("seed", 0),
            "writer": None,
        }
        for metric, interval in metrics.items()
    ]
    for row in rows:
        print(row)
    if options.out:
        path = options.out / f"leave_one_out_{options.dataset}_{name}.json"
        write_results(path, config=record, wall_time_s=wall_time_s, rows=rows)


if __name__ == "__main__":
    main(sys.argv[1:])
