"""What documents say of items: titles, attributes as text, descriptions."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from whyrec.data import schema
from whyrec.data.attributes import AttributeValue, attributes_of


@dataclass(frozen=True, slots=True)
class Described:
    """An item of the catalogue as documents tell of it."""

    item_id: str
    title: str
    """The item_id of an item without one."""
    description: str
    attributes: Mapping[str, tuple[str, ...]]


def read_catalogue(items: pl.DataFrame) -> dict[str, Described]:
    """Every item by its id, in the catalogue's order."""
    return {str(row[schema.ITEM]): _described(row) for row in items.iter_rows(named=True)}


def _described(row: Mapping[str, object]) -> Described:
    item_id = str(row[schema.ITEM])
    attributes = {name: _texts(value) for name, value in attributes_of(row).items() if name != schema.DESCRIPTION}
    return Described(
        item_id,
        str(row[schema.TITLE] or item_id),
        str(row.get(schema.DESCRIPTION) or ""),
        {name: texts for name, texts in attributes.items() if texts},
    )


def _texts(value: AttributeValue) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, float):
        # Repr tells of a float all that there is, and a whole number needs no point.
        return (str(int(value)) if value.is_integer() else repr(value),)
    return (value,)
