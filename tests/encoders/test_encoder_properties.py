"""What every encoder must do, whatever is inside: padding, batches and blocks change nothing; the future is unseen."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from small_encoders import ENCODERS, N_ITEMS, N_USERS, drawn_histories, made, objective_of
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.bert4rec import Bert4Rec, Bert4RecConfig
from whyrec.encoders.caser import Caser, CaserConfig
from whyrec.encoders.gru4rec import Gru4Rec, Gru4RecConfig
from whyrec.encoders.hgn import Hgn, HgnConfig
from whyrec.encoders.masked import MaskedItems
from whyrec.encoders.objectives import NextItems, Objective
from whyrec.encoders.ranking import HeldOut, hit_rate, score_blocks, target_ranks
from whyrec.encoders.sasrec import SasRec, SasRecConfig
from whyrec.encoders.sequences import rectangle
from whyrec.encoders.train import TrainingConfig, train
from whyrec.errors import InvalidConfigError

KINDS = sorted(ENCODERS)
FULL_SIZE: dict[str, Callable[[], SequenceEncoder]] = {
    "sasrec": lambda: SasRec(3000, SasRecConfig()),
    "gru4rec": lambda: Gru4Rec(3000, Gru4RecConfig()),
    "bert4rec": lambda: Bert4Rec(3000, Bert4RecConfig()),
    "caser": lambda: Caser(3000, CaserConfig(), n_users=45),
    "hgn": lambda: Hgn(3000, HgnConfig(), n_users=45),
}
CAUSAL = [kind for kind in KINDS if kind != "bert4rec"]
HISTORIES = drawn_histories()
ALL = np.arange(len(HISTORIES))


def last_states(encoder: SequenceEncoder, sequences: Sequences, *, width: int | None = None) -> Tensor:
    users = np.arange(len(sequences))
    with torch.inference_mode():
        return encoder.last_state(rectangle(sequences, users, max_history=encoder.max_history, width=width))


@pytest.mark.parametrize("kind", CAUSAL)
def test_the_last_state_is_the_state_after_the_last_item(kind: str) -> None:
    encoder = made(kind)
    batch = rectangle(HISTORIES, ALL, max_history=encoder.max_history)
    with torch.inference_mode():
        states, last = encoder.states(batch), encoder.last_state(batch)
    assert states.shape[:2] == batch.items.shape
    torch.testing.assert_close(last, states[torch.arange(len(ALL)), batch.lengths - 1], rtol=1e-6, atol=1e-6)


def test_the_last_state_of_bert4rec_is_that_of_a_mask_behind_the_last_item() -> None:
    encoder = made("bert4rec")
    batch = rectangle(HISTORIES, ALL, max_history=encoder.max_history, width=encoder.max_history + 1)
    with torch.inference_mode():
        asked = encoder.states(replace(batch, lengths=batch.lengths + 1))
        found = last_states(encoder, HISTORIES)
    torch.testing.assert_close(found, asked[torch.arange(len(ALL)), batch.lengths], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", CAUSAL)
def test_a_later_item_changes_no_earlier_state(kind: str) -> None:
    encoder = made(kind)
    sequences = drawn_histories(shortest=3)
    batch = rectangle(sequences, ALL, max_history=None)
    kept = batch.items.shape[1]
    changed, last = batch.items.clone(), (torch.arange(len(ALL)), batch.lengths - 1)
    changed[last] = changed[last] % N_ITEMS + 1
    with torch.inference_mode():
        before, after = encoder.states(batch), encoder.states(replace(batch, items=changed))
    is_earlier = torch.arange(kept) < batch.lengths[:, None] - 1
    torch.testing.assert_close(before[is_earlier], after[is_earlier], rtol=1e-6, atol=1e-6)
    assert (before[last] - after[last]).abs().amax(dim=1).min() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_wider_padding_changes_nothing(kind: str) -> None:
    encoder = made(kind)
    narrow = last_states(encoder, drawn_histories(longest=3))
    wide = last_states(encoder, drawn_histories(longest=3), width=encoder.max_history)
    torch.testing.assert_close(narrow, wide, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_items_matters(kind: str) -> None:
    encoder = made(kind)
    turned = last_states(encoder, Sequences.of([[3, 2, 1], [1, 2, 3]]))
    assert (turned[0] - turned[1]).abs().max() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_a_users_scores_are_the_same_to_the_bit_alone_and_among_others(kind: str) -> None:
    encoder = made(kind)
    together = {
        int(user): scores[place].clone()
        for users, scores in score_blocks(encoder, HISTORIES, ALL)
        for place, user in enumerate(users)
    }
    assert sorted(together) == ALL.tolist()
    for user in ALL[::7]:
        ((_, alone),) = score_blocks(encoder, HISTORIES, np.array([user]))
        assert torch.equal(alone[0], together[int(user)])
        with torch.inference_mode():
            of_state = encoder.scores(last_states(encoder, HISTORIES.select(np.array([user]))))
        torch.testing.assert_close(alone[0], of_state[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", sorted(FULL_SIZE))
def test_scores_are_the_same_to_the_bit_at_full_size(kind: str) -> None:
    """Matrix products of other sizes are cut up in other ways."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 230, size=45)
    sequences = Sequences.with_lengths(rng.integers(1, 3001, size=lengths.sum()).astype(np.int32), lengths)
    sequences = replace(sequences, owners=np.arange(1, 46))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = FULL_SIZE[kind]()
    together = np.zeros((45, 3000), dtype=np.float32)
    for users, scores in score_blocks(encoder, sequences, np.arange(45)):
        together[users] = scores.numpy()
    for user in range(0, 45, 6):
        ((_, alone),) = score_blocks(encoder, sequences, np.array([user]))
        assert np.array_equal(alone[0].numpy(), together[user])


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_most_recent_items_are_read(kind: str) -> None:
    encoder = made(kind)
    recent = list(range(1, encoder.max_history + 1))
    ((_, scores),) = score_blocks(encoder, Sequences.of([[30, 31, 32, *recent], recent]), np.array([0, 1]))
    assert torch.equal(scores[0], scores[1])


@pytest.mark.parametrize("kind", ["caser", "hgn"])
def test_users_are_told_apart_and_strangers_have_no_vector(kind: str) -> None:
    encoder = made(kind)
    with torch.no_grad():
        encoder.users.weight[0] = 0  # type: ignore[index, union-attr]
    same = Sequences.of([[1, 2, 3]] * 3)
    known = last_states(encoder, replace(same, owners=np.array([1, 2, 0])))
    assert (known[0] - known[1]).abs().max() > 1e-3
    assert torch.equal(known[2], last_states(encoder, same)[0])


@pytest.mark.parametrize("kind", ["caser", "hgn"])
def test_strangers_in_training_do_not_give_all_strangers_a_vector(kind: str) -> None:
    with torch.random.fork_rng(devices=[]):
        encoder = ENCODERS[kind]()
    owners = np.arange(N_USERS) % 3
    sequences = replace(HISTORIES, owners=owners)
    train(encoder, sequences, objective=objective_of(kind, sequences), config=TrainingConfig(epochs=1, threads=1))
    vectors = encoder.users.weight.detach()  # type: ignore[union-attr]
    assert not vectors[0].any()  # type: ignore[operator, index]


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_columns_are_read_and_never_trained(kind: str) -> None:
    frozen = torch.linspace(-1, 1, N_ITEMS * 3).view(N_ITEMS, 3)
    encoder = made(kind, frozen=frozen)
    bare = made(kind, frozen=torch.zeros(N_ITEMS, 3))
    assert (last_states(encoder, HISTORIES) - last_states(bare, HISTORIES)).abs().max() > 1e-3
    before = {name: parameter.detach().clone() for name, parameter in encoder.named_parameters()}
    train(encoder, HISTORIES, objective=objective_of(kind, HISTORIES), config=TrainingConfig(epochs=2, threads=1))
    assert torch.equal(encoder.items.frozen[1:], frozen)  # type: ignore[union-attr, index]
    moved = [name for name, parameter in encoder.named_parameters() if not torch.equal(before[name], parameter)]
    assert sorted(moved) == sorted(before), "everything that can be trained is trained, gates included"


@pytest.mark.parametrize("kind", KINDS)
def test_a_gate_starts_at_one_and_is_trained_with_the_rest(kind: str) -> None:
    frozen = torch.linspace(-1, 1, N_ITEMS * 3).view(N_ITEMS, 3)
    encoder, gated = made(kind, frozen=frozen), made(kind, frozen=frozen)
    table = gated.item_table()
    table.add_gate()
    assert torch.equal(last_states(gated, HISTORIES), last_states(encoder, HISTORIES))
    train(gated, HISTORIES, objective=objective_of(kind, HISTORIES), config=TrainingConfig(epochs=1, threads=1))
    assert table.gate is not None
    assert table.gate.item() != 0
    assert torch.equal(table.frozen[1:], frozen)
    torch.testing.assert_close(table.weight()[1:, -3:], frozen * table.gate.exp())


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_columns_of_the_wrong_shape_are_refused(kind: str) -> None:
    with pytest.raises(InvalidConfigError, match="frozen columns: expected 40 rows and fewer than 16 columns, got 7"):
        made(kind, frozen=torch.zeros(7, 3))


def test_heads_that_do_not_divide_the_columns_are_refused() -> None:
    with pytest.raises(ValidationError, match="embedding_dim must be a multiple of n_heads, got 16 and 3"):
        Bert4RecConfig(embedding_dim=16, n_heads=3)


def overfit_objective(kind: str, sequences: Sequences) -> Objective:
    objective = objective_of(kind, sequences)
    if isinstance(objective, MaskedItems):
        return replace(objective, last_share=0.7)
    return replace(objective, n_targets=1) if isinstance(objective, NextItems) else objective


EPOCHS = {"bert4rec": 180, "caser": 100, "hgn": 150, "gru4rec": 200, "gru4rec_untied": 120, "sasrec": 80}


@pytest.mark.parametrize("kind", KINDS)
def test_fifty_users_are_learned_by_heart(kind: str) -> None:
    sequences = drawn_histories(shortest=3, longest=8)
    config = TrainingConfig(epochs=EPOCHS[kind], learning_rate=1e-2, batch_size=50, micro_batch=50, threads=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = ENCODERS[kind]()
    report = train(encoder, sequences, objective=overfit_objective(kind, sequences), config=config)
    held_out = HeldOut.last_items(sequences)
    assert hit_rate(target_ranks(encoder, held_out), k=1) > 0.95
    assert report.epochs[-1].loss < report.epochs[0].loss / 2


def test_an_untrained_encoder_has_not_learned_by_heart() -> None:
    """The test above would otherwise prove nothing."""
    sequences = drawn_histories(shortest=3, longest=8)
    build: Callable[[], SequenceEncoder] = ENCODERS["sasrec"]
    assert hit_rate(target_ranks(build(), HeldOut.last_items(sequences)), k=1) < 0.3
