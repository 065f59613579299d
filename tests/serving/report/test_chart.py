"""The drawing: one point per fact, to scale, reachable by id, coloured only by classes."""

import dataclasses
import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_world import facts_of, item_of

from whyrec.data.facts import ItemFacts
from whyrec.serving.report.chart import HEIGHT, WIDTH, chart_points, draw_chart
from whyrec.serving.report.svg import Point


def drawn(facts: ItemFacts, *, expected: float = 50.0) -> ET.Element:
    return ET.fromstring(draw(facts, expected=expected))


def draw(facts: ItemFacts, *, expected: float = 50.0) -> str:
    point = item_of(facts, expected=expected).point
    points = {key: Point(f"at-{key}", f"says {key}") for key in chart_points(facts, point)}
    return draw_chart(facts, point, points=points, name="c")


def shape(svg: ET.Element, point: str, kind: str) -> ET.Element:
    (group,) = [g for g in svg.iter("g") if g.get("id") == f"at-{point}"]
    (found,) = [element for element in group if element.get("class") == kind]
    return found


def edges(path: ET.Element) -> tuple[float, float, float, float]:
    """Left, right, bottom and top; up is up."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs), max(xs), HEIGHT - max(ys), HEIGHT - min(ys)


def height(path: ET.Element) -> float:
    _, _, bottom, top = edges(path)
    return top - bottom


def texts(svg: ET.Element, kinds: Iterable[str]) -> list[str]:
    return [str(text.text) for text in svg.iter("text") if text.get("class") in set(kinds)]


def test_bars_are_to_scale() -> None:
    svg = drawn(facts_of((40, 60, 80, 12)))
    heights = [height(shape(svg, f"month:2013-0{month}", "bar")) for month in (7, 8, 9)]
    assert heights[1] / heights[0] == pytest.approx(60 / 40)
    assert heights[2] / heights[0] == pytest.approx(80 / 40)
    assert height(shape(svg, "recent:30d", "days")) / heights[2] == pytest.approx(70 / 80)
    _, _, base, _ = edges(shape(svg, "month:2013-09", "bar"))
    low, high = (edges(shape(svg, f"forecast:{end}", "cap")) for end in ("low", "high"))
    assert ((low[2] + low[3]) / 2 - base) / heights[2] == pytest.approx(25 / 80)  # half of the expected 50
    assert ((high[2] + high[3]) / 2 - base) / heights[2] == pytest.approx(100 / 80)
    band = edges(shape(svg, "forecast", "band"))
    assert band[2:] == pytest.approx(((low[2] + low[3]) / 2, (high[2] + high[3]) / 2))


def test_a_month_seen_in_part_is_drawn_otherwise_and_the_forecast_stands_apart() -> None:
    svg = drawn(facts_of((40, 60, 80, 12)))
    part = shape(svg, "month:2013-10", "part")
    right_of_history = max(edges(shape(svg, point, "days"))[1] for point in ("recent:30d", "recent:7d"))
    (now,) = [path for path in svg.iter("path") if path.get("class") == "now"]
    assert edges(part)[1] < right_of_history < edges(now)[0] < edges(shape(svg, "forecast", "band"))[0]


def test_points_are_named_and_reachable() -> None:
    facts = facts_of()
    svg = drawn(facts)
    groups = {g.attrib["id"]: g for g in svg.iter("g") if g.get("class") == "point"}
    assert set(groups) == {f"at-{key}" for key in chart_points(facts, item_of(facts).point)}
    for anchor, group in groups.items():
        says = anchor.replace("at-", "says ")
        assert (group.get("role"), group.get("aria-label"), group.findtext("title")) == ("img", says, says)
    assert svg.find("title") is not None
    assert "July 2013 to October 2013, most in September 2013 with 80" in (svg.findtext("desc") or "")


def test_nothing_of_matplotlib_s_own_is_left() -> None:
    text = draw(facts_of(title="A & B $x^2$ <script>"))
    assert not re.search(r"#[0-9a-f]{6}|style=|xmlns|clip-path|<defs|http|<script|patch_|font-family", text)
    assert text == draw(facts_of(title="A & B $x^2$ <script>"))


def test_an_item_never_seen_has_a_forecast_and_says_so() -> None:
    svg = drawn(facts_of(()))
    assert texts(svg, ["note"]) == ["never chosen so far"]
    assert texts(svg, ["estimate"]) == ["50"]
    assert texts(svg, ["bound"]) == ["25", "100"]  # half and twice of it
    assert texts(svg, ["value"]) == ["0", "0"]


def test_nobody_at_all_can_be_drawn() -> None:
    svg = drawn(dataclasses.replace(facts_of((0,)), recent={7: 0, 30: 0}), expected=0.0)
    assert height(shape(svg, "month:2013-10", "part")) == pytest.approx(1.0)  # a line to point at


@settings(max_examples=12)
@given(
    users=st.lists(st.integers(0, 99_999), min_size=1, max_size=160),
    expected=st.floats(0, 50_000),
)
def test_whatever_the_history_nothing_leaves_the_drawing(users: list[int], expected: float) -> None:
    facts = facts_of(users)
    svg = drawn(facts, expected=expected)
    assert len([g for g in svg.iter("g") if g.get("class") == "point"]) == len(users) + 2 + 3
    for path in svg.iter("path"):
        left, right, bottom, top = edges(path)
        assert left >= -1e-6
        assert right <= WIDTH + 1e-6
        assert bottom >= 0
        assert top <= HEIGHT + 1e-6
    ticks = [float(t.attrib["x"]) for t in svg.iter("text") if t.get("class") == "tick"]
    assert all(abs(a - b) >= 18 for n, a in enumerate(ticks) for b in ticks[:n])  # three letters of six units


def test_many_months_are_labelled_by_years_and_peak_alone() -> None:
    users = [10 + n % 7 for n in range(60)]
    users[30] = 500
    svg = drawn(facts_of(users))
    assert texts(svg, ["value"]) == ["500", "70", "11"]  # the peak, the last 30 and 7 days
    assert set(texts(svg, ["group"])) >= {"2009", "2010", "2011", "2012"}
    assert not set(texts(svg, ["tick"])) & {"Jan", "Feb", "Oct"}
