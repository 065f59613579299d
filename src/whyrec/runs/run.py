"""A run directory: ``run.json``, which says how the run came about, and the model's own files beside it."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from whyrec.data.bundled import open_dataset
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, day_after
from whyrec.errors import InvalidConfigError, InvalidDataError, OutputExistsError
from whyrec.interfaces import Forecaster
from whyrec.llm.opening import NONE
from whyrec.recommending.base import ScoringRecommender
from whyrec.runs.methods import Method, method_named, window_settings
from whyrec.runtime.atomic import atomic_directory, require_absent
from whyrec.runtime.manifest import environment

RUN_FILE = "run.json"
BUNDLED = "bundled"
_FORECASTER = "forecaster"
_RECOMMENDER = "recommender"
_FORMAT_VERSION = 1
_STATE_SETTINGS = ("checkpoint", "checkpoints")
"""Settings that name where training keeps its state: a file, or a directory."""
_TRAINING_FILE = "training.json"


@dataclass(frozen=True, slots=True)
class Run:
    """A fitted method on disk."""

    directory: Path
    method: Method
    settings: BaseModel
    until: datetime
    data_directory: Path | None
    """Where it was fitted; None for the bundled data."""
    fingerprint: str
    """Of the data that it was fitted on."""
    notes: tuple[str, ...] = ()
    """What the method found worth saying of its fit, a line each."""

    def window_at(self, at: datetime) -> Window:
        """The window that a forecast at ``at`` speaks of."""
        return window_settings(self.settings).length.following(at)

    def load_forecaster(self) -> Forecaster:
        """The fitted forecaster.

        Raises:
            InvalidConfigError: If the run is one of a recommender.
            InvalidDataError: If its files are not what ``fit_run`` wrote.
        """
        if issubclass(self.method.model, ScoringRecommender):
            raise InvalidConfigError(
                f"{self.directory}: expected a run of a forecaster, got one of {self.method.name}, which recommends "
                'to users. Ask it with "whyrec recommend".'
            )
        return self.method.model.load(self.directory / _FORECASTER)

    def load_recommender(self) -> ScoringRecommender:
        """The fitted recommender.

        Raises:
            InvalidConfigError: If the run is one of a forecaster.
            InvalidDataError: If its files are not what ``fit_run`` wrote.
        """
        if not issubclass(self.method.model, ScoringRecommender):
            raise InvalidConfigError(
                f"{self.directory}: expected a run of a recommender, got one of {self.method.name}, which makes one "
                'list for everybody. Ask it with "whyrec forecast".'
            )
        return self.method.model.load(self.directory / _RECOMMENDER)

    def open_data(self, directory: Path | None = None) -> Dataset:
        """Open the data of the run.

        Args:
            directory: Where the data lie now; None for where the run was fitted.

        Raises:
            InvalidDataError: If there is no dataset, or one with other content than the run was fitted on.
        """
        place = directory or self.data_directory
        data = open_dataset(place)
        self.require_same_data(data, place=place or f"the {BUNDLED} data")
        return data

    def require_same_data(self, data: Dataset, *, place: Path | str) -> None:
        """Refuse data with other content than the run was fitted on.

        Raises:
            InvalidDataError: If the fingerprints differ.
        """
        if data.fingerprint != self.fingerprint:
            raise InvalidDataError(
                f"{place}: expected the data that {self.directory} was fitted on ({self.fingerprint}), got other "
                f"content ({data.fingerprint}). Name the right --data, or fit again."
            )


def fit_run(
    name: str,
    data: Dataset,
    *,
    out: Path,
    options: Mapping[str, object],
    until: datetime | None = None,
    data_directory: Path | None = None,
    resume: bool = False,
) -> Run:
    """Fit a method and write its run directory, complete or not at all.

    Methods that train for long keep their state beside ``out`` until they are done.

    Args:
        name: A name of ``METHODS``.
        data: The dataset.
        out: The directory to create.
        options: Settings of the method; its defaults stand for the rest.
        until: Only interactions strictly before it are learned from; None for all, up to the first UTC midnight after
            the last.
        data_directory: Where ``data`` lie, for the record; None for the bundled data.
        resume: Go on with a training that was killed.

    Raises:
        InvalidConfigError: If the method, a setting or ``until`` is not valid, or there is nothing to resume, or what
            is to be resumed has other settings, data or date.
        OutputExistsError: If ``out`` holds something already, or an unfinished training lies beside it.
    """
    method = method_named(name)
    settings = method.settings(options)
    require_absent(out)
    if until is not None:
        require_known_moment(data, until, what="--until")
    cut = until or day_after(data.time_range[1])
    started = time.perf_counter()
    training = {
        "method": name,
        "data": data.fingerprint,
        "until": cut.isoformat(),
        "settings": settings.model_dump(mode="json"),
    }
    with _state_kept(settings, training, beside=out, resume=resume) as resumable:
        model = method.build(resumable).fit(data, until=cut)
        where = data_directory and data_directory.resolve()
        notes = model.notes_ if isinstance(model, ScoringRecommender) else ()
        run = Run(out, method, settings, cut, where, str(training["data"]), notes)
        _write(run, model, data=data, wall_time_s=time.perf_counter() - started)
    return run


@contextmanager
def _state_kept(
    settings: BaseModel, training: Mapping[str, object], *, beside: Path, resume: bool
) -> Iterator[BaseModel]:
    """Give methods that train for long a place for their state; it is removed when the block ends well.

    It is also removed when the block fails before any state was kept: a mistake leaves nothing to go on with.

    Args:
        settings: Of the method.
        training: All that makes a training what it is; a state goes on only with the same.
        beside: The run directory to be.
        resume: Go on with the state that is there.
    """
    name = next((name for name in _STATE_SETTINGS if name in type(settings).model_fields), None)
    if name is None or getattr(settings, name) is not None:
        if resume and name is None:
            raise InvalidConfigError(
                f"--resume: expected a method that trains for long, got {training['method']}, which keeps no state. "
                "Leave it out."
            )
        yield settings
        return
    place = beside.with_name(f"{beside.name}.training")
    if place.exists() and not resume:
        raise OutputExistsError(
            f"{place}: expected no unfinished training, found one. Go on with it (--resume), or remove it."
        )
    if resume and not place.exists():
        raise InvalidConfigError(f"--resume: expected an unfinished training in {place}, found none. Leave it out.")
    place.mkdir(parents=True, exist_ok=True)
    _require_same_training(place / _TRAINING_FILE, training)
    path = place if name == "checkpoints" else place / "state.safetensors"
    try:
        yield settings.model_copy(update={name: path})
    except BaseException:
        if [file.name for file in place.iterdir()] == [_TRAINING_FILE]:
            shutil.rmtree(place)
        raise
    shutil.rmtree(place)


def _require_same_training(path: Path, training: Mapping[str, object]) -> None:
    """Refuse to go on with another training; of a new one, write down what it is."""
    if not path.is_file():
        path.write_text(json.dumps(training), encoding="utf-8")
        return
    began = json.loads(path.read_text(encoding="utf-8"))
    differing = [name for name, value in training.items() if began.get(name) != value]
    if differing:
        raise InvalidConfigError(
            f"--resume: expected the {differing[0]} that the training in {path.parent} began with, got others. "
            "Give the same, or remove it."
        )


def open_run(directory: Path) -> Run:
    """Read what ``fit_run`` wrote; the model itself is loaded on demand.

    Raises:
        InvalidDataError: If the directory is no run, or was written by a newer whyrec.
    """
    path = directory / RUN_FILE
    if not path.is_file():
        raise InvalidDataError(
            f'{directory}: expected a run directory with {RUN_FILE}, found none. Make one with "whyrec fit".'
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format_version"] > _FORMAT_VERSION:
            raise InvalidDataError(
                f"{path}: expected format_version at most {_FORMAT_VERSION}, got {content['format_version']}. "
                "Upgrade whyrec."
            )
        method = method_named(content["method"])
        where = content["dataset"]["directory"]
        return Run(
            directory=directory,
            method=method,
            settings=method.restored(content["config"]),
            until=datetime.fromisoformat(content["until"]),
            data_directory=None if where == BUNDLED else Path(where),
            fingerprint=content["dataset"]["fingerprint"],
            notes=tuple(content.get("notes", ())),
        )
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise InvalidDataError(
            f"{path}: expected what whyrec fit writes, got something else ({type(error).__name__}: {error}). Fit again."
        ) from error


def require_known_moment(data: Dataset, moment: datetime, *, what: str) -> None:
    """Refuse a moment at which the log is empty, or beyond what it tells of.

    Raises:
        InvalidConfigError: If nothing lies before ``moment``, or it is later than the first UTC midnight after the last
            event.
    """
    first, last = data.time_range
    latest = day_after(last)
    if not first < moment <= latest:
        raise InvalidConfigError(
            f"{what}: expected a moment after {first.isoformat()} and up to {latest.isoformat()}, the span of the "
            f"log, got {moment.isoformat()}. Choose one in it."
        )


def _write(run: Run, model: Forecaster | ScoringRecommender, *, data: Dataset, wall_time_s: float) -> None:
    settings = run.settings.model_dump(mode="json")
    content = {
        "format_version": _FORMAT_VERSION,
        "method": run.method.name,
        "llm": (settings["model"] if "adapter" in settings else settings.get("llm")) or NONE,
        "config": settings,
        "dataset": {"directory": str(run.data_directory or BUNDLED), **data.describe()},
        "window": None if run.method.is_recommender else settings["window"],
        "until": run.until.isoformat(),
        "seed": settings.get("seed", settings.get("training", {}).get("seed")),
        "notes": list(run.notes),
        "environment": environment(),
        "wall_time_s": round(wall_time_s, 1),
    }
    with atomic_directory(run.directory) as partial:
        model.save(partial / (_RECOMMENDER if run.method.is_recommender else _FORECASTER))
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (partial / RUN_FILE).write_text(text + "\n", encoding="utf-8")
