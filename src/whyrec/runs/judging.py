"""How good are runs? Their methods and settings, fitted anew at the start of every window they are judged on."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength
from whyrec.errors import InvalidConfigError
from whyrec.evaluation.rolling import Ranker, RollingResult, evaluate_rolling, last_windows, refit_each_window
from whyrec.runs.methods import Method, Settings, method_named
from whyrec.runs.run import Run, open_run
from whyrec.runtime.manifest import write_results

DEFAULT_BASELINES = ("last_30_days", "last_14_days", "last_7_days", "last_3_days", "ema", "pare")
"""What everything is compared with unless told otherwise: a second or less per window each, PARE a few."""


def judge_runs(
    directories: Sequence[Path],
    *,
    data_directory: Path | None = None,
    n_windows: int = 3,
    baselines: Sequence[str] = DEFAULT_BASELINES,
    out: Path | None = None,
) -> pl.DataFrame:
    """Open runs and their data, judge them, and write a results file if asked; see ``evaluate_runs``.

    Args:
        directories: What ``fit_run`` wrote; all fitted on the same data.
        data_directory: Where the data lie now; None for where the runs were fitted.
        n_windows: How many windows.
        baselines: Names of ``METHODS``.
        out: A results file, or None.

    Returns:
        Columns of ``ROW_SCHEMA``.

    Raises:
        InvalidDataError: If the data are not what each of the runs was fitted on.
    """
    started = time.perf_counter()
    runs = [open_run(directory) for directory in directories]
    data = runs[0].open_data(data_directory)
    for run in runs:
        run.require_same_data(data, place=data_directory or data.name)
    rows = evaluate_runs(runs, data, n_windows=n_windows, baselines=baselines).rows
    if out is not None:
        config = {
            "dataset": data.describe(),
            "runs": {str(run.directory): {"method": run.method.name, **run.settings.model_dump()} for run in runs},
            "windows": n_windows,
        }
        write_results(out, config=config, wall_time_s=time.perf_counter() - started, rows=rows.to_dicts())
    return rows


def evaluate_runs(
    runs: Sequence[Run], data: Dataset, *, n_windows: int = 3, baselines: Sequence[str] = DEFAULT_BASELINES
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
    settings = runs[0].settings
    for run in runs:
        if run.settings.length != settings.length:
            raise InvalidConfigError(
                f"{run.directory}: expected a run for windows of {settings.window}, as {runs[0].directory} is, "
                f"got one for {run.settings.window}. Judge them apart."
            )
    others = {name: ranker_of(method_named(name), window=settings.window) for name in baselines}
    rankers = _labelled(runs, taken=others) | others
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
    """A list maker of a method as its name stands, for windows of a length."""
    return refit(method, method.settings({"window": window}))


def refit(method: Method, settings: Settings) -> Ranker:
    """A list maker that fits a method anew at every window."""
    return refit_each_window(lambda: method.build(settings))


def _labelled(runs: Sequence[Run], *, taken: Mapping[str, Ranker]) -> dict[str, Ranker]:
    """Runs under their method's label; where it would stand twice, with the directory's name."""
    times = Counter([*taken, *(run.method.label for run in runs)])
    rankers: dict[str, Ranker] = {}
    for run in runs:
        label = run.method.label if times[run.method.label] == 1 else f"{run.method.label}@{run.directory.name}"
        if label in rankers:
            raise InvalidConfigError(
                f"{run.directory}: expected runs of different names, got {run.directory.name!r} twice. "
                "Rename one of the directories."
            )
        rankers[label] = refit(run.method, run.settings)
    return rankers
