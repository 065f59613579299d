"""Every format gives the same rows, and every way a file can be broken is named."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data import raw_rows, read_delimited, read_json
from whyrec.data.raw_rows import PROBLEM, ROW
from whyrec.data.read import open_table
from whyrec.errors import InvalidConfigError, InvalidDataError

ROWS = [("u1", "i1", "10"), ("u2", "Café, the", "20"), ("u1", "i2", "30")]
NAMES = ("user_id", "item_id", "timestamp")


def write_as(kind: str, path: Path) -> Path:
    path = path / f"log.{kind}"
    if kind == "parquet":
        pl.DataFrame(ROWS, schema=list(NAMES), orient="row").write_parquet(path)
    elif kind.startswith("jsonl"):
        text = "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in ROWS)
        path.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
    else:
        delimiter = {"csv": ",", "tsv": "\t", "txt": ";", "dat": "::"}[kind]
        quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in (NAMES, *ROWS)]
        path.write_text("".join(delimiter.join(row) + "\n" for row in quoted), "utf-8")
    return path


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    kinds = ["csv", "tsv", "txt", "dat", "jsonl", "jsonl.gz", "parquet"]
    for kind in kinds:
        table = open_table(write_as(kind, tmp_path))
        frame = table.read()
        assert table.columns == NAMES, kind
        assert frame.select(NAMES).rows() == ROWS, kind
        assert frame[ROW].to_list() == [1, 2, 3], kind
        assert frame[PROBLEM].null_count() == 3, kind


def test_a_file_without_header_takes_the_given_names(tmp_path: Path) -> None:
    path = tmp_path / "ratings.dat"
    path.write_text("1::0054890::9::1381945744\n2::1408101::10::1382400295\n", "utf-8")
    table = open_table(path, columns=["user_id", "item_id", "rating", "timestamp"])
    assert table.read()["item_id"].to_list() == ["0054890", "1408101"]


def test_separator_is_chosen_by_number_of_columns_where_names_are_given(tmp_path: Path) -> None:
    path = tmp_path / "movies.dat"
    path.write_text("1::Heat, The (1995)::Action|Crime|Drama|Thriller|Noir\n", "utf-8")
    assert open_table(path, columns=["item_id", "title", "genres"]).read()["title"].item() == "Heat, The (1995)"


def test_only_asked_columns_are_read(tmp_path: Path) -> None:
    batch = next(iter(open_table(write_as("csv", tmp_path)).batches(["timestamp"])))
    assert set(batch.columns) == {ROW, PROBLEM, "timestamp"}


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "bom.csv"
    path.write_bytes(b"\xef\xbb\xbfuser_id,item_id\nu1,i1\n")
    table = open_table(path)
    assert table.columns == ("user_id", "item_id")
    assert table.read()["user_id"].to_list() == ["u1"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", r"a\.csv: expected rows, got an empty file \(0 bytes\)"),
        ("a.csv", b"\nu,i\n", "expected a first line with column names or values, got a blank one"),
        ("a.csv", b"user_id\nu1\n", "got one: 'user_id'. No usual delimiter fits: name it with --delimiter"),
        ("a.csv", b"user_id,user_id\nu1,u2\n", "expected distinct column names, got 'user_id' more than once"),
        ("a.csv", b"1,2,3\n4,5,6\n", "expected a header line with column names, got values: '1,2,3'. Name the columns"),
        ("a.csv", b"user_id,item_id\nu1,caf\xe9\n", "a.csv line 2: expected UTF-8 text, got byte 0xe9 at offset 22"),
        ("a.csv", b"us\xe9r,item_id\nu1,i1\n", "a.csv line 1: expected UTF-8 text, got byte 0xe9 at offset 2"),
        ("a.dat", b"user_id::item_id\nu1::caf\xe9\n", "a.dat line 2: expected UTF-8 text, got byte 0xe9 at offset 24"),
        ("a.parquet", b"PAR1 not a table", "a.parquet: expected a complete Parquet file"),
        ("a.jsonl", b'[{"user_id": 1}]\n', "expected one JSON object per line, got a JSON array"),
        ("a.jsonl", b"17\n", "a.jsonl line 1: expected a JSON object, got '17'"),
        ("a.csv.gz", b"plain text", "a.csv.gz: expected a gzip file"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidDataError, match=message):
        open_table(path).read()


def test_a_wrong_delimiter_is_answered_with_the_one_that_fits(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match=r"separated by ';', got one: .* 3 columns with --delimiter ','"):
        open_table(write_as("csv", tmp_path), delimiter=";")


def test_names_must_be_as_many_as_fields(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match=r"row 1: expected 2 fields \(user_id, item_id\), got 3"):
        open_table(write_as("csv", tmp_path), columns=["user_id", "item_id"])


def test_a_truncated_parquet_file_is_refused(tmp_path: Path) -> None:
    path = write_as("parquet", tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidDataError, match=r"log\.parquet: expected a complete Parquet file.*It may be truncated"):
        open_table(path)


def test_a_damaged_parquet_page_is_refused_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pl.DataFrame({"a": [f"value {n}" for n in range(10_000)]}).write_parquet(path)
    damaged = bytearray(path.read_bytes())
    damaged[4:2000] = bytes(1996)
    path.write_bytes(bytes(damaged))
    with pytest.raises(InvalidDataError, match="expected a complete Parquet file"):
        open_table(path).read()


def test_a_truncated_gzip_file_is_refused(tmp_path: Path) -> None:
    path = write_as("jsonl.gz", tmp_path)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InvalidDataError, match="expected a complete gzip file"):
        open_table(path).read()


def test_missing_files_and_unknown_suffixes(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="expected a file, found nothing"):
        open_table(tmp_path / "absent.csv")
    with pytest.raises(InvalidDataError, match="expected a file, found a directory"):
        open_table(tmp_path)
    (tmp_path / "log.xlsx").write_text("x")
    with pytest.raises(InvalidConfigError, match=r"got '\.xlsx'. Say which with --format"):
        open_table(tmp_path / "log.xlsx")


def test_a_row_with_too_many_fields_is_kept_with_its_problem(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text('user_id,item_id\nu1,i1\nu2,i2,extra\nu3,"i,3"\n', "utf-8")
    frame = open_table(path).read()
    assert frame[ROW].to_list() == [1, 2, 3]
    assert frame[PROBLEM].to_list() == [None, "2 fields, got 3: 'u2,i2,extra'", None]
    assert frame["item_id"].to_list() == ["i1", "i2", "i,3"]


def test_the_careful_reader_takes_over_at_the_right_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_delimited, "BATCH_ROWS", 1000)
    path = tmp_path / "log.csv"
    lines = [f"u{n},i{n}" for n in range(1, 200_001)]
    lines[150_000 - 1] += ",extra"
    path.write_text("\n".join(["user_id,item_id", *lines]) + "\n", "utf-8")
    frame = open_table(path).read()
    assert frame[ROW].to_list() == list(range(1, 200_001))
    assert frame["user_id"].to_list() == [f"u{n}" for n in range(1, 200_001)]
    assert frame.filter(pl.col(PROBLEM).is_not_null())[ROW].to_list() == [150_000]


def test_a_double_colon_row_with_too_few_fields_is_kept_with_its_problem(tmp_path: Path) -> None:
    path = tmp_path / "log.dat"
    path.write_text("1::2::3\n1::2\n\n4::5::6\n", "utf-8")
    frame = open_table(path, columns=["user_id", "item_id", "timestamp"]).read()
    assert frame[PROBLEM].to_list() == [None, "3 fields, got 2: '1::2'", None, None]
    assert frame["timestamp"].to_list() == ["3", None, None, "6"]


def test_a_broken_json_line_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"user_id": 1}\n\n{"user_id": \n{"user_id": "x"}\n', "utf-8")
    frame = open_table(path).read()
    assert frame[ROW].to_list() == [1, 3, 4]
    assert frame[PROBLEM][1].startswith("one JSON object, got '{\"user_id\":' (Expecting value")
    assert frame["user_id"].to_list() == ["1", None, "x"]


def test_json_values_keep_their_text_when_types_mix(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"user_id": 7, "tags": ["a", "b"]}\n{"user_id": "seven", "tags": null}\n', "utf-8")
    frame = open_table(path).read()
    assert frame["user_id"].to_list() == ["7", "seven"]
    assert frame["tags"].to_list() == [["a", "b"], None]


@given(
    good=st.text(alphabet="aé漢🎬\n", min_size=0, max_size=40),
    bad=st.sampled_from([b"\xff", b"\xc3(", b"\xe6\xbc", b"\x80"]),
    block=st.integers(min_value=1, max_value=9),
)
def test_the_first_bad_byte_is_found_wherever_blocks_end(
    good: str, bad: bytes, block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("utf8") / "x.csv"
    path.write_bytes(good.encode() + bad + b" tail")
    line, offset = 1 + good.count("\n"), len(good.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_rows, "_BLOCK_BYTES", block)
        with pytest.raises(InvalidDataError, match=rf"line {line}: .* byte 0x{bad[0]:02x} at offset {offset}\."):
            raw_rows.require_utf8(path)


def test_a_quoted_nothing_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text('"user_id","rating"\r\n"u1",""\r\n"","3"\r\n', "utf-8")
    assert open_table(path).read().select("user_id", "rating").rows() == [("u1", None), (None, "3")]


@pytest.mark.parametrize("name", ["log.csv.gz", "log.dat.gz"])
def test_compressed_text_is_read_through(name: str, tmp_path: Path) -> None:
    delimiter = "::" if ".dat" in name else ","
    text = "".join(delimiter.join(row) + "\n" for row in [("user_id", "item_id"), ("u1", "i1"), ("u2", "i2")])
    (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    assert open_table(tmp_path / name).read().select("user_id", "item_id").rows() == [("u1", "i1"), ("u2", "i2")]


def test_json_lines_are_counted_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_json, "_CHUNK_BYTES", 20)
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f'{{"user_id": {n}}}\n\n' for n in range(50)), "utf-8")
    table = open_table(path)
    assert len(list(table.batches(["user_id"]))) > 10
    assert table.read().select(ROW, "user_id").rows() == [(2 * n + 1, n) for n in range(50)]
