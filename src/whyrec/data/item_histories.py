"""What the log told of every item at a cut-off: users per window since its release, users per day of late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from whyrec.data import schema
from whyrec.data.attributes import AttributeValue, attributes_of
from whyrec.data.events import EventArrays, as_days
from whyrec.data.windows import Window, WindowLength, month_start

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_START_DAYS = 14
"""Of a log, in which whatever is still taken now and then turns up."""


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """One item as it was known at a cut-off; nothing in it is later."""

    item_id: str
    title: str
    attributes: Mapping[str, AttributeValue]
    """Catalogue columns but id and title; multi-valued ones as tuples."""
    cutoff: datetime
    windows: tuple[Window, ...]
    """Complete windows before the cut-off, oldest first, from the one of the item's first interaction on."""
    users: tuple[int, ...]
    """Distinct users in each of them: the history h of TRAIL §3."""
    daily: tuple[int, ...]
    """Distinct users on each of the last days before the cut-off, oldest first."""
    total_users: int
    """Distinct users before the cut-off."""
    first_seen: datetime | None
    """Time of the first interaction before the cut-off; None for an item without one."""
    is_from_start: bool = False
    """First seen in the log's first days: how much older than ``age_days`` it really is, nobody can tell."""
    months: tuple[int, ...] = ()
    """Distinct users in the last complete calendar months, oldest first, from the month of the first interaction on:
    what people speak of, whatever the windows are. Empty where they were not counted."""
    this_month: int | None = None
    """Distinct users in the calendar month that the cut-off lies in; None where a month begins at the cut-off."""

    @property
    def age_days(self) -> float | None:
        """Days from the first interaction to the cut-off."""
        return None if self.first_seen is None else (self.cutoff - self.first_seen) / timedelta(days=1)


@dataclass(frozen=True, eq=False)
class HistoryTable:
    """The histories of a whole catalogue at one cut-off as arrays; rows follow ``item_ids``."""

    cutoff: datetime
    item_ids: pl.Series
    windows: tuple[Window, ...]
    """Complete windows before the cut-off that the log covers, oldest first."""
    users: Int[np.ndarray, "I W"]
    """Distinct users per item and window."""
    daily: Int[np.ndarray, "I D"]
    """Distinct users per item and day; the last column is the day that ends at the cut-off."""
    total_users: Int[np.ndarray, " I"]
    first_day: Float[np.ndarray, " I"]
    """Days since 1970-01-01 UTC of the first interaction before the cut-off; infinity where there is none."""
    log_start: float
    """Days since 1970-01-01 UTC of the log's first interaction."""
    months: tuple[Window, ...]
    """The last complete calendar months that the log covers, oldest first."""
    month_users: Int[np.ndarray, "I M"]
    """Distinct users per item and month."""
    this_month: Int[np.ndarray, " I"] | None
    """Distinct users since the month began; None where it begins at the cut-off, or months were not asked for."""

    def first_window(self, row: int) -> int:
        """The window of an item's first interaction; the number of windows where it came after all of them."""
        return self._first_of(self.windows, row)

    def _first_of(self, windows: tuple[Window, ...], row: int) -> int:
        ends = [as_days(window.end) for window in windows]
        return int(np.searchsorted(ends, self.first_day[row], side="right"))

    def history(self, row: int, *, entry: Mapping[str, object]) -> ItemHistory:
        """One item's history.

        Args:
            row: Which item.
            entry: Its row of the catalogue.
        """
        start = self.first_window(row)
        first = self.first_day[row]
        return ItemHistory(
            item_id=str(entry[schema.ITEM]),
            title=str(entry[schema.TITLE]),
            attributes=attributes_of(entry),
            cutoff=self.cutoff,
            windows=self.windows[start:],
            users=tuple(self.users[row, start:].tolist()),
            daily=tuple(self.daily[row].tolist()),
            total_users=int(self.total_users[row]),
            first_seen=_EPOCH + timedelta(days=float(first)) if np.isfinite(first) else None,
            is_from_start=bool(first < self.log_start + _START_DAYS),
            months=tuple(self.month_users[row, self._first_of(self.months, row) :].tolist()),
            this_month=None if self.this_month is None else int(self.this_month[row]),
        )


def history_table(
    events: EventArrays,
    *,
    cutoff: datetime,
    length: WindowLength,
    max_windows: int = 36,
    n_days: int = 30,
    n_months: int = 0,
) -> HistoryTable:
    """Count users per item, window and day before a cut-off.

    Args:
        events: The log; what is not before the cut-off is not looked at.
        cutoff: End of the newest window and of the newest day.
        length: Of a window.
        max_windows: The most windows that are counted, the newest ones.
        n_days: Days that are counted one by one.
        n_months: Calendar months that are counted beside the windows, the newest complete ones and the one in progress;
            0 counts none.
    """
    windows = _covered_windows(events, cutoff=cutoff, length=length, at_most=max_windows)
    month = month_start(cutoff)
    months = _covered_windows(events, cutoff=month, length=WindowLength(), at_most=n_months)
    daily = np.zeros((events.n_items, n_days), dtype=np.int32)
    end = as_days(cutoff)
    # Not end - day: a difference of floats may fall beside an event that stands at the very start of a day.
    edges = [as_days(cutoff - timedelta(days=day)) for day in range(n_days, -1, -1)]
    for place, (day_start, day_end) in enumerate(pairwise(edges)):
        daily[:, place] = distinct_users(events, start=day_start, end=day_end)
    known = events.index_at(end)
    first = events.item[:known][events.is_first[:known]]
    return HistoryTable(
        cutoff=cutoff,
        item_ids=events.item_ids,
        windows=windows,
        users=_users_of(events, windows),
        daily=daily,
        total_users=np.bincount(first, minlength=events.n_items).astype(np.int32),
        first_day=np.where(events.first_day < end, events.first_day, np.inf),
        log_start=float(events.day[0]) if events.n_events else np.inf,
        months=months,
        month_users=_users_of(events, months),
        this_month=distinct_users(events, start=as_days(month), end=end) if n_months and month < cutoff else None,
    )


def distinct_users(events: EventArrays, *, start: float, end: float) -> Int[np.ndarray, " I"]:
    """Distinct users per item in ``[start, end)`` (days since 1970-01-01 UTC)."""
    span = slice(events.index_at(start), events.index_at(end))
    pairs = np.unique(events.user[span].astype(np.int64) * events.n_items + events.item[span])
    counts: np.ndarray = np.bincount(pairs % events.n_items, minlength=events.n_items)
    return counts


def _users_of(events: EventArrays, windows: tuple[Window, ...]) -> Int[np.ndarray, "I W"]:
    users = np.zeros((events.n_items, len(windows)), dtype=np.int32)
    for place, window in enumerate(windows):
        users[:, place] = distinct_users(events, start=as_days(window.start), end=as_days(window.end))
    return users


def _covered_windows(
    events: EventArrays, *, cutoff: datetime, length: WindowLength, at_most: int
) -> tuple[Window, ...]:
    if not events.n_events:
        return ()
    log_start = float(events.day[0])
    windows: list[Window] = []
    window = length.preceding(cutoff)
    while len(windows) < at_most and as_days(window.start) >= log_start:
        windows.append(window)
        window = length.preceding(window.start)
    return tuple(reversed(windows))
