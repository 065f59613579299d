from datetime import UTC, datetime

import polars as pl
import pytest

from whyrec.data import fingerprint as module
from whyrec.data.fingerprint import fingerprint

FRAME = pl.DataFrame(
    {
        "id": ["a", "bc", None, "d"],
        "n": [1, None, 3, 4],
        "x": [0.5, 1.5, None, 2.5],
        "is_new": [True, False, None, True],
        "genres": [["p", "q"], [], None, ["r"]],
        "time": [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)],
    }
)


def test_it_depends_on_content_alone(tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fingerprint([FRAME.lazy()])
    pieces = pl.concat([FRAME[:1], FRAME[1:3], FRAME[3:]], rechunk=False)
    filtered = pl.concat([FRAME, FRAME]).filter(pl.int_range(8) >= 4)
    FRAME.write_parquet(f"{tmp_path}/f.parquet", row_group_size=1)
    assert fingerprint([pieces.lazy()]) == fingerprint([filtered.lazy()]) == whole
    assert fingerprint([pl.scan_parquet(f"{tmp_path}/f.parquet")]) == whole
    monkeypatch.setattr(module, "_BATCH_ROWS", 1)
    assert fingerprint([FRAME.lazy()]) == whole


@pytest.mark.parametrize(
    "change",
    [
        pl.col("id").replace("bc", "bd"),
        pl.Series("id", ["ab", "c", None, "d"]),
        pl.Series("id", ["a", "bc", "", "d"]),
        pl.col("n").fill_null(0),
        pl.col("x").fill_null(0),
        pl.col("is_new").fill_null(value=False),
        pl.Series("genres", [["p"], ["q"], None, ["r"]]),
        pl.Series("genres", [["p", "q"], None, None, ["r"]]),
        pl.Series("genres", [["pq"], [], None, ["r"]]),
        pl.col("time").dt.offset_by("1us"),
        pl.col("n").cast(pl.Int32),
    ],
)
def test_any_change_changes_it(change: pl.Expr | pl.Series) -> None:
    assert fingerprint([FRAME.with_columns(change).lazy()]) != fingerprint([FRAME.lazy()])


def test_names_and_order_count() -> None:
    original = fingerprint([FRAME.lazy()])
    assert fingerprint([FRAME.rename({"n": "m"}).lazy()]) != original
    assert fingerprint([FRAME.reverse().lazy()]) != original
    assert fingerprint([FRAME.lazy(), FRAME.lazy()]) != original
