"""Item-month samples: what was known of an item at a cut-off, and how many users came in the window after it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from pydantic import Field

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.events import EventArrays, as_days, event_arrays
from whyrec.data.item_histories import ItemHistory, distinct_users, history_table
from whyrec.data.windows import Window, WindowLength
from whyrec.errors import InvalidDataError
from whyrec.runtime.strict_model import StrictModel


@dataclass(frozen=True, slots=True)
class Sample:
    """One item at one cut-off (TRAIL §3)."""

    history: ItemHistory
    window: Window
    """The target T: it starts at the history's cut-off."""
    target: int | None
    """Distinct users in it; None where it is to be forecast."""
    weight: float = 1.0
    """How many drawn samples it stands for: above 1 for the targets of 0 that are kept."""


class SampleConfig(StrictModel):
    """Which item-months are learned from. The paper leaves it open; its authors' later code takes five per item."""

    drawn_by: Literal["item", "history"] = "item"
    """So many of each item, among them its peak; or every item-month with a chance that grows with the users of its
    last ``history_days``, which ``max_samples`` sets. Only the latter looks at nothing but what was known at the
    cut-off: choosing peaks, or items by all their users, teaches to expect the luck of the chosen ones."""
    per_item: int = Field(default=6, ge=1)
    """Samples of one item from its release on: the first, the peak and the last window, then others at random."""
    unseen_per_item: int = Field(default=1, ge=0)
    """Samples of one item from before its first user, at random: without any, new items would always find users."""
    zero_share: float = Field(default=0.3, ge=0, lt=1)
    """The most samples whose target is 0, as a share of all; which of them are kept is drawn."""
    weigh_zeros: bool = True
    """Let each kept target of 0 stand for those left out, so that the mean over the samples stays what it was."""
    step_days: int | None = Field(default=None, ge=1)
    """Days between further cut-offs, whose windows overlap; None leaves it at windows side by side."""
    warmup_windows: int = Field(default=1, ge=0)
    """Complete windows of log that must lie before a cut-off."""
    max_samples: int | None = Field(default=None, ge=1)
    """The most samples; the items with the most users come first. None takes all."""
    max_windows: int = Field(default=36, ge=1)
    """The longest history, in windows."""
    history_days: int = Field(default=30, ge=1)
    """Last days whose users are counted day by day."""
    seed: int = 0
    """Seed of every draw."""


DEFAULT_SAMPLES = SampleConfig()
_MONTHS = 6
"""Calendar months that are counted beside the windows."""
_IDLE = 0.2
"""Items without a recent user count as if they had so many: few of the very many are drawn."""


def training_samples(
    data: Dataset, *, until: datetime, length: WindowLength, config: SampleConfig = DEFAULT_SAMPLES
) -> list[Sample]:
    """Draw item-months whose target windows end at or before ``until``; nothing later is looked at.

    An item without a user before the cut-off, but with one in the target window, gives a sample with an empty history:
    its release is not known beforehand.

    Args:
        data: The dataset.
        until: End of the newest target window.
        length: Of a window.
        config: Which samples are taken.

    Returns:
        By cut-off, oldest first, and item.

    Raises:
        InvalidDataError: If the log does not cover a target window and the warm-up before it.
    """
    events = event_arrays(data, before=until)
    windows = target_windows(events, until=until, length=length, config=config)
    if not windows:
        raise InvalidDataError(
            f"{data.name}: expected a log of at least {config.warmup_windows + 1} windows ({length}) before "
            f"{until:%Y-%m-%d}, got fewer. Take a later date or shorter windows."
        )
    targets = np.stack(
        [distinct_users(events, start=as_days(window.start), end=as_days(window.end)) for window in windows]
    )
    rng = np.random.default_rng(config.seed)
    if config.drawn_by == "history":
        weights = _drawn_by_history(events, windows, config=config, rng=rng).astype(np.float64)
        return list(_samples(data, events, windows, targets=targets, weights=weights, length=length, config=config))
    drawn = _drawn(targets, first=_first_target(events, windows), config=config, rng=rng)
    weights = _weights(targets, drawn=drawn, activity=_users_per_item(events), config=config, rng=rng)
    return list(_samples(data, events, windows, targets=targets, weights=weights, length=length, config=config))


def window_samples(
    data: Dataset,
    *,
    window: Window,
    length: WindowLength,
    with_target: bool,
    config: SampleConfig = DEFAULT_SAMPLES,
) -> list[Sample]:
    """Every catalogue item at a window's start, for forecasting it or for validation; weights are 1.

    Args:
        data: The dataset.
        window: The target.
        length: Of the windows of the history. It is not read off the target: 30 days from 31 March are also a month.
        with_target: Count the users in the target; without, only interactions before it are read.
        config: How long the histories are.

    Returns:
        By item id.
    """
    events = event_arrays(data, before=window.end if with_target else window.start)
    table = history_table(
        events,
        cutoff=window.start,
        length=length,
        max_windows=config.max_windows,
        n_days=config.history_days,
        n_months=_MONTHS,
    )
    users = distinct_users(events, start=as_days(window.start), end=as_days(window.end))
    return [
        Sample(table.history(row, entry=entry), window, int(users[row]) if with_target else None)
        for row, entry in enumerate(_entries(data))
    ]


def target_windows(
    events: EventArrays, *, until: datetime, length: WindowLength, config: SampleConfig
) -> tuple[Window, ...]:
    """The windows that are learned to be forecast, oldest first: laid back from ``until``, and every ``step_days``.

    Args:
        events: The log.
        until: Where the newest one ends; none ends later.
        length: Of a window.
        config: Warm-up and step.
    """
    found: dict[datetime, Window] = {}
    window = length.preceding(until)
    newest = window.start
    while _is_covered(window.start, events=events, length=length, warmup_windows=config.warmup_windows):
        found[window.start] = window
        window = length.preceding(window.start)
    cutoff = newest
    while config.step_days is not None and _is_covered(
        cutoff, events=events, length=length, warmup_windows=config.warmup_windows
    ):
        found.setdefault(cutoff, length.following(cutoff))
        cutoff -= timedelta(days=config.step_days)
    return tuple(found[start] for start in sorted(found))


def _is_covered(cutoff: datetime, *, events: EventArrays, length: WindowLength, warmup_windows: int) -> bool:
    if not events.n_events or as_days(cutoff) <= events.day[0]:
        return False
    for _ in range(warmup_windows):
        cutoff = length.preceding(cutoff).start
    return as_days(cutoff) >= float(events.day[0])


def _first_target(events: EventArrays, windows: Sequence[Window]) -> Int[np.ndarray, " I"]:
    """Per item: the first target window that ends after its first user; the number of windows where none does."""
    ends = np.array([as_days(window.end) for window in windows])
    first: np.ndarray = np.searchsorted(ends, events.first_day, side="right")
    return first


def _users_per_item(events: EventArrays) -> Int[np.ndarray, " I"]:
    users: np.ndarray = np.bincount(events.item[events.is_first], minlength=events.n_items)
    return users


def _drawn(
    targets: Int[np.ndarray, "C I"], *, first: Int[np.ndarray, " I"], config: SampleConfig, rng: np.random.Generator
) -> Bool[np.ndarray, "C I"]:
    """Which cut-offs of which items are samples, before targets of 0 are thinned out."""
    n_cutoffs, n_items = targets.shape
    is_released = np.arange(n_cutoffs)[:, None] >= first
    draw = rng.random((n_cutoffs, n_items))
    released = np.flatnonzero(first < n_cutoffs)
    peak = np.where(is_released, targets, -1).argmax(axis=0)
    wanted = draw.copy()
    for preference, cutoffs in enumerate((np.full(n_items, n_cutoffs - 1), peak, first), start=2):
        wanted[cutoffs[released], released] = preference
    seen = _best(wanted, among=is_released, n=config.per_item)
    unseen = _best(draw, among=~is_released, n=config.unseen_per_item)
    drawn: np.ndarray = np.logical_or(seen, unseen)
    return drawn


def _drawn_by_history(
    events: EventArrays, windows: Sequence[Window], *, config: SampleConfig, rng: np.random.Generator
) -> Bool[np.ndarray, "C I"]:
    """Which item-months are samples, by what was known at their cut-offs alone."""
    recent = np.stack(
        [
            distinct_users(events, start=as_days(window.start) - config.history_days, end=as_days(window.start))
            for window in windows
        ]
    )
    activity = recent + _IDLE
    draw = rng.random(recent.shape)
    if config.max_samples is None or config.max_samples >= recent.size:
        return np.ones(recent.shape, dtype=np.bool_)
    # A cell is taken if its draw is below scale * activity: the scale that takes max_samples of them is a quantile.
    threshold = draw / activity
    scale = np.partition(threshold.ravel(), config.max_samples - 1)[config.max_samples - 1]
    drawn: np.ndarray = threshold <= scale
    return drawn


def _best(preference: Float[np.ndarray, "C I"], *, among: Bool[np.ndarray, "C I"], n: int) -> Bool[np.ndarray, "C I"]:
    """The ``n`` highest of every column, of those that may be chosen."""
    order = np.argsort(np.where(among, -preference, np.inf), axis=0, kind="stable")[:n]
    chosen = np.zeros(among.shape, dtype=np.bool_)
    np.put_along_axis(chosen, order, values=True, axis=0)
    best: np.ndarray = chosen & among
    return best


def _weights(
    targets: Int[np.ndarray, "C I"],
    *,
    drawn: Bool[np.ndarray, "C I"],
    activity: Int[np.ndarray, " I"],
    config: SampleConfig,
    rng: np.random.Generator,
) -> Float[np.ndarray, "C I"]:
    """Weights of the samples that stay; 0 for all other places."""
    positive = np.argwhere(drawn & (targets > 0))
    zero = np.argwhere(drawn & (targets == 0))
    limit = len(positive) + len(zero) if config.max_samples is None else config.max_samples
    n_positive = min(len(positive), limit - min(len(zero), math.floor(config.zero_share * limit)))
    # A hair is added so that a share such as 0.3 of ten samples is three of them.
    most_zeros = math.floor(config.zero_share / (1 - config.zero_share) * n_positive + 1e-9)
    n_zero = min(len(zero), most_zeros, limit - n_positive)
    by_activity = np.lexsort((positive[:, 0], positive[:, 1], -activity[positive[:, 1]]))
    weights = np.zeros(targets.shape)
    weights[tuple(positive[by_activity[:n_positive]].T)] = 1.0
    kept = zero[rng.permutation(len(zero))[:n_zero]]
    weights[tuple(kept.T)] = len(zero) / n_zero if n_zero and config.weigh_zeros else 1.0
    return weights


def _samples(
    data: Dataset,
    events: EventArrays,
    windows: Sequence[Window],
    *,
    targets: Int[np.ndarray, "C I"],
    weights: Float[np.ndarray, "C I"],
    length: WindowLength,
    config: SampleConfig,
) -> Iterator[Sample]:
    entries = _entries(data)
    for place, window in enumerate(windows):
        rows = np.flatnonzero(weights[place])
        if not len(rows):
            continue
        table = history_table(
            events,
            cutoff=window.start,
            length=length,
            max_windows=config.max_windows,
            n_days=config.history_days,
            n_months=_MONTHS,
        )
        for row in rows.tolist():
            history = table.history(row, entry=entries[row])
            yield Sample(history, window, int(targets[place, row]), float(weights[place, row]))


def _entries(data: Dataset) -> list[Mapping[str, object]]:
    """Rows of the catalogue in the order of ``EventArrays.item_ids``."""
    return list(data.items.sort(pl.col(schema.ITEM)).to_dicts())
