"""GRU4Rec, GRU4Rec+ and BERT4Rec as recommenders."""

from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.bert4rec import Bert4Rec, Bert4RecConfig
from whyrec.encoders.gru4rec import Gru4Rec, Gru4RecConfig
from whyrec.encoders.item_losses import SharedNegativesLoss
from whyrec.encoders.masked import MaskedItems
from whyrec.encoders.negatives import ItemDistribution
from whyrec.encoders.objectives import FullSoftmaxLoss, ItemLoss, NextItem, Objective
from whyrec.encoders.recommender import SequentialConfig, SequentialRecommender
from whyrec.encoders.train import TrainingConfig


class Gru4RecRecommenderConfig(SequentialConfig):
    """GRU4Rec with cross-entropy over the whole catalogue, or with a loss against drawn negatives."""

    # Its steps through time cost about the same for few rows as for many: larger micro-batches than others use.
    training: TrainingConfig = TrainingConfig(batch_size=64, micro_batch=32)
    """How it is trained."""
    model: Gru4RecConfig = Gru4RecConfig()
    """Shape."""
    loss: Literal["softmax", "bpr_max", "top1_max"] = "softmax"
    """Over all items, or against the highest of the drawn ones."""
    n_negatives: int = Field(default=2048, ge=1)
    """Drawn for each micro-batch, unless the loss is softmax. The authors' code: 2048."""
    popularity_exponent: float = Field(default=0.5, ge=0)
    """How negatives are drawn: 0 all items alike, 1 as often as they occur. The authors tune it from 0 to 1."""
    score_weight: float = Field(default=1.0, ge=0)
    """Of the penalty on the negatives' scores in bpr_max. The authors tune it from 0 to 2."""
    elu: float = Field(default=0.5, ge=0)
    """Slope of the exponential linear unit on scores in bpr_max; 0 leaves it out. The authors tune it from 0 to 1."""


class Gru4RecRecommender(SequentialRecommender):
    """GRU4Rec (Hidasi et al. 2016); see ``encoders.gru4rec``."""

    Config: ClassVar[type[BaseModel]] = Gru4RecRecommenderConfig
    config: Gru4RecRecommenderConfig

    def encoder(self, n_items: int) -> SequenceEncoder:
        """An untrained GRU4Rec."""
        return Gru4Rec(n_items, self.config.model)

    def objective(self, sequences: Sequences) -> Objective:
        """The next item at every position."""
        return NextItem(self._item_loss(sequences))

    def _item_loss(self, sequences: Sequences) -> ItemLoss:
        config = self.config
        if config.loss == "softmax":
            return FullSoftmaxLoss()
        distribution = ItemDistribution.from_counts(
            sequences, n_items=len(self.item_ids_), exponent=config.popularity_exponent
        )
        is_bpr = config.loss == "bpr_max"
        return SharedNegativesLoss(
            config.loss,
            distribution,
            n_negatives=config.n_negatives,
            score_weight=config.score_weight if is_bpr else 0.0,
            elu=config.elu if is_bpr else 0.0,
        )


class Gru4RecPlusRecommenderConfig(Gru4RecRecommenderConfig):
    """GRU4Rec with BPR-max or TOP1-max and additional negatives."""

    loss: Literal["softmax", "bpr_max", "top1_max"] = "bpr_max"
    """Against the highest of the drawn items."""


class Gru4RecPlusRecommender(Gru4RecRecommender):
    """GRU4Rec+ (Hidasi and Karatzoglou 2018).

    Deviation: all negatives are drawn; the authors add the right items of the other sessions in the batch.
    """

    Config: ClassVar[type[BaseModel]] = Gru4RecPlusRecommenderConfig
    config: Gru4RecPlusRecommenderConfig


class Bert4RecRecommenderConfig(SequentialConfig):
    """BERT4Rec with cross-entropy over the whole catalogue."""

    # Only masked items teach: it needs more steps than an encoder that learns at every position.
    training: TrainingConfig = TrainingConfig(batch_size=64)
    """How it is trained."""
    model: Bert4RecConfig = Bert4RecConfig()
    """Shape."""
    mask_ratio: float = Field(default=0.2, gt=0, lt=1)
    """Share of items that are masked in training. Paper: 0.2 on ML-1M."""
    last_share: float = Field(default=0.1, ge=0, le=1)
    """Share of rows in which the last item alone is masked. Chosen; the authors' code adds one such row to ten."""


class Bert4RecRecommender(SequentialRecommender):
    """BERT4Rec (Sun et al. 2019); see ``encoders.bert4rec``."""

    Config: ClassVar[type[BaseModel]] = Bert4RecRecommenderConfig
    config: Bert4RecRecommenderConfig

    def encoder(self, n_items: int) -> SequenceEncoder:
        """An untrained BERT4Rec."""
        return Bert4Rec(n_items, self.config.model)

    def objective(self, sequences: Sequences) -> Objective:
        """Masked items."""
        return MaskedItems(FullSoftmaxLoss(), mask_ratio=self.config.mask_ratio, last_share=self.config.last_share)
