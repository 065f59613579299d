from importlib.resources import files
from pathlib import Path

import pytest

from whyrec.data.bundled import BUNDLED_NAME, bundled_dataset, open_dataset
from whyrec.data.check import check_directory

DIRECTORY = Path(str(files("whyrec"))) / "bundled" / BUNDLED_NAME


def test_it_holds_the_whole_of_movietweetings() -> None:
    data = bundled_dataset()
    assert data.counts == {"n_interactions": 141_695, "n_users": 21_081, "n_items_seen": 12_611, "n_items": 12_611}
    assert data.items.columns == ["item_id", "title", "year", "genres"]
    heat = data.items.filter(title="Heat", year=1995).row(0, named=True)
    assert heat["genres"] == ["Action", "Crime", "Drama", "Thriller"]
    assert open_dataset(None).fingerprint == data.fingerprint
    assert open_dataset(DIRECTORY).fingerprint == data.fingerprint


def test_it_keeps_every_promise_of_a_dataset() -> None:
    assert check_directory(DIRECTORY).problems == ()


def test_it_is_small_and_carries_its_licence() -> None:
    sizes = {path.name: path.stat().st_size for path in DIRECTORY.iterdir()}
    assert set(sizes) == {"dataset.json", "interactions.parquet", "items.parquet", "LICENSE"}
    assert sum(sizes.values()) < 2_000_000
    licence = (DIRECTORY / "LICENSE").read_text("utf-8")
    assert "Copyright (c) 2013 Simon Dooms" in licence
    assert "The MIT License" in licence


def test_it_is_what_the_raw_files_hold(shared_data: Path) -> None:
    lines = (shared_data / "movietweetings" / "ratings.dat").read_text("utf-8").splitlines()
    raw = {tuple(line.split("::")) for line in lines}
    log = bundled_dataset().interactions.collect()
    ours = {
        (user, item, f"{rating:.0f}", f"{time.timestamp():.0f}")
        for user, item, time, rating in log.select("user_id", "item_id", "timestamp", "rating").iter_rows()
    }
    assert ours == raw
    assert log.height == len(lines)


@pytest.mark.parametrize("name", ["users.parquet", "rejected.parquet"])
def test_it_names_no_accounts(name: str) -> None:
    assert not (DIRECTORY / name).exists()
