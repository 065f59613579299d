"""Which positions predict which items, and what the losses on encoders make of it."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from small_encoders import N_ITEMS, drawn_histories, made
from torch import Tensor
from torch.nn import functional

from whyrec.data.sequences import Sequences
from whyrec.encoders import losses
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import no_dropout
from whyrec.encoders.item_losses import CalibratedLoss, SharedNegativesLoss, UnseenNegativesLoss
from whyrec.encoders.masked import MaskedItems
from whyrec.encoders.negatives import ItemDistribution, uniform_others, uniform_unseen
from whyrec.encoders.objectives import FullSoftmaxLoss, ItemLoss, NextItem, NextItems, Objective, Predictions
from whyrec.encoders.sequences import rectangle

THREE = Sequences.of([[5, 6, 7, 8], [9], [3, 4]])
HISTORIES = drawn_histories(n_users=20, shortest=2)


@dataclass
class Recording:
    """A loss that keeps what it was asked."""

    asked: list[Predictions] = field(default_factory=list)

    def __call__(self, encoder: SequenceEncoder, predictions: Predictions, rng: np.random.Generator) -> Tensor:
        self.asked.append(predictions)
        return predictions.states.sum()


def asked(kind: str, objective: Objective, sequences: Sequences = THREE) -> tuple[SequenceEncoder, int]:
    encoder = made(kind)
    users = np.arange(len(sequences))
    batch = objective.inputs(sequences, users, max_history=encoder.max_history)
    _, n = objective.loss(encoder, batch, drop=no_dropout, rng=np.random.default_rng(0))
    return encoder, n


def pairs(predictions: Predictions) -> list[tuple[int, int]]:
    return list(zip(predictions.rows.tolist(), (predictions.targets + 1).tolist(), strict=True))


def test_next_item_asks_for_the_item_after_each() -> None:
    loss = Recording()
    encoder, n = asked("gru4rec", NextItem(loss))
    (predictions,) = loss.asked
    assert pairs(predictions) == [(0, 6), (0, 7), (0, 8), (2, 4)]
    assert n == 4
    read = rectangle(Sequences.of([[5], [5, 6], [5, 6, 7], [3]]), np.arange(4), max_history=20)
    torch.testing.assert_close(predictions.states, encoder.last_state(read))


def test_next_item_reads_as_many_items_as_the_encoder_can_and_one_target() -> None:
    batch = NextItem(Recording()).inputs(THREE, np.arange(3), max_history=2)
    assert batch.items.tolist() == [[6, 7, 8], [9, 0, 0], [3, 4, 0]]


def test_next_items_asks_for_several_and_for_those_that_are_left_at_the_end() -> None:
    loss = Recording()
    encoder, n = asked("caser", NextItems(loss, n_targets=2))
    (predictions,) = loss.asked
    expected = [((5,), 6), ((5,), 7), ((5, 6), 7), ((5, 6), 8), ((5, 6, 7), 8), ((3,), 4)]
    assert [target for _, target in pairs(predictions)] == [target for _, target in expected]
    assert n == len(expected)
    read = rectangle(Sequences.of([list(items) for items, _ in expected]), np.arange(6), max_history=20)
    torch.testing.assert_close(predictions.states, encoder.last_state(read))


def test_next_items_uses_every_window_of_a_long_history() -> None:
    loss = Recording()
    long = Sequences.of([[n % N_ITEMS + 1 for n in range(300)]])
    _, n = asked("hgn", NextItems(loss, n_targets=3), long)
    assert n == 299 + 298 + 297


@pytest.mark.parametrize("last_share", [0.0, 1.0])
def test_masked_items_hides_its_share_and_never_nothing(last_share: float) -> None:
    sequences = Sequences.of([[n % 9 + 1 for n in range(20)]] * 200 + [[4]] * 50)
    loss = Recording()
    _, n = asked("bert4rec", MaskedItems(loss, mask_ratio=0.3, last_share=last_share), sequences)
    counts = np.bincount(loss.asked[0].rows, minlength=250)
    assert counts.min() >= 1
    if last_share == 1:
        assert n == 250
        assert pairs(loss.asked[0]) == [(row, 2) for row in range(200)] + [(row, 4) for row in range(200, 250)]
    else:
        assert counts[:200].mean() == pytest.approx(6, abs=0.5)


def test_a_masked_item_is_not_read() -> None:
    """Rows that differ only in the item that is masked have the same states."""
    loss = Recording()
    asked("bert4rec", MaskedItems(loss, last_share=1.0), Sequences.of([[1, 2, 3], [1, 2, 9]]))
    (predictions,) = loss.asked
    assert pairs(predictions) == [(0, 3), (1, 9)]
    torch.testing.assert_close(predictions.states[0], predictions.states[1])


def loss_of(encoder: SequenceEncoder, item_loss: ItemLoss) -> tuple[Tensor, Predictions]:
    """The loss on random states of the histories' positions, and the positions."""
    batch = rectangle(HISTORIES, np.arange(20), max_history=None)
    rows = torch.nonzero(batch.is_item)[:, 0]
    targets = batch.items[batch.is_item] - 1
    states = torch.randn(len(rows), encoder.output_table().shape[1], generator=torch.Generator().manual_seed(0))
    predictions = Predictions(states, targets, rows, batch)
    return item_loss(encoder, predictions, np.random.default_rng(5)), predictions


@pytest.mark.parametrize("n_negatives", [1, 30])
@pytest.mark.parametrize("kind", ["bce", "bpr"])
def test_unseen_negatives_are_scored_one_by_one(kind: str, n_negatives: int) -> None:
    """With 30 draws the scores come from one large product, with 1 from single vectors: both are the same loss."""
    encoder = made("gru4rec")
    found, at = loss_of(encoder, UnseenNegativesLoss(kind, HISTORIES, n_negatives=n_negatives))  # type: ignore[arg-type]
    drawn = uniform_unseen(HISTORIES, at.rows.numpy(), n_items=N_ITEMS, n=n_negatives, rng=np.random.default_rng(5))
    scores = encoder.scores(at.states)
    positive, negatives = scores.gather(1, at.targets[:, None])[:, 0], scores.gather(1, torch.from_numpy(drawn))
    torch.testing.assert_close(found, getattr(losses, kind)(positive, negatives))


def test_gbce_draws_from_all_but_the_right_item() -> None:
    encoder = made("sasrec")
    found, at = loss_of(encoder, CalibratedLoss(n_negatives=13, calibration=0.5))
    drawn = uniform_others(at.targets.numpy(), n_items=N_ITEMS, n=13, rng=np.random.default_rng(5))
    scores = encoder.scores(at.states)
    positive, negatives = scores.gather(1, at.targets[:, None])[:, 0], scores.gather(1, torch.from_numpy(drawn))
    beta = 13 / 39 * (0.5 * (1 - 39 / 13) + 39 / 13)
    torch.testing.assert_close(found, losses.gbce(positive, negatives, beta=beta))


@pytest.mark.parametrize("kind", ["sampled_softmax", "bpr_max", "top1_max"])
@pytest.mark.parametrize("encoder_kind", ["gru4rec", "sasrec"])
def test_shared_negatives_are_the_plain_loss(kind: str, encoder_kind: str) -> None:
    encoder = made(encoder_kind)
    distribution = ItemDistribution.from_counts(HISTORIES, n_items=N_ITEMS, exponent=0.7)
    elu = 0.5 if kind == "bpr_max" else 0.0
    item_loss = SharedNegativesLoss(kind, distribution, n_negatives=25, score_weight=0.8, elu=elu)  # type: ignore[arg-type]
    found, at = loss_of(encoder, item_loss)
    drawn = torch.from_numpy(distribution.draw(25, np.random.default_rng(5)))
    scores = encoder.scores(at.states)
    scores = functional.elu(scores, alpha=0.5) if elu else scores
    positive = scores.gather(1, at.targets[:, None])[:, 0]
    others = losses.without_hits(scores[:, drawn], at.targets, drawn)
    logp = distribution.log_probabilities
    expected = {
        "bpr_max": lambda: losses.bpr_max(positive, others, score_weight=0.8),
        "top1_max": lambda: losses.top1_max(positive, others),
        "sampled_softmax": lambda: losses.sampled_softmax(
            positive, others, positive_logp=logp[at.targets], negative_logp=logp[drawn]
        ),
    }[kind]()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    gradients = [torch.autograd.grad(value, encoder.items.trainable)[0] for value in (found, expected)]  # type: ignore[union-attr, arg-type]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


def test_the_full_softmax_counts_the_bias() -> None:
    encoder = made("gru4rec")
    found, at = loss_of(encoder, FullSoftmaxLoss())
    expected = functional.cross_entropy(encoder.scores(at.states), at.targets, reduction="sum")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
