"""What a run says at a moment: its list or users' lists, and why an item stands where it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from whyrec.baselines.zero_shot_llm import ZeroShotForecaster
from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import read_histories
from whyrec.data.windows import Window
from whyrec.errors import InvalidConfigError
from whyrec.llm.usage import Estimate
from whyrec.methods.curec.explaining import recommendation_record
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.guided.explaining import explained_record
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.trail.explained import explanation_record
from whyrec.methods.trail.model import TrailForecaster
from whyrec.methods.trail.offline import OfflineForecaster
from whyrec.methods.trail.offline.explain import explain_forecast
from whyrec.runs.methods import METHODS
from whyrec.runs.run import Run, require_known_moment

_PERSONAL = (CURecRecommender, GuidedRecommender)
"""Recommenders that state reasons."""


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
class UserLists:
    """Recommendations, and for whom they are not personal."""

    rows: list[dict[str, object]]
    """``user_id, rank, item_id, title, score``, users in the order asked for."""
    unknown: tuple[str, ...]
    """Users without a history: they got the most popular items."""


def recommend_run(
    run: Run, data: Dataset, *, user_ids: Sequence[str], at: datetime | None = None, k: int = 10
) -> UserLists:
    """Rank items for users; what they have had is left out.

    Args:
        run: A run of a recommender.
        data: What it was fitted on.
        user_ids: Whom for; a user who stands twice gets one list.
        at: Only interactions strictly before it are read; None reads all.
        k: Length of a list.

    Raises:
        InvalidConfigError: If the run is one of a forecaster, ``at`` is before the moment fitted until or beyond the
            log, or ``k`` is less than 1.
    """
    recommender = run.load_recommender()
    _require_later(run, data, at)
    asked = list(dict.fromkeys(user_ids))
    lists = recommender.recommend(data, user_ids=asked, k=k, at=at)
    titles = data.items.select(schema.ITEM, schema.TITLE)
    titled = lists.join(titles, on=schema.ITEM, how="left", maintain_order="left")
    histories = read_histories(
        data, item_ids=recommender.item_ids_, cutoff=at, user_ids=pl.Series(asked, dtype=pl.String)
    )
    unknown = np.flatnonzero(~recommender.can_rank(histories))
    rows = titled.select(schema.USER, "rank", schema.ITEM, schema.TITLE, "score").to_dicts()
    return UserLists(rows, tuple(asked[row] for row in unknown))


def _require_later(run: Run, data: Dataset, at: datetime | None) -> None:
    """Refuse a moment that the run has learned from, or beyond the log."""
    if at is None:
        return
    require_known_moment(data, at, what="--at")
    if at < run.until:
        raise InvalidConfigError(
            f"--at: expected a moment from {run.until.isoformat()} on (the run has learned from what came before), "
            f"got {at.isoformat()}. Fit with an earlier --until."
        )


@dataclass(frozen=True, slots=True)
class Reasons:
    """Explanations, and how their writing went where a language model wrote them."""

    records: list[dict[str, object]]
    """As ``explanation_record`` makes them; of recommenders ``recommendation_record`` or ``explained_record``."""
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
    forecaster = _explaining(run)
    chosen = list(dict.fromkeys(item_ids)) or None
    moment = _moment(run, data, at)
    if isinstance(forecaster, OfflineForecaster):
        explained = explain_forecast(forecaster, data, at=moment, item_ids=chosen, k=k)
        return Reasons([explanation_record(item) for item in explained.items])
    told = forecaster.explain(data, at=moment, item_ids=chosen, k=k, cache=cache)
    return Reasons([explanation_record(item) for item in told.forecast.items], told.counts.summary())


def explain_list_run(
    run: Run,
    data: Dataset,
    *,
    user_id: str,
    item_ids: Sequence[str] = (),
    at: datetime | None = None,
    k: int = 10,
) -> Reasons:
    """Explain items of a user's list; no language model is asked.

    Args:
        run: A run of CURec, or of guided embedding refinement.
        data: What it was fitted on.
        user_id: Whom for; to somebody unknown it is said that the list is of popular items.
        item_ids: Which items; none for the first ``k`` of the list.
        at: Only interactions strictly before it are read; None reads all.
        k: How many, where no items are named.

    Raises:
        UnknownIdError: If an item is not in the catalogue.
        InvalidConfigError: If the run's method states no reasons to users, or ``at`` is not valid.
    """
    if not issubclass(run.method.model, _PERSONAL):
        what = f"{run.method.name}, which states no reasons to users"
        raise InvalidConfigError(
            f"{run.directory}: expected a run of {_explaining_names(*_PERSONAL)} for --user, got one of {what}. "
            "Leave --user out, or fit another."
        )
    _require_later(run, data, at)
    recommender = run.load_recommender()
    if isinstance(recommender, GuidedRecommender):
        parts = recommender.explain_list(data, user_id=user_id, item_ids=list(item_ids) or None, k=k, at=at)
        return Reasons([explained_record(item) for item in parts])
    assert isinstance(recommender, CURecRecommender), "a run loads its method's class"
    told = recommender.explain(data, user_id=user_id, item_ids=list(item_ids) or None, k=k, at=at)
    return Reasons([recommendation_record(item) for item in told])


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
    forecaster = None if issubclass(run.method.model, _PERSONAL) else _explaining(run)
    if forecaster is None or isinstance(forecaster, OfflineForecaster):
        raise InvalidConfigError(
            f"{run.directory}: expected a run with a language model, got one whose reasons are written without. "
            "They cost nothing: leave --dry-run out."
        )
    chosen = list(dict.fromkeys(item_ids)) or None
    return forecaster.estimate(data, at=_moment(run, data, at), item_ids=chosen, k=k, cache=cache)


def _explaining(run: Run) -> OfflineForecaster | TrailForecaster:
    able = (OfflineForecaster, TrailForecaster)
    if issubclass(run.method.model, _PERSONAL):
        raise InvalidConfigError(
            f"{run.directory}: expected --user for a run of {run.method.name}, whose lists are personal, got none. "
            "Name a user."
        )
    if not issubclass(run.method.model, able):
        names = _explaining_names(*able, *_PERSONAL)
        raise InvalidConfigError(
            f"{run.directory}: expected a run of {names}, got one of {run.method.name}, which states no reasons. Fit "
            "another."
        )
    forecaster = run.load_forecaster()
    assert isinstance(forecaster, able), "a run loads its method's class"
    return forecaster


def _explaining_names(*able: type) -> str:
    return ", ".join(name for name, method in METHODS.items() if issubclass(method.model, able))


def _moment(run: Run, data: Dataset, at: datetime | None) -> datetime:
    if at is None:
        return run.until
    require_known_moment(data, at, what="--at")
    return at
