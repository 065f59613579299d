"""Sampled candidates: for each test interaction, the item itself among n others, fixed in a file.

Ranking few sampled items is easier than ranking the catalogue, and figures depend on the sample; so samples are opt-in,
stored with their seed, and named in the metric, as in ``HR@10[uni29]``.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.parquet_files import write_frame
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.runtime.atomic import atomic_directory

Scheme = Literal["uniform", "popularity", "category"]

_PREFIX: dict[Scheme, str] = {"uniform": "uni", "popularity": "pop", "category": "cat"}
_FRAME = {
    schema.USER: pl.String(),
    schema.ITEM: pl.String(),
    "candidates": pl.List(pl.String()),
    "position": pl.UInt32(),
}


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """Everything that decides a sample, beside the test interactions themselves."""

    scheme: Scheme
    n_negatives: int
    seed: int
    cutoff: str
    """Popularity is counted, and seen items are known, strictly before it; ISO 8601, UTC."""
    fingerprint: str
    """Of the dataset."""

    @property
    def name(self) -> str:
        """How metrics name the sample: ``uni29``, ``pop99``, ``cat29``."""
        return f"{_PREFIX[self.scheme]}{self.n_negatives}"


@dataclass(frozen=True, slots=True)
class Candidates:
    """A fixed sample."""

    frame: pl.DataFrame
    """``user_id, item_id`` of the test interaction; ``candidates``: it and n others; its 0-based ``position`` there."""
    settings: SampleSettings

    def write(self, directory: Path) -> None:
        """Write ``candidates.parquet`` and ``candidates.json``, both or neither.

        Raises:
            OutputExistsError: If ``directory`` holds something already.
            OutputWriteError: If it cannot be written.
        """
        write_sample(self.frame, self.settings, directory, name="candidates", facts={"name": self.settings.name})

    @classmethod
    def read(cls, directory: Path, *, data: Dataset) -> Self:
        """Read what ``write`` wrote.

        Raises:
            InvalidDataError: If there is none, or it was drawn for other data.
        """
        frame, settings, _ = read_sample(directory, name="candidates", data=data)
        return cls(frame, settings)


def write_sample(
    frame: pl.DataFrame, settings: SampleSettings, directory: Path, *, name: str, facts: Mapping[str, object]
) -> None:
    """Write a sample as ``NAME.parquet`` and what decides it as ``NAME.json``, both or neither.

    Args:
        frame: The sample.
        settings: What decides it.
        directory: Where; it must hold nothing yet.
        name: Of the files.
        facts: What else stands in the manifest.

    Raises:
        OutputExistsError: If ``directory`` holds something already.
        OutputWriteError: If it cannot be written.
    """
    with atomic_directory(directory) as partial:
        write_frame(frame, partial / f"{name}.parquet")
        manifest = {**facts, **asdict(settings), "n_rows": frame.height}
        (partial / f"{name}.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def read_sample(
    directory: Path, *, name: str, data: Dataset
) -> tuple[pl.DataFrame, SampleSettings, Mapping[str, object]]:
    """Read what ``write_sample`` wrote: the sample, what decides it, and the whole manifest.

    Raises:
        InvalidDataError: If there is none, or it was drawn for other data.
    """
    path = directory / f"{name}.json"
    if not path.is_file():
        raise InvalidDataError(f"{directory}: expected sampled {name} ({path.name}), found none. Draw some.")
    manifest = json.loads(path.read_text("utf-8"))
    if manifest["fingerprint"] != data.fingerprint:
        raise InvalidDataError(
            f"{path}: expected {name} for {data.name} ({data.fingerprint}), got some for other data "
            f"({manifest['fingerprint']}). Draw them again."
        )
    settings = SampleSettings(**{key: manifest[key] for key in SampleSettings.__slots__})
    return pl.read_parquet(directory / f"{name}.parquet"), settings, manifest


def sample_candidates(
    data: Dataset,
    test: pl.LazyFrame,
    *,
    cutoff: datetime,
    n_negatives: int,
    scheme: Scheme = "uniform",
    category_of: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Candidates:
    """Draw, for each test interaction, items that its user has neither seen before the cut-off nor takes in the test.

    A row's sample depends on the seed, its user and its item alone: not on the order of rows, nor on other users.

    Args:
        data: The dataset; candidates come from its catalogue.
        test: The interactions to rank; each pair of user and item counts once.
        cutoff: Popularity and seen items are taken strictly before it.
        n_negatives: Items to draw beside the true one, without repeats.
        scheme: Each item alike, in proportion to its interactions before the cut-off, or each item of the true one's
            category alike. A category with too few items gives all it has; the others come from the whole catalogue.
        category_of: By item, for the scheme ``category``; an item without one has a category of its own.
        seed: Same seed, same sample.

    Raises:
        InvalidConfigError: If ``n_negatives`` is below 1, or categories are given without the scheme or the reverse.
        InvalidDataError: If a user leaves fewer than ``n_negatives`` items to draw from.
    """
    if n_negatives < 1:
        raise InvalidConfigError(f"n_negatives: expected at least 1, got {n_negatives}. Raise it.")
    if (scheme == "category") != (category_of is not None):
        given = "none" if category_of is None else f"those of {len(category_of):,} items"
        raise InvalidConfigError(
            f"category_of: expected categories with the scheme 'category' alone, got {given} with {scheme!r}. "
            "Give both or neither."
        )
    pairs = test.select(schema.USER, schema.ITEM).unique().sort(schema.USER, schema.ITEM).collect(engine="streaming")
    item_ids = data.items[schema.ITEM].sort()
    weights = _weights(data, item_ids, cutoff=cutoff, scheme=scheme)
    cumulative = np.cumsum(weights)
    n_drawable = np.count_nonzero(weights)
    excluded = _excluded(data, pairs, item_ids, cutoff=cutoff)
    pools = _pools(item_ids, category_of or {})
    rows = []
    for user_id, item_id in pairs.iter_rows():
        rng = _generator(seed, user_id, item_id)
        n_left = n_drawable - np.count_nonzero(weights[excluded[user_id]])
        if n_left < n_negatives:
            raise InvalidDataError(
                f"{data.name}, user {user_id!r}: expected {n_negatives} items to draw from, got {n_left}. "
                "Lower n_negatives."
            )
        drawn = _draw_alike(rng, pools.get(item_id), excluded=excluded[user_id], n=n_negatives)
        taken = np.concatenate([excluded[user_id], np.array(drawn, dtype=np.int64)])
        drawn += _draw(rng, cumulative, excluded=taken, n=n_negatives - len(drawn))
        position = int(rng.integers(n_negatives + 1))
        negatives = item_ids.gather(drawn).to_list()
        rows.append((user_id, item_id, [*negatives[:position], item_id, *negatives[position:]], position))
    settings = SampleSettings(scheme, n_negatives, seed, cutoff.isoformat(), data.fingerprint)
    return Candidates(pl.DataFrame(rows, schema=_FRAME, orient="row"), settings)


def _weights(data: Dataset, item_ids: pl.Series, *, cutoff: datetime, scheme: Scheme) -> NDArray[np.int64]:
    if scheme != "popularity":
        return np.ones(item_ids.len(), dtype=np.int64)
    counts = data.before(cutoff).group_by(schema.ITEM).len().collect(engine="streaming")
    aligned = item_ids.to_frame().join(counts, on=schema.ITEM, how="left", maintain_order="left")["len"]
    return aligned.fill_null(0).to_numpy().astype(np.int64)


def _excluded(
    data: Dataset, pairs: pl.DataFrame, item_ids: pl.Series, *, cutoff: datetime
) -> dict[str, NDArray[np.int64]]:
    users = pairs.select(pl.col(schema.USER).unique()).lazy()
    seen = data.before(cutoff).join(users, on=schema.USER, how="semi").select(schema.USER, schema.ITEM)
    known = pl.DataFrame({schema.ITEM: item_ids}).with_row_index("index").lazy()
    grouped = (
        pl.concat([seen, pairs.lazy()])
        .join(known, on=schema.ITEM)
        .group_by(schema.USER)
        .agg(pl.col("index").unique().cast(pl.Int64))
        .collect(engine="streaming")
    )
    return {user_id: np.asarray(indices, dtype=np.int64) for user_id, indices in grouped.iter_rows()}


def _generator(seed: int, user_id: str, item_id: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{user_id}\0{item_id}".encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype="<u4").tolist()])


def _pools(item_ids: pl.Series, category_of: Mapping[str, str]) -> dict[str, NDArray[np.int64]]:
    """For each item that has a category: the indices of that category's items."""
    members: dict[str, list[int]] = {}
    for index, item_id in enumerate(item_ids):
        if item_id in category_of:
            members.setdefault(category_of[item_id], []).append(index)
    arrays = {category: np.array(indices, dtype=np.int64) for category, indices in members.items()}
    return {item_id: arrays[category_of[item_id]] for item_id in item_ids if item_id in category_of}


def _draw_alike(
    rng: np.random.Generator, pool: NDArray[np.int64] | None, *, excluded: NDArray[np.int64], n: int
) -> list[int]:
    """Draw at most n distinct items of a pool, all alike, in random order."""
    if pool is None:
        return []
    left = np.setdiff1d(pool, excluded, assume_unique=True)
    drawn: list[int] = rng.permutation(left)[:n].tolist()
    return drawn


def _draw(rng: np.random.Generator, cumulative: NDArray[np.int64], *, excluded: NDArray[np.int64], n: int) -> list[int]:
    """Draw n distinct items by weight.

    Drawing anew what is excluded or repeated is sampling without replacement from the rest.
    """
    taken = set(excluded.tolist())
    drawn: list[int] = []
    if not n:
        return drawn
    for index in _indices(rng, cumulative, block=2 * n):
        if index not in taken:
            taken.add(index)
            drawn.append(index)
            if len(drawn) == n:
                break
    return drawn


def _indices(rng: np.random.Generator, cumulative: NDArray[np.int64], *, block: int) -> Iterator[int]:
    """Endless items by weight; one of weight 0 spans nothing and never comes."""
    while True:
        yield from np.searchsorted(cumulative, rng.integers(cumulative[-1], size=block), side="right").tolist()
