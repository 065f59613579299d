"""An item's score after interactions are taken out of a user's history: evidence of kind ``history``."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import UnknownIdError
from whyrec.evaluation.faithfulness import EvidencePool
from whyrec.interfaces import Explanation
from whyrec.recommending.base import ScoringRecommender

HISTORY = "history"
_PREFIX = "interaction:"


def interactions_cited(explanation: Explanation) -> list[str]:
    """item_ids of the history that an explanation's claims rest on, in the order of the text."""
    named = (name for claim in explanation.verdict.claims for name in claim.evidence_ids)
    return list(dict.fromkeys(name.removeprefix(_PREFIX) for name in named if name.startswith(_PREFIX)))


def history_pool(
    recommender: ScoringRecommender,
    data: Dataset,
    *,
    user_id: str,
    item_id: str,
    cited: Iterable[str],
    at: datetime | None = None,
) -> EvidencePool:
    """The items of a user's history, which are taken out of the log and the user is scored anew.

    The score is the item's above the catalogue's mean: what lifts all items alike says nothing of one's place.

    Args:
        recommender: Fitted; nothing is learned anew.
        data: Where the history is read.
        user_id: Whose history.
        item_id: What is scored; where it was taken before, it can be neither cited nor drawn.
        cited: item_ids that the explanation names; those of them in the history count.
        at: Only interactions strictly before it are read; None reads all.

    Raises:
        UnknownIdError: If the user has no history, or the item is not in the catalogue that was fitted on.
    """
    scored = _Scored(recommender, data, user_id, item_id, at)
    named = [it for it in dict.fromkeys(cited) if it in scored.taken and it != item_id]
    others = [it for it in scored.taken if it not in named and it != item_id]
    return EvidencePool(HISTORY, tuple(named), tuple(others), scored.without)


@dataclass(frozen=True)
class _Scored:
    recommender: ScoringRecommender
    data: Dataset
    user_id: str
    item_id: str
    at: datetime | None

    @cached_property
    def log(self) -> pl.DataFrame:
        """The user's interactions strictly before the moment."""
        log = self.data.interactions if self.at is None else self.data.before(self.at)
        return log.filter(pl.col(schema.USER) == self.user_id).collect()

    @cached_property
    def taken(self) -> list[str]:
        """Known items of the history, the latest first."""
        known = set(self.recommender.item_ids_)
        found = [it for it in dict.fromkeys(reversed(self.log[schema.ITEM].to_list())) if it in known]
        if not found:
            raise UnknownIdError(
                f"history of {self.user_id!r}: expected interactions with known items, got none. Leave the user out."
            )
        return found

    def without(self, item_ids: Collection[str]) -> float:
        kept = self.log.filter(~pl.col(schema.ITEM).is_in(list(item_ids)))
        lists = self.recommender.recommend(
            replace(self.data, interactions=kept.lazy()),
            user_ids=[self.user_id],
            k=len(self.recommender.item_ids_),
            filter_seen=False,
            unknown="raise",
            at=self.at,
        )
        scores = dict(lists.select(schema.ITEM, "score").iter_rows())
        if self.item_id not in scores:
            raise UnknownIdError(
                f"history: expected an item_id of the {len(scores):,} that were fitted on, got {self.item_id!r}. "
                "Name another."
            )
        return float(scores[self.item_id] - lists["score"].mean())
