from pathlib import Path
from typing import Any

import polars as pl
import pytest

from whyrec.data.catalogue import Catalogue, items_from_ids, read_catalogue
from whyrec.data.columns import ITEM_FIELDS, USER_FIELDS
from whyrec.data.read import open_table
from whyrec.errors import InvalidDataError


def read_items(path: Path, text: str, **options: Any) -> Catalogue:
    file = path / "items.csv"
    file.write_text(text, "utf-8")
    return read_catalogue(open_table(file), ITEM_FIELDS, given={}, flag="--items-map", **options)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-20", "0"], [1, -20, 0]),
        (["1.5", "2", ""], [1.5, 2.0, None]),
        (["007", "1"], ["007", "1"]),
        (["1234567890123456789", "1"], ["1234567890123456789", "1"]),
        (["1e3", "1"], ["1e3", "1"]),
        (["", ""], [None, None]),
    ],
)
def test_attributes_are_numbers_only_where_nothing_is_lost(
    values: list[str], expected: list[Any], tmp_path: Path
) -> None:
    rows = "".join(f"i{n},t,{value},\n" for n, value in enumerate(values))
    frame = read_items(tmp_path, "item_id,title,attribute,other\n" + rows).frame
    assert frame["attribute"].to_list() == expected


def test_ids_and_titles_stay_text(tmp_path: Path) -> None:
    frame = read_items(tmp_path, "item_id,title\n2,1984\n1, 300 \n").frame
    assert frame.rows() == [("1", "300"), ("2", "1984")]


def test_values_are_split_and_trimmed(tmp_path: Path) -> None:
    text = "item_id,title,genres\n1,A,Drama| Crime |\n2,B,\n3,C,|\n"
    frame = read_items(tmp_path, text, list_columns={"genres": "|"}).frame
    assert frame["genres"].to_list() == [["Drama", "Crime"], None, []]
    with pytest.raises(InvalidDataError, match="expected a text column 'kinds' to split, got genres"):
        read_items(tmp_path, text, list_columns={"kinds": "|"})


def test_the_first_of_equal_ids_stays_and_the_others_are_reported(tmp_path: Path) -> None:
    catalogue = read_items(tmp_path, "item_id,title\n1,A\n1,B\n,C\n1,D,E\n")
    assert catalogue.frame.rows() == [("1", "A")]
    assert catalogue.rejected.select("row", "reason").rows() == [
        (2, "duplicate_item_id"),
        (3, "null_item_id"),
        (4, "malformed_row"),
    ]


def test_a_column_may_not_take_the_name_of_another(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("item_id,title,name\n1,A,B\n", "utf-8")
    with pytest.raises(InvalidDataError, match="expected no column 'title' beside 'name', which is mapped to it"):
        read_catalogue(open_table(file), ITEM_FIELDS, given={"title": "name"}, flag="--items-map")


def test_users_need_an_id_alone(tmp_path: Path) -> None:
    file = tmp_path / "users.jsonl"
    file.write_text('{"userId": 2, "city": "Graz"}\n{"userId": 1, "tags": ["a"]}\n', "utf-8")
    users = read_catalogue(open_table(file), USER_FIELDS, given={}, flag="--users-map")
    assert users.frame.rows() == [("1", None, ["a"]), ("2", "Graz", None)]


def test_bare_ids_make_a_catalogue() -> None:
    assert items_from_ids(pl.Series(["b", "a", "b"])).rows() == [("a", "a"), ("b", "b")]
