"""Training and ranking of the reward model: what may be read when, and that planted leaks are caught or show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from reward_world import BASE, N_ITEMS, N_USERS, ListedReasons, World, encoder, model, texts, timed, world

from whyrec.data.sequences import Sequences
from whyrec.encoders.ranking import HeldOut, ndcg, target_ranks
from whyrec.encoders.train import TrainingConfig
from whyrec.errors import InvalidConfigError, InvalidDataError, TrainingError
from whyrec.methods.curec.base_encoder import train_encoder
from whyrec.methods.curec.config import RewardTrainingConfig
from whyrec.methods.curec.histories import UserHistory
from whyrec.methods.curec.reward_batches import Candidates, CandidateSampler, Targets, contiguous_batches
from whyrec.methods.curec.reward_inputs import (
    BEGINNING,
    DescriptionLookup,
    RewardInputs,
    ShuffledReasons,
    TimedSequences,
    with_own_first,
)
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.reward_ranking import RewardRanker, query_ranks
from whyrec.methods.curec.reward_step import RewardStep
from whyrec.methods.curec.reward_training import RewardReport, train_reward_model

QUICK = RewardTrainingConfig(
    learning_rate=1e-2, batch_size=32, epochs=3, patience=20, n_negatives=16, n_in_batch=8, seed=0
)


@pytest.fixture(scope="module")
def clusters() -> World:
    return world()


def trained(
    given: World, config: RewardTrainingConfig = QUICK, *, is_leaky: bool = False, **settings: object
) -> tuple[RewardModel, RewardReport]:
    made = model(**settings)
    validation = replace(given.validation, own_rows=given.validation_own_rows) if is_leaky else given.validation
    report = train_reward_model(
        made,
        given.training,
        given.inputs,
        config=config,
        validation=validation,
        own_rows=given.own_rows if is_leaky else None,
    )
    return made, report


def weights(made: RewardModel) -> NDArray[np.float32]:
    return torch.cat([tensor.flatten() for tensor in made.state_dict().values()]).numpy()


# Batches


def targets_of(times: list[int]) -> Targets:
    n = len(times)
    zeros = np.zeros(n, dtype=np.int64)
    return Targets(np.arange(n), zeros, zeros, np.sort(np.array(times, dtype=np.int64)))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), st.integers(1, 10), st.integers(0, 9))
def test_batches_are_stretches_of_time_and_hold_every_target_once(times: list[int], size: int, seed: int) -> None:
    batches = list(contiguous_batches(targets_of(times), size=size, n=None, rng=np.random.default_rng(seed)))
    assert sorted(user for batch in batches for user in batch.users.tolist()) == list(range(len(times)))
    assert all(len(batch) <= size for batch in batches)
    ordered = sorted(batches, key=lambda batch: int(batch.users[0]))
    for batch in ordered:
        assert batch.users.tolist() == list(range(int(batch.users[0]), int(batch.users[-1]) + 1))
        assert batch.first_time == min(batch.times.tolist())
    for earlier, later in pairwise(ordered):
        assert earlier.times[-1] <= later.times[0]


def test_some_targets_are_drawn_anew_each_time() -> None:
    rng = np.random.default_rng(0)
    drawn = [
        sorted(
            user
            for batch in contiguous_batches(targets_of([*range(50)]), size=4, n=10, rng=rng)
            for user in batch.users
        )
        for _ in range(2)
    ]
    assert [len(set(users)) for users in drawn] == [10, 10]
    assert drawn[0] != drawn[1]


def test_targets_are_all_items_but_each_first_in_order_of_time() -> None:
    windows = timed([[(5, 10), (6, 40), (7, 50)], [(8, 20), (9, 30)]])
    found = Targets.of(windows, own_rows=np.arange(5, dtype=np.int32))
    assert found.times.tolist() == [30, 40, 50]
    assert found.users.tolist() == [1, 0, 0]
    assert found.rows.tolist() == [9 - 1, 6 - 1, 7 - 1]
    assert found.cells.tolist() == [0, 0, 1]
    assert found.own_rows is not None
    assert found.own_rows.tolist() == [4, 1, 2]


def test_how_likely_an_item_becomes_a_candidate() -> None:
    """Items occur 1, 3 and 4 times; of four candidates three are drawn alike and one as they occur."""
    config = RewardTrainingConfig(n_negatives=3, n_in_batch=1, popularity_exponent=0.0)
    sequences = Sequences.of([[1, 2, 2, 2], [3, 3, 3, 3]])
    sampler = CandidateSampler.of(sequences, n_items=3, config=config)
    expected = [3 / 4 / 3 + 1 / 4 * n / 8 for n in (1, 3, 4)]
    assert sampler.logp.exp().tolist() == pytest.approx(expected)
    assert sum(expected) == pytest.approx(1)
    drawn = sampler.draw(targets_of([1, 2]), np.random.default_rng(0))
    assert len(drawn.rows) == 3 + 1
    assert drawn.owners[:3].tolist() == [-1, -1, -1]


def test_what_a_user_took_in_the_same_batch_is_no_wrong_item() -> None:
    batch = Targets(np.array([7, 7, 8]), np.zeros(3, np.int64), np.array([0, 1, 2]), np.array([1, 2, 3]))
    candidates = Candidates(rows=np.array([0, 1, 2, 9]), owners=np.array([-1, 7, 8, -1]))
    assert candidates.is_hit(batch).tolist() == [
        [True, True, False, False],
        [False, True, False, False],
        [False, False, True, False],
    ]


# Leaks


def test_training_reads_only_reasons_from_before_each_batch(clusters: World) -> None:
    clusters.reasons.given.clear()
    trained(clusters, QUICK.model_copy(update={"epochs": 1}))
    assert len(clusters.reasons.given) > 1000
    assert all(time < moment for moment, time in clusters.reasons.given)


def test_a_target_s_own_reason_is_out_of_reach_in_training(clusters: World) -> None:
    """Reading as of the target's own moment plus one, the obvious mistake, would find it every time."""
    step = RewardStep.of(model(), clusters.training, clusters.inputs, config=QUICK)
    n_naive = 0
    for batch in contiguous_batches(step.targets, size=32, n=None, rng=np.random.default_rng(0)):
        own = {
            (int(user), int(row), int(time))
            for user, row, time in zip(batch.users, batch.rows, batch.times, strict=True)
        }
        rows = step._reasons(batch.rows, batch)
        assert rows is not None
        assert not own & read_by(clusters.reasons, rows)
        naive = clusters.reasons.rows_as_of(batch.rows, at=batch.times + 1, users=None, k=20)
        n_naive += len(own & read_by(clusters.reasons, naive))
    assert n_naive == len(step.targets)


def read_by(reasons: ListedReasons, rows: NDArray[np.int32]) -> set[tuple[int, int, int]]:
    chosen = np.unique(rows[rows >= 0])
    return {(int(reasons.users[row]), int(reasons.items[row]), int(reasons.times[row])) for row in chosen}


def test_a_lookup_that_leaks_later_reasons_is_caught(clusters: World) -> None:
    """The planted leak: a lookup that forgets the time is refused in training and in ranking."""
    leaky = replace(clusters, inputs=replace(clusters.inputs, reasons=replace(clusters.reasons, may_be_late=True)))
    with pytest.raises(AssertionError, match="not written yet"):
        trained(leaky)
    with pytest.raises(AssertionError, match="not written yet"):
        query_ranks(RewardRanker.of(model(), leaky.inputs), clusters.validation)


def test_ranking_leaves_out_the_user_s_own_and_all_later_reasons(clusters: World) -> None:
    ranker = RewardRanker.of(model(max_reasons=20), clusters.inputs)
    queries = clusters.validation
    rows = ranker.reason_rows(queries, np.tile(np.arange(N_ITEMS), (len(queries), 1)))
    for query in range(len(queries)):
        read = rows[query][rows[query] >= 0]
        assert (clusters.reasons.times[read] < queries.times[query]).all()
        assert (clusters.reasons.users[read] != queries.users[query]).all()
    # They would be there to be read: nearly every user took something that is a candidate now.
    naive = clusters.reasons.rows_as_of(np.arange(N_ITEMS), at=int(queries.times[0]), users=None, k=20)
    assert (clusters.reasons.users[naive[naive >= 0]] == queries.users[0]).any()


def test_states_of_a_prefix_know_nothing_later(clusters: World) -> None:
    """Histories are read once for all targets of a user; a changed later item must not change an earlier state."""
    sequences = clusters.training.sequences
    items = sequences.items.copy()
    items[sequences.offsets[1:] - 1] = 1
    changed = TimedSequences(Sequences(items, sequences.offsets), clusters.training.times)
    made = model()
    steps = [RewardStep.of(made, given, clusters.inputs, config=QUICK) for given in (clusters.training, changed)]
    drawn = steps[0].targets
    (state, history, is_item), (other, other_history, _) = (step._read(drawn, lambda x: x) for step in steps)
    assert torch.equal(state, other)
    assert torch.equal(history[is_item], other_history[is_item])


def test_states_kept_and_states_read_anew_are_the_same(clusters: World) -> None:
    """Positions are counted from the end, so that only whole windows agree: the last target of every user."""
    made = model()
    kept = RewardStep.of(made, clusters.training, clusters.inputs, config=QUICK)
    anew = replace(kept, states=None)
    last = kept.targets.select(np.flatnonzero(kept.targets.cells == kept.targets.cells.max()))
    assert len(last) == N_USERS
    for first, second in zip(kept._read(last, lambda x: x), anew._read(last, lambda x: x), strict=True):
        torch.testing.assert_close(first, second)


def test_the_leak_of_own_reasons_shows(clusters: World) -> None:
    """C1: items are taken at random, and reasons say nothing but who wrote them.

    Nothing can be learned; with the own reason among the target's, it is found again.
    """
    given = world(says="user")
    config = QUICK.model_copy(update={"epochs": 15})
    _, honest = trained(given, config)
    _, leaky = trained(given, config, is_leaky=True)
    honest_gain, leaky_gain = (report.epochs[-1].ndcg - report.epochs[0].ndcg for report in (honest, leaky))
    assert leaky_gain > 0.3
    assert honest_gain < 0.15


def test_own_reasons_come_first_and_only_where_there_are_any() -> None:
    rows = np.array([[4, 3], [6, -1], [-1, -1]], dtype=np.int32)
    found = with_own_first(rows, np.array([9, -1, 8]))
    assert found.tolist() == [[9, 4], [6, -1], [8, -1]]


# Learning


def test_reasons_that_say_something_are_learned_from_and_shuffled_ones_less(clusters: World) -> None:
    config = QUICK.model_copy(update={"epochs": 10})
    _, report = trained(clusters, config, variant="ap")
    other = ShuffledReasons.of(clusters.reasons, n_items=N_ITEMS, seed=1)
    _, control = trained(replace(clusters, inputs=replace(clusters.inputs, reasons=other)), config, variant="ap")
    best, shuffled = (max(epoch.ndcg for epoch in it.epochs) for it in (report, control))
    assert best > report.epochs[0].ndcg + 0.5
    assert best > shuffled + 0.2


@pytest.mark.parametrize(
    "settings",
    [{"variant": "full"}, {"variant": "mlp"}, {"variant": "sa"}, {"variant": "none"}, {"faithful_mlp": True}],
)
def test_every_variant_lowers_its_loss(clusters: World, settings: dict[str, object]) -> None:
    _, report = trained(clusters, QUICK.model_copy(update={"epochs": 6}), **settings)
    assert report.epochs[-1].loss < report.epochs[1].loss
    assert report.epochs[-1].gate != 0


def test_descriptions_are_read_as_the_only_reason(clusters: World) -> None:
    inputs = replace(
        clusters.inputs,
        reasons=DescriptionLookup(),
        reason_vectors=texts(np.eye(N_ITEMS, 8, dtype=np.float32)),
        reason_times=np.full(N_ITEMS, BEGINNING),
    )
    made, report = trained(replace(clusters, inputs=inputs), variant="text")
    assert report.epochs[-1].loss < report.epochs[1].loss
    rows = RewardRanker.of(made, inputs).reason_rows(clusters.validation, np.tile([3, 5], (N_USERS, 1)))
    assert rows[0].tolist() == [[3], [5]]


def test_it_is_never_below_its_base_on_validation() -> None:
    """A step so large that training ruins the scores: the untouched base is kept."""
    given = world()
    made, report = trained(given, QUICK.model_copy(update={"learning_rate": 30.0, "epochs": 2}))
    found = ndcg(query_ranks(RewardRanker.of(made, given.inputs), given.validation), k=10)
    assert found == max(epoch.ndcg for epoch in report.epochs)
    assert found >= report.epochs[0].ndcg
    if report.best_epoch == 0:
        assert made.gate.item() == 0


def test_it_begins_as_its_base(clusters: World) -> None:
    _, report = trained(clusters)
    base = target_ranks(encoder(), HeldOut(clusters.validation.histories, clusters.validation.targets))
    assert report.epochs[0].ndcg == pytest.approx(ndcg(base, k=10))


def test_same_seed_same_model_and_another_seed_another(clusters: World) -> None:
    first, second = (trained(clusters, dropout=0.2)[0] for _ in range(2))
    assert np.array_equal(weights(first), weights(second))
    other, _ = trained(clusters, QUICK.model_copy(update={"seed": 1}), dropout=0.2)
    assert not np.array_equal(weights(first), weights(other))


def test_a_resumed_run_is_an_uninterrupted_one(clusters: World, tmp_path: Path) -> None:
    def run(epochs: int, file: str) -> tuple[RewardModel, RewardReport]:
        made = model(dropout=0.2)
        report = train_reward_model(
            made,
            clusters.training,
            clusters.inputs,
            config=QUICK.model_copy(update={"epochs": epochs}),
            validation=clusters.validation,
            checkpoint=tmp_path / file,
        )
        return made, report

    whole, whole_report = run(4, "whole")
    run(2, "parts")
    resumed, report = run(4, "parts")
    assert np.array_equal(weights(resumed), weights(whole))
    assert [epoch.ndcg for epoch in report.epochs] == [epoch.ndcg for epoch in whole_report.epochs]
    assert report.best_epoch == whole_report.best_epoch


def test_patience_ends_training(clusters: World) -> None:
    config = QUICK.model_copy(update={"learning_rate": 1e-12, "epochs": 10, "patience": 2})
    _, report = trained(clusters, config)
    assert (len(report.epochs) - 1, report.best_epoch) == (2, 0)


@pytest.mark.parametrize("user_state", ["causal", "token"])
def test_the_encoder_is_trained_along_only_if_asked(clusters: World, user_state: str) -> None:
    base = BASE.model_copy(update={"user_state": user_state})
    for train_base in (False, True):
        config = QUICK.model_copy(update={"train_base": train_base, "epochs": 4, "base_learning_rate": 1e-2})
        made, report = trained(clusters, config, base=base)
        assert report.best_epoch > 0
        before, after = (list(it.parameters()) for it in (encoder(base), made.encoder))
        is_same = all(torch.equal(old, new) for old, new in zip(before, after, strict=True))
        assert is_same != train_base


def test_all_items_as_candidates(clusters: World) -> None:
    _, report = trained(clusters, QUICK.model_copy(update={"full_softmax": True, "epochs": 6}))
    assert report.epochs[-1].loss < report.epochs[1].loss
    with pytest.raises(InvalidConfigError, match="got full_softmax=True"):
        trained(clusters, QUICK.model_copy(update={"full_softmax": True}), is_leaky=True)


def test_what_cannot_be_trained_is_refused(clusters: World) -> None:
    nothing = timed([[(1, 10)], [(2, 20)]])
    with pytest.raises(InvalidDataError, match="expected targets and validation items, got 0 and 40"):
        train_reward_model(model(), nothing, clusters.inputs, config=QUICK, validation=clusters.validation)
    bad = texts(np.full((len(clusters.inputs.reason_times), 8), np.nan, dtype=np.float32))
    with pytest.raises(TrainingError, match="epoch 1: expected a finite loss, got nan"):
        trained(replace(clusters, inputs=replace(clusters.inputs, reason_vectors=bad)))
    with pytest.raises(InvalidDataError, match=r"one width .* got widths \[4, 8\]"):
        replace(clusters.inputs, pattern_vectors=texts(np.zeros((3, 4), dtype=np.float32)))


# Ranking


def opened(given: World, **settings: object) -> RewardRanker:
    made = model(**settings)
    with torch.no_grad():
        made.gate.fill_(3.0)
    return RewardRanker.of(made, given.inputs)


def scores_of(ranker: RewardRanker, given: World, *, rerank: int | None) -> torch.Tensor:
    return torch.cat([scores for _, scores in ranker.score_blocks(given.validation, rerank=rerank)])


@pytest.mark.parametrize("variant", ["full", "ap", "sa", "none"])
def test_kept_projections_score_as_the_model_does(clusters: World, variant: str) -> None:
    ranker = opened(clusters, variant=variant)
    queries = clusters.validation.select(np.arange(3))
    rows = np.tile(np.arange(N_ITEMS), (3, 1))
    if variant == "none":
        side = ranker.model.items(torch.from_numpy(rows))
    else:
        reasons = ranker.reason_rows(queries, rows)
        vectors = torch.from_numpy(clusters.inputs.reason_vectors.vectors[np.maximum(reasons, 0)])
        side = ranker.model.items(torch.from_numpy(rows), ranker.model.project(vectors), torch.from_numpy(reasons >= 0))
    expected = ranker.model(ranker.users(queries), side)
    found = scores_of(ranker, clusters, rerank=None)[:3]
    is_unseen = found.isfinite()
    torch.testing.assert_close(found[is_unseen], expected[is_unseen].detach())


def test_seen_items_are_hidden_and_nothing_else(clusters: World) -> None:
    found = scores_of(opened(clusters), clusters, rerank=None)
    for user, row in enumerate(found):
        seen = clusters.validation.histories.row(user) - 1
        assert sorted(torch.nonzero(~row.isfinite()).flatten().tolist()) == sorted(seen.tolist())


def test_only_the_base_s_best_are_ranked_anew(clusters: World) -> None:
    """Of 24 items 5 are read: their scores are those of the full model; the others follow as the base has them."""
    ranker = opened(clusters)
    full, few = scores_of(ranker, clusters, rerank=None), scores_of(ranker, clusters, rerank=5)
    base = ranker.users(clusters.validation).state @ ranker.model.encoder.output_table().T
    base = base.masked_fill(~full.isfinite(), -torch.inf).detach()
    for user in range(N_USERS):
        best = base[user].topk(5).indices
        torch.testing.assert_close(few[user, best], full[user, best])
        rest = torch.tensor([item for item in base[user].argsort(descending=True).tolist() if item not in best])
        assert few[user, rest].max() < few[user, best].min()
        assert (few[user, rest].diff()[few[user, rest].isfinite()[1:]] <= 0).all()
        assert torch.equal(few[user].isfinite(), full[user].isfinite())
    torch.testing.assert_close(scores_of(ranker, clusters, rerank=N_ITEMS), full)


def test_without_any_item_re_ranked_the_scores_are_the_base_s(clusters: World) -> None:
    """Also behind an open gate."""
    ranker = opened(clusters)
    users = ranker.users(clusters.validation)
    base = users.state @ ranker.model.encoder.output_table().T
    found = scores_of(ranker, clusters, rerank=0)
    is_seen = found == -torch.inf
    torch.testing.assert_close(found[~is_seen], base.detach()[~is_seen])
    assert not torch.allclose(found[~is_seen], scores_of(ranker, clusters, rerank=None)[~is_seen])


def test_one_user_scores_as_all_do_at_once(clusters: World) -> None:
    ranker = opened(clusters)
    together = scores_of(ranker, clusters, rerank=6)
    alone = [
        next(ranker.score_blocks(clusters.validation.select(np.array([user])), rerank=6))[1] for user in range(N_USERS)
    ]
    torch.testing.assert_close(torch.cat(alone), together)


def test_ranks_by_hand(clusters: World) -> None:
    """A shut gate and a state that is one item's vector: 1 + how many score higher, seen ones apart."""
    ranker = RewardRanker.of(model(), clusters.inputs)
    found = query_ranks(ranker, clusters.validation, rerank=None)
    expected = target_ranks(encoder(), HeldOut(clusters.validation.histories, clusters.validation.targets))
    assert found.tolist() == expected.tolist()
    had = replace(clusters.validation, targets=clusters.validation.histories.last())
    assert np.isinf(query_ranks(ranker, had)).all()


def test_a_user_with_everything_seen_and_items_without_reasons() -> None:
    histories = timed([[*((item, item) for item in range(1, N_ITEMS + 1)), (1, 99)]])
    nothing = np.zeros(0, dtype=np.int64)
    given = world()
    inputs = RewardInputs(
        given.inputs.patterns,
        given.inputs.pattern_vectors,
        ListedReasons(nothing, nothing, nothing),
        texts(np.zeros((0, 8), dtype=np.float32)),
        nothing,
    )
    ranker = RewardRanker.of(model(), inputs)
    ((_, scores),) = ranker.score_blocks(histories.last_items(), rerank=5)
    assert (scores == -torch.inf).all()
    assert torch.cat([block for _, block in ranker.score_blocks(given.validation, rerank=5)]).isnan().sum() == 0


# Histories


def test_histories_are_numbered_with_their_times() -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC)
    history = UserHistory("ann", ("b", "a"), (start + timedelta(seconds=1), start + timedelta(seconds=2)))
    found = TimedSequences.of({"ann": history, "bob": UserHistory("bob")}, item_numbers={"a": 1, "b": 2})
    assert found.sequences.items.tolist() == [2, 1]
    assert found.sequences.lengths.tolist() == [2, 0]
    assert found.times.tolist() == [1_000_000, 2_000_000]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(1, 4))
def test_stretches_of_histories_keep_items_and_times_together(lengths: list[int], n: int) -> None:
    rows = [
        [(10 * user + place + 1, 100 * place + user) for place in range(length)] for user, length in enumerate(lengths)
    ]
    given = timed(rows)
    for found, cut in ((given.newest(n), lambda row: row[-n:]), (given.without_last(), lambda row: row[:-1])):
        expected = [cut(row) for row in rows]
        assert found.sequences.lengths.tolist() == [len(row) for row in expected]
        assert found.sequences.items.tolist() == [item for row in expected for item, _ in row]
        assert found.times.tolist() == [time for row in expected for _, time in row]
    queries = given.last_items()
    asked = [user for user, row in enumerate(rows) if len(row) >= 2]
    assert queries.users.tolist() == asked
    assert list(zip(queries.targets.tolist(), queries.times.tolist(), strict=True)) == [
        rows[user][-1] for user in asked
    ]
    assert queries.histories.lengths.tolist() == [len(rows[user]) - 1 for user in asked]


@pytest.mark.parametrize("user_state", ["causal", "token"])
def test_the_base_learns_the_clusters_by_itself(clusters: World, user_state: str) -> None:
    made = encoder(BASE.model_copy(update={"user_state": user_state}))
    held_out = HeldOut(clusters.validation.histories, clusters.validation.targets)
    before = ndcg(target_ranks(made, held_out), k=10)
    config = TrainingConfig(learning_rate=1e-2, batch_size=16, epochs=15, threads=1)
    train_encoder(made, clusters.training.sequences, config=config, validation=held_out)
    assert ndcg(target_ranks(made, held_out), k=10) > before + 0.4
