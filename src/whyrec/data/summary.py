"""Describe a dataset in numbers: its size, time span, sparsity, ratings and what the catalogue says of its items."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import WindowLength


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a description."""

    section: str
    name: str
    value: str | int | float


def summarise(data: Dataset) -> list[Fact]:
    """Describe a dataset, from the general to the particular.

    Raises:
        InvalidDataError: If the log is empty.
    """
    return [*_size(data), *_time(data), *_activity(data), *_ratings(data), *_catalogue(data)]


def _size(data: Dataset) -> Iterator[Fact]:
    counts = data.counts
    yield Fact("size", "name", data.name)
    yield Fact("size", "interactions", counts["n_interactions"])
    yield Fact("size", "users", counts["n_users"])
    yield Fact("size", "items in the log", counts["n_items_seen"])
    yield Fact("size", "items in the catalogue", counts["n_items"])
    cells = counts["n_users"] * counts["n_items_seen"]
    yield Fact("size", "density", counts["n_interactions"] / cells if cells else 0.0)
    yield Fact("size", "fingerprint", data.fingerprint)


def _time(data: Dataset) -> Iterator[Fact]:
    first, last = data.time_range
    yield Fact("time", "first", first.isoformat())
    yield Fact("time", "last", last.isoformat())
    yield Fact("time", "days", round((last - first).total_seconds() / 86_400, 1))
    for label, length in (("a month", WindowLength()), ("30 days", WindowLength(30)), ("7 days", WindowLength(7))):
        yield Fact("time", f"full windows of {label}", len(length.full_windows(first, last)))


def _activity(data: Dataset) -> Iterator[Fact]:
    for label, column in (("user", schema.USER), ("item", schema.ITEM)):
        per_id = data.interactions.group_by(column).len().collect(engine="streaming")["len"]
        yield Fact("activity", f"events per {label}, median", _number(per_id.median()))
        yield Fact("activity", f"events per {label}, largest", _number(per_id.max()))
        yield Fact("activity", f"{label}s with one event", int((per_id == 1).sum()))


def _ratings(data: Dataset) -> Iterator[Fact]:
    if schema.RATING not in data.interactions.collect_schema():
        return
    counts = data.interactions.group_by(schema.RATING).len().sort(schema.RATING).collect(engine="streaming")
    known = counts.filter(pl.col(schema.RATING).is_not_null())
    total = int(known["len"].sum())
    yield Fact("ratings", "rated interactions", total)
    if not total:
        return
    yield Fact("ratings", "mean", round(float((known[schema.RATING] * known["len"]).sum()) / total, 3))
    if known.height <= 20:
        for rating, n in known.iter_rows():
            yield Fact("ratings", f"rated {rating:g}", n)
        return
    yield Fact("ratings", "smallest", known[schema.RATING][0])
    yield Fact("ratings", "largest", known[schema.RATING][-1])


def _catalogue(data: Dataset) -> Iterator[Fact]:
    for name in data.items.columns:
        if name == schema.ITEM:
            continue
        values = data.items[name]
        present = values.is_not_null()
        if isinstance(values.dtype, pl.List):
            present &= values.list.len().fill_null(0) > 0
        share = _number(present.mean())
        kind = "list" if isinstance(values.dtype, pl.List) else str(values.dtype).lower()
        yield Fact("catalogue", f"{name} ({kind}), share present", round(share, 4))


def _number(value: object) -> float:
    """What polars types as any literal, as the number that it is; 0 for an empty column."""
    assert value is None or isinstance(value, int | float), "medians and means of counts are numbers"
    return value or 0
