"""The page in a real Chromium: it fits, it asks nothing of the network, and its links light up, both ways."""

from pathlib import Path
from typing import Any

import pytest
from report_world import bundled_report, content_of, facts_of, item_of

from contracts.opened_page import OpenedPage
from whyrec.serving.report import write_report

pytestmark = pytest.mark.browser

DESKTOP, PHONE = (1280, 900), (360, 740)
# What a point looks like, apart from its place: the ground behind it and the bar itself.
LOOK = """
    group => [...group.children].map(child => getComputedStyle(child))
        .map(style => [style.fill, style.fillOpacity, style.fontWeight].join(" ")).join()
"""
GROUND = "element => getComputedStyle(element).backgroundColor"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(path, content=bundled_report())
    return path


class Opened(OpenedPage):
    """What these tests look at."""

    def __init__(self, chromium: Any, path: Path, *, size: tuple[int, int] = DESKTOP, **options: Any) -> None:
        super().__init__(chromium, path, viewport={"width": size[0], "height": size[1]}, **options)

    def look(self, anchor: str) -> str:
        """The computed style of a chart's point, once transitions have ended."""
        return self.settled(self.page.locator(f"#{anchor}"), LOOK)

    def settled(self, place: Any, measure: str) -> str:
        self.page.wait_for_timeout(250)
        return str(place.evaluate(measure))

    def claim_on(self, anchor: str) -> Any:
        return self.page.locator(f'.claim[data-targets="{anchor}"]').first


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_fits_and_asks_for_nothing(
    chromium: Any, report: Path, tmp_path: Path, size: tuple[int, int], mode: str
) -> None:
    with Opened(chromium, report, size=size, color_scheme=mode) as opened:
        page = opened.page
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
        picture = tmp_path / f"report-{size[0]}-{mode}.png"
        page.screenshot(path=str(picture))
        assert picture.stat().st_size > 10_000
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in ground.strip("rgb()").split(",")) / 3
        assert (brightness > 200) == (mode == "light")
        fits = (
            "e => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth && r.width > 300 }"
        )
        assert all(page.locator("svg.chart").nth(n).evaluate(fits) for n in range(10))
        smallest = (
            "Math.min(...[...document.querySelectorAll('.chart text')].map(t => t.getBoundingClientRect().height))"
        )
        assert page.evaluate(smallest) >= 9
        assert opened.complaints == []
        assert opened.requests == [report.as_uri()]


def test_very_long_words_do_not_widen_a_phone(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "long.html"
    facts = facts_of([n % 90 for n in range(1, 150)], title="Llanfair" * 30, attributes={"x" * 90: "y" * 200})
    write_report(path, content=content_of([item_of(facts, expected=123_456.0)]))
    with Opened(chromium, path, size=PHONE) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_claim_lights_its_point_and_the_point_its_claims(chromium: Any, report: Path, mode: str) -> None:
    with Opened(chromium, report, color_scheme=mode) as opened:
        month = "e1-month-2013-10"
        claim, dark = opened.claim_on(month), opened.look(month)
        claim.hover()
        assert opened.look(month) != dark
        assert opened.page.locator("#item-1 .readout").inner_text().startswith("Rests on October 2013 (in part): ")
        opened.page.locator("h1").hover()
        assert opened.look(month) == dark
        claim.focus()
        assert opened.look(month) != dark
        claim.blur()
        plain = opened.settled(claim, GROUND)
        opened.page.locator(f"#{month}").hover()
        assert opened.settled(claim, GROUND) != plain
        assert opened.complaints == []


def test_claims_on_drivers_and_attributes_light_bars_and_chips(chromium: Any, report: Path) -> None:
    with Opened(chromium, report) as opened:
        for anchor in ("e1-attribute-genres", "e1-driver-catalogue"):
            place = opened.page.locator(f"#{anchor}")
            before = opened.settled(place, GROUND)
            opened.claim_on(anchor).hover()
            assert opened.settled(place, GROUND) != before


def test_a_tap_pins_and_escape_releases(chromium: Any, report: Path) -> None:
    with Opened(chromium, report, size=PHONE, has_touch=True) as opened:
        month = "e2-month-2013-10"
        dark = opened.look(month)
        opened.claim_on(month).tap()
        assert opened.look(month) != dark
        box = opened.page.locator(f"#{month}").bounding_box()
        assert 0 <= box["y"] < PHONE[1]  # the chart is in sight of whoever tapped
        opened.page.keyboard.press("Escape")
        assert opened.look(month) == dark


def test_the_keyboard_reaches_claims_and_moves_inside_a_chart(chromium: Any, report: Path) -> None:
    with Opened(chromium, report) as opened:
        page = opened.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        reachable = "[...document.querySelectorAll('.claim[data-says]')].every(c => c.tabIndex === 0)"
        assert page.evaluate(reachable)
        stops = page.locator("#item-3 figure [tabindex='0']")
        assert stops.count() == 1  # one stop per chart
        stops.focus()
        first = page.evaluate("document.activeElement.id")
        page.keyboard.press("ArrowRight")
        second = page.evaluate("document.activeElement.id")
        assert first != second
        assert opened.look(second) != opened.look(first)
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("document.activeElement.id") == first


def test_without_scripts_claims_are_links_to_the_lit_point(chromium: Any, report: Path) -> None:
    with Opened(chromium, report, java_script_enabled=False) as opened:
        month = "e1-month-2013-10"
        picture = opened.page.locator(f"#{month}")
        before = picture.screenshot()
        opened.claim_on(month).click()
        assert opened.page.url.endswith(f"#{month}")
        opened.page.wait_for_timeout(250)
        assert picture.screenshot() != before


def test_reduced_motion_is_respected(chromium: Any, report: Path) -> None:
    duration = "getComputedStyle(document.querySelector('.claim')).transitionDuration"
    with Opened(chromium, report, reduced_motion="reduce") as opened:
        assert opened.page.evaluate(duration) == "0s"
    with Opened(chromium, report, reduced_motion="no-preference") as opened:
        assert opened.page.evaluate(duration) != "0s"
