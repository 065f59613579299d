"""What is known about every item at a cut-off, as numbers, from the events before it and the catalogue.

Monthly counts hide what matters most: how the days inside the last month were spread. So the counts here decay at
half-lives from one day to half a year, and are shares of the whole volume, so that a cut-off in a busy season and one
in a quiet season speak the same language.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from whyrec.data.events import EventArrays
from whyrec.methods.trail.offline import launches
from whyrec.methods.trail.offline.catalogue import CatalogueVectors

HALF_LIVES = (1.0, 2.0, 4.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0)
SPANS = (1, 2, 3, 5, 7, 14, 30, 60)
GROWTH = ((1, 3), (2, 7), (3, 7), (7, 14), (7, 30), (14, 60))
DECAY_GROWTH = ((1.0, 7.0), (4.0, 30.0), (14.0, 90.0))
_RECENT_DAYS = 7.0
_MEMORY_DAYS = 800.0
_FORGET_HALF_LIVES = 12.0
_YEAR_DAYS = 365.0
_SEASON_DAYS = 30.0
_SHARE = 1e4  # shares are per ten thousand events, so that log1p bends where the small items are
_RATING_PRIOR = 5.0

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of some items at a cut-off."""

    names: tuple[str, ...]
    """``group.name``, the group being what explanations speak of."""
    values: NDArray[np.float32]
    """Shape (n_rows, n_features); NaN where undefined."""


@dataclass(frozen=True, eq=False)
class Past:
    """The events before a cut-off, and the sums over them that features share; per item unless said otherwise."""

    events: EventArrays
    catalogue: CatalogueVectors
    day: float
    """The cut-off, in days since 1970-01-01."""
    item: NDArray[np.int32]
    """Per event of the last 800 days."""
    age: Column
    """Per event: days before the cut-off."""
    is_first: Column
    """Per event: 1 where a user meets an item for the first time."""
    decayed: NDArray[np.float64]
    """New users, decayed, shape (n_half_lives, n_items)."""
    decayed_by_user: NDArray[np.float64]
    """New users, each weighed by 1 over the new items they met within 30 days; decayed likewise."""
    decayed_pairs: NDArray[np.float64]
    """Users by their latest event, decayed likewise."""
    ever: Column
    """Users so far."""
    first_day: Column
    """Day of the first event before the cut-off; infinity where there is none."""
    promise: Column
    """Launch level that the attributes promise; NaN where nothing could be learned."""

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.events.n_items

    @property
    def start(self) -> float:
        """Day on which the log begins."""
        return float(self.events.day[0]) if self.events.n_events else self.day

    def new_users_within(self, days: float) -> Column:
        """New users of each item in the last ``days``."""
        recent = self.age <= days
        return _sums(self.item[recent], self.is_first[recent], self.n_items)


def look_back(events: EventArrays, catalogue: CatalogueVectors, *, day: float) -> Past:
    """Sum up what happened before a cut-off.

    Args:
        events: The log; only events strictly before ``day`` are read.
        catalogue: Vectors of the same sorted items.
        day: The cut-off, in days since 1970-01-01.
    """
    end, begin = events.index_at(day), events.index_at(day - _MEMORY_DAYS)
    user, item = events.user[begin:end], events.item[begin:end]
    age = day - events.day[begin:end]
    is_first = events.is_first[begin:end].astype(np.float64)
    busy = _user_activity(events.user[:end], events.day[:end], events.is_first[:end], events.n_users)[begin:]

    def decay(weight: Column) -> NDArray[np.float64]:
        return np.asarray(_decayed_sums(item, age, weight, np.array(HALF_LIVES), events.n_items))

    return Past(
        events=events,
        catalogue=catalogue,
        day=day,
        item=item,
        age=age,
        is_first=is_first,
        decayed=decay(is_first),
        decayed_by_user=decay(is_first / busy),
        decayed_pairs=decay(_is_latest_of_pair(user, item, events.n_items)),
        ever=_sums(events.item[:end], events.is_first[:end], events.n_items),
        first_day=np.where(events.first_day < day, events.first_day, np.inf),
        promise=launches.promised_launches(events, catalogue, day=day),
    )


def feature_table(past: Past, *, rows: NDArray[np.int64] | None = None) -> FeatureTable:
    """Features of the items at ``rows`` (positions in the catalogue), or of all items."""
    rows = np.arange(past.n_items) if rows is None else rows
    columns: dict[str, Column] = {
        **_decayed_columns(past),
        **_span_columns(past),
        **_age_columns(past),
        **_season_columns(past),
        **_rating_columns(past),
        **_catalogue_columns(past),
    }
    # Text comes last and for the asked rows only: it compares each with many others, which costs most.
    text = _text_columns(past, rows)
    values = np.column_stack([*(column[rows] for column in columns.values()), *text.values()])
    return FeatureTable((*columns, *text), values.astype(np.float32))


def _sums(item: NDArray[np.int32], weight: NDArray[np.bool_] | Column, n_items: int) -> Column:
    return np.asarray(np.bincount(item, weights=weight, minlength=n_items), dtype=np.float64)


def _log_share(counts: Column) -> Column:
    return np.asarray(np.log1p(_SHARE * counts / (counts.sum() + 1e-9)))


def _decayed_columns(past: Past) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    shares = {half_life: _log_share(past.decayed[k]) for k, half_life in enumerate(HALF_LIVES)}
    for k, half_life in enumerate(HALF_LIVES):
        group = "recency" if half_life <= _RECENT_DAYS else "level"
        columns[f"{group}.new_users_{half_life:g}d"] = shares[half_life]
        columns[f"{group}.by_user_{half_life:g}d"] = _log_share(past.decayed_by_user[k])
        columns[f"{group}.pairs_{half_life:g}d"] = _log_share(past.decayed_pairs[k])
    for short, long in DECAY_GROWTH:
        columns[f"growth.decayed_{short:g}d_{long:g}d"] = shares[short] - shares[long]
    middle = HALF_LIVES.index(4.0)
    columns["audience.focus"] = np.log((past.decayed_by_user[middle] + 0.1) / (past.decayed[middle] + 0.1))
    return columns


def _span_columns(past: Past) -> dict[str, Column]:
    counts = {days: past.new_users_within(days) for days in SPANS}
    columns = {
        f"{'recency' if days <= _RECENT_DAYS else 'level'}.last_{days}d": _log_share(counts[days]) for days in SPANS
    }
    columns["recency.count_7d"] = np.log1p(counts[7])
    columns["level.count_30d"] = np.log1p(counts[30])
    columns["level.count_ever"] = np.log1p(past.ever)
    for short, long in GROWTH:
        rate_short, rate_long = counts[short] / short, counts[long] / long
        columns[f"growth.rate_{short}d_{long}d"] = np.log((rate_short + 0.5 / long) / (rate_long + 0.5 / long))
    return columns


def _age_columns(past: Past) -> dict[str, Column]:
    age = np.where(np.isfinite(past.first_day), past.day - past.first_day, np.nan)
    silent = np.full(past.n_items, np.nan)
    silent[past.item] = past.age  # events are in time order: the last assignment is the latest event
    return {
        "age.days_known": np.log1p(age),
        "age.share_of_log": age / max(past.day - past.start, 1.0),
        "age.days_silent": np.log1p(silent),
    }


def _season_columns(past: Past) -> dict[str, Column]:
    anniversary = past.day - _YEAR_DAYS
    if anniversary - _SEASON_DAYS < past.start:
        undefined = np.full(past.n_items, np.nan)
        return {"season.year_ago": undefined, "season.year_ago_growth": undefined}

    def new_users(start: float, end: float) -> Column:
        span = slice(past.events.index_at(start), past.events.index_at(end))
        return _sums(past.events.item[span], past.events.is_first[span], past.n_items)

    before, after = (
        new_users(anniversary - _SEASON_DAYS, anniversary),
        new_users(anniversary, anniversary + _SEASON_DAYS),
    )
    return {"season.year_ago": _log_share(after), "season.year_ago_growth": np.log((after + 1) / (before + 1))}


def _rating_columns(past: Past) -> dict[str, Column]:
    events = past.events
    if events.rating is None:
        return {"rating.mean": np.full(past.n_items, np.nan)}
    end = events.index_at(past.day)
    rating, item = events.rating[:end], events.item[:end]
    is_rated = ~np.isnan(rating)
    n_ratings = np.bincount(item[is_rated], minlength=past.n_items)
    total = np.bincount(item[is_rated], weights=rating[is_rated], minlength=past.n_items)
    mean = rating[is_rated].mean() if is_rated.any() else 0.0
    return {"rating.mean": (total + _RATING_PRIOR * mean) / (n_ratings + _RATING_PRIOR) - mean}


def _catalogue_columns(past: Past) -> dict[str, Column]:
    catalogue = past.catalogue
    recent = catalogue.labels.T @ past.decayed[HALF_LIVES.index(4.0)]
    usual = catalogue.labels.T @ past.decayed[HALF_LIVES.index(60.0)]
    momentum = np.log((recent / (recent.sum() + 1e-9) + 1e-4) / (usual / (usual.sum() + 1e-9) + 1e-4))
    year = 1970 + past.day / 365.25
    return {
        "catalogue.label_momentum": catalogue.labels @ momentum,
        "catalogue.label_level": catalogue.labels @ np.log((usual + 1) / catalogue.label_sizes),
        "catalogue.years_since_release": year - catalogue.year,
        "catalogue.promise": past.promise,
    }


def _text_columns(past: Past, rows: NDArray[np.int64]) -> dict[str, Column]:
    near = launches.nearest_active(
        past.catalogue.text,
        rows=rows,
        activity=past.decayed[HALF_LIVES.index(30.0)],
        level=_log_share(past.decayed[HALF_LIVES.index(14.0)]),
        ever=np.log1p(past.ever),
    )
    return {
        "text.neighbour_level": near.level,
        "text.neighbour_best": near.best,
        "text.neighbour_similarity": near.similarity,
    }


@numba.njit(cache=True)
def _decayed_sums(
    item: NDArray[np.int32], age: Column, weight: Column, half_lives: Column, n_items: int
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    sums = np.zeros((len(half_lives), n_items))
    for k in range(len(item)):
        if weight[k] == 0.0:
            continue
        for h in range(len(half_lives)):
            if age[k] < half_lives[h] * _FORGET_HALF_LIVES:
                sums[h, item[k]] += weight[k] * 0.5 ** (age[k] / half_lives[h])
    return sums


@numba.njit(cache=True)
def _user_activity(
    user: NDArray[np.int32], day: Column, is_first: NDArray[np.bool_], n_users: int
) -> Column:  # pragma: no cover - compiled
    """Per event: new items of the same user within the 30 days up to and including it, at least 1 and at most 500."""
    previous = np.full(len(user), -1, np.int64)
    latest = np.full(n_users, -1, np.int64)
    activity = np.ones(len(user))
    for k in range(len(user)):
        previous[k] = latest[user[k]]
        latest[user[k]] = k
        count, j = 0, k
        while j >= 0 and day[k] - day[j] <= _SEASON_DAYS and count < 500:
            count += is_first[j]
            j = previous[j]
        activity[k] = max(count, 1)
    return activity


def _is_latest_of_pair(user: NDArray[np.int32], item: NDArray[np.int32], n_items: int) -> Column:
    """1 at the last event of every (user, item) pair, else 0."""
    pair = user.astype(np.int64) * n_items + item
    _, from_the_end = np.unique(pair[::-1], return_index=True)
    latest = np.zeros(len(pair))
    latest[len(pair) - 1 - from_the_end] = 1.0
    return latest


def feature_groups(names: tuple[str, ...]) -> Mapping[str, list[int]]:
    """Column positions by group, groups in order of first appearance."""
    groups: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        groups.setdefault(name.split(".", 1)[0], []).append(position)
    return groups
