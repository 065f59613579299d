"""What users took strictly before a moment, and what they made of it."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Review:
    """One item that a user took, and what was made of it."""

    item_id: str
    timestamp: datetime
    rating: float | None = None
    text: str = ""
    """In the user's own words, the one place that says why; empty where there are none."""


def interactions_before(data: Dataset, moments: pl.DataFrame) -> pl.LazyFrame:
    """What each user took strictly before a moment of one's own, in the order of the log.

    Args:
        data: The log.
        moments: ``user_id, timestamp``, one row per user.
    """
    asked = moments.select(schema.USER, pl.col(schema.TIMESTAMP).alias("moment")).lazy()
    return (
        data.interactions.join(asked, on=schema.USER, how="inner", maintain_order="left")
        .filter(pl.col(schema.TIMESTAMP) < pl.col("moment"))
        .drop("moment")
    )


def reviews_before(data: Dataset, moments: pl.DataFrame) -> dict[str, tuple[Review, ...]]:
    """The same with what each user made of it; items that the catalogue does not hold are left out.

    Args:
        data: Its columns ``rating`` and ``review`` are read where they are there.
        moments: ``user_id, timestamp``, one row per user.

    Returns:
        By user_id, in the order of ``moments``, oldest first; a user without any has none.
    """
    is_known = pl.col(schema.ITEM).is_in(data.items[schema.ITEM].implode())
    found: dict[str, list[Review]] = {user_id: [] for user_id in moments[schema.USER]}
    for row in interactions_before(data, moments).filter(is_known).collect().iter_rows(named=True):
        found[row[schema.USER]].append(
            Review(row[schema.ITEM], row[schema.TIMESTAMP], row.get(schema.RATING), row.get(schema.REVIEW) or "")
        )
    return {user_id: tuple(reviews) for user_id, reviews in found.items()}
