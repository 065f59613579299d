"""Who forecasts the next hits best? Every forecaster on the same windows, beside chance and the oracles.

Each forecaster is fitted anew at every window on what came before it. The recency baseline to beat is the one that
was best on the windows before the tested ones, as a user would have chosen it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.baselines.registry import BASELINES
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength
from whyrec.evaluation.rolling import ORACLE, Ranker, evaluate_rolling, paired_strata
from whyrec.evaluation.significance import Interval, averaged_over, bootstrap_statistics, ratio_of
from whyrec.runs import method_named
from whyrec.runs.judging import ranker_of

OURS = "trail_offline"
RECENCY = ("last_30_days", "last_14_days", "last_7_days", "last_3_days", "half_life", "ema", "last_window", "all_time")
METRIC = "HR@10"


def forecast_rankers(window: str, *, baselines: Sequence[str] = tuple(BASELINES)) -> dict[str, Ranker]:
    """List makers by method name: ours, and the named baselines.

    Args:
        window: Length of the window to forecast, ``month`` or ``30d``.
        baselines: Names of ``BASELINES``.
    """
    ours = method_named("trail")
    return {
        ours.label: ranker_of(ours, window=window),
        **{name: ranker_of(method_named(name), window=window) for name in baselines},
    }


def windows_before(data: Dataset, *, tested: Sequence[Window], length: WindowLength, n: int) -> list[Window]:
    """The last ``n`` windows that end at or before the first tested one begins."""
    earlier = [w for w in length.full_windows(*data.time_range) if w.end <= tested[0].start]
    return earlier[-n:]


def best_recency(data: Dataset, *, tested: Sequence[Window], length: WindowLength, n: int = 3) -> str:
    """The recency baseline with the best mean HR@10 on the ``n`` windows before the tested ones."""
    windows = windows_before(data, tested=tested, length=length, n=n)
    rankers = {name: ranker_of(method_named(name), window=str(length)) for name in RECENCY}
    per_user = evaluate_rolling(data, windows=windows, rankers=rankers).per_user
    means = (
        per_user.group_by("method", "window").agg(pl.col(METRIC).mean()).group_by("method").agg(pl.col(METRIC).mean())
    )
    hit_rate = dict(means.iter_rows())
    return max(RECENCY, key=lambda name: hit_rate[name])


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours beside the recency baseline chosen per data set, each as a share of the count oracle's HR@10."""

    ours: Interval
    baseline: Interval
    difference: Interval


def compare_with_recency(
    per_user: Mapping[str, pl.DataFrame], *, chosen: Mapping[str, str], seed: int = 0
) -> Comparison:
    """Average the share of the oracle over data sets, ours against each data set's chosen baseline.

    Args:
        per_user: By data set, ``RollingResult.per_user`` of the tested windows.
        chosen: By data set, the baseline to beat.
        seed: Seed of the bootstrap: users are drawn within each window, the same for both.
    """
    strata: list[NDArray[np.float64]] = []
    groups: list[range] = []
    for name, judged in per_user.items():
        parts = paired_strata(judged, methods=[OURS, chosen[name], ORACLE], metric=METRIC)
        groups.append(range(len(strata), len(strata) + len(parts)))
        strata.extend(parts)
    ours, baseline = averaged_over(groups, ratio_of(0, 2)), averaged_over(groups, ratio_of(1, 2))
    found = bootstrap_statistics(
        strata,
        statistics={"ours": ours, "baseline": baseline, "difference": lambda means: ours(means) - baseline(means)},
        seed=seed,
    )
    return Comparison(found["ours"], found["baseline"], found["difference"])
