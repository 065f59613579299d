"""The facts of many samples at once: what ``item_facts`` says at each one's own cut-off, from one look at the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.facts import RECENT_SPANS_DAYS, ItemFacts, MonthCount
from whyrec.data.item_histories import ItemHistory
from whyrec.data.windows import Window, month_after, month_start
from whyrec.methods.trail.samples import Sample

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class _ItemLog:
    """One item's events in time order, as parallel arrays."""

    time: NDArray[np.int64]
    """Microseconds since 1970-01-01 UTC."""
    user: NDArray[np.int64]
    month: NDArray[np.int64]
    """Months since year 0, so that December and January are neighbours."""
    rating: NDArray[np.float64] | None


def facts_of_samples(samples: Sequence[Sample], data: Dataset) -> list[ItemFacts]:
    """Gather the facts of every sample's item at the sample's cut-off; equal to ``item_facts``, some ten times as fast.

    Args:
        samples: In any order.
        data: The dataset that they were drawn from; only interactions before each sample's cut-off are used.

    Returns:
        In the order of the samples.
    """
    if not samples:
        return []
    latest = max(sample.window.start for sample in samples)
    log = data.before(latest)
    log_start = log.select(pl.col(schema.TIMESTAMP).min()).collect().item()
    logs = _item_logs(log, item_ids={sample.history.item_id for sample in samples})
    return [_facts_of(sample.history, logs.get(sample.history.item_id), log_start=log_start) for sample in samples]


def _item_logs(log: pl.LazyFrame, *, item_ids: set[str]) -> dict[str, _ItemLog]:
    timestamp = pl.col(schema.TIMESTAMP)
    has_rating = schema.RATING in log.collect_schema()
    columns = log.filter(pl.col(schema.ITEM).is_in(sorted(item_ids))).select(
        schema.ITEM,
        timestamp.dt.epoch("us").alias("time"),
        pl.col(schema.USER).rank("dense").cast(pl.Int64).alias("user"),
        (timestamp.dt.year().cast(pl.Int64) * 12 + timestamp.dt.month().cast(pl.Int64) - 1).alias("month"),
        *([pl.col(schema.RATING).cast(pl.Float64)] if has_rating else []),
    )
    by_item = columns.collect().partition_by(schema.ITEM, as_dict=True, maintain_order=True)
    return {
        str(key[0]): _ItemLog(
            time=part["time"].to_numpy(),
            user=part["user"].to_numpy(),
            month=part["month"].to_numpy(),
            rating=part[schema.RATING].to_numpy() if has_rating else None,
        )
        for key, part in by_item.items()
    }


def _facts_of(history: ItemHistory, log: _ItemLog | None, *, log_start: datetime | None) -> ItemFacts:
    cutoff = history.cutoff
    end = 0 if log is None else int(np.searchsorted(log.time, _microseconds(cutoff), side="left"))
    if log is None or log_start is None or end == 0:
        none_recent = dict.fromkeys(RECENT_SPANS_DAYS, 0)
        return ItemFacts(history.item_id, history.title, cutoff, (), none_recent, 0, None, history.attributes, None)
    first = _EPOCH + int(log.time[0]) * _MICROSECOND
    rating = None if log.rating is None else log.rating[:end][~np.isnan(log.rating[:end])]
    return ItemFacts(
        item_id=history.item_id,
        title=history.title,
        cutoff=cutoff,
        months=_months(log, end, first=first, cutoff=cutoff, log_start=log_start),
        recent=_recent(log, end, cutoff=cutoff),
        total_users=len(set(log.user[:end].tolist())),
        first_seen=first.date(),
        attributes=history.attributes,
        mean_rating=float(rating.mean()) if rating is not None and len(rating) else None,
    )


def _recent(log: _ItemLog, end: int, *, cutoff: datetime) -> Mapping[int, int]:
    starts = {
        days: int(np.searchsorted(log.time, _microseconds(cutoff - timedelta(days=days)), side="left"))
        for days in RECENT_SPANS_DAYS
    }
    return {days: len(set(log.user[start:end].tolist())) for days, start in starts.items()}


def _months(
    log: _ItemLog, end: int, *, first: datetime, cutoff: datetime, log_start: datetime
) -> tuple[MonthCount, ...]:
    pairs = set(zip(log.month[:end].tolist(), log.user[:end].tolist(), strict=True))
    counts = np.bincount([month - int(log.month[0]) for month, _ in pairs])
    months: list[MonthCount] = []
    start = month_start(first)
    while start < cutoff:
        window = Window(start, month_after(start))
        users = int(counts[len(months)]) if len(months) < len(counts) else 0
        months.append(MonthCount(window, users, start >= log_start and window.end <= cutoff))
        start = window.end
    return tuple(months)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
