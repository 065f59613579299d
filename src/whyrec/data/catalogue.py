"""Read the tables that are small enough for memory: the catalogue of items, and the users if there are any."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from whyrec.data import schema
from whyrec.data.columns import Field, map_columns
from whyrec.data.raw_rows import PROBLEM, ROW
from whyrec.data.read import Table
from whyrec.data.validate import REJECTED, id_text
from whyrec.data.visible_text import visible_frame
from whyrec.errors import InvalidDataError

# Longer digit strings are codes, and so are those with leading zeros: both would lose something as numbers.
_INTEGER = r"^(?:0|-?[1-9]\d{0,14})$"
_DECIMAL = r"^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?$"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One row per id, with what was assumed and what was set aside."""

    file: str
    frame: pl.DataFrame
    columns: Mapping[str, str]
    """Column of the file by field."""
    rejected: pl.DataFrame
    notes: tuple[str, ...]


def read_catalogue(
    table: Table,
    fields: Sequence[Field],
    *,
    given: Mapping[str, str],
    flag: str,
    list_columns: Mapping[str, str] | None = None,
) -> Catalogue:
    """Read items (or users): the mapped fields first, every other column as an attribute.

    Attributes from text files become numbers where every value is one; values of ``list_columns`` are split.

    Args:
        table: The file.
        fields: Fields to look for; the first is the id.
        given: Column by field, as the caller said.
        flag: How the command line spells ``given``.
        list_columns: Separator by column, for columns with several values in one text.

    Raises:
        InvalidDataError: If a column is missing, or the file holds no row.
    """
    mapping = map_columns(table.columns, fields, given=given, where=table.name, flag=flag)
    key = fields[0].name
    raw = table.read()
    _require_free_names(mapping.columns, table)
    renamed = raw.rename({column: field for field, column in mapping.columns.items()})
    frame = renamed.with_columns(id_text(renamed[key], where=table.name))
    judged = frame.with_columns(_reason(key))
    kept = judged.filter(pl.col("reason").is_null()).drop("reason", ROW, PROBLEM)
    good, n_unseen = visible_frame(kept, keys=[key])
    notes = list(mapping.notes)
    if n_unseen:
        notes.append(f"{table.name}: {n_unseen:,} values held characters that nobody sees; these were taken out.")
    if schema.TITLE in mapping.columns:
        good, note = _with_titles(good, where=table.name)
        notes.extend(note)
    shaped = _shaped(good, key, list_columns=list_columns or {}, mapped=list(mapping.columns), where=table.name)
    return Catalogue(table.name, shaped, mapping.columns, _rejections(judged, key), tuple(notes))


def items_from_ids(item_ids: pl.Series) -> pl.DataFrame:
    """Make a catalogue of bare ids: each item's title is its id."""
    ids = item_ids.unique().sort().alias(schema.ITEM)
    return pl.DataFrame([ids, ids.alias(schema.TITLE)])


def _require_free_names(columns: Mapping[str, str], table: Table) -> None:
    """Refuse to give a field a name that another column of the file holds already."""
    for field, column in columns.items():
        if field != column and field in table.columns:
            raise InvalidDataError(
                f"{table.name}: expected no column {field!r} beside {column!r}, which is mapped to it, got both. "
                "Rename or remove one."
            )


def _reason(key: str) -> pl.Expr:
    return (
        pl.when(pl.col(PROBLEM).is_not_null())
        .then(pl.lit("malformed_row"))
        .when(pl.col(key).is_null())
        .then(pl.lit(f"null_{key}"))
        .when(~pl.col(key).is_first_distinct())
        .then(pl.lit(f"duplicate_{key}"))
        .alias("reason")
    )


def _rejections(judged: pl.DataFrame, key: str) -> pl.DataFrame:
    bad = judged.filter(pl.col("reason").is_not_null())
    values = bad.select(pl.exclude(ROW, PROBLEM, "reason"))
    texts = values.select(pl.col(name).cast(pl.String, strict=False) for name in _flat(values))
    expected = {f"null_{key}": "an id", f"duplicate_{key}": "each id once"}
    return bad.select(
        pl.col(ROW).alias("row"),
        pl.lit(key).alias("column"),
        "reason",
        pl.col("reason").replace_strict(expected, default=pl.col(PROBLEM)).alias("expected"),
        pl.col(key).alias("got"),
        texts.select(pl.struct(pl.all()).struct.json_encode()).to_series().alias("raw"),
    ).select(pl.col(name).cast(kind) for name, kind in REJECTED.items())


def _flat(frame: pl.DataFrame) -> Iterator[str]:
    return (name for name, kind in frame.schema.items() if not kind.is_nested())


def _with_titles(items: pl.DataFrame, *, where: str) -> tuple[pl.DataFrame, list[str]]:
    title = pl.col(schema.TITLE).cast(pl.String).str.strip_chars().replace("", None)
    titled = items.with_columns(title)
    n_missing = titled[schema.TITLE].null_count()
    filled = titled.with_columns(pl.col(schema.TITLE).fill_null(pl.col(schema.ITEM)))
    return filled, [f"{where}: {n_missing} items without a title are called by their id."] if n_missing else []


def _shaped(
    frame: pl.DataFrame, key: str, *, list_columns: Mapping[str, str], mapped: list[str], where: str
) -> pl.DataFrame:
    attributes = [name for name in frame.columns if name not in mapped]
    for name in list_columns:
        if name not in attributes or frame[name].dtype != pl.String:
            raise InvalidDataError(
                f"{where}: expected a text column {name!r} to split, got {', '.join(attributes) or 'none'}. "
                "Correct --list-col."
            )
    columns = [
        _split(frame[name], list_columns[name]) if name in list_columns else _narrowed(frame[name])
        for name in attributes
    ]
    described = [frame[name].cast(pl.String) for name in mapped if name != key]
    return pl.DataFrame([frame[key], *described, *columns]).sort(key)


def _split(values: pl.Series, separator: str) -> pl.Series:
    parts = values.str.split(separator).list.eval(pl.element().str.strip_chars())
    frame = parts.to_frame("parts").select(pl.col("parts").list.filter(pl.element() != ""))
    return frame.to_series().alias(values.name)


def _narrowed(values: pl.Series) -> pl.Series:
    """A text column of numbers as numbers; anything else as it is."""
    if values.dtype != pl.String or values.null_count() == values.len():
        return values
    text = values.drop_nulls()
    if text.str.contains(_INTEGER).all():
        return values.cast(pl.Int64)
    return values.cast(pl.Float64) if text.str.contains(_DECIMAL).all() else values
