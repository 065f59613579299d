"""The frame of every recommender: a subclass learns and scores, all else is here and the same for all.

Scores come in blocks of users, so that there is never a matrix of all users by all items. Users without a history get
the most popular items of late, and unknown items never appear.
"""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import BaseModel
from safetensors.numpy import load_file, save_file
from torch import Tensor

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Histories, Sequences, read_histories
from whyrec.data.windows import day_after
from whyrec.errors import InvalidConfigError, InvalidDataError, NotFittedError, UnknownIdError
from whyrec.interfaces import RECOMMENDATION_SCHEMA
from whyrec.recommending.topk import exact_top_k, hide_seen
from whyrec.runtime.atomic import atomic_directory
from whyrec.runtime.threads import one_thread

Unknown = Literal["fallback", "raise", "skip"]
ScoreBlock = tuple[NDArray[np.int64], Float[Tensor, "B I"]]
"""Rows of the histories, and a score for every item of the catalogue."""

STATE_FILE = "recommender.json"
ARRAYS_FILE = "arrays.safetensors"
ITEMS_FILE = "items.parquet"
_FORMAT_VERSION = 1
_RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a recommender may learn from: everything in it is earlier than ``until``."""

    data: Dataset
    """The whole dataset, for the catalogue; use ``log`` for interactions."""
    until: datetime
    histories: Histories

    @property
    def log(self) -> pl.LazyFrame:
        """Interactions strictly before ``until``."""
        return self.data.before(self.until)

    @property
    def sequences(self) -> Sequences:
        """Users' items."""
        return self.histories.sequences

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.histories.item_ids)


class ScoringRecommender(ABC):
    """Ranks the catalogue by scores.

    A subclass gives ``learn``, ``score_blocks``, ``arrays`` and ``restore``; its constructor takes its config alone.
    """

    Config: ClassVar[type[BaseModel]]
    """Settings of the class."""

    def __init__(self, config: BaseModel | None = None) -> None:
        """Make an unfitted recommender; by default with the default settings."""
        self.config = config if config is not None else self.Config()
        self.until_: datetime | None = None
        self.item_ids_ = pl.Series(schema.ITEM, [], dtype=pl.String)
        self.popularity_ = np.zeros(0)
        self.notes_: tuple[str, ...] = ()
        """What whoever fits should know, a line each; not kept by ``save``."""

    @abstractmethod
    def learn(self, training: TrainingData) -> None:
        """Fit to the training data; catalogue and moment are set already."""

    @abstractmethod
    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Score all items for some rows of the histories, in blocks of any size and order.

        A row's scores may not depend on the rows beside it.
        """

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, by name."""

    @abstractmethod
    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take back what ``arrays`` gave; catalogue and settings are set already."""

    def can_rank(self, histories: Histories) -> NDArray[np.bool_]:
        """Which rows this recommender has something to say about; by default those with a history."""
        return np.asarray(histories.sequences.lengths > 0)

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Learn from interactions strictly before ``until``.

        Raises:
            InvalidDataError: If there are none.
        """
        item_ids = data.items[schema.ITEM].sort()
        histories = read_histories(data, item_ids=item_ids, cutoff=until)
        if len(histories.sequences) == 0:
            raise InvalidDataError(
                f"{data.name}: expected interactions before {until.isoformat()}, got none. Choose a later moment."
            )
        self.item_ids_, self.until_ = item_ids, until
        self.popularity_ = recent_users(data, item_ids=item_ids, until=until)
        self.learn(TrainingData(data, until, histories))
        return self

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
        """Rank items for each user, in the order of ``user_ids``.

        Args:
            data: Where histories are read; it may hold more than what was fitted on.
            user_ids: Whom for; distinct.
            k: Length of a list; shorter where fewer items are left.
            filter_seen: Leave out what the user has had.
            candidates: Columns ``user_id, item_id``: rank only these; None ranks the catalogue.
            unknown: What users without a history get: the most popular items, an error, or nothing.
            at: Only interactions strictly before it are read; None reads all.

        Returns:
            Columns ``user_id, item_id, score, rank``; equal scores stand in the order of item ids.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            InvalidConfigError: If ``k`` is below 1 or a user stands twice.
            UnknownIdError: If ``unknown`` is "raise" and a user has no history.
        """
        self._require_fitted()
        if k < 1:
            raise InvalidConfigError(f"recommend: expected k of at least 1, got {k}. Choose a positive k.")
        asked = pl.Series(schema.USER, list(user_ids), dtype=pl.String)
        if asked.n_unique() < len(asked):
            repeated = asked.filter(asked.is_duplicated())[0]
            raise InvalidConfigError(f"recommend: expected each user once, got {repeated!r} twice. Name it once.")
        histories = read_histories(data, item_ids=self.item_ids_, cutoff=at, user_ids=asked)
        ranks = self.can_rank(histories)
        if unknown == "raise" and not ranks.all():
            first = asked[int(np.flatnonzero(~ranks)[0])]
            others = int((~ranks).sum()) - 1
            raise UnknownIdError(
                f"recommend: expected users with a history, got {first!r} and {others:,} more without. "
                'Pass unknown="fallback" for the most popular items instead.'
            )
        allowed = None if candidates is None else self._allowed(candidates, asked)
        lists = _Lists(k)
        # Blocks are small: on several threads, torch would wait for them longer than it computes.
        with torch.inference_mode(), one_thread():
            for rows, scores in self._all_blocks(histories, ranks, unknown):
                if filter_seen:
                    hide_seen(scores, histories.sequences, rows)
                if allowed is not None:
                    _hide_others(scores, allowed, rows)
                lists.add(rows, scores)
        return lists.frame(asked, self.item_ids_)

    def save(self, directory: Path) -> None:
        """Write the fitted state as JSON, Parquet and safetensors.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            OutputExistsError: If the directory holds something already.
        """
        until = self._require_fitted()
        content = {
            "format_version": _FORMAT_VERSION,
            "class": type(self).__name__,
            "until": until.isoformat(),
            "config": self.config.model_dump(mode="json"),
        }
        with atomic_directory(directory) as partial:
            (partial / STATE_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            items = pl.DataFrame({schema.ITEM: self.item_ids_, "popularity": self.popularity_})
            items.write_parquet(partial / ITEMS_FILE)
            save_file(
                {name: np.ascontiguousarray(array) for name, array in self.arrays().items()}, partial / ARRAYS_FILE
            )

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InvalidDataError: If there is nothing, or something of another class or version.
        """
        content = _read_state(directory, expected_class=cls.__name__)
        recommender = cls(cls.Config.model_validate(content["config"]))
        items = pl.read_parquet(directory / ITEMS_FILE)
        recommender.item_ids_, recommender.popularity_ = items[schema.ITEM], items["popularity"].to_numpy()
        recommender.until_ = datetime.fromisoformat(content["until"])
        recommender.restore(load_file(directory / ARRAYS_FILE))
        return recommender

    def _require_fitted(self) -> datetime:
        if self.until_ is None:
            name = type(self).__name__
            raise NotFittedError(f"{name}: expected a fitted recommender, got a new one. Call fit or load first.")
        return self.until_

    def _all_blocks(self, histories: Histories, ranks: NDArray[np.bool_], unknown: Unknown) -> Iterator[ScoreBlock]:
        if ranks.any():
            yield from self.score_blocks(histories, np.flatnonzero(ranks))
        if unknown == "fallback":
            popular = torch.from_numpy(self.popularity_.astype(np.float32))
            for row in np.flatnonzero(~ranks):
                yield np.array([row]), popular.clone()[None]

    def _allowed(self, candidates: pl.DataFrame, asked: pl.Series) -> Sequences:
        numbers = pl.DataFrame({schema.ITEM: self.item_ids_}).with_row_index("item", offset=1)
        rows = pl.DataFrame({schema.USER: asked}).with_row_index("row")
        found = candidates.join(numbers, on=schema.ITEM).join(rows, on=schema.USER).sort("row")
        lengths = np.bincount(found["row"].to_numpy(), minlength=len(asked)).astype(np.int64)
        return Sequences.with_lengths(found["item"].to_numpy().astype(np.int32), lengths)


def recent_users(data: Dataset, *, item_ids: pl.Series, until: datetime) -> NDArray[np.float64]:
    """How popular items are for somebody of whom nothing is known: distinct users of the last 30 days of the log.

    Items that nobody took then follow in the order of all their users, as a fraction below 1.

    Args:
        data: The dataset.
        item_ids: The catalogue.
        until: Only interactions strictly before it count.
    """
    log = data.before(until)
    last = log.select(pl.col(schema.TIMESTAMP).max()).collect().item()
    end = until if last is None else min(until, day_after(last))
    is_recent = pl.col(schema.TIMESTAMP) >= end - _RECENT
    counts = (
        log.group_by(schema.ITEM)
        .agg(
            pl.col(schema.USER).filter(is_recent).n_unique().alias("recent"),
            pl.col(schema.USER).n_unique().alias("ever"),
        )
        .collect(engine="streaming")
    )
    found = pl.DataFrame({schema.ITEM: item_ids}).join(counts, on=schema.ITEM, how="left", maintain_order="left")
    recent, ever = (found[name].fill_null(0).to_numpy().astype(np.float64) for name in ("recent", "ever"))
    return np.asarray(recent + ever / (ever.max(initial=0) + 1))


class _Lists:
    """Collects the best items of each row."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._rows: list[NDArray[np.int64]] = []
        self._items: list[NDArray[np.int64]] = []
        self._scores: list[NDArray[np.float32]] = []

    def add(self, rows: NDArray[np.int64], scores: Float[Tensor, "B I"]) -> None:
        best, found = exact_top_k(scores, k=min(self._k, scores.shape[1]))
        self._rows.append(rows)
        self._items.append(found.numpy())
        self._scores.append(best.numpy())

    def frame(self, user_ids: pl.Series, item_ids: pl.Series) -> pl.DataFrame:
        if not self._rows:
            return pl.DataFrame(schema=RECOMMENDATION_SCHEMA)
        rows = np.concatenate(self._rows)
        order = np.argsort(rows, kind="stable")
        scores = np.concatenate(self._scores)[order]
        items = np.concatenate(self._items)[order]
        is_item = scores > -math.inf
        width = scores.shape[1]
        ranks = np.broadcast_to(np.arange(1, width + 1), scores.shape)
        return pl.DataFrame(
            {
                schema.USER: user_ids.gather(np.repeat(rows[order], width)[is_item.ravel()]),
                schema.ITEM: item_ids.gather(items[is_item]),
                "score": scores[is_item].astype(np.float64),
                "rank": ranks[is_item].astype(np.uint32),
            },
            schema=RECOMMENDATION_SCHEMA,
        )


def _hide_others(scores: Float[Tensor, "B I"], allowed: Sequences, rows: NDArray[np.int64]) -> None:
    kept = allowed.select(rows)
    is_allowed = torch.zeros(scores.shape, dtype=torch.bool)
    is_allowed[torch.from_numpy(kept.users), torch.from_numpy(kept.items.astype(np.int64) - 1)] = True
    scores[~is_allowed] = -math.inf


# The content is JSON: Any values, checked by whoever reads a field.
def _read_state(directory: Path, *, expected_class: str) -> dict[str, Any]:
    path = directory / STATE_FILE
    if not path.is_file():
        raise InvalidDataError(f"{directory}: expected a saved recommender with {STATE_FILE}, found none. Save one.")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found = content.get("class"), content.get("format_version")
    if found != (expected_class, _FORMAT_VERSION):
        raise InvalidDataError(
            f"{path}: expected {expected_class} of format {_FORMAT_VERSION}, got {found[0]} of format {found[1]}. "
            "Load it with the class that saved it."
        )
    return content
