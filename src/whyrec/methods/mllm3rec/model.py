"""M-LLM3REC as a recommender that works without a language model: for one interaction, for words, for a new item.

Lists come from the offline ranking over the whole catalogue. A language model, where there is one, re-orders the top
of a list (``reranking.py``); profiles and traits by one can replace the offline ones in what is explained.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import BaseModel

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Histories, read_histories
from whyrec.data.whole_texts import whole_texts
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.interfaces import RECOMMENDATION_SCHEMA
from whyrec.llm.embed import Embedder
from whyrec.methods.mllm3rec.artefacts import ItemTraits, Profile
from whyrec.methods.mllm3rec.config import MLLM3Config
from whyrec.methods.mllm3rec.contexts import contexts_before
from whyrec.methods.mllm3rec.explaining import ExplainedPair, Explainer
from whyrec.methods.mllm3rec.item_words import ItemWords
from whyrec.methods.mllm3rec.motives import MotiveScale, TextEncoder, inferred_profile, stated_profile
from whyrec.methods.mllm3rec.ranker import ItemContents, OfflineRanker
from whyrec.methods.mllm3rec.reranking import Reranked, Reranker
from whyrec.methods.mllm3rec.roles import Models
from whyrec.methods.mllm3rec.saving import fitted_arrays, fitted_parts
from whyrec.methods.mllm3rec.schema import MotivationSchema, default_schema
from whyrec.methods.mllm3rec.text_space import TextSpace, Vectors
from whyrec.methods.mllm3rec.timed_log import TimedLog
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.recommending.explained import (
    ExplainedEntry,
    ListPlace,
    places_in_list,
    require_known_items,
    standing,
    titles_of,
)
from whyrec.recommending.topk import exact_top_k

_BLOCK_VALUES = 1 << 23


@dataclass(frozen=True, slots=True, eq=False)
class _Explained:
    """What is known of somebody who is told why."""

    history: NDArray[np.int64]
    profile: Profile | None
    wish: str
    """Own words; empty where they do not count."""


class MLLM3Recommender(ScoringRecommender):
    """Ranks by texts and crowd, explains by motivations and traits (M-LLM3REC without its models)."""

    Config: ClassVar[type[BaseModel]] = MLLM3Config
    config: MLLM3Config
    motivation_schema: MotivationSchema
    ranker_: OfflineRanker
    space_: TextSpace
    scale_: MotiveScale
    _explaining: tuple[Dataset, datetime | None, Explainer] | None = None

    def __init__(
        self,
        config: BaseModel | None = None,
        *,
        motivations: MotivationSchema | None = None,
        encoder: TextEncoder | None = None,
    ) -> None:
        """Make an unfitted recommender.

        Args:
            config: Settings.
            motivations: Another schema than the settings name.
            encoder: Embeds texts; by default the model that the settings name, opened when it is needed.
        """
        super().__init__(config)
        self.motivation_schema = motivations or default_schema()
        self._is_given = motivations is not None
        self._encoder = encoder

    @property
    def encoder(self) -> TextEncoder:
        """What embeds texts."""
        if self._encoder is None:
            self._encoder = Embedder.open(self.config.model, device=self.config.device)
        return self._encoder

    @encoder.setter
    def encoder(self, encoder: TextEncoder) -> None:
        """Give a loaded recommender the encoder that it was fitted with, where the settings do not name it."""
        self._encoder = encoder

    def learn(self, training: TrainingData) -> None:
        """Embed the catalogue, place the motivations in it, weigh and train the ranking."""
        if self.config.motivations is not None and not self._is_given:
            self.motivation_schema = MotivationSchema.read(self.config.motivations)
        texts = whole_texts(training.data.items.sort(schema.ITEM))
        vectors = self.encoder.embed(texts)
        self.space_ = TextSpace.of(vectors, dimensions=self.config.ranker.dimensions)
        points = self.space_.place(vectors)
        self.scale_ = MotiveScale.of(points, space=self.space_, schema=self.motivation_schema, encoder=self.encoder)
        log = TimedLog.read(training.log, item_ids=self.item_ids_)
        contents = ItemContents(points, ItemWords.of(texts), self.scale_.served(points))
        self.ranker_ = OfflineRanker.fit(log, contents, config=self.config.ranker)

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Score each row by itself: a row's scores are the same in any company."""
        size = max(1, _BLOCK_VALUES // max(len(self.item_ids_), 1))
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            scores = [self.ranker_.score(histories.sequences.row(int(row)).astype(np.int64) - 1) for row in block]
            yield block, torch.from_numpy(np.stack(scores))

    def recommend_stated(self, stated: Mapping[str, str], *, k: int = 10) -> pl.DataFrame:
        """Rank the catalogue for users of whom nothing is known but what they say they want.

        Args:
            stated: Own words by user_id, such as "gifts that are eco-friendly".
            k: Length of a list.

        Returns:
            Columns of ``RECOMMENDATION_SCHEMA``.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            InvalidConfigError: If ``k`` is below 1.
            InvalidDataError: If somebody's words are empty.
        """
        self._require_fitted()
        if k < 1:
            raise InvalidConfigError(f"recommend_stated: expected k of at least 1, got {k}. Choose a positive k.")
        for user_id, words in stated.items():
            if not words.strip():
                raise InvalidDataError(
                    f"stated motivations of user {user_id!r}: expected words, got none. Leave the user out: recommend "
                    "gives a fallback."
                )
        points = self.space_.place(self.encoder.embed(list(stated.values())))
        words = self.ranker_.stage.contents.words.rows(list(stated.values())).toarray()
        frames = []
        for user_id, point, row in zip(stated, points, words, strict=True):
            scores = torch.from_numpy(self.ranker_.score_stated(point, row))[None]
            best, found = exact_top_k(scores, k=min(k, len(self.item_ids_)))
            frames.append(
                pl.DataFrame(
                    {
                        schema.USER: [user_id] * best.shape[1],
                        schema.ITEM: self.item_ids_.gather(found[0].numpy()),
                        "score": best[0].numpy().astype(np.float64),
                        "rank": np.arange(1, best.shape[1] + 1, dtype=np.uint32),
                    },
                    schema=RECOMMENDATION_SCHEMA,
                )
            )
        return pl.concat(frames) if frames else pl.DataFrame(schema=RECOMMENDATION_SCHEMA)

    def recommend_with(
        self,
        models: Models,
        data: Dataset,
        *,
        user_ids: Sequence[str],
        pool: int = 30,
        at: datetime | None = None,
    ) -> Reranked:
        """Let language models order the top of each user's list; ``Reranked.lists`` cuts what comes of it.

        Users without a history are left out: there is nothing that a model could read; ``recommend`` has a fallback.

        Args:
            models: By role.
            data: Where histories are read.
            user_ids: Whom for; distinct.
            pool: Items that the models see, the best of the offline list.
            at: Only interactions strictly before it are read; None reads all.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        lists = self.recommend(data, user_ids=user_ids, k=pool, unknown="skip", at=at)
        moment = at or data.time_range[1] + timedelta(microseconds=1)
        asked = pl.DataFrame({schema.USER: lists[schema.USER].unique(maintain_order=True), schema.TIMESTAMP: moment})
        contexts = list(contexts_before(data, asked).values())
        candidates = dict(lists.group_by(schema.USER, maintain_order=True).agg(schema.ITEM).iter_rows())
        reranker = replace(Reranker.of(data.items, models), motivations=self.motivation_schema)
        return reranker.rerank(contexts, candidates)

    def add_items(self, items: pl.DataFrame) -> Self:
        """Make items known that came after the fit: they are ranked by their texts at once, without another fit.

        Args:
            items: Rows of a catalogue with the columns of the one that was fitted on; known items are refused.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            InvalidDataError: If one is known already.
        """
        self._require_fitted()
        known = items.filter(pl.col(schema.ITEM).is_in(self.item_ids_.implode()))
        if known.height:
            raise InvalidDataError(
                f"add_items: expected new items, got {known[schema.ITEM][0]!r}, which is known. Leave it out."
            )
        texts = whole_texts(items)
        points = self.space_.place(self.encoder.embed(texts))
        words = self.ranker_.stage.contents.words
        more = ItemContents(points, words.of_rows(words.rows(texts)), self.scale_.served(points))
        joined = pl.concat([self.item_ids_, items[schema.ITEM]])
        order = joined.arg_sort().to_numpy().astype(np.int64)
        self.ranker_ = self.ranker_.grown(more, order=order)
        self.item_ids_, self._explaining = joined.gather(order), None
        self.popularity_ = np.concatenate([self.popularity_, np.zeros(items.height)])[order]
        return self

    def profile(self, data: Dataset, *, user_id: str, at: datetime | None = None) -> Profile | None:
        """Why a user takes things, inferred from what they took strictly before ``at``; None without a history."""
        self._require_fitted()
        history = self._history(data, user_id, at=at)
        if not len(history):
            return None
        item_ids = self.item_ids_.gather(history).to_list()
        titles = titles_of(data, item_ids)
        return inferred_profile(
            user_id,
            item_ids=item_ids,
            titles=[titles[item_id] for item_id in item_ids],
            served=self.ranker_.stage.contents.motives[history],
            schema=self.motivation_schema,
        )

    def traits(
        self, data: Dataset, *, item_ids: Sequence[str], at: datetime | None = None
    ) -> dict[str, ItemTraits | None]:
        """What items are known for, in short phrases of their own texts; None where nothing can be said.

        Args:
            data: The catalogue and the log.
            item_ids: Which items.
            at: Only interactions strictly before it are read; None reads all.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            UnknownIdError: If an item is not in the catalogue that was fitted on.
        """
        self._require_fitted()
        require_known_items(self, item_ids)
        explainer, motives = self._explainer(data, at=at), self.ranker_.stage.contents.motives
        rows = self.item_ids_.search_sorted(pl.Series(list(item_ids), dtype=pl.String))
        return {it: explainer.traits(it, served=motives[row]) for it, row in zip(item_ids, rows, strict=True)}

    def explain(
        self,
        data: Dataset,
        *,
        user_id: str,
        item_ids: Sequence[str] | None = None,
        k: int = 5,
        at: datetime | None = None,
        stated: str | None = None,
        profile: Profile | None = None,
    ) -> list[ExplainedEntry]:
        """Say why items suit a user: a motivation, a trait, and the evidence; every statement is checked.

        Args:
            data: The catalogue and the log.
            user_id: Whom it is for.
            item_ids: Which items; None for the first ``k`` of the list.
            k: How many, where no items are named.
            at: Only interactions strictly before it are read; None reads all.
            stated: The user's own words; they count where there is no history.
            profile: By another writer, in place of the inferred one.

        Returns:
            In the order asked for, or best first.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            UnknownIdError: If an item is not in the catalogue that was fitted on.
            InvalidConfigError: If ``k`` is below 1.
            InvalidDataError: If the profile names a motivation outside the schema.
        """
        self._require_fitted()
        history = self._history(data, user_id, at=at)
        wish = stated.strip() if stated and not len(history) else ""
        if wish:
            places = self._places_stated(data, user_id=user_id, words=wish, item_ids=item_ids, k=k)
        else:
            places = places_in_list(self, data, user_id=user_id, item_ids=item_ids, k=k, at=at)
        if profile is None and wish:
            profile = stated_profile(wish, scale=self.scale_, encoder=self.encoder, user_id=user_id)
        elif profile is None:
            profile = self.profile(data, user_id=user_id, at=at)
        known = None if profile is None else self.motivation_schema.require(profile)
        explainer = self._explainer(data, at=at)
        context = _Explained(history, known, wish)
        return [self._explained(place, context, explainer=explainer) for place in places]

    def arrays(self) -> dict[str, np.ndarray]:
        """Space, scale and ranking, and the motivations."""
        # A schema is data: it goes with what was made by it.
        told = np.frombuffer(self.motivation_schema.model_dump_json().encode(), dtype=np.uint8)
        return {**fitted_arrays(self.space_, self.scale_, self.ranker_), "motivations.json": told}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take all back, but for the test of motivations, which tells of the fit."""
        self.motivation_schema = MotivationSchema.model_validate_json(arrays["motivations.json"].tobytes())
        self.space_, self.scale_, self.ranker_ = fitted_parts(
            arrays, motivations=self.motivation_schema, config=self.config.ranker
        )

    def _history(self, data: Dataset, user_id: str, *, at: datetime | None) -> NDArray[np.int64]:
        asked = pl.Series(schema.USER, [user_id], dtype=pl.String)
        histories = read_histories(data, item_ids=self.item_ids_, cutoff=at, user_ids=asked)
        return histories.sequences.items.astype(np.int64) - 1

    def _places_stated(
        self, data: Dataset, *, user_id: str, words: str, item_ids: Sequence[str] | None, k: int
    ) -> list[ListPlace]:
        """Where items stand in the list for a wish in words."""
        named = None if item_ids is None else list(dict.fromkeys(item_ids))
        require_known_items(self, named or ())
        length = k if named is None else len(self.item_ids_)
        found = standing(self.recommend_stated({user_id: words}, k=length))
        chosen = named or list(found)
        titles = titles_of(data, chosen)
        return [ListPlace(user_id, item_id, titles[item_id], *found[item_id]) for item_id in chosen]

    def _explained(self, place: ListPlace, context: "_Explained", *, explainer: Explainer) -> ExplainedEntry:
        row = self.item_ids_.index_of(place.item_id)
        assert row is not None, "only known items have a place"
        stage, history = self.ranker_.stage, context.history
        together = stage.crowd.nearest(history, row)
        words = stage.contents.words
        wished = None
        if context.wish:
            wished = words.heaviest_shared(words.rows([context.wish]).toarray()[0], row)
        pair = ExplainedPair(
            place.user_id,
            place.item_id,
            context.profile,
            self.item_ids_.gather(history).to_list(),
            lead=self.ranker_.leads(history, np.array([row]))[0] if len(history) else None,
            nearest=self._nearest(history, row),
            together=None if together is None else self.item_ids_[together],
            wished=wished,
            is_new=not bool(stage.crowd.is_known[row]),
            n_better=int((self.popularity_ > self.popularity_[row]).sum()),
        )
        explanation = explainer.explain(pair, served=stage.contents.motives[row])
        return ExplainedEntry(explanation, place.title, place.rank, place.score)

    def _nearest(self, history: NDArray[np.int64], place: int) -> str | None:
        """The item of the history whose text is nearest to an item's, itself left out."""
        points: Vectors = self.ranker_.stage.contents.points
        others = history[history != place]
        if not len(others):
            return None
        return str(self.item_ids_[int(others[int((points[others] @ points[place]).argmax())])])

    def _explainer(self, data: Dataset, *, at: datetime | None) -> Explainer:
        kept = self._explaining
        if kept is not None and kept[0] is data and kept[1] == at:
            return kept[2]
        if kept is not None and kept[0].items is data.items:
            explainer = kept[2].as_of(data, before=at)
        else:
            explainer = Explainer.of(data, before=at, item_ids=self.item_ids_, scale=self.scale_, encoder=self.encoder)
        self._explaining = (data, at, explainer)
        return explainer
