import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.forecaster import CUTOFF, small_world
from methods.trail.offline.test_features import START, world
from whyrec.data.events import as_days, event_arrays
from whyrec.methods.trail.offline import OfflineConfig
from whyrec.methods.trail.offline.catalogue import catalogue_vectors
from whyrec.methods.trail.offline.features import look_back
from whyrec.methods.trail.offline.targets import outcome, past_cutoffs, training_items, volume_before


def test_outcome_counts_users_new_users_and_shares() -> None:
    """u meets a and b, v meets a again: a has 2 users of whom 1 is new, and u's two new items weigh 1/2 each."""
    data = world([("v", "a", 1), ("u", "a", 11), ("u", "b", 12), ("v", "a", 12), ("v", "a", 13)])
    came = outcome(
        event_arrays(data, before=START.replace(year=2022)), start=as_days(START) + 10, end=as_days(START) + 20
    )
    assert came.users.tolist() == [2, 1, 0]
    assert came.new_users.tolist() == [1, 1, 0]
    assert came.new_users_by_user.tolist() == [1 / 2, 1 / 2, 0]


def test_the_end_of_a_window_is_not_in_it() -> None:
    events = event_arrays(world([("u", "a", 20)]), before=START.replace(year=2022))
    assert outcome(events, start=as_days(START) + 10, end=as_days(START) + 20).users.sum() == 0
    assert outcome(events, start=as_days(START) + 20, end=as_days(START) + 30).users.sum() == 1


def test_volume_counts_distinct_pairs() -> None:
    events = event_arrays(
        world([("u", "a", 1), ("u", "a", 2), ("u", "b", 2), ("v", "a", 9)]), before=START.replace(year=2022)
    )
    assert volume_before(events, day=as_days(START) + 10, days=30) == 3
    assert volume_before(events, day=as_days(START) + 10, days=2) == 1


@given(until=st.floats(60, 4000), horizon=st.floats(1, 60), step=st.floats(0.5, 30))
def test_no_training_window_ends_after_until(until: float, horizon: float, step: float) -> None:
    config = OfflineConfig(cutoff_step_days=step)
    moments = past_cutoffs(until=until, earliest=0.0, horizon=horizon, config=config)
    assert all(moment + horizon <= until + 1e-9 for moment in moments)
    assert all(moment >= config.warmup_days for moment in moments)


def test_training_items_are_active_young_or_promising() -> None:
    data = small_world()
    past = look_back(event_arrays(data, before=CUTOFF), catalogue_vectors(data.items), day=as_days(CUTOFF))
    everything = training_items(past, config=OfflineConfig())
    assert everything.tolist() == list(range(data.items.height))
    without_unseen = training_items(past, config=OfflineConfig(unseen_candidates=0))
    assert np.isfinite(past.first_day[without_unseen]).all()


@pytest.mark.parametrize("setting", ["rounds", "bags", "learning_rate", "training_cutoffs"])
def test_settings_out_of_range_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=setting):
        OfflineConfig.model_validate({setting: 0})
