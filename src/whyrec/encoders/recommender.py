"""Sequence encoders as recommenders: trained on all histories, ranked over the catalogue; which encoder is open."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field, field_validator

from whyrec.data import schema
from whyrec.data.sequences import Histories, Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.objectives import Objective
from whyrec.encoders.ranking import HeldOut, score_blocks
from whyrec.encoders.train import TrainingConfig, TrainingReport, train
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.runtime.devices import chosen_device
from whyrec.runtime.strict_model import StrictModel
from whyrec.runtime.threads import one_thread

_USERS = "user_ids"


class SequentialConfig(StrictModel):
    """What sequence recommenders have in common; each names its shape and loss in a subclass."""

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


class PersonalRecommender(SequentialRecommender):
    """A sequence recommender whose encoder knows users.

    Users are found again by their id, whatever rows they stand in; one that was not there in training is read by the
    items alone, with a user vector of zeros.
    """

    user_ids_: pl.Series = pl.Series(schema.USER, [], dtype=pl.String)
    _numbers: tuple[pl.Series, dict[str, int]] | None = None
    """Of ``user_ids_``, looked up once: whoever asks for one user after the other does not wait for all of them."""

    def learn(self, training: TrainingData) -> None:
        """Remember the users, then train."""
        self.user_ids_ = training.histories.user_ids
        super().learn(training)

    def sequences(self, histories: Histories) -> Sequences:
        """The items of each row and the number of its user."""
        if self._numbers is None or self._numbers[0] is not self.user_ids_:
            self._numbers = self.user_ids_, {user_id: n for n, user_id in enumerate(self.user_ids_, start=1)}
        numbers = self._numbers[1]
        owners = np.array([numbers.get(user_id, 0) for user_id in histories.user_ids], dtype=np.int64)
        return replace(histories.sequences, owners=owners)

    def arrays(self) -> dict[str, np.ndarray]:
        """The encoder's weights and, as JSON in bytes, the users."""
        users = json.dumps(self.user_ids_.to_list()).encode()
        return {**super().arrays(), _USERS: np.frombuffer(users, dtype=np.uint8)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back users and weights."""
        self.user_ids_ = kept_users(arrays)
        super().restore({name: array for name, array in arrays.items() if name != _USERS})


def kept_users(arrays: Mapping[str, np.ndarray]) -> pl.Series:
    """The users among what ``PersonalRecommender.arrays`` gave, by number less 1."""
    return pl.Series(schema.USER, json.loads(arrays[_USERS].tobytes()), dtype=pl.String)
