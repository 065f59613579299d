from datetime import date, timedelta

import polars as pl
import pytest
from drawn_datasets import START, small_datasets
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.facts import item_facts
from whyrec.errors import UnknownIdError


def test_facts_of_an_item_by_hand(temporal_world: Dataset) -> None:
    # i1 is taken on days 10, 50, 90, 130, ... by u1, u0, u4, u3, ...; the cut-off is day 100, 10 April.
    facts = item_facts(temporal_world, item_ids=["i1"], cutoff=START + timedelta(days=100))["i1"]
    assert facts.title == "East"
    assert [(month.window.label, month.users, month.complete) for month in facts.months] == [
        ("2020-01", 1, True),
        ("2020-02", 1, True),
        ("2020-03", 1, True),
        ("2020-04", 0, False),
    ]
    assert facts.recent == {3: 0, 7: 0, 14: 1, 30: 1}
    assert facts.total_users == 3
    assert facts.first_seen == date(2020, 1, 11)
    assert facts.attributes == {"genres": ("dawn",)}
    assert facts.mean_rating == (2 + 1 + 5) / 3


def test_an_item_not_yet_seen_has_attributes_alone(temporal_world: Dataset) -> None:
    facts = item_facts(temporal_world, item_ids=["i3"], cutoff=START + timedelta(days=30))["i3"]
    assert (facts.months, facts.total_users, facts.first_seen, facts.mean_rating) == ((), 0, None, None)
    assert facts.attributes == {"genres": ("dusk", "wild")}


def test_an_unknown_item_is_refused(temporal_world: Dataset) -> None:
    with pytest.raises(UnknownIdError, match="expected an item of the catalogue, got 'i9'"):
        item_facts(temporal_world, item_ids=["i9"], cutoff=START)


@given(data=small_datasets, cut=st.integers(0, 31))
def test_what_happens_later_changes_no_fact(data: Dataset, cut: int) -> None:
    cutoff = START + timedelta(hours=cut)
    ids = data.items["item_id"].to_list()
    past = Dataset.from_frames(data.before(cutoff).collect(), data.items, name=data.name)
    planted = pl.DataFrame(
        {"user_id": ["spy"] * len(ids), "item_id": ids, "timestamp": [cutoff] * len(ids)},
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    leaking = Dataset.from_frames(pl.concat([data.interactions.collect(), planted]), data.items, name=data.name)
    known = item_facts(past, item_ids=ids, cutoff=cutoff)
    assert item_facts(leaking, item_ids=ids, cutoff=cutoff) == known
    # The planted events are real: one moment later they count.
    assert item_facts(leaking, item_ids=ids, cutoff=cutoff + timedelta(microseconds=1)) != known
