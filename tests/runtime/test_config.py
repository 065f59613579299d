from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from whyrec.errors import InvalidConfigError
from whyrec.runtime.config import layered, parse_settings, read_toml, validated
from whyrec.runtime.strict_model import StrictModel


class Oven(StrictModel):
    degrees: int = Field(default=180, ge=0)
    racks: tuple[str, ...] = ("low",)
    maker: str = "north"
    warmth: float | None = Field(default=None, gt=0)


def test_values_are_toml_and_else_text() -> None:
    words = ["degrees=200", 'racks=["low", "high"]', "maker=30d", "rate=1e-3", "on=true", "note=a=b", "none="]
    assert parse_settings(words) == {
        "degrees": 200,
        "racks": ["low", "high"],
        "maker": "30d",
        "rate": 1 / 1000,
        "on": True,
        "note": "a=b",
        "none": "",
    }


@given(st.text())
def test_any_text_is_one_value(text: str) -> None:
    assert list(parse_settings([f"key={text}"])) == ["key"]


def test_a_line_break_smuggles_in_no_second_key() -> None:
    assert parse_settings(["a=1\nb = 2"]) == {"a": "1\nb = 2"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a"], "--set: expected key=value, got 'a'"),
        (["=1"], "--set: expected key=value, got '=1'"),
        (["a=1", "a=2"], "--set: expected 'a' once, got it twice"),
    ],
)
def test_words_that_set_nothing_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(InvalidConfigError, match=message):
        parse_settings(words)


def test_settings_are_checked_against_the_model() -> None:
    assert validated(Oven, {"degrees": 200, "racks": ["low"]}, where="oven") == Oven(degrees=200)
    with pytest.raises(InvalidConfigError, match=r"oven: expected one of degrees, racks, maker, warmth, got 'grill'\."):
        validated(Oven, {"grill": 1}, where="oven")
    with pytest.raises(InvalidConfigError, match=r"oven: expected one of degrees, racks, warmth, got 'maker'\."):
        validated(Oven, {"maker": "south"}, where="oven", fixed=["maker"])
    with pytest.raises(InvalidConfigError, match=r"oven, degrees: .* equal to 0, got -1\."):
        validated(Oven, {"degrees": -1}, where="oven")


@pytest.mark.parametrize("word", ["inf", "nan"])
def test_numbers_must_be_finite(word: str) -> None:
    """Infinity is above 0, and TOML can write it."""
    with pytest.raises(InvalidConfigError, match=rf"oven, warmth: .*finite number, got {word}\."):
        validated(Oven, parse_settings([f"warmth={word}"]), where="oven")


def test_a_file_is_read_or_refused_by_name_and_line(tmp_path: Path) -> None:
    path = tmp_path / "oven.toml"
    path.write_text("degrees = 200\n", "utf-8")
    assert read_toml(path) == {"degrees": 200}
    path.write_text("degrees = 200\nracks = = 1\n", "utf-8")
    with pytest.raises(InvalidConfigError, match=r"oven\.toml: expected TOML .*line 2"):
        read_toml(path)
    path.write_bytes(b"maker = '\xff'\n")
    with pytest.raises(InvalidConfigError, match=r"oven\.toml: expected TOML .*0xff"):
        read_toml(path)
    with pytest.raises(InvalidConfigError, match=r"No such file"):
        read_toml(tmp_path / "absent.toml")


def test_later_layers_win_key_by_key() -> None:
    file = {"training": {"epochs": 9, "rate": 0.1}, "device": "cpu"}
    assert layered(file, {"training.epochs": 5}, {"training.seed": 1}) == {
        "training": {"epochs": 5, "rate": 0.1, "seed": 1},
        "device": "cpu",
    }
    assert layered({"training.epochs": 1}, {"training": {"epochs": 2}}) == {"training": {"epochs": 2}}
    assert file == {"training": {"epochs": 9, "rate": 0.1}, "device": "cpu"}, "nothing is changed in place"


def test_a_table_takes_the_place_of_a_value() -> None:
    assert layered({"training": 5}, {"training.epochs": 1}) == {"training": {"epochs": 1}}
