"""Moments as days: the log's and a cut-off's are the same number exactly, so that "before" means before."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.events import EventArrays, as_days, event_arrays

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATE = datetime(2100, 1, 1, tzinfo=UTC)
# Any microsecond from 1990 to 2060.
moments = st.integers(631_152_000_000_000, 2_840_140_800_000_000).map(lambda us: EPOCH + timedelta(microseconds=us))
zones = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))


def arrays(log: list[datetime], *, before: datetime = LATE) -> EventArrays:
    events = pl.DataFrame(
        {"user_id": [f"u{n}" for n in range(len(log))], "item_id": ["i0"] * len(log), "timestamp": log},
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    ).sort("timestamp")
    items = pl.DataFrame({"item_id": ["i0"], "title": ["North"]})
    return event_arrays(Dataset.from_frames(events, items, name="moments"), before=before)


def test_days_by_hand() -> None:
    """1970-01-02 06:00 is 1.25 days after the epoch; a microsecond is 1 / 86,400,000,000 of a day."""
    assert as_days(EPOCH) == 0
    assert as_days(datetime(1970, 1, 2, 6, tzinfo=UTC)) == 1.25
    assert as_days(EPOCH + timedelta(microseconds=1)) == 1 / 86_400_000_000
    assert as_days(EPOCH - timedelta(days=2)) == -2


@given(st.lists(moments, min_size=1, max_size=20))
def test_a_cutoff_is_the_same_number_as_an_event_at_that_moment(log: list[datetime]) -> None:
    days = arrays(log).day
    assert days.tolist() == [as_days(moment) for moment in sorted(log)]


@given(st.lists(moments, min_size=1, max_size=20), st.integers(-2, 2))
def test_what_lies_at_a_cutoff_is_not_before_it(log: list[datetime], microseconds: int) -> None:
    """The planted leak: an event at the cut-off itself, and one a microsecond earlier, which is no leak."""
    cutoff = log[0] + timedelta(microseconds=microseconds)
    found = arrays(log).index_at(as_days(cutoff))
    assert found == sum(moment < cutoff for moment in log) == arrays(log, before=cutoff).n_events


@given(moments, zones)
def test_the_zone_does_not_matter(moment: datetime, zone: timezone) -> None:
    assert as_days(moment.astimezone(zone)) == as_days(moment)


@given(st.lists(moments, min_size=2, max_size=20, unique=True))
def test_later_moments_are_later_days(log: list[datetime]) -> None:
    assert (np.diff([as_days(moment) for moment in sorted(log)]) > 0).all()
