"""The page as a document: complete, self-contained, inert, linked, legible."""

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from report_world import CUTOFF, bundled_report, content_of, facts_of, item_of, told

from whyrec.errors import OutputWriteError
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.interfaces import Evidence, Verdict
from whyrec.serving.report import ReportContent, render_report, write_report

HOSTILE = """<script>alert("x")</script>'"><img src=x onerror=alert(1)> & {{ 7 * 7 }}"""


class Page(HTMLParser):
    """All elements with their attributes and text, and whether every tag was closed in order."""

    VOID = frozenset(("meta", "img", "br", "link"))

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[int] = []
        self.feed(html)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        if tag not in self.VOID:
            self.open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for place in self.open:
            self.texts[place] += data

    def find(self, *, tag: str = "", css: str = "") -> list[tuple[dict[str, str], str]]:
        return [
            (attributes, text)
            for (name, attributes), text in zip(self.elements, self.texts, strict=True)
            if (not tag or name == tag) and (not css or css in attributes.get("class", "").split())
        ]


def page_of(content: ReportContent) -> Page:
    return Page(render_report(content))


def claims_of(page: Page) -> list[tuple[dict[str, str], str]]:
    return [(attributes, text) for attributes, text in page.find(css="claim") if "data-says" in attributes]


@pytest.fixture(scope="module")
def films() -> ReportContent:
    return bundled_report()


def contents() -> list[ReportContent]:
    hostile = facts_of(title=HOSTILE, attributes={HOSTILE: HOSTILE, "description": "long " * 200})
    return [
        content_of([]),
        content_of([item_of(facts_of())]),
        content_of([item_of(facts_of(())), item_of(facts_of((5,)), rank=2, expected=0.2)]),
        content_of([item_of(hostile)]),
        content_of([item_of(facts_of(title="Very long title " * 30))]),
        content_of([item_of(facts_of(item_id=f"tt{n}"), rank=n) for n in range(1, 51)]),
        content_of([item_of(facts_of())], evaluation=pl.DataFrame(schema=ROW_SCHEMA)),
    ]


@pytest.mark.parametrize("content", contents(), ids=["empty", "one", "new", "hostile", "long", "fifty", "unjudged"])
def test_ids_are_unique_and_every_link_ends_on_the_page(content: ReportContent) -> None:
    page = page_of(content)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for attributes, _ in page.find(tag="a")]
    targets = {name for attributes, _ in page.find(css="claim") for name in attributes.get("data-targets", "").split()}
    named = {
        name
        for _, attributes in page.elements
        for key in ("aria-labelledby", "aria-describedby")
        for name in attributes.get(key, "").split()
    }
    assert {link.removeprefix("#") for link in links} | targets | named <= set(ids)
    assert len(claims_of(page)) >= 15 * len(content.items)
    assert len(page.find(tag="article")) == len(content.items)


def test_every_claim_of_an_explanation_is_marked_and_points_at_its_evidence(films: ReportContent) -> None:
    page = page_of(films)
    marked = claims_of(page)
    place = 0
    for claim in (claim for item in films.items for claim in item.explanation.verdict.claims):
        # Claims on the same words share a mark; otherwise the marks follow the claims.
        place = next(n for n in range(place, len(marked)) if claim.text in marked[n][1])
    assert place == len(marked) - 1
    point_of = {attributes["id"]: attributes for attributes, _ in page.find(css="point")}
    assert all(attributes["href"] == "#" + attributes["data-targets"].split()[0] for attributes, _ in marked)
    assert {name for attributes, _ in marked for name in attributes["data-targets"].split()} <= set(point_of)
    first = films.items[0]
    months = [claim for claim in first.explanation.verdict.claims if claim.evidence_ids == ("month:2013-10",)]
    assert months
    bar = next(attributes for attributes, _ in marked if attributes["data-targets"] == "e1-month-2013-10")
    assert bar["data-says"] == f"Rests on October 2013 (in part): {first.facts.months[-1].users} users"


def test_each_item_shows_rank_title_attributes_forecast_chart_and_badge(films: ReportContent) -> None:
    html = render_report(films)
    articles = re.findall(r"<article .*?</article>", html, re.S)
    assert len(articles) == len(films.items) == 10
    for place, (article, item) in enumerate(zip(articles, films.items, strict=True), start=1):
        page = Page(article)
        text = " ".join(page.texts[0].split())
        n = len(item.explanation.verdict.claims)
        assert f"Rank {place}" in text
        assert item.facts.title in text
        assert ", ".join(item.facts.attributes["genres"]) in text  # type: ignore[arg-type]  # genres are a tuple
        assert f"80% interval {item.point.low:,.0f}–{item.point.high:,.0f}" in text
        assert f"{n} of {n} claims checked and borne out" in text
        assert "written offline, without a language model" in text
        assert [heading for _, heading in page.find(tag="h4")][:3] == ["Trend", "Feature", "Integration"]
        months = [it for it, _ in page.find(css="point") if re.fullmatch(r"e\d+-month-\d{4}-\d\d", it["id"])]
        assert len(months) == len(item.facts.months)


def test_unsupported_claims_say_what_the_evidence_says() -> None:
    text = "It drew 40 users in July and 99 in August, said 7 people."
    claims = (("40", True, ("month:2013-07",)), ("99", False, ("month:2013-08",)), ("7", False, ()))
    item = dataclasses.replace(item_of(facts_of()), explanation=told(text, *claims))
    page = page_of(content_of([item]))
    wrong = page.find(css="unsupported")
    assert [text for _, text in wrong] == ["99", "7"]
    assert wrong[0][0]["data-targets"] == "e1-month-2013-08"
    assert "href" not in wrong[1][0]  # nothing to point at ...
    assert wrong[1][0]["tabindex"] == "0"  # ... but still in the keyboard's reach
    assert [text for _, text in page.find(css="problem")] == ["[not borne out: it is 3]"] * 2
    assert [text for _, text in page.find(css="badge")] == ["2 of 3 checked claims not borne out"]
    assert [text for _, text in page.find(css="writer")] == ["written by some-model@1"]
    (reason,) = page.find(css="reason")
    assert re.sub(r" \[.*?\]", "", reason[1]) == text


def test_a_text_without_claims_is_not_called_checked() -> None:
    item = item_of(facts_of())
    mute = dataclasses.replace(item.explanation, verdict=Verdict(()))
    page = page_of(content_of([dataclasses.replace(item, explanation=mute)]))
    assert [text for _, text in page.find(css="badge")] == ["no checkable claim"]


def test_evidence_that_the_page_cannot_show_is_no_link() -> None:
    explanation = told("About 40 users.", ("40", True, ("moon:phase",)))
    page = page_of(content_of([dataclasses.replace(item_of(facts_of()), explanation=explanation)]))
    ((attributes, _),) = claims_of(page)
    assert "data-targets" not in attributes
    # ... and evidence of a kind that only the explanation knows is listed beside the rest.
    knowing = dataclasses.replace(explanation, evidence=(Evidence("moon:phase", "recent", "the moon", "full"),))
    page = page_of(content_of([dataclasses.replace(item_of(facts_of()), explanation=knowing)]))
    ((attributes, _),) = claims_of(page)
    assert attributes["data-says"] == "Rests on the moon: full"


def test_titles_and_attributes_are_inert() -> None:
    facts = facts_of(title=HOSTILE, attributes={HOSTILE: HOSTILE})
    item = item_of(facts)
    writer = dataclasses.replace(item.explanation, writer=HOSTILE)
    content = dataclasses.replace(content_of([dataclasses.replace(item, explanation=writer)]), title=HOSTILE)
    html = render_report(content)
    page = Page(html)
    assert len(page.find(tag="script")) == 1
    assert page.find(tag="img") == []
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.find(tag="h3")[0][1] == page.find(tag="h1")[0][1] == HOSTILE
    assert "49" not in page.find(tag="h3")[0][1]


def test_the_page_needs_nothing_from_elsewhere(films: ReportContent) -> None:
    html = render_report(films)
    page = Page(html)
    assert not re.search(r"https?:|url\(|@import|//[a-z]+\.[a-z]", html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"link", "img", "iframe", "object", "embed", "use", "image", "source", "video"}
    assert all("src" not in attributes for _, attributes in page.elements)
    (policy,) = [a["content"] for a, _ in page.find(tag="meta") if a.get("http-equiv") == "Content-Security-Policy"]
    ((_, script),) = page.find(tag="script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}'" in policy


def test_landmarks_and_headings_are_in_order(films: ReportContent) -> None:
    page = page_of(films)
    assert page.find(tag="html")[0][0]["lang"] == "en"
    assert all(len(page.find(tag=tag)) == 1 for tag in ("main", "footer", "h1"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all("aria-labelledby" in attributes and "role" in attributes for attributes, _ in page.find(tag="svg"))
    headers = [attributes for attributes, _ in page.find(tag="th")]
    assert {attributes["scope"] for attributes in headers} == {"row", "col"}


def test_the_header_says_what_was_forecast_from_what(films: ReportContent) -> None:
    text = " ".join(page_of(films).find(css="summary")[0][1].split())
    for said in (
        "movietweetings 28 February 2013 to 6 November 2013",
        "Interactions 141,695",
        "Cut-off 8 October 2013",
        "Forecast for 8 October 2013 up to 7 November 2013, not included",
        "Forecaster trail",
        "Text by offline no language model",
    ):
        assert said.replace(" ", "") in text.replace(" ", "")


def test_the_evaluation_sets_references_apart_and_the_best_in_bold() -> None:
    page = page_of(content_of([item_of(facts_of())]))
    rows = [(attributes["class"].split()[0], text.split()[0]) for attributes, text in page.find(tag="tr") if attributes]
    judged = [("method", name) for name in ("trail", "last", "last")]
    assert rows[:6] == [*judged, ("reference", "chance"), ("reference", "oracle"), ("reference", "greedy")]
    bold = [text for _, text in page.find(tag="strong")]
    assert bold[1:5] == ["0.310", "0.861", "0.155", "0.217"]  # after the item's forecast; .31, .31/.36, .31/2, .31*.7
    assert len(page.find(tag="details")) == 2


def test_the_same_content_makes_the_same_page(films: ReportContent) -> None:
    assert render_report(films) == render_report(bundled_report())


def test_nothing_later_than_the_cutoff_reaches_an_item(films: ReportContent) -> None:
    html = render_report(films)
    months = {tuple(map(int, found)) for found in re.findall(r'id="e\d+-month-(\d{4})-(\d\d)"', html)}
    assert max(months) == (CUTOFF.year, CUTOFF.month)
    assert all(item.facts.months[-1].users <= item.facts.recent[30] for item in films.items if item.facts.months)


def test_a_failed_write_leaves_the_page_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_report(path, content=content_of([]))
    before = path.read_text(encoding="utf-8")
    assert before.endswith("</html>")

    def full_disk(self: Path, text: str, **kwargs: object) -> int:
        with self.open("w", encoding="utf-8") as file:
            file.write(text[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OutputWriteError, match=r"report\.html: could not be written \(No space left on device\)"):
        write_report(path, content=content_of([item_of(facts_of())]))
    assert path.read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [path]


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_as_the_guidelines_do() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(1.05 / 0.05)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the known near miss


def palettes() -> list[dict[str, str]]:
    """Colours by name: light, dark, and on paper."""
    serving = files("whyrec.serving")
    base, own = ((serving / sheet).read_text() for sheet in ("web/base.css", "templates/report.css"))
    pairs = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\);", base)
    (printed,) = re.findall(r":root \{(.*?)\}", own, re.S)
    found = [
        {name: light for name, light, _ in pairs},
        {name: dark for name, _, dark in pairs},
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", printed)),
    ]
    assert min(map(len, found)) >= 9
    return [{k: v if len(v) == 7 else "#" + "".join(c * 2 for c in v[1:]) for k, v in one.items()} for one in found]


@pytest.mark.parametrize("mode", [0, 1, 2], ids=["light", "dark", "print"])
def test_words_stand_out_from_their_ground_in_both_modes(mode: int) -> None:
    palette = palettes()[mode]
    words = [("ink", g) for g in ("paper", "raised", "tint")] + [("muted", g) for g in ("paper", "raised", "tint")]
    words += [("accent", "paper"), ("accent", "tint"), ("alarm", "paper")]
    for word, ground in words:
        assert contrast(palette[word], palette[ground]) >= 4.5, (word, ground)
    if mode < 2:
        assert contrast(palette["bar"], palette["paper"]) >= 3.0
        assert contrast(palette["on-accent"], palette["accent"]) >= 4.5
