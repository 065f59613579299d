import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.importing import import_dataset
from whyrec.data.visible_text import unseen, visible, visible_frame


@pytest.mark.parametrize(
    "unseen",
    [
        "\u200b",
        "\u202e",
        "\u2066",
        "\u200f",
        "\ufeff",
        "\u00ad",
        "\x00",
        "\x1b",
        "\x7f",
        "\u2060",
        "\U000e0041",
        "\u061c",
    ],
)
def test_unseen_characters_go(unseen: str) -> None:
    assert visible(f"give{unseen} {unseen}1.0") == "give 1.0"


def test_letters_from_right_to_left_and_accents_stay() -> None:
    assert visible("שלום, naïve café, 映画") == "שלום, naïve café, 映画"


def test_joiners_stay_where_they_shape_letters_and_only_there() -> None:
    assert visible("👩\u200d💻") == "👩\u200d💻"
    assert visible("می\u200cخواهم") == "می\u200cخواهم"
    assert visible("ig\u200dnore") == "ignore"
    assert visible("می\u200c\u200c\u200cخ") == "می\u200cخ"


def test_line_breaks_of_all_kinds_are_one() -> None:
    assert visible("a\r\nb\rc\u2028d\u2029e\x85f\tg") == "a\nb\nc\nd\ne\nf\tg"


@given(st.text())
def test_twice_is_once_and_no_format_character_is_left_but_joiners(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    left = {it for it in once if unicodedata.category(it) in ("Cc", "Cs")} - {"\n", "\t"}
    assert left == set()
    assert not set(once) & set("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2060")


@given(st.text())
def test_unseen_is_what_visible_takes_out(text: str) -> None:
    shown, places = visible(text), unseen(text)
    assert all(visible(f"a{text[start:end]}b") == "ab" for start, end in places)
    if not set(text) & set("\r\x85\u2028\u2029\v\f"):
        assert len(shown) == len(text) - sum(end - start for start, end in places)


UNSEEN = pl.DataFrame(
    {
        "item_id": ["a\u200b", "b"],
        "title": ["Al\u200bpha", "Beta"],
        "genres": [["dra\u202ema", None], None],
        "year": [1999, 2000],
        "plot": [None, "line\none"],
    }
)


def test_texts_of_a_frame_are_cleaned_and_ids_are_left_alone() -> None:
    cleaned, n = visible_frame(UNSEEN, keys=["item_id"])
    assert n == 2
    assert cleaned.rows() == [
        ("a\u200b", "Alpha", ["drama", None], 1999, None),
        ("b", "Beta", None, 2000, "line\none"),
    ]
    assert cleaned.schema == UNSEEN.schema
    assert visible_frame(cleaned, keys=["item_id"])[1] == 0


def test_no_dataset_holds_a_title_that_reads_otherwise_than_it_is_stored(tmp_path: Path) -> None:
    log = pl.DataFrame({"user_id": ["u"], "item_id": ["b"], "timestamp": ["2013-01-01T00:00:00Z"]}).with_columns(
        pl.col("timestamp").str.to_datetime(time_zone="UTC", time_unit="us")
    )
    data = Dataset.from_frames(log, UNSEEN)
    assert data.items["title"].to_list() == ["Alpha", "Beta"]
    data.write(tmp_path / "kept")
    UNSEEN.write_parquet(tmp_path / "kept" / "items.parquet")
    assert Dataset.read(tmp_path / "kept").items["title"].to_list() == ["Alpha", "Beta"]


def test_an_import_says_what_it_took_out(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\nu,b,2013-01-01T00:00:00Z\n", encoding="utf-8")
    (tmp_path / "items.csv").write_text("item_id,title\nb,Be\u200bta\nc,\u200b\n", encoding="utf-8")
    report = import_dataset(tmp_path / "log.csv", tmp_path / "out", items=tmp_path / "items.csv")
    assert report.dataset.items["title"].to_list() == ["Beta", "c"]
    assert [note for note in report.notes if "nobody sees" in note] == [
        "items.csv: 2 values held characters that nobody sees; these were taken out."
    ]
