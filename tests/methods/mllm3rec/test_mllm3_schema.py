"""Schemas of motivations, and what profiles, traits and rationales may hold."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from mllm3_shop import profile

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.methods.mllm3rec.artefacts import ItemTraits, Motivation, Profile
from whyrec.methods.mllm3rec.schema import DEFAULT_SCHEMA, MotivationSchema, default_schema

GARDEN = """
[[motivation]]
key = "shade"
name = "shade"
meaning = "It has to give shade."
descriptions = ["wide leaves", "tall"]

[[motivation]]
key = "harvest"
name = "harvest"
meaning = "It has to bear fruit."
descriptions = ["sweet berries"]
"""


def read(tmp_path: Path, text: str) -> MotivationSchema:
    path = tmp_path / "garden.toml"
    path.write_text(text, "utf-8")
    return MotivationSchema.read(path)


def test_the_default_has_ten_motivations_with_descriptions_to_compare_with() -> None:
    schema = default_schema()
    assert len(schema.keys) == len(set(schema.keys)) == 10
    assert {"performance", "sustainability", "giving"} < set(schema.keys)
    assert all(len(it.descriptions) >= 3 and it.meaning.endswith(".") for it in schema.dimensions)
    assert schema.keys == tuple(it["key"] for it in tomllib.loads(DEFAULT_SCHEMA.read_text("utf-8"))["motivation"])


def test_another_field_has_another_schema(tmp_path: Path) -> None:
    schema = read(tmp_path, GARDEN)
    assert schema.keys == ("shade", "harvest")
    assert schema.dimension("harvest").descriptions == ("sweet berries",)
    assert schema.strengths(profile(("harvest", 2))) == [0, 2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('key = "shade"', 'key = "Shade!"', r"motivation.0.key: String should match pattern .*, got 'Shade!'"),
        ('meaning = "It has to give shade."', "", r"motivation.0.meaning: Field required"),
        ('key = "harvest"', 'key = "shade"', r"expected each key once, got 'shade' twice"),
        ('name = "harvest"', 'name = "shade"', r"expected each name once, got 'shade' twice"),
        ('["sweet berries"]', "[]", r"motivation.1.descriptions: Tuple should have at least 1 item"),
        ("wide leaves", "wide <b>leaves", r"motivation.0.descriptions.0: String should match pattern"),
        ('key = "shade"', 'key = "shade"\ncolour = 3', r"motivation.0.colour: Extra inputs are not permitted, got 3"),
        ("[[motivation]]", "[[motive]]", r"expected one of motivation, got 'motive'"),
        ("[[motivation]]", "[[motivation", r"expected TOML such as"),
    ],
)
def test_a_file_that_is_no_schema_gets_one_clear_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InvalidConfigError, match=rf"garden.toml.*{message}") as raised:
        read(tmp_path, GARDEN.replace(old, new, 2 if old.startswith("[[") else 1))
    assert "\n" not in str(raised.value)
    with pytest.raises(InvalidConfigError, match="expected a TOML file, got none"):
        MotivationSchema.read(tmp_path / "absent.toml")
    with pytest.raises(InvalidConfigError, match="motivation: Field required"):
        read(tmp_path, "")


def test_a_profile_outside_the_schema_is_refused() -> None:
    schema = default_schema()
    assert schema.require(profile(("value", 1))) == profile(("value", 1))
    with pytest.raises(InvalidDataError, match=r"user 'u': expected motivations of performance, .* got 'luck'"):
        schema.require(profile(("value", 1), ("luck", 2)))
    with pytest.raises(InvalidDataError, match=r"^profile: expected motivations of .*, got 'luck'"):
        schema.strengths(profile(("luck", 2), user_id=None))
    with pytest.raises(InvalidDataError, match=r"motivation: expected one of performance, .*, got 'luck'"):
        schema.dimension("luck")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("value", 4, "Cheap."), "motivation 'value': expected a strength of 0 to 3, got 4"),
        (("value", -1, "Cheap."), "got -1"),
        (("value", True, "Cheap."), "got True"),
        (("value", 1, " "), "motivation 'value': expected a sentence, got ' '"),
        (("value", 1, "a\nb"), "expected a sentence in one line"),
        (("value", 1, "Cheap.", ("i", "j", "i")), "expected each item of evidence once, got 'i' twice"),
    ],
)
def test_motivations_that_are_none(values: Sequence[object], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        Motivation(*values)  # type: ignore[arg-type]


def test_a_motivation_stands_once_and_the_strongest_come_first() -> None:
    found = profile(("value", 1), ("safety", 3), ("status", 0), ("giving", 3))
    assert [it.dimension for it in found.present] == ["safety", "giving", "value"]
    with pytest.raises(InvalidDataError, match="profile of user 'u': expected each motivation once, got 'value' twice"):
        profile(("value", 1), ("value", 2))
    assert Profile("u", (), "test").present == ()


def test_an_item_without_traits_is_none_at_all() -> None:
    with pytest.raises(InvalidDataError, match=r"traits of item 'i': expected at least one trait, got none\. Leave"):
        ItemTraits("i", (), "test")
    with pytest.raises(InvalidDataError, match="expected phrases in one line each, got 'a\\\\nb'"):
        ItemTraits("i", ("fine", "a\nb"), "test")
    with pytest.raises(InvalidDataError, match="expected each trait once, got 'soft' twice"):
        ItemTraits("i", ("soft", "soft"), "test")
