"""What the catalogue says of an item beside its id and title."""

from collections.abc import Mapping

from whyrec.data import schema

AttributeValue = str | float | tuple[str, ...]


def attributes_of(entry: Mapping[str, object]) -> dict[str, AttributeValue]:
    """The attributes of one row of the catalogue: empty ones left out, multi-valued ones as tuples.

    Args:
        entry: Column names and values.
    """
    return {
        name: _plain(value)
        for name, value in entry.items()
        if name not in (schema.ITEM, schema.TITLE) and value is not None and value != ""
    }


def _plain(value: object) -> AttributeValue:
    if isinstance(value, list | tuple):
        return tuple(str(part) for part in value)
    return float(value) if isinstance(value, int | float) else str(value)
