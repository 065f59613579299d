"""What all forecasters that only count share: the check of the cut-off, the list, the scale, saving and loading.

A subclass says how strong each item is at a moment (``_strength``); nothing else. Equal strengths are ranked by
item_id, ascending. No interval is stated: ``low`` and ``high`` are null.
"""

import json
from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, field_validator

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength, users_per_item
from whyrec.errors import InvalidConfigError, InvalidDataError, NotFittedError
from whyrec.interfaces import FORECAST_SCHEMA
from whyrec.runtime.atomic import atomic_directory

_FILE = "forecaster.json"
_FORMAT_VERSION = 1


class HistoryConfig(BaseModel):
    """Settings that every counting forecaster has."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    window: str = "month"
    """Length of the window to forecast: ``month`` or a number of days such as ``30d``."""

    @field_validator("window")
    @classmethod
    def _is_window(cls, value: str) -> str:
        return str(WindowLength.parse(value))

    @property
    def length(self) -> WindowLength:
        """``window`` as a length."""
        return WindowLength.parse(self.window)


ConfigT = TypeVar("ConfigT", bound=HistoryConfig)


class HistoryForecaster(ABC, Generic[ConfigT]):
    """Ranks items by a strength computed from the log before the cut-off; learns one scale factor at most.

    Learned state: ``until_``, and ``scale_``: users in the last window before ``until`` over the strengths that
    stood at its start. ``expected`` is strength times scale, so a 7-day count is stretched to a 30-day window by what
    actually happened, not by 30/7.
    """

    config_type: ClassVar[type[HistoryConfig]]
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
            write_json(partial, {"class": type(self).__name__, "config": self.config.model_dump(), "state": state})

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InvalidDataError: If the directory holds something else.
        """
        content = read_json(directory, expected_class=cls.__name__)
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


def require_fitted(forecaster: object, *, at: datetime | None = None) -> None:
    """Refuse a forecaster without state, or a moment before the one up to which it has learned.

    Raises:
        NotFittedError: If there is no ``until_``.
        InvalidConfigError: If ``at`` is earlier than ``until_``.
    """
    name = type(forecaster).__name__
    until = getattr(forecaster, "until_", None)
    if until is None:
        raise NotFittedError(f"{name}: expected a fitted forecaster, got a new one. Call fit or load first.")
    if at is not None and at < until:
        raise InvalidConfigError(
            f"{name}: expected a window start from {until.isoformat()} on (it has learned from what came before), "
            f"got {at.isoformat()}. Fit with an earlier until."
        )


def forecast_frame(item_ids: pl.Series, *, expected: pl.DataFrame, k: int | None) -> pl.DataFrame:
    """Rank a catalogue by ``expected`` (``item_id, users``), ties by item_id; items that are missing expect 0.

    Raises:
        InvalidConfigError: If ``k`` is less than 1.
    """
    if k is not None and k < 1:
        raise InvalidConfigError(f"forecast: expected k of at least 1 or None, got {k}. Choose a positive k.")
    ranked = (
        pl.DataFrame({schema.ITEM: item_ids})
        .join(expected.select(schema.ITEM, pl.col("users").cast(pl.Float64)), on=schema.ITEM, how="left")
        .with_columns(pl.col("users").fill_null(0.0))
        .sort(["users", schema.ITEM], descending=[True, False])
        .select(
            schema.ITEM,
            pl.col("users").alias("score"),
            pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("rank"),
            pl.col("users").alias("expected"),
            pl.lit(None, dtype=pl.Float64).alias("low"),
            pl.lit(None, dtype=pl.Float64).alias("high"),
        )
        .cast(pl.Schema(FORECAST_SCHEMA))
    )
    return ranked if k is None else ranked.head(k)


# JSON content is what json.loads makes of it: Any values, checked by the reader of each field.
def write_json(directory: Path, content: dict[str, object]) -> None:
    """Write a forecaster's settings and small state."""
    text = json.dumps({"format_version": _FORMAT_VERSION, **content}, indent=2, ensure_ascii=False)
    (directory / _FILE).write_text(text + "\n", encoding="utf-8")


def read_json(directory: Path, *, expected_class: str) -> dict:  # type: ignore[type-arg]
    """Read what ``write_json`` wrote.

    Raises:
        InvalidDataError: If there is no such file, or it belongs to another class or a newer version.
    """
    path = directory / _FILE
    if not path.is_file():
        raise InvalidDataError(f"{directory}: expected a saved forecaster with {_FILE}, found none. Save one first.")
    content = json.loads(path.read_text(encoding="utf-8"))
    found = content.get("class"), content.get("format_version")
    if found != (expected_class, _FORMAT_VERSION):
        raise InvalidDataError(
            f"{path}: expected {expected_class} of format {_FORMAT_VERSION}, got {found[0]} of format {found[1]}. "
            "Load it with its own class and version."
        )
    return dict(content)
