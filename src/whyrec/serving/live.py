"""Fitted runs held open for questions that nobody could publish answers to: what if, and what somebody wants.

Histories are in memory, found by user, so that a question costs milliseconds and not a look at the log. Several threads
may ask; questions are answered one after the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from pathlib import Path
from threading import RLock
from typing import Self, TypeVar

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.held import HeldDataset, hold
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.methods.curec.histories import Interaction
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.recommending.base import ScoringRecommender
from whyrec.recommending.explained import ListExplainer
from whyrec.serving.documents import Entry, ExplanationDocument, NewInteraction
from whyrec.serving.publishing.catalogue import Described, read_catalogue
from whyrec.serving.publishing.explanations import personal_reason
from whyrec.serving.publishing.intake import frame_of, unknown_to
from whyrec.serving.publishing.people import explaining_of
from whyrec.serving.publishing.sources import OpenRecommender, open_runs

_Model = TypeVar("_Model", bound=ScoringRecommender)


class LiveModels:
    """The models of some runs, and the data that they were fitted on."""

    def __init__(self, recommenders: Sequence[OpenRecommender], data: HeldDataset) -> None:
        """Hold models; see ``open``.

        Args:
            recommenders: Those that explain lists, in the order of preference.
            data: What they were fitted on, with what came since.
        """
        self._recommenders = tuple(recommenders)
        self._data = data
        self._catalogue: Mapping[str, Described] = read_catalogue(data.items)
        self._forgotten: set[str] = set()
        self._lock = RLock()

    @classmethod
    def open(cls, runs: Sequence[Path], *, data: Path | None = None) -> Self:
        """Load fitted runs; those that have nothing to say here, such as forecasters, are left out.

        Args:
            runs: Their directories, all of the same data.
            data: Where the data lie now; None for where the runs were fitted.

        Raises:
            InvalidConfigError: If there is none, two of one method or two forecasters.
            InvalidDataError: If one cannot be read or was fitted on other data.
        """
        opened, found = open_runs(runs, data_directory=data)
        kept = [run for run in opened if run.method.explains_lists]
        live = cls([OpenRecommender(run, run.load_recommender()) for run in kept], hold(found))
        live._warm_up()
        return live

    @property
    def methods(self) -> tuple[str, ...]:
        """Whose explanations can be asked for, in the order of preference."""
        return tuple(it.method for it in self._recommenders)

    @property
    def hears_wishes(self) -> bool:
        """Whether ``stated`` can be asked."""
        return self._model(MLLM3Recommender) is not None

    def aspects(self) -> list[dict[str, str]]:
        """The aspects that can be shifted, as ``key, name, low, high``; none without a run of guided."""
        model = self._model(GuidedRecommender)
        return (
            []
            if model is None
            else [
                {"key": it.key, "name": it.name, "low": it.low.means, "high": it.high.means}
                for it in model.aspects_.aspects
            ]
        )

    def shift(self, user_id: str, aspect: str, amount: float, *, k: int = 10) -> dict[str, object]:
        """A user's list with more or less of one aspect, and what changed.

        Args:
            user_id: Whose; for somebody unknown the popular items are shifted.
            aspect: A key of ``aspects``.
            amount: As in ``GuidedRecommender.recommend_shifted``.
            k: Length of the list.

        Returns:
            ``user_id, aspect, amount, mean_level_before, mean_level_after, entries, left``; entries have ``rank,
            rank_before, item_id, title, score``, what left ``item_id, title``. Levels that nobody knows are None.

        Raises:
            InvalidConfigError: If there is no run of guided, no such aspect, the amount is beyond 100 either way,
                or ``k`` is below 1.
        """
        model = self._require(GuidedRecommender, what="aspects", methods="guided")
        with self._lock:
            found = model.recommend_shifted(self._data, user_id=user_id, aspect=aspect, amount=amount, k=k)
        before = dict(found.before.select(schema.ITEM, "rank").iter_rows())
        rows = found.after.select("rank", schema.ITEM, "score").iter_rows()
        return {
            "user_id": user_id,
            "aspect": aspect,
            "amount": amount,
            "mean_level_before": None if isnan(found.mean_level_before) else found.mean_level_before,
            "mean_level_after": None if isnan(found.mean_level_after) else found.mean_level_after,
            "entries": [
                {
                    "rank": rank,
                    "rank_before": before.get(item_id),
                    "item_id": item_id,
                    "title": self._catalogue[item_id].title,
                    "score": score,
                }
                for rank, item_id, score in rows
            ],
            "left": [{"item_id": item_id, "title": self._catalogue[item_id].title} for item_id in found.left],
        }

    def stated(self, words: str, *, k: int = 10) -> list[Entry]:
        """A list for somebody of whom nothing is known but what they say they want, with reasons.

        Raises:
            InvalidConfigError: If there is no run of M-LLM3REC, or ``k`` is below 1.
            InvalidDataError: If the words are empty.
        """
        model = self._require(MLLM3Recommender, what="wishes", methods="mllm3rec")
        if not words.strip():
            raise InvalidDataError("words: expected what is wanted, got nothing. Say it in a few words.")
        with self._lock:
            told = model.explain(self._data, user_id="", k=k, stated=words)
        return [
            Entry(
                rank=it.rank or place,
                item_id=it.explanation.item_id,
                title=it.title,
                score=it.score,
                attributes=self._catalogue[it.explanation.item_id].attributes,
                reason=personal_reason(it.explanation),
            )
            for place, it in enumerate(told, start=1)
        ]

    def explain(self, user_id: str, item_id: str, *, method: str | None = None) -> ExplanationDocument | None:
        """Why an item suits a user, written and checked now.

        Args:
            user_id: Whom for.
            item_id: What; an item that the user has had has no rank.
            method: One of ``methods``; None for the first.

        Returns:
            None where there is no such method or item, or the user has no history.
        """
        chosen = next((it for it in self._recommenders if method in (None, it.method)), None)
        if chosen is None or item_id not in self._catalogue:
            return None
        with self._lock:
            if self._data.of_users([user_id]).interactions.limit(1).collect().is_empty():
                return None
            assert isinstance(chosen.model, ListExplainer), "open keeps no other"
            told = chosen.model.explain(self._data, user_id=user_id, item_ids=[item_id])
            return explaining_of(chosen, erased=self._forgotten).entry(told[0])

    def take_in(self, interactions: Iterable[NewInteraction]) -> int:
        """Let the models know of new interactions: users' histories, and CURec's reasons.

        What is known already, of an unknown item, or of a user who is forgotten is left out.

        Returns:
            How many were new.
        """
        with self._lock:
            rows = frame_of(it for it in interactions if it.user_id not in self._forgotten)
            known = rows.filter(pl.col(schema.ITEM).is_in(self._data.items[schema.ITEM].implode()))
            new = unknown_to(self._data, known)
            if not new.height:
                return 0
            taken = [Interaction(*row) for row in new.select(schema.USER, schema.ITEM, schema.TIMESTAMP).iter_rows()]
            for it in self._recommenders:
                late = [one for one in taken if one.timestamp >= it.run.until]
                if isinstance(it.model, CURecRecommender) and late:
                    it.model.update(self._data, late)
            self._data = self._data.with_interactions(new)
            return new.height

    def user_ids(self) -> list[str]:
        """Everybody with a history."""
        return self._data.interactions.select(pl.col(schema.USER).unique()).collect()[schema.USER].to_list()

    def forget(self, user_ids: Iterable[str]) -> None:
        """Know nothing of some users any more: neither histories nor what was written of them."""
        with self._lock:
            new = set(user_ids) - self._forgotten
            if not new:
                return
            self._forgotten |= new
            rest = self._data.interactions.filter(~pl.col(schema.USER).is_in(list(self._forgotten)))
            self._data = hold(Dataset(self._data.name, rest, self._data.items, self._data.users))

    def _warm_up(self) -> None:
        """Let the models read the catalogue now: what they keep of it would make the first question a slow one."""
        [known] = self._data.interactions.select(pl.col(schema.USER).first()).collect()[schema.USER].to_list() or [""]
        for it in self._recommenders:
            assert isinstance(it.model, ListExplainer), "open keeps no other"
            it.model.explain(self._data, user_id=known, k=1)
        if self.hears_wishes:
            self.stated("anything", k=1)

    def _model(self, kind: type[_Model]) -> _Model | None:
        return next((it.model for it in self._recommenders if isinstance(it.model, kind)), None)

    def _require(self, kind: type[_Model], *, what: str, methods: str) -> _Model:
        found = self._model(kind)
        if found is None:
            raise InvalidConfigError(
                f"{what}: expected an open run of {methods}, got {', '.join(self.methods) or 'none'}. Open one."
            )
        return found
