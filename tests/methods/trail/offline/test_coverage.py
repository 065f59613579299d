"""Spreading a list: who shares an audience with a better item moves down, nobody else does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.trail.offline.test_features import CUTOFF, START, world
from whyrec.data.events import as_days, event_arrays
from whyrec.methods.trail.offline.coverage import audience_overlap, spread_out

DAY = as_days(CUTOFF)
# a and b have the same 20 users, c has 20 others.
ROWS = [(f"u{n}", item, 9.0) for n in range(20) for item in ("a", "b")] + [(f"v{n}", "c", 9.0) for n in range(20)]
EVENTS = event_arrays(world(ROWS), before=CUTOFF)


def test_overlap_is_what_exceeds_chance() -> None:
    """20 users in common, 20 * 20 / 40 by chance: (20 - 10) / (20 + 20 - 20 + 5)."""
    overlap = audience_overlap(EVENTS, np.array([0, 1, 2]), day=DAY)
    assert overlap == pytest.approx(np.array([[0, 10 / 25, 0], [10 / 25, 0, 0], [0, 0, 0]]))


def test_popular_items_that_meet_by_chance_do_not_overlap() -> None:
    """Half of 40 users take a, half of either half take b: 10 in common, 20 * 20 / 40 = 10 by chance."""
    takes_a = [(f"u{n:02}", "a", 9.0) for n in range(20)]
    takes_b = [(f"u{n:02}", "b", 9.0) for n in range(10, 30)]
    others = [(f"u{n:02}", "c", 9.0) for n in range(30, 40)]
    events = event_arrays(world([*takes_a, *takes_b, *others]), before=CUTOFF)
    assert audience_overlap(events, np.array([0, 1]), day=DAY).tolist() == [[0, 0], [0, 0]]


def test_the_second_of_two_with_one_audience_moves_down() -> None:
    """b: 0.9 * (1 - 1.2 * 10/25) = 0.468, now below c."""
    spread = spread_out(np.array([1.0, 0.9, 0.5]), EVENTS, day=DAY, penalty=1.2)
    assert spread == pytest.approx([1.0, 0.9 * (1 - 1.2 * 10 / 25), 0.5])
    assert np.argsort(-spread).tolist() == [0, 2, 1]


def test_no_penalty_leaves_all_as_it_is() -> None:
    strength = np.array([0.3, 0.9, 0.5])
    assert spread_out(strength, EVENTS, day=DAY, penalty=0.0).tolist() == strength.tolist()


def test_events_after_the_cutoff_do_not_count() -> None:
    later = event_arrays(world([*ROWS, *[(f"v{n}", "a", 12.0) for n in range(20)]]), before=START.replace(year=2022))
    same = audience_overlap(later, np.array([0, 1, 2]), day=DAY)
    assert same == pytest.approx(audience_overlap(EVENTS, np.array([0, 1, 2]), day=DAY))


@given(st.lists(st.floats(0, 10), min_size=150, max_size=150), st.floats(0, 2))
def test_the_rest_stays_below_the_chosen_in_its_order(strengths: list[float], penalty: float) -> None:
    items = tuple(f"i{n:03}" for n in range(150))
    events = event_arrays(world([(f"u{n % 7}", item, 5.0) for n, item in enumerate(items)], items=items), before=CUTOFF)
    strength = np.array(strengths)
    spread = spread_out(strength, events, day=DAY, penalty=penalty)
    order = np.argsort(-strength, kind="stable")
    assert spread[order[100:]].max() <= spread[order[:100]].min() + 1e-12
    assert (np.diff(spread[order[100:]]) <= 1e-12).all()
    assert (spread <= strength + 1e-12).all()
