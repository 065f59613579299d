"""What the data says about one item, arranged for questions such as "how many users in October?"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from math import ceil
from typing import NamedTuple

from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification.evidence import YearMonth, month_id, month_label
from whyrec.evaluation.verification.mentions import Place
from whyrec.interfaces import Driver, ForecastPoint

DAYS_PER_MONTH = 365.2425 / 12


class Basis(NamedTuple):
    """A value that a number in the text may rest on."""

    value: float
    evidence_ids: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Known:
    """Facts, forecast and drivers of the explained item."""

    facts: ItemFacts
    forecast: ForecastPoint
    drivers: Sequence[Driver]

    @cached_property
    def users(self) -> dict[YearMonth, int]:
        """Users by month, oldest first."""
        return {(month.window.start.year, month.window.start.month): month.users for month in self.facts.months}

    @cached_property
    def complete(self) -> list[YearMonth]:
        """Months that lie wholly before the cut-off and inside the log."""
        return [month for month, count in zip(self.users, self.facts.months, strict=True) if count.complete]

    @cached_property
    def partial(self) -> set[YearMonth]:
        """Months of the history seen only in part."""
        return set(self.users) - set(self.complete)

    @cached_property
    def numeric_attributes(self) -> list[Basis]:
        """The catalogue's numbers, such as a year or a length."""
        return [
            Basis(float(value), (f"attribute:{name}",), name.replace("_", " "))
            for name, value in self.facts.attributes.items()
            if isinstance(value, int | float)
        ]

    @cached_property
    def texts(self) -> list[tuple[str, str]]:
        """Title and catalogue entry in small letters, each with its evidence."""
        values = [(f"attribute:{name}", str(value).casefold()) for name, value in self.facts.attributes.items()]
        return [("title", self.facts.title.casefold()), *values]

    @cached_property
    def driver_labels(self) -> list[tuple[Driver, str]]:
        """The drivers with their labels in small letters."""
        return [(driver, driver.label.casefold()) for driver in self.drivers]

    @cached_property
    def latest(self) -> YearMonth:
        """The last month of the history, or of the moment before the cut-off."""
        if self.users:
            return next(reversed(self.users))
        moment = self.facts.cutoff - timedelta(microseconds=1)
        return moment.year, moment.month

    @cached_property
    def last_full(self) -> YearMonth:
        """The last calendar month that is over at the cut-off."""
        eve = self.facts.cutoff - timedelta(microseconds=1)
        cutoff = self.facts.cutoff
        if (cutoff.year, cutoff.month) != (eve.year, eve.month):
            return eve.year, eve.month
        return (eve.year, eve.month - 1) if eve.month > 1 else (eve.year - 1, 12)

    @cached_property
    def first(self) -> YearMonth:
        """The first month of the history."""
        return next(iter(self.users), self.latest)

    @cached_property
    def window_months(self) -> frozenset[YearMonth]:
        """Months that the forecast window touches."""
        first = self.forecast.window.start
        last = first + timedelta(days=ceil(self.forecast.window.days) - 1)
        steps = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        return frozenset((step // 12, step % 12 + 1) for step in steps)

    def in_month(self, month: YearMonth) -> Basis | None:
        """Users of a month; zero before the item was first seen; None for what lies in the future."""
        if month > self.latest:
            return None
        return Basis(self.users.get(month, 0), (month_id(month),), month_label(month))

    def in_place(self, place: Place) -> list[Basis]:
        """Users of every month or span of days that a place may stand for."""
        if place.span_days is not None:
            users = self.facts.recent.get(place.span_days)
            if users is None:
                return []
            return [Basis(users, (f"recent:{place.span_days}d",), f"the last {place.span_days} days")]
        also = [basis for basis in self.recents if basis.evidence_ids == (f"recent:{place.also_days}d",)]
        return [*(basis for month in place.months if (basis := self.in_month(month))), *also]

    @cached_property
    def total(self) -> Basis:
        """All users before the cut-off."""
        return Basis(self.facts.total_users, ("total",), "all users so far")

    @cached_property
    def forecasts(self) -> tuple[Basis, Basis, Basis]:
        """Expected users, lower and upper end of the interval."""
        point = self.forecast
        return (
            Basis(point.expected, ("forecast",), "the forecast"),
            Basis(point.low, ("forecast:low",), "the interval's lower end"),
            Basis(point.high, ("forecast:high",), "the interval's upper end"),
        )

    @cached_property
    def recents(self) -> list[Basis]:
        """Users of the last 3, 7, ... days."""
        return [
            Basis(users, (f"recent:{days}d",), f"the last {days} days") for days, users in self.facts.recent.items()
        ]

    @cached_property
    def months(self) -> list[Basis]:
        """Users of every month."""
        return [Basis(users, (month_id(month),), month_label(month)) for month, users in self.users.items()]

    @cached_property
    def age(self) -> timedelta | None:
        """Time from the first user to the cut-off."""
        if self.facts.first_seen is None:
            return None
        first: date = self.facts.first_seen
        return timedelta(days=(self.facts.cutoff.date() - first).days)

    def latest_pair(self) -> tuple[Basis, Basis] | None:
        """The last two complete months, older first; else the last two of any kind."""
        months = self.complete[-2:] if len(self.complete) >= 2 else list(self.users)[-2:]
        if len(months) < 2:
            return None
        older, newer = (self.in_month(month) for month in months)
        return (older, newer) if older and newer else None
