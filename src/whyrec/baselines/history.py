"""What all forecasters that only count share: the check of the cut-off, the list, the scale, saving and loading.

A subclass says how strong each item is at a moment (``_strength``); nothing else. Equal strengths are ranked by
item_id, ascending. No interval is stated: ``low`` and ``high`` are null.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, users_per_item
from whyrec.forecasts import WindowConfig, forecast_frame, read_state, require_fitted, write_state
from whyrec.runtime.atomic import atomic_directory

ConfigT = TypeVar("ConfigT", bound=WindowConfig)


class HistoryForecaster(ABC, Generic[ConfigT]):
    """Ranks items by a strength computed from the log before the cut-off; learns one scale factor at most.

    Learned state: ``until_``, and ``scale_``: users in the last window before ``until`` over the strengths that
    stood at its start. ``expected`` is strength times scale, so a 7-day count is stretched to a 30-day window by what
    actually happened, not by 30/7.
    """

    config_type: ClassVar[type[WindowConfig]]
    is_window_count: ClassVar[bool]
    """True when the strength already counts users per window: the scale is then 1."""

    config: ConfigT
    until_: datetime
    scale_: float

    def __init__(self, config: ConfigT) -> None:
        self.config = config

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Measure the scale on the last window before ``until``."""
        self.scale_ = 1.0 if self.is_window_count else self._scale(data, self.config.length.preceding(until))
        self.until_ = until
        return self

    def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
        """Rank the catalogue for the window that starts at ``at``; see ``Forecaster.forecast``.

        Raises:
            NotFittedError: If ``fit`` or ``load`` has not been called.
            InvalidConfigError: If ``at`` lies before the moment up to which it was fitted.
        """
        require_fitted(self, at=at)
        strength = self._strength(data, at)
        return forecast_frame(
            data.items[schema.ITEM], expected=strength.with_columns(pl.col("users") * self.scale_), k=k
        )

    def save(self, directory: Path) -> None:
        """Write settings and state as JSON.

        Raises:
            NotFittedError: If there is no state yet.
        """
        require_fitted(self)
        state = {"until_": self.until_.isoformat(), "scale_": self.scale_}
        with atomic_directory(directory) as partial:
            write_state(partial, {"class": type(self).__name__, "config": self.config.model_dump(), "state": state})

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InvalidDataError: If the directory holds something else.
        """
        content = read_state(directory, expected_class=cls.__name__)
        # Subclasses differ in their config type only; pydantic checks the content.
        forecaster = cls(cls.config_type.model_validate(content["config"]))  # type: ignore[arg-type]
        forecaster.until_ = datetime.fromisoformat(content["state"]["until_"])
        forecaster.scale_ = content["state"]["scale_"]
        return forecaster

    @abstractmethod
    def _strength(self, data: Dataset, at: datetime) -> pl.DataFrame:
        """``item_id, users`` from interactions strictly before ``at``; items that are missing have none."""

    def _scale(self, data: Dataset, window: Window) -> float:
        came = float(users_per_item(data.interactions, window)["users"].sum())
        stood = float(self._strength(data, window.start)["users"].sum())
        return came / stood if came and stood else 1.0
