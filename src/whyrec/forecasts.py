"""What every forecaster does alike: refuse unfitted use and bad arguments, rank by counts, keep its state file."""

import json
from datetime import datetime
from pathlib import Path

import polars as pl
from pydantic import field_validator

from whyrec.data import schema
from whyrec.data.windows import WindowLength
from whyrec.errors import InvalidConfigError, InvalidDataError, NotFittedError
from whyrec.interfaces import FORECAST_SCHEMA
from whyrec.runtime.strict_model import StrictModel

STATE_FILE = "forecaster.json"
_FORMAT_VERSION = 1


class WindowConfig(StrictModel):
    """The setting that every forecaster has; its own follow in a subclass."""

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


def require_positive_k(k: int | None) -> None:
    """Refuse a list length below 1; None means all items.

    Raises:
        InvalidConfigError: If ``k`` is less than 1.
    """
    if k is not None and k < 1:
        raise InvalidConfigError(f"forecast: expected k of at least 1 or None, got {k}. Choose a positive k.")


def forecast_frame(item_ids: pl.Series, *, expected: pl.DataFrame, k: int | None) -> pl.DataFrame:
    """Rank a catalogue by ``expected`` (``item_id, users``), ties by item_id; items that are missing expect 0.

    Raises:
        InvalidConfigError: If ``k`` is less than 1.
    """
    require_positive_k(k)
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
def write_state(directory: Path, content: dict[str, object]) -> None:
    """Write a forecaster's settings and small state."""
    text = json.dumps({"format_version": _FORMAT_VERSION, **content}, indent=2, ensure_ascii=False)
    (directory / STATE_FILE).write_text(text + "\n", encoding="utf-8")


def read_state(directory: Path, *, expected_class: str) -> dict:  # type: ignore[type-arg]
    """Read what ``write_state`` wrote.

    Raises:
        InvalidDataError: If there is no such file, or it belongs to another class or a newer version.
    """
    path = directory / STATE_FILE
    if not path.is_file():
        raise InvalidDataError(
            f"{directory}: expected a saved forecaster with {STATE_FILE}, found none. Save one first."
        )
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    found = content.get("class"), content.get("format_version")
    if found != (expected_class, _FORMAT_VERSION):
        raise InvalidDataError(
            f"{path}: expected {expected_class} of format {_FORMAT_VERSION}, got {found[0]} of format {found[1]}. "
            "Load it with the class that saved it."
        )
    return content
