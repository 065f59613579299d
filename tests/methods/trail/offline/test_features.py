"""Features at a cut-off: right numbers, and nothing from later."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from contracts.forecaster import small_world
from whyrec.data.dataset import Dataset
from whyrec.data.events import EventArrays, as_days, event_arrays
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.errors import InvalidDataError
from whyrec.methods.trail.offline.catalogue import catalogue_vectors
from whyrec.methods.trail.offline.features import FeatureTable, Past, feature_groups, feature_table, look_back

START = datetime(2021, 1, 1, tzinfo=UTC)
CUTOFF = START + timedelta(days=10)


def world(rows: list[tuple[str, str, float]], *, items: tuple[str, ...] = ("a", "b", "c")) -> Dataset:
    """Events ``(user, item, days after START)`` over a bare catalogue."""
    log = pl.DataFrame(
        [(user, item, START + timedelta(days=day)) for user, item, day in rows],
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE},
        orient="row",
    )
    return Dataset.from_frames(log, pl.DataFrame({"item_id": items, "title": [f"thing {i}" for i in items]}))


def past_of(data: Dataset, *, before: datetime = CUTOFF, cutoff: datetime = CUTOFF) -> Past:
    return look_back(event_arrays(data, before=before), catalogue_vectors(data.items), day=as_days(cutoff))


def column(table: FeatureTable, name: str) -> list[float]:
    return table.values[:, table.names.index(name)].tolist()


def test_decayed_counts_halve_every_half_life() -> None:
    past = past_of(world([("u", "a", 9), ("v", "a", 8), ("u", "b", 10 - 4)]))
    one_day, two_days, four_days = past.decayed[:3]
    assert one_day == pytest.approx([1 / 2 + 1 / 4, 1 / 16, 0])
    assert two_days[0] == pytest.approx(2**-0.5 + 2**-1)
    assert four_days[1] == pytest.approx(1 / 2)


def test_a_repeat_counts_once_as_new_user_and_at_its_latest_as_pair() -> None:
    past = past_of(world([("u", "a", 2), ("u", "a", 9)]))
    assert past.decayed[0][0] == pytest.approx(2**-8)
    assert past.decayed_pairs[0][0] == pytest.approx(2**-1)
    assert past.ever.tolist() == [1, 0, 0]


def test_a_busy_users_events_weigh_less() -> None:
    """The third new item of a user within 30 days weighs 1/3."""
    past = past_of(world([("u", "a", 9), ("u", "b", 9), ("u", "c", 9)]))
    assert sorted(past.decayed_by_user[0] * 2) == pytest.approx([1 / 3, 1 / 2, 1 / 1])


def test_ages_of_a_seen_and_a_never_seen_item() -> None:
    table = feature_table(past_of(world([("u", "a", 4), ("v", "a", 7)])))
    assert column(table, "age.days_known")[0] == pytest.approx(np.log1p(6))
    assert column(table, "age.days_silent")[0] == pytest.approx(np.log1p(3))
    assert np.isnan(column(table, "age.days_known")[1])


def test_every_feature_belongs_to_a_group_and_rows_can_be_chosen() -> None:
    past = past_of(small_world(), before=START, cutoff=START)
    whole, some = feature_table(past), feature_table(past, rows=np.array([3, 0]))
    assert sum(len(columns) for columns in feature_groups(whole.names).values()) == whole.values.shape[1]
    np.testing.assert_array_equal(some.values, whole.values[[3, 0]])


def test_nothing_after_the_cutoff_reaches_a_feature() -> None:
    """Arrays that know the future give the same features at the cut-off as arrays that end there."""
    data = small_world()
    cutoff = datetime(2020, 6, 29, tzinfo=UTC)
    ends_there = feature_table(past_of(data, before=cutoff, cutoff=cutoff))
    knows_more = feature_table(past_of(data, before=cutoff + timedelta(days=60), cutoff=cutoff))
    np.testing.assert_array_equal(ends_there.values, knows_more.values)


def test_a_planted_leak_is_seen_by_that_comparison() -> None:
    """The guard above must be able to fail: shift the log by a day, so that a day of future slips in."""
    data = small_world()
    cutoff = datetime(2020, 6, 29, tzinfo=UTC)
    honest = feature_table(past_of(data, before=cutoff, cutoff=cutoff))
    events = event_arrays(data, before=cutoff + timedelta(days=60))
    leaky: EventArrays = replace(events, day=events.day - 1)
    leaked = feature_table(look_back(leaky, catalogue_vectors(data.items), day=as_days(cutoff)))
    assert not np.array_equal(honest.values, leaked.values, equal_nan=True)


def test_catalogue_order_does_not_matter() -> None:
    data = small_world()
    shuffled = replace(data, items=data.items.sample(fraction=1.0, shuffle=True, seed=3))
    cutoff = datetime(2020, 6, 29, tzinfo=UTC)
    first, second = (feature_table(past_of(d, before=cutoff, cutoff=cutoff)) for d in (data, shuffled))
    np.testing.assert_array_equal(first.values, second.values)


def test_an_event_without_catalogue_entry_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="got 'ghost'"):
        event_arrays(world([("u", "ghost", 1)]), before=CUTOFF)


def test_promise_learns_from_completed_launches_only() -> None:
    """Items called "hit" launch big, "dud" small; launches still running say the opposite and must not count."""
    rows, items = [], []
    rng = np.random.default_rng(0)
    for number in range(260):
        word = ("hit", "dud")[number % 2]
        day = 15 + number * 0.3
        is_running = day > 70
        audience = 9 if (word == "hit") != is_running else 1
        items.append((f"i{number:03}", f"{word} {number}"))
        rows += [(f"u{user}", f"i{number:03}", day + rng.random()) for user in range(audience)]
    items += [("new1", "hit again"), ("new2", "dud again")]
    log = world(rows, items=tuple(i for i, _ in items))
    data = replace(log, items=pl.DataFrame(items, schema=["item_id", "title"], orient="row"))
    cutoff = START + timedelta(days=100)
    promise = past_of(data, before=cutoff, cutoff=cutoff).promise
    ids = data.items["item_id"].sort().to_list()
    assert promise[ids.index("new1")] > promise[ids.index("new2")]
