"""The training loop: threads and micro-batches change nothing, a killed run goes on, the best epoch stays."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_encoders import ENCODERS, HISTORY_SEEDS, drawn_histories, made, objective_of
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.objectives import FullSoftmaxLoss, NextItem, Predictions
from whyrec.encoders.ranking import HeldOut
from whyrec.encoders.sequences import Rectangle, micro_batches
from whyrec.encoders.train import TrainingConfig, TrainingReport, train
from whyrec.errors import InvalidDataError, TrainingError

KINDS = sorted(ENCODERS)
HISTORIES = drawn_histories(shortest=2, seed=HISTORY_SEEDS[0])
SHORT = TrainingConfig(epochs=3, batch_size=20, micro_batch=6, threads=1)


def weights(encoder: SequenceEncoder) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in encoder.state_dict().items()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def trained(
    kind: str,
    config: TrainingConfig = SHORT,
    *,
    validation: HeldOut | None = None,
    checkpoint: Path | None = None,
    seed: int = 0,
) -> tuple[dict[str, Tensor], TrainingReport]:
    encoder = made(kind, dropout=0.3, seed=seed)
    report = train(
        encoder,
        HISTORIES,
        objective=objective_of(kind, HISTORIES),
        config=config,
        validation=validation,
        checkpoint=checkpoint,
    )
    return weights(encoder), report


def losses(report: TrainingReport) -> list[float]:
    return [epoch.loss for epoch in report.epochs]


@pytest.mark.parametrize("kind", ["sasrec", "gru4rec"])
def test_gradients_in_micro_batches_sum_to_those_of_the_whole_batch(kind: str) -> None:
    encoder, objective = made(kind), NextItem(FullSoftmaxLoss())
    groups = micro_batches(HISTORIES.lengths, np.arange(50), size=7)
    assert sorted(np.concatenate(groups).tolist()) == list(range(50))
    found = []
    for parts in (groups, [np.arange(50)]):
        total = [torch.zeros_like(parameter) for parameter in encoder.parameters()]
        n_predictions = 0
        for users in parts:
            batch = objective.inputs(HISTORIES, users, max_history=encoder.max_history)
            loss, n = objective.loss(encoder, batch, drop=no_dropout, rng=np.random.default_rng(0))
            for place, gradient in enumerate(torch.autograd.grad(loss, list(encoder.parameters()))):
                total[place] += gradient
            n_predictions += n
        found.append((n_predictions, total))
    assert found[0][0] == found[1][0] == int((HISTORIES.lengths - 1).sum())
    for one, other in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_nothing_and_a_seed_repeats_a_run(kind: str) -> None:
    one, report = trained(kind)
    again, same = trained(kind, SHORT.model_copy(update={"threads": 2}))
    assert_same(one, again)
    assert losses(report) == losses(same)
    other, different = trained(kind, SHORT.model_copy(update={"seed": 1}))
    assert losses(report) != losses(different)
    assert any(not torch.equal(one[name], other[name]) for name in one)


class KilledError(RuntimeError):
    """Stands for a process that ends in the middle of an epoch."""


@dataclass
class Killing:
    """An objective that ends the run at a given call."""

    inner: NextItem
    at: int
    calls: int = field(default=0)

    def inputs(self, sequences: Sequences, users: np.ndarray, *, max_history: int) -> Rectangle:
        return self.inner.inputs(sequences, users, max_history=max_history)

    def loss(
        self, encoder: SequenceEncoder, batch: Rectangle, *, drop: Dropout, rng: np.random.Generator
    ) -> tuple[Tensor, int]:
        self.calls += 1
        if self.calls == self.at:
            raise KilledError
        return self.inner.loss(encoder, batch, drop=drop, rng=rng)


@pytest.mark.parametrize("killed_at", [1, 22, 38])
def test_killed_and_resumed_is_as_if_never_killed(tmp_path: Path, killed_at: int) -> None:
    config = SHORT.model_copy(update={"epochs": 5})
    validation = HeldOut.last_items(drawn_histories(shortest=2, seed=HISTORY_SEEDS[1]))
    whole, report = trained("sasrec", config, validation=validation)
    checkpoint = tmp_path / "run.safetensors"
    inner = objective_of("sasrec", HISTORIES)
    assert isinstance(inner, NextItem)
    with pytest.raises(KilledError):
        train(
            made("sasrec", dropout=0.3),
            HISTORIES,
            objective=Killing(inner, at=killed_at),
            config=config,
            validation=validation,
            checkpoint=checkpoint,
        )
    resumed, second = trained("sasrec", config, validation=validation, checkpoint=checkpoint, seed=9)
    if killed_at == 1:
        # Nothing had been saved yet: the run starts anew, from its own weights.
        resumed, second = trained("sasrec", config, validation=validation)
    assert_same(whole, resumed)
    assert [replace(epoch, seconds=0.0) for epoch in second.epochs] == [
        replace(epoch, seconds=0.0) for epoch in report.epochs
    ]
    assert second.best_epoch == report.best_epoch


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.safetensors"
    done, report = trained("sasrec", checkpoint=checkpoint)
    again, same = trained("sasrec", checkpoint=checkpoint, seed=5)
    assert_same(done, again)
    assert same == report


class Exploding:
    """A loss that is no number from some call on."""

    def __init__(self, after: int) -> None:
        self.calls, self.after = 0, after

    def __call__(self, encoder: SequenceEncoder, predictions: Predictions, rng: np.random.Generator) -> Tensor:
        self.calls += 1
        loss = FullSoftmaxLoss()(encoder, predictions, rng)
        return loss * float("nan") if self.calls > self.after else loss


def test_a_loss_that_is_no_number_ends_the_run_and_spares_the_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.safetensors"
    calls_per_epoch = 10
    with pytest.raises(TrainingError, match=r"training, epoch 2: expected a finite loss, got nan. Lower learning_rate"):
        train(
            made("sasrec"),
            HISTORIES,
            objective=NextItem(Exploding(after=calls_per_epoch + 3)),
            config=SHORT,
            checkpoint=checkpoint,
        )
    _, report = trained("sasrec", checkpoint=checkpoint)
    assert len(report.epochs) == 3
    assert np.isfinite(losses(report)).all()


def test_early_stopping_keeps_the_weights_of_the_best_epoch(tmp_path: Path) -> None:
    """With a learning rate far too high the validation figure soon falls."""
    validation = HeldOut.last_items(HISTORIES)
    config = SHORT.model_copy(update={"epochs": 40, "patience": 2, "learning_rate": 0.2})
    best, report = trained("sasrec", config, validation=validation)
    figures = [epoch.ndcg for epoch in report.epochs]
    assert None not in figures
    assert report.best_epoch == int(np.argmax(figures)) + 1  # type: ignore[arg-type]
    assert len(report.epochs) == report.best_epoch + 2 < 40
    cut, _ = trained("sasrec", config.model_copy(update={"epochs": report.best_epoch}), validation=validation)
    assert_same(best, cut)
    longer, _ = trained("sasrec", config.model_copy(update={"epochs": report.best_epoch + 1, "patience": 99}))
    assert any(not torch.equal(best[name], longer[name]) for name in best)


def test_epochs_without_a_look_are_neither_best_nor_stopped_at() -> None:
    config = SHORT.model_copy(update={"epochs": 5, "validate_every": 2})
    _, report = trained("sasrec", config, validation=HeldOut.last_items(HISTORIES))
    assert [epoch.ndcg is not None for epoch in report.epochs] == [False, True, False, True, True]
    assert report.best_epoch in (2, 4, 5)


def test_users_with_one_item_teach_nothing() -> None:
    with pytest.raises(InvalidDataError, match="expected users with at least two items, got none"):
        train(made("sasrec"), Sequences.of([[1], [], [2]]), objective=NextItem(FullSoftmaxLoss()), config=SHORT)
