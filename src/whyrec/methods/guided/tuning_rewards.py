"""The second form of tuning scores (G3): answers are sampled, and what each score brings is its reward (G4).

A score's advantage is the reward of its answer less the reward of the same answer with that score at the mean of its
group. Tokens around scores have an advantage of their own, lambda: to learn from it is to learn the form by
cross-entropy (see GER Eq. (6)). Sampling and updates are TRL's and the local backend's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from whyrec.llm.local.forward import RowModel
from whyrec.llm.local.grpo import GrpoReport, tune_by_rewards
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.rollouts import Asked, Credit, Graded, Output
from whyrec.llm.local.slots import read_slots
from whyrec.llm.structured import SchemaViolationError
from whyrec.llm.training_runs import require_same_run
from whyrec.methods.guided.answers import answer_form, parse_scores, score_spans
from whyrec.methods.guided.aspects import LEVELS, AspectSet
from whyrec.methods.guided.prompts import Messages, slot_prefix
from whyrec.methods.guided.tuning import level_finder, opened, require_together, run_record, written
from whyrec.methods.guided.tuning_alarm import Alarm
from whyrec.methods.guided.tuning_config import RewardedConfig
from whyrec.methods.guided.tuning_tasks import TuningTask

_RUN = "data.json"
_LEAST = 1e-12
READ = "share that can be read"
"""Of the sampled answers, in a report's ``told``."""
DOUBT = "doubt of "
"""Before an aspect, in a report's ``told``: entropy of the model's own distributions, as ``AspectSpread.doubt``."""
ENTROPY = "entropy of "
"""Before an aspect, in a report's ``told``: of the scores of an update, as ``AspectSpread.entropy``."""


@dataclass(frozen=True, slots=True)
class RewardedReport:
    """A run, or what was left of one that went on."""

    tuning: GrpoReport
    alarms: Mapping[str, str] = field(default_factory=dict)
    """For each aspect whose scores were the same in all answers in the end, since when and how (G14)."""


def tune_rewarded(
    policy: Policy,
    prompts: Mapping[str, Messages],
    task: TuningTask,
    *,
    aspects: AspectSet,
    config: RewardedConfig,
    checkpoints: Path | None = None,
) -> RewardedReport:
    """Tune a model in place by how much its sampled scores improve a task; see GER Eq. (7).

    Args:
        policy: The model; an adapter where it has one, else all of its weights.
        prompts: What is asked of each user, by user_id, from ``user_prompt``: reviews before what the task holds.
        task: Users in the same order. What it learns itself stays as it is.
        aspects: What the prompts ask for.
        config: How.
        checkpoints: Where states are kept; a run that finds some goes on from the last complete one. Give the model as
            it was at the beginning then too.

    Raises:
        InvalidConfigError: If prompts, aspects and task do not belong together, there are too few users, or the states
            are of another run.
        PromptTooLongError: If a prompt with its answer is longer than the model's context.
        TrainingError: If a reward is not a number, or scores collapse where that is to stop the run.
    """
    require_together(policy, prompts, task=task, aspects=aspects)
    if checkpoints is not None:
        require_same_run(checkpoints / _RUN, run_record(config.model_dump(mode="json"), prompts, task))
    task.to(policy.model.device)
    rewarding = _Rewarding(policy, list(prompts.values()), task, aspects, config)
    tuning = tune_by_rewards(
        policy,
        n_questions=len(rewarding.order),
        ask=rewarding.ask,
        reward=rewarding.rewards,
        credit=rewarding.credit,
        config=config.grpo,
        checkpoints=checkpoints,
    )
    return RewardedReport(tuning, dict(rewarding.alarm.raised))


def slot_advantages(
    levels: Float[Tensor, "B G K"], users: Int[Tensor, " B"], task: TuningTask
) -> Float[Tensor, "B G K"]:
    """What each score brought: the reward less the reward with that score at its group's mean (G4).

    Of each score the mean over its group is taken off: rewards are concave, so that differences are negative on
    average, and a model from which only numbers are drawn would learn to write none.

    Args:
        levels: Groups of answers.
        users: Whom each group is about.
        task: Judges them.
    """
    n_users, n_answers, n_aspects = levels.shape
    means = levels.mean(dim=1, keepdim=True).expand_as(levels)
    is_replaced = torch.eye(n_aspects, dtype=torch.bool, device=levels.device)
    replaced = torch.where(is_replaced, means[:, :, None], levels[:, :, None])
    rows = torch.cat([levels[:, :, None], replaced], dim=2).flatten(0, 2)
    whom = users.repeat_interleave(n_answers * (n_aspects + 1))
    with torch.no_grad():
        rewards = task.improvement(rows, whom).view(n_users, n_answers, n_aspects + 1)
    found = rewards[:, :, :1] - rewards[:, :, 1:]
    return found - found.mean(dim=1, keepdim=True)


@dataclass
class _Rewarding:
    policy: Policy
    prompts: Sequence[Messages]
    task: TuningTask
    aspects: AspectSet
    config: RewardedConfig

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.config.grpo.seed)
        self.order: list[int] = np.concatenate(
            [rng.permutation(len(self.prompts)) for _ in range(self.config.epochs)]
        ).tolist()
        self.texts = [self.policy.text(opened(messages)) for messages in self.prompts]
        self.form = answer_form(self.aspects)
        self.finder = level_finder(self.policy)
        self.alarm = Alarm(self.aspects.keys, stops=self.config.stops_at_alarm)

    def ask(self, question: int) -> Asked:
        return Asked(opened(self.prompts[self.order[question]]), self.form)

    def rewards(self, questions: Sequence[int], outputs: Sequence[Output]) -> list[float]:
        return self._judged(questions, self._read(outputs)).tolist()

    def credit(self, graded: Graded) -> Credit:
        config = self.config.grpo
        scores = self._read(graded.outputs)
        by_slot = self._slots(graded, scores).view(-1, config.group_size, len(self.aspects.keys))
        by_slot = scaled(by_slot, graded.rewards.cpu().view(-1, config.group_size), config=self.config)
        is_idle = (by_slot == 0).flatten(1).all(dim=1)
        likely = self._likely(graded.questions, scores)
        slots = by_slot.flatten(0, 1) + self.config.entropy_weight * surprise(likely, self._levels(scores).cpu())
        advantages = torch.zeros(len(scores), max(map(len, graded.tokens)))
        group_means = graded.rewards.view(-1, config.group_size).mean(dim=1).repeat_interleave(config.group_size)
        for row, (output, tokens) in enumerate(zip(graded.outputs, graded.tokens, strict=True)):
            if scores[row] is None:
                worth = self._unread_weight(output.text) * float(graded.rewards[row] - group_means[row])
                advantages[row, : len(tokens)] = worth
            else:
                advantages[row, : len(tokens)] = self._of_tokens(output.text, tokens, slots=slots[row])
        return Credit(advantages, float(is_idle.float().mean()), self._told(scores, likely, step=self._step(graded)))

    def _read(self, outputs: Sequence[Output]) -> list[tuple[int, ...] | None]:
        return [None if output.is_cut else self._scores(output.text) for output in outputs]

    def _scores(self, text: str) -> tuple[int, ...] | None:
        try:
            return parse_scores(text, self.aspects)
        except SchemaViolationError:
            return None

    def _users(self, questions: Sequence[int]) -> Int[Tensor, " N"]:
        return torch.tensor([self.order[question] for question in questions], device=self.policy.model.device)

    def _judged(self, questions: Sequence[int], scores: Sequence[tuple[int, ...] | None]) -> Float[Tensor, " N"]:
        levels = self._levels(scores)
        with torch.no_grad():
            found: Tensor = self.task.improvement(levels, self._users(questions)).cpu()
        is_read = torch.tensor([it is not None for it in scores])
        return torch.where(is_read, found, self.config.unread_reward)

    def _levels(self, scores: Sequence[tuple[int, ...] | None]) -> Float[Tensor, "N K"]:
        nothing = self.task.mean.tolist()
        rows = [nothing if it is None else it for it in scores]
        return torch.tensor(rows, dtype=torch.float32, device=self.policy.model.device)

    def _slots(self, graded: Graded, scores: Sequence[tuple[int, ...] | None]) -> Float[Tensor, "N K"]:
        size = self.config.grpo.group_size
        if self.config.credit == "output":
            groups = graded.rewards.cpu().view(-1, size)
            return (groups - groups.mean(dim=1, keepdim=True)).flatten()[:, None].repeat(1, len(self.aspects.keys))
        levels = self._levels(scores)
        groups = levels.view(-1, size, levels.shape[1])
        users = self._users(graded.questions[::size])
        return slot_advantages(groups, users, self.task).flatten(0, 1).cpu()

    def _of_tokens(self, text: str, tokens: Sequence[int], *, slots: Float[Tensor, " K"]) -> Float[Tensor, " L"]:
        """Advantages of tokens, of a size at which TRL's mean over tokens is the sum of GER Eq. (7) over scores."""
        slot_of = token_slots(self.policy.tokenizer, text, tokens, aspects=self.aspects)
        n_form = sum(slot is None for slot in slot_of)
        form = self.config.format_weight / max(n_form, 1)
        # That a number stands at a score is form too; drawn from numbers alone, this moves none of them against others.
        return len(tokens) * torch.tensor([form + (0.0 if slot is None else float(slots[slot])) for slot in slot_of])

    def _unread_weight(self, text: str) -> float:
        """The rule for lambda of GER §4.2.1, for answers without scores."""
        has_line = any(slot_prefix(name) in text for name in self.aspects.names)
        return self.config.unread_weight if has_line else self.config.missing_weight

    def _step(self, graded: Graded) -> int:
        return graded.questions[0] // self.config.grpo.prompts_per_step + 1

    def _likely(self, questions: Sequence[int], scores: Sequence[tuple[int, ...] | None]) -> Float[Tensor, "N K L"]:
        """What the model might have written at each score; evenly everything for answers that cannot be read."""
        found = torch.full((len(scores), len(self.aspects.keys), len(LEVELS)), 1 / len(LEVELS))
        read = [row for row, it in enumerate(scores) if it is not None]
        size = self.config.grpo.outputs_at_once
        for start in range(0, len(read), size):
            part = read[start : start + size]
            answers = [
                written(self.texts[self.order[questions[row]]], scores[row] or (), aspects=self.aspects) for row in part
            ]
            with torch.no_grad():
                readings = read_slots(RowModel(self.policy.model), self.finder.rows(answers))
            found[part] = readings.probabilities.float().cpu()
        return found

    def _told(
        self, scores: Sequence[tuple[int, ...] | None], likely: Float[Tensor, "N K L"], *, step: int
    ) -> dict[str, float]:
        read = [it for it in scores if it is not None]
        spread = self.alarm.look(np.array(read, dtype=np.float64).reshape(len(read), -1), step=step)
        doubt = (-likely * likely.clamp(min=_LEAST).log()).sum(dim=2).mean(dim=0) / math.log(len(LEVELS))
        return (
            {READ: len(read) / len(scores)}
            | {f"{ENTROPY}{it.aspect}": it.entropy for it in spread}
            | {f"{DOUBT}{key}": value for key, value in zip(self.aspects.keys, doubt.tolist(), strict=True)}
        )


def surprise(likely: Float[Tensor, "N K L"], levels: Float[Tensor, "N K"]) -> Float[Tensor, "N K"]:
    """How much less likely the scores were than scores are on average, in nats.

    As an advantage it leads to more entropy: the gradient of a distribution's entropy is the mean, over draws, of this
    times the gradient of the draw's log-likelihood.

    Args:
        likely: Distributions over 1 to 10.
        levels: What was drawn from each; not whole where nothing was.
    """
    logp = likely.clamp(min=_LEAST).log()
    drawn = logp.gather(2, (levels.round().long() - LEVELS[0])[:, :, None]).squeeze(2)
    return (likely * logp).sum(dim=2) - drawn


def scaled(
    advantages: Float[Tensor, "B G K"], rewards: Float[Tensor, "B G"], *, config: RewardedConfig
) -> Float[Tensor, "B G K"]:
    """Divide by what ``scale`` says; groups whose rewards are nearly equal teach nothing."""
    grpo = config.grpo
    is_apart = (rewards.std(dim=1) >= grpo.least_std)[:, None, None]
    size = {
        "group": advantages.square().mean(dim=(1, 2), keepdim=True).sqrt(),
        "batch": advantages.square().mean().sqrt(),
        "none": torch.ones(()),
    }[grpo.scale]
    return torch.where(is_apart & (size > 0), advantages / size.clamp(min=1e-12), 0.0)


def token_slots(
    tokenizer: Any,  # one of transformers' many classes
    text: str,
    tokens: Sequence[int],
    *,
    aspects: AspectSet,
) -> list[int | None]:
    """Which score each token of an answer belongs to; None for the form around them.

    What follows a 1 belongs to it too: where digits are tokens, it tells 1 from 10.

    Raises:
        SchemaViolationError: If the answer cannot be read.
    """
    ends = [len(tokenizer.decode(tokens[: n + 1], skip_special_tokens=True)) for n in range(len(tokens))]
    found: list[int | None] = [None] * len(tokens)
    for slot, (start, end) in enumerate(score_spans(text, aspects)):
        last = end + (text[start:end] == "1")
        for place, (begin, stop) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            if begin < last and stop > start:
                found[place] = slot
    return found
