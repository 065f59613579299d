"""CURec's tuning by rewards: the advantages of its paper, and prompts that leave room for their outputs."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from whyrec.llm.local.grpo import GrpoReport, tune_by_rewards
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.llm.local.rollouts import Asking, Credit, Graded, Rewarding
from whyrec.methods.curec.equations import group_advantages
from whyrec.methods.curec.prompts import Ask, Messages, PromptTemplate


def tune_policy(
    policy: Policy,
    *,
    n_questions: int,
    ask: Asking,
    reward: Rewarding,
    config: GrpoConfig,
    checkpoints: Path | None = None,
    after_step: Callable[[int], None] | None = None,
) -> GrpoReport:
    """Tune a model in place by ``tune_by_rewards``, whose arguments these are, with the paper's advantages.

    Raises:
        InvalidConfigError: If there are too few questions, sizes do not divide each other, or the states are those of a
            run with other settings.
        TrainingError: If a reward is not a number.
    """
    return tune_by_rewards(
        policy,
        n_questions=n_questions,
        ask=ask,
        reward=reward,
        credit=partial(by_group, config=config),
        config=config,
        checkpoints=checkpoints,
        after_step=after_step,
    )


def by_group(graded: Graded, config: GrpoConfig) -> Credit:
    """Compare each output with its group; see CURec Eq. (4)."""
    groups = graded.rewards.view(-1, config.group_size)
    advantages = group_advantages(groups, scale=config.scale, least_std=config.least_std)
    return Credit(advantages.flatten(), idle_share=float((advantages == 0).all(dim=1).float().mean()))


def fitted_prompt(policy: Policy, ask: Ask, *, template: PromptTemplate, max_output_tokens: int) -> Messages:
    """A prompt that leaves room for its output.

    Raises:
        PromptTooLongError: If it cannot be made short enough.
    """
    if policy.context_tokens is None:
        return ask(template)
    return template.fit_length(ask, max_tokens=policy.context_tokens - max_output_tokens, count_tokens=policy.n_tokens)
