"""Which texts stand together: neighbours as positives, the item itself and further neighbours never as negatives."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.methods.trail.batches import Plan, TrainingSet, epoch_plans, pairs
from whyrec.methods.trail.encoding import EncodedSample

NONE = -1


def text(*, told: bool) -> EncodedSample:
    return EncodedSample(
        ids=np.zeros(3, dtype=np.int64),
        token_weights=np.ones(3, dtype=np.float32),
        is_told=np.array([False, told, False]),
        score_place=1,
        count=1.0,
        weight=1.0,
    )


def training_set(
    *, told: list[bool], items: list[int] | None = None, neighbours: list[list[int]] | None = None
) -> TrainingSet:
    return TrainingSet(
        [text(told=each) for each in told],
        np.array(range(len(told)) if items is None else items),
        None if neighbours is None else np.array(neighbours),
    )


def a_set(n: int, *, n_silent: int = 0, listed: int = 4, seed: int = 0) -> TrainingSet:
    """``n`` told samples of n / 2 items with random neighbours among them, then silent ones with nonsense for them."""
    rng = np.random.default_rng(seed)
    found = [[other for other in rng.permutation(n).tolist() if other != row][:listed] for row in range(n)]
    rows = [[*row, *[NONE] * (listed - len(row))] for row in found]
    nonsense = [[0] * listed for _ in range(n_silent)]
    items = [row // 2 for row in range(n)] + list(range(n, n + n_silent))
    return training_set(told=[True] * n + [False] * n_silent, items=items, neighbours=[*rows, *nonsense])


def plans(training: TrainingSet, *, seed: int = 0, batch_size: int = 8, positives: int = 2) -> list[Plan]:
    return epoch_plans(training, batch_size=batch_size, positives=positives, rng=np.random.default_rng(seed))


def sizes(made: list[Plan]) -> int:
    return sum(len(plan.rows) for plan in made)


def is_contrasted(plan: Plan) -> bool:
    return plan.is_positive is not None


def test_pairs_by_hand() -> None:
    """Sample 0 has neighbours 1, 2 and 3 and two positives; 4 is its own item in another window; 5 is anybody."""
    neighbours = [[1, 2, 3], [0, NONE, NONE], [NONE] * 3, [5, 4, 0], [0, 1, 2], [NONE] * 3]
    training = training_set(told=[True] * 6, items=[7, 1, 2, 3, 7, 5], neighbours=neighbours)
    rows = np.arange(6)
    is_positive, is_negative = pairs(training, rows, positives=2)
    assert [row.nonzero().flatten().tolist() for row in is_positive] == [[1, 2], [0], [], [4, 5], [1], []]
    # 4 lists 0, its own item, which is neither; 0 does not meet 3, a further neighbour, nor 4, nor itself.
    assert [row.nonzero().flatten().tolist() for row in is_negative] == [
        [5],
        [2, 3, 4, 5],
        [0, 1, 3, 4, 5],
        [1, 2],
        [3, 5],
        [0, 1, 2, 3, 4],
    ]


def test_pairs_of_some_rows_are_those_of_all() -> None:
    training = a_set(12)
    rows = np.array([7, 2, 9, 3])
    for some, whole in zip(
        pairs(training, rows, positives=2), pairs(training, np.arange(12), positives=2), strict=True
    ):
        assert some.tolist() == whole[rows][:, rows].tolist()


sets = st.builds(
    a_set,
    st.integers(1, 40),
    n_silent=st.integers(0, 20),
    listed=st.integers(1, 5),
    seed=st.integers(0, 99),
)


@given(sets, st.integers(2, 16), st.integers(1, 3), st.integers(0, 99))
def test_positives_and_negatives_of_every_plan(
    training: TrainingSet, batch_size: int, positives: int, seed: int
) -> None:
    assert training.neighbours is not None
    for plan in plans(training, seed=seed, batch_size=batch_size, positives=positives):
        if plan.is_positive is None or plan.is_negative is None:
            assert not any(training.samples[row].has_text for row in plan.rows)
            continue
        assert all(training.samples[row].has_text for row in plan.rows)
        assert len(set(plan.rows.tolist())) == len(plan.rows)
        for a, row in enumerate(plan.rows):
            for b, other in enumerate(plan.rows):
                listed = training.neighbours[row].tolist()
                is_same = training.items[row] == training.items[other]
                assert plan.is_positive[a, b] == (other in listed[:positives] and not is_same)
                assert plan.is_negative[a, b] == (other not in listed and not is_same)


@given(sets, st.integers(2, 16), st.integers(0, 99))
def test_samples_without_a_text_stand_in_no_group_and_each_is_read_once(
    training: TrainingSet, batch_size: int, seed: int
) -> None:
    made = plans(training, seed=seed, batch_size=batch_size)
    silent = sorted(row for plan in made if not is_contrasted(plan) for row in plan.rows.tolist())
    assert silent == [row for row, each in enumerate(training.samples) if not each.has_text]


def test_a_neighbour_without_a_text_is_left_out() -> None:
    """A listed neighbour should have a text; one that has none would be an explanation of zeros."""
    training = training_set(told=[True, True, False], neighbours=[[2, 1], [2, 0], [0, 1]])
    made = [plan.rows.tolist() for plan in plans(training, batch_size=2) if is_contrasted(plan)]
    assert made == [[0, 1]]


@pytest.mark.parametrize("batch_size", [3, 8, 64])
@pytest.mark.parametrize("n", [200, 1000])
def test_an_epoch_has_about_as_many_texts_as_there_are_samples(n: int, batch_size: int) -> None:
    made = plans(a_set(n, n_silent=50), batch_size=batch_size)
    assert abs(sizes(made) - (n + 50)) <= batch_size
    assert max(len(plan.rows) for plan in made) <= batch_size
    steps = [plan for plan in made if is_contrasted(plan)]
    assert len(steps) == -(-n // batch_size)


def test_most_samples_of_a_group_find_a_positive_beside_them() -> None:
    """The anchors do: without groups 2 of 1,000 would rarely stand in the same batch of 8."""
    training = a_set(1000)
    made = [plan.is_positive for plan in plans(training) if plan.is_positive is not None]
    found = sum(int(is_positive.any(dim=1).sum()) for is_positive in made)
    assert found >= 2 * len(made)
    rng = np.random.default_rng(0)
    drawn = [pairs(training, rng.permutation(1000)[:8], positives=2)[0] for _ in range(20)]
    assert sum(int(is_positive.any(dim=1).sum()) for is_positive in drawn) < 20


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    training = a_set(40, n_silent=10)
    first, again, other = ([plan.rows.tolist() for plan in plans(training, seed=seed)] for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_without_neighbours_every_sample_is_read_once_and_nothing_is_contrasted() -> None:
    training = training_set(told=[True] * 10 + [False] * 7)
    made = plans(training, batch_size=4)
    assert sorted(row for plan in made for row in plan.rows.tolist()) == list(range(17))
    assert not any(is_contrasted(plan) for plan in made)
    assert sorted(len(plan.rows) for plan in made) == [2, 3, 4, 4, 4]


def test_plans_stand_in_random_order() -> None:
    """Silent and told batches are mixed: an epoch that ended with one kind would forget the other."""
    kinds = [is_contrasted(plan) for plan in plans(a_set(160, n_silent=160))]
    assert sum(kinds) == 20
    assert kinds != sorted(kinds)
    assert kinds != sorted(kinds, reverse=True)


def test_a_set_without_any_text_is_read_in_plain_batches() -> None:
    empty: Any = [[NONE, NONE]] * 5
    made = plans(training_set(told=[False] * 5, neighbours=empty), batch_size=2)
    assert sorted(row for plan in made for row in plan.rows.tolist()) == list(range(5))
