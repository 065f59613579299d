"""Forecasters that weigh the past by its age: an exponential moving average over windows, and a half-life in days."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from pydantic import Field

from whyrec.baselines.history import HistoryForecaster
from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength, users_per_item_and_window
from whyrec.forecasts import WindowConfig

_HALF_LIVES = 30
"""An interaction this many half-lives old weighs 1e-9 and is not read."""


class EmaConfig(WindowConfig):
    """Settings of ``EmaForecaster``."""

    smoothing: float = Field(default=0.5, gt=0, le=1)
    """Weight of the newest window; 1 is the last window alone. Chosen: 0.5."""


class EmaForecaster(HistoryForecaster[EmaConfig]):
    """Averages an item's counts per window: S_1 = x_1 and S_t = smoothing * x_t + (1 - smoothing) * S_(t-1).

    Windows are laid back from the cut-off, and x_1 is the first in which the item has a user.
    """

    config_type = EmaConfig
    is_window_count = True

    def _strength(self, data: Dataset, at: datetime) -> pl.DataFrame:
        windows = windows_back(data, at=at, length=self.config.length)
        counts = users_per_item_and_window(data.before(at), windows)
        keep = 1 - self.config.smoothing
        is_first = pl.col("window") == pl.col("window").min().over(schema.ITEM)
        age = len(windows) - 1 - pl.col("window").cast(pl.Int64)
        weight = pl.when(is_first).then(1.0).otherwise(self.config.smoothing) * pl.lit(keep).pow(age)
        weighted = counts.select(schema.ITEM, (weight * pl.col("users")).alias("users"))
        return _ordered_sum(weighted)


class HalfLifeConfig(WindowConfig):
    """Settings of ``HalfLifeForecaster``."""

    half_life_days: float = Field(default=7.0, gt=0, allow_inf_nan=True)
    """Age at which an interaction weighs half. Chosen: a week."""


class HalfLifeForecaster(HistoryForecaster[HalfLifeConfig]):
    """Counts each user once per item, at their latest interaction, with a weight that halves every so many days."""

    config_type = HalfLifeConfig
    is_window_count = False

    def _strength(self, data: Dataset, at: datetime) -> pl.DataFrame:
        half_life = timedelta(days=self.config.half_life_days)
        ages = (
            data.between(at - _HALF_LIVES * half_life, at)
            .group_by(schema.ITEM, schema.USER)
            .agg((pl.lit(at) - pl.col(schema.TIMESTAMP).max()).dt.total_microseconds().alias("age"))
            .sort(schema.ITEM, "age")
            .collect(engine="streaming")
        )
        halvings = pl.col("age") / (half_life / timedelta(microseconds=1))
        return _ordered_sum(ages.select(schema.ITEM, pl.lit(0.5).pow(halvings).alias("users")))


def windows_back(data: Dataset, *, at: datetime, length: WindowLength) -> list[Window]:
    """Consecutive windows that end at ``at``, oldest first; the oldest holds the first interaction before ``at``."""
    first = data.before(at).select(pl.col(schema.TIMESTAMP).min()).collect().item()
    windows: list[Window] = []
    end = at
    while first is not None and end > first:
        windows.append(length.preceding(end))
        end = windows[-1].start
    return windows[::-1]


def _ordered_sum(weighted: pl.DataFrame) -> pl.DataFrame:
    """Sum ``users`` per item in row order, rows sorted by item.

    Floats added in any other order differ in the last bit, which would reorder ties from run to run.
    """
    items = weighted[schema.ITEM].unique(maintain_order=True)
    code = weighted[schema.ITEM].rle_id().to_numpy()
    return pl.DataFrame({schema.ITEM: items, "users": np.bincount(code, weights=weighted["users"].to_numpy())})
