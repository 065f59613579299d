"""What is known about one item at a cut-off: its history, its last days, its catalogue entry. Nothing later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl

from whyrec.data import schema
from whyrec.data.attributes import AttributeValue, attributes_of
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, month_after, month_start
from whyrec.errors import UnknownIdError

RECENT_SPANS_DAYS = (3, 7, 14, 30)
"""Spans before the cut-off whose distinct users are counted beside the months."""


@dataclass(frozen=True, slots=True)
class MonthCount:
    """Distinct users of an item in one calendar month, as far as the cut-off lets us see."""

    window: Window
    users: int
    complete: bool
    """False for the month that the cut-off falls into, and for the month in which the log begins."""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """The raw material of an explanation; every number in the text must come from here."""

    item_id: str
    title: str
    cutoff: datetime
    months: tuple[MonthCount, ...]
    """From the item's first month to the month of the cut-off without gaps, oldest first; empty if never seen."""
    recent: Mapping[int, int]
    """Distinct users in the last N days before the cut-off, for N in ``RECENT_SPANS_DAYS``."""
    total_users: int
    """Distinct users before the cut-off."""
    first_seen: date | None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    """Catalogue columns but id and title; multi-valued ones as tuples."""
    mean_rating: float | None = None
    """Mean rating before the cut-off, on the data's own scale."""


def item_facts(data: Dataset, *, item_ids: Sequence[str], cutoff: datetime) -> dict[str, ItemFacts]:
    """Gather the facts of several items at a cut-off.

    Args:
        data: The dataset.
        item_ids: Catalogue items.
        cutoff: Only interactions strictly before it are read.

    Returns:
        Facts by item_id, in the order asked for.

    Raises:
        UnknownIdError: If an item is not in the catalogue.
    """
    catalogue = {
        row[schema.ITEM]: row for row in data.items.filter(pl.col(schema.ITEM).is_in(list(item_ids))).to_dicts()
    }
    for item_id in item_ids:
        if item_id not in catalogue:
            raise UnknownIdError(f"{data.name}: expected an item of the catalogue, got {item_id!r}.")
    history = data.before(cutoff)
    log_start = history.select(pl.col(schema.TIMESTAMP).min()).collect().item()
    log = history.filter(pl.col(schema.ITEM).is_in(list(item_ids))).collect()
    by_item = log.partition_by(schema.ITEM, as_dict=True)
    return {
        item_id: _facts_of(catalogue[item_id], by_item.get((item_id,)), cutoff=cutoff, log_start=log_start)
        for item_id in item_ids
    }


def _facts_of(
    row: Mapping[str, object], log: pl.DataFrame | None, *, cutoff: datetime, log_start: datetime | None
) -> ItemFacts:
    item_id, title = str(row[schema.ITEM]), str(row[schema.TITLE])
    attributes = attributes_of(row)
    if log is None:
        none_recent = dict.fromkeys(RECENT_SPANS_DAYS, 0)
        return ItemFacts(item_id, title, cutoff, (), none_recent, 0, None, attributes, None)
    recent = {
        days: log.filter(pl.col(schema.TIMESTAMP) >= cutoff - timedelta(days=days))[schema.USER].n_unique()
        for days in RECENT_SPANS_DAYS
    }
    first = log[schema.TIMESTAMP].min()
    assert isinstance(first, datetime), "a non-empty log has a first timestamp"
    rating = log[schema.RATING].mean() if schema.RATING in log.columns else None
    return ItemFacts(
        item_id=item_id,
        title=title,
        cutoff=cutoff,
        months=_months(log, cutoff=cutoff, log_start=log_start or first),
        recent=recent,
        total_users=log[schema.USER].n_unique(),
        first_seen=first.date(),
        attributes=attributes,
        mean_rating=float(rating) if isinstance(rating, int | float) else None,
    )


def _months(log: pl.DataFrame, *, cutoff: datetime, log_start: datetime) -> tuple[MonthCount, ...]:
    counts = {
        (row["year"], row["month"]): row["users"]
        for row in log.group_by(
            pl.col(schema.TIMESTAMP).dt.year().alias("year"), pl.col(schema.TIMESTAMP).dt.month().alias("month")
        )
        .agg(pl.col(schema.USER).n_unique().alias("users"))
        .to_dicts()
    }
    months: list[MonthCount] = []
    start = month_start(log[schema.TIMESTAMP].min())  # type: ignore[arg-type]  # polars types min() as any literal
    while start < cutoff:
        end = month_after(start)
        complete = start >= log_start and end <= cutoff
        months.append(MonthCount(Window(start, end), counts.get((start.year, start.month), 0), complete))
        start = end
    return tuple(months)
