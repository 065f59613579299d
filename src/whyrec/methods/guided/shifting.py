"""A user's list as it would be with more or less of one aspect, and what changed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from jaxtyping import Float

from whyrec.data import schema
from whyrec.interfaces import RECOMMENDATION_SCHEMA
from whyrec.methods.guided.control import mean_level, shifted_scores
from whyrec.recommending.topk import exact_top_k


@dataclass(frozen=True, slots=True, eq=False)
class ShiftedList:
    """Two lists of one user."""

    aspect: str
    """Its key."""
    amount: float
    before: pl.DataFrame
    """Of ``RECOMMENDATION_SCHEMA``: as ``recommend`` gives it."""
    after: pl.DataFrame
    """The same after the shift, with shifted scores."""
    mean_level_before: float
    """Of the list's items on the aspect, in points, those of unknown level at the mean; NaN if nothing is listed."""
    mean_level_after: float
    knows_user: bool = True
    """False for somebody without a history: both lists are of popular items."""

    @property
    def came_in(self) -> tuple[str, ...]:
        """item_ids that are new, best first."""
        return self._only_in(self.after, self.before)

    @property
    def left(self) -> tuple[str, ...]:
        """item_ids that are gone, best first."""
        return self._only_in(self.before, self.after)

    @property
    def moved(self) -> Mapping[str, tuple[int, int]]:
        """Ranks before and after of items that stayed at another place."""
        both = self.after.join(self.before, on=schema.ITEM, suffix="_before", maintain_order="left")
        rows = both.filter(pl.col("rank") != pl.col("rank_before")).select(schema.ITEM, "rank_before", "rank")
        return {item_id: (before, after) for item_id, before, after in rows.iter_rows()}

    @staticmethod
    def _only_in(one: pl.DataFrame, other: pl.DataFrame) -> tuple[str, ...]:
        return tuple(one.join(other, on=schema.ITEM, how="anti", maintain_order="left")[schema.ITEM])


def shifted_list(
    scores: Float[np.ndarray, " I"],
    levels: Float[np.ndarray, " I"],
    *,
    item_ids: pl.Series,
    user_id: str,
    aspect: str,
    amount: float,
    k: int,
    knows_user: bool = True,
) -> ShiftedList:
    """Shift a user's scores and compare the lists.

    Args:
        scores: Of all items; ``-inf`` for those that may not be listed.
        levels: Of the items on the aspect, in points, NaN where unknown.
        item_ids: The catalogue.
        user_id: Whose list.
        aspect: Its key.
        amount: As in ``shifted_scores``.
        k: Length of a list.
        knows_user: Whether the scores are the user's own.

    Raises:
        InvalidConfigError: If the amount is beyond 100 either way, ``k`` is below 1, or all items are equal on the
            aspect.
    """
    shifted = shifted_scores(scores.astype(np.float64), levels, amount=amount)
    return ShiftedList(
        aspect,
        amount,
        before=_listed(scores.astype(np.float64), item_ids=item_ids, user_id=user_id, k=k),
        after=_listed(shifted, item_ids=item_ids, user_id=user_id, k=k),
        mean_level_before=mean_level(scores, levels, k=k),
        mean_level_after=mean_level(shifted, levels, k=k),
        knows_user=knows_user,
    )


def _listed(scores: Float[np.ndarray, " I"], *, item_ids: pl.Series, user_id: str, k: int) -> pl.DataFrame:
    best, found = exact_top_k(torch.from_numpy(scores)[None], k=min(k, len(scores)))
    n = int(torch.isfinite(best[0]).sum())
    return pl.DataFrame(
        {
            schema.USER: [user_id] * n,
            schema.ITEM: item_ids.gather(found[0, :n].numpy()),
            "score": best[0, :n].numpy(),
            "rank": np.arange(1, n + 1, dtype=np.uint32),
        },
        schema=RECOMMENDATION_SCHEMA,
    )
