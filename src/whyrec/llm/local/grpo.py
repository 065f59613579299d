"""Tuning by rewards with TRL's ``GRPOTrainer``: prompts that are made when they are asked, the caller's advantages.

A question's prompt is rendered right before its outputs are sampled, so that it can rest on what was written since the
run began. Outputs are drawn by the local backend's engine with random numbers of their own, seeded by the step: a run
that goes on from a checkpoint draws what it would have drawn. Every output is learned from once, by the model that
wrote it, so that the ratio of new and old likelihood is 1 and only its gradient counts.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from datasets import Dataset as Rows  # type: ignore[import-untyped]
from transformers import PrinterCallback

from whyrec.errors import InvalidConfigError
from whyrec.llm.local.grpo_trainer import TOLD, AfterStep, RewardTrainer, trl_arguments
from whyrec.llm.local.loading import quiet_transformers
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.llm.local.rollouts import Asking, Crediting, Rewarding
from whyrec.llm.training_runs import MarkComplete, TrainingBar, last_complete, require_same_run
from whyrec.runtime.atomic import atomic_directory

_START = "start"
_RUN = "tuning.json"
_REFERENCE = "ref"
"""How TRL calls the copy of an adapter that it keeps."""


@dataclass(frozen=True, slots=True)
class GrpoStep:
    """One update."""

    step: int
    """From 1."""
    reward: float
    """Mean over its outputs, as they were sampled before it."""
    reward_std: float
    idle_share: float
    """Share of groups that taught nothing, as their rewards hardly differed (C6)."""
    length: float
    """Tokens of an output, on average."""
    entropy: float
    """Nats per token; a fall towards 0 says that the model has stopped trying."""
    divergence: float
    """From the model as it began; NaN where that costs nothing."""
    told: Mapping[str, float] = field(default_factory=dict)
    """What the caller had to say of its outputs."""


@dataclass(frozen=True, slots=True)
class GrpoReport:
    """A run, or what was left of one that went on."""

    steps: list[GrpoStep] = field(default_factory=list)

    def reward(self, first: int, last: int) -> float:
        """Mean sampled reward of the steps from ``first`` to ``last``."""
        chosen = [step.reward for step in self.steps if first <= step.step <= last]
        return sum(chosen) / len(chosen)


def tune_by_rewards(
    policy: Policy,
    *,
    n_questions: int,
    ask: Asking,
    reward: Rewarding,
    credit: Crediting,
    config: GrpoConfig,
    checkpoints: Path | None = None,
    after_step: Callable[[int], None] | None = None,
) -> GrpoReport:
    """Tune a model in place: question after question in order, ``prompts_per_step`` of them in every update.

    Args:
        policy: The model.
        n_questions: How many questions there are; a rest that fills no update is not asked.
        ask: Makes a question's prompt.
        reward: Judges outputs.
        credit: Says what is learned from rewards.
        config: How.
        checkpoints: Where states are kept; a run that finds some goes on from the last complete one. Give the model as
            it was at the beginning then too.
        after_step: Called with the number of each update right after it, before a checkpoint is kept.

    Raises:
        InvalidConfigError: If there are too few questions, sizes do not divide each other, or the states are those of a
            run with other settings.
        TrainingError: If a reward is not a number.
    """
    n_steps = n_questions // config.prompts_per_step
    _require_sizes(n_questions, config)
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        directory = checkpoints or Path(stack.enter_context(TemporaryDirectory()))
        require_same_run(directory / _RUN, {"grpo": config.model_dump(mode="json"), "questions": n_questions})
        _keep_reference(policy, directory, config)
        trainer = RewardTrainer(
            model=policy.model,
            reward_funcs=[_placeholder],
            args=trl_arguments(config, directory, n_steps=n_steps, device=policy.model.device),
            train_dataset=Rows.from_dict({"prompt": [""] * n_questions, "question": list(range(n_questions))}).select(
                range(n_steps * config.prompts_per_step)
            ),
            processing_class=policy.tokenizer,
            callbacks=[
                *([] if after_step is None else [AfterStep(after_step)]),
                TrainingBar("tuning by rewards", tells="reward"),
                MarkComplete(),
            ],
        )
        trainer.take(policy, ask=ask, reward=reward, credit=credit, config=config)
        trainer.remove_callback(PrinterCallback)  # it would print every log line on stdout
        done = last_complete(directory)
        trainer.train(resume_from_checkpoint=None if done is None else str(done))
        _let_go(policy)
    return GrpoReport([_step_of(entry) for entry in trainer.state.log_history if "reward" in entry])


def _require_sizes(n_questions: int, config: GrpoConfig) -> None:
    if n_questions < config.prompts_per_step:
        raise InvalidConfigError(
            f"tuning by rewards: expected at least prompts_per_step ({config.prompts_per_step}) questions, got "
            f"{n_questions}. Give more data, or lower it."
        )
    n_outputs = config.group_size * config.prompts_per_step
    if n_outputs % config.outputs_at_once:
        raise InvalidConfigError(
            f"outputs_at_once: expected a divisor of group_size times prompts_per_step ({n_outputs}), got "
            f"{config.outputs_at_once}. Choose another."
        )


def _keep_reference(policy: Policy, directory: Path, config: GrpoConfig) -> None:
    """Put the model as it begins where TRL looks for its reference; beside an adapter it keeps a copy by itself."""
    if policy.adapted is not None or not config.kl_weight:
        return
    start = directory / _START
    if not start.is_dir():
        with atomic_directory(start) as partial:
            policy.model.save_pretrained(partial)
    policy.model.config._name_or_path = str(start)


def _let_go(policy: Policy) -> None:
    """Take off what TRL has put on the model."""
    model = policy.model
    if policy.adapted is not None:
        if _REFERENCE in model.peft_config:
            model.delete_adapter(_REFERENCE)
        model = model.get_base_model()
    else:
        model.config._name_or_path = policy.name
    for owner in (model, policy.model):
        owner.__dict__.pop("forward", None)
    policy.model.eval()


def _step_of(entry: Mapping[str, Any]) -> GrpoStep:
    return GrpoStep(
        step=int(entry["step"]),
        reward=float(entry["reward"]),
        reward_std=float(entry["reward_std"]),
        idle_share=float(entry["idle_share"]),
        length=float(entry["completions/mean_length"]),
        entropy=float(entry["entropy"]),
        divergence=float(entry.get("kl", math.nan)),
        told={name.removeprefix(TOLD): float(value) for name, value in entry.items() if name.startswith(TOLD)},
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and notes of transformers, nor what TRL has not yet renamed for it."""
    with quiet_transformers(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _placeholder(**_: Any) -> list[float | None]:
    raise AssertionError("rewards are counted by the trainer itself")
