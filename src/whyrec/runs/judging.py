"""How good are forecasters? Their methods and settings, fitted anew at the start of every window judged on."""

import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from pydantic import BaseModel

from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength
from whyrec.errors import InvalidConfigError
from whyrec.evaluation.rolling import Ranker, RollingResult, evaluate_rolling, last_windows, refit_each_window
from whyrec.runs.judging_lists import DEFAULT_RECOMMENDERS, evaluate_recommenders
from whyrec.runs.labels import labelled
from whyrec.runs.methods import Method, method_named, window_settings
from whyrec.runs.run import Run, open_run
from whyrec.runtime.manifest import write_results

DEFAULT_BASELINES = ("last_30_days", "last_14_days", "last_7_days", "last_3_days", "ema", "pare")
"""What every forecaster is compared with unless told otherwise: a second or less per window each, PARE a few."""
_DEFAULT_WINDOWS = 3


def judge_runs(
    directories: Sequence[Path],
    *,
    data_directory: Path | None = None,
    n_windows: int | None = None,
    baselines: Sequence[str] | None = None,
    out: Path | None = None,
) -> pl.DataFrame:
    """Open runs and their data, judge them, and write a results file if asked.

    Forecasters are judged by ``evaluate_runs``, recommenders by ``evaluate_recommenders``.

    Args:
        directories: What ``fit_run`` wrote; all fitted on the same data.
        data_directory: Where the data lie now; None for where the runs were fitted.
        n_windows: How many windows forecasters are judged on; None for three.
        baselines: Names of ``METHODS``; None for ``DEFAULT_BASELINES`` or ``DEFAULT_RECOMMENDERS``.
        out: A results file, or None.

    Returns:
        Columns of ``ROW_SCHEMA``.

    Raises:
        InvalidDataError: If the data are not what each of the runs was fitted on.
        InvalidConfigError: If forecasters and recommenders are mixed, or recommenders are given windows.
    """
    started = time.perf_counter()
    runs = [open_run(directory) for directory in directories]
    data = runs[0].open_data(data_directory)
    for run in runs:
        run.require_same_data(data, place=data_directory or data.name)
    config: dict[str, object] = {
        "dataset": data.describe(),
        "runs": {
            str(run.directory): {"method": run.method.name, **run.settings.model_dump(mode="json")} for run in runs
        },
    }
    if _all_recommend(runs):
        if n_windows is not None:
            raise InvalidConfigError(
                f"windows: expected none for recommenders, which are judged on all that comes after their fit, "
                f"got {n_windows}. Leave it out."
            )
        config["until"] = runs[0].until.isoformat()
        rows = evaluate_recommenders(runs, data, baselines=DEFAULT_RECOMMENDERS if baselines is None else baselines)
    else:
        config["windows"] = n = _DEFAULT_WINDOWS if n_windows is None else n_windows
        others = DEFAULT_BASELINES if baselines is None else baselines
        rows = evaluate_runs(runs, data, n_windows=n, baselines=others).rows
    if out is not None:
        write_results(out, config=config, wall_time_s=time.perf_counter() - started, rows=rows.to_dicts())
    return rows


def evaluate_runs(
    runs: Sequence[Run],
    data: Dataset,
    *,
    n_windows: int = _DEFAULT_WINDOWS,
    baselines: Sequence[str] = DEFAULT_BASELINES,
) -> RollingResult:
    """Judge runs on the last full windows of the log, beside baselines, chance and the oracles.

    A run as it stands may have learned from the tested windows; so its method is fitted anew, with its settings, on
    what came before each of them.

    Args:
        runs: At least one, all for windows of one length.
        data: What the runs were fitted on.
        n_windows: How many windows.
        baselines: Names of ``METHODS``.

    Raises:
        InvalidConfigError: If ``n_windows`` is less than 1, the runs' windows differ, or there is no such baseline.
    """
    settings = window_settings(runs[0].settings)
    for run in runs:
        other = window_settings(run.settings)
        if other.length != settings.length:
            raise InvalidConfigError(
                f"{run.directory}: expected a run for windows of {settings.window}, as {runs[0].directory} is, "
                f"got one for {other.window}. Judge them apart."
            )
    others = {name: ranker_of(method_named(name), window=settings.window) for name in baselines}
    ours = {label: refit(run.method, run.settings) for label, run in labelled(runs, taken=others).items()}
    rankers = ours | others
    windows = tested_windows(data, length=settings.length, n=n_windows)
    return evaluate_rolling(data, windows=windows, rankers=rankers)


def tested_windows(data: Dataset, *, length: WindowLength, n: int) -> list[Window]:
    """The last ``n`` full windows of the log, oldest first.

    Raises:
        InvalidConfigError: If ``n`` is less than 1.
        InvalidDataError: If the log is too short for them and a past.
    """
    if n < 1:
        raise InvalidConfigError(f"windows: expected a number of at least 1, got {n}. Choose more.")
    return last_windows(data, length=length, n=n)


def ranker_of(method: Method, *, window: str) -> Ranker:
    """A list maker of a method as its name stands, for windows of a length.

    Raises:
        InvalidConfigError: If the method is a recommender.
    """
    if method.is_recommender:
        method.forecaster(method.settings({}))  # refuses it
    return refit(method, method.settings({"window": window}))


def refit(method: Method, settings: BaseModel) -> Ranker:
    """A list maker that fits a method anew at every window."""
    return refit_each_window(lambda: method.forecaster(settings))


def _all_recommend(runs: Sequence[Run]) -> bool:
    first = runs[0]
    for run in runs:
        if run.method.is_recommender is not first.method.is_recommender:
            what = "recommender" if first.method.is_recommender else "forecaster"
            raise InvalidConfigError(
                f"{run.directory}: expected a run of a {what}, as {first.directory} is, got one of {run.method.name}. "
                "Judge them apart."
            )
    return first.method.is_recommender
