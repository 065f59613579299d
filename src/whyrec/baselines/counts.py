"""Forecasters that count users over one span: all time, the last window, the last N days, the same window last year."""

from datetime import datetime, timedelta

import polars as pl
from pydantic import Field

from whyrec.baselines.history import HistoryForecaster
from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, users_per_item
from whyrec.forecasts import WindowConfig

_MONTHS_PER_YEAR = 12
_DAYS_PER_YEAR = 365


class AllTimeForecaster(HistoryForecaster[WindowConfig]):
    """Ranks items by their distinct users since the log began."""

    config_type = WindowConfig
    is_window_count = False

    def _strength(self, data: Dataset, at: datetime) -> pl.DataFrame:
        users = pl.col(schema.USER).n_unique().alias("users")
        return data.before(at).group_by(schema.ITEM).agg(users).collect(engine="streaming")


class LastWindowForecaster(HistoryForecaster[WindowConfig]):
    """Says that the coming window will repeat the last one."""

    config_type = WindowConfig
    is_window_count = True

    def _strength(self, data: Dataset, at: datetime) -> pl.DataFrame:
        return users_per_item(data.before(at), self.config.length.preceding(at))


class LastDaysConfig(WindowConfig):
    """Settings of ``LastDaysForecaster``."""

    days: int = Field(default=7, ge=1)
    """How many days before the cut-off count. Chosen: a week, the usual rhythm."""


class LastDaysForecaster(HistoryForecaster[LastDaysConfig]):
    """Ranks items by their distinct users in the last N days."""

    config_type = LastDaysConfig
    is_window_count = False

    def _strength(self, data: Dataset, at: datetime) -> pl.DataFrame:
        return users_per_item(data.before(at), Window(at - timedelta(days=self.config.days), at))


class SeasonalNaiveForecaster(HistoryForecaster[WindowConfig]):
    """Says that the coming window will repeat the same window one year ago.

    Falls back to the last window for every item if the log does not reach back to the start of that window, and for
    an item whose first interaction came after it.
    """

    config_type = WindowConfig
    is_window_count = True

    def _strength(self, data: Dataset, at: datetime) -> pl.DataFrame:
        past = data.before(at)
        last = users_per_item(past, self.config.length.preceding(at))
        season = self._year_ago(at)
        first_seen = (
            past.group_by(schema.ITEM).agg(pl.col(schema.TIMESTAMP).min().alias("first")).collect(engine="streaming")
        )
        log_start = first_seen["first"].min()
        if not isinstance(log_start, datetime) or log_start > season.start:
            return last
        young = first_seen.filter(pl.col("first") >= season.end)
        return pl.concat([users_per_item(past, season), last.join(young, on=schema.ITEM, how="semi")])

    def _year_ago(self, at: datetime) -> Window:
        length = self.config.length
        if length.days is not None:
            return length.following(at - timedelta(days=_DAYS_PER_YEAR))
        window = length.preceding(at)
        for _ in range(_MONTHS_PER_YEAR - 1):
            window = length.preceding(window.start)
        return window
