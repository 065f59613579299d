"""Settings of tuning the language model that scores users; light, so that they can be shown without its libraries."""

from typing import Literal

from pydantic import Field

from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.runtime.strict_model import StrictModel

CreditTo = Literal["slot", "output"]
"""Whom a sample's reward is due to: each score what it changed (G4), or all of them the same."""


class ExpectedConfig(StrictModel):
    """How a model is tuned through the means of its scores (G3): the loss has a gradient, nothing is sampled."""

    epochs: int = Field(default=12, ge=1)
    """Passes over the users. Paper: 12."""
    batch_size: int = Field(default=4, ge=1)
    """Users of one update. Paper: 4."""
    rows_at_once: int = Field(default=4, ge=1)
    """Users in one pass forward and back; lower it if memory runs out."""
    learning_rate: float = Field(default=1e-5, gt=0)
    """Of Adam, at its peak; a linear rise, then a linear fall to 0. Paper: 1e-5."""
    task_learning_rate: float = Field(default=1e-2, gt=0)
    """Of what the task itself learns, slope and offset of a classification. Chosen."""
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    """Share of the updates that warm up. Chosen: the paper's is lost (G19)."""
    format_weight: float = Field(default=0.1, ge=0)
    """lambda: what the form of the answers weighs beside the task (G18)."""
    max_gradient_norm: float = Field(default=1.0, gt=0)
    """Gradients are clipped to this norm."""
    stops_at_alarm: bool = False
    """Give up where an aspect's scores have become the same for everybody (G14), instead of noting it."""
    watched: int = Field(default=64, ge=2)
    """The latest users whose scores the alarm looks at."""
    checkpoint_steps: int = Field(default=100, ge=1)
    """Updates between checkpoints: a killed run loses at most so many."""
    seed: int = Field(default=0, ge=0)
    """Of the order of users and of dropout."""


class RewardedConfig(StrictModel):
    """How a model is tuned by rewards for sampled answers, with an advantage of its own for each score (G3, G4)."""

    epochs: int = Field(default=12, ge=1)
    """Passes over the users. Paper: 12."""
    credit: CreditTo = "slot"
    """Whom a reward is due to."""
    entropy_weight: float = Field(default=0.1, ge=0)
    """What a nat of entropy of a score's distribution is worth, in the unit of scaled advantages. Chosen: without it,
    samples drive scores to one answer within twenty updates."""
    format_weight: float = Field(default=0.1, ge=0)
    """lambda, for answers that can be read: likelihood of the tokens around their scores (G18)."""
    unread_weight: float = Field(default=1.0, ge=0)
    """lambda, for answers that cannot: they are unlearned as a whole. No such answer is drawn in a forced form."""
    missing_weight: float = Field(default=0.0, ge=0)
    """lambda, for answers in which not even one line can be read: to learn from them is unstable."""
    unread_reward: float = -3.0
    """For an answer that cannot be read, in nats of the task: below what scores earn."""
    stops_at_alarm: bool = False
    """Give up where an aspect's scores have become the same in all answers (G14), instead of noting it."""
    grpo: GrpoConfig = GrpoConfig(learning_rate=1e-5, scale="batch", is_forced=True, max_output_tokens=256)
    """How samples are drawn and learned from. The rate is the paper's, the others are chosen."""
