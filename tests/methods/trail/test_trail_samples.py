"""Training samples: what they count, what they leave out, and that nothing of the future is in them."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trail_world import N_ITEMS, START, brute_force_users, day, with_events, world, worlds

from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength
from whyrec.errors import InvalidDataError
from whyrec.methods.trail.sample_facts import facts_of_samples
from whyrec.methods.trail.samples import Sample, SampleConfig, training_samples, window_samples

THIRTY = WindowLength(30)
UNTIL = day(120)
ALL = SampleConfig(per_item=10, unseen_per_item=10, zero_share=0.99, weigh_zeros=False)
"""Every item at every cut-off, as far as the cap on zeros lets."""


def draw(data: Dataset, *, until: datetime = UNTIL, config: SampleConfig = ALL) -> list[Sample]:
    return training_samples(data, until=until, length=THIRTY, config=config)


def keyed(samples: list[Sample]) -> dict[tuple[str, datetime], Sample]:
    return {(sample.history.item_id, sample.window.start): sample for sample in samples}


@settings(max_examples=25)
@given(data=worlds, step_days=st.sampled_from([None, 7]))
def test_targets_and_histories_are_the_brute_force_counts(data: Dataset, step_days: int | None) -> None:
    for sample in draw(data, config=ALL.model_copy(update={"step_days": step_days})):
        history, window = sample.history, sample.window
        assert sample.target == brute_force_users(data, history.item_id, window.start, window.end)
        assert history.cutoff == window.start
        assert window.end == window.start + timedelta(days=30) <= UNTIL
        assert all(past.end <= window.start for past in history.windows), "the target is no part of the history"
        counts = [brute_force_users(data, history.item_id, past.start, past.end) for past in history.windows]
        assert list(history.users) == counts
        assert history.total_users == brute_force_users(data, history.item_id, START, window.start)


def test_windows_are_laid_back_from_until() -> None:
    data = world([(0, 0, 0), (1, 0, 24 * 40), (2, 0, 24 * 70), (3, 0, 24 * 100)])
    assert sorted({sample.window for sample in draw(data)}) == [
        Window(day(30), day(60)),
        Window(day(60), day(90)),
        Window(day(90), day(120)),
    ]
    stepped = draw(data, config=ALL.model_copy(update={"step_days": 20}))
    assert sorted({sample.window.start for sample in stepped}) == [day(n) for n in (30, 50, 60, 70, 90)]


def test_months_are_calendar_months() -> None:
    data = world([(0, 0, 0), (1, 0, 24 * 33), (2, 0, 24 * 65)])
    samples = training_samples(data, until=datetime(2020, 4, 1, tzinfo=START.tzinfo), length=WindowLength(), config=ALL)
    assert sorted({sample.window.label for sample in samples}) == ["2020-02", "2020-03"]


@settings(max_examples=25)
@given(data=worlds)
def test_what_happens_from_until_on_changes_nothing(data: Dataset) -> None:
    assert draw(with_events(data, at=UNTIL)) == draw(data)
    # The leak is real: a moment earlier it counts.
    assert draw(with_events(data, at=UNTIL - timedelta(microseconds=1))) != draw(data)


@settings(max_examples=25)
@given(data=worlds, cutoff=st.sampled_from([day(30), day(60), day(90)]))
def test_what_happens_from_a_cutoff_on_is_in_no_history_of_it(data: Dataset, cutoff: datetime) -> None:
    clean, leaking = keyed(draw(data)), keyed(draw(with_events(data, at=cutoff)))
    both = [key for key in clean.keys() & leaking.keys() if key[1] == cutoff]
    for key in both:
        assert leaking[key].history == clean[key].history
        assert leaking[key].target == (clean[key].target or 0) + 1
    earlier = keyed(draw(with_events(data, at=cutoff - timedelta(microseconds=1))))
    assert all(earlier[key].history != clean[key].history for key in both if key in earlier)


def test_what_happens_from_until_on_does_not_choose_the_items() -> None:
    # Until then i1 has two users and i0 one; from then on i0 has four more.
    events = [(0, 0, 0), (0, 0, 24 * 100), (0, 1, 24 * 70), (1, 1, 24 * 71)]
    later = [(user, 0, 24 * 120) for user in range(1, 5)]
    config = SampleConfig(zero_share=0.0, max_samples=1)
    for data in (world(events), world([*events, *later])):
        assert [sample.history.item_id for sample in draw(data, config=config)] == ["i1"]
    assert draw(world([*events, *later]), until=day(121), config=config)[0].history.item_id == "i0"


@pytest.mark.parametrize("day_of_month", [1, 28, 30, 31])
@pytest.mark.parametrize("step_days", [None, 1, 13])
def test_no_window_of_a_month_ends_after_until(day_of_month: int, step_days: int | None) -> None:
    data = world([(user % 5, 0, 24 * user) for user in range(240)])
    until = datetime(2020, 8, day_of_month, tzinfo=START.tzinfo)
    config = ALL.model_copy(update={"step_days": step_days, "per_item": 300})
    samples = training_samples(data, until=until, length=WindowLength(), config=config)
    assert max(sample.window.end for sample in samples) <= until
    assert all(27 < sample.window.days < 32 for sample in samples)


def test_a_release_in_the_target_window_is_not_known_beforehand() -> None:
    released_on_day_65 = world([(0, 0, 0), (1, 1, 24 * 65), (2, 1, 24 * 66), (3, 1, 24 * 100)])
    sample = keyed(draw(released_on_day_65))["i1", day(60)]
    assert (sample.target, sample.history.first_seen, sample.history.age_days) == (2, None, None)
    assert (sample.history.windows, sample.history.users, sample.history.total_users) == ((), (), 0)
    assert set(sample.history.daily) == {0}
    assert keyed(draw(released_on_day_65))["i1", day(90)].history.first_seen == START + timedelta(days=65)


def test_first_peak_and_last_window_are_always_among_an_items_samples() -> None:
    # i0 in windows 1 to 9: three users in window 4, one in all others.
    events = [(user, 0, 24 * 30 * window + 1) for window in range(10) for user in range(3 if window == 4 else 1)]
    for seed in range(10):
        config = SampleConfig(per_item=4, unseen_per_item=0, seed=seed)
        samples = training_samples(world([(0, 0, 0), *events]), until=day(300), length=THIRTY, config=config)
        starts = [(sample.window.start - START).days // 30 for sample in samples]
        assert len(starts) == 4
        assert {1, 4, 9} < set(starts)
    drawn = {
        tuple(
            sample.window.start
            for sample in training_samples(
                world([(0, 0, 0), *events]),
                until=day(300),
                length=THIRTY,
                config=SampleConfig(per_item=4, unseen_per_item=0, seed=seed),
            )
        )
        for seed in range(10)
    }
    assert len(drawn) > 1, "the fourth one is drawn"


def mostly_idle_world() -> Dataset:
    """i0 has a user in every window, i1 in the first alone; the others are never seen."""
    return world([(window % 5, 0, 24 * 30 * window) for window in range(11)] + [(1, 1, 1)])


def test_targets_of_zero_are_capped_and_stand_for_those_left_out() -> None:
    config = SampleConfig(per_item=10, unseen_per_item=2, zero_share=0.3)
    samples = training_samples(mostly_idle_world(), until=day(330), length=THIRTY, config=config)
    zeros = [sample for sample in samples if sample.target == 0]
    # Positive: i0 in 10 windows. Zero: i1 in 10 windows, four unseen items twice each.
    assert len(samples) - len(zeros) == 10
    assert len(zeros) == 4  # 4 of 14 are at most 30%, 5 of 15 would be more
    assert {sample.weight for sample in zeros} == {(10 + 4 * 2) / 4}
    assert {sample.weight for sample in samples if sample.target} == {1.0}
    plain = config.model_copy(update={"weigh_zeros": False})
    unweighted = training_samples(mostly_idle_world(), until=day(330), length=THIRTY, config=plain)
    assert {sample.weight for sample in unweighted} == {1.0}
    assert keyed(unweighted).keys() == keyed(samples).keys()


def test_the_bound_keeps_the_most_active_items() -> None:
    # Item n has a new user in every window up to the n-th: i3 is the most active.
    events = [(user, item, 24 * 30 * user + item) for item in range(4) for user in range(item + 1)]
    config = SampleConfig(zero_share=0.0, max_samples=4)
    samples = training_samples(world([(0, 0, 0), *events]), until=UNTIL, length=THIRTY, config=config)
    # With a user in windows 1 to 3: i3 has three samples, i2 two, i1 one; window 0 is the warm-up.
    assert Counter(sample.history.item_id for sample in samples) == {"i3": 3, "i2": 1}


@settings(max_examples=60)
@example(data=world([(0, 0, 0), (0, 0, 720)]), share=0.5, bound=1)
@given(data=worlds, share=st.sampled_from([0.0, 0.3, 0.5]), bound=st.sampled_from([None, 1, 5, 9]))
def test_the_cap_and_the_bound_hold(data: Dataset, share: float, bound: int | None) -> None:
    samples = draw(data, config=SampleConfig(zero_share=share, max_samples=bound))
    n_zero = sum(sample.target == 0 for sample in samples)
    assert n_zero <= share * len(samples) + 1e-9
    assert len(samples) <= (bound or 1_000)
    keys = [(sample.window.start, sample.history.item_id) for sample in samples]
    assert keys == sorted(set(keys))
    assert max(Counter(sample.history.item_id for sample in samples).values(), default=0) <= 6 + 1
    assert draw(data, config=SampleConfig(zero_share=share, max_samples=bound)) == samples


@pytest.mark.parametrize("with_target", [True, False])
def test_a_window_has_a_sample_of_every_item(*, with_target: bool) -> None:
    data = world([(0, 0, 0), (1, 0, 24 * 91), (2, 0, 24 * 92), (1, 3, 24 * 80), (1, 4, 24 * 119)])
    window = Window(day(90), day(120))
    samples = window_samples(data, window=window, length=THIRTY, with_target=with_target)
    assert [sample.history.item_id for sample in samples] == [f"i{n}" for n in range(N_ITEMS)]
    assert [sample.target for sample in samples] == ([2, 0, 0, 0, 1, 0] if with_target else [None] * N_ITEMS)
    assert {sample.weight for sample in samples} == {1.0}
    assert samples[0].history.users == (1, 0, 0)
    assert samples[4].history.first_seen is None, "released in the window"
    without_future = window_samples(
        world([(0, 0, 0), (1, 3, 24 * 80)]), window=window, length=THIRTY, with_target=False
    )
    assert [sample.history for sample in without_future] == [sample.history for sample in samples]


def test_a_log_too_short_for_a_target_and_its_warmup_is_refused() -> None:
    data = world([(0, 0, 24 * 80), (1, 0, 24 * 130)])
    with pytest.raises(InvalidDataError, match=r"expected a log of at least 2 windows \(30d\) before 2020-04-30"):
        draw(data)
    assert draw(data, until=day(140))


BY_HISTORY = SampleConfig(drawn_by="history", step_days=10, max_samples=6)


def test_drawing_by_history_looks_at_nothing_behind_a_cutoff() -> None:
    # i0 has two users every ten days, i1 and i2 one each at the start; in the second log i1 becomes a hit on day 100.
    calm = [(user, 0, 240 * user) for user in range(12)] + [(0, 1, 1), (0, 2, 2)]
    hit = calm + [(user, 1, 24 * 100 + user) for user in range(1, 20)]
    per_seed = {}
    for seed in range(20):
        config = BY_HISTORY.model_copy(update={"seed": seed})
        early = [
            sorted(key for key in keyed(draw(world(events), config=config)) if key[1] <= day(100))
            for events in (calm, hit)
        ]
        # The log ends at day 120: the last cut-off is day 90, before anything of the hit can be seen.
        assert early[0] == early[1]
        per_seed[seed] = early[0]
    assert len({tuple(keys) for keys in per_seed.values()}) > 1, "it is a draw"
    # Drawing by item prefers the hit's peak: the choice itself knows the future.
    by_item = SampleConfig(per_item=3, unseen_per_item=0, zero_share=0.0, max_samples=1)
    assert keyed(draw(world(calm), config=by_item)).keys() != keyed(draw(world(hit), config=by_item)).keys()


def test_drawing_by_history_prefers_items_with_users_and_weighs_nothing() -> None:
    events = [(user % 5, 0, 24 * user) for user in range(120)] + [(0, 1, 1)]
    drawn: Counter[str] = Counter()
    for seed in range(30):
        samples = draw(world(events), config=BY_HISTORY.model_copy(update={"seed": seed}))
        assert len(samples) == 6
        assert {sample.weight for sample in samples} == {1.0}
        drawn.update(sample.history.item_id for sample in samples)
    # Five users of late against none, among ten cut-offs of N_ITEMS items: nearly all are i0's.
    assert drawn["i0"] > 4 * sum(drawn[f"i{item}"] for item in range(1, N_ITEMS))


def test_drawing_by_history_takes_every_item_at_every_cutoff_where_nothing_bounds_it() -> None:
    events = [(user % 5, 0, 24 * user) for user in range(120)]
    samples = draw(world(events), config=BY_HISTORY.model_copy(update={"max_samples": None}))
    cutoffs = {sample.window.start for sample in samples}
    assert len(samples) == len(cutoffs) * N_ITEMS
    assert len(cutoffs) > 3


@settings(max_examples=25)
@given(data=worlds, until=st.integers(61, 120).map(day))
def test_months_of_a_history_are_those_that_explanations_speak_of(data: Dataset, until: datetime) -> None:
    samples = draw(data, until=until, config=BY_HISTORY)
    for sample, facts in zip(samples, facts_of_samples(samples, data), strict=True):
        complete = [count.users for count in facts.months if count.complete]
        assert list(sample.history.months) == complete
        if facts.months and facts.months[-1].window.end > sample.history.cutoff:
            assert sample.history.this_month == facts.months[-1].users
