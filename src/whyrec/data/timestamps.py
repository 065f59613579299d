"""Turn what files call a time into aware UTC datetimes, under one convention per file.

A column holds either numbers since 1970, or local times, or times with an offset; the first row that parses decides,
and rows that differ are bad rows. Mixing them silently would shift part of a log by hours.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self
from zoneinfo import ZoneInfo

import polars as pl

from whyrec.data import schema
from whyrec.errors import InvalidConfigError, InvalidDataError

Unit = Literal["auto", "s", "ms", "us"]
Convention = Literal["epoch", "local", "offset"]

_TICKS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}
_EARLIEST_S = 0
_LATEST_S = int(datetime(2100, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp())
_SECONDS_PER_YEAR = 31_556_952

_NUMBER = r"^[+-]?\d+(?:\.\d+)?$"
_ISO = (
    r"^(?<day>\d{4}-\d{2}-\d{2})(?:[T ](?<minute>\d{2}:\d{2})(?::(?<second>\d{2}(?:\.\d{1,9})?))?)?"
    r"\s?(?<offset>[Zz]|UTC|[+-]\d{2}(?::?\d{2})?)?$"
)

OUTCOME = {"timestamp": schema.TIMESTAMP_TYPE, "reason": pl.String(), "expected": pl.String()}
"""What ``TimestampRule.parse`` returns per row: the moment, or why there is none and what was expected."""


@dataclass(frozen=True, slots=True)
class TimestampRule:
    """How the timestamps of one file are to be read."""

    convention: Convention
    unit: Unit
    timezone: str
    shown: str
    """The value that settled the convention, for messages."""

    @classmethod
    def settle(cls, values: pl.Series, *, unit: Unit, timezone: str | None, where: str) -> Self | None:
        """Decide the convention from the first value that parses at all, or from the type; None if none parses.

        Args:
            values: Timestamps as they stand in the file.
            unit: Of numbers; ``auto`` takes seconds, and lets the range check find the mistake.
            timezone: IANA name for local times; None means UTC.
            where: The file, for messages.

        Raises:
            InvalidDataError: If the column's type cannot hold a time.
            InvalidConfigError: If the time zone is unknown.
        """
        zone = timezone or "UTC"
        _require_zone(zone)
        if values.dtype in (pl.Datetime, pl.Date):
            return cls("local" if _zone_of(values) is None else "offset", unit, zone, "")
        if values.dtype.is_numeric():
            return cls("epoch", unit, zone, "")
        if values.dtype == pl.Null:
            return None
        if values.dtype != pl.String:
            raise InvalidDataError(
                f"{where}, column 'timestamp': expected text, numbers or datetimes, got {values.dtype}. Convert it."
            )
        text = values.str.strip_chars()
        kinds = _conventions(text)
        is_time = kinds.is_not_null()
        if not is_time.any():
            return None
        convention: Convention = kinds.filter(is_time)[0]
        return cls(convention, unit, zone, text.filter(is_time)[0])

    def parse(self, values: pl.Series) -> pl.DataFrame:
        """Convert one batch.

        Returns:
            Columns of ``OUTCOME``, one row per value.
        """
        if values.dtype.is_temporal():
            return self._parse_datetimes(values)
        return self._parse_epochs(values) if self.convention == "epoch" else self._parse_text(values)

    def _parse_datetimes(self, values: pl.Series) -> pl.DataFrame:
        moments = values.cast(pl.Datetime("us", _zone_of(values)))
        utc = self._localised(moments) if _zone_of(values) is None else moments.dt.convert_time_zone("UTC")
        return self._judged(utc, null_was=values.is_null(), expected="a timestamp")

    def _parse_epochs(self, values: pl.Series) -> pl.DataFrame:
        ticks = _TICKS_PER_SECOND["s" if self.unit == "auto" else self.unit]
        exact = None if values.dtype.is_float() else values.cast(pl.Int64, strict=False)
        if exact is not None and exact.null_count() == values.null_count():
            seconds = exact.cast(pl.Float64) / ticks
            # Numbers out of range would overflow below; they are judged by ``seconds``.
            micros = exact.clip(_EARLIEST_S * ticks, _LATEST_S * ticks) * (1_000_000 // ticks)
        else:
            seconds = _as_number(values) / ticks
            micros = (seconds.clip(_EARLIEST_S, _LATEST_S) * 1e6).round().cast(pl.Int64)
        utc = micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        return self._judged(utc, null_was=values.is_null(), expected="a number since 1970", seconds=seconds)

    def _parse_text(self, values: pl.Series) -> pl.DataFrame:
        text = values.str.strip_chars()
        parts = text.str.extract_groups(_ISO).struct.unnest()
        local = (
            parts["day"] + " " + parts["minute"].fill_null("00:00") + ":" + parts["second"].fill_null("00")
        ).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        has_offset = parts["offset"].is_not_null()
        if self.convention == "offset":
            utc = (local - _offset(parts["offset"])).dt.replace_time_zone("UTC")
            stray = parts["day"].is_not_null() & ~has_offset
            expected = f"an offset like that of {self.shown!r}, or --timezone and no offsets at all"
        else:
            utc = self._localised(local)
            stray = has_offset
            expected = f"a local time like {self.shown!r} without an offset"
        judged = self._judged(utc, null_was=values.is_null(), expected="an ISO 8601 timestamp")
        return judged.with_columns(
            pl.when(stray).then(None).otherwise(pl.col("timestamp")).alias("timestamp"),
            pl.when(stray).then(pl.lit("mixed_time_zones")).otherwise(pl.col("reason")).alias("reason"),
            pl.when(stray).then(pl.lit(expected)).otherwise(pl.col("expected")).alias("expected"),
        )

    def _localised(self, local: pl.Series) -> pl.Series:
        # The hour that occurs twice when clocks go back is read as its first; the one they skip is no time at all.
        zoned = local.dt.replace_time_zone(self.timezone, ambiguous="earliest", non_existent="null")
        return zoned.dt.convert_time_zone("UTC")

    def _judged(
        self, utc: pl.Series, *, null_was: pl.Series, expected: str, seconds: pl.Series | None = None
    ) -> pl.DataFrame:
        since_1970 = utc.dt.epoch("us").cast(pl.Float64) / 1e6 if seconds is None else seconds
        outside = ((since_1970 < _EARLIEST_S) | (since_1970 >= _LATEST_S)).fill_null(value=False)
        return pl.select(
            pl.when(outside).then(None).otherwise(utc).alias("timestamp"),
            pl.when(null_was)
            .then(pl.lit("null_timestamp"))
            .when(utc.is_null())
            .then(pl.lit("unparseable_timestamp"))
            .when(outside)
            .then(pl.lit("timestamp_out_of_range"))
            .alias("reason"),
            pl.when(outside)
            .then(pl.lit("a time from 1970 to 2100"))
            .when(null_was | utc.is_null())
            .then(pl.lit(expected))
            .alias("expected"),
        )


def explain_out_of_range(value: str, unit: Unit) -> str:
    """Say what year a number came out as, and which unit would have made sense.

    Returns:
        `` (year 51,000: milliseconds read as seconds)`` or nothing, where no unit explains it.
    """
    try:
        number = float(value)
    except ValueError:
        return ""
    taken = "s" if unit == "auto" else unit
    year = 1970 + number / _TICKS_PER_SECOND[taken] / _SECONDS_PER_YEAR
    names = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}
    for other, ticks in _TICKS_PER_SECOND.items():
        if other != taken and number > 0 and _EARLIEST_S <= number / ticks < _LATEST_S:
            return f" (year {year:,.0f}: {names[other]} read as {names[taken]}; pass --timestamp-unit {other})"
    return f" (year {year:,.0f})"


def _conventions(text: pl.Series) -> pl.Series:
    """How each text writes its time; null where it is none."""
    parts = text.str.extract_groups(_ISO).struct.unnest()
    return pl.select(
        pl.when(text.str.contains(_NUMBER))
        .then(pl.lit("epoch"))
        .when(parts["offset"].is_not_null())
        .then(pl.lit("offset"))
        .when(parts["day"].is_not_null())
        .then(pl.lit("local"))
    ).to_series()


def _as_number(values: pl.Series) -> pl.Series:
    """Numbers with fractions or too large for integers; null for what is none."""
    if values.dtype.is_numeric():
        return values.cast(pl.Float64).fill_nan(None)
    text = values.cast(pl.String).str.strip_chars()
    is_number = text.str.contains(_NUMBER).fill_null(value=False)
    return text.set(~is_number, None).cast(pl.Float64, strict=False)


def _zone_of(values: pl.Series) -> str | None:
    return values.dtype.time_zone if isinstance(values.dtype, pl.Datetime) else None


def _offset(text: pl.Series) -> pl.Series:
    zulu = text.str.to_uppercase().is_in(["Z", "UTC"])
    digits = text.str.replace(":", "", literal=True)
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    sign = digits.str.starts_with("-").cast(pl.Int64) * -2 + 1
    total = (sign * (hours * 60 + minutes)).set(zulu, 0)
    return (total * 60_000_000).cast(pl.Duration("us"))


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidConfigError(
            f"--timezone: expected an IANA name such as Europe/Vienna, got {name!r}. Correct it."
        ) from error
