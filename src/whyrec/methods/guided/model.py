"""``GuidedRecommender``: a sequence encoder with readable columns that ranks, says why, and ranks otherwise on wish."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from pydantic import BaseModel

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Histories, Sequences, read_histories
from whyrec.encoders.objectives import Objective
from whyrec.encoders.recommender import PersonalRecommender, kept_users
from whyrec.errors import InvalidConfigError
from whyrec.evaluation.verification.interest_facts import InterestCatalogue
from whyrec.llm.model import LanguageModel
from whyrec.llm.opening import configured_model
from whyrec.methods.guided.artefacts import AspectScores, Side
from whyrec.methods.guided.asked import Asked, levels_of_history, parts_of_all
from whyrec.methods.guided.aspects import AspectSet
from whyrec.methods.guided.config import GuidedConfig
from whyrec.methods.guided.encoding import new_encoder, objective_of, require_heads
from whyrec.methods.guided.explaining import AspectPart, Case, ExplainedScore, Explainer
from whyrec.methods.guided.normalising import Normalisation
from whyrec.methods.guided.offline.items import TextEncoder
from whyrec.methods.guided.preferences import HistoryPreferences, Preferences, WrittenPreferences
from whyrec.methods.guided.refine import GuidedEncoder
from whyrec.methods.guided.shifting import ShiftedList, shifted_list
from whyrec.methods.guided.sources import configured_aspects, item_scores, user_scores
from whyrec.recommending.base import TrainingData
from whyrec.recommending.explained import require_known_items
from whyrec.recommending.influence import carriers
from whyrec.recommending.topk import hide_seen
from whyrec.runtime.threads import one_thread

_PREFIX = "guided."
_TOLD, _LEVELS, _WRITTEN = f"{_PREFIX}json", f"{_PREFIX}levels", f"{_PREFIX}written"


class GuidedRecommender(PersonalRecommender):
    """Ranks by a sequence encoder whose item vectors hold aspects as columns, and says what each did (GER §3).

    Reads, of everything, what is strictly earlier than the moment asked about, and of the catalogue nothing that
    counts other people's ratings (G11). An item without scores stands at the mean of all aspects.

    Learned state: ``aspects_``, ``scores_`` of items, ``written_`` preferences where they are written,
    ``normalisation_``, ``encoder_``, ``report_`` (None after ``load``) and what every recommender has.
    """

    Config: ClassVar[type[BaseModel]] = GuidedConfig
    config: GuidedConfig
    aspects_: AspectSet
    scores_: AspectScores
    written_: AspectScores | None = None
    normalisation_: Normalisation
    _explaining: tuple[Dataset, datetime | None, Explainer] | None = None
    _levels: tuple[AspectScores, Float[np.ndarray, "I K"]] | None = None

    def __init__(
        self,
        config: BaseModel | None = None,
        *,
        aspects: AspectSet | None = None,
        text_encoder: TextEncoder | None = None,
        language_model: LanguageModel | None = None,
    ) -> None:
        """Make an unfitted recommender.

        Args:
            config: Settings; by default the default ones.
            aspects: The scales, in place of those that the settings name.
            text_encoder: Embeds texts, in place of the sentence encoder that the settings name.
            language_model: Who scores, in place of the one that the settings name. None of the three is kept by
                ``save``: what came of them is.
        """
        super().__init__(config)
        self._aspects = aspects
        self._text_encoder = text_encoder
        self._language_model = language_model

    # Fitting

    def learn(self, training: TrainingData) -> None:
        """Score the catalogue, normalise on training items, put the columns into the encoder, train (GER §3.2)."""
        aspects = self._aspects if self._aspects is not None else configured_aspects(self.config)
        width = self.config.base_columns + len(aspects.keys)
        require_heads(self.config, embedding_dim=width)
        model = self._model()
        data = training.data
        items = item_scores(data.items, aspects, config=self.config, model=model, encoder=self._text_encoder)
        is_training = np.zeros(training.n_items, dtype=bool)
        is_training[training.sequences.items - 1] = True
        self.aspects_, self.scores_, notes = aspects, items.scores, items.notes
        self.normalisation_ = Normalisation.learn(
            items.scores, self.item_ids_, is_training=is_training, embedding_dim=width, weight=self.config.weight
        )
        self.written_ = None
        if self.config.preferences == "written":
            users = user_scores(data, aspects, config=self.config, until=training.until, model=model)
            # Of those alone whom the encoder knows: it takes anybody else to be at the mean.
            ids, notes = training.histories.user_ids, (*notes, *users.notes)
            self.written_ = self._scored("users", ids, users.scores.rows_of(ids), writer=users.scores.writer)
        self.notes_, self._explaining = (*notes, *self.normalisation_.notes), None
        super().learn(training)

    def encoder(self, n_items: int) -> GuidedEncoder:
        """An untrained encoder around the guided columns."""
        columns = self.normalisation_.columns(self.scores_, self.item_ids_)
        width = self.config.base_columns + columns.shape[1]
        base = new_encoder(self.config, n_items, embedding_dim=width, frozen=columns)
        if self.config.learns_weight:
            base.item_table().add_gate()
        user_side = self.config.user_side
        preferences = None if user_side == "item" else self._preferences()
        return GuidedEncoder(
            base,
            preferences=preferences,
            user_side=user_side,
            matching=self.config.matching,
            match_strength=self.config.match_strength,
        )

    def objective(self, sequences: Sequences) -> Objective:
        """The encoder's own."""
        return objective_of(self.config, sequences, n_items=len(self.item_ids_))

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights, users, scores and how they were normalised."""
        told = {
            "aspects": self.aspects_.model_dump(mode="json"),
            "normalisation": self.normalisation_.as_json(),
            "writer": self.scores_.writer,
            "users_writer": None if self.written_ is None else self.written_.writer,
        }
        found = {
            _TOLD: np.frombuffer(json.dumps(told).encode(), dtype=np.uint8),
            _LEVELS: self.scores_.rows_of(self.item_ids_),
        }
        if self.written_ is not None:
            found[_WRITTEN] = self.written_.rows_of(self.user_ids_)
        return {**super().arrays(), **found}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take all back."""
        told = json.loads(arrays[_TOLD].tobytes())
        self.aspects_ = AspectSet.model_validate(told["aspects"])
        self.normalisation_ = Normalisation.from_json(told["normalisation"])
        self.scores_ = self._scored("items", self.item_ids_, arrays[_LEVELS], writer=told["writer"])
        if _WRITTEN in arrays:
            # Their rows are those of the users, which the frame takes back.
            self.user_ids_ = kept_users(arrays)
            self.written_ = self._scored("users", self.user_ids_, arrays[_WRITTEN], writer=told["users_writer"])
        super().restore({name: array for name, array in arrays.items() if not name.startswith(_PREFIX)})

    # Explaining

    def explain(
        self,
        data: Dataset,
        *,
        user_id: str,
        item_ids: Sequence[str] | None = None,
        k: int = 5,
        at: datetime | None = None,
    ) -> list[ExplainedScore]:
        """Say why items stand in a user's list: bars of both on each aspect, exact parts of the score, checked words.

        Args:
            data: Where the history is read.
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
        self._require_fitted()
        _require_k(k)
        require_known_items(self, item_ids or ())
        asked, explainer = self._asked(data, user_id, at=at), self._explainer(data, at=at)
        chosen = asked.best(item_ids=self.item_ids_, k=k) if item_ids is None else list(dict.fromkeys(item_ids))
        return [explainer.explain(case) for case in self._cases(asked, chosen)]

    def recommend_shifted(
        self,
        data: Dataset,
        *,
        user_id: str,
        aspect: str,
        amount: float,
        k: int = 10,
        filter_seen: bool = True,
        at: datetime | None = None,
    ) -> ShiftedList:
        """A user's list with more or less of one aspect, such as "less tension", and what changed; nothing is fitted.

        Args:
            data: Where the history is read.
            user_id: Whom for; for somebody unknown the popular items are shifted.
            aspect: Its key.
            amount: Below 0 for less. At 1, an item one deviation above the mean on the aspect gains one deviation of
                the user's own scores; the mean level of the list rises with the amount, or stays.
            k: Length of a list.
            filter_seen: Leave out what the user has had.
            at: Only interactions strictly before it are read; None reads all.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            InvalidConfigError: If there is no such aspect, all items are equal on it, the amount is beyond 100 either
                way, or ``k`` is below 1.
        """
        self._require_fitted()
        _require_k(k)
        if aspect not in self.aspects_.keys:
            raise InvalidConfigError(
                f"shift: expected one of {', '.join(self.aspects_.keys)}, got {aspect!r}. Choose one."
            )
        histories, scores, listed = self._ranked(data, user_id, at=at)
        levels = self._item_levels()[:, self.aspects_.keys.index(aspect)].astype(np.float64)
        return shifted_list(
            (listed if filter_seen else scores).numpy(),
            levels,
            item_ids=self.item_ids_,
            user_id=user_id,
            aspect=aspect,
            amount=amount,
            k=k,
            knows_user=bool(self.can_rank(histories)[0]),
        )

    def item_levels(self, item_ids: Sequence[str]) -> Float[np.ndarray, "N K"]:
        """Where items stand on the aspects, from 1 to 10; NaN for an item without scores.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            UnknownIdError: If an item is not in the catalogue that was fitted on.
        """
        self._require_fitted()
        require_known_items(self, item_ids)
        return self.scores_.rows_of(item_ids).astype(np.float64)

    def user_levels(
        self, data: Dataset, *, user_ids: Sequence[str], at: datetime | None = None
    ) -> dict[str, Float[np.ndarray, " K"]]:
        """The levels that users prefer, from 1 to 10; those without a history are left out.

        Args:
            data: Where histories are read.
            user_ids: Whose.
            at: Only interactions strictly before it are read; None reads all.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
        """
        self._require_fitted()
        asked = pl.Series(schema.USER, list(user_ids), dtype=pl.String)
        histories = read_histories(data, item_ids=self.item_ids_, cutoff=at, user_ids=asked)
        rows = self.sequences(histories)
        known = np.flatnonzero(self.can_rank(histories))
        return {asked[int(row)]: self._levels_of(asked[int(row)], rows.select(np.array([row]))) for row in known}

    # Inside

    def _model(self) -> LanguageModel | None:
        if self._language_model is None:
            named = self.config
            self._language_model = configured_model(
                named.llm, cache=named.cache, api_key_variable=named.api_key_variable
            )
        return self._language_model

    def _preferences(self) -> Preferences:
        if self.written_ is None:
            return HistoryPreferences(half_life_items=self.config.half_life_items)
        return WrittenPreferences(self.normalisation_.columns(self.written_, self.user_ids_))

    def _scored(self, side: Side, ids: pl.Series, levels: Float[np.ndarray, "N K"], *, writer: str) -> AspectScores:
        is_known = ~np.isnan(levels).any(axis=1)
        return AspectScores.of(
            side, ids.filter(pl.Series(is_known)), levels[is_known], aspects=self.aspects_.keys, writer=writer
        )

    def _explainer(self, data: Dataset, *, at: datetime | None) -> Explainer:
        """Of a catalogue at a moment; the one that was asked for last is kept."""
        kept = self._explaining
        if kept is not None and kept[0] is data and kept[1] == at:
            return kept[2]
        log = data.interactions if at is None else data.before(at)
        if kept is not None and kept[0].items is data.items:
            explainer = replace(kept[2], catalogue=kept[2].catalogue.with_interactions(log))
        else:
            explainer = Explainer(
                self.aspects_,
                InterestCatalogue.of(data.items, interactions=log),
                self.scores_.writer,
                are_written=self.written_ is not None,
            )
        self._explaining = (data, at, explainer)
        return explainer

    def _asked(self, data: Dataset, user_id: str, *, at: datetime | None) -> Asked:
        """A user by what was strictly before a moment."""
        histories, scores, listed = self._ranked(data, user_id, at=at)
        row, is_known = self.sequences(histories), self.can_rank(histories)[0]
        with torch.inference_mode(), one_thread():
            assert isinstance(self.encoder_, GuidedEncoder), "encoder makes no other"
            parts = parts_of_all(self.encoder_, row) if is_known else None
        levels = self._levels_of(user_id, row) if is_known else None
        return Asked(histories, row.row(0).astype(np.int64) - 1, scores, listed, parts, levels)

    def _ranked(
        self, data: Dataset, user_id: str, *, at: datetime | None
    ) -> tuple[Histories, Float[torch.Tensor, " I"], Float[torch.Tensor, " I"]]:
        """The history, scores of all items, and the same with ``-inf`` for what the user has had."""
        asked_for = pl.Series(schema.USER, [user_id], dtype=pl.String)
        histories = read_histories(data, item_ids=self.item_ids_, cutoff=at, user_ids=asked_for)
        with torch.inference_mode(), one_thread():
            [(_, scores)] = self._all_blocks(histories, self.can_rank(histories), "fallback")
            listed = scores.clone()
            hide_seen(listed, histories.sequences, np.array([0]))
        return histories, scores[0], listed[0]

    def _item_levels(self) -> Float[np.ndarray, "I K"]:
        """Of the whole catalogue, looked up once."""
        if self._levels is None or self._levels[0] is not self.scores_:
            self._levels = (self.scores_, self.scores_.rows_of(self.item_ids_))
        return self._levels[1]

    def _levels_of(self, user_id: str, history: Sequences) -> Float[np.ndarray, " K"]:
        mean = np.array(self.normalisation_.mean)
        if self.written_ is not None:
            written = self.written_.rows_of([user_id])[0].astype(np.float64)
            return np.where(np.isnan(written), mean, written)
        return levels_of_history(
            self._item_levels(),
            history,
            mean=mean,
            half_life_items=self.config.half_life_items,
            max_history=self.config.max_history,
        )

    def _cases(self, asked: Asked, item_ids: Sequence[str]) -> list[Case]:
        rows = [int(self.item_ids_.search_sorted(item_id)) for item_id in item_ids]
        levels = self.scores_.rows_of(item_ids)
        history = self.item_ids_.gather(asked.history).to_list()
        carried = carriers(self, asked.histories, rows=rows)
        return [
            Case(
                asked.user_id,
                item_id,
                rank,
                score=float(asked.scores[row]),
                base=float(asked.scores[row] if asked.parts is None else asked.parts.base[row]),
                mean_base=float(asked.scores.mean() if asked.parts is None else asked.parts.base.mean()),
                parts=self._parts(asked, row, item_levels),
                history=history,
                n_better=int((self.popularity_ > self.popularity_[row]).sum()),
                carrier=None if carrier is None else (self.item_ids_[carrier.row], carrier.loss),
            )
            for item_id, row, rank, item_levels, carrier in zip(
                item_ids, rows, asked.ranks(rows), levels, carried, strict=True
            )
        ]

    def _parts(self, asked: Asked, row: int, item_levels: Float[np.ndarray, " K"]) -> tuple[AspectPart, ...]:
        is_known = not bool(np.isnan(item_levels).any())
        return tuple(
            AspectPart(
                aspect.key,
                aspect.name,
                user_level=None if asked.levels is None else float(asked.levels[place]),
                item_level=float(item_levels[place]) if is_known else None,
                mean_level=self.normalisation_.mean[place],
                part=0.0 if asked.parts is None else float(asked.parts.aspects[row, place]),
                mean_part=0.0 if asked.parts is None else float(asked.parts.aspects[:, place].mean()),
            )
            for place, aspect in enumerate(self.aspects_.aspects)
        )


def _require_k(k: int) -> None:
    if k < 1:
        raise InvalidConfigError(f"guided recommender: expected k of at least 1, got {k}. Choose a positive k.")
