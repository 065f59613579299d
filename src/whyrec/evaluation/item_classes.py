"""A list judged by kinds of items: cold and warm ones, rising, falling and fluctuating ones (TRAIL §5.2.3).

Classes are made from what came before the test window, so they are known when a list is made. Knows no method.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.events import event_arrays
from whyrec.data.item_histories import history_table
from whyrec.data.windows import Window, WindowLength
from whyrec.evaluation import forecasting
from whyrec.evaluation.positions import SCORE, list_positions
from whyrec.evaluation.ranking import hr_at_k
from whyrec.evaluation.rolling import WindowTruth, labelled_rows, window_truth
from whyrec.evaluation.significance import Interval, bootstrap_mean

Experience = Literal["cold", "warm"]
Trend = Literal["increasing", "decreasing", "fluctuating", "unknown"]
CLASSES: tuple[str, ...] = (*get_args(Experience), *get_args(Trend))
"""In the order of the rows; every item is in one of the first two and one of the last four."""

COLD_INTERACTIONS = 5
"""An item with fewer interactions is cold (TRAIL §5.2.3)."""
TREND_WINDOWS = 6
_LEAST_NONZERO = 2
_LEAST_SLOPE = 0.05
_LARGEST_P = 0.1


def trend_class(counts: Sequence[int]) -> Trend:
    """Name the trend of an item's users per window, oldest first, from the window of its release on.

    Fewer than two windows with anybody: ``unknown``. Else the Theil-Sen slope of log(1 + users) decides, if it is
    more than 0.05 per window either way and Kendall's tau has p below 0.1: ``increasing`` or ``decreasing``. All else
    is ``fluctuating``, as is every item of fewer than four windows: three in order have p = 2/3! = 0.33. TRAIL §5.2.3
    names the classes; the rule is ours.
    """
    if np.count_nonzero(counts) < _LEAST_NONZERO:
        return "unknown"
    # Loads slowly: not on import of this module.
    from scipy import stats

    level = np.log1p(np.asarray(counts, dtype=np.float64))
    slope = float(stats.theilslopes(level).slope)
    if abs(slope) <= _LEAST_SLOPE or stats.kendalltau(np.arange(len(level)), level).pvalue >= _LARGEST_P:
        return "fluctuating"
    return "increasing" if slope > 0 else "decreasing"


def item_classes(data: Dataset, *, at: datetime, length: WindowLength) -> pl.DataFrame:
    """Sort the catalogue into classes by what came before a moment.

    Args:
        data: The dataset; its interactions from ``at`` on are not read.
        at: Start of the test window.
        length: Of the windows whose counts make the trend; the last six count, as far as the log covers them.

    Returns:
        ``item_id`` (sorted), ``experience`` (``cold`` or ``warm``), ``trend``.
    """
    events = event_arrays(data, before=at)
    table = history_table(events, cutoff=at, length=length, max_windows=TREND_WINDOWS, n_days=1)
    known: dict[tuple[int, ...], Trend] = {}
    trends = []
    for row, users in enumerate(table.users):
        counts = tuple(users[table.first_window(row) :].tolist())
        # Most histories of a catalogue are short and alike.
        if counts not in known:
            known[counts] = trend_class(counts)
        trends.append(known[counts])
    is_cold = np.bincount(events.item, minlength=events.n_items) < COLD_INTERACTIONS
    return pl.DataFrame(
        {schema.ITEM: table.item_ids, "experience": np.where(is_cold, "cold", "warm"), "trend": trends},
        schema_overrides={"trend": pl.String},
    )


def evaluate_by_class(
    ranking: pl.DataFrame,
    *,
    data: Dataset,
    window: Window,
    length: WindowLength,
    method: str,
    k: int = 10,
    seed: int = 0,
    writer: str = "offline",
) -> pl.DataFrame:
    """Judge one list on one window, class by class; for the metrics see ``class_figures``.

    Args:
        ranking: ``item_id, score`` and, for the count metrics, ``expected, low, high``; every catalogue item.
        data: The dataset; its interactions from ``window.start`` on are the truth.
        window: The test window.
        length: Of the windows before it that make an item's trend.
        method: Name for the rows.
        k: Cut-off of the list.
        seed: Seed of the method; also of the bootstrap.
        writer: What wrote the method's texts.

    Returns:
        Columns of ``ROW_SCHEMA``, metrics such as ``HR@10[cold]``; a class without items has none.

    Raises:
        InvalidDataError: If nobody interacts in the window.
    """
    truth = window_truth(data, window=window)
    classes = item_classes(data, at=window.start, length=length)
    labels: dict[str, str | int] = {
        "method": method,
        "dataset": data.name,
        "protocol": window.label,
        "seed": seed,
        "writer": writer,
    }
    figures = {
        f"{metric}[{name}]": figure
        for name, item_ids in _members(classes).items()
        for metric, figure in class_figures(ranking, truth=truth, item_ids=item_ids, k=k, seed=seed).items()
    }
    return labelled_rows(figures, labels)


def class_figures(
    ranking: pl.DataFrame, *, truth: WindowTruth, item_ids: pl.Series, k: int, seed: int = 0
) -> dict[str, Interval]:
    """Figures of one list for some of the catalogue's items.

    - ``HR@K``: share of the users who took one of these items in the window, to whom the list's first K, less what
      they had seen, showed one that they took. NaN with n = 0 if nobody did.
    - ``Share@K``: share of the common list's first K places that these items hold, tied ones in expectation. No
      interval: there is one list.
    - ``MAE, Spearman`` of the counts, over these items, if the list states any.

    Args:
        ranking: ``item_id, score`` and maybe ``expected, low, high``; every catalogue item.
        truth: What happened in the window.
        item_ids: The items in question, at least one.
        k: Cut-off of the list.
        seed: Of the bootstrap.
    """
    taken = truth.pairs.filter(pl.col(schema.ITEM).is_in(item_ids.to_list()))
    hits = Interval(np.nan, np.nan, np.nan, n=0)
    if taken.height:
        hits = bootstrap_mean(hr_at_k(list_positions(ranking, truth=taken, seen=truth.seen), k=k), seed=seed)
    figures = {
        f"HR@{k}": hits,
        f"Share@{k}": Interval(_share_of_places(ranking, item_ids=item_ids, k=k), np.nan, np.nan, n=1),
    }
    if "expected" not in ranking.columns:
        return figures
    own = ranking.filter(pl.col(schema.ITEM).is_in(item_ids.to_list()))
    counted = forecasting.count_metrics(forecasting.align_counts(own, counts=truth.counts), seed=seed)
    return figures | {name: counted[name] for name in ("MAE", "Spearman")}


def _members(classes: pl.DataFrame) -> dict[str, pl.Series]:
    """The items of each class that has any, in the order of ``CLASSES``."""
    members = {
        name: classes.filter((pl.col("experience") == name) | (pl.col("trend") == name))[schema.ITEM]
        for name in CLASSES
    }
    return {name: item_ids for name, item_ids in members.items() if item_ids.len()}


def _share_of_places(ranking: pl.DataFrame, *, item_ids: pl.Series, k: int) -> float:
    """Share of the first ``k`` places (of all, if there are fewer); tied items share those they compete for."""
    better = pl.col(SCORE).rank("min", descending=True).cast(pl.Int64) - 1
    tied = pl.len().over(SCORE).cast(pl.Int64)
    chance = (k - better).clip(0, tied) / tied
    held = ranking.select(schema.ITEM, chance.alias("held")).filter(pl.col(schema.ITEM).is_in(item_ids.to_list()))
    return float(held["held"].sum()) / min(k, ranking.height)
