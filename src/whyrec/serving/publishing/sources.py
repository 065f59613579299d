"""The runs that are published, opened together: models, their data as of one moment, and what came since."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import polars as pl

from whyrec.data import schema
from whyrec.data.bundled import open_dataset
from whyrec.data.dataset import Dataset
from whyrec.data.held import HeldDataset, hold
from whyrec.errors import InvalidConfigError
from whyrec.methods.curec.model import CURecRecommender
from whyrec.recommending.base import ScoringRecommender
from whyrec.runs.run import Run, open_run, require_known_moment
from whyrec.serving.documents import RunRecord
from whyrec.serving.publishing.intake import Intake, natural_moment, read_intake, with_intake
from whyrec.serving.store import Store

_Model = TypeVar("_Model", bound=ScoringRecommender)


@dataclass(frozen=True, slots=True, eq=False)
class OpenRecommender:
    """A recommender's run and its model."""

    run: Run
    model: ScoringRecommender

    @property
    def method(self) -> str:
        """What documents call it."""
        return self.run.method.name


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """All that documents are made from."""

    data: HeldDataset
    """With what was taken in, without users who were erased."""
    at: datetime
    """Only interactions strictly before it are read."""
    runs: tuple[Run, ...]
    forecaster: Run | None
    recommenders: tuple[OpenRecommender, ...]
    """In the order of preference."""
    intake: Intake
    erased: frozenset[str]

    def model(self, kind: type[_Model]) -> _Model | None:
        """The first recommender of a class."""
        return next((it.model for it in self.recommenders if isinstance(it.model, kind)), None)

    @property
    def records(self) -> list[RunRecord]:
        """The runs as a version names them: recommenders in their order, then the forecaster."""
        ordered = [*(it.run for it in self.recommenders), *([self.forecaster] if self.forecaster else [])]
        return [
            RunRecord(method=run.method.name, directory=str(run.directory.resolve()), fitted_until=run.until)
            for run in ordered
        ]


def open_runs(directories: Sequence[Path], *, data_directory: Path | None = None) -> tuple[tuple[Run, ...], Dataset]:
    """Open runs that were fitted on the same data, and these.

    Raises:
        InvalidConfigError: If there is none, or two of one method, or two forecasters.
        InvalidDataError: If one is no run, or was fitted on other data.
    """
    runs = tuple(open_run(directory) for directory in directories)
    if not runs:
        raise InvalidConfigError("runs: expected at least one, got none. Name a directory that whyrec fit wrote.")
    names = [run.method.name for run in runs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidConfigError(f"runs: expected one run of each method, got two of {twice}. Leave one out.")
    forecasters = [run.method.name for run in runs if not run.method.is_recommender]
    if len(forecasters) > 1:
        raise InvalidConfigError(
            f"runs: expected one forecaster at most, got {' and '.join(forecasters)}. Leave one out."
        )
    place = data_directory or runs[0].data_directory
    data = open_dataset(place)
    for run in runs:
        run.require_same_data(data, place=place or "the bundled data")
    return runs, data


def open_sources(
    directories: Sequence[Path],
    store: Store,
    *,
    data_directory: Path | None = None,
    at: datetime | None = None,
    without_intake: bool = False,
) -> Sources:
    """Open runs, their data and what a store has taken in since.

    Args:
        directories: Of the runs, recommenders in the order of preference.
        store: Knows what was taken in, and who was erased.
        data_directory: Where the data lie now; None for where the runs were fitted.
        at: Only interactions strictly before it are read; None reads all and stands for the midnight after the last.
        without_intake: Read nothing of what was taken in.

    Raises:
        InvalidConfigError: As ``open_runs``; or if ``at`` is before the moment that a run was fitted until, or beyond
            what is known.
        InvalidDataError: As ``open_runs``.
    """
    runs, found = open_runs(directories, data_directory=data_directory)
    whole = hold(found)
    assert whole.index is not None, "hold makes an index"
    erased = store.is_erased(whole.index.places)
    held = hold(_without(whole, erased)) if erased else whole
    taken = [] if without_intake else list(store.taken_in())
    gone = frozenset(erased | store.is_erased({it.interaction.user_id for it in taken}))
    intake = read_intake(taken, held, at=at, erased=gone)
    data = with_intake(held, intake)
    moment = _moment(runs, data, at)
    models = tuple(OpenRecommender(run, run.load_recommender()) for run in runs if run.method.is_recommender)
    _let_know(models, held, intake)
    forecaster = next((run for run in runs if not run.method.is_recommender), None)
    return Sources(data, moment, runs, forecaster, models, intake, gone)


def _without(data: Dataset, users: set[str]) -> Dataset:
    return replace(data, interactions=data.interactions.filter(~pl.col(schema.USER).is_in(list(users))))


def _moment(runs: Sequence[Run], data: Dataset, at: datetime | None) -> datetime:
    latest = max(run.until for run in runs)
    if at is None:
        return max(natural_moment(data), latest)
    require_known_moment(data, at, what="--at")
    if at < latest:
        raise InvalidConfigError(
            f"--at: expected a moment from {latest.isoformat()} on (a run has learned from what came before), got "
            f"{at.isoformat()}. Fit with an earlier --until."
        )
    return at


def _let_know(recommenders: Sequence[OpenRecommender], data: Dataset, intake: Intake) -> None:
    """CURec writes reasons of what is new; other models read histories alone."""
    for it in recommenders:
        if isinstance(it.model, CURecRecommender):
            new = [one for one in intake.interactions if one.timestamp >= it.run.until]
            if new:
                it.model.update(data, new)
