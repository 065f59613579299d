"""The data sets of the M-LLM3REC benchmark, their categories, and the fixed cases that all methods share."""

import ast
import csv
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.cluster import KMeans

from whyrec.data.candidates import Scheme
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Sequences
from whyrec.data.whole_texts import whole_texts
from whyrec.evaluation.candidate_cases import CandidateCases, draw_cases
from whyrec.evaluation.case_splits import CaseSplit, SplitName, split_cases
from whyrec.llm.embed import Embedder
from whyrec.methods.mllm3rec.timed_log import TimedLog

DATASETS = ("amazon2014_beauty", "amazon2014_toys", "amazon2018_office")
SPLITS: tuple[SplitName, ...] = ("standard", "item-cold", "user-cold")
SCHEMES: tuple[Scheme, ...] = ("uniform", "category")
N_USERS = 2000
SEED = 0
N_KINDS = 30
"""As many as there are kinds of toy."""

_LONGEST_DESCRIPTION = 400
"""Characters. What it is stands first; the rest is advertisement, and takes the encoder five times as long."""
_PARTS = {"before": datetime(2001, 1, 1, tzinfo=UTC), "valid": datetime(2002, 1, 1, tzinfo=UTC)}
_LATE = datetime(2003, 1, 1, tzinfo=UTC)
"""Office has no times: these stand for the parts of its source, which was cut by time; within one, a user's items are a
minute apart."""
_CODE = re.compile(r"<(style|script).*?</\1>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Catalogue:
    """A data set with what its protocol needs."""

    data: Dataset
    category_of: Mapping[str, str]
    late_from: datetime | None
    """Where the latest tenth begins, for a set without times; None takes it from the times."""

    def split(self, name: SplitName) -> CaseSplit:
        """A split, before it is sampled."""
        return split_cases(self.data, name, cutoff=self.late_from)


def load(name: str, data: Path, *, by_day: bool = False) -> Catalogue:
    """Read a data set from the directory of data sets.

    Args:
        name: One of ``DATASETS``.
        data: The directory.
        by_day: The Amazon sets of 2014 have days, not times, and a third of the last items share theirs with others.
            False takes a user's items of one day in the order of the source, as published tables do; True leaves them
            simultaneous, so that none of them stands in another's history.
    """
    return _office(data / name) if name == "amazon2018_office" else _amazon2014(name, data / name, by_day=by_day)


def kept_cases(
    catalogue: Catalogue, split: CaseSplit, *, scheme: Scheme, directory: Path, users: int, seed: int = SEED
) -> CandidateCases:
    """Draw the cases, or read those that were drawn."""
    path = directory / f"{catalogue.data.name}_{split.name}_{scheme}_{users}"
    if not path.is_dir():
        drawn = draw_cases(
            catalogue.data,
            split.sampled(users, seed=seed),
            scheme=scheme,
            category_of=catalogue.category_of if scheme == "category" else None,
            seed=seed,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn.write(path)
    return CandidateCases.read(path, data=catalogue.data)


def _amazon2014(name: str, directory: Path, *, by_day: bool) -> Catalogue:
    events = pl.read_parquet(directory / "interactions.parquet")
    items = pl.read_parquet(directory / "items.parquet")
    log = events.select(
        pl.col("user").cast(pl.String).alias("user_id"),
        pl.col("item").cast(pl.String).alias("item_id"),
        pl.from_epoch("timestamp", time_unit="s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
    )
    if not by_day:
        place = pl.col("timestamp").cum_count().over("user_id", "timestamp").cast(pl.Int64) - 1
        log = log.sort("timestamp", maintain_order=True).with_columns(
            pl.col("timestamp") + pl.duration(microseconds=place)
        )
    catalogue = items.select(pl.col("item").cast(pl.String).alias("item_id"), "title", "categories")
    # The second level: six kinds of beauty product, 28 kinds of toy. The first is the shop itself.
    second = catalogue["categories"].str.split(" > ").list.slice(0, 2).list.join(" > ")
    category_of = dict(zip(catalogue["item_id"], second, strict=True))
    return Catalogue(Dataset.from_frames(log, catalogue, name=name), category_of, None)


def _office(directory: Path) -> Catalogue:
    entries = json.loads((directory / "item.json").read_text("utf-8"))
    items = pl.DataFrame(
        {
            "item_id": list(entries),
            "title": [plain(entry["title"]) for entry in entries.values()],
            "brand": [plain(entry["brand"]) for entry in entries.values()],
            "description": [plain(entry["description"])[:_LONGEST_DESCRIPTION] for entry in entries.values()],
        }
    )
    rows = []
    for user, parts in _sequences(directory).items():
        had = set[str]()
        for part, item in parts:
            if item not in had:
                start = _PARTS.get(part, _LATE)
                rows.append((user, item, start + timedelta(minutes=len(had))))
                had.add(item)
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    data = Dataset.from_frames(
        log.with_columns(pl.col("timestamp").dt.cast_time_unit("us")), items, name=directory.name
    )
    return Catalogue(data, _kinds(items), _LATE)


def _kinds(items: pl.DataFrame) -> dict[str, str]:
    """Office's catalogue has no categories: clusters of its texts stand in for them."""
    with Embedder.open(device="cpu") as embedder:
        vectors = embedder.embed(whole_texts(items))
    found = KMeans(n_clusters=N_KINDS, n_init=4, random_state=SEED).fit_predict(vectors)
    return {item: f"kind {kind}" for item, kind in zip(items["item_id"], found.tolist(), strict=True)}


def _sequences(directory: Path) -> dict[str, list[tuple[str, str]]]:
    """Every user's items in order, each with the part of the source that holds it; the files hold sliding windows."""
    found: dict[str, list[tuple[str, str]]] = {}
    for part in ("valid", "test"):
        with (directory / f"{part}.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                window = [str(item) for item in ast.literal_eval(row["history_item_id"])]
                sequence = found.setdefault(row["user_id"], [("before", item) for item in window])
                assert [item for _, item in sequence][-len(window) :] == window, "the windows of a user overlap"
                sequence.append((part, row["item_id"]))
    return found


def plain(text: str) -> str:
    """A text of the source without lists, style sheets, tags and entities."""
    if text.startswith("["):
        try:
            text = " ".join(ast.literal_eval(text))
        except (SyntaxError, ValueError):
            text = text.strip("[]")
    without_code = _CODE.sub(" ", text)
    return " ".join(_TAG.sub(" ", html.unescape(html.unescape(_TAG.sub(" ", without_code)))).split())


def random_log(rng: np.random.Generator, *, n_users: int, n_items: int) -> TimedLog:
    """A log for timing alone: users with five items each, drawn at random."""
    items = rng.integers(1, n_items + 1, size=5 * n_users).astype(np.int32)
    lengths = np.full(n_users, 5, dtype=np.int64)
    return TimedLog(Sequences.with_lengths(items, lengths), np.tile(np.arange(5), n_users), np.arange(5 * n_users))
