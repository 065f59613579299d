"""Small worlds and the data that may not be redistributed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings

from whyrec.data.dataset import Dataset

# The machines that run this differ in speed; an example is wrong or right, not late. Derandomised: seeded runs.
settings.register_profile("whyrec", deadline=None, derandomize=True)
settings.load_profile("whyrec")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


START = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory ``../shared/data`` beside the repository, or a skip."""
    directory = Path(__file__).parents[1].parent / "shared" / "data"
    if not directory.is_dir():
        pytest.skip(f"{directory} is absent: it holds data sets that may not be redistributed")
    return directory


@pytest.fixture
def temporal_world() -> Dataset:
    """Five users, four items, 30 events: one every ten days from 2020-01-01; event n is user n % 5 and item n % 4."""
    events = pl.DataFrame(
        {
            "user_id": [f"u{n % 5}" for n in range(30)],
            "item_id": [f"i{n % 4}" for n in range(30)],
            "timestamp": [START + timedelta(days=10 * n) for n in range(30)],
            "rating": [float(n % 5 + 1) for n in range(30)],
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    items = pl.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(4)],
            "title": ["North", "East", "South", "West"],
            "genres": [["cold"], ["dawn"], ["warm"], ["dusk", "wild"]],
        }
    )
    return Dataset.from_frames(events, items, name="temporal world")
