"""What the page's scripts make of texts is what Python makes of them."""

import random
from dataclasses import asdict
from typing import Any

import pytest
from web_browser import OpenedView
from web_site import Site

from whyrec.data.visible_text import visible
from whyrec.interfaces import Claim, Explanation, Verdict
from whyrec.serving.report.evidence import count_in_words, effect_in_words, users_in_words
from whyrec.serving.report.passages import sections_of

pytestmark = pytest.mark.browser

CASES = 300
LETTERS = "ab é🎬\u200d\n\u202eש"


def random_explanation(draw: random.Random) -> Explanation:
    text = "".join(draw.choices(LETTERS, k=draw.randrange(40)))
    claims = []
    for _ in range(draw.randrange(5)):
        start, end = sorted(draw.choices(range(len(text) + 1), k=2))
        if start < end:
            claims.append(Claim("number", text[start:end], start, end, draw.random() < 0.7))
    cuts = sorted(draw.choices(range(len(text) + 1), k=2))
    sections = {"one": text[: cuts[0]], "two": text[cuts[0] : cuts[1]]} if draw.random() < 0.7 else {}
    return Explanation("i", text, sections, (), Verdict(tuple(claims)), "offline")


@pytest.fixture(scope="module")
def scripts(chromium: Any, site: Site) -> Any:
    """Evaluates an expression with the page's modules at hand."""
    with OpenedView(chromium, site.url, "#/wish") as opened:
        yield lambda module, expression, given: opened.page.evaluate(
            f"async given => {{ const it = await import('/static/{module}.js'); return {expression}; }}", given
        )


def test_every_character_is_seen_or_dropped_as_in_python(scripts: Any) -> None:
    codes = [*range(0xD800), *range(0xE000, 0x10000), 0x1F3AC, *range(0xE0000, 0xE1001)]
    kept = scripts("text", "given.filter(code => it.visible('a' + String.fromCodePoint(code)).length > 1)", codes)
    assert kept == [code for code in codes if len(visible("a" + chr(code))) > 1]


JOINED = ["नमस्\u200dते", "👩\u200d🚀", "a\u200db", "می\u200cخواهم", "one\r\ntwo\u2028three\vfour", ""]


@pytest.mark.parametrize("text", JOINED)
def test_joiners_and_line_breaks_are_as_in_python(scripts: Any, text: str) -> None:
    assert scripts("text", "it.visible(given)", text) == visible(text)


def test_long_texts_are_cut_between_characters(scripts: Any) -> None:
    assert scripts("text", "it.cut(given, 3)", "🎬🎬🎬🎬") == "🎬🎬🎬…"
    assert scripts("text", "it.cut(given, 4)", "🎬🎬🎬🎬") == "🎬🎬🎬🎬"
    assert scripts("text", "it.title(given)", "\u200b \n ") == "(no title)"


def test_texts_are_cut_into_claims_as_in_the_report(scripts: Any) -> None:
    draw = random.Random(0)
    explanations = [random_explanation(draw) for _ in range(CASES)]
    given = [
        {"text": it.text, "sections": dict(it.sections), "claims": [asdict(claim) for claim in it.verdict.claims]}
        for it in explanations
    ]
    found = scripts("passages", "given.map(it.sectionsOf)", given)
    expected = [
        [(section.name, [(one.text, len(one.claims)) for one in section.passages]) for section in sections_of(it)]
        for it in explanations
    ]
    assert [
        [(s["name"], [(p["text"], len(p["claims"])) for p in s["passages"]]) for s in sections] for sections in found
    ] == expected
    assert sum(len(sections) > 1 for sections in expected) > 50


def test_numbers_read_as_in_the_report(scripts: Any) -> None:
    numbers = [0, 0.04, 0.3, 0.94, 0.96, 1, 2.4, 95, 1204, 123456.0]
    assert scripts("words", "given.map(n => it.count(n))", numbers) == [count_in_words(n) for n in numbers]
    assert scripts("words", "given.map(n => it.counted(n))", numbers) == [users_in_words(n) for n in numbers]
    facts = [
        ("attribute:year", 2013.0, ""),
        ("attribute:price", 81.28, ""),
        ("rating", 8.49, ""),
        ("total", 1204.0, "users"),
        ("push", -0.314, "score"),
    ]
    given = [{"id": name, "value": value, "unit": unit} for name, value, unit in facts]
    assert scripts("words", "given.map(it.value)", given) == ["2013", "81.28", "8.5", "1,204 users", "−0.31"]
    effects = [-0.5, -0.123, 0.0, 0.34, 0.999, 1.0, 1.5]
    assert scripts("words", "given.map(it.effect)", effects) == [effect_in_words(n) for n in effects]
