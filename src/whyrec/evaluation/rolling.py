"""Judge lists for everybody, window after window, in the project's one row format.

Knows no method: a method is a name and a function that makes a list from what was known at a moment. That function
gets a dataset that ends at the moment, so it cannot look ahead whatever it does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength, users_per_item
from whyrec.errors import InvalidDataError
from whyrec.evaluation import forecasting
from whyrec.evaluation.positions import SCORE, list_positions
from whyrec.evaluation.ranking import jaccard_at_k, metrics_per_user
from whyrec.evaluation.references import chance_ranking, count_oracle, greedy_coverage_oracle
from whyrec.evaluation.significance import Interval, Statistic, bootstrap_statistics, mean_of, ratio_of
from whyrec.interfaces import Forecaster
from whyrec.runtime.progress import progress_bar

ROW_SCHEMA = {
    "method": pl.String,
    "dataset": pl.String,
    "protocol": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "seed": pl.Int64,
    "writer": pl.String,
}
"""One figure per row; ``[low, high]`` is a 95% bootstrap interval, null where none is defined."""

METRICS = ("HR@5", "HR@10", "NDCG@5", "NDCG@10", "NDCG_div@10")
CHANCE, ORACLE, GREEDY_ORACLE = "chance", "oracle", "greedy_coverage_oracle"
_JACCARD_K = 10

Ranker = Callable[[Dataset, datetime], pl.DataFrame]
"""Makes a list (``FORECAST_SCHEMA``, all items) for the window that starts at the moment where the dataset ends."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowTruth:
    """What happened in one test window: the same for every method that is judged on it."""

    dataset: str
    window: Window
    item_ids: pl.Series
    pairs: pl.DataFrame
    """Distinct ``user_id, item_id`` of the window; its users are the evaluated ones."""
    seen: pl.DataFrame
    """Distinct ``user_id, item_id`` of these users before it."""
    counts: pl.DataFrame
    """``item_id, users`` of the window."""


def window_truth(data: Dataset, *, window: Window) -> WindowTruth:
    """Collect what evaluation needs to know of one window.

    Raises:
        InvalidDataError: If nobody interacts in the window.
    """
    pairs = data.between(window.start, window.end).select(schema.USER, schema.ITEM).unique().collect()
    if pairs.is_empty():
        raise InvalidDataError(
            f"{data.name}: expected interactions in {window.label}, got none. Choose another window."
        )
    users = pairs.select(schema.USER).unique().lazy()
    seen = data.before(window.start).select(schema.USER, schema.ITEM).join(users, on=schema.USER, how="semi").unique()
    return WindowTruth(
        dataset=data.name,
        window=window,
        item_ids=data.items[schema.ITEM],
        pairs=pairs,
        seen=seen.collect(engine="streaming"),
        counts=users_per_item(data.interactions, window),
    )


def last_windows(data: Dataset, *, length: WindowLength, n: int) -> list[Window]:
    """The last ``n`` windows that the log covers from end to end, oldest first.

    Raises:
        InvalidDataError: If the log covers fewer than ``n + 1``: the first needs a past.
    """
    windows = length.full_windows(*data.time_range)
    if len(windows) <= n:
        raise InvalidDataError(
            f"{data.name}: expected at least {n + 1} full windows of {length}, got {len(windows)}. "
            "Use fewer or shorter windows."
        )
    return windows[-n:]


def refit_each_window(make: Callable[[], Forecaster]) -> Ranker:
    """A ranker that builds, fits and asks a forecaster anew at every window."""

    def rank(data: Dataset, at: datetime) -> pl.DataFrame:
        return make().fit(data, until=at).forecast(data, at=at)

    return rank


def reference_lists(truth: WindowTruth) -> dict[str, pl.DataFrame]:
    """Chance and the two oracles as lists: the rows that every table has."""
    return {
        CHANCE: chance_ranking(truth.item_ids),
        ORACLE: count_oracle(truth.item_ids, truth=truth.pairs),
        GREEDY_ORACLE: greedy_coverage_oracle(truth.item_ids, truth=truth.pairs, seen=truth.seen),
    }


def per_user_metrics(ranking: pl.DataFrame, *, truth: WindowTruth, metrics: Sequence[str] = METRICS) -> pl.DataFrame:
    """Metrics of one list for each user of the window, seen items removed per user.

    Returns:
        ``user_id`` (sorted) and one column per metric.

    Raises:
        InvalidDataError: If the list does not hold exactly the catalogue.
    """
    unlisted = len(set(truth.item_ids) ^ set(ranking[schema.ITEM]))
    if unlisted:
        raise InvalidDataError(
            f"ranking: expected exactly the {truth.item_ids.len()} catalogue items, got {ranking.height} rows, "
            f"{unlisted} items in only one of the two. Forecast with k=None."
        )
    return metrics_per_user(list_positions(ranking, truth=truth.pairs, seen=truth.seen), metrics=metrics)


def evaluate_forecast(
    ranking: pl.DataFrame,
    *,
    data: Dataset,
    window: Window,
    method: str,
    seed: int = 0,
    writer: str = "offline",
) -> pl.DataFrame:
    """Judge one list on one window.

    Args:
        ranking: ``item_id, score`` and, for the count metrics, ``expected, low, high``; every catalogue item.
        data: The dataset; its interactions from ``window.start`` on are the truth.
        window: The test window. Evaluated are all users with at least one interaction in it.
        method: Name for the rows.
        seed: Seed of the method; also of the bootstrap.
        writer: What wrote the method's texts.

    Returns:
        Columns of ``ROW_SCHEMA``.
    """
    truth = window_truth(data, window=window)
    values = per_user_metrics(ranking, truth=truth)
    labels: dict[str, str | int] = {"method": method, "dataset": data.name, "seed": seed, "writer": writer}
    figures = _user_figures(values, seed=seed) | list_figures(ranking, truth=truth, seed=seed)
    return labelled_rows(figures, {**labels, "protocol": window.label})


@dataclass(frozen=True, slots=True)
class RollingResult:
    """A table, and the values behind it for paired comparisons."""

    rows: pl.DataFrame
    """Columns of ``ROW_SCHEMA``: each window, then the mean of all; ``HR@10/oracle`` is a share of the oracle's."""
    per_user: pl.DataFrame
    """``method, dataset, window, user_id`` and one column per metric, in the same order of users for every method."""


def evaluate_rolling(
    data: Dataset,
    *,
    windows: Sequence[Window],
    rankers: Mapping[str, Ranker],
    seed: int = 0,
    writers: Mapping[str, str] | None = None,
) -> RollingResult:
    """Judge several methods on several windows, beside chance and the oracles.

    Args:
        data: The dataset.
        windows: Test windows, oldest first.
        rankers: A list maker per method name; each is called once per window with the dataset cut at its start.
        seed: Seed of the bootstrap, and what the rows say.
        writers: Writer per method name where it is not ``offline``.
    """
    figures: list[tuple[str, str, dict[str, Interval]]] = []
    judged: list[pl.DataFrame] = []
    with progress_bar("Judging", total=len(windows) * len(rankers)) as step:
        for window in windows:
            truth = window_truth(data, window=window)
            past = replace(data, interactions=data.before(window.start))
            lists = reference_lists(truth)
            for method, rank in rankers.items():
                step.describe(f"{method}, {window.label}")
                lists[method] = rank(past, window.start)
                step.advance()
            for method, ranking in lists.items():
                judged.append(_labelled(per_user_metrics(ranking, truth=truth), method=method, truth=truth))
                figures.append((window.label, method, list_figures(ranking, truth=truth, seed=seed)))
    per_user = pl.concat(judged)
    for window in windows:
        figures += _shared_draw(per_user.filter(pl.col("window") == window.label), protocol=window.label, seed=seed)
    mean_of_all = f"mean of {len(windows)} windows to {windows[-1].end:%Y-%m-%d}"
    figures += _shared_draw(per_user, protocol=mean_of_all, seed=seed)
    rows = [
        labelled_rows(named, _labels(data, method, protocol=protocol, seed=seed, writers=writers))
        for protocol, method, named in figures
    ]
    order = {protocol: place for place, protocol in enumerate([*(w.label for w in windows), mean_of_all])}
    table = pl.concat(rows).sort(pl.col("protocol").replace_strict(order), maintain_order=True)
    return RollingResult(rows=table, per_user=per_user)


def list_figures(ranking: pl.DataFrame, *, truth: WindowTruth, seed: int = 0) -> dict[str, Interval]:
    """Figures that are not means over users: overlap of the top 10, and errors of the counts if the list states any.

    Jaccard@10 is one number per list and window: it has no interval.
    """
    figures: dict[str, Interval] = {}
    if ranking.height >= _JACCARD_K:
        oracle = count_oracle(truth.item_ids, truth=truth.pairs)
        overlap = jaccard_at_k(ranking.select(schema.ITEM, SCORE), truth=oracle, k=_JACCARD_K)
        figures[f"Jaccard@{_JACCARD_K}"] = Interval(overlap, np.nan, np.nan, n=1)
    if "expected" not in ranking.columns:
        return figures
    whole = forecasting.align_counts(ranking, counts=truth.counts)
    active = forecasting.align_counts(ranking, counts=truth.counts, population="active")
    figures |= forecasting.count_metrics(whole, seed=seed)
    return figures | {f"{name}[active]": it for name, it in forecasting.count_metrics(active, seed=seed).items()}


def paired_strata(per_user: pl.DataFrame, *, methods: Sequence[str], metric: str) -> list[NDArray[np.float64]]:
    """One array ``[users methods]`` per dataset and window, for ``bootstrap_statistic``.

    Raises:
        InvalidDataError: If a method was not judged on the same users as the others.
    """
    strata = []
    for _, frame in sorted(per_user.partition_by("dataset", "window", as_dict=True).items()):
        columns = [frame.filter(pl.col("method") == method).sort(schema.USER) for method in methods]
        for method, column in zip(methods, columns, strict=True):
            if not column[schema.USER].equals(columns[0][schema.USER]):
                raise InvalidDataError(
                    f"per_user: expected the same users for {methods[0]!r} and {method!r}, "
                    f"got {columns[0].height} and {column.height}. Judge both on the same windows."
                )
        strata.append(np.stack([column[metric].to_numpy() for column in columns], axis=1))
    return strata


def _labelled(values: pl.DataFrame, *, method: str, truth: WindowTruth) -> pl.DataFrame:
    labels = {"method": method, "dataset": truth.dataset, "window": truth.window.label}
    return values.select(*(pl.lit(text).alias(name) for name, text in labels.items()), pl.all())


def _user_figures(values: pl.DataFrame, *, seed: int) -> dict[str, Interval]:
    metrics = values.columns[1:]
    return bootstrap_statistics(
        [values.select(metrics).to_numpy()],
        statistics={name: mean_of(column) for column, name in enumerate(metrics)},
        seed=seed,
    )


def _shared_draw(per_user: pl.DataFrame, *, protocol: str, seed: int) -> list[tuple[str, str, dict[str, Interval]]]:
    """Means and shares of the oracle for all methods and metrics, from one set of resamples: a column each."""
    methods = per_user["method"].unique(maintain_order=True).to_list()
    by_metric = [paired_strata(per_user, methods=methods, metric=metric) for metric in METRICS]
    strata = [np.concatenate(columns, axis=1) for columns in zip(*by_metric, strict=True)]
    statistics: dict[str, Statistic] = {}
    for m, metric in enumerate(METRICS):
        oracle = m * len(methods) + methods.index(ORACLE)
        for column, method in enumerate(methods, start=m * len(methods)):
            statistics[f"{method} {metric}"] = mean_of(column)
            statistics[f"{method} {metric}/oracle"] = ratio_of(column, oracle)
    figures = bootstrap_statistics(strata, statistics=statistics, seed=seed)
    names = [name for metric in METRICS for name in (metric, f"{metric}/oracle")]
    return [(protocol, method, {name: figures[f"{method} {name}"] for name in names}) for method in methods]


def _labels(
    data: Dataset, method: str, *, protocol: str, seed: int, writers: Mapping[str, str] | None
) -> dict[str, str | int]:
    writer = (writers or {}).get(method, "offline")
    return {"method": method, "dataset": data.name, "protocol": protocol, "seed": seed, "writer": writer}


def labelled_rows(figures: Mapping[str, Interval], labels: Mapping[str, str | int]) -> pl.DataFrame:
    """Figures as rows of ``ROW_SCHEMA``; what is not a number is null."""
    records = [
        {**labels, "metric": metric, "value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n}
        for metric, figure in figures.items()
    ]
    return pl.DataFrame(records, schema=ROW_SCHEMA).with_columns(pl.col("value", "low", "high").fill_nan(None))
