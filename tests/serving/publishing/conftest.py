"""One quick fit of every method, made once."""

from pathlib import Path

import pytest

from contracts.films import AT, FITS, some_films
from whyrec.data.dataset import Dataset
from whyrec.runs import fit_run


@pytest.fixture(scope="session")
def films_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("data") / "films"
    some_films().write(directory)
    return directory


@pytest.fixture(scope="session")
def films(films_directory: Path) -> Dataset:
    return Dataset.read(films_directory)


@pytest.fixture(scope="session")
def runs(films_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of every method, by its name."""
    place, data = tmp_path_factory.mktemp("runs"), Dataset.read(films_directory)
    for name, options in FITS.items():
        fit_run(name, data, out=place / name, options=options, until=AT, data_directory=films_directory)
    return {name: place / name for name in FITS}
