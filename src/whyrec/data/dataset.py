"""A dataset: an interaction log (lazy, may be larger than memory) and the catalogue of its items."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import polars as pl

from whyrec.data import schema
from whyrec.data.fingerprint import fingerprint
from whyrec.data.parquet_files import write_frame, write_lazy
from whyrec.data.visible_text import visible_frame
from whyrec.errors import InvalidDataError
from whyrec.runtime.atomic import atomic_directory


@dataclass(frozen=True)
class Dataset:
    """Log ``[user_id, item_id, timestamp, rating?, review?]``, in time order, and catalogue ``[item_id, title, ...]``.

    ``interactions`` is a lazy frame sorted by ``timestamp, user_id, item_id``: collect only what you need.
    """

    name: str
    interactions: pl.LazyFrame
    items: pl.DataFrame
    users: pl.DataFrame | None = None

    @classmethod
    def from_frames(
        cls,
        interactions: pl.DataFrame | pl.LazyFrame,
        items: pl.DataFrame,
        users: pl.DataFrame | None = None,
        *,
        name: str = "unnamed",
    ) -> Self:
        """Build a dataset from frames that already have the schema's column names.

        Args:
            interactions: ``user_id, item_id, timestamp`` (aware UTC) and optionally ``rating, review``; any row order.
            items: ``item_id, title`` and any attributes; one row per item. Characters that nobody sees are taken out of
                all texts but the ids.
            users: ``user_id`` and any attributes, or None.
            name: How reports call the dataset.

        Raises:
            InvalidDataError: If a column is missing or of the wrong type, or an item_id stands twice.
        """
        log = interactions.lazy()
        _require_columns(log.collect_schema(), schema.REQUIRED_INTERACTIONS, where="interactions")
        _require_columns(items.schema, schema.REQUIRED_ITEMS, where="items")
        repeated = items.filter(pl.col(schema.ITEM).is_duplicated())
        if repeated.height:
            raise InvalidDataError(
                f"items: expected one row per item_id, got {repeated.height} rows that share one, "
                f"first {repeated[schema.ITEM][0]!r}. Keep one row of each."
            )
        ordered = log.sort(schema.TIMESTAMP, schema.USER, schema.ITEM, maintain_order=True)
        if isinstance(interactions, pl.DataFrame):
            ordered = ordered.collect().lazy()
        return cls(name=name, interactions=ordered, items=_visible(items), users=users)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Open a dataset directory; the log stays on disk until it is asked for.

        Raises:
            InvalidDataError: If the directory is no dataset, is damaged, or was written by a newer whyrec.
        """
        manifest = _read_manifest(directory)
        users_path = directory / "users.parquet"
        try:
            interactions = pl.scan_parquet(directory / "interactions.parquet", glob=False)
            found = interactions.collect_schema()
            items = _visible(pl.read_parquet(directory / "items.parquet", glob=False))
            users = pl.read_parquet(users_path, glob=False) if users_path.is_file() else None
        except (FileNotFoundError, pl.exceptions.PolarsError) as error:
            raise InvalidDataError(
                f"{directory}: expected complete Parquet files, got one that does not parse "
                f"({str(error).splitlines()[0]}). Import the data again."
            ) from error
        _require_columns(found, schema.REQUIRED_INTERACTIONS, where=f"{directory}/interactions.parquet")
        _require_columns(items.schema, schema.REQUIRED_ITEMS, where=f"{directory}/items.parquet")
        return cls(name=manifest["name"], interactions=interactions, items=items, users=users)

    def write(self, directory: Path) -> None:
        """Write the dataset directory, complete or not at all.

        Raises:
            OutputExistsError: If ``directory`` holds something already.
            OutputWriteError: If it cannot be written.
        """
        with atomic_directory(directory) as partial:
            write_lazy(self.interactions, partial / "interactions.parquet")
            write_frame(self.items, partial / "items.parquet")
            if self.users is not None:
                write_frame(self.users, partial / "users.parquet")
            manifest = json.dumps(self.describe(), indent=2, ensure_ascii=False)
            (partial / "dataset.json").write_text(manifest + "\n", encoding="utf-8")

    def before(self, cutoff: datetime) -> pl.LazyFrame:
        """Interactions strictly before ``cutoff``: the only door to history for anything that learns or predicts."""
        return self.interactions.filter(pl.col(schema.TIMESTAMP) < cutoff)

    def between(self, start: datetime, end: datetime) -> pl.LazyFrame:
        """Interactions in the half-open interval ``[start, end)``."""
        return self.interactions.filter((pl.col(schema.TIMESTAMP) >= start) & (pl.col(schema.TIMESTAMP) < end))

    def of_users(self, user_ids: Iterable[str]) -> "Dataset":
        """The same data with the interactions of some users alone."""
        return replace(self, interactions=self.interactions.filter(pl.col(schema.USER).is_in(list(user_ids))))

    @cached_property
    def time_range(self) -> tuple[datetime, datetime]:
        """First and last timestamp of the log, UTC."""
        first, last = (
            self.interactions.select(
                pl.col(schema.TIMESTAMP).min().alias("first"), pl.col(schema.TIMESTAMP).max().alias("last")
            )
            .collect(engine="streaming")
            .row(0)
        )
        if first is None:
            raise InvalidDataError(f"{self.name}: expected at least one interaction, found none.")
        return first, last

    @cached_property
    def counts(self) -> dict[str, int]:
        """Numbers of interactions, of users and items that occur in them, and of catalogue items."""
        row = (
            self.interactions.select(
                pl.len().alias("n_interactions"),
                pl.col(schema.USER).n_unique().alias("n_users"),
                pl.col(schema.ITEM).n_unique().alias("n_items_seen"),
            )
            .collect(engine="streaming")
            .row(0, named=True)
        )
        return {**row, "n_items": self.items.height}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content, equal for equal frames whatever file or chunking they came in."""
        frames = [self.interactions, self.items.lazy().sort(schema.ITEM)]
        if self.users is not None:
            frames.append(self.users.lazy().sort(schema.USER))
        return fingerprint(frames)

    def describe(self) -> dict[str, object]:
        """Everything that ``dataset.json`` holds: counts, time range, columns, fingerprint."""
        first, last = self.time_range
        return {
            "format_version": schema.FORMAT_VERSION,
            "name": self.name,
            **self.counts,
            "first_timestamp": first.astimezone(UTC).isoformat(),
            "last_timestamp": last.astimezone(UTC).isoformat(),
            "interaction_columns": self.interactions.collect_schema().names(),
            "item_columns": self.items.columns,
            "fingerprint": self.fingerprint,
        }


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = directory / "dataset.json"
    if not path.is_file():
        raise InvalidDataError(
            f"{directory}: expected a dataset directory with dataset.json, found none. "
            'Build one with "whyrec data import".'
        )
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = int(manifest["format_version"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidDataError(
            f"{path}: expected a JSON object with format_version, got something else ({error}). Import the data again."
        ) from error
    if version > schema.FORMAT_VERSION:
        raise InvalidDataError(
            f"{path}: expected format_version at most {schema.FORMAT_VERSION}, got {version}. Upgrade whyrec."
        )
    return manifest


def _visible(items: pl.DataFrame) -> pl.DataFrame:
    return visible_frame(items, keys=[schema.ITEM])[0]


def _require_columns(found: pl.Schema, required: Mapping[str, pl.DataType], *, where: str) -> None:
    for column, expected in required.items():
        if column not in found:
            raise InvalidDataError(
                f"{where}: expected a column {column!r}, got {', '.join(found.names()) or 'none'}. Rename or map one."
            )
        if found[column] != expected:
            raise InvalidDataError(
                f"{where}, column {column!r}: expected type {expected}, got {found[column]}. Cast it first."
            )
