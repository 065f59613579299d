"""Datasets for property tests: small, full of ties and repeats."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset

START = datetime(2020, 1, 1, tzinfo=UTC)


def dataset_of(events: list[tuple[int, int, int]]) -> Dataset:
    """A dataset from (user, item, hour after the start) triples; exact repeats count once, as after an import."""
    log = pl.DataFrame(
        [(f"u{user}", f"i{item}", START + timedelta(hours=hour)) for user, item, hour in sorted(set(events))],
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")},
        orient="row",
    )
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(8)], "title": [f"Item {n}" for n in range(8)]})
    return Dataset.from_frames(log, items, name="drawn")


small_datasets = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 30)), min_size=1, max_size=60
).map(dataset_of)
"""Strategy: up to 6 users, 8 items and 60 events within 31 hours, ties included."""
