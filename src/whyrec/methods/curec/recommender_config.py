"""Settings of ``CURecRecommender``; apart from ``config``, as the training of the encoder brings torch along."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from whyrec.encoders.train import TrainingConfig
from whyrec.methods.curec.config import BaseConfig, RewardModelConfig, RewardTrainingConfig
from whyrec.methods.curec.offline.config import OfflineTextConfig
from whyrec.methods.curec.reward_ranking import RERANKED
from whyrec.runtime.strict_model import StrictModel

LATENT, PACKAGED = "latent", "packaged"
"""Vectors of words fitted on the texts themselves, and the sentence encoder that comes as a package."""


class CURecConfig(StrictModel):
    """All settings of CURec as a recommender: texts, vectors, encoder, reward model and how it serves."""

    llm: str | None = None
    """Which language model writes patterns and reasons, unless one is given: ``local:DIRECTORY``, ``local:HUB/NAME`` or
    ``URL#MODEL``. None: the offline writer, which also stands in where a model fails."""
    api_key_variable: str = "WHYREC_API_KEY"
    """The environment variable that holds a server's key, where ``llm`` names a server."""
    cache: Path | None = None
    """The file of the answers of ``llm``; None for the one in the user's data directory."""
    texts: OfflineTextConfig = OfflineTextConfig()
    """Of the offline writer. ``texts.check=false`` verifies no text as it is written, which takes most of the time;
    whatever is shown is verified anyway."""
    verify_texts: bool = True
    """A text of ``llm`` with a claim that the data do not bear out is asked for again, what failed named, and in the
    end written offline. False takes the first text that can be read, as the paper does; what is shown is verified
    anyway."""
    pattern_every: int = Field(default=5, ge=1)
    """Interactions between two patterns of a user. Chosen (C2)."""
    min_history: int = Field(default=1, ge=0)
    """Interactions that must lie before one for a reason to be written. Chosen: with none there is nothing to tell."""
    reasons_per_item: int | None = Field(default=None, ge=1)
    """Write so many of each item's reasons alone, spread evenly over its interactions, and those that serving reads.
    None writes all."""
    vectors: str = LATENT
    """How texts are compared: ``latent``, ``packaged``, or a sentence encoder's name or directory (C12)."""
    text_dim: int = Field(default=128, ge=1)
    """Columns of ``latent`` vectors; a sentence encoder has its own."""
    base: BaseConfig = BaseConfig()
    """Shape of the encoder of histories."""
    base_start: Literal["cooccurrence", "random"] = "cooccurrence"
    """The item vectors that its training starts from: decomposed from which items are taken by the same users, or
    drawn. Chosen: most of the way is gone after one pass."""
    base_training: TrainingConfig = TrainingConfig()
    """How that encoder is trained."""
    model: RewardModelConfig = RewardModelConfig()
    """Shape of the reward model."""
    training: RewardTrainingConfig = RewardTrainingConfig()
    """How the reward model is trained."""
    validation_users: int = Field(default=10_000, ge=0)
    """The last items of so many users are held out to tell when to stop. Without any the encoder is trained for all its
    epochs and the reward model not at all: it then ranks as its encoder does."""
    reranked: int = Field(default=RERANKED, ge=1)
    """Of the encoder's best items, so many get their reasons read."""
    device: str = "auto"
    """Where it is trained and used; auto takes a GPU if there is one."""
    checkpoints: Path | None = None
    """A directory for each stage's result; a fit that is killed goes on from them when it is started again."""

    @field_validator("model")
    @classmethod
    def _reasons_are_reasons(cls, model: RewardModelConfig) -> RewardModelConfig:
        if model.variant == "text":
            raise ValueError("variant 'text' reads descriptions, which is a control of the benchmark; choose another")
        return model

    @model_validator(mode="after")
    def _heads_divide_the_columns(self) -> Self:
        # Said before anything is trained.
        if self.base.embedding_dim % self.model.n_heads:
            raise ValueError(
                f"model.n_heads must divide base.embedding_dim, got {self.model.n_heads} and {self.base.embedding_dim}"
            )
        return self
