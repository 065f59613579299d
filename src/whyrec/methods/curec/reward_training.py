"""Training of the reward model: sampled softmax over time-contiguous batches, on a frozen or a living encoder.

It looks at validation items before the first step, where it equals its encoder, and after every epoch; it ends with the
best of all these, so that on validation it is never below its base.
"""

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from whyrec.encoders.dropout import pooled_dropout
from whyrec.encoders.ranking import ndcg
from whyrec.errors import InvalidConfigError, InvalidDataError, TrainingError
from whyrec.methods.curec.config import RewardTrainingConfig
from whyrec.methods.curec.reward_batches import contiguous_batches
from whyrec.methods.curec.reward_inputs import (
    Queries,
    RewardInputs,
    Rows,
    TimedSequences,
)
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.reward_ranking import RewardRanker, query_ranks
from whyrec.methods.curec.reward_step import RewardStep
from whyrec.runtime.progress import progress_bar
from whyrec.runtime.threads import one_thread
from whyrec.runtime.training_state import load_state, optimizer_tensors, restore_optimizer, save_state


@dataclass(frozen=True, slots=True)
class RewardEpoch:
    """What one pass over the targets did."""

    epoch: int
    """From 1; 0 is the look before the first step."""
    loss: float
    """Per target."""
    ndcg: float
    """NDCG@10 of the validation items, the base's best re-ranked."""
    gate: float


@dataclass
class RewardReport:
    """A training run."""

    epochs: list[RewardEpoch] = field(default_factory=list)
    best_epoch: int = 0
    """Whose weights the model holds now; 0 where training has not helped and the model is its base."""

    def has_stalled(self, patience: int) -> bool:
        """True when the last ``patience`` epochs were no better than the best."""
        return bool(self.epochs) and self.epochs[-1].epoch - self.best_epoch >= patience


def train_reward_model(
    model: RewardModel,
    training: TimedSequences,
    inputs: RewardInputs,
    *,
    config: RewardTrainingConfig,
    validation: Queries,
    own_rows: Rows | None = None,
    checkpoint: Path | None = None,
) -> RewardReport:
    """Train a model in place; it ends with the weights of its best epoch.

    Args:
        model: On a trained encoder, untrained otherwise.
        training: Training items only; what is held out must not be in them.
        inputs: Patterns and reasons of training interactions.
        config: How.
        validation: Items that tell when to stop.
        own_rows: Only for the leak control: the reasons that the training interactions brought, one for each item of
            ``training`` in its order, to be read where that very interaction is the target (C1).
        checkpoint: A file for the state after every epoch; a run that finds one goes on from it.

    Raises:
        InvalidDataError: If there is nothing to train or validate on.
        InvalidConfigError: If the leak control is asked for with all items as candidates.
        TrainingError: If the loss is not a number any more.
    """
    if own_rows is not None and config.full_softmax:
        raise InvalidConfigError(
            "reward model: expected own_rows with drawn candidates, got full_softmax=True. Leave one of them out."
        )
    with one_thread():
        step = RewardStep.of(model, training, inputs, config=config, own_rows=own_rows)
        if not len(step.targets) or not len(validation):
            raise InvalidDataError(
                f"reward model: expected targets and validation items, got {len(step.targets)} and {len(validation)}. "
                "Check data and cut-off."
            )
        return _run(step, validation, checkpoint=checkpoint)


def _run(step: RewardStep, validation: Queries, *, checkpoint: Path | None) -> RewardReport:
    model, inputs, config = step.model, step.inputs, step.config
    optimizer = _optimizer(model, config)
    report, best = _resumed(model, optimizer, checkpoint)
    with progress_bar("training reward model", total=config.epochs) as bar:
        if not report.epochs:
            found = ndcg(query_ranks(RewardRanker.of(model, inputs), validation), k=10)
            report.epochs.append(RewardEpoch(0, math.nan, found, float(model.gate.detach())))
        bar.advance(len(report.epochs) - 1)
        while len(report.epochs) <= config.epochs and not report.has_stalled(config.patience):
            epoch = len(report.epochs)
            loss = _epoch(step, optimizer, epoch=epoch)
            found = ndcg(query_ranks(RewardRanker.of(model, inputs), validation), k=10)
            if found > max(past.ndcg for past in report.epochs):
                report.best_epoch, best = epoch, _copied(model)
            report.epochs.append(RewardEpoch(epoch, loss, found, float(model.gate.detach())))
            _save(checkpoint, model, optimizer, best=best, report=report)
            bar.advance()
            bar.describe(f"training reward model: loss {loss:.3f}, NDCG@10 {found:.4f} (best in {report.best_epoch})")
    model.load_state_dict(best)
    model.eval()
    return report


def _epoch(step: RewardStep, optimizer: torch.optim.Optimizer, *, epoch: int) -> float:
    """One pass; the loss per target."""
    config, model = step.config, step.model
    rng = np.random.default_rng((config.seed, epoch))
    model.train()
    total, n_targets = 0.0, 0
    batches = contiguous_batches(step.targets, size=config.batch_size, n=config.targets_per_epoch, rng=rng)
    for number, batch in enumerate(batches):
        drop = pooled_dropout(model.config.dropout, seed=(config.seed, epoch, number), device=model.gate.device)
        loss = step.loss(batch, rng=rng, drop=drop)
        optimizer.zero_grad()
        (loss / len(batch)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += float(loss.detach())
        n_targets += len(batch)
    if not math.isfinite(total):
        raise TrainingError(
            f"reward model, epoch {epoch}: expected a finite loss, got {total}. Lower learning_rate "
            f"(now {config.learning_rate})."
        )
    return total / n_targets


def _optimizer(model: RewardModel, config: RewardTrainingConfig) -> torch.optim.Optimizer:
    groups = [{"params": list(model.head_parameters()), "lr": config.learning_rate}]
    for parameter in model.encoder.parameters():
        parameter.requires_grad_(config.train_base)
    if config.train_base:
        groups.append({"params": list(model.encoder.parameters()), "lr": config.base_learning_rate})
    return torch.optim.Adam(groups)


def _resumed(
    model: RewardModel, optimizer: torch.optim.Optimizer, checkpoint: Path | None
) -> tuple[RewardReport, dict[str, Tensor]]:
    """Where the run stands, and the best weights so far."""
    if checkpoint is None or not checkpoint.is_file():
        return RewardReport(), _copied(model)
    parts, record = load_state(checkpoint)
    model.load_state_dict(parts["weights"])
    restore_optimizer(optimizer, parts["optimizer"])
    epochs = [RewardEpoch(**epoch) for epoch in record["epochs"]]
    return RewardReport(epochs, record["best_epoch"]), parts["best"]


def _save(
    checkpoint: Path | None,
    model: RewardModel,
    optimizer: torch.optim.Optimizer,
    *,
    best: dict[str, Tensor],
    report: RewardReport,
) -> None:
    if checkpoint is None:
        return
    record = {"best_epoch": report.best_epoch, "epochs": [asdict(epoch) for epoch in report.epochs]}
    parts = {"weights": _copied(model), "best": best, "optimizer": optimizer_tensors(optimizer)}
    save_state(checkpoint, parts=parts, record=record)


def _copied(model: RewardModel) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
