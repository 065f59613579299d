"""SASRec as a recommender."""

from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.item_losses import CalibratedLoss, SharedNegativesLoss, UnseenNegativesLoss
from whyrec.encoders.negatives import ItemDistribution
from whyrec.encoders.objectives import FullSoftmaxLoss, ItemLoss, NextItem, Objective
from whyrec.encoders.recommender import SequentialConfig, SequentialRecommender
from whyrec.encoders.sasrec import SasRec, SasRecConfig

_MANY_NEGATIVES = 256


class SasRecRecommenderConfig(SequentialConfig):
    """SASRec with cross-entropy over the whole catalogue, or with one of the losses that draw negatives."""

    model: SasRecConfig = SasRecConfig()
    """Shape."""
    loss: Literal["softmax", "sampled_softmax", "gbce", "bce"] = "softmax"
    """Over all items; over a sample with the logQ correction; of gSASRec; of the original SASRec."""
    n_negatives: int | None = Field(default=None, ge=1)
    """Drawn for each position, or for each micro-batch with sampled_softmax. None is 1 for bce, 256 for the others."""
    calibration: float = Field(default=0.75, ge=0, le=1)
    """Of gbce, t in the paper: 0 is bce. Paper: 0.75 on MovieLens-1M."""
    popularity_exponent: float = Field(default=0.5, ge=0)
    """Of sampled_softmax: 0 draws all items alike, 1 as often as they occur. Chosen."""


class SasRecRecommender(SequentialRecommender):
    """SASRec (Kang and McAuley 2018); see ``encoders.sasrec``."""

    Config: ClassVar[type[BaseModel]] = SasRecRecommenderConfig
    config: SasRecRecommenderConfig

    def encoder(self, n_items: int) -> SequenceEncoder:
        """An untrained SASRec."""
        return SasRec(n_items, self.config.model)

    def objective(self, sequences: Sequences) -> Objective:
        """The next item at every position."""
        return NextItem(self._item_loss(sequences))

    def _item_loss(self, sequences: Sequences) -> ItemLoss:
        config = self.config
        if config.loss == "softmax":
            return FullSoftmaxLoss()
        if config.loss == "bce":
            return UnseenNegativesLoss("bce", sequences, n_negatives=config.n_negatives or 1)
        n_negatives = config.n_negatives or _MANY_NEGATIVES
        if config.loss == "gbce":
            return CalibratedLoss(n_negatives=n_negatives, calibration=config.calibration)
        distribution = ItemDistribution.from_counts(
            sequences, n_items=len(self.item_ids_), exponent=config.popularity_exponent
        )
        return SharedNegativesLoss("sampled_softmax", distribution, n_negatives=n_negatives)
