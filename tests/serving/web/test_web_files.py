"""The page's files: short, of known origin, and with nothing that its own policy forbids."""

import hashlib
import re
from importlib.resources import files

import pytest

WEB = files("whyrec.serving") / "web"
SCRIPTS = sorted(path.name for path in WEB.iterdir() if path.name.endswith(".js"))
SHEETS = sorted(path.name for path in WEB.iterdir() if path.name.endswith(".css"))
LONGEST_FILE, LONGEST_LINE = 400, 120


def read(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def test_there_is_something_to_check() -> None:
    assert len(SCRIPTS) > 20
    assert SHEETS == ["base.css", "page.css", "views.css"]


def test_what_is_not_ours_is_what_the_list_says() -> None:
    listed = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", read("vendor/VENDORED.md"), re.M))
    assert list(listed) == ["chart.umd.min.js"]
    found = sorted(path.name for path in (WEB / "vendor").iterdir())
    assert found == ["VENDORED.md", "chart.js.LICENSE.md", "chart.umd.min.js", "kurkle-color.LICENSE.md"]
    content = (WEB / "vendor" / "chart.umd.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == listed["chart.umd.min.js"]
    assert f"v{re.search(r'[|] ([0-9.]+) [|] MIT', read('vendor/VENDORED.md'))[1]}".encode() in content[:200]  # type: ignore[index]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_short_and_write_no_markup(name: str) -> None:
    text = read(name)
    assert len(text.splitlines()) <= LONGEST_FILE
    assert max(map(len, text.splitlines())) <= LONGEST_LINE
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser"
    assert re.findall(forbidden, text) == []
    assert re.findall(r"https?://", text) == []


def test_the_page_itself_has_no_inline_style_or_script_and_asks_nobody_else() -> None:
    page = read("index.html")
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script>|javascript:|https?://", page) == []
    named = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    assert len(named) == 7
    for name in named:
        assert WEB.joinpath(*name.split("/")).is_file(), name


@pytest.mark.parametrize("name", SHEETS)
def test_style_sheets_take_colours_from_the_palette_alone(name: str) -> None:
    text = read(name)
    outside = re.sub(r":root \{.*?\}", "", text, count=1, flags=re.S) if name == "base.css" else text
    assert re.findall(r"#[0-9a-f]{3,8}\b(?=[;, )])", outside) == []
    used = set(re.findall(r"var\(--([\w-]+)\)", text))
    known = set(re.findall(r"--([\w-]+):", read("base.css")))
    given_by_scripts = {"low", "high", "expected", "share", "at", "mean"}
    assert used <= known | given_by_scripts
