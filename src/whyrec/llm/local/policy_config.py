"""Settings of tuning a language model by rewards; light, so that they can be shown without its libraries."""

from typing import Literal

from pydantic import Field

from whyrec.runtime.strict_model import StrictModel

Scale = Literal["group", "batch", "none"]
Schedule = Literal["cosine", "constant"]
Rendering = Literal["model", "plain"]
"""Through the model's chat template, or as raw text."""


class GrpoConfig(StrictModel):
    """How a language model is tuned by rewards (GRPO)."""

    group_size: int = Field(default=8, ge=2)
    """G: outputs that are sampled for each prompt and compared with each other."""
    prompts_per_step: int = Field(default=8, ge=1)
    """Prompts of one update."""
    outputs_at_once: int = Field(default=8, ge=1)
    """Outputs in one pass forward and back; lower it if memory runs out. It must divide the outputs of an update."""
    learning_rate: float = Field(default=5e-7, gt=0)
    """Of AdamW. CURec: 5e-7."""
    schedule: Schedule = "cosine"
    """How the rate falls. CURec: cosine."""
    clip: float = Field(default=0.2, gt=0)
    """epsilon; it binds nowhere, as every output is learned from once."""
    kl_weight: float = Field(default=0.001, ge=0)
    """beta: what straying from the model as it began costs. Usual: 0.001 to 0.04."""
    scale: Scale = "group"
    """What centred rewards are divided by: their deviation in the group, over all of an update, or nothing."""
    least_std: float = Field(default=1e-3, ge=0)
    """Groups whose rewards deviate less teach nothing."""
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


class ScratchConfig(StrictModel):
    """A language model of a fraction of a million parameters, for places where no weights can be had."""

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
