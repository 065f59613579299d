from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.raw_rows import PROBLEM, ROW
from whyrec.data.validate import CheckedBatch, LogValidator, rejection_message
from whyrec.errors import InvalidDataError

COLUMNS = {name: name for name in ("user_id", "item_id", "timestamp", "rating")}
GOOD = ("u1", "i1", "2013-10-16T12:00:00Z", "4.5")


def checked(rows: list[tuple[Any, ...]], *, catalogue: list[str] | None = None) -> CheckedBatch:
    frame = pl.DataFrame(rows, schema=list(COLUMNS), orient="row", strict=False)
    batch = frame.with_row_index(ROW, offset=1).with_columns(pl.lit(None, dtype=pl.String).alias(PROBLEM))
    known = None if catalogue is None else pl.Series(catalogue)
    return LogValidator("log.csv", COLUMNS, catalogue=known).check(batch.with_columns(pl.col(ROW).cast(pl.UInt64)))


def test_good_rows_take_the_schema_types() -> None:
    good = checked([GOOD]).good
    assert good.schema == {
        ROW: pl.UInt64,
        "user_id": pl.String,
        "item_id": pl.String,
        "timestamp": pl.Datetime("us", "UTC"),
        "rating": pl.Float64,
    }
    assert good["rating"].item() == 4.5


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            (None, "i1", GOOD[2], "1"),
            "log.csv row 2, column 'user_id': expected an id, got nothing. Correct it, or set",
        ),
        (("u1", "", GOOD[2], "1"), "log.csv row 2, column 'item_id': expected an id, got ''."),
        (("u1", "i1", "yesterday", "1"), "column 'timestamp': expected an ISO 8601 timestamp, got 'yesterday'."),
        (("u1", "i1", None, "1"), "column 'timestamp': expected an ISO 8601 timestamp, got nothing."),
        (("u1", "i1", "2013-10-16", "1"), "column 'timestamp': expected an offset like that of '2013-10-16T12:00:00Z'"),
        (("u1", "i1", "2113-10-16Z", "1"), "expected a time from 1970 to 2100, got '2113-10-16Z'. Check --timestamp-u"),
        (("u1", "i1", GOOD[2], "-1"), "row 2, column 'rating': expected a number not below 0, got '-1'."),
        (("u1", "i1", GOOD[2], "NaN"), "row 2, column 'rating': expected a number, got 'NaN'."),
        (("u1", "i1", GOOD[2], "inf"), "row 2, column 'rating': expected a finite number, got 'inf'."),
        (("u1", "i1", GOOD[2], "good"), "row 2, column 'rating': expected a number, got 'good'."),
        (
            ("u1", "i9", GOOD[2], "1"),
            "column 'item_id': expected an item of the catalogue, got 'i9'. Add it to the cat",
        ),
    ],
)
def test_each_bad_row_is_told_from_the_good_with_its_reason(bad: tuple[Any, ...], message: str) -> None:
    outcome = checked([GOOD, bad, GOOD], catalogue=["i1"])
    assert outcome.good[ROW].to_list() == [1, 3]
    assert message in rejection_message("log.csv", outcome.rejected.row(0, named=True))


def test_the_year_of_milliseconds_is_told() -> None:
    outcome = checked([("u1", "i1", "1381926615", "1"), ("u1", "i1", "1547000000000", "1")])
    assert "got '1547000000000' (year 50,992: milliseconds read as seconds; pass --timestamp-unit ms)" in (
        rejection_message("log.csv", outcome.rejected.row(0, named=True))
    )


def test_a_row_that_did_not_parse_says_so_first() -> None:
    frame = pl.DataFrame(
        {ROW: [1], PROBLEM: ["4 fields, got 5: 'x'"], **{name: [None] for name in COLUMNS}},
        schema_overrides={ROW: pl.UInt64, **dict.fromkeys(COLUMNS, pl.String)},
    )
    outcome = LogValidator("log.csv", COLUMNS).check(frame)
    message = rejection_message("log.csv", outcome.rejected.row(0, named=True))
    assert message.startswith("log.csv row 1: expected 4 fields, got 5: 'x'. Correct it")


def test_a_blank_row_is_neither_good_nor_bad() -> None:
    outcome = checked([GOOD, (None, None, None, None)])
    assert (outcome.good.height, outcome.rejected.height, outcome.n_blank) == (1, 0, 1)


def test_no_rating_is_no_fault() -> None:
    assert checked([(*GOOD[:3], None)]).good["rating"].to_list() == [None]


def test_raw_values_are_kept_as_text() -> None:
    rejected = checked([GOOD, ("u1", "i1", "yesterday", "4.5")]).rejected
    assert rejected["raw"].item() == '{"user_id":"u1","item_id":"i1","timestamp":"yesterday","rating":"4.5"}'


def test_numbers_are_ids_but_fractions_are_not() -> None:
    assert checked([(7, 8, GOOD[2], 1.0)]).good.select("user_id", "item_id").row(0) == ("7", "8")
    with pytest.raises(InvalidDataError, match="column 'user_id': expected text or whole numbers, got Float64"):
        checked([(7.0, 8, GOOD[2], 1.0)])


def test_lists_are_no_values() -> None:
    with pytest.raises(InvalidDataError, match=r"column 'rating': expected one value per row, got List\(Int64\)"):
        checked([("u", "i", GOOD[2], [1])])
    with pytest.raises(InvalidDataError, match="column 'user_id': expected one value per row, got Binary"):
        checked([(b"u", "i", GOOD[2], 1)])


def test_a_convention_is_remembered_from_batch_to_batch() -> None:
    validator = LogValidator("log.csv", COLUMNS)
    for n, (time, reason) in enumerate([("soon", "unparseable_timestamp"), (GOOD[2], None), ("2013-10-16", "mixed")]):
        batch = pl.DataFrame([("u", "i", time, "1")], schema=list(COLUMNS), orient="row").with_columns(
            pl.lit(n + 1, dtype=pl.UInt64).alias(ROW), pl.lit(None, dtype=pl.String).alias(PROBLEM)
        )
        found = validator.check(batch).rejected["reason"].to_list()
        assert [part.split("_time")[0] for part in found] == ([] if reason is None else [reason.split("_time")[0]])


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["u1", "u2", "", None]),
            st.sampled_from(["i1", "i2", "", None]),
            st.sampled_from(["1381926615", "x", None, "99999999999999"]),
            st.sampled_from(["1", "-1", "NaN", "good", None]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_row_is_good_bad_or_blank_and_stays_in_order(rows: list[tuple[str | None, ...]]) -> None:
    batch = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row").with_columns(
        pl.int_range(1, len(rows) + 1, dtype=pl.UInt64).alias(ROW), pl.lit(None, dtype=pl.String).alias(PROBLEM)
    )
    outcome = LogValidator("log.csv", COLUMNS).check(batch)
    good, bad = outcome.good[ROW].to_list(), outcome.rejected["row"].to_list()
    blank = [n for n, row in enumerate(rows, start=1) if row == (None,) * 4]
    assert sorted(good + bad + blank) == list(range(1, len(rows) + 1))
    assert good == sorted(good)
    assert outcome.n_blank == len(blank)
    fine = [
        n
        for n, (user, item, time, rating) in enumerate(rows, start=1)
        if user and item and time == "1381926615" and rating in ("1", None)
    ]
    assert good == fine
