"""Settings of PARE; what the published code has and what is ours is said per field."""

from typing import Literal

from pydantic import Field

from whyrec.forecasts import WindowConfig

Module = Literal["history", "temporal", "periodic", "side"]
Fusion = Literal["softmax", "attention"]
MODULES: tuple[Module, ...] = ("history", "temporal", "periodic", "side")


class PareConfig(WindowConfig):
    """Settings of ``PareForecaster``. Tuples are candidates: the last window before ``until`` chooses by NDCG@10."""

    modules: tuple[Module, ...] = Field(default=MODULES, min_length=1)
    """Paths that are fused. ``("history",)`` alone is a plain moving average of log counts and trains nothing."""
    fusion: tuple[Fusion, ...] = Field(default=("softmax", "attention"), min_length=1)
    """Candidates: one weight per path for all items, or weights that depend on the paths' values (the paper's abstract
    says attention, its code has four numbers). Ours: both sum to 1; the code's unbounded weights can cancel to 0."""
    smoothing: tuple[float, ...] = Field(default=(0.3, 0.5, 0.7, 0.9), min_length=1)
    """Candidates for the weight of the newest window in the history path; the code has 0.7."""
    embedding_dim: tuple[int, ...] = Field(default=(32,), min_length=1)
    """Candidates for the size of all embeddings; the code has 512. Chosen: one that trains in seconds on one core."""
    learning_rate: tuple[float, ...] = Field(default=(3e-3, 1e-2), min_length=1)
    """Candidates for Adam's step; the code has 0.1, at which its ReLU outputs die."""
    weight_decay: float = Field(default=1e-3, ge=0)
    """As in the code."""
    batch_size: int = Field(default=128, ge=1)
    """As in the code."""
    epochs: int = Field(default=20, ge=0)
    """At most, as in the code; the validation window chooses after which one to stop."""
    patience: int = Field(default=4, ge=1)
    """Epochs without a better validation window before a candidate is given up. Chosen."""
    min_target: int = Field(default=2, ge=0)
    """Training rows are an item's windows with more users than this, as in the code, and as many sampled others."""
    max_history: int = Field(default=36, ge=1)
    """Windows of history that are read. Chosen: at smoothing 0.3 older ones weigh less than 3e-6."""
    max_values: int = Field(default=8, ge=1)
    """Values per attribute and item that are read, in catalogue order."""
    genre_column: str | None = None
    """Catalogue column of the periodic path. None: the first list column, else the first column whose texts repeat."""
    side_columns: tuple[str, ...] | None = None
    """Catalogue columns of the side path. None: all list columns and all text columns whose values repeat."""
    seed: int = 2023
    """Seed of weights, batches and sampled rows; as in the code."""
