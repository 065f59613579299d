"""The rule that chooses a blend: slow to move, but it moves when the windows speak clearly."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from methods.trail.offline.test_features import CUTOFF, START, world
from whyrec.data.events import as_days, event_arrays
from whyrec.methods.trail.offline.blending import Blend, ValidationWindow, choose_blend, validation_pairs
from whyrec.methods.trail.offline.catalogue import catalogue_vectors
from whyrec.methods.trail.offline.features import look_back

N_ITEMS, N_USERS = 40, 300
ITEMS = tuple(f"i{n:02}" for n in range(N_ITEMS))


def window_of(
    before: list[tuple[str, str, float]], after: list[tuple[str, str, float]], *, learned: NDArray[np.float64]
) -> ValidationWindow:
    data = world([*before, *after], items=ITEMS)
    events = event_arrays(data, before=START + timedelta(days=60))
    past = look_back(events, catalogue_vectors(data.items), day=as_days(CUTOFF))
    truth, seen = validation_pairs(events, start=as_days(CUTOFF), end=as_days(CUTOFF) + 30)
    return ValidationWindow(past, learned, truth, seen)


def test_no_windows_no_choice() -> None:
    assert choose_blend([]).blend == Blend()


def test_default_stands_when_nothing_can_be_told_apart() -> None:
    """What users take has nothing to do with what was recent or with what the models say."""
    rng = np.random.default_rng(5)
    before = [(f"u{u}", ITEMS[u % 10], 9.0) for u in range(N_USERS)]
    after = [(f"w{u}", ITEMS[rng.integers(N_ITEMS)], 12.0) for u in range(N_USERS)]
    assert choose_blend([window_of(before, after, learned=rng.random(N_ITEMS))]).blend == Blend()


def swear_by(first: int, last: int) -> NDArray[np.float64]:
    learned = np.full(N_ITEMS, 1e-6)
    learned[first:last] = 1.0
    return learned


def test_learned_models_that_are_right_keep_their_weight() -> None:
    """Items 0-9 were recent, then users take items 10-19, as the models said."""
    before = [(f"u{u}", ITEMS[u % 10], 9.0) for u in range(N_USERS)]
    after = [(f"w{u}", ITEMS[10 + u % 10], 12.0) for u in range(N_USERS)]
    choice = choose_blend([window_of(before, after, learned=swear_by(10, 20))])
    assert choice.blend.anchor <= Blend().anchor
    assert choice.hit_rates[choice.blend] == 1.0


def test_recency_takes_over_when_only_it_is_right() -> None:
    """Users go on taking what was recent; the models swear by other items."""
    before = [(f"u{u}", ITEMS[u % 10], 9.0) for u in range(N_USERS)]
    after = [(f"w{u}", ITEMS[u % 10], 12.0) for u in range(N_USERS)]
    choice = choose_blend([window_of(before, after, learned=swear_by(10, 20))])
    assert choice.blend.anchor > Blend().anchor
    assert choice.hit_rates[choice.blend] > choice.hit_rates[Blend()]
