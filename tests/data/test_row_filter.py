from pathlib import Path

import polars as pl
import pytest

from whyrec.data.import_config import ImportConfig
from whyrec.data.importing import import_dataset
from whyrec.data.row_filter import RowFilter
from whyrec.errors import InvalidConfigError, InvalidDataError


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("n > 1", [2]),
        ("n >= 1", [1, 2]),
        ("n<1", [-1]),
        ("n <= 1.0", [1, -1]),
        ("n == 2", [2]),
        ("n != 2", [1, -1]),
        ("kind == sale", [1]),
        ("kind != 'sale'", [2]),
        ("a column > 5", [2]),
    ],
)
def test_rows_that_meet_the_condition_stay(condition: str, kept: list[int]) -> None:
    frame = pl.DataFrame(
        {"n": ["1", "2", "-1", None, "many"], "kind": ["sale", "gift", None, None, None], "a column": [5, 6, 0, 0, 0]}
    )
    rows = frame.filter(RowFilter.parse(condition).keeps)
    assert [int(value) for value in rows["n"] if value not in (None, "many")] == kept


@pytest.mark.parametrize("text", ["Quantity", "> 0", "Quantity >", "", "Quantity ~ 3"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfigError, match="--keep: expected COLUMN SIGN VALUE with a sign among"):
        RowFilter.parse(text)


def test_texts_have_no_order() -> None:
    with pytest.raises(InvalidConfigError, match="--keep: expected a number after '>', got 'sale'"):
        RowFilter.parse("kind > sale")


def test_left_out_rows_are_counted_and_not_judged(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user_id,item_id,time,n\nu,i,1,3\nu,i,soon,-3\nu,i,2,0\nu,j,3,1,extra\n", "utf-8")
    config = ImportConfig(keep="n > 0", on_bad_rows="quarantine")
    report = import_dataset(log, tmp_path / "out", config=config)
    assert report.dataset.counts["n_interactions"] == 1
    assert report.manifest["source"]["n_filtered"] == 2  # type: ignore[index]
    assert report.manifest["rejected"]["by_reason"] == {"malformed_row": 1}  # type: ignore[index]
    assert "2 rows left out that do not meet 'n > 0'." in report.notes
    with pytest.raises(InvalidDataError, match="expected a column 'm' to filter by, got user_id, item_id, time, n"):
        import_dataset(log, tmp_path / "none", config=ImportConfig(keep="m > 0"))
