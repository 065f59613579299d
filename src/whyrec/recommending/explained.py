"""Entries of a user's list and why they stand there, in the shape that every explaining recommender answers in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import UnknownIdError
from whyrec.interfaces import Explanation
from whyrec.recommending.base import ScoringRecommender


@dataclass(frozen=True, slots=True)
class ListPlace:
    """An entry of a user's list, or an item that is none."""

    user_id: str
    item_id: str
    title: str
    """The item_id of an item without one."""
    rank: int | None
    """From 1; None for an item that the user has had."""
    score: float


@dataclass(frozen=True, slots=True)
class ExplainedEntry:
    """One entry of a list with its explanation; methods add what else it rests on."""

    explanation: Explanation
    title: str
    rank: int | None
    """Of the list, from 1; None for an item that the user has had."""
    score: float

    def record(self) -> dict[str, object]:
        """The entry as JSON holds it."""
        whose = {"user_id": self.explanation.user_id, "item_id": self.explanation.item_id, "title": self.title}
        return {**whose, "rank": self.rank, "score": self.score, **self.explanation.record()}


@runtime_checkable
class ListExplainer(Protocol):
    """Says why items stand in users' lists."""

    def explain(
        self,
        data: Dataset,
        *,
        user_id: str,
        item_ids: Sequence[str] | None = None,
        k: int = 5,
        at: datetime | None = None,
    ) -> Sequence[ExplainedEntry]:
        """Explain the items named, or the first ``k`` of the user's list, from what is strictly before ``at``."""
        ...


def places_in_list(
    recommender: ScoringRecommender,
    data: Dataset,
    *,
    user_id: str,
    item_ids: Sequence[str] | None,
    k: int,
    at: datetime | None,
) -> list[ListPlace]:
    """Where items stand in a user's list.

    Args:
        recommender: Fitted.
        data: Where the history is read, and titles.
        user_id: Whose list.
        item_ids: Which items, each answered once; None for the first ``k`` of the list.
        k: How many, where no items are named.
        at: Only interactions strictly before it are read; None reads all.

    Raises:
        NotFittedError: If the recommender is not fitted.
        InvalidConfigError: If ``k`` is below 1.
        UnknownIdError: If an item is not in the catalogue that was fitted on.
    """
    named = list(dict.fromkeys(item_ids)) if item_ids is not None else None
    require_known_items(recommender, named or ())
    length = k if named is None else max(len(recommender.item_ids_), 1)
    found = standing(recommender.recommend(data, user_ids=[user_id], k=length, at=at))
    chosen = list(found) if named is None else named
    had = [item_id for item_id in chosen if item_id not in found]
    if had:
        asked = pl.DataFrame({schema.USER: [user_id] * len(had), schema.ITEM: had})
        again = recommender.recommend(data, user_ids=[user_id], k=len(had), filter_seen=False, candidates=asked, at=at)
        found |= {item_id: (None, score) for item_id, (_, score) in standing(again).items()}
    titles = titles_of(data, chosen)
    return [ListPlace(user_id, item_id, titles[item_id], *found[item_id]) for item_id in chosen]


def standing(lists: pl.DataFrame) -> dict[str, tuple[int | None, float]]:
    """Rank and score by item_id, of one user's list."""
    return {row[schema.ITEM]: (int(row["rank"]), float(row["score"])) for row in lists.to_dicts()}


def titles_of(data: Dataset, item_ids: Sequence[str]) -> dict[str, str]:
    """Of some items; an item without a title goes by its id."""
    is_asked = pl.col(schema.ITEM).is_in(list(item_ids))
    named = dict(data.items.filter(is_asked).select(schema.ITEM, schema.TITLE).iter_rows())
    return {item_id: named.get(item_id) or item_id for item_id in item_ids}


def require_known_items(recommender: ScoringRecommender, item_ids: Sequence[str]) -> None:
    """Refuse items that are not in the catalogue that was fitted on.

    Raises:
        UnknownIdError: If there is one.
    """
    known = set(recommender.item_ids_) if item_ids else set()
    for item_id in item_ids:
        if item_id not in known:
            raise UnknownIdError(
                f"{type(recommender).__name__}: expected an item_id of the {len(known):,} that were fitted on, got "
                f"{item_id!r}. Name another, or fit again."
            )
