"""Bring a log of any size into time order and settle its duplicates, a slice of time after the other.

A plain sort would hold the whole log; here each slice holds about ``SLICE_ROWS`` rows. Equal timestamps stay in one
slice, so a log whose rows all carry the same time is sorted at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.parquet_files import write_frame, write_frames
from whyrec.data.raw_rows import ROW

Duplicates = Literal["first", "last", "all"]

SLICE_ROWS = 3_000_000
_SAMPLE_EVERY = 64
_ORDER = (schema.TIMESTAMP, schema.USER, schema.ITEM)
_PAIR_BUCKET_ROWS = 4_000_000


@dataclass
class Staging:
    """Checked batches on disk, in file order, with a sample of their times to cut slices by."""

    directory: Path
    n_rows: int = 0
    _files: list[Path] = field(default_factory=list)
    _samples: list[pl.Series] = field(default_factory=list)

    def add(self, batch: pl.DataFrame) -> None:
        """Put one batch to disk.

        Raises:
            OSError: If the disk is full or refuses.
        """
        path = self.directory / f"{len(self._files):06d}.parquet"
        # Sorted within: its slices are then contiguous, and the row groups' statistics let others be skipped.
        ordered = batch.sort(schema.TIMESTAMP)
        write_frame(ordered, path)
        self._files.append(path)
        self._samples.append(ordered[schema.TIMESTAMP].gather_every(_SAMPLE_EVERY))
        self.n_rows += batch.height

    def scan(self) -> pl.LazyFrame:
        """All batches as one lazy frame."""
        return pl.scan_parquet(self._files, glob=False)

    def cuts(self, n_slices: int) -> list[int]:
        """Times (microseconds since 1970) that cut the log into slices of about equal size, or fewer."""
        sample = np.sort(pl.concat(self._samples).dt.epoch("us").to_numpy())
        inner = sample[np.arange(1, n_slices) * sample.size // n_slices]
        return sorted({int(cut) for cut in inner} - {int(sample[0])})


def write_ordered(staging: Staging, path: Path, *, duplicates: Duplicates, slice_rows: int = SLICE_ROWS) -> int:
    """Write the staged log ordered by timestamp, user_id, item_id.

    Args:
        staging: The checked batches.
        path: The Parquet file to write.
        duplicates: Which row of those with equal user, item and timestamp stays, by their order in the source.
        slice_rows: Rows to hold at a time, about.

    Returns:
        The number of duplicates left out.

    Raises:
        OSError: If the disk is full or refuses.
    """
    log = staging.scan()
    columns = [name for name in log.collect_schema().names() if name != ROW]
    written = 0

    def slices() -> Iterator[pl.DataFrame]:
        nonlocal written
        for lower, upper in _ranges(staging.cuts(-(-staging.n_rows // slice_rows))):
            part = log.filter(_in_range(lower, upper)).collect(engine="streaming").sort(*_ORDER, ROW)
            kept = part if duplicates == "all" else part.filter(_stays(duplicates))
            written += kept.height
            yield kept.select(columns)

    write_frames(slices(), path, schema=log.select(columns).collect_schema())
    return staging.n_rows - written


def write_one_per_pair(
    ordered: Path, path: Path, *, keep: Literal["first", "last"], bucket_rows: int = _PAIR_BUCKET_ROWS
) -> int:
    """Write a log that keeps each user's first or last event with an item.

    Args:
        ordered: A log in time order.
        path: The Parquet file to write.
        keep: Which event in time stays.
        bucket_rows: Rows to hold at a time, about.

    Returns:
        The number of events left out.

    Raises:
        OSError: If the disk is full or refuses.
    """
    log = pl.scan_parquet(ordered, glob=False)
    n_rows = int(log.select(pl.len()).collect().item())
    stays = np.zeros(n_rows, dtype=np.bool_)
    n_buckets = max(1, -(-n_rows // bucket_rows))
    for bucket in range(n_buckets):
        positions = (
            log.select(schema.USER, schema.ITEM)
            .with_row_index("position")
            .filter(pl.col(schema.USER).hash(seed=0) % n_buckets == bucket)
            .collect(engine="streaming")
            .unique([schema.USER, schema.ITEM], keep=keep, maintain_order=True)["position"]
        )
        stays[positions.to_numpy()] = True

    def kept() -> Iterator[pl.DataFrame]:
        at = 0
        for batch in log.collect_batches(chunk_size=1 << 19, maintain_order=True):
            yield batch.filter(pl.Series(stays[at : at + batch.height]))
            at += batch.height

    write_frames(kept(), path, schema=log.collect_schema())
    return n_rows - int(stays.sum())


def _ranges(cuts: Sequence[int]) -> list[tuple[int | None, int | None]]:
    return list(zip([None, *cuts], [*cuts, None], strict=True))


def _in_range(lower: int | None, upper: int | None) -> pl.Expr:
    time = pl.col(schema.TIMESTAMP)
    at_least = pl.lit(value=True) if lower is None else time >= _moment(lower)
    below = pl.lit(value=True) if upper is None else time < _moment(upper)
    return at_least & below


def _moment(microseconds: int) -> pl.Expr:
    return pl.lit(microseconds, dtype=pl.Int64).cast(schema.TIMESTAMP_TYPE)


def _stays(duplicates: Literal["first", "last"]) -> pl.Expr:
    """In an ordered frame: True for the rows whose neighbour on the relevant side is another event."""
    by = 1 if duplicates == "first" else -1
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(by)) for name in _ORDER)
