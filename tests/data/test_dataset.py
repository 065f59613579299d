import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from drawn_datasets import START, dataset_of, small_datasets
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidDataError, OutputExistsError


def test_any_row_order_becomes_time_order(temporal_world: Dataset) -> None:
    log = temporal_world.interactions.collect()
    again = Dataset.from_frames(log.reverse(), temporal_world.items, name="reversed")
    assert again.interactions.collect().equals(log)
    assert again.fingerprint == temporal_world.fingerprint


def test_what_is_written_is_read(temporal_world: Dataset, tmp_path: Path) -> None:
    users = pl.DataFrame({"user_id": ["u0"], "city": ["Graz"]})
    data = Dataset.from_frames(temporal_world.interactions, temporal_world.items, users, name="with users")
    data.write(tmp_path / "world")
    read = Dataset.read(tmp_path / "world")
    assert read.name == "with users"
    assert read.interactions.collect().equals(data.interactions.collect())
    assert read.items.equals(data.items)
    assert read.users is not None
    assert read.users.equals(users)
    assert read.describe() == json.loads((tmp_path / "world" / "dataset.json").read_text("utf-8"))
    with pytest.raises(OutputExistsError):
        data.write(tmp_path / "world")


def test_counts_range_and_description(temporal_world: Dataset) -> None:
    assert temporal_world.counts == {"n_interactions": 30, "n_users": 5, "n_items_seen": 4, "n_items": 4}
    assert temporal_world.time_range == (START, START + timedelta(days=29 * 10))
    assert temporal_world.describe()["last_timestamp"] == "2020-10-17T00:00:00+00:00"


@given(data=small_datasets, cut=st.integers(0, 31))
def test_before_is_the_door_that_nothing_later_passes(data: Dataset, cut: int) -> None:
    cutoff = START + timedelta(hours=cut)
    times = data.interactions.collect()["timestamp"].to_list()
    assert data.before(cutoff).collect()["timestamp"].to_list() == [time for time in times if time < cutoff]
    later = cutoff + timedelta(hours=5)
    assert data.between(cutoff, later).collect().height == sum(cutoff <= time < later for time in times)


def test_frames_that_are_no_dataset_are_refused(temporal_world: Dataset) -> None:
    log, items = temporal_world.interactions.collect(), temporal_world.items
    with pytest.raises(
        InvalidDataError, match="interactions: expected a column 'user_id', got item_id, timestamp, rat"
    ):
        Dataset.from_frames(log.drop("user_id"), items)
    with pytest.raises(InvalidDataError, match=r"column 'timestamp': expected type Datetime.*UTC.*, got Datetime"):
        Dataset.from_frames(log.with_columns(pl.col("timestamp").dt.replace_time_zone(None)), items)
    with pytest.raises(InvalidDataError, match="items: expected one row per item_id, got 2 rows that share one, first"):
        Dataset.from_frames(log, pl.concat([items, items.head(1)]))


def test_directories_that_are_no_dataset_are_refused(temporal_world: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match=r"expected a dataset directory with dataset\.json, found none"):
        Dataset.read(tmp_path)
    temporal_world.write(tmp_path / "world")
    manifest = tmp_path / "world" / "dataset.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"format_version": 1', '"format_version": 9'), "utf-8")
    with pytest.raises(InvalidDataError, match=r"expected format_version at most 1, got 9\. Upgrade whyrec"):
        Dataset.read(tmp_path / "world")


def test_an_empty_log_has_no_range() -> None:
    data = dataset_of([(0, 0, 0)])
    empty = Dataset(
        "empty", data.interactions.filter(pl.col("timestamp") > datetime(2030, 1, 1, tzinfo=UTC)), data.items
    )
    with pytest.raises(InvalidDataError, match="empty: expected at least one interaction, found none"):
        _ = empty.time_range


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("dataset.json", b"{", "expected a JSON object with format_version, got something else"),
        ("dataset.json", b"[]", "expected a JSON object with format_version"),
        ("interactions.parquet", None, "expected complete Parquet files"),
        ("interactions.parquet", b"PAR1", "expected complete Parquet files, got one that does not parse"),
        ("items.parquet", b"PAR1PAR1", "expected complete Parquet files, got one that does not parse"),
    ],
)
def test_a_damaged_directory_is_told_when_opened(
    name: str, content: bytes | None, message: str, temporal_world: Dataset, tmp_path: Path
) -> None:
    temporal_world.write(tmp_path / "world")
    (tmp_path / "world" / name).unlink()
    if content is not None:
        (tmp_path / "world" / name).write_bytes(content)
    with pytest.raises(InvalidDataError, match=message):
        Dataset.read(tmp_path / "world")


def test_a_directory_with_other_columns_is_no_dataset(temporal_world: Dataset, tmp_path: Path) -> None:
    temporal_world.write(tmp_path / "world")
    temporal_world.items.drop("title").write_parquet(tmp_path / "world" / "items.parquet")
    with pytest.raises(InvalidDataError, match=r"items\.parquet: expected a column 'title', got item_id, genres"):
        Dataset.read(tmp_path / "world")
