"""The whole pipeline on one data set, offline: judge, forecast the coming window, recommend, say why, check, report."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.data.parquet_files import write_frame
from whyrec.data.windows import day_after
from whyrec.errors import InvalidDataError
from whyrec.evaluation.rolling import RollingResult, evaluate_rolling
from whyrec.forecasts import require_positive_k
from whyrec.methods.trail.explained import ExplainedForecast, explanation_record
from whyrec.methods.trail.offline import OfflineConfig, OfflineForecaster
from whyrec.methods.trail.offline.explain import explain_forecast
from whyrec.methods.trail.wording import window_phrase
from whyrec.runs.judging import DEFAULT_BASELINES, ranker_of, refit, tested_windows
from whyrec.runs.methods import method_named
from whyrec.runtime.manifest import write_results
from whyrec.serving.demo_folder import (
    EVALUATION,
    EXPLANATIONS,
    FORECAST,
    PERSONAL,
    REPORT,
    replacing,
    require_replaceable,
)
from whyrec.serving.demo_people import dense_part, lists_for_people
from whyrec.serving.report import ReportContent, ReportItem, ReportPerson, write_report

METHOD = "trail"
_PERSONAL_K = 5
"""The longest list of a single person: each place takes a paragraph."""


@dataclass(frozen=True, slots=True, eq=False)
class DemoResult:
    """What a demo shows, and where the rest lies."""

    forecast: ExplainedForecast
    evaluation: pl.DataFrame
    """Columns of ``ROW_SCHEMA``."""
    people: tuple[ReportPerson, ...]
    """Some people with lists of their own; none where the log is too small."""
    report: Path


def run_demo(
    data: Dataset,
    *,
    out: Path,
    k: int = 10,
    n_windows: int = 3,
    n_people: int = 3,
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
        n_people: People to whom lists of their own are made; 0 makes none.
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
    people = _people(data, at=at, k=min(k, _PERSONAL_K), n_people=n_people, tell=tell)
    with replacing(out) as staged:
        _write_forecast(staged, data, forecast=forecast, evaluation=judged.rows, people=people)
        config = {"dataset": data.describe(), "settings": settings.model_dump(), "windows": n_windows}
        rows = judged.rows.to_dicts()
        write_results(staged / EVALUATION, config=config, wall_time_s=time.perf_counter() - started, rows=rows)
    return DemoResult(forecast=forecast, evaluation=judged.rows, people=people, report=out / REPORT)


def _judge(data: Dataset, *, settings: OfflineConfig, n_windows: int, baselines: Sequence[str]) -> RollingResult:
    ours = method_named(METHOD)
    rankers = {name: ranker_of(method_named(name), window=settings.window) for name in baselines}
    windows = tested_windows(data, length=settings.length, n=n_windows)
    return evaluate_rolling(data, windows=windows, rankers={ours.label: refit(ours, settings), **rankers})


def _people(
    data: Dataset, *, at: datetime, k: int, n_people: int, tell: Callable[[str], None]
) -> tuple[ReportPerson, ...]:
    """Make lists for some people; none where too few users or items come often enough."""
    if n_people == 0:
        return ()
    try:
        part = dense_part(data)
    except InvalidDataError:
        tell("Too little happens in the log for lists of single people, so there are none.")
        return ()
    tell(f"Learning single people's interests from {part.items.height:,} items that came up often enough ...")
    return lists_for_people(part, until=at, k=k, n_people=n_people)


def _write_lines(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    lines = (f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    path.write_text("".join(lines), encoding="utf-8")


def _write_forecast(
    directory: Path,
    data: Dataset,
    *,
    forecast: ExplainedForecast,
    evaluation: pl.DataFrame,
    people: tuple[ReportPerson, ...],
) -> None:
    _write_lines(directory / EXPLANATIONS, map(explanation_record, forecast.items))
    _write_lines(directory / PERSONAL, (item.record() for person in people for item in person.items))
    write_frame(forecast.ranking, directory / FORECAST)
    content = ReportContent(
        title=f"What comes next in {data.name}: {window_phrase(forecast.window)}",
        dataset=data.describe(),
        window=forecast.window,
        forecaster=method_named(METHOD).label,
        items=tuple(ReportItem(it.facts, it.point, it.explanation, it.drivers) for it in forecast.items),
        evaluation=evaluation,
        people=people,
    )
    write_report(directory / REPORT, content=content)
