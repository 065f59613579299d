"""A small log for TRAIL's data: six items, five users, four months from 2020-01-01; and drawn ones like it."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset

START = datetime(2020, 1, 1, tzinfo=UTC)
N_ITEMS = 6
Event = tuple[int, int, int]
"""User, item, hour after the start."""


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def world(events: list[Event]) -> Dataset:
    log = pl.DataFrame(
        [
            (f"u{user}", f"i{item}", START + timedelta(hours=hour), float(user + 1))
            for user, item, hour in sorted(set(events))
        ],
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
            "rating": pl.Float64,
        },
        orient="row",
    )
    items = pl.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(N_ITEMS)],
            "title": ["North", "East", "South", "West", "Up Above", "Down Below"],
            "year": [2018 + n % 3 for n in range(N_ITEMS)],
            "genres": [["Drama"], ["Drama", "War"], ["Comedy"], [], ["Action", "War", "Drama", "Music"], ["Comedy"]],
        }
    )
    return Dataset.from_frames(log, items, name="small world")


def with_events(data: Dataset, *, at: datetime, user_id: str = "spy") -> Dataset:
    """The same data and, for every item, one more event of a new user: a leak to be caught."""
    ids = data.items["item_id"]
    planted = pl.DataFrame(
        {"user_id": [user_id] * len(ids), "item_id": ids, "timestamp": [at] * len(ids), "rating": [9.0] * len(ids)},
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return Dataset.from_frames(pl.concat([data.interactions.collect(), planted]), data.items, name=data.name)


def brute_force_users(data: Dataset, item_id: str, start: datetime, end: datetime) -> int:
    rows = data.interactions.collect().to_dicts()
    return len({row["user_id"] for row in rows if row["item_id"] == item_id and start <= row["timestamp"] < end})


worlds = (
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, N_ITEMS - 1), st.integers(1, 24 * 119)), max_size=80)
    # The log begins at the start exactly, so that all four windows are covered.
    .map(lambda events: world([(0, 0, 0), *events]))
)
