"""Stage 1 of GER: the language model is tuned so that its scores of users help to recommend (GER §3.1).

The first of two forms (G3): at every score, the mean over 1 to 10 weighted by how likely the model is to write each.
The task's loss then has a gradient and nothing is sampled. The second, by rewards, is in ``tuning_rewards``.

An answer is read in one pass, each score behind the scores before it. Those are whole numbers: the nearest to what the
model said of that user the last time, first before tuning and then an epoch ago. When the means have settled they are
what ``scoring.slot_probabilities`` finds one after the other.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from whyrec.errors import InvalidConfigError, TrainingError
from whyrec.llm.base import Message, Prompt, require_room
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.local.forward import RowModel
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.local.slots import SlotFinder, Written, read_slots
from whyrec.llm.training_runs import require_same_run
from whyrec.methods.guided.answers import answer_text, begun_answer
from whyrec.methods.guided.aspects import LEVELS, AspectSet
from whyrec.methods.guided.equations import format_loss, tuning_loss
from whyrec.methods.guided.prompts import Messages
from whyrec.methods.guided.scoring import expected_levels, slot_probabilities
from whyrec.methods.guided.tuning_alarm import Alarm
from whyrec.methods.guided.tuning_config import ExpectedConfig
from whyrec.methods.guided.tuning_tasks import TuningTask
from whyrec.runtime.progress import progress_bar
from whyrec.runtime.training_state import load_state, optimizer_tensors, restore_optimizer, save_state

_RUN, _STATE = "tuning.json", "state.safetensors"


@dataclass(frozen=True, slots=True)
class ExpectedStep:
    """One update."""

    step: int
    """From 1."""
    task_loss: float
    """Nats, mean over its users."""
    format_loss: float
    """Nats per token of the form, and at each score that a number stands there."""


@dataclass(frozen=True, slots=True)
class ExpectedReport:
    """A run, whether or not it was killed between."""

    steps: list[ExpectedStep] = field(default_factory=list)
    alarms: Mapping[str, str] = field(default_factory=dict)
    """For each aspect whose scores were the same for everybody in the end, since when and how (G14)."""


def tune_expected(
    policy: Policy,
    prompts: Mapping[str, Messages],
    task: TuningTask,
    *,
    aspects: AspectSet,
    config: ExpectedConfig,
    checkpoints: Path | None = None,
    after_step: Callable[[int], None] | None = None,
) -> ExpectedReport:
    """Tune a model in place through the means of its scores; see GER Eq. (7).

    Args:
        policy: The model; an adapter where it has one, else all of its weights.
        prompts: What is asked of each user, by user_id, from ``user_prompt``: reviews before what the task holds.
        task: Users in the same order. What it learns itself is tuned too.
        aspects: What the prompts ask for.
        config: How.
        checkpoints: Where the state is kept; a run that finds one goes on. Give the model as it was at the beginning
            then too.
        after_step: Called with the number of each update, after a checkpoint is kept.

    Raises:
        InvalidConfigError: If prompts, aspects and task do not belong together, or the state is of another run.
        InvalidModelError: If the tokenizer's numbers depend on what follows them.
        PromptTooLongError: If a prompt with its answer is longer than the model's context.
        TrainingError: If the loss is not a number, or scores collapse where that is to stop the run.
    """
    require_together(policy, prompts, task=task, aspects=aspects)
    if checkpoints is not None:
        require_same_run(checkpoints / _RUN, run_record(config.model_dump(mode="json"), prompts, task))
    run = _Run.begun(policy, prompts, task, aspects=aspects, config=config)
    state = None if checkpoints is None else checkpoints / _STATE
    if state is not None and state.is_file():
        run.resume(state)
    with progress_bar("tuning scores", total=run.n_steps) as bar:
        bar.advance(len(run.steps))
        while len(run.steps) < run.n_steps:
            made = run.update()
            bar.advance()
            bar.describe(f"tuning scores: loss {made.task_loss:.3f}")
            if state is not None and (made.step % config.checkpoint_steps == 0 or made.step == run.n_steps):
                run.save(state)
            if after_step is not None:
                after_step(made.step)
    policy.model.eval()
    return ExpectedReport(run.steps, dict(run.alarm.raised))


def require_together(policy: Policy, prompts: Mapping[str, Messages], *, task: TuningTask, aspects: AspectSet) -> None:
    """Refuse what does not belong together, before anything is computed.

    Raises:
        InvalidConfigError: If there are no users, or numbers of users or aspects differ.
        PromptTooLongError: If a prompt leaves no room for its answer.
    """
    if not prompts or len(prompts) != task.n_users or task.aspects != aspects.keys:
        raise InvalidConfigError(
            f"tuning: expected prompts of {task.n_users:,} users about {', '.join(task.aspects)}, got {len(prompts):,} "
            f"about {', '.join(aspects.keys)}. Make prompts and task of the same users and aspects."
        )
    require_room(
        [policy.n_tokens(opened(messages)) for messages in prompts.values()],
        context_tokens=policy.context_tokens,
        max_tokens=len(policy.encode([answer_text(aspects, (LEVELS[-1],) * len(aspects.keys))])[0]) + 1,
    )


def opened(messages: Messages) -> Messages:
    """The same with an answer that has begun and says nothing yet: sampled answers start where scores are read."""
    return (*messages, Message("assistant", ""))


def run_record(settings: Mapping[str, Any], prompts: Mapping[str, Messages], task: TuningTask) -> dict[str, object]:
    """What tells a run from another one: settings, prompts and data."""
    digest = hashlib.sha256(repr(list(prompts.items())).encode())
    for name, tensor in task.named_buffers():
        digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return {"settings": dict(settings), "data": digest.hexdigest()}


def level_backend(policy: Policy) -> LocalBackend:
    """The model as it is now, for ``slot_probabilities``; dropout is off."""
    policy.model.eval()
    return LocalBackend(policy.loaded(), LocalSettings(template=policy.rendering))


def level_finder(policy: Policy) -> SlotFinder:
    """Finds scores among the tokens of answers."""
    return SlotFinder(policy.tokenizer, tuple(map(str, LEVELS)), adds_special_tokens=policy.rendering == "plain")


def written(prompt: str, levels: tuple[int, ...], *, aspects: AspectSet) -> Written:
    """An answer with some scores, and where they stand.

    Args:
        prompt: As the model reads it.
        levels: Of each aspect.
        aspects: What is asked for.
    """
    numbers = [(len(begun_answer(aspects, levels[:place])), str(level)) for place, level in enumerate(levels)]
    return Written(prompt, answer_text(aspects, levels), tuple(numbers))


@dataclass
class _Run:
    policy: Policy
    texts: Sequence[str]
    task: TuningTask
    aspects: AspectSet
    config: ExpectedConfig
    finder: SlotFinder
    optimizer: torch.optim.Optimizer
    levels: Float[Tensor, "U K"]
    """What the model said of each user the last time."""
    alarm: Alarm
    latest: list[int] = field(default_factory=list)
    steps: list[ExpectedStep] = field(default_factory=list)

    @classmethod
    def begun(
        cls,
        policy: Policy,
        prompts: Mapping[str, Messages],
        task: TuningTask,
        *,
        aspects: AspectSet,
        config: ExpectedConfig,
    ) -> "_Run":
        device = policy.model.device
        task.to(device)
        groups: list[dict[str, Any]] = [{"params": list(_trained(policy).values()), "peak": config.learning_rate}]
        if own := list(task.parameters()):
            groups.append({"params": own, "peak": config.task_learning_rate})
        asked = [Prompt(messages) for messages in prompts.values()]
        likely = slot_probabilities(level_backend(policy), asked, aspects=aspects)
        return cls(
            policy,
            [policy.text(opened(messages)) for messages in prompts.values()],
            task,
            aspects,
            config,
            level_finder(policy),
            torch.optim.Adam(groups, lr=config.learning_rate),
            torch.from_numpy(expected_levels(likely)).float(),
            Alarm(aspects.keys, stops=config.stops_at_alarm),
        )

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.texts) // self.config.batch_size)

    @property
    def n_steps(self) -> int:
        return self.config.epochs * self.steps_per_epoch

    def update(self) -> ExpectedStep:
        step, config = len(self.steps), self.config
        users = self._users(step)
        self.policy.model.train()
        self.optimizer.zero_grad()
        totals = np.zeros(2)
        # Dropout of its own for every update, and the same again for a run that goes on.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed * 1_000_003 + step)
            for start in range(0, len(users), config.rows_at_once):
                part = users[start : start + config.rows_at_once]
                losses = self._losses(part)
                share = len(part) / len(users)
                loss = tuning_loss(*losses, format_weight=config.format_weight)
                (share * loss).backward()  # type: ignore[no-untyped-call]
                totals += share * np.array([float(loss.detach()) for loss in losses])
        self._require_finite(totals.tolist(), step=step + 1)
        self._apply(step)
        made = ExpectedStep(step + 1, *totals.tolist())
        self.steps.append(made)
        self.latest = [*self.latest, *users][-config.watched :]
        self.alarm.look(self.levels[self.latest].double().numpy(), step=made.step)
        return made

    def _users(self, step: int) -> list[int]:
        epoch, place = divmod(step, self.steps_per_epoch)
        rng = np.random.default_rng((self.config.seed, epoch))
        order: list[int] = rng.permutation(len(self.texts)).tolist()
        return order[place * self.config.batch_size : (place + 1) * self.config.batch_size]

    def _losses(self, users: Sequence[int]) -> tuple[Tensor, Tensor]:
        model = self.policy.model
        rows = self.finder.rows(
            [written(self.texts[user], self._nearest(user), aspects=self.aspects) for user in users]
        )
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=model.device.type == "cuda"):
            readings = read_slots(RowModel(model), rows)
        means = readings.probabilities @ torch.tensor(LEVELS, dtype=torch.float32, device=model.device)
        self.levels[list(users)] = means.detach().cpu()
        task = self.task(means, torch.tensor(users, device=model.device)).mean()
        form = format_loss(readings.logits, readings.answers, is_score=~readings.is_form)
        # That a number stands at a score is form too: which, is not.
        return task, form - readings.choice_logp.mean()

    def _nearest(self, user: int) -> tuple[int, ...]:
        return tuple(np.clip(np.rint(self.levels[user].numpy()), LEVELS[0], LEVELS[-1]).astype(int).tolist())

    def _require_finite(self, losses: Sequence[float], *, step: int) -> None:
        if not np.isfinite(losses).all():
            raise TrainingError(
                f"tuning, update {step}: expected finite losses, got {losses}. Lower learning_rate "
                f"(now {self.config.learning_rate})."
            )

    def _apply(self, step: int) -> None:
        warmup = max(round(self.config.warmup_share * self.n_steps), 1)
        share = min((step + 1) / warmup, (self.n_steps - step) / max(self.n_steps - warmup, 1))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share
            torch.nn.utils.clip_grad_norm_(group["params"], self.config.max_gradient_norm)
        self.optimizer.step()

    def save(self, path: Path) -> None:
        save_state(
            path,
            parts={
                "weights": {name: tensor.detach().cpu() for name, tensor in _trained(self.policy).items()},
                "task": {name: tensor.detach().cpu() for name, tensor in self.task.named_parameters()},
                "optimizer": optimizer_tensors(self.optimizer),
                "run": {"levels": self.levels},
            },
            record={
                "steps": [asdict(step) for step in self.steps],
                "latest": self.latest,
                "alarms": self.alarm.raised,
                "apart": sorted(self.alarm.apart),
            },
        )

    def resume(self, path: Path) -> None:
        parts, record = load_state(path)
        with torch.no_grad():
            for name, tensor in _trained(self.policy).items():
                tensor.copy_(parts["weights"][name])
            for name, tensor in self.task.named_parameters():
                tensor.copy_(parts["task"][name])
        restore_optimizer(self.optimizer, parts["optimizer"])
        self.levels, self.latest = parts["run"]["levels"], record["latest"]
        self.steps, self.alarm.raised = [ExpectedStep(**step) for step in record["steps"]], record["alarms"]
        self.alarm.apart = set(record["apart"])


def _trained(policy: Policy) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in policy.model.named_parameters() if tensor.requires_grad}
