"""Sequence encoders as recommenders: SASRec and its kin, trained on all histories, ranked over the catalogue."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from whyrec.data.sequences import Histories, Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.item_losses import CalibratedLoss, SharedNegativesLoss, UnseenNegativesLoss
from whyrec.encoders.negatives import ItemDistribution
from whyrec.encoders.objectives import FullSoftmaxLoss, ItemLoss, NextItem, Objective
from whyrec.encoders.ranking import HeldOut, score_blocks
from whyrec.encoders.sasrec import SasRec, SasRecConfig
from whyrec.encoders.train import TrainingConfig, TrainingReport, train
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.runtime.devices import chosen_device
from whyrec.runtime.threads import one_thread

_MANY_NEGATIVES = 256


class SequentialConfig(BaseModel):
    """What sequence recommenders have in common; each names its shape and loss in a subclass."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    training: TrainingConfig = TrainingConfig()
    """How it is trained."""
    validation_users: int = Field(default=10_000, ge=0)
    """The last items of so many users are held out to tell when to stop; 0 trains all epochs on everything."""
    device: str = "auto"
    """Where it is trained and used; auto takes a GPU if there is one."""
    checkpoint: Path | None = None
    """A file for the state after every epoch; a fit that is killed goes on from it when it is started again."""

    @field_validator("training", mode="before")
    @classmethod
    def _keep_the_other_defaults(cls, given: object) -> object:
        """Settings such as ``training.epochs=3`` change that alone, not the batch size that suits the encoder."""
        return {**cls.model_fields["training"].default.model_dump(), **given} if isinstance(given, Mapping) else given


class SequentialRecommender(ScoringRecommender):
    """Trains an encoder, keeps the weights of its best epoch, and ranks with them.

    A subclass gives ``encoder`` and ``objective``.
    """

    config: SequentialConfig
    encoder_: SequenceEncoder | None = None
    report_: TrainingReport | None = None

    def encoder(self, n_items: int) -> SequenceEncoder:
        """An untrained encoder."""
        raise NotImplementedError

    def objective(self, sequences: Sequences) -> Objective:
        """What it is trained on, given the training items, from which negatives are drawn."""
        raise NotImplementedError

    def sequences(self, histories: Histories) -> Sequences:
        """What the encoder reads; encoders with user vectors also need to be told who the rows are."""
        return histories.sequences

    def learn(self, training: TrainingData) -> None:
        """Train; validation items are the last of some users, which training then does without."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.training.seed)
            encoder = self.encoder(training.n_items).to(chosen_device(self.config.device))
        sequences = self.sequences(training.histories)
        held_out = self._validation_users(sequences.lengths)
        cut = np.zeros(len(sequences), dtype=np.int64)
        cut[held_out] = 1
        kept = sequences.select(np.arange(len(sequences)), without_last=cut)
        validation = HeldOut.last_items(sequences.select(held_out)) if len(held_out) else None
        self.report_ = train(
            encoder,
            kept,
            objective=self.objective(kept),
            config=self.config.training,
            validation=validation,
            checkpoint=self.config.checkpoint,
        )
        self.encoder_ = encoder

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Score all items after each row's last one."""
        assert self.encoder_ is not None, "recommend asks only fitted recommenders"
        with one_thread():
            yield from score_blocks(self.encoder_, self.sequences(histories), rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """The encoder's weights."""
        assert self.encoder_ is not None, "save asks only fitted recommenders"
        return {name: tensor.cpu().numpy() for name, tensor in self.encoder_.state_dict().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back the encoder's weights."""
        encoder = self.encoder(len(self.item_ids_))
        encoder.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        self.encoder_ = encoder.to(chosen_device(self.config.device)).eval()

    def _validation_users(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        # With two items, holding one out leaves nothing to learn from.
        eligible = np.flatnonzero(lengths >= 3)
        n = min(self.config.validation_users, len(eligible))
        chosen = np.random.default_rng(self.config.training.seed).choice(eligible, size=n, replace=False)
        return np.sort(chosen)


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
