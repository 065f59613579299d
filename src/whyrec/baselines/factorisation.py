"""Factor models trained on pairs: BPR matrix factorisation, and the hybrid whose items share attributes' vectors.

A user's vector is always learned from the history at hand, with the items as they are, by the very steps of training.
So interactions since the fit count, a user whom fit did not know is served like any other, and vectors of users need
not be kept.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from whyrec.baselines.item_features import item_features
from whyrec.baselines.scoring import Vectors, vector_blocks
from whyrec.data import schema
from whyrec.data.sequences import Histories, Sequences
from whyrec.errors import TrainingError
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.runtime.progress import progress_bar
from whyrec.runtime.strict_model import StrictModel


class FactorConfig(StrictModel):
    """Settings of both models."""

    embedding_dim: int = Field(default=64, ge=1)
    """Columns of users' and items' vectors."""
    epochs: int = Field(default=30, ge=1)
    """Passes over all interactions."""
    learning_rate: float = Field(default=0.05, gt=0)
    """Of Adagrad. LightFM's default."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Share of a value that is added to its gradient. LightFM's default."""
    fold_in_steps: int = Field(default=1000, ge=1)
    """Steps from which a user's vector is learned when a list is asked for."""
    seed: int = Field(default=0, ge=0)
    """Of first values, order and negatives."""


class BprConfig(FactorConfig):
    """BPR matrix factorisation."""


class HybridConfig(FactorConfig):
    """Vectors of ids and attributes."""

    loss: Literal["warp", "bpr"] = "warp"
    """Weighted approximate-rank pairwise (Weston et al. 2011) or Bayesian personalised ranking."""
    max_tried: int = Field(default=10, ge=1, le=20)
    """Items that WARP draws in search of one in the wrong order. LightFM's default."""
    attributes: tuple[str, ...] | None = None
    """Catalogue columns; None takes all that hold text or lists of text, less title and description."""


class FactorRecommender(ScoringRecommender):
    """What the two have in common; a subclass says which features and which loss."""

    config: FactorConfig
    vectors_: Vectors
    biases_: Vectors

    is_warp: bool = False
    max_tried: int = 1

    def features(self, items: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Features of the items, as ``item_features`` gives them."""
        raise NotImplementedError

    def learn(self, training: TrainingData) -> None:
        """Train vectors of users and features; those of the items remain."""
        from whyrec.baselines.factorisation_steps import collect

        offsets, features = self.features(training.data.items.sort(schema.ITEM))
        vectors, biases = self._train(training.sequences, offsets, features)
        self.vectors_ = np.empty((training.n_items, vectors.shape[1]), dtype=np.float32)
        self.biases_ = np.empty(training.n_items, dtype=np.float32)
        for item in range(training.n_items):
            self.biases_[item] = collect(item, offsets, features, vectors, biases, self.vectors_[item])
        if not (np.isfinite(self.vectors_).all() and np.isfinite(self.biases_).all()):
            raise TrainingError(
                f"{type(self).__name__}: expected finite vectors, got some that are not. Lower learning_rate "
                f"(now {self.config.learning_rate})."
            )

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Learn each row's vector, and multiply."""
        from whyrec.baselines.factorisation_steps import fold_in

        offsets, items = sorted_items(histories.sequences.select(rows))
        settings = self.config
        users = fold_in(
            offsets,
            items,
            self.vectors_,
            self.biases_,
            self.is_warp,
            self.max_tried,
            settings.fold_in_steps,
            settings.learning_rate,
            settings.weight_decay,
            settings.seed,
        )
        return vector_blocks(rows, user_vectors=users, item_vectors=self.vectors_, item_bias=self.biases_)

    def arrays(self) -> dict[str, np.ndarray]:
        """Vectors and biases of the items."""
        return {"vectors": self.vectors_, "biases": self.biases_}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take them back."""
        self.vectors_, self.biases_ = arrays["vectors"], arrays["biases"]

    def _train(
        self, sequences: Sequences, feature_offsets: NDArray[np.int64], features: NDArray[np.int64]
    ) -> tuple[Vectors, Vectors]:
        from whyrec.baselines.factorisation_steps import train_epoch

        settings = self.config
        rng = np.random.default_rng(settings.seed)
        dim, n_features = settings.embedding_dim, int(features.max()) + 1

        def drawn(n: int) -> Vectors:
            return ((rng.random((n, dim)) - 0.5) / dim).astype(np.float32)

        user_vectors, vectors, biases = drawn(len(sequences)), drawn(n_features), np.zeros(n_features, dtype=np.float32)
        user_sums, sums, bias_sums = np.ones_like(user_vectors), np.ones_like(vectors), np.ones_like(biases)
        users, items = sequences.users.astype(np.int64), sequences.items.astype(np.int64) - 1
        seen_offsets, seen = sorted_items(sequences)
        with progress_bar("training", total=settings.epochs) as bar:
            for epoch in range(settings.epochs):
                order = rng.permutation(len(users))
                train_epoch(
                    users[order],
                    items[order],
                    seen_offsets,
                    seen,
                    feature_offsets,
                    features,
                    user_vectors,
                    vectors,
                    biases,
                    user_sums,
                    sums,
                    bias_sums,
                    self.is_warp,
                    self.max_tried,
                    settings.learning_rate,
                    settings.weight_decay,
                    settings.seed + epoch,
                )
                bar.advance()
        return vectors, biases


class BprRecommender(FactorRecommender):
    """Matrix factorisation trained so that items had stand before items not had (Rendle et al. 2009)."""

    Config: ClassVar[type[BaseModel]] = BprConfig
    config: BprConfig

    def features(self, items: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The id alone."""
        return item_features(items, columns=())


class HybridRecommender(FactorRecommender):
    """An item is the mean of its id's and its attributes' vectors, as in LightFM (Kula 2015)."""

    Config: ClassVar[type[BaseModel]] = HybridConfig
    config: HybridConfig

    def __init__(self, config: BaseModel | None = None) -> None:
        """Make an unfitted recommender; by default with the default settings."""
        super().__init__(config)
        self.is_warp = self.config.loss == "warp"
        self.max_tried = self.config.max_tried if self.is_warp else 1

    def features(self, items: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The id and the attributes."""
        return item_features(items, columns=self.config.attributes)


def sorted_items(sequences: Sequences) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offsets, and items from 0 in ascending order within each row."""
    items = sequences.items.astype(np.int64) - 1
    return sequences.offsets, items[np.lexsort((items, sequences.users))]
