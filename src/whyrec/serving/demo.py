"""The whole pipeline on one data set, offline: judge, fit, forecast the coming window, say why, verify, report."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.data.parquet_files import write_frame
from whyrec.data.windows import day_after
from whyrec.evaluation.rolling import RollingResult, evaluate_rolling
from whyrec.forecasts import require_positive_k
from whyrec.methods.trail.explained import ExplainedForecast, explanation_record
from whyrec.methods.trail.offline import OfflineConfig, OfflineForecaster
from whyrec.methods.trail.offline.explain import explain_forecast
from whyrec.methods.trail.wording import window_phrase
from whyrec.runs.judging import DEFAULT_BASELINES, ranker_of, refit, tested_windows
from whyrec.runs.methods import method_named
from whyrec.runtime.manifest import write_results
from whyrec.serving.demo_folder import EVALUATION, EXPLANATIONS, FORECAST, REPORT, replacing, require_replaceable
from whyrec.serving.report import ReportContent, ReportItem, write_report

METHOD = "trail"


@dataclass(frozen=True, slots=True, eq=False)
class DemoResult:
    """What a demo shows, and where the rest lies."""

    forecast: ExplainedForecast
    evaluation: pl.DataFrame
    """Columns of ``ROW_SCHEMA``."""
    report: Path


def run_demo(
    data: Dataset,
    *,
    out: Path,
    k: int = 10,
    n_windows: int = 3,
    baselines: Sequence[str] = DEFAULT_BASELINES,
    options: Mapping[str, object] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> DemoResult:
    """Judge on the last windows, then forecast and explain the one to come; write the results into a directory.

    Args:
        data: The dataset. The coming window begins at the first UTC midnight after its last event.
        out: The directory to create; one that an earlier demo wrote is replaced once the new one is complete.
        k: Length of the list to explain.
        n_windows: Windows to judge on.
        baselines: What to compare with.
        options: Settings of the forecaster; its defaults stand for the rest.
        tell: Is told what happens next, in a few words.

    Raises:
        OutputExistsError: If ``out`` holds anything else.
        InvalidConfigError: If ``k``, ``n_windows``, a baseline or a setting is not valid.
    """
    require_replaceable(out)
    require_positive_k(k)
    settings = OfflineConfig.model_validate(method_named(METHOD).settings(options or {}).model_dump())
    started = time.perf_counter()
    tell(f"Judging on the last {n_windows} full windows of {data.name}, each forecast from what came before it ...")
    judged = _judge(data, settings=settings, n_windows=n_windows, baselines=baselines)
    tell("Learning from the whole log ...")
    at = day_after(data.time_range[1])
    forecaster = OfflineForecaster(settings).fit(data, until=at)
    tell("Forecasting, explaining and checking every claim ...")
    forecast = explain_forecast(forecaster, data, at=at, k=k)
    with replacing(out) as staged:
        _write_forecast(staged, data, forecast=forecast, evaluation=judged.rows)
        config = {"dataset": data.describe(), "settings": settings.model_dump(), "windows": n_windows}
        rows = judged.rows.to_dicts()
        write_results(staged / EVALUATION, config=config, wall_time_s=time.perf_counter() - started, rows=rows)
    return DemoResult(forecast=forecast, evaluation=judged.rows, report=out / REPORT)


def _judge(data: Dataset, *, settings: OfflineConfig, n_windows: int, baselines: Sequence[str]) -> RollingResult:
    ours = method_named(METHOD)
    rankers = {name: ranker_of(method_named(name), window=settings.window) for name in baselines}
    windows = tested_windows(data, length=settings.length, n=n_windows)
    return evaluate_rolling(data, windows=windows, rankers={ours.label: refit(ours, settings), **rankers})


def _write_forecast(directory: Path, data: Dataset, *, forecast: ExplainedForecast, evaluation: pl.DataFrame) -> None:
    records = [json.dumps(explanation_record(item), ensure_ascii=False) for item in forecast.items]
    (directory / EXPLANATIONS).write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
    write_frame(forecast.ranking, directory / FORECAST)
    content = ReportContent(
        title=f"What comes next in {data.name}: {window_phrase(forecast.window)}",
        dataset=data.describe(),
        window=forecast.window,
        forecaster=method_named(METHOD).label,
        items=tuple(ReportItem(it.facts, it.point, it.explanation, it.drivers) for it in forecast.items),
        evaluation=evaluation,
    )
    write_report(directory / REPORT, content=content)
