"""Check the rows of a log: good rows in the schema's types, bad rows with the reason and the values they came with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from whyrec.data import schema
from whyrec.data.raw_rows import PROBLEM, ROW
from whyrec.data.timestamps import TimestampRule, Unit, explain_out_of_range
from whyrec.errors import InvalidDataError

REJECTED = {
    "row": pl.UInt64(),
    "column": pl.String(),
    "reason": pl.String(),
    "expected": pl.String(),
    "got": pl.String(),
    "raw": pl.String(),
}
"""Columns of ``rejected.parquet``; ``raw`` is the row as it came, as one JSON object of texts."""

_QUARANTINE = "Correct it, or set bad rows aside with --on-bad-rows=quarantine."
_ADVICE = {
    "timestamp_out_of_range": "Check --timestamp-unit.",
    "mixed_time_zones": "Write all times one way.",
    "unknown_item": "Add it to the catalogue, or pass --unknown-items=add.",
}


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """One batch after checking."""

    good: pl.DataFrame
    """``ROW`` and the log's columns, in the schema's types."""
    rejected: pl.DataFrame
    """Columns of ``REJECTED``."""
    n_blank: int
    """Rows with no value in any column that is read: blank lines. Neither good nor bad."""
    n_filtered: int = 0
    """Rows that the caller asked to leave out."""


@dataclass
class LogValidator:
    """Checks the batches of one file, in order; remembers the timestamp convention that the first row settles."""

    where: str
    columns: Mapping[str, str]
    """Column of the file by field."""
    unit: Unit = "auto"
    timezone: str | None = None
    catalogue: pl.Series | None = None
    """The item_ids that interactions may name; None allows any."""
    rule: TimestampRule | None = field(default=None, init=False)

    def check(self, batch: pl.DataFrame) -> CheckedBatch:
        """Split a batch into good and bad rows.

        Args:
            batch: As a reader yields it: ``ROW``, ``PROBLEM`` and at least the mapped columns.

        Raises:
            InvalidDataError: If a column's type cannot hold its field, whatever the rows say.
        """
        raw = batch.select(ROW, PROBLEM, *(pl.col(name).alias(key) for key, name in self.columns.items()))
        is_blank = pl.all_horizontal(pl.col(PROBLEM, *self.columns).is_null())
        filled = raw.filter(~is_blank)
        judged = self._typed(filled).with_columns(_first_reason())
        is_good = pl.col("reason").is_null()
        return CheckedBatch(
            good=judged.filter(is_good).select(ROW, *self.columns),
            rejected=_rejections(judged.filter(~is_good), filled.filter(judged["reason"].is_not_null())),
            n_blank=raw.height - filled.height,
        )

    def _typed(self, raw: pl.DataFrame) -> pl.DataFrame:
        if self.rule is None:
            self.rule = TimestampRule.settle(
                raw[schema.TIMESTAMP], unit=self.unit, timezone=self.timezone, where=self.where
            )
        times = _no_timestamp(raw[schema.TIMESTAMP]) if self.rule is None else self.rule.parse(raw[schema.TIMESTAMP])
        ratings = _optional(raw, schema.RATING, where=self.where)
        numbers = ratings.cast(pl.Float64, strict=False)
        typed = [
            raw[ROW],
            raw[PROBLEM],
            id_text(raw[schema.USER], where=self.where),
            id_text(raw[schema.ITEM], where=self.where),
            times["timestamp"].alias(schema.TIMESTAMP),
            times["reason"].alias("timestamp_reason"),
            times["expected"].alias("timestamp_expected"),
            numbers,
            (ratings.is_not_null() & numbers.is_null()).alias("is_unparseable_rating"),
            _optional(raw, schema.REVIEW, where=self.where).cast(pl.String),
        ]
        frame = pl.DataFrame(typed)
        known = pl.lit(value=True) if self.catalogue is None else pl.col(schema.ITEM).is_in(self.catalogue.implode())
        return frame.with_columns(known.alias("is_known_item"))


def rejection_message(where: str, rejected: Mapping[str, object], *, unit: Unit = "auto") -> str:
    """Put one row of ``REJECTED`` into words: file, row, column, expected, got, what to do."""
    reason, got = str(rejected["reason"]), rejected["got"]
    place = f"{where} row {rejected['row']}"
    if reason == "malformed_row":
        return f"{place}: expected {rejected['expected']}. {_QUARANTINE}"
    shown = "nothing" if got is None else repr(got)
    if reason == "timestamp_out_of_range":
        shown += explain_out_of_range(str(got), unit)
    advice = _ADVICE.get(reason, _QUARANTINE)
    return f"{place}, column {rejected['column']!r}: expected {rejected['expected']}, got {shown}. {advice}"


def _first_reason() -> pl.Expr:
    rating = pl.col(schema.RATING)
    return (
        pl.when(pl.col(PROBLEM).is_not_null())
        .then(pl.lit("malformed_row"))
        .when(pl.col(schema.USER).is_null())
        .then(pl.lit("null_user_id"))
        .when(pl.col(schema.ITEM).is_null())
        .then(pl.lit("null_item_id"))
        .when(pl.col("timestamp_reason").is_not_null())
        .then(pl.col("timestamp_reason"))
        .when(pl.col("is_unparseable_rating"))
        .then(pl.lit("unparseable_rating"))
        .when(rating.is_nan())
        .then(pl.lit("nan_rating"))
        .when(rating < 0)
        .then(pl.lit("negative_rating"))
        .when(rating.is_infinite())
        .then(pl.lit("infinite_rating"))
        .when(~pl.col("is_known_item"))
        .then(pl.lit("unknown_item"))
        .alias("reason")
    )


_PLACES = {
    "null_user_id": (schema.USER, "an id"),
    "null_item_id": (schema.ITEM, "an id"),
    "unparseable_rating": (schema.RATING, "a number"),
    "nan_rating": (schema.RATING, "a number"),
    "negative_rating": (schema.RATING, "a number not below 0"),
    "infinite_rating": (schema.RATING, "a finite number"),
    "unknown_item": (schema.ITEM, "an item of the catalogue"),
}


def _rejections(judged: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    texts = raw.select(pl.exclude(ROW, PROBLEM).cast(pl.String))
    reason = pl.col("reason")
    columns = {name: place[0] for name, place in _PLACES.items()}
    expectations = {name: place[1] for name, place in _PLACES.items()}
    is_malformed = reason == "malformed_row"
    column = pl.when(is_malformed).then(None).otherwise(reason.replace_strict(columns, default=schema.TIMESTAMP))
    expected = (
        pl.when(is_malformed)
        .then(pl.col(PROBLEM))
        .otherwise(reason.replace_strict(expectations, default=pl.col("timestamp_expected")))
    )
    described = judged.select(
        pl.col(ROW).alias("row"), column.alias("column"), reason, expected.alias("expected")
    ).with_columns(texts)
    got = pl.coalesce(pl.when(pl.col("column") == name).then(pl.col(name)) for name in texts.columns)
    as_json = pl.struct(texts.columns).struct.json_encode()
    return described.with_columns(got.alias("got"), as_json.alias("raw")).select(
        pl.col(name).cast(kind) for name, kind in REJECTED.items()
    )


def id_text(values: pl.Series, *, where: str) -> pl.Series:
    """Ids as text: ``7`` and ``"7"`` are one id, an empty text is none."""
    if values.dtype.is_float():
        raise InvalidDataError(
            f"{where}, column {values.name!r}: expected text or whole numbers, got {values.dtype} "
            "(as pandas makes of whole numbers with gaps). Convert it to text or integers."
        )
    _require_flat(values, where=where)
    text = values.cast(pl.String)
    return text.set(text == "", None) if values.dtype == pl.String else text


def _optional(raw: pl.DataFrame, column: str, *, where: str) -> pl.Series:
    """A column that the file may lack."""
    if column not in raw.columns:
        return pl.Series(column, [None] * raw.height, dtype=pl.String)
    _require_flat(raw[column], where=where)
    return raw[column]


def _require_flat(values: pl.Series, *, where: str) -> None:
    if values.dtype.is_nested() or values.dtype == pl.Binary:
        raise InvalidDataError(
            f"{where}, column {values.name!r}: expected one value per row, got {values.dtype}. Map another column."
        )


def _no_timestamp(values: pl.Series) -> pl.DataFrame:
    """What to say while not one value of the column has looked like a time."""
    return values.to_frame("value").select(
        pl.lit(None, dtype=schema.TIMESTAMP_TYPE).alias("timestamp"),
        pl.when(pl.col("value").is_null())
        .then(pl.lit("null_timestamp"))
        .otherwise(pl.lit("unparseable_timestamp"))
        .alias("reason"),
        pl.lit("an ISO 8601 timestamp or a number since 1970").alias("expected"),
    )
