"""A small dataset directory and two runs fitted on it, made once."""

from pathlib import Path

import pytest

from contracts.forecaster import CUTOFF, small_world
from whyrec.data.dataset import Dataset
from whyrec.runs import fit_run

QUICK = {"rounds": 5, "training_cutoffs": 4, "validation_cutoffs": 1, "bags": 1}


@pytest.fixture(scope="session")
def quick_settings() -> list[str]:
    """Settings with which the forecaster learns in a second, as words of a command line."""
    return [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(scope="session")
def small_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("data") / "small"
    small_world().write(directory)
    return directory


@pytest.fixture(scope="session")
def trail_run(small_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "trail"
    data = Dataset.read(small_directory)
    fit_run("trail", data, out=out, options=QUICK, until=CUTOFF, data_directory=small_directory)
    return out


@pytest.fixture(scope="session")
def weekly_run(small_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "weekly"
    fit_run("last_7_days", Dataset.read(small_directory), out=out, options={}, data_directory=small_directory)
    return out


@pytest.fixture(scope="session")
def other_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dataset less its first interaction: other content under the same name."""
    data = small_world()
    directory = tmp_path_factory.mktemp("other") / "small"
    Dataset.from_frames(data.interactions.collect()[1:], data.items, name=data.name).write(directory)
    return directory
