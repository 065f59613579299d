"""Which texts serving can still read, and tables of vectors cut and joined along with them.

At serving every moment is later than all that is known, so of each item only the newest few reasons are ever read, and
of each user only the latest pattern.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.reasons import ReasonStore
from whyrec.methods.curec.text_vectors import TextVectors
from whyrec.methods.curec.timelines import NOBODY

LATEST = int(np.iinfo(np.int64).max)
"""Later than every moment, in microseconds since 1970 UTC."""


def newest_reasons(reasons: ReasonStore, *, k: int) -> NDArray[np.int64]:
    """Rows of all reasons that anybody may be given at the latest moment, ascending.

    These are an item's newest ``k``, and as many more as somebody needs whose own are left out.

    Args:
        reasons: The store.
        k: The most reasons of an item that are read at once.
    """
    interaction = [schema.ITEM, schema.USER, schema.TIMESTAMP]
    table = reasons.frame.select(*interaction, "version").with_row_index("row")
    # One version of each interaction is read: the highest, and of equal ones the last.
    read = table.sort("version", "row").unique(interaction, keep="last", maintain_order=True)
    newest_first = read.sort(schema.TIMESTAMP, "row", descending=True).with_columns(
        pl.int_range(pl.len()).over(schema.ITEM).alias("newer"),
        pl.int_range(1, pl.len() + 1).over(schema.ITEM, schema.USER).alias("own"),
    )
    # The most that are one and the same user's among those newer than each: what somebody has to do without.
    most_own = pl.col("own").cum_max().shift(1, fill_value=0).over(schema.ITEM)
    found = newest_first.filter(pl.col("newer") - most_own < k)
    return np.sort(found["row"].to_numpy()).astype(np.int64)


def latest_patterns(patterns: PatternBook) -> NDArray[np.int64]:
    """Rows of every user's latest pattern, ascending."""
    rows = patterns.rows_before(np.arange(len(patterns.user_ids)), LATEST)
    return np.sort(rows[rows != NOBODY])


def rows_of_vectors(table: TextVectors, rows: NDArray[np.int64]) -> TextVectors:
    """The vectors of some rows alone, each distinct one once."""
    distinct, places = np.unique(table.places[rows], return_inverse=True)
    return TextVectors(table.vectors[distinct], places.astype(np.int32))


def joined_vectors(first: TextVectors, second: TextVectors) -> TextVectors:
    """Two tables one below the other."""
    return TextVectors(
        np.concatenate([first.vectors, second.vectors]),
        np.concatenate([first.places, second.places + np.int32(len(first.vectors))]),
    )
