"""Which column of a file holds which field: said by the caller, or known under a usual name when only one fits."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whyrec.data import schema
from whyrec.errors import InvalidConfigError, InvalidDataError


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table and the names under which public data sets keep it."""

    name: str
    required: bool
    aliases: frozenset[str]
    """Normalised: lower case, letters and digits only."""


def _field(name: str, aliases: str, *, required: bool = False) -> Field:
    return Field(name, required, frozenset(aliases.split()))


_USER = _field(schema.USER, "user userid uid customer customerid reviewerid visitorid sessionid", required=True)
_ITEM = _field(schema.ITEM, "item itemid iid movie movieid product productid asin isbn sku stockcode", required=True)

LOG_FIELDS = (
    _USER,
    _ITEM,
    _field(
        schema.TIMESTAMP,
        "timestamp time ts when date datetime unixtime unixreviewtime createdat eventtime invoicedate",
        required=True,
    ),
    _field(schema.RATING, "rating stars score overall"),
    _field(schema.REVIEW, "review reviewtext reviewbody text comment"),
)
ITEM_FIELDS = (
    _ITEM,
    _field(schema.TITLE, "title name itemname productname itemtitle", required=True),
    _field(schema.DESCRIPTION, "description desc plot summary"),
)
USER_FIELDS = (_USER,)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The outcome: where each field stands, and what was assumed on the way."""

    columns: Mapping[str, str]
    """Column of the file by field; optional fields that the file lacks are absent."""
    notes: tuple[str, ...]
    """One sentence per assumption, for the caller to show."""


def map_columns(
    found: Sequence[str], fields: Sequence[Field], *, given: Mapping[str, str], where: str, flag: str = "--map"
) -> ColumnMap:
    """Decide which column holds which field.

    A field takes, in this order: the column ``given`` for it, the column of its own name, the single column with one of
    its usual names.

    Args:
        found: Columns of the file.
        fields: Fields to look for.
        given: Column by field, as the caller said.
        where: The file, for messages.
        flag: How the command line spells ``given``, for messages.

    Raises:
        InvalidConfigError: If ``given`` names an unknown field.
        InvalidDataError: If a column is missing, or two could hold the same required field.
    """
    known = [field.name for field in fields]
    for name in given:
        if name not in known:
            raise InvalidConfigError(f"{flag} {name}=...: expected one of {', '.join(known)}, got {name!r}.")
    free = [name for name in found if name not in given.values()]
    taken = set(given.values()) | {name for name in known if name in free and name not in given}
    columns: dict[str, str] = {}
    notes: list[str] = []
    for field in fields:
        column, note = _column_of(field, found, given=given, taken=taken, where=where, flag=flag)
        if column is not None:
            columns[field.name] = column
            taken.add(column)
        if note:
            notes.append(f"{where}: {note}")
    return ColumnMap(columns, tuple(notes))


def _column_of(
    field: Field, found: Sequence[str], *, given: Mapping[str, str], taken: set[str], where: str, flag: str
) -> tuple[str | None, str]:
    listed = ", ".join(found)
    if field.name in given:
        column = given[field.name]
        if column not in found:
            raise InvalidDataError(
                f"{where}: expected a column {column!r} for {field.name!r}, got {listed}. Correct {flag}."
            )
        return column, ""
    if field.name in found and field.name not in given.values():
        return field.name, ""
    candidates = [name for name in found if name not in taken and _normalised(name) in field.aliases]
    if len(candidates) == 1:
        return candidates[0], f"column {candidates[0]!r} is read as {field.name}."
    if len(candidates) > 1:
        rivals = ", ".join(candidates)
        if field.required:
            raise InvalidDataError(
                f"{where}: expected one column for {field.name!r}, got several: {rivals}. "
                f"Choose with {flag} {field.name}=COLUMN."
            )
        return None, f"columns {rivals} could all be {field.name}, so none is; {flag} {field.name}=COLUMN chooses."
    if field.required:
        raise InvalidDataError(
            f"{where}: expected a column {field.name!r}, got {listed}. Name it with {flag} {field.name}=COLUMN."
        )
    return None, ""


def _normalised(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
