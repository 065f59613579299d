"""The training loop of all encoders: seeded, stopped early by NDCG@10 on validation items, resumable at any time."""

import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import pooled_dropout
from whyrec.encoders.objectives import Objective
from whyrec.encoders.ranking import HeldOut, hit_rate, ndcg, target_ranks
from whyrec.encoders.sequences import micro_batches
from whyrec.errors import InvalidConfigError, InvalidDataError, TrainingError
from whyrec.runtime.progress import progress_bar
from whyrec.runtime.strict_model import StrictModel
from whyrec.runtime.threads import one_thread
from whyrec.runtime.training_state import load_state, optimizer_tensors, restore_optimizer, save_state

_SAME_CONSTANT = 1e-2
"""Of the largest value: so far apart may values be that count as the same."""


class TrainingConfig(StrictModel):
    """How an encoder is trained."""

    learning_rate: float = Field(default=1e-3, gt=0)
    """Of Adam."""
    beta2: float = Field(default=0.98, gt=0, lt=1)
    """Of Adam. Paper: 0.98 in SASRec's code."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Added to the gradient."""
    batch_size: int = Field(default=128, ge=1)
    """Users in one step."""
    epochs: int = Field(default=200, ge=1)
    """At most so many passes over the users."""
    patience: int = Field(default=20, ge=1)
    """Stop after so many epochs without a better validation NDCG@10."""
    validate_every: int = Field(default=1, ge=1)
    """Epochs between two looks at the validation items."""
    seed: int = Field(default=0, ge=0)
    """Of order, dropout and negatives."""
    threads: int = Field(default=0, ge=0)
    """Micro-batches at the same time on a CPU; 0 takes all cores. Changes no result."""
    micro_batch: int = Field(default=16, ge=1)
    """Users in one forward pass on a CPU: few of like length, so that little padding is computed."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass over the users did."""

    epoch: int
    """From 1."""
    loss: float
    """Per prediction."""
    seconds: float
    hit_rate: float | None
    """HR@10 of the validation items, where they were looked at."""
    ndcg: float | None


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """A whole training run."""

    epochs: tuple[Epoch, ...]
    best_epoch: int
    """Whose weights the encoder holds now."""


def train(
    encoder: SequenceEncoder,
    sequences: Sequences,
    *,
    objective: Objective,
    config: TrainingConfig,
    validation: HeldOut | None = None,
    checkpoint: Path | None = None,
) -> TrainingReport:
    """Train an encoder in place; it ends with the weights of its best epoch.

    Args:
        encoder: Untrained, on the device where it is to be trained.
        sequences: Training items only; what is held out must not be in them.
        objective: What to learn.
        config: How.
        validation: Items that tell when to stop; None trains all epochs and keeps the last.
        checkpoint: A file for the state after every epoch; a run that finds one goes on from it.

    Raises:
        InvalidDataError: If no user has two items.
        InvalidConfigError: If the checkpoint began with other frozen columns.
        TrainingError: If the loss is not a number any more.
    """
    users = np.flatnonzero(sequences.lengths >= 2)
    if len(users) == 0:
        raise InvalidDataError("training: expected users with at least two items, got none. Check data and cut-off.")
    optimizer = torch.optim.Adam(
        encoder.parameters(), lr=config.learning_rate, betas=(0.9, config.beta2), weight_decay=config.weight_decay
    )
    run = _Run.start(encoder, optimizer, checkpoint)
    device = encoder.output_table().device
    on_cpu = device.type == "cpu"
    n_threads = (config.threads or torch.get_num_threads()) if on_cpu else 1
    with (
        one_thread() if on_cpu else nullcontext(),
        ThreadPoolExecutor(n_threads) as pool,
        progress_bar("training", total=config.epochs) as bar,
    ):
        bar.advance(len(run.epochs))
        while len(run.epochs) < config.epochs and not run.has_stalled(config.patience):
            started = time.perf_counter()
            epoch = len(run.epochs) + 1
            step = _Step(encoder, objective, sequences, config, device)
            order = np.random.default_rng((config.seed, epoch)).permutation(users)
            total, n_predictions = 0.0, 0
            encoder.train()
            for number, first in enumerate(range(0, len(order), config.batch_size)):
                batch = order[first : first + config.batch_size]
                groups = micro_batches(sequences.lengths, batch, size=config.micro_batch if on_cpu else len(batch))
                seeds = [(config.seed, epoch, number, part) for part in range(len(groups))]
                parts = list(pool.map(step, groups, seeds))
                n = sum(part.n for part in parts)
                if n == 0:
                    continue
                # Summed in a fixed order, so that threads do not change the result.
                for place, parameter in enumerate(encoder.parameters()):
                    parameter.grad = _sum([part.gradients[place] for part in parts]) / n
                optimizer.step()
                total += sum(part.loss for part in parts)
                n_predictions += n
            if not math.isfinite(total):
                raise TrainingError(
                    f"training, epoch {epoch}: expected a finite loss, got {total}. Lower learning_rate "
                    f"(now {config.learning_rate})."
                )
            seconds = time.perf_counter() - started
            ranks = None
            if validation is not None and (epoch % config.validate_every == 0 or epoch == config.epochs):
                ranks = target_ranks(encoder, validation)
            run.close_epoch(
                Epoch(
                    epoch,
                    total / max(n_predictions, 1),
                    seconds,
                    None if ranks is None else hit_rate(ranks, k=10),
                    None if ranks is None else ndcg(ranks, k=10),
                )
            )
            run.save(checkpoint)
            bar.advance()
            bar.describe(f"training: {run.summary()}")
    return run.finish()


@dataclass(frozen=True, slots=True)
class _Part:
    loss: float
    n: int
    gradients: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """Loss and gradients of one micro-batch; safe to run on several threads, since it changes nothing."""

    encoder: SequenceEncoder
    objective: Objective
    sequences: Sequences
    config: TrainingConfig
    device: torch.device

    def __call__(self, users: np.ndarray, seed: tuple[int, ...]) -> _Part:
        batch = self.objective.inputs(self.sequences, users, max_history=self.encoder.max_history).to(self.device)
        drop = pooled_dropout(self.encoder.dropout, seed=(*seed, 0), device=self.device)
        rng = np.random.default_rng((*seed, 1))
        mixed = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        with torch.autocast("cuda", dtype=torch.bfloat16) if mixed else nullcontext():
            loss, n = self.objective.loss(self.encoder, batch, drop=drop, rng=rng)
        parameters = list(self.encoder.parameters())
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        given = [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters, strict=True)]
        return _Part(float(loss.detach()), n, tuple(given))


def _sum(tensors: list[Tensor]) -> Tensor:
    total = tensors[0].clone()
    for tensor in tensors[1:]:
        total += tensor
    return total


class _Run:
    """Where a training run stands: weights, optimiser, the best weights so far and what happened in each epoch."""

    def __init__(self, encoder: SequenceEncoder, optimizer: torch.optim.Optimizer) -> None:
        self.encoder = encoder
        self.optimizer = optimizer
        self.epochs: list[Epoch] = []
        self.best_epoch = 0
        self.best = _copied(encoder)

    @classmethod
    def start(cls, encoder: SequenceEncoder, optimizer: torch.optim.Optimizer, checkpoint: Path | None) -> "_Run":
        run = cls(encoder, optimizer)
        if checkpoint is not None and checkpoint.is_file():
            run._load(checkpoint)
        return run

    def has_stalled(self, patience: int) -> bool:
        looked = any(epoch.ndcg is not None for epoch in self.epochs)
        return looked and len(self.epochs) - self.best_epoch >= patience

    def close_epoch(self, epoch: Epoch) -> None:
        best = max((past.ndcg for past in self.epochs if past.ndcg is not None), default=-math.inf)
        self.epochs.append(epoch)
        never_looked = all(past.ndcg is None for past in self.epochs)
        if never_looked or (epoch.ndcg is not None and epoch.ndcg > best):
            self.best_epoch, self.best = epoch.epoch, _copied(self.encoder)

    def summary(self) -> str:
        last = self.epochs[-1]
        found = "" if last.ndcg is None else f", NDCG@10 {last.ndcg:.4f} (best in epoch {self.best_epoch})"
        return f"loss {last.loss:.3f}{found}"

    def save(self, checkpoint: Path | None) -> None:
        if checkpoint is None:
            return
        record = {"best_epoch": self.best_epoch, "epochs": [asdict(epoch) for epoch in self.epochs]}
        parts = {"weights": _copied(self.encoder), "best": self.best, "optimizer": optimizer_tensors(self.optimizer)}
        save_state(checkpoint, parts=parts, record=record)

    def finish(self) -> TrainingReport:
        self.encoder.load_state_dict(self.best)
        self.encoder.eval()
        return TrainingReport(tuple(self.epochs), self.best_epoch)

    def _load(self, checkpoint: Path) -> None:
        parts, record = load_state(checkpoint)
        self._require_same_constants(parts["weights"], checkpoint)
        self.epochs = [Epoch(**epoch) for epoch in record["epochs"]]
        self.best_epoch = record["best_epoch"]
        self.best = parts["best"]
        self.encoder.load_state_dict(parts["weights"])
        restore_optimizer(self.optimizer, parts["optimizer"])

    def _require_same_constants(self, kept: Mapping[str, Tensor], checkpoint: Path) -> None:
        """What is not trained, such as frozen item columns, must be what the training began with."""
        for name, constant in self.encoder.named_buffers():
            # What is computed anew from the same data may be rounded otherwise.
            nearly = _SAME_CONSTANT * float(constant.abs().max()) if constant.numel() else 0.0
            began = kept.get(name, torch.empty(0))
            is_same = began.shape == constant.shape and torch.allclose(began, constant.cpu(), rtol=0.0, atol=nearly)
            if not is_same:
                raise InvalidConfigError(
                    f"{checkpoint}: expected a training that began with {name} as it is now, got one with another. "
                    "Give the scores, aspects and settings that it began with, or remove it to begin anew."
                )


def _copied(encoder: SequenceEncoder) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in encoder.state_dict().items()}
