"""What a run of a forecaster says at a moment: its list, and why an item stands where it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from whyrec.baselines.zero_shot_llm import ZeroShotForecaster
from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window
from whyrec.errors import InvalidConfigError
from whyrec.llm.usage import Estimate
from whyrec.methods.trail.explained import ExplainedForecast, explanation_record
from whyrec.methods.trail.model import TrailForecaster
from whyrec.methods.trail.offline import OfflineForecaster
from whyrec.methods.trail.offline.explain import explain_forecast
from whyrec.runs.methods import METHODS
from whyrec.runs.run import Run, require_known_moment


def forecast_run(
    run: Run, data: Dataset, *, at: datetime | None = None, k: int = 10
) -> tuple[Window, list[dict[str, object]]]:
    """Rank the items for the window that starts at ``at``; None for the moment that the run was fitted until.

    Returns:
        The window, and ``rank, item_id, title, expected, low, high, score`` of the first ``k`` items.

    Raises:
        InvalidConfigError: If ``at`` is before the moment fitted until or beyond the log, or ``k`` is less than 1.
    """
    moment = _moment(run, data, at)
    titles = data.items.select(schema.ITEM, schema.TITLE)
    ranked = run.load_forecaster().forecast(data, at=moment, k=k)
    ranked = ranked.join(titles, on=schema.ITEM, how="left", maintain_order="left")
    rows = ranked.select("rank", schema.ITEM, schema.TITLE, "expected", "low", "high", "score").to_dicts()
    return run.window_at(moment), rows


def estimate_forecast(run: Run, data: Dataset, *, at: datetime | None = None) -> Estimate:
    """What ``forecast_run`` would ask of a language model; nothing is asked.

    Raises:
        InvalidConfigError: If no language model is asked for a forecast of this run; else as ``forecast_run``.
    """
    if not issubclass(run.method.model, ZeroShotForecaster):
        raise InvalidConfigError(
            f"{run.directory}: expected a run that asks a language model for its forecast, got one of "
            f"{run.method.name}. It costs nothing: leave --dry-run out."
        )
    forecaster = run.load_forecaster()
    assert isinstance(forecaster, ZeroShotForecaster), "a run loads its method's class"
    return forecaster.estimate(data, at=_moment(run, data, at))


@dataclass(frozen=True, slots=True)
class Reasons:
    """Explanations, and how their writing went where a language model wrote them."""

    records: list[dict[str, object]]
    """As ``explanation_record`` makes them."""
    summary: str | None = None


def explain_run(
    run: Run,
    data: Dataset,
    *,
    item_ids: Sequence[str] = (),
    at: datetime | None = None,
    k: int = 10,
    cache: Path | None = None,
) -> Reasons:
    """Explain items at a moment; None for the one that the run was fitted until.

    Args:
        run: A run of TRAIL.
        data: What it was fitted on.
        item_ids: Which items; none for the first ``k`` of the list.
        at: Start of the window.
        k: How many, where no items are named.
        cache: The file of completions, where a language model writes; None keeps nothing.

    Raises:
        UnknownIdError: If an item is not in the catalogue.
        InvalidConfigError: If the run's method states no reasons, or ``at`` is not valid.
    """
    explained, summary = explained_forecast(run, data, item_ids=item_ids, at=at, k=k, cache=cache)
    return Reasons([explanation_record(item) for item in explained.items], summary)


def explained_forecast(
    run: Run,
    data: Dataset,
    *,
    item_ids: Sequence[str] = (),
    at: datetime | None = None,
    k: int = 10,
    cache: Path | None = None,
) -> tuple[ExplainedForecast, str | None]:
    """The whole forecast with some of its items explained, as ``explain_run`` tells of.

    Returns:
        The forecast, and what it cost where a language model wrote.

    Raises:
        UnknownIdError: If an item is not in the catalogue.
        InvalidConfigError: If the run's method states no reasons, or ``at`` is not valid.
    """
    forecaster = _explaining(run)
    chosen = list(dict.fromkeys(item_ids)) or None
    moment = _moment(run, data, at)
    if isinstance(forecaster, OfflineForecaster):
        return explain_forecast(forecaster, data, at=moment, item_ids=chosen, k=k), None
    told = forecaster.explain(data, at=moment, item_ids=chosen, k=k, cache=cache)
    return told.forecast, told.counts.summary()


def estimate_reasons(
    run: Run,
    data: Dataset,
    *,
    item_ids: Sequence[str] = (),
    at: datetime | None = None,
    k: int = 10,
    cache: Path | None = None,
) -> Estimate:
    """What ``explain_run`` would ask of a language model; nothing is written.

    Raises:
        InvalidConfigError: If no language model writes in this run; else as ``explain_run``.
    """
    forecaster = None if run.method.explains_lists else _explaining(run)
    if forecaster is None or isinstance(forecaster, OfflineForecaster):
        raise InvalidConfigError(
            f"{run.directory}: expected a run with a language model, got one whose reasons are written without. "
            "They cost nothing: leave --dry-run out."
        )
    chosen = list(dict.fromkeys(item_ids)) or None
    return forecaster.estimate(data, at=_moment(run, data, at), item_ids=chosen, k=k, cache=cache)


def _explaining(run: Run) -> OfflineForecaster | TrailForecaster:
    if run.method.explains_lists:
        raise InvalidConfigError(
            f"{run.directory}: expected --user for a run of {run.method.name}, whose lists are personal, got none. "
            "Name a user."
        )
    if not run.method.explains_forecasts:
        names = ", ".join(it for it, method in METHODS.items() if method.explains_forecasts or method.explains_lists)
        raise InvalidConfigError(
            f"{run.directory}: expected a run of {names}, got one of {run.method.name}, which states no reasons. Fit "
            "another."
        )
    forecaster = run.load_forecaster()
    assert isinstance(forecaster, OfflineForecaster | TrailForecaster), "a run loads its method's class"
    return forecaster


def _moment(run: Run, data: Dataset, at: datetime | None) -> datetime:
    if at is None:
        return run.until
    require_known_moment(data, at, what="--at")
    return at
