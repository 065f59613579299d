"""``CURecRecommender``: CURec fitted, asked for lists and for reasons, kept up to date, saved and loaded."""

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import BaseModel

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Histories, read_histories
from whyrec.errors import UnknownIdError
from whyrec.llm.model import LanguageModel
from whyrec.llm.opening import configured_model
from whyrec.methods.curec.artefacts import Pattern
from whyrec.methods.curec.asking import asked_users
from whyrec.methods.curec.attended import read_reasons
from whyrec.methods.curec.base_encoder import new_encoder
from whyrec.methods.curec.explaining import (
    CheckedReasons,
    ExplainedRecommendation,
    Pair,
    explain_pair,
    explain_popular,
    told_pattern,
)
from whyrec.methods.curec.histories import Interaction, UserHistory, read_user_histories
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.reward_training import RewardReport
from whyrec.methods.curec.saving import read_served, write_served
from whyrec.methods.curec.serving import Asked, Served, moment_of
from whyrec.methods.curec.stages import Stages, new_reward_model
from whyrec.methods.curec.texts import texts_by_writer
from whyrec.methods.curec.updating import updated
from whyrec.methods.curec.writers import Writers, writers_of
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData, Unknown
from whyrec.recommending.explained import places_in_list, require_known_items
from whyrec.runtime.atomic import atomic_directory
from whyrec.runtime.devices import chosen_device
from whyrec.runtime.threads import one_thread

_MODEL, _TEXTS = "model", "texts"
_MOST_CHECKED = 10_000
"""Reasons of others whose checks are kept."""
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Question:
    """What a list is asked for with, beside users."""

    data: Dataset
    at: datetime | None
    with_seen: bool


class CURecRecommender(ScoringRecommender):
    """Ranks by what users took and by what reasons say to their interests, and says why (CURec §4).

    Reads, of everything, what is strictly earlier than the moment asked about; and no reason of the asking user's own
    (C1, C3). Only what serving can read is held: of each user the latest pattern, of each item the newest reasons, so
    that for moments before the one fitted until fewer reasons are read than there were.

    Learned state: ``model_``, ``served_`` (texts and vectors with it), ``report_`` (how the reward model's training
    went, None after ``load``) and what every recommender has.
    """

    Config: ClassVar[type[BaseModel]] = CURecConfig
    config: CURecConfig
    model_: RewardModel | None = None
    served_: Served | None = None
    report_: RewardReport | None = None
    _offline: OfflineWriter | None = None
    _question: _Question | None = None

    def __init__(self, config: BaseModel | None = None, *, language_model: LanguageModel | None = None) -> None:
        """Make an unfitted recommender.

        Args:
            config: Settings; by default the default ones.
            language_model: Who writes texts; it may be set later, as ``language_model``. None opens the one that the
                settings name, if they do. It is no part of what ``save`` writes.
        """
        super().__init__(config)
        self.language_model = language_model
        self._checked: CheckedReasons = {}

    def learn(self, training: TrainingData) -> None:
        """Run the four stages of a fit; see ``stages.Stages``."""
        stages = Stages(training, self.config, language_model=self._model())
        self.model_, self.report_ = stages.reward
        self.served_, self._offline = Served.of(self.model_, stages.texts, stages.vectors), stages.offline
        self.notes_ = tuple(texts_by_writer(stages.texts))
        self._checked = {}

    def recommend(
        self,
        data: Dataset,
        *,
        user_ids: Sequence[str],
        k: int = 10,
        filter_seen: bool = True,
        candidates: pl.DataFrame | None = None,
        unknown: Unknown = "fallback",
        at: datetime | None = None,
    ) -> pl.DataFrame:
        """Rank items for each user; see ``ScoringRecommender.recommend``.

        A user of whom there is no pattern yet, or much new since, has one written from the history.
        """
        asked = copy(self)
        asked._question = _Question(data, at, with_seen=not filter_seen)
        return super(CURecRecommender, asked).recommend(
            data, user_ids=user_ids, k=k, filter_seen=filter_seen, candidates=candidates, unknown=unknown, at=at
        )

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Score all items for each row by itself."""
        served, question = self._served(), self._question
        assert question is not None, "recommend asks with a question"
        found = self._asked(question, histories, rows)
        for row, (asked, _) in zip(rows, found, strict=True):
            scores = served.scores(asked, n_read=self.config.reranked, with_seen=question.with_seen)
            yield np.array([row]), scores[None]

    def explain(
        self,
        data: Dataset,
        *,
        user_id: str,
        item_ids: Sequence[str] | None = None,
        k: int = 5,
        at: datetime | None = None,
    ) -> list[ExplainedRecommendation]:
        """Say why items stand in a user's list, with every claim checked.

        Args:
            data: Where histories are read, also those of the users whose reasons are cited.
            user_id: Whom the list is for; of somebody unknown it says that.
            item_ids: Which items; None for the first ``k`` of the list.
            k: How many, where no items are named.
            at: Only what is strictly earlier is read; None reads all.

        Returns:
            In the order asked for, or best first.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            UnknownIdError: If an item is not in the catalogue that was fitted on.
            InvalidConfigError: If ``k`` is below 1.
        """
        places = places_in_list(self, data, user_id=user_id, item_ids=item_ids, k=k, at=at)
        writer, found = self.offline_writer(data), self._asked_one(data, user_id, at=at)
        if found is None:
            taken = {place.item_id: float(self.popularity_[self._row(place.item_id)]) for place in places}
            return [explain_popular(place, users=taken[place.item_id], writer=writer) for place in places]
        asked, pattern = found
        served, history = self._served(), self._histories(data, [user_id], at=at)[user_id]
        pairs = [Pair(place, asked, history, pattern, self._row(place.item_id)) for place in places]
        with one_thread():
            pairs = [pair if pair.place.rank else _scored_by_reasons(pair, served) for pair in pairs]
            authors = {read.reason.user_id for pair in pairs for read in read_reasons(asked, pair.row, served)[0]}
            others = self._histories(data, sorted(authors), at=at)
            if len(self._checked) > _MOST_CHECKED:
                self._checked.clear()
            return [
                explain_pair(pair, served, writer=writer, histories=others, checked_before=self._checked)
                for pair in pairs
            ]

    def score(
        self,
        data: Dataset,
        *,
        user_id: str,
        item_id: str,
        at: datetime | None = None,
        without: Collection[int] = (),
    ) -> float:
        """The reward model's score of one item for a user, with some of its reasons taken away.

        Compare it with the score without them: an honest reason for a place in the list is one that moves it.

        Args:
            data: Where the history is read.
            user_id: Whom for.
            item_id: What.
            at: Only what is strictly earlier is read; None reads all.
            without: ``AttendedReason.row`` of the reasons to take away; nothing takes their place.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            UnknownIdError: If the item is not in the catalogue that was fitted on, or the user has no history.
        """
        self._require_fitted()
        require_known_items(self, [item_id])
        found = self._asked_one(data, user_id, at=at)
        if found is None:
            raise UnknownIdError(f"score: expected a user with a history, got {user_id!r}. Ask for the list instead.")
        with one_thread():
            return self._served().score(found[0], self._row(item_id), without=without)

    def pattern(self, data: Dataset, *, user_id: str, at: datetime | None = None) -> Pattern | None:
        """What a user is taken to be interested in, checked anew; None without a history.

        It is the pattern that ranks, or, where that is a language model's and does not hold, the offline writer's.

        Args:
            data: Where the history is read.
            user_id: Whose.
            at: Only what is strictly earlier is read; None reads all.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
        """
        self._require_fitted()
        found = self._asked_one(data, user_id, at=at)
        if found is None or found[1] is None:
            return None
        history = self._histories(data, [user_id], at=at)[user_id]
        return told_pattern(found[1], history=history, writer=self.offline_writer(data))

    def update(self, data: Dataset, interactions: Sequence[Interaction]) -> None:
        """Take in new interactions without fitting again: their reasons, and patterns where enough has come together.

        Interactions may come in any order: every text is written from what was strictly before its own moment and is
        read only after it. So a late one changes nothing of what was already written.

        Args:
            data: Where the users' histories are read; it may or may not hold the new interactions.
            interactions: New ones, of known items and of users known or not.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            UnknownIdError: If an item is not in the catalogue that was fitted on.
            InvalidDataError: If one is earlier than the moment fitted until, has no time zone, or was taken in before.
        """
        until = self._require_fitted()
        require_known_items(self, [interaction.item_id for interaction in interactions])
        histories = self._histories(data, sorted({it.user_id for it in interactions}), at=None)
        self.served_ = updated(
            self._served(),
            interactions,
            histories=histories,
            writers=self._writers(data),
            config=self.config,
            until=until,
        )

    def offline_writer(self, data: Dataset) -> OfflineWriter:
        """The offline writer as it was fitted; a loaded recommender learns anew what was usual before its moment.

        Args:
            data: What was fitted on, or what has become of it.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
        """
        until = self._require_fitted()
        if self._offline is None:
            self._checked = {}
            self._offline = OfflineWriter(self.config.texts).fit(self._known(data), until=until)
        return self._offline

    def save(self, directory: Path) -> None:
        """Write the fitted state as JSON, Parquet and safetensors.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            OutputExistsError: If the directory holds something already.
        """
        self._require_fitted()
        with atomic_directory(directory) as whole:
            super().save(whole / _MODEL)
            write_served(self._served(), whole / _TEXTS)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InvalidDataError: If there is nothing, or something of another class or version.
        """
        recommender = super().load(directory / _MODEL)
        recommender.served_ = read_served(
            directory / _TEXTS,
            model=recommender._fitted_model(),
            item_ids=recommender.item_ids_,
            config=recommender.config,
        )
        return recommender

    def arrays(self) -> dict[str, np.ndarray]:
        """The reward model's weights, the encoder's among them."""
        return {name: tensor.cpu().numpy() for name, tensor in self._fitted_model().state_dict().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back the weights; texts and vectors are ``load``'s part."""
        base = new_encoder(len(self.item_ids_), self.config.base, seed=self.config.base_training.seed)
        model = new_reward_model(base, self.config, text_dim=arrays["text.weight"].shape[1])
        model.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        self.model_ = model.to(chosen_device(self.config.device)).eval()

    # Inside

    def _row(self, item_id: str) -> int:
        """Of the catalogue, which is sorted."""
        return int(self.item_ids_.search_sorted(item_id))

    def _served(self) -> Served:
        assert self.served_ is not None, "only fitted recommenders are asked"
        return self.served_

    def _fitted_model(self) -> RewardModel:
        assert self.model_ is not None, "only fitted recommenders are saved, and loading restores the model first"
        return self.model_

    def _model(self) -> LanguageModel | None:
        if self.language_model is None:
            named = self.config
            self.language_model = configured_model(
                named.llm, cache=named.cache, api_key_variable=named.api_key_variable
            )
        return self.language_model

    def _known(self, data: Dataset) -> Dataset:
        """The data with the catalogue that was fitted on."""
        return replace(data, items=data.items.filter(pl.col(schema.ITEM).is_in(self.item_ids_.implode())))

    def _writers(self, data: Dataset) -> Writers:
        items, verify = self._known(data).items, self.config.verify_texts
        return writers_of(self.offline_writer(data), items=items, model=self._model(), verify=verify)

    def _histories(self, data: Dataset, user_ids: Sequence[str], *, at: datetime | None) -> dict[str, UserHistory]:
        """Of some users with any; strictly before a moment."""
        return read_user_histories(self._known(data.of_users(user_ids)), until=at or _NEVER)

    def _asked_one(self, data: Dataset, user_id: str, *, at: datetime | None) -> tuple[Asked, Pattern | None] | None:
        """A user at a moment; None without a history."""
        asked_for = pl.Series(schema.USER, [user_id], dtype=pl.String)
        histories = read_histories(data, item_ids=self.item_ids_, cutoff=at, user_ids=asked_for)
        if not histories.sequences.lengths[0]:
            return None
        return self._asked(_Question(data, at, with_seen=True), histories, np.array([0]))[0]

    def _asked(
        self, question: _Question, histories: Histories, rows: NDArray[np.int64]
    ) -> list[tuple[Asked, Pattern | None]]:
        data, at = question.data, question.at

        def write(user_ids: Sequence[str]) -> list[Pattern]:
            found = self._histories(data, user_ids, at=at)
            return self.offline_writer(data).write_patterns(list(found.values()))

        every = self.config.pattern_every
        return asked_users(self._served(), histories, rows, at=moment_of(at), every=every, write=write)


def _scored_by_reasons(pair: Pair, served: Served) -> Pair:
    """An item that the user has had with the reward model's score: the list, which lacks it, may not have read it."""
    return replace(pair, place=replace(pair.place, score=served.score(pair.asked, pair.row)))
