"""Settings of CURec's reward model; light, so that the command line can show them without model libraries."""

from typing import Literal, Self

from pydantic import Field, model_validator

from whyrec.runtime.strict_model import StrictModel

Variant = Literal["full", "text", "ap", "mlp", "sa", "none"]
"""How reasons are read (Table 3): by attention from the pattern; not at all but the item's description instead; their
mean; a network on their mean; attention among them; or nothing beyond the history."""


class BaseConfig(StrictModel):
    """Shape of the encoder of histories, with which the model starts (CURec §4.3.2)."""

    user_state: Literal["causal", "token"] = "causal"
    """SASRec's state after the last item, or the state of a learned token that reads in both directions (C8)."""
    embedding_dim: int = Field(default=64, ge=1)
    """Columns of items and states. Paper: 64."""
    n_layers: int = Field(default=2, ge=1)
    """Blocks. Chosen (C13)."""
    n_heads: int = Field(default=2, ge=1)
    """Attention heads. Chosen (C13)."""
    max_history: int = Field(default=50, ge=1)
    """The most recent items that are read. Chosen (C13)."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Of embeddings and sub-layers. Chosen (C13)."""

    @model_validator(mode="after")
    def _heads_divide_the_columns(self) -> Self:
        if self.embedding_dim % self.n_heads:
            raise ValueError(
                f"embedding_dim must be a multiple of n_heads, got {self.embedding_dim} and {self.n_heads}"
            )
        return self


class RewardModelConfig(StrictModel):
    """Shape of what stands on the encoder: reasons, history and the network that scores."""

    variant: Variant = "full"
    """How reasons are read."""
    max_reasons: int = Field(default=8, ge=1, le=20)
    """The most recent reasons of an item that are read. Chosen: more than 20 drown a new one (C6)."""
    n_heads: int = Field(default=4, ge=1)
    """Of the attention from pattern to reasons. Chosen (C13)."""
    hidden: tuple[int, int] = (80, 40)
    """Units of the scoring network. DIN: 80 and 40."""
    interest: Literal["product", "unit"] = "product"
    """Target attention over the history: a scaled product with softmax, or DIN's network on every pair of candidate and
    history item without softmax, which costs a hundred times as much."""
    faithful_mlp: bool = False
    """Only user, item and match pass the scoring network, with Dice, as the paper prints it (C9)."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Of the vectors that enter the scoring network. Chosen (C13)."""


class RewardTrainingConfig(StrictModel):
    """How the reward model is trained on a trained encoder."""

    learning_rate: float = Field(default=1e-3, gt=0)
    """Of Adam. Paper: 1e-3."""
    train_base: bool = False
    """Train the encoder along; else its states are computed once."""
    base_learning_rate: float = Field(default=1e-4, gt=0)
    """Of the encoder, where it is trained along."""
    batch_size: int = Field(default=256, ge=1)
    """Targets in one step, next to each other in time. Paper: 128."""
    epochs: int = Field(default=20, ge=1)
    """At most so many passes over the targets."""
    patience: int = Field(default=3, ge=1)
    """Stop after so many epochs without a better validation NDCG@10."""
    targets_per_epoch: int | None = Field(default=None, ge=1)
    """Draw so many targets anew for each epoch; None takes all."""
    n_negatives: int = Field(default=256, ge=1)
    """Items drawn for each step. Chosen (C10)."""
    n_in_batch: int = Field(default=64, ge=0)
    """Targets of the same step that serve as wrong items to other users. Chosen (C10)."""
    popularity_exponent: float = Field(default=0.5, ge=0)
    """How items are drawn: 0 all alike, 1 as often as they occur."""
    full_softmax: bool = False
    """Compare with all items instead of drawn ones (C10)."""
    seed: int = Field(default=0, ge=0)
    """Of weights, order, dropout and draws."""
