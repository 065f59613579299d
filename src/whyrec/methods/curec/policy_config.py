"""Settings of the tuning of CURec's language model; light, so that they can be shown without its libraries."""

from typing import Literal

from pydantic import Field

from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.runtime.strict_model import StrictModel


class AlignmentConfig(StrictModel):
    """Pretraining on recommendation (CURec §4.2.1)."""

    n_candidates: int = Field(default=10, ge=2)
    """Items of the list that is chosen from, the target among them. Chosen (C16)."""
    popular_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the wrong ones that is drawn by popularity, the others evenly. Chosen (C16)."""
    min_history: int = Field(default=1, ge=1)
    """Items that must be known of a user before the target."""
    format_reward: float = Field(default=0.2, ge=0)
    """For an output in the form that was asked for. Chosen (C16)."""
    legality_reward: float = Field(default=0.2, ge=0)
    """More, if it names an item of the list. Chosen (C16)."""
    correctness_reward: float = Field(default=1.0, ge=0)
    """More, if that is the target. Chosen (C16)."""
    longest_thought: int = Field(default=600, ge=1)
    """Characters of the thought where the form is forced."""
    steps: int = Field(default=1000, ge=1)
    """Updates. Chosen."""
    grpo: GrpoConfig = GrpoConfig()
    """How the model is tuned."""


class CorrectionConfig(StrictModel):
    """Chronological correction (CURec §4.4)."""

    n_users: int | None = Field(default=2000, ge=1)
    """Users who are drawn; None takes all. Chosen (C15)."""
    targets_per_user: int = Field(default=5, ge=1)
    """The last interactions of each that are walked through. Chosen (C15)."""
    passes: int = Field(default=1, ge=1)
    """Times that they are walked through. Paper: 2 over everything (C15)."""
    reward: Literal["likelihood", "difference"] = "likelihood"
    """How much likelier a reason makes its item among the others, or how much more it would raise its item's score than
    theirs if it stood with them too (C5). Chosen: the latter punishes reasons that name what an item has."""
    n_negatives: int = Field(default=4, ge=1)
    """Other items that a reason is held against (C5)."""
    negative_pool: int = Field(default=50, ge=1)
    """They are drawn from so many of those that the base ranks best for the user."""
    alone_weight: float = Field(default=0.0, ge=0, le=1)
    """Share of the reward in which a reason stands alone, not among an item's others (C6)."""
    malformed_reward: float = -1.0
    """For an output that is no reason or too long; in units of the score, and below what reasons earn."""
    grpo: GrpoConfig = GrpoConfig(scale="batch", max_output_tokens=160, checkpoint_steps=1)
    """How the model is tuned; ``prompts_per_step`` is the size of a window."""
