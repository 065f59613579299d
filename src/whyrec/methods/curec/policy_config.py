"""Settings of the tuning of CURec's language model; light, so that they can be shown without its libraries."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Scale = Literal["group", "batch", "none"]
Schedule = Literal["cosine", "constant"]
Rendering = Literal["model", "plain"]
"""Through the model's chat template, or as raw text."""


class GrpoConfig(BaseModel):
    """How a language model is tuned by rewards (CURec Eqs. 3-4)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    group_size: int = Field(default=8, ge=2)
    """G: outputs that are sampled for each prompt and compared with each other. Chosen (C16)."""
    prompts_per_step: int = Field(default=8, ge=1)
    """Prompts of one update. Chosen."""
    outputs_at_once: int = Field(default=8, ge=1)
    """Outputs in one pass forward and back; lower it if memory runs out. It must divide the outputs of an update."""
    learning_rate: float = Field(default=5e-7, gt=0)
    """Of AdamW. Paper: 5e-7."""
    schedule: Schedule = "cosine"
    """How the rate falls. Paper: cosine."""
    clip: float = Field(default=0.2, gt=0)
    """epsilon. Chosen (C16); it binds nowhere, as every output is learned from once."""
    kl_weight: float = Field(default=0.001, ge=0)
    """beta: what straying from the model as it began costs. Chosen (C16): 0.001 to 0.04."""
    scale: Scale = "group"
    """What centred rewards are divided by (CURec Eq. (4); C6)."""
    least_std: float = Field(default=1e-3, ge=0)
    """Groups whose rewards deviate less teach nothing (C6)."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the samples."""
    max_output_tokens: int = Field(default=512, ge=1)
    """Longest output."""
    max_gradient_norm: float = Field(default=1.0, gt=0)
    """Gradients are clipped to this norm."""
    is_forced: bool = False
    """Sample nothing but the form that is asked for. What the form rules out is then neither drawn nor unlearned."""
    gradient_checkpointing: bool = False
    """Compute states twice instead of keeping them: less memory, more time."""
    checkpoint_steps: int = Field(default=20, ge=1)
    """Updates between checkpoints: a killed run loses at most so many."""
    seed: int = Field(default=0, ge=0)
    """Of everything that is drawn."""


class AlignmentConfig(BaseModel):
    """Pretraining on recommendation (CURec §4.2.1)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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


class CorrectionConfig(BaseModel):
    """Chronological correction (CURec §4.4)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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


class ScratchConfig(BaseModel):
    """A language model of a fraction of a million parameters, for places where no weights can be had."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width: int = Field(default=64, ge=8)
    """Columns of its states."""
    layers: int = Field(default=2, ge=1)
    """Blocks."""
    heads: int = Field(default=4, ge=1)
    """Attention heads."""
    context: int = Field(default=192, ge=16)
    """The most tokens of prompt and answer together."""
    initializer_range: float = Field(default=0.1, gt=0)
    """Spread of its first weights."""
