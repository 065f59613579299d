import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from contracts.explanations import GENRES, told, write_told
from whyrec.errors import InvalidConfigError, InvalidDataError, OutputExistsError
from whyrec.evaluation.explanation_files import ToldExplanation
from whyrec.evaluation.study_files import read_key
from whyrec.interfaces import Evidence
from whyrec.serving.study import build_study

N = 12
ATTACK = '<script>alert(1)</script><img src=x onerror="alert(2)">\u202egnp.exe\u200b</main>'


def run(letter: str, n: int = N) -> list[ToldExplanation]:
    return [told(f"Words {letter} of {place}.", item_id=f"i{place}", writer=f"writer-{letter}") for place in range(n)]


def built(tmp_path: Path, a: list[ToldExplanation], b: list[ToldExplanation], *, n_pairs: int, seed: int = 0) -> str:
    paths = [write_told(tmp_path / f"run-{name}.jsonl", it) for name, it in (("one", a), ("two", b))]
    return build_study(*paths, out=tmp_path / "study.html", n_pairs=n_pairs, seed=seed).page.read_text("utf-8")


class Elements(HTMLParser):
    """The tags of a page, and the words of its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.words: list[str] = []
        self.urls: list[str] = []
        self._is_text = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.urls += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        self._is_text = ("class", "words") in attrs

    def handle_data(self, data: str) -> None:
        if self._is_text:
            self.words.append(data)
        self._is_text = False


def test_pairs_are_of_the_same_item_and_the_key_alone_says_which_is_which(tmp_path: Path) -> None:
    page = built(tmp_path, run("x"), run("y"), n_pairs=N)
    key = read_key(tmp_path / "study.key.json")
    words = Elements(page).words
    for place, pair in enumerate(key.pairs):
        letters = "xy" if pair.first == "A" else "yx"
        item = pair.item_id.removeprefix("i")
        assert words[2 * place : 2 * place + 2] == [f"Words {letter} of {item}." for letter in letters]
    assert {pair.item_id for pair in key.pairs} == {f"i{n}" for n in range(N)}
    assert [run_.writers for run_ in key.runs.values()] == [{"writer-x": N}, {"writer-y": N}]


def test_the_page_names_neither_run_nor_writer_nor_seed_nor_verdict(tmp_path: Path) -> None:
    page = built(tmp_path, run("x"), run("y"), n_pairs=N, seed=987_654)
    for secret in ("run-one", "run-two", "writer-", "offline", "987654", "verified", "user_id", "u1"):
        assert secret not in page


def test_each_run_stands_first_in_half_of_the_pairs(tmp_path: Path) -> None:
    built(tmp_path, run("x"), run("y"), n_pairs=N)
    sides = [pair.first for pair in read_key(tmp_path / "study.key.json").pairs]
    assert sides.count("A") == sides.count("B") == N / 2
    assert sides not in (["A", "B"] * 6, ["B", "A"] * 6, sorted(sides))


def test_the_same_seed_gives_the_same_page_and_another_seed_another(tmp_path: Path) -> None:
    pages = []
    for place, seed in enumerate((1, 1, 2)):
        (tmp_path / str(place)).mkdir()
        pages.append(built(tmp_path / str(place), run("x"), run("y"), n_pairs=6, seed=seed))
    assert pages[0] == pages[1] != pages[2]


def test_swapping_the_runs_swaps_the_key_and_not_the_pairs(tmp_path: Path) -> None:
    found = []
    for name, (a, b) in {"one": ("x", "y"), "two": ("y", "x")}.items():
        (tmp_path / name).mkdir()
        built(tmp_path / name, run(a), run(b), n_pairs=5)
        found.append([pair.item_id for pair in read_key(tmp_path / name / "study.key.json").pairs])
    assert found[0] == found[1]


def test_only_what_both_explain_in_other_words_is_shown(tmp_path: Path) -> None:
    a, b = run("x"), run("y", N - 2)
    b[0] = told("Words  x\nof 0.", item_id="i0")
    b[1] = told("Words y of 1.", item_id="i1", user_id="u2")
    with pytest.raises(
        InvalidConfigError, match=r"expected 1 to 8 \(of 12 and 10 .*, 9 are of the .*, 1 of them .* got 9"
    ):
        built(tmp_path, a, b, n_pairs=9)
    with pytest.raises(InvalidConfigError, match=r"expected 1 to 8 .* got 0"):
        built(tmp_path, a, b, n_pairs=0)
    built(tmp_path, a, b, n_pairs=8)
    assert {pair.item_id for pair in read_key(tmp_path / "study.key.json").pairs}.isdisjoint({"i0", "i1"})


def test_an_item_explained_twice_is_refused(tmp_path: Path) -> None:
    message = r"run-two\.jsonl: expected one explanation of an item, got two of 'i0' to user 'u1'"
    with pytest.raises(InvalidDataError, match=message):
        built(tmp_path, run("x"), [*run("y"), told("Again.", item_id="i0")], n_pairs=1)
    assert not list(tmp_path.glob("study*"))


@pytest.mark.parametrize("name", ["study.html", "study.key.json"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", "utf-8")
    with pytest.raises(OutputExistsError, match=name):
        built(tmp_path, run("x"), run("y"), n_pairs=1)
    assert (tmp_path / name).read_text("utf-8") == "mine"
    assert len(list(tmp_path.glob("study*"))) == 1


def test_hostile_text_is_text(tmp_path: Path) -> None:
    fact = Evidence("d", "attribute", ATTACK, ATTACK, ATTACK)
    plain = built(tmp_path, run("x", 1), run("y", 1), n_pairs=1)
    (tmp_path / "hostile").mkdir()
    hostile = [
        told(f"{ATTACK} {n}", title=ATTACK, evidence=[GENRES, fact], sections={ATTACK: f"{ATTACK} {n}"}) for n in "12"
    ]
    page = built(tmp_path / "hostile", hostile[:1], hostile[1:], n_pairs=1)
    before, after = Elements(plain), Elements(page)
    for tag in ("script", "img", "main", "section", "article", "style", "meta"):
        assert after.tags[tag] == before.tags[tag]
    assert not set("\u202e\u200b") & set(page)
    assert after.urls == ["#pairs"]


def test_the_page_asks_nothing_of_the_network_and_runs_no_other_script(tmp_path: Path) -> None:
    page = built(tmp_path, run("x"), run("y"), n_pairs=2)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "script-src 'sha256-" in policy[1]
    assert not re.search(r"https?:|//[a-z]|@import|url\(|fetch\(|XMLHttp|eval\(|innerHTML", page)


def test_facts_are_those_of_both_once_and_sorted(tmp_path: Path) -> None:
    october = Evidence("m", "series", "October 2013", 1204.0, "users")
    driver = Evidence("driver:x", "driver", "attention", 0.3, "share")
    title = Evidence("title", "title", "title", "Heat")
    a, b = told("x", evidence=[october, GENRES]), told("y", evidence=[GENRES, driver, title])
    page = built(tmp_path, [a], [b], n_pairs=1)
    assert re.findall(r"<dt><bdi>(.*?)</bdi></dt><dd><bdi>(.*?)</bdi>", page) == [
        ("October 2013", "1,204 users"),
        ("genres", "western, drama"),
    ]


def test_sections_and_paragraphs_are_kept(tmp_path: Path) -> None:
    text = "[Trend] It rose.\nThen fell.\n[Feature] A western."
    sections = {"Trend": "It rose.\nThen fell.", "Feature": "A western."}
    page = built(tmp_path, [told(text, sections=sections)], [told("y")], n_pairs=1)
    assert re.findall(r"<h4><bdi>(.*?)</bdi>", page) == ["Trend", "Feature"]
    assert [words for words in Elements(page).words if words != "y"] == ["It rose.", "Then fell.", "A western."]


def test_the_key_is_json_for_people_too(tmp_path: Path) -> None:
    built(tmp_path, run("x"), run("y"), n_pairs=1)
    found = json.loads((tmp_path / "study.key.json").read_text("utf-8"))
    assert found["format"] == "whyrec study key"
    assert found["pairs"][0]["first"] in ("A", "B")
