"""Sets of aspects: those that come with the package, and files that are wrong."""

from pathlib import Path

import pytest
from guided_films import ASPECTS

from whyrec.errors import InvalidConfigError
from whyrec.methods.guided.aspects import AspectSet, bundled_aspects, domains

POLES = """
[aspect.low]
means = "slow"
descriptions = ["slow", "very slow", "at leisure"]
[aspect.high]
means = "fast"
descriptions = ["fast", "very fast", "at speed"]
"""
PACE = f'[[aspect]]\nkey = "pace"\nname = "pace"\nmeaning = "Its rhythm."\n{POLES}'
HEAD = 'domain = "songs"\nthing = "song"\n'


def read(tmp_path: Path, text: str) -> AspectSet:
    path = tmp_path / "songs.toml"
    path.write_text(text, encoding="utf-8")
    return AspectSet.read(path)


def test_every_domain_has_twelve_whole_aspects() -> None:
    assert domains() == ("beauty", "clothing", "games", "movies", "products", "toys")
    for domain in domains():
        aspects = bundled_aspects(domain)
        assert len(aspects.keys) == 12
        for aspect in aspects.aspects:
            told = [*aspect.low.descriptions, *aspect.high.descriptions]
            assert len(told) == len({it.casefold() for it in told}), f"{domain}, {aspect.key} says the same twice"
            named = [set(pole.labels.get(column, ())) for pole in (aspect.low, aspect.high) for column in pole.labels]
            assert sum(map(len, named)) == len(set().union(*named)), f"{domain}, {aspect.key}: a label names both ends"


def test_the_papers_names_are_kept() -> None:
    assert bundled_aspects("movies").names[5:9] == (
        "tension level",
        "pace",
        "realism vs. fantasy",
        "historical vs. contemporary",
    )
    custom = next(it for it in bundled_aspects("games").aspects if it.key == "customization")
    assert (custom.low.means, custom.high.means) == ("deep customization", "limited customization")


def test_a_file_of_ones_own_needs_no_code(tmp_path: Path) -> None:
    aspects = read(tmp_path, HEAD + PACE)
    assert (aspects.domain, aspects.thing, aspects.keys, aspects.names) == ("songs", "song", ("pace",), ("pace",))


def test_some_aspects_in_another_order() -> None:
    assert ASPECTS.chosen(["era", "tension"]).keys == ("era", "tension")
    for wrong, got in ((["pace"], "pace"), ([], "none"), (["era", "era"], "era, era")):
        with pytest.raises(InvalidConfigError, match=f"expected some of tension, era, each once, got {got}"):
            ASPECTS.chosen(wrong)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD, r"expected tables \[\[aspect\]\], got none"),
        (HEAD + PACE + PACE, "expected each key once, got 'pace' twice"),
        (HEAD + PACE + PACE.replace('key = "pace"', 'key = "speed"'), "expected each name once, got 'pace' twice"),
        (HEAD + PACE.partition("[aspect.high]")[0], r"aspect 'pace': .*got none of high\. Say what 1 and 10 stand for"),
        (HEAD + PACE.replace("[aspect.low]", "[aspect.slow]"), r"aspect 'pace': .*got none of low"),
        (HEAD + PACE.replace(', "at speed"', ""), "aspect 'pace', high: expected at least 3 descriptions, got 2"),
        (HEAD + PACE.replace('means = "slow"', 'means = ""'), r"aspect\.0\.low\.means: .*got ''"),
        (
            HEAD + PACE.replace('key = "pace"', 'key = "id"'),
            r"aspect\.0\.key: expected another key than 'id'.*, got 'id'",
        ),
        (HEAD + PACE + 'colour = "red"', "aspect.0.high.colour: .*got 'red'"),
        (HEAD + PACE.replace('"Its rhythm."', '"<b>"'), r"aspect\.0\.meaning: .*got '<b>'"),
        (HEAD + PACE + "[aspect.fact]\ncolumns = ['bpm']\nlow = 9\nhigh = 9", "expected low and high to differ"),
        (
            HEAD + PACE + "[aspect.fact]\ncolumns = ['bpm']\nlow = 0\nhigh = 9\nlogarithmic = true",
            "expected low and high above 0 where logarithmic, got 0",
        ),
        ("domain = ", "expected TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidConfigError, match=told) as caught:
        read(tmp_path, text)
    assert "songs.toml" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_domain_says_which_there_are() -> None:
    with pytest.raises(InvalidConfigError, match=r"expected one of beauty, .*toys, got 'wine'"):
        bundled_aspects("wine")
