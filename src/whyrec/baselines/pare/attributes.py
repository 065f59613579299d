"""Catalogue attributes as padded index arrays, for whatever columns a catalogue has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.errors import InvalidConfigError

_FREE_TEXT = (schema.ITEM, schema.TITLE, schema.DESCRIPTION)
_MIN_ITEMS = 2
"""A value carried by fewer training items has nothing to generalise to."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The attribute values that were seen in training, per column; index 0 is padding and everything unknown."""

    values: Mapping[str, Sequence[str]]
    genre_column: str | None
    side_columns: tuple[str, ...]
    max_values: int

    def size(self, column: str) -> int:
        """Rows of an embedding table for the column, padding included."""
        return len(self.values[column]) + 1

    def indices(self, items: pl.DataFrame, column: str) -> NDArray[np.int64]:
        """Indices ``[items max_values]`` of the column's values, 0 where there is none."""
        known = self.values[column]
        lookup = pl.DataFrame({"value": known, "index": range(1, len(known) + 1)}, schema=_LOOKUP)
        found = (
            _long(items, column)
            .join(lookup, on="value", maintain_order="left")
            .with_columns(pl.int_range(pl.len()).over("row").alias("place"))
            .filter(pl.col("place") < self.max_values)
        )
        padded = np.zeros((items.height, self.max_values), dtype=np.int64)
        padded[found["row"].to_numpy(), found["place"].to_numpy()] = found["index"].to_numpy()
        return padded


_LOOKUP = {"value": pl.String, "index": pl.Int64}


def learn_vocabulary(
    items: pl.DataFrame,
    *,
    genre_column: str | None,
    side_columns: tuple[str, ...] | None,
    max_values: int,
) -> Vocabulary:
    """Collect the values that at least two of the training items carry.

    Args:
        items: Catalogue rows of the training items only.
        genre_column: Column of the periodic path, or None to detect it.
        side_columns: Columns of the side path, or None to detect them.
        max_values: Values per item that will be read.

    Raises:
        InvalidConfigError: If a named column is not in the catalogue, or holds neither text nor lists of text.
    """
    for column in (*(side_columns or ()), *([genre_column] if genre_column else [])):
        if not _is_list(items, column) and not _is_text(items, column):
            raise InvalidConfigError(
                f"pare: expected a catalogue column of text or lists of text, got {column!r}. "
                f"Choose from {', '.join(items.columns)}."
            )
    lists = [c for c in items.columns if _is_list(items, c)]
    texts = [c for c in items.columns if _is_text(items, c) and c not in _FREE_TEXT]
    values = {column: _repeated_values(items, column) for column in {*lists, *texts, *(side_columns or ())}}
    detected = [column for column in (*lists, *texts) if values[column]]
    side = detected if side_columns is None else side_columns
    genre = genre_column or next(iter(detected), None)
    kept = dict.fromkeys((*side, *([genre] if genre else [])))
    return Vocabulary({column: values[column] for column in kept}, genre, tuple(side), max_values)


def _is_list(items: pl.DataFrame, column: str) -> bool:
    return items.schema.get(column) == pl.List(pl.String)


def _is_text(items: pl.DataFrame, column: str) -> bool:
    return items.schema.get(column) in (pl.String, pl.Categorical)


def _long(items: pl.DataFrame, column: str) -> pl.DataFrame:
    """One row per item and distinct value: ``row``, ``value``."""
    frame = items.select(pl.int_range(pl.len()).alias("row"), pl.col(column).alias("value"))
    if _is_list(items, column):
        frame = frame.explode("value")
    return frame.with_columns(pl.col("value").cast(pl.String)).drop_nulls().unique(maintain_order=True)


def _repeated_values(items: pl.DataFrame, column: str) -> list[str]:
    counts = _long(items, column).group_by("value").len().filter(pl.col("len") >= _MIN_ITEMS)
    return counts["value"].sort().to_list()
