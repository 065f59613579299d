"""Caser and HGN as recommenders: encoders of short windows that also learn a vector for every user."""

import json
from dataclasses import replace
from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from whyrec.baselines.sequential import SequentialConfig, SequentialRecommender
from whyrec.data import schema
from whyrec.data.sequences import Histories, Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.caser import Caser, CaserConfig
from whyrec.encoders.hgn import Hgn, HgnConfig
from whyrec.encoders.item_losses import UnseenNegativesLoss
from whyrec.encoders.objectives import NextItems, Objective
from whyrec.encoders.train import TrainingConfig
from whyrec.recommending.base import TrainingData

_USERS = "user_ids"


class PersonalRecommender(SequentialRecommender):
    """A sequence recommender whose encoder knows users.

    Users are found again by their id, whatever rows they stand in; one that was not there in training is read by the
    items alone, with a user vector of zeros.
    """

    user_ids_: pl.Series = pl.Series(schema.USER, [], dtype=pl.String)

    def learn(self, training: TrainingData) -> None:
        """Remember the users, then train."""
        self.user_ids_ = training.histories.user_ids
        super().learn(training)

    def sequences(self, histories: Histories) -> Sequences:
        """The items of each row and the number of its user."""
        known = pl.DataFrame({schema.USER: self.user_ids_}).with_row_index("number", offset=1)
        asked = pl.DataFrame({schema.USER: histories.user_ids})
        owners = asked.join(known, on=schema.USER, how="left", maintain_order="left")["number"].fill_null(0)
        return replace(histories.sequences, owners=owners.to_numpy().astype(np.int64))

    def arrays(self) -> dict[str, np.ndarray]:
        """The encoder's weights and, as JSON in bytes, the users."""
        users = json.dumps(self.user_ids_.to_list()).encode()
        return {**super().arrays(), _USERS: np.frombuffer(users, dtype=np.uint8)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back users and weights."""
        self.user_ids_ = pl.Series(schema.USER, json.loads(arrays[_USERS].tobytes()), dtype=pl.String)
        super().restore({name: array for name, array in arrays.items() if name != _USERS})


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
