"""Settings of M-LLM3REC without a language model."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from whyrec.llm.embedding_model import PACKAGED_MODEL
from whyrec.runtime.strict_model import StrictModel


class TextHeadConfig(StrictModel):
    """Of the head on text vectors and its training. All chosen; the paper has no such part."""

    rank: int = Field(default=64, ge=1)
    """Of the bilinear form."""
    newest: int = Field(default=20, ge=1)
    """Items of a history that are read."""
    half_life: float = Field(default=5.0, gt=0, allow_inf_nan=True)
    """An item counts half of one that stands so many places later in the history."""
    epochs: int = Field(default=10, ge=0)
    """Passes over the examples. Chosen on earlier cases: four are too few for a small log."""
    examples_per_epoch: int = Field(default=200_000, ge=1)
    """At most; drawn anew for each pass."""
    batch_size: int = Field(default=256, ge=1)
    """Examples of a step."""
    n_negatives: int = Field(default=512, ge=1)
    """Drawn for each step, all items alike."""
    learning_rate: float = Field(default=3e-3, gt=0)
    """The highest; it rises and falls once."""
    weight_decay: float = Field(default=1e-2, ge=0)
    """Of AdamW."""
    seed: int = Field(default=0, ge=0)
    """Fixes the training."""


class RankerConfig(StrictModel):
    """Of the offline ranking."""

    head: TextHeadConfig = TextHeadConfig()
    """What ranks by texts."""
    dimensions: int = Field(default=128, ge=1)
    """Of the space in which texts are compared. More rank a little better and take longer in proportion."""
    recent_days: int = Field(default=30, ge=1)
    """How far back popularity counts as recent, from the last interaction."""
    half_life: float = Field(default=5.0, gt=0, allow_inf_nan=True)
    """Of items of the history, in places, for what was taken together."""
    shrinkage: float = Field(default=5.0, ge=0)
    """Added to the users of both items, so that what rests on few counts less."""
    newest: int = Field(default=50, ge=1)
    """Items of a user that count as taken together, and of a history that are looked up."""
    earlier_cases: int = Field(default=3000, ge=1)
    """Users whose last item in training decides the weights."""
    earlier_negatives: int = Field(default=99, ge=1)
    """Items that it is put among, all alike."""
    motivations: Literal["if they help", "always", "never"] = "if they help"
    """Whether motivations are part of the score: if they raise HR@5 of earlier cases beyond doubt, or in any case."""


class MLLM3Config(StrictModel):
    """Of the recommender."""

    ranker: RankerConfig = RankerConfig()
    """What ranks."""
    motivations: Path | None = None
    """A TOML file of motivations; None for the ten that come with the package."""
    model: str = PACKAGED_MODEL
    """A sentence-transformers model; by default the MiniLM that comes as a package and needs no network."""
    device: str = "auto"
    """Where texts are embedded; auto takes a GPU if there is one."""
