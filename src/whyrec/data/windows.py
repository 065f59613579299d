"""Time windows: half-open UTC intervals, calendar months or N days, and counts of users per item in them."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import polars as pl

from whyrec.data import schema
from whyrec.errors import InvalidConfigError


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The half-open interval ``[start, end)`` in UTC."""

    start: datetime
    end: datetime

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.end - self.start) / timedelta(days=1)

    @property
    def label(self) -> str:
        """``2013-10`` for a calendar month, else ``2013-10-08/2013-11-07`` (end excluded)."""
        if self.start.day == 1 and self.end == month_after(self.start):
            return f"{self.start:%Y-%m}"
        return f"{self.start:%Y-%m-%d}/{self.end:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class WindowLength:
    """A calendar month (``days is None``) or a fixed number of days."""

    days: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``month`` or ``Nd`` (``7d``, ``30d``).

        Raises:
            InvalidConfigError: If ``text`` is neither.
        """
        if text == "month":
            return cls(days=None)
        match = re.fullmatch(r"([1-9]\d{0,3})d", text)
        if match is None:
            raise InvalidConfigError(f"window: expected 'month' or a number of days such as '30d', got {text!r}.")
        return cls(days=int(match[1]))

    def __str__(self) -> str:
        return "month" if self.days is None else f"{self.days}d"

    def following(self, start: datetime) -> Window:
        """The window that begins at ``start``; for months, up to the same day of the next month."""
        if self.days is None:
            return Window(start, month_after(start))
        return Window(start, start + timedelta(days=self.days))

    def preceding(self, end: datetime) -> Window:
        """The window that ends at ``end``."""
        if self.days is None:
            return Window(month_before(end), end)
        return Window(end - timedelta(days=self.days), end)

    def full_windows(self, first: datetime, last: datetime) -> list[Window]:
        """All consecutive windows that the log covers from end to end, oldest first.

        Args:
            first: First timestamp of the log. N-day windows are laid from exactly there (TRAIL §5.1); months from the
                first month that begins at or after it.
            last: Last timestamp of the log; a window counts as full when it ends at or before it.
        """
        start = first
        if self.days is None and first != month_start(first):
            start = month_after(month_start(first))
        windows: list[Window] = []
        while (window := self.following(start)).end <= last:
            windows.append(window)
            start = window.end
        return windows


def month_start(moment: datetime) -> datetime:
    """Midnight UTC of the first day of ``moment``'s month."""
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def month_after(moment: datetime) -> datetime:
    """The same day and time one month later, or that month's last day where it is shorter."""
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def month_before(moment: datetime) -> datetime:
    """The same day and time one month earlier, or that month's last day where it is shorter."""
    year, month = (moment.year - 1, 12) if moment.month == 1 else (moment.year, moment.month - 1)
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def day_after(moment: datetime) -> datetime:
    """The first UTC midnight after ``moment``: the natural cut-off for a log whose last event is then."""
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC) + timedelta(days=1)


def users_per_item(interactions: pl.LazyFrame, window: Window) -> pl.DataFrame:
    """Count the distinct users of every item within a window: the popularity ``p`` of TRAIL §3.1.

    Returns:
        Columns ``item_id, users`` (UInt32), only items with at least one user, sorted by item_id.
    """
    in_window = (pl.col(schema.TIMESTAMP) >= window.start) & (pl.col(schema.TIMESTAMP) < window.end)
    return (
        interactions.filter(in_window)
        .group_by(schema.ITEM)
        .agg(pl.col(schema.USER).n_unique().cast(pl.UInt32).alias("users"))
        .sort(schema.ITEM)
        .collect(engine="streaming")
    )


def users_per_item_and_window(interactions: pl.LazyFrame, windows: list[Window]) -> pl.DataFrame:
    """Count the distinct users of every item in each of several disjoint windows.

    One window is counted after the other: memory then grows with the largest of them, not with the log, and a log
    ordered by time on disk is read about once all the same.

    Args:
        interactions: The log.
        windows: Disjoint windows, oldest first.

    Returns:
        Columns ``item_id, window`` (index into ``windows``), ``users``; only non-zero counts, sorted.
    """
    counts = [
        users_per_item(interactions, window).select(
            schema.ITEM, pl.lit(index, dtype=pl.UInt32).alias("window"), "users"
        )
        for index, window in enumerate(windows)
    ]
    empty = pl.DataFrame(schema={schema.ITEM: pl.String, "window": pl.UInt32, "users": pl.UInt32})
    return pl.concat([empty, *counts]).sort(schema.ITEM, "window")
