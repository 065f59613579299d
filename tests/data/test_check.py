from pathlib import Path

import polars as pl
import pytest

from whyrec.data import check
from whyrec.data.check import check_directory, check_file
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidDataError


@pytest.mark.parametrize(
    ("defect", "kind", "n"),
    [
        (lambda log: log.reverse(), "out_of_order", 29),
        (lambda log: pl.concat([log, log.tail(1)]), "duplicate_event", 1),
        (lambda log: log.with_columns(pl.col("user_id").replace("u1", None)), "null_user_id", 30 / 5),
        (lambda log: log.with_columns(pl.col("item_id").replace("i1", "zz")), "unknown_item", 7 + 1),
        (lambda log: log.with_columns(pl.col("rating").replace(5.0, float("nan"))), "bad_rating", 30 / 5),
        (lambda log: log.with_columns(pl.col("rating").replace(5.0, -1.0)), "bad_rating", 30 / 5),
        (lambda log: log.head(29), "wrong_n_interactions", 1),
        (lambda log: log.with_columns(pl.col("rating") + 1), "wrong_fingerprint", 1),
    ],
)
def test_each_defect_of_a_directory_is_found(
    defect: object, kind: str, n: int, temporal_world: Dataset, tmp_path: Path
) -> None:
    temporal_world.write(tmp_path / "world")
    assert check_directory(tmp_path / "world").problems == ()
    path = tmp_path / "world" / "interactions.parquet"
    broken = defect(pl.read_parquet(path))  # type: ignore[operator]
    broken.write_parquet(path)
    found = {problem.kind: problem.n for problem in check_directory(tmp_path / "world").problems}
    assert found[kind] == n
    assert "wrong_fingerprint" in found


def test_breaks_between_batches_are_found(
    temporal_world: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_BATCH_ROWS", 1)
    temporal_world.write(tmp_path / "world")
    path = tmp_path / "world" / "interactions.parquet"
    log = pl.read_parquet(path)
    pl.concat([log.reverse(), log.head(1)]).write_parquet(path)
    found = {problem.kind: problem.n for problem in check_directory(tmp_path / "world").problems}
    assert (found["out_of_order"], found["duplicate_event"]) == (30 - 1, 1)


def test_defects_of_the_catalogue_are_found(temporal_world: Dataset, tmp_path: Path) -> None:
    temporal_world.write(tmp_path / "world")
    items = pl.concat([temporal_world.items, temporal_world.items.head(1)])
    items.with_columns(pl.col("title").replace("West", None)).write_parquet(tmp_path / "world" / "items.parquet")
    found = {problem.kind: problem.n for problem in check_directory(tmp_path / "world").problems}
    assert found == {"duplicate_item_id": 1, "null_title": 1, "wrong_n_items": 1, "wrong_fingerprint": 1}


def test_a_file_is_checked_to_its_end_and_kinds_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"user_id": "a", "item_id": "x", "timestamp": 1}\n{"user_id": \n'
        '{"user_id": "a", "item_id": null, "timestamp": 2}\n{"user_id": "b", "item_id": null, "timestamp": 3}\n',
        "utf-8",
    )
    report = check_file(log)
    assert report.n_rows == 4
    assert {problem.kind: problem.n for problem in report.problems} == {"malformed_row": 1, "null_item_id": 2}
    assert [problem.example.split(":")[0] for problem in report.problems] == [
        "log.jsonl row 2",
        "log.jsonl row 3, column 'item_id'",
    ]


def test_a_header_alone_is_a_problem_and_an_unreadable_file_an_error(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user_id,item_id,timestamp\n", "utf-8")
    assert [problem.kind for problem in check_file(log).problems] == ["empty"]
    log.write_bytes(b"user_id,item_id,timestamp\n\xff,i,1\n")
    with pytest.raises(InvalidDataError, match="got byte 0xff at offset 26"):
        check_file(log)
