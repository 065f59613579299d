"""Data of ``curec.py``: who took what, the texts that the offline writer makes of it, and their vectors."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.llm.embed import Embedder
from whyrec.methods.curec.artefacts import Reason
from whyrec.methods.curec.config import RewardModelConfig
from whyrec.methods.curec.histories import Interaction, UserHistory, interactions_of, read_user_histories
from whyrec.methods.curec.latent_vectors import LatentEncoder
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.reasons import ReasonRequest, ReasonStore
from whyrec.methods.curec.reward_inputs import Queries, TimedSequences
from whyrec.methods.curec.stages import thinned
from whyrec.methods.curec.text_vectors import TextEncoder, TextVectors
from whyrec.methods.curec.texts import Texts, write_texts
from whyrec.methods.curec.writers import Writers
from whyrec.runtime.atomic import atomic_file
from whyrec.runtime.progress import progress_bar

END = datetime(2100, 1, 1, tzinfo=UTC)
MIN_RATING = 3
MIN_ITEM, MIN_USER = 5, 5
WRITTEN_AT_ONCE = 4096


@dataclass(frozen=True)
class Protocol:
    """Who took what, in three parts."""

    dataset: str
    items: pl.DataFrame
    """The catalogue by item number."""
    user_ids: pl.Series
    writing: Dataset
    """Training interactions, as the writer gets them."""
    histories: dict[str, UserHistory]
    """Of training interactions."""
    training: TimedSequences
    validation: Queries
    test: Queries

    def describe(self) -> dict[str, object]:
        """What a reader must know to compare."""
        return {
            "dataset": self.dataset,
            "users": len(self.user_ids),
            "items": self.items.height,
            "interactions": len(self.training.times) + len(self.validation) + len(self.test),
            "protocol": "leave-one-out, full ranking, seen items hidden, ties at equal times by order of the source, "
            f"{'' if self.dataset not in RATED else f'ratings above {MIN_RATING}, '}items with {MIN_ITEM} and users "
            f"with {MIN_USER} of these at least",
        }


def load(data: Path, dataset: str, *, n_users: int | None) -> Protocol:
    """Read one of ``DATASETS`` from the directory of data sets; with ``n_users``, that many users drawn at random."""
    log, texts = DATASETS[dataset](data / dataset)
    log = log.join(texts, on="item_id", how="semi", maintain_order="left")
    log = log.filter(pl.len().over("item_id") >= MIN_ITEM).filter(pl.len().over("user_id") >= MIN_USER)
    if n_users is not None:
        ids = log["user_id"].unique().sort()
        log = log.filter(pl.col("user_id").is_in(ids.sample(min(n_users, len(ids)), seed=0).implode()))
    log = (
        log.sort("timestamp", maintain_order=True)
        # Microseconds keep the order of the source within a second, which a sort by id would lose.
        .with_columns(
            pl.col("timestamp") + pl.duration(microseconds=pl.int_range(pl.len()).over("user_id", "timestamp"))
        )
    )
    items = texts.join(log, on="item_id", how="semi").sort("item_id")
    whole = read_user_histories(Dataset.from_frames(log, items, name=dataset), until=END)
    histories = {user_id: history.first(len(history) - 2) for user_id, history in whole.items()}
    kept = pl.DataFrame(interactions_of(histories), schema=log.schema, orient="row")
    everything = TimedSequences.of(whole, item_numbers={item: n for n, item in enumerate(items["item_id"], start=1)})
    before_test = everything.without_last()
    return Protocol(
        dataset,
        items,
        pl.Series("user_id", list(whole)),
        Dataset.from_frames(kept, items, name=dataset),
        histories,
        before_test.without_last(),
        before_test.last_items(),
        everything.last_items(),
    )


def _ml1m(directory: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    ratings = pl.read_parquet(directory / "ratings.parquet")
    log = _log(ratings.drop_nulls("timestamp").filter(pl.col("rating") > MIN_RATING), user="user", item="movie")
    texts = pl.read_parquet(directory / "items_text.parquet")
    columns = ["title", "genres", "year", "director", "actors", "plot"]
    return log, texts.select(pl.col("movie").cast(pl.String).alias("item_id"), *columns)


def _beauty(directory: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    log = _log(pl.read_parquet(directory / "interactions.parquet"), user="user", item="item")
    texts = pl.read_parquet(directory / "items.parquet")
    return log, texts.select(pl.col("item").cast(pl.String).alias("item_id"), "title", "categories")


def _log(events: pl.DataFrame, *, user: str, item: str) -> pl.DataFrame:
    return events.select(
        pl.col(user).cast(pl.String).alias("user_id"),
        pl.col(item).cast(pl.String).alias("item_id"),
        pl.from_epoch("timestamp", time_unit="s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
    )


RATED = ("ml1m",)
"""Of these only what was liked counts."""
DATASETS: Mapping[str, Callable[[Path], tuple[pl.DataFrame, pl.DataFrame]]] = {
    "ml1m": _ml1m,
    "amazon2014_beauty": _beauty,
}


# Texts


@dataclass(frozen=True)
class AllTexts:
    """Patterns and reasons of training interactions, and the reasons of held-out ones, which no lookup finds."""

    patterns: PatternBook
    reasons: ReasonStore
    held_out: ReasonStore
    """Of the validation items, then of the test items; one of each user. For the leak control alone."""
    seconds: float


def all_texts(protocol: Protocol, work: Path, *, every: int, per_item: int | None) -> AllTexts:
    """Write all texts once, or read what was written."""
    ids = {"item_ids": protocol.items["item_id"], "user_ids": protocol.user_ids}
    timing, held_out_path = work / "texts.json", work / "held_out.parquet"
    if timing.is_file():
        texts, seconds = Texts.read(work, **ids), json.loads(timing.read_text("utf-8"))["seconds"]
        return AllTexts(texts.patterns, texts.reasons, ReasonStore.read(held_out_path, **ids), seconds)
    started = time.perf_counter()
    writer = OfflineWriter().fit(protocol.writing, until=END)
    wanted = list(interactions_of(protocol.histories))
    texts = write_texts(
        protocol.histories,
        wanted if per_item is None else thinned(wanted, per_item=per_item, newest=RewardModelConfig().max_reasons),
        Writers(writer, writer),
        every=every,
        item_ids=protocol.items["item_id"],
        parts=work / "parts",
    )
    for queries in (protocol.validation, protocol.test):
        texts.reasons.require_none_about(pairs(protocol, queries))
    held_out = [
        reason
        for queries in (protocol.validation, protocol.test)
        for reason in written(writer, held_out_requests(protocol, queries))
    ]
    texts.write(work)
    shutil.rmtree(work / "parts")
    own = ReasonStore.of(held_out, **ids)
    own.write(held_out_path)
    seconds = time.perf_counter() - started
    keep_json(timing, {"seconds": seconds})
    return AllTexts(texts.patterns, texts.reasons, own, seconds)


def written(writer: OfflineWriter, requests: list[ReasonRequest]) -> list[Reason]:
    reasons: list[Reason] = []
    with progress_bar("writing reasons", total=len(requests)) as bar:
        for start in range(0, len(requests), WRITTEN_AT_ONCE):
            reasons += writer.write_reasons(requests[start : start + WRITTEN_AT_ONCE])
            bar.advance(min(WRITTEN_AT_ONCE, len(requests) - start))
    return reasons


def held_out_requests(protocol: Protocol, queries: Queries) -> list[ReasonRequest]:
    """What the leak would have been asked: the held-out pair's own reason."""
    item_ids = protocol.items["item_id"].to_list()
    found = []
    for user, target, moment in zip(queries.users, queries.targets, queries.times, strict=True):
        history = protocol.histories[protocol.user_ids[int(user)]]
        at = datetime.fromtimestamp(int(moment) // 1_000_000, tz=UTC).replace(microsecond=int(moment) % 1_000_000)
        found.append(
            ReasonRequest(Interaction(history.user_id, item_ids[int(target) - 1], at), history.before(at), None)
        )
    return found


def pairs(protocol: Protocol, queries: Queries) -> pl.DataFrame:
    return pl.DataFrame(
        {"user_id": protocol.user_ids[queries.users], "item_id": protocol.items["item_id"][queries.targets - 1]}
    )


# Vectors


@dataclass(frozen=True)
class Vectors:
    """Of patterns, of reasons (training's, then held-out ones) and of descriptions."""

    patterns: TextVectors
    reasons: TextVectors
    descriptions: TextVectors
    seconds: float


def embed(protocol: Protocol, texts: AllTexts, work: Path, *, model: str) -> Vectors:
    """Compute all vectors once, or read what was computed."""
    columns = {
        "patterns": texts.patterns.frame["text"],
        "reasons": pl.concat([texts.reasons.frame["text"], texts.held_out.frame["text"]]),
        "descriptions": described(protocol.items),
    }
    paths = {name: work / f"vectors_{model}_{name}.npy" for name in columns}
    timing = work / f"vectors_{model}.json"
    if not timing.is_file():
        started = time.perf_counter()
        if model == "latent":
            known = [*columns["patterns"], *texts.reasons.frame["text"], *columns["descriptions"]]
            encoder: TextEncoder = LatentEncoder.fit(known)
        else:
            encoder = Embedder.open(model, cache=work / "embeddings.sqlite")
        for name, column in columns.items():
            with atomic_file(paths[name]) as partial, partial.open("wb") as file:
                np.save(file, encoder.embed(column.to_list()))
        keep_json(timing, {"seconds": time.perf_counter() - started})
    found = {name: np.load(path) for name, path in paths.items()}
    tables = {name: TextVectors(table, np.arange(len(table), dtype=np.int32)) for name, table in found.items()}
    return Vectors(**tables, seconds=json.loads(timing.read_text("utf-8"))["seconds"])


def described(items: pl.DataFrame) -> pl.Series:
    """Title, year, genres, director, actors and plot as one text."""
    columns = [pl.col(name).cast(pl.String).fill_null("") for name in items.columns if name != "item_id"]
    return items.select(pl.concat_str(columns, separator=". ").alias("text"))["text"]


def keep_json(path: Path, value: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(value), encoding="utf-8")
