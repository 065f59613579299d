"""Caser and HGN as recommenders: encoders of short windows that also learn a vector for every user."""

from typing import ClassVar

from pydantic import BaseModel, Field

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.caser import Caser, CaserConfig
from whyrec.encoders.hgn import Hgn, HgnConfig
from whyrec.encoders.item_losses import UnseenNegativesLoss
from whyrec.encoders.objectives import NextItems, Objective
from whyrec.encoders.recommender import PersonalRecommender, SequentialConfig
from whyrec.encoders.train import TrainingConfig


class CaserRecommenderConfig(SequentialConfig):
    """Caser with binary cross-entropy."""

    # A user brings all windows at once, so that sixteen users are about as many windows as the authors' batch and more.
    training: TrainingConfig = TrainingConfig(
        batch_size=16, micro_batch=8, weight_decay=1e-6, beta2=0.999, epochs=100, patience=10
    )
    """How it is trained. The authors' code: weight decay 1e-6."""
    model: CaserConfig = CaserConfig()
    """Shape."""
    n_targets: int = Field(default=3, ge=1)
    """Items that a window predicts. The authors' code: 3."""
    n_negatives: int = Field(default=3, ge=1)
    """Drawn for each of them. Paper: 3."""


class CaserRecommender(PersonalRecommender):
    """Caser (Tang and Wang 2018); see ``encoders.caser``."""

    Config: ClassVar[type[BaseModel]] = CaserRecommenderConfig
    config: CaserRecommenderConfig

    def encoder(self, n_items: int) -> SequenceEncoder:
        """An untrained Caser."""
        return Caser(n_items, self.config.model, n_users=len(self.user_ids_))

    def objective(self, sequences: Sequences) -> Objective:
        """The next few items at every position."""
        loss = UnseenNegativesLoss("bce", sequences, n_negatives=self.config.n_negatives)
        return NextItems(loss, n_targets=self.config.n_targets)


class HgnRecommenderConfig(SequentialConfig):
    """HGN with BPR."""

    # The authors' 1e-3 stands beside a loss summed over 4,096 windows of three targets; this one beside their mean.
    training: TrainingConfig = TrainingConfig(
        batch_size=16, micro_batch=8, weight_decay=1e-7, beta2=0.999, epochs=100, patience=10
    )
    """How it is trained. The authors' code: weight decay 1e-3 beside a summed loss, which is 8e-8 beside a mean."""
    model: HgnConfig = HgnConfig()
    """Shape."""
    n_targets: int = Field(default=3, ge=1)
    """Items that a window predicts. Paper: 3."""
    n_negatives: int = Field(default=1, ge=1)
    """Drawn for each of them. The authors' code pairs three targets with three negatives."""


class HgnRecommender(PersonalRecommender):
    """HGN (Ma, Kang and Liu 2019); see ``encoders.hgn``."""

    Config: ClassVar[type[BaseModel]] = HgnRecommenderConfig
    config: HgnRecommenderConfig

    def encoder(self, n_items: int) -> SequenceEncoder:
        """An untrained HGN."""
        return Hgn(n_items, self.config.model, n_users=len(self.user_ids_))

    def objective(self, sequences: Sequences) -> Objective:
        """The next few items at every position."""
        loss = UnseenNegativesLoss("bpr", sequences, n_negatives=self.config.n_negatives)
        return NextItems(loss, n_targets=self.config.n_targets)
