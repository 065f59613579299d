"""The data set that comes with the package: MovieTweetings of 2013, 141,695 ratings of films tweeted from IMDb."""

from importlib.resources import as_file, files
from pathlib import Path

from whyrec.data.dataset import Dataset

BUNDLED_NAME = "movietweetings"


def bundled_dataset() -> Dataset:
    """Open MovieTweetings (MIT, (c) 2013 Simon Dooms; the notice stands beside the files).

    Returns:
        Ratings from 0 to 10 between March and November 2013, and films with title, year and genres.
    """
    with as_file(files("whyrec") / "bundled" / BUNDLED_NAME) as directory:
        return Dataset.read(directory)


def open_dataset(directory: Path | None) -> Dataset:
    """Open a dataset directory, or the bundled data set where none is named."""
    return bundled_dataset() if directory is None else Dataset.read(directory)
