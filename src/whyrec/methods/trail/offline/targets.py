"""Past moments and what followed them: the training samples of the offline forecaster."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyrec.data.events import EventArrays
from whyrec.methods.trail.offline.config import OfflineConfig
from whyrec.methods.trail.offline.features import Past

YOUNG_DAYS = 30.0
_TOP_OF_TARGET = 30
Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What happened to every item in the window after a cut-off, each of shape (n_items,)."""

    users: Column
    """Distinct users: the popularity that is forecast (TRAIL §3.1)."""
    new_users: Column
    """Users who had never met the item before: those a list can still win."""
    new_users_by_user: Column
    """The same, each user's new items sharing a weight of 1: who tries thirty items needs only one of them listed."""

    @property
    def reach(self) -> Column:
        """Mean of the two counts of new users, on a scale where a top item has about 1."""
        return _on_top_scale((self.new_users + self.new_users_by_user) / 2)

    @property
    def shared_reach(self) -> Column:
        """``new_users_by_user`` on that scale."""
        return _on_top_scale(self.new_users_by_user)


def outcome(events: EventArrays, *, start: float, end: float) -> Outcome:
    """Count what happened in ``[start, end)`` (days)."""
    span = slice(events.index_at(start), events.index_at(end))
    user, item, is_first = events.user[span], events.item[span], events.is_first[span]
    pairs = np.unique(user.astype(np.int64) * events.n_items + item)
    new_user, new_item = user[is_first], item[is_first]
    items_of_user = np.bincount(new_user, minlength=events.n_users)
    return Outcome(
        users=np.bincount(pairs % events.n_items, minlength=events.n_items).astype(np.float64),
        new_users=np.bincount(new_item, minlength=events.n_items).astype(np.float64),
        new_users_by_user=np.asarray(
            np.bincount(new_item, weights=1 / items_of_user[new_user], minlength=events.n_items), dtype=np.float64
        ),
    )


def volume_before(events: EventArrays, *, day: float, days: float) -> float:
    """Distinct (user, item) pairs in the ``days`` before ``day``: today's size of the whole business."""
    span = slice(events.index_at(day - days), events.index_at(day))
    return float(max(len(np.unique(events.user[span].astype(np.int64) * events.n_items + events.item[span])), 1))


def past_cutoffs(*, until: float, earliest: float, horizon: float, config: OfflineConfig) -> list[float]:
    """Moments to learn from, latest first; each one's window ends at or before ``until``."""
    latest = until - horizon
    moments = [latest - k * config.cutoff_step_days for k in range(config.training_cutoffs)]
    return [moment for moment in moments if moment - earliest >= config.warmup_days]


def training_items(past: Past, *, config: OfflineConfig) -> NDArray[np.int64]:
    """The items worth learning from: the active, the young and the most promising of the never seen."""
    ever = past.decayed[-1] > 0
    active = {
        int(item)
        for counts in (*past.decayed, *past.decayed_pairs)
        for item in _top(counts, config.candidates_per_feature)
        if ever[item]
    }
    is_young = (past.first_day < past.day) & (past.first_day > past.day - YOUNG_DAYS)
    week = past.decayed[3]
    young = _top(np.where(is_young, week, -1.0), min(config.young_candidates, int(is_young.sum())))
    unseen = ~np.isfinite(past.first_day)
    promise = np.where(unseen, np.nan_to_num(past.promise, nan=0.0), -np.inf)
    promising = _top(promise, min(config.unseen_candidates, int(unseen.sum())))
    return np.array(sorted({*active, *young.tolist(), *promising.tolist()}), dtype=np.int64)


def _top(values: Column, n: int) -> NDArray[np.int64]:
    return np.argsort(-values, kind="stable")[:n]


def _on_top_scale(counts: Column) -> Column:
    return np.asarray(counts / (np.sort(counts)[::-1][:_TOP_OF_TARGET].mean() + 1e-9))
