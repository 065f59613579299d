"""Items as sets of features: their id and the values of their catalogue attributes."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.errors import InvalidConfigError

_NOT_ATTRIBUTES = (schema.ITEM, schema.TITLE, schema.DESCRIPTION)
_MIN_ITEMS = 2
"""A value of one item alone says no more than the item's id."""


def item_features(
    items: pl.DataFrame, *, columns: tuple[str, ...] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the features of every item; the first is its id, and has its row's number.

    Args:
        items: The catalogue, in the order of item numbers.
        columns: Attributes, of text or lists of text; None takes all there are, and may find none.

    Returns:
        Offsets and features: item i's are ``features[offsets[i] : offsets[i + 1]]``.

    Raises:
        InvalidConfigError: If a named column is absent or neither text nor lists of text.
    """
    ids = pl.DataFrame({"row": np.arange(items.height), "feature": np.arange(items.height)})
    found = [_values(items, column) for column in _attributes(items, columns)]
    if found:
        carried = pl.concat(found)
        numbers = (
            carried.group_by("value")
            .len()
            .filter(pl.col("len") >= _MIN_ITEMS)
            .sort("value")
            .with_columns((pl.int_range(pl.len()) + items.height).alias("feature"))
        )
        ids = pl.concat([ids, carried.join(numbers, on="value").select("row", "feature")])
    ids = ids.sort("row", "feature")
    lengths = np.bincount(ids["row"].to_numpy(), minlength=items.height)
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), ids["feature"].to_numpy().astype(np.int64)


def _attributes(items: pl.DataFrame, columns: tuple[str, ...] | None) -> list[str]:
    texts = (pl.String, pl.Categorical, pl.List(pl.String))
    possible = [name for name, kind in items.schema.items() if kind in texts and name not in _NOT_ATTRIBUTES]
    for column in columns or ():
        if column not in possible:
            raise InvalidConfigError(
                f"attributes: expected columns of text or lists of text ({', '.join(possible) or 'there are none'}), "
                f"got {column!r}. Choose from these."
            )
    return possible if columns is None else list(columns)


def _values(items: pl.DataFrame, column: str) -> pl.DataFrame:
    """One row per item and distinct value: ``row``, ``value`` with the column's name before it."""
    frame = items.select(pl.int_range(pl.len()).alias("row"), pl.col(column).alias("value"))
    if isinstance(frame.schema["value"], pl.List):
        frame = frame.explode("value")
    named = pl.concat_str(pl.lit(f"{column}="), pl.col("value").cast(pl.String)).alias("value")
    return frame.drop_nulls().select("row", named).unique()
