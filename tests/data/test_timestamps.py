from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.timestamps import TimestampRule, Unit, explain_out_of_range
from whyrec.errors import InvalidConfigError, InvalidDataError

NOON = datetime(2013, 10, 16, 12, 30, 15, tzinfo=UTC)


def parsed(values: list[Any], *, unit: Unit = "auto", timezone: str | None = None) -> pl.DataFrame:
    series = pl.Series("timestamp", values, strict=False)
    rule = TimestampRule.settle(series, unit=unit, timezone=timezone, where="log.csv")
    assert rule is not None
    return rule.parse(series)


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("2013-10-16T12:30:15Z", "auto"),
        ("2013-10-16 12:30:15", "auto"),
        ("2013-10-16T12:30:15.000000", "auto"),
        ("2013-10-16 12:30:15 UTC", "auto"),
        ("2013-10-16T14:30:15+02:00", "auto"),
        ("2013-10-16T07:00:15-0530", "auto"),
        ("2013-10-16T14:30:15+02", "auto"),
        (" 1381926615 ", "auto"),
        ("1381926615.0", "s"),
        ("1381926615000", "ms"),
        (1381926615, "auto"),
        (1381926615.0, "s"),
        (1381926615000000, "us"),
        (NOON, "auto"),
        (NOON.replace(tzinfo=None), "auto"),
        (NOON.astimezone(ZoneInfo("Asia/Kolkata")), "auto"),
    ],
)
def test_every_spelling_of_one_moment_is_that_moment(value: Any, unit: Unit) -> None:
    assert parsed([value], unit=unit)["timestamp"].to_list() == [NOON]


def test_a_day_is_its_first_moment() -> None:
    midnight = datetime(2013, 10, 16, tzinfo=UTC)
    assert parsed(["2013-10-16"])["timestamp"].to_list() == [midnight]
    assert parsed([date(2013, 10, 16)])["timestamp"].to_list() == [midnight]


def test_local_times_are_moved_from_their_zone() -> None:
    outcome = parsed(["2013-07-01 12:00", "2013-12-01 12:00"], timezone="Europe/Vienna")
    assert outcome["timestamp"].dt.hour().to_list() == [12 - 2, 12 - 1]


def test_the_hour_that_occurs_twice_is_its_first_and_the_skipped_one_is_none() -> None:
    outcome = parsed(["2013-10-27 02:30", "2013-03-31 02:30"], timezone="Europe/Vienna")
    assert outcome["timestamp"][0] == datetime(2013, 10, 27, 0, 30, tzinfo=UTC)
    assert outcome["reason"].to_list() == [None, "unparseable_timestamp"]


def test_what_is_no_time_is_said_to_be_none() -> None:
    outcome = parsed(["2013-10-16", "yesterday", None, "2013-02-30", "2013-10-16 25:00", "16/10/2013"])
    bad = "unparseable_timestamp"
    assert outcome["reason"].to_list() == [None, bad, "null_timestamp", bad, bad, bad]


def test_milliseconds_read_as_seconds_are_refused() -> None:
    outcome = parsed(["1381926615", "1381926615000", "-5", "4102444800"])
    assert outcome["reason"].to_list() == [None, *["timestamp_out_of_range"] * 3]
    year = 1970 + 1381926615000 / 31_556_952
    assert 45_000 < year < 46_000
    assert explain_out_of_range("1381926615000", "auto") == (
        f" (year {year:,.0f}: milliseconds read as seconds; pass --timestamp-unit ms)"
    )


def test_the_year_51000_is_explained() -> None:
    milliseconds = 1_547_000_000_000
    assert round(1970 + milliseconds / 31_556_952, -3) == 51_000
    assert "milliseconds read as seconds; pass --timestamp-unit ms" in explain_out_of_range(str(milliseconds), "s")
    assert "microseconds read as milliseconds" in explain_out_of_range(str(milliseconds * 1000), "ms")


def test_huge_numbers_do_not_overflow() -> None:
    outcome = parsed([2**62, 9e300])
    assert outcome["reason"].to_list() == ["timestamp_out_of_range"] * 2
    assert parsed(["9" * 30, "1"])["reason"].to_list() == ["timestamp_out_of_range", None]


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        (["2013-10-16T12:00Z", "2013-10-16 12:00"], [None, "mixed_time_zones"]),
        (["2013-10-16 12:00", "2013-10-16T12:00+02:00"], [None, "mixed_time_zones"]),
        (["2013-10-16T12:00+02:00", "2013-10-16T12:00-07:00"], [None, None]),
        (["1381926615", "2013-10-16"], [None, "unparseable_timestamp"]),
        (["2013-10-16", "1381926615"], [None, "unparseable_timestamp"]),
    ],
)
def test_one_file_has_one_convention(values: list[str], reasons: list[str | None]) -> None:
    assert parsed(values)["reason"].to_list() == reasons


def test_the_convention_is_that_of_the_first_value_that_parses() -> None:
    outcome = parsed(["nonsense", None, "2013-10-16T12:00Z", "2013-10-16 12:00"])
    assert outcome["reason"].to_list() == ["unparseable_timestamp", "null_timestamp", None, "mixed_time_zones"]
    assert outcome["expected"][3] == "an offset like that of '2013-10-16T12:00Z', or --timezone and no offsets at all"


def test_columns_and_zones_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="column 'timestamp': expected text, numbers or datetimes, got Boolean"):
        parsed([True])
    with pytest.raises(InvalidConfigError, match="expected an IANA name such as Europe/Vienna, got 'Vienna'"):
        parsed(["2013-10-16"], timezone="Vienna")
    nothing = pl.Series(["soon", None])
    assert TimestampRule.settle(nothing, unit="auto", timezone=None, where="log.csv") is None


@given(
    moment=st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2099, 12, 30)),  # noqa: DTZ001
    minutes=st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_iso_text_with_any_offset_survives(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parsed([aware.isoformat()])["timestamp"].to_list() == [aware.astimezone(UTC)]


@given(microseconds=st.integers(min_value=0, max_value=4_102_444_799_999_999))
def test_epoch_numbers_are_exact(microseconds: int) -> None:
    for unit, ticks in (("s", 1_000_000), ("ms", 1_000), ("us", 1)):
        number = microseconds // ticks
        outcome = parsed([number], unit=unit)  # type: ignore[arg-type]
        assert outcome["timestamp"].dt.epoch("us").to_list() == [number * ticks]
