"""Importing: what comes in comes out, what is bad is refused or set aside, and nothing is ever half done."""

import json
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data import importing, ordering
from whyrec.data.dataset import Dataset
from whyrec.data.import_config import ImportConfig
from whyrec.data.importing import import_dataset
from whyrec.errors import InvalidDataError, OutputExistsError, OutputWriteError

LOG = """UserID,movieId,rating,time
u2,i1,3,2020-01-02
u1,i2,,2020-01-01
u1,i1,5,2020-01-02
u1,i1,4,2020-01-02
u1,i1,4,2020-01-03
"""
ITEMS = """movieId,name,genres,year,code
i1,Heat,Action|Crime,1995,007
i2,,,1999,123
"""


def log_file(directory: Path, text: str = LOG) -> Path:
    path = directory / "log.csv"
    path.write_text(text, "utf-8")
    return path


def items_file(directory: Path, text: str = ITEMS) -> Path:
    path = directory / "items.csv"
    path.write_text(text, "utf-8")
    return path


def day(n: int) -> datetime:
    return datetime(2020, 1, n, tzinfo=UTC)


def test_a_log_comes_out_ordered_typed_and_counted(tmp_path: Path) -> None:
    report = import_dataset(
        log_file(tmp_path),
        tmp_path / "films",
        items=items_file(tmp_path),
        config=ImportConfig(list_columns={"genres": "|"}),
    )
    data = Dataset.read(tmp_path / "films")
    assert data.interactions.collect().rows() == [
        ("u1", "i2", day(1), None),
        ("u1", "i1", day(2), 5.0),
        ("u2", "i1", day(2), 3.0),
        ("u1", "i1", day(3), 4.0),
    ]
    assert data.items.rows() == [("i1", "Heat", ["Action", "Crime"], 1995, "007"), ("i2", "i2", None, 1999, "123")]
    manifest = json.loads((tmp_path / "films" / "dataset.json").read_text("utf-8"))
    assert manifest == report.manifest
    assert manifest["n_interactions"] == 5 - 1
    assert manifest["duplicates"] == {"policy": "first", "n_dropped": 1}
    assert manifest["source"]["mapping"] == {
        "user_id": "UserID",
        "item_id": "movieId",
        "timestamp": "time",
        "rating": "rating",
    }
    assert manifest["fingerprint"] == data.fingerprint
    assert sorted(path.name for path in (tmp_path / "films").iterdir()) == [
        "dataset.json",
        "interactions.parquet",
        "items.parquet",
    ]


def test_assumptions_and_omissions_are_stated(tmp_path: Path) -> None:
    text = LOG.replace("time", "time,device").replace("-02\n", "-02,tv\n").replace("-01\n", "-01,tv\n")
    notes = import_dataset(
        log_file(tmp_path, text.replace("-03\n", "-03,tv\n")), tmp_path / "out", items=items_file(tmp_path)
    ).notes
    assert notes == (
        "log.csv: column 'UserID' is read as user_id.",
        "log.csv: column 'movieId' is read as item_id.",
        "log.csv: column 'time' is read as timestamp.",
        "items.csv: column 'movieId' is read as item_id.",
        "items.csv: column 'name' is read as title.",
        "items.csv: 1 items without a title are called by their id.",
        "log.csv: columns device are not part of a log and stay behind.",
        "Times without an offset are read as UTC; --timezone says otherwise.",
        "1 exact duplicates (same user, item and time) dropped, the first kept.",
    )


@pytest.mark.parametrize(("policy", "ratings"), [("first", [5.0]), ("last", [4.0]), ("all", [5.0, 4.0])])
def test_duplicates_are_settled_by_their_order_in_the_file(policy: str, ratings: list[float], tmp_path: Path) -> None:
    config = ImportConfig.model_validate({"duplicates": policy})
    data = import_dataset(log_file(tmp_path), tmp_path / "out", config=config).dataset
    same = (pl.col("user_id") == "u1") & (pl.col("timestamp") == day(2))
    assert data.interactions.filter(same).collect()["rating"].to_list() == ratings


@pytest.mark.parametrize(("policy", "days"), [("first", [1, 2, 2]), ("last", [1, 2, 3])])
def test_one_event_per_pair_on_request(policy: str, days: list[int], tmp_path: Path) -> None:
    config = ImportConfig.model_validate({"one_per_pair": policy})
    report = import_dataset(log_file(tmp_path), tmp_path / "out", config=config)
    assert report.dataset.interactions.collect()["timestamp"].dt.day().to_list() == days
    assert report.manifest["one_per_pair"] == {"policy": policy, "n_dropped": 1}


def test_without_a_catalogue_the_items_of_the_log_make_one(tmp_path: Path) -> None:
    report = import_dataset(log_file(tmp_path), tmp_path / "out")
    assert report.dataset.items.rows() == [("i1", "i1"), ("i2", "i2")]
    assert "Without --items, the catalogue is the 2 items of the log, titled by their id." in report.notes
    assert report.manifest["unknown_items"] == {"policy": "reject", "n_added": 0}


def test_unknown_items_are_refused_set_aside_or_added(tmp_path: Path) -> None:
    log, items = log_file(tmp_path), items_file(tmp_path, "item_id,title,year\ni2,Heat,1995\n")
    with pytest.raises(InvalidDataError, match=r"log\.csv row 1, column 'item_id': expected an item of the catalogue"):
        import_dataset(log, tmp_path / "a", items=items)
    aside = import_dataset(log, tmp_path / "b", items=items, config=ImportConfig(on_bad_rows="quarantine"))
    assert aside.dataset.counts["n_interactions"] == 1
    assert aside.manifest["rejected"]["by_reason"] == {"unknown_item": 4}  # type: ignore[index]
    added = import_dataset(log, tmp_path / "c", items=items, config=ImportConfig(unknown_items="add"))
    assert added.dataset.items.rows() == [("i1", "i1", None), ("i2", "Heat", 1995)]
    assert added.dataset.counts["n_interactions"] == 4
    assert "1 items outside the catalogue added, titled by their id." in added.notes


def test_bad_rows_are_set_aside_with_all_they_held(tmp_path: Path) -> None:
    text = LOG + "u3,i1,-2,2020-01-04\nu3,i1,1,soon\nu3,i1,1,2020-01-05,extra\n\n"
    items = items_file(tmp_path, ITEMS + "i1,Twice,,1,2\n")
    config = ImportConfig(on_bad_rows="quarantine")
    report = import_dataset(log_file(tmp_path, text), tmp_path / "out", items=items, config=config)
    rejected = pl.read_parquet(tmp_path / "out" / "rejected.parquet")
    assert rejected.select("file", "row", "column", "reason", "got").rows() == [
        ("items.csv", 3, "item_id", "duplicate_item_id", "i1"),
        ("log.csv", 6, "rating", "negative_rating", "-2"),
        ("log.csv", 7, "timestamp", "unparseable_timestamp", "soon"),
        ("log.csv", 8, None, "malformed_row", None),
    ]
    assert json.loads(rejected["raw"][2]) == {"user_id": "u3", "item_id": "i1", "timestamp": "soon", "rating": "1"}
    assert report.manifest["source"]["n_rows"] == 5 + 3  # type: ignore[index]
    assert report.manifest["source"]["n_blank_lines"] == 1  # type: ignore[index]
    assert "4 bad rows set aside in rejected.parquet." in report.notes
    assert report.dataset.items["title"].to_list() == ["Heat", "i2"]


@pytest.mark.parametrize(
    ("log", "items", "message"),
    [
        ("user_id,item_id\nu,i\n", ITEMS, "log.csv: expected a column 'timestamp', got user_id, item_id. Name it with"),
        (
            LOG + "u1,i1,4,soon\n",
            ITEMS,
            "log.csv row 6, column 'timestamp': expected an ISO 8601 timestamp, got 'soon'",
        ),
        (LOG + "u1,i1,-1,2020-01-01\n", ITEMS, "row 6, column 'rating': expected a number not below 0, got '-1'"),
        (LOG + "u1,i1,NaN,2020-01-01\n", ITEMS, "row 6, column 'rating': expected a number, got 'NaN'"),
        (LOG, ITEMS + "i1,Again,,1,1\n", "items.csv row 3, column 'item_id': expected each id once, got 'i1'"),
        (LOG + "u1,i7,4,2020-01-01\n", ITEMS, "row 6, column 'item_id': expected an item of the catalogue, got 'i7'"),
        ("", ITEMS, "log.csv: expected rows, got an empty file"),
        (
            "user_id,item_id,timestamp\n",
            ITEMS,
            "log.csv: expected at least one good row, got none of 0. Add rows below",
        ),
        (LOG, "item_id,title\n", "items.csv: expected at least one row, got a header alone"),
        (LOG, "item_id,year\ni1,1\n", "expected a column 'title', got item_id, year. Name it with --items-map title="),
        (LOG.replace(",", ";"), ITEMS.replace(",", "#"), "No usual delimiter fits"),
        ("user_id,item_id,time\nu,i,1547000000000\n", None, "milliseconds read as seconds; pass --timestamp-unit ms"),
        (
            LOG + "u1,i1,4,2020-01-01T00:00Z\n",
            ITEMS,
            "row 6, column 'timestamp': expected a local time like '2020-01-02'",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(
    log: str, items: str | None, message: str, tmp_path: Path
) -> None:
    catalogue = None if items is None else items_file(tmp_path, items)
    with pytest.raises(InvalidDataError) as caught:
        import_dataset(log_file(tmp_path, log), tmp_path / "out", items=catalogue)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (
        sorted(path.name for path in tmp_path.iterdir()) == ["log.csv"] if items is None else ["items.csv", "log.csv"]
    )


def test_nothing_but_bad_rows_is_refused_even_in_quarantine(tmp_path: Path) -> None:
    log = log_file(tmp_path, "user_id,item_id,time\nu,i,1547000000000\n")
    with pytest.raises(InvalidDataError, match=r"got none of 1\. First problem: log\.csv row 1.*milliseconds"):
        import_dataset(log, tmp_path / "out", config=ImportConfig(on_bad_rows="quarantine"))


def test_an_existing_directory_is_refused_before_any_work(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="expected a new directory, found an existing one"):
        import_dataset(tmp_path / "absent.csv", out)
    assert [path.name for path in out.iterdir()] == ["precious.txt"]


@given(
    events=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y"]), st.integers(0, 20), st.integers(0, 5)),
        min_size=1,
        max_size=60,
    ),
    policy=st.sampled_from(["first", "last", "all"]),
    slice_rows=st.sampled_from([1, 7, 1000]),
    batch_rows=st.sampled_from([5, 1000]),
)
def test_slices_and_batches_change_nothing(
    events: list[tuple[str, str, int, int]],
    policy: str,
    slice_rows: int,
    batch_rows: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("slices")
    staging = ordering.Staging(directory)
    log = pl.DataFrame(
        events, schema={"user_id": pl.String, "item_id": pl.String, "n": pl.Int64, "rating": pl.Int64}, orient="row"
    ).select(
        pl.int_range(1, len(events) + 1, dtype=pl.UInt64).alias("__row__"),
        "user_id",
        "item_id",
        pl.from_epoch("n").dt.replace_time_zone("UTC").dt.cast_time_unit("us").alias("timestamp"),
        pl.col("rating").cast(pl.Float64),
    )
    for part in log.iter_slices(batch_rows):
        staging.add(part)
    n_dropped = ordering.write_ordered(
        staging,
        directory / "log.parquet",
        duplicates=policy,  # type: ignore[arg-type]
        slice_rows=slice_rows,
    )
    kept: dict[tuple[str, str, int], list[int]] = {}
    for user, item, at, rating in events:
        before = kept.get((user, item, at), [])
        kept[user, item, at] = {"first": before or [rating], "last": [rating], "all": [*before, rating]}[policy]
    expected = [
        (user, item, datetime.fromtimestamp(at, UTC), float(rating))
        for (user, item, at) in sorted(kept, key=lambda key: (key[2], key[0], key[1]))
        for rating in kept[user, item, at]
    ]
    assert pl.read_parquet(directory / "log.parquet").rows() == expected
    assert n_dropped == len(events) - len(expected)
    for keep in ("first", "last"):
        n_repeats = ordering.write_one_per_pair(
            directory / "log.parquet", directory / f"{keep}.parquet", keep=keep, bucket_rows=slice_rows
        )
        pairs = {row[:2]: row for row in (expected if keep == "last" else reversed(expected))}
        rows = pl.read_parquet(directory / f"{keep}.parquet").rows()
        assert sorted(rows) == sorted(pairs.values())
        assert [row[2] for row in rows] == sorted(row[2] for row in rows)
        assert n_repeats == len(expected) - len(pairs)


IMPORT_SLOWLY = """
    import sys, time
    from pathlib import Path
    from whyrec.data import importing
    real = importing.write_ordered
    def slowly(*args, **kwargs):
        result = real(*args, **kwargs)
        print("written", flush=True)
        time.sleep(60)
        return result
    importing.write_ordered = slowly
    importing.import_dataset(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_kill_leaves_nothing_and_the_next_import_cleans_up(tmp_path: Path) -> None:
    log, out = log_file(tmp_path), tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(IMPORT_SLOWLY), str(log), str(out)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        assert not out.exists()
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    assert len(list(tmp_path.glob(".out.*.partial"))) == 1
    import_dataset(log, out)
    assert Dataset.read(out).counts["n_interactions"] == 4
    assert list(tmp_path.glob(".out.*")) == []


IMPORT_ON_A_FULL_DISK = """
    import resource, sys
    from pathlib import Path
    from whyrec.data.importing import import_dataset
    from whyrec.errors import OutputWriteError
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    try:
        import_dataset(Path(sys.argv[1]), Path(sys.argv[2]))
    except OutputWriteError as error:
        print(error)
"""


@pytest.mark.parametrize("limit", [0, 200, 2000])
def test_a_full_disk_leaves_nothing(limit: int, tmp_path: Path) -> None:
    lines = "".join(f"u{n},i{n % 7},{n}\n" for n in range(2000))
    log, out = log_file(tmp_path, "user_id,item_id,time\n" + lines), tmp_path / "out"
    script = textwrap.dedent(IMPORT_ON_A_FULL_DISK)
    result = subprocess.run(
        [sys.executable, "-c", script, str(log), str(out), str(limit)], capture_output=True, text=True, check=True
    )
    assert "could not be written (File too large). Nothing was changed" in result.stdout
    assert result.stdout.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_a_failure_while_writing_the_manifest_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing.shutil, "rmtree", no_space)
    with pytest.raises(OutputWriteError, match="No space left on device"):
        import_dataset(log_file(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_milliseconds_users_and_json_come_together(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"user": 1, "item": "a", "ts": 1577836800000, "text": "good"}\n{"user": 2, "item": "a", "ts": 1577836800001}\n'
    )
    users = tmp_path / "users.csv"
    users.write_text("user_id;city\n1;Graz\n2;\n")
    report = import_dataset(log, tmp_path / "out", users=users, config=ImportConfig(timestamp_unit="ms"))
    assert report.dataset.users is not None
    assert report.dataset.users.rows() == [("1", "Graz"), ("2", None)]
    assert report.dataset.interactions.collect().rows() == [
        ("1", "a", day(1), "good"),
        ("2", "a", day(1).replace(microsecond=1000), None),
    ]
    assert report.manifest["source"]["timestamp"] == {"convention": "epoch", "unit": "ms"}  # type: ignore[index]


def test_movielens_with_its_missing_times(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "ml1m"
    config = ImportConfig(on_bad_rows="quarantine", list_columns={"genres": "|"})
    report = import_dataset(
        source / "ratings.parquet", tmp_path / "ml1m", items=source / "items_text.parquet", config=config
    )
    assert report.manifest["rejected"]["by_reason"] == {"null_timestamp": 283}  # type: ignore[index]
    assert report.dataset.counts["n_interactions"] == 1_000_209 - 283
    toy_story = report.dataset.items.filter(item_id="1").row(0, named=True)
    assert toy_story["genres"] == ["Animation", "Children's", "Comedy"]


def test_online_retail_repeats_invoice_lines_and_holds_returns(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "online_retail"
    config = ImportConfig(items_mapping={"title": "description"}, keep="Quantity > 0")
    report = import_dataset(
        source / "interactions.parquet", tmp_path / "retail", items=source / "items.parquet", config=config
    )
    raw = pl.read_parquet(source / "interactions.parquet")
    sold = raw.filter(pl.col("Quantity") > 0).select("user", "item", "time")
    assert report.dataset.counts["n_interactions"] == sold.n_unique()
    assert report.manifest["duplicates"] == {"policy": "first", "n_dropped": sold.height - sold.n_unique()}
    assert report.manifest["source"]["n_filtered"] == raw.height - sold.height  # type: ignore[index]
    assert report.dataset.time_range[0] == sold["time"].min().replace(tzinfo=UTC)  # type: ignore[union-attr]


def test_the_first_stays_the_first_among_many_equals(tmp_path: Path) -> None:
    # Large enough for a parallel sort to lose the order of equal rows, if nothing but the sort keeps it.
    n = 200_000
    staging = ordering.Staging(tmp_path)
    row = pl.int_range(n, dtype=pl.UInt64, eager=True).alias("__row__")
    log = pl.DataFrame(
        {"user_id": ["u"] * n, "item_id": [f"i{at % 3}" for at in range(n)], "rating": row.cast(pl.Float64)}
    )
    log = log.with_columns(row, pl.lit(day(1)).cast(pl.Datetime("us", "UTC")).alias("timestamp"))
    for part in log.iter_slices(n // 4):
        staging.add(part.select("__row__", "user_id", "item_id", "timestamp", "rating"))
    for policy, ratings in (("first", [0, 1, 2]), ("last", [n - 2, n - 1, n - 3])):
        path = tmp_path / f"{policy}.parquet"
        assert ordering.write_ordered(staging, path, duplicates=policy) == n - 3  # type: ignore[arg-type]
        assert pl.read_parquet(path)["rating"].to_list() == ratings
