"""M-LLM3REC as a recommender that works without a language model: for one interaction, for words, for a new item.

Lists come from the offline ranking over the whole catalogue. A language model, where there is one, re-orders the top
of a list (``reranking.py``); profiles and traits by one can replace the offline ones in what is explained.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import sparse

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Histories, read_histories
from whyrec.data.whole_texts import whole_texts
from whyrec.errors import InvalidDataError, UnknownIdError
from whyrec.interfaces import RECOMMENDATION_SCHEMA, Explanation
from whyrec.llm.embed import Embedder
from whyrec.methods.mllm3rec.artefacts import Profile
from whyrec.methods.mllm3rec.config import MLLM3Config
from whyrec.methods.mllm3rec.contexts import contexts_before
from whyrec.methods.mllm3rec.explaining import ExplainedPair, Explainer
from whyrec.methods.mllm3rec.item_words import ItemWords
from whyrec.methods.mllm3rec.motives import MotiveScale, TextEncoder, inferred_profile, stated_profile
from whyrec.methods.mllm3rec.ranker import PARTS, ItemContents, OfflineRanker, Stage
from whyrec.methods.mllm3rec.reranking import Reranked, Reranker
from whyrec.methods.mllm3rec.roles import Models
from whyrec.methods.mllm3rec.schema import MotivationSchema, default_schema
from whyrec.methods.mllm3rec.taken_together import Crowd
from whyrec.methods.mllm3rec.text_head import TextHead
from whyrec.methods.mllm3rec.text_space import TextSpace, Vectors
from whyrec.methods.mllm3rec.timed_log import TimedLog
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.recommending.topk import exact_top_k

_BLOCK_VALUES = 1 << 23


class MLLM3Recommender(ScoringRecommender):
    """Ranks by texts and crowd, explains by motivations and traits (M-LLM3REC without its models)."""

    Config: ClassVar[type[BaseModel]] = MLLM3Config
    config: MLLM3Config
    motivation_schema: MotivationSchema
    ranker_: OfflineRanker
    space_: TextSpace
    scale_: MotiveScale

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
            motivations: Another schema than the default one.
            encoder: Embeds texts; by default the model that the settings name, opened when it is needed.
        """
        super().__init__(config)
        self.motivation_schema = motivations or default_schema()
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
            InvalidDataError: If somebody's words are empty.
        """
        self._require_fitted()
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
        self.item_ids_ = joined.gather(order)
        self.popularity_ = np.concatenate([self.popularity_, np.zeros(items.height)])[order]
        return self

    def profile(self, data: Dataset, *, user_id: str, at: datetime | None = None) -> Profile | None:
        """Why a user takes things, inferred from what they took strictly before ``at``; None without a history."""
        self._require_fitted()
        history = self._history(data, user_id, at=at)
        if not len(history):
            return None
        titles = dict(data.items.select(schema.ITEM, schema.TITLE).iter_rows())
        item_ids = self.item_ids_.gather(history).to_list()
        return inferred_profile(
            user_id,
            item_ids=item_ids,
            titles=[titles[item_id] for item_id in item_ids],
            served=self.ranker_.stage.contents.motives[history],
            schema=self.motivation_schema,
        )

    def explain(
        self,
        data: Dataset,
        *,
        user_id: str,
        item_id: str,
        at: datetime | None = None,
        stated: str | None = None,
        profile: Profile | None = None,
    ) -> Explanation:
        """Say why an item suits a user: a motivation, a trait, and the evidence; every statement is checked.

        Args:
            data: The catalogue and the log.
            user_id: Whom it is for.
            item_id: What is explained.
            at: Only interactions strictly before it are read; None reads all.
            stated: The user's own words; they count where there is no history.
            profile: By another writer, in place of the inferred one.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            UnknownIdError: If the item is not in the catalogue that was fitted on.
            InvalidDataError: If the profile names a motivation outside the schema.
        """
        self._require_fitted()
        place = self.item_ids_.index_of(item_id)
        if place is None or item_id not in data.items[schema.ITEM]:
            raise UnknownIdError(f"explain: expected an item of the catalogue, got {item_id!r}. Fit again, or add it.")
        if profile is None:
            profile = self.profile(data, user_id=user_id, at=at)
        if profile is None and stated and stated.strip():
            profile = stated_profile(stated, scale=self.scale_, encoder=self.encoder, user_id=user_id)
        history = self._history(data, user_id, at=at)
        explainer = self._explainer(data, at=at)
        pair = ExplainedPair(
            user_id,
            item_id,
            None if profile is None else self.motivation_schema.require(profile),
            self.item_ids_.gather(history).to_list(),
            nearest=self._nearest(history, place),
            is_new=not bool(self.ranker_.stage.crowd.is_known[place]),
            n_better=int((self.popularity_ > self.popularity_[place]).sum()),
        )
        return explainer.explain(pair, served=self.ranker_.stage.contents.motives[place])

    def arrays(self) -> dict[str, np.ndarray]:
        """Space, scale and ranking."""
        ranker, stage = self.ranker_, self.ranker_.stage
        together, words = stage.crowd.together, stage.contents.words
        return {
            "space.mean": self.space_.mean,
            "space.directions": self.space_.directions,
            "scale.described": self.scale_.described,
            "scale.directions": self.scale_.directions,
            "scale.mean": self.scale_.mean,
            "scale.deviation": self.scale_.deviation,
            "points": stage.contents.points,
            "motives": stage.contents.motives,
            "words.values": words.by_item.data,
            "words.columns": words.by_item.indices.astype(np.int64),
            "words.offsets": words.by_item.indptr.astype(np.int64),
            "words.inverse_frequency": words.inverse_frequency,
            "words.txt": np.frombuffer(" ".join(words.vocabulary).encode(), dtype=np.uint8),
            "head.cosines": stage.head.cosines,
            "head.from_user": stage.head.from_user,
            "head.to_item": stage.head.to_item,
            "head.linear": stage.head.linear,
            "crowd.values": together.data.astype(np.float32),
            "crowd.columns": together.indices.astype(np.int64),
            "crowd.offsets": together.indptr.astype(np.int64),
            "crowd.ever": stage.crowd.ever,
            "crowd.recent": stage.crowd.recent,
            "weights": np.array([ranker.weights[name] for name in PARTS]),
            "weights.alone": np.array([ranker.alone[name] for name in PARTS]),
            # A schema is data: it goes with what was made by it.
            "motivations.json": np.frombuffer(self.motivation_schema.model_dump_json().encode(), dtype=np.uint8),
        }

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take all back, but for the test of motivations, which tells of the fit."""
        self.motivation_schema = MotivationSchema.model_validate_json(arrays["motivations.json"].tobytes())
        self.space_ = TextSpace(arrays["space.mean"], arrays["space.directions"])
        self.scale_ = MotiveScale(
            self.motivation_schema,
            *(arrays[f"scale.{name}"] for name in ("described", "directions", "mean", "deviation")),
        )
        n_items, config = len(self.item_ids_), self.config.ranker
        together = sparse.csr_array(
            tuple(arrays[f"crowd.{name}"] for name in ("values", "columns", "offsets")), shape=(n_items, n_items)
        )
        crowd = Crowd(together, arrays["crowd.ever"], arrays["crowd.recent"], config.half_life, config.newest)
        head = TextHead(*(arrays[f"head.{name}"] for name in ("cosines", "from_user", "to_item", "linear")))
        vocabulary = arrays["words.txt"].tobytes().decode().split()
        by_item = sparse.csr_array(
            tuple(arrays[f"words.{name}"] for name in ("values", "columns", "offsets")),
            shape=(n_items, len(vocabulary)),
        )
        words = ItemWords(tuple(vocabulary), arrays["words.inverse_frequency"], by_item)
        contents = ItemContents(arrays["points"], words, arrays["motives"])
        stage = Stage(contents, head, crowd, config.head.newest, config.head.half_life)
        weights, alone = (dict(zip(PARTS, arrays[it].tolist(), strict=True)) for it in ("weights", "weights.alone"))
        self.ranker_ = OfflineRanker(stage, weights, alone)

    def _history(self, data: Dataset, user_id: str, *, at: datetime | None) -> NDArray[np.int64]:
        asked = pl.Series(schema.USER, [user_id], dtype=pl.String)
        histories = read_histories(data, item_ids=self.item_ids_, cutoff=at, user_ids=asked)
        return histories.sequences.items.astype(np.int64) - 1

    def _nearest(self, history: NDArray[np.int64], place: int) -> str | None:
        """The item of the history whose text is nearest to an item's, itself left out."""
        points: Vectors = self.ranker_.stage.contents.points
        others = history[history != place]
        if not len(others):
            return None
        return str(self.item_ids_[int(others[int((points[others] @ points[place]).argmax())])])

    def _explainer(self, data: Dataset, *, at: datetime | None) -> Explainer:
        key = (id(data), at)
        if getattr(self, "_explained", (None, None))[0] != key:
            explainer = Explainer.of(
                data,
                before=at,
                item_ids=self.item_ids_,
                scale=self.scale_,
                encoder=self.encoder,
            )
            self._explained = (key, explainer, data)
        return self._explained[1]
