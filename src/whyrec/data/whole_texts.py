"""All that a catalogue says of an item as one text, for comparing items with each other."""

import polars as pl

from whyrec.data import schema


def whole_texts(items: pl.DataFrame) -> list[str]:
    """One text per item: title, then every other column of text or lists of text, in the order of the catalogue."""
    first = [schema.TITLE]
    others = [
        name
        for name, kind in items.schema.items()
        if kind in (pl.String, pl.Categorical, pl.List(pl.String)) and name not in (schema.ITEM, schema.TITLE)
    ]
    parts = [
        pl.col(name).list.join(" ") if isinstance(items.schema[name], pl.List) else pl.col(name).cast(pl.String)
        for name in (*first, *others)
    ]
    return items.select(pl.concat_str(parts, separator=". ", ignore_nulls=True).alias("text"))["text"].to_list()
