"""The training loop of TRAIL: one plain loop for a toy on a laptop and for 7B parameters on several GPUs.

Run it under ``accelerate launch`` for more than one device. Every draw depends on the seed and the step alone, so that
a killed run that goes on from its checkpoint ends where an uninterrupted one does.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor, nn
from transformers import get_cosine_schedule_with_warmup

from whyrec.errors import InvalidConfigError, InvalidDataError, TrainingError
from whyrec.methods.trail.batches import Plan, TrainingSet, epoch_plans
from whyrec.methods.trail.config import TrailTraining
from whyrec.methods.trail.encoding import EncodedSample, collate
from whyrec.methods.trail.equations import scheduled_weight, total_loss
from whyrec.methods.trail.network import Losses, TrailNetwork
from whyrec.runtime.progress import progress_bar
from whyrec.runtime.training_state import load_state, optimizer_tensors, restore_optimizer, save_state


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the validation window, and the training losses since the one before it."""

    step: int
    validation: float
    """Eq. (9) over the validation samples; NaN without any."""
    supervised: float
    contrastive: float
    explanation: float
    seconds: float
    """Since the run began, over all its parts."""


@dataclass(frozen=True, slots=True)
class TrailReport:
    """A whole training run."""

    looks: tuple[Look, ...]
    best_step: int
    """Whose weights the model holds now."""
    n_steps: int
    """That were planned; fewer were made where training stopped early."""
    tokens: int
    """Read in training, without padding."""


def train(
    network: TrailNetwork,
    training: TrainingSet,
    *,
    validation: Sequence[EncodedSample],
    config: TrailTraining,
    padding: int,
    checkpoint: Path | None = None,
    stop_after: int | None = None,
) -> TrailReport:
    """Train a network in place; it ends with the weights of its best look at the validation window.

    Args:
        network: Model and head; what requires gradients is trained.
        training: Texts and neighbours.
        validation: Texts of the month before the tested one; none keeps the last weights.
        config: How.
        padding: The token behind a row's end.
        checkpoint: A file for the state; a run that finds one goes on from it.
        stop_after: End after so many steps of the optimiser, as an earlier run found best; None runs all epochs.

    Raises:
        InvalidDataError: If there is nothing to learn, or the checkpoint is damaged.
        InvalidConfigError: If the checkpoint is that of a run with other settings or other texts.
        TrainingError: If the loss is not a number any more.
    """
    if not training.samples:
        raise InvalidDataError("TRAIL, training: expected texts, got none. Check the data and its cut-off.")
    accelerator = Accelerator(
        mixed_precision="bf16" if _has_bf16() else "no",
        # The head is at work only where explanations are contrasted.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    steps = _Steps(training, config, n_devices=accelerator.num_processes)
    optimizer = torch.optim.AdamW(
        [parameter for parameter in network.parameters() if parameter.requires_grad],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )
    schedule = get_cosine_schedule_with_warmup(optimizer, round(config.warmup_share * len(steps)), len(steps))
    prepared, optimizer = accelerator.prepare(network, optimizer)
    identity = {"settings": config.model_dump(mode="json"), "texts": len(training.samples), "n_steps": len(steps)}
    run = _Run(network, optimizer, schedule, patience=config.patience, identity=identity)
    if checkpoint is not None and checkpoint.is_file():
        run.resume(checkpoint)
    last = len(steps) if stop_after is None else min(stop_after, len(steps))
    loop = _Loop(accelerator, prepared, training, config=config, padding=padding, n_steps=len(steps))
    with progress_bar("tuning", total=last) as bar:
        bar.advance(run.step)
        while run.step < last and not run.has_stalled:
            run.record(loop.step(run.step, steps.plans(run.step), optimizer=optimizer, schedule=schedule))
            bar.advance()
            if run.step % config.checkpoint_steps == 0 or run.step == last:
                run.look(loop.validate(validation))
                bar.describe(f"tuning: {run.summary()}")
                if checkpoint is not None and accelerator.is_main_process:
                    run.save(checkpoint)
    return run.finish(n_steps=len(steps))


class _Steps:
    """Which texts each step of the optimiser reads: a matter of seed and step alone."""

    def __init__(self, training: TrainingSet, config: TrailTraining, *, n_devices: int) -> None:
        self._training, self._config = training, config
        self._n_devices, self._per_step = n_devices, config.accumulation * n_devices
        self._epoch, self._plans = -1, list[Plan]()
        self._per_epoch = -(-len(self._planned(0)) // self._per_step)

    def __len__(self) -> int:
        return self._per_epoch * self._config.epochs

    def plans(self, step: int) -> list[Plan]:
        """Of one step, for all devices."""
        epoch, place = divmod(step, self._per_epoch)
        planned = self._planned(epoch)
        chosen = planned[place * self._per_step : (place + 1) * self._per_step]
        # A device without a batch would leave the others waiting for its gradients: at an epoch's end, some read twice.
        return chosen + [planned[at % len(planned)] for at in range(-len(chosen) % self._n_devices)]

    def _planned(self, epoch: int) -> list[Plan]:
        if epoch != self._epoch:
            rng = np.random.default_rng((self._config.seed, epoch))
            self._plans = epoch_plans(
                self._training, batch_size=self._config.batch_size, positives=self._config.positives, rng=rng
            )
            self._epoch = epoch
        return self._plans


@dataclass(frozen=True, slots=True)
class _Made:
    """What one step did, as means over its batches."""

    supervised: float
    contrastive: float
    explanation: float
    tokens: int


class _Loop:
    """Forward, backward, step."""

    def __init__(
        self,
        accelerator: Accelerator,
        network: nn.Module,
        training: TrainingSet,
        *,
        config: TrailTraining,
        padding: int,
        n_steps: int,
    ) -> None:
        self._accelerator, self._network, self._training = accelerator, network, training
        self._config, self._padding, self._n_steps = config, padding, n_steps

    def step(self, step: int, plans: Sequence[Plan], *, optimizer: Any, schedule: Any) -> _Made:
        """One step of the optimiser over several batches, this device's share of them."""
        config, device = self._config, self._accelerator.device
        self._network.train()
        mine = plans[self._accelerator.process_index :: self._accelerator.num_processes]
        made: list[Losses] = []
        tokens = 0
        for place, plan in enumerate(mine):
            torch.manual_seed(hash((config.seed, step, place, self._accelerator.process_index)) % 2**63)
            batch = collate([self._training.samples[row] for row in plan.rows], padding=self._padding).to(device)
            is_contrasted = plan.is_positive is not None and self._contrastive_weight(step) > 0
            losses = self._network(
                batch,
                plan.is_positive.to(device) if is_contrasted and plan.is_positive is not None else None,
                plan.is_negative.to(device) if is_contrasted and plan.is_negative is not None else None,
                temperature=config.temperature,
            )
            self._accelerator.backward(self._total(losses, step) / len(mine))
            made.append(losses)
            tokens += int(batch.is_token.sum())
        found = [
            _mean(getattr(losses, name) for losses in made) for name in ("supervised", "contrastive", "explanation")
        ]
        if not all(map(math.isfinite, found)):
            raise TrainingError(
                f"TRAIL, step {step + 1}: expected finite losses, got {found}. Lower learning_rate "
                f"(now {config.learning_rate})."
            )
        self._accelerator.clip_grad_norm_(self._network.parameters(), config.max_gradient_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        supervised, contrastive, explanation = found
        return _Made(supervised, contrastive, explanation, tokens=tokens)

    @torch.inference_mode()
    def validate(self, samples: Sequence[EncodedSample]) -> float:
        """Eq. (9) over texts, on every device alike; NaN without any.

        Raises:
            TrainingError: If it is no finite number though there are texts.
        """
        self._network.eval()
        total = weight = 0.0
        by_length = sorted(range(len(samples)), key=lambda place: (len(samples[place].ids), place))
        size = 4 * self._config.batch_size
        for start in range(0, len(by_length), size):
            batch = collate([samples[place] for place in by_length[start : start + size]], padding=self._padding)
            share = float(batch.token_weights[:, 1:].sum())
            losses = self._network(batch.to(self._accelerator.device))
            total, weight = total + float(losses.supervised) * share, weight + share
        found = total / weight if weight else math.nan
        if samples and not math.isfinite(found):
            raise TrainingError(
                f"TRAIL, validation: expected a finite loss, got {found}. Lower learning_rate "
                f"(now {self._config.learning_rate})."
            )
        return found

    def _total(self, losses: Losses, step: int) -> Tensor:
        supervised = losses.supervised if self._config.supervised else losses.supervised * 0
        weighed = total_loss(supervised, losses.contrastive, contrastive_weight=self._contrastive_weight(step))
        return weighed + self._config.explanation_weight * losses.explanation

    def _contrastive_weight(self, step: int) -> float:
        chosen = self._config.contrastive_weight
        return scheduled_weight(step, self._n_steps) if chosen == "scheduled" else chosen


@dataclass
class _Since:
    """Losses since the last look."""

    made: list[_Made] = field(default_factory=list)

    def mean(self, name: str) -> float:
        return float(np.mean([getattr(made, name) for made in self.made])) if self.made else math.nan


class _Run:
    """Where a training run stands: weights, optimiser, the best weights so far and what every look found."""

    def __init__(
        self,
        network: TrailNetwork,
        optimizer: Any,
        schedule: Any,
        *,
        patience: int,
        identity: Mapping[str, object],
    ) -> None:
        self._network, self._optimizer, self._schedule = network, optimizer, schedule
        self._patience, self._identity = patience, identity
        self.step = 0
        self._tokens = 0
        self._looks: list[Look] = []
        self._since = _Since()
        self._best_step, self._best = 0, _trained(network)
        self._started = time.perf_counter()

    @property
    def has_stalled(self) -> bool:
        found = [look.validation for look in self._looks if math.isfinite(look.validation)]
        return bool(found) and len(found) - 1 - int(np.argmin(found)) >= self._patience

    def record(self, made: _Made) -> None:
        self.step += 1
        self._tokens += made.tokens
        self._since.made.append(made)

    def look(self, validation: float) -> None:
        best = min((look.validation for look in self._looks), default=math.inf)
        terms = {name: self._since.mean(name) for name in ("supervised", "contrastive", "explanation")}
        self._looks.append(Look(self.step, validation, **terms, seconds=time.perf_counter() - self._started))
        self._since = _Since()
        if not validation >= best:  # without validation samples it is NaN, and the last weights are kept
            self._best_step, self._best = self.step, _trained(self._network)

    def summary(self) -> str:
        last = self._looks[-1]
        return f"score {last.supervised:.3f}, validation {last.validation:.3f} (best at step {self._best_step})"

    def save(self, checkpoint: Path) -> None:
        save_state(
            checkpoint,
            parts={
                "weights": _trained(self._network),
                "best": self._best,
                "optimizer": optimizer_tensors(self._optimizer.optimizer),
            },
            record={
                "identity": self._identity,
                "step": self.step,
                "best_step": self._best_step,
                "tokens": self._tokens,
                "looks": [asdict(look) for look in self._looks],
                "schedule": {
                    name: value for name, value in self._schedule.state_dict().items() if name != "lr_lambdas"
                },
            },
        )

    def resume(self, checkpoint: Path) -> None:
        parts, record = load_state(checkpoint)
        found = record.get("identity", {})
        if found != self._identity:
            raise InvalidConfigError(
                f"{checkpoint}: expected the state of a run with these settings and texts, got that of another "
                f"({_difference(found, self._identity)}). Remove it to begin anew, or restore the settings."
            )
        _put_back(self._network, parts["weights"])
        restore_optimizer(self._optimizer.optimizer, parts["optimizer"])
        self._schedule.load_state_dict({**record["schedule"], "lr_lambdas": [None]})
        for group, rate in zip(self._optimizer.param_groups, self._schedule.get_last_lr(), strict=True):
            group["lr"] = rate
        self.step, self._best_step, self._best = record["step"], record["best_step"], parts["best"]
        self._tokens, self._looks = record["tokens"], [Look(**look) for look in record["looks"]]
        self._started -= self._looks[-1].seconds

    def finish(self, *, n_steps: int) -> TrailReport:
        _put_back(self._network, self._best)
        self._network.eval()
        return TrailReport(tuple(self._looks), self._best_step, n_steps, self._tokens)


def _difference(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """The first of what differs, settings one by one."""
    flat = [{**identity.get("settings", {}), **identity} for identity in (found, expected)]
    names = (name for name in flat[1] if name != "settings" and flat[0].get(name) != flat[1][name])
    return next((f"{name} {flat[0].get(name)}, here {flat[1][name]}" for name in names), "settings of another version")


def _trained(network: nn.Module) -> dict[str, Tensor]:
    return {
        name: parameter.detach().cpu().clone()
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    }


@torch.no_grad()
def _put_back(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    parameters = dict(network.named_parameters())
    for name, tensor in tensors.items():
        parameters[name].copy_(tensor)


def _mean(losses: Any) -> float:
    return float(torch.stack([loss.detach().float().cpu() for loss in losses]).mean())


def _has_bf16() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
