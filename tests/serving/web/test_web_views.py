"""Every view in a real Chromium: it fits, obeys the server's policy, complains of nothing, and everybody can use it."""

from typing import Any
from urllib.parse import quote

import pytest
import web_world
from web_browser import DESKTOP, PHONE, OpenedView, breaches
from web_site import Site

pytestmark = pytest.mark.browser

ODD = quote(web_world.ODD_ID, safe="")
VIEWS = {
    "trending": ("#/", "Trending"),
    "counted": ("#/?window=7d&attribute=genres:Drama", "Trending"),
    "last places": ("#/?offset=40", "Trending"),
    "item": ("#/items/i0", "Gravity (2006)"),
    "long item": ("#/items/i1", "Captain Phillips (2007)"),
    "odd item": (f"#/items/{ODD}", '<img src=x onerror="document.title=1"><script>'),
    "user": ("#/users/ann?method=guided", "User ann"),
    "odd user": (f"#/users/{ODD}", f"User {web_world.ODD_ID}"),
    "search": ("#/search?q=film", "Search"),
    "wish": ("#/wish", "What do you want?"),
}


# Only one rule looks at colours: in the dark, all others would find what they found before.
CASES = [(DESKTOP, "light", ()), (PHONE, "dark", ("color-contrast",))]


@pytest.mark.parametrize(("size", "mode", "rules"), CASES, ids=["desktop", "phone"])
def test_every_view_fits_obeys_the_policy_and_is_open_to_everybody(
    chromium: Any, site: Site, size: tuple[int, int], mode: str, rules: tuple[str, ...]
) -> None:
    with OpenedView(chromium, site.url, "#/", size=size, color_scheme=mode, reduced_motion="reduce") as opened:
        page = opened.page
        for name, (address, title) in VIEWS.items():
            opened.go(address)
            assert opened.title.startswith(title), name
            assert page.title().startswith(title), name
            for details in page.locator("main details summary").all()[:2]:
                details.click()
            opened.wait()
            assert page.evaluate("document.documentElement.scrollWidth") == size[0], name
            outside = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().left < -1).length"
            assert page.evaluate(outside) == 0, name
            canvases = "[...document.querySelectorAll('canvas')].map(c => [c.width > 0, c.role, !!c.ariaLabel])"
            assert all(found == [True, "img", True] for found in page.evaluate(canvases)), name
            assert breaches(page, *rules) == [], name
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(int(part) for part in ground.strip("rgb()").split(",")) / 3 > 200) == (mode == "light")
        assert opened.complaints == []  # a breach of the policy would be one
        assert all(url.startswith(site.url) for url in opened.requests)


def test_axe_would_find_something(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/wish") as opened:
        opened.page.evaluate("document.querySelector('label[for=wish-words]').remove()")
        assert any(found.startswith("label: ") for found in breaches(opened.page))


def test_a_picture_of_every_chart_is_in_words_too(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/items/i0") as opened:
        page = opened.page
        assert page.locator("canvas").get_attribute("aria-label") == (
            "Users per month over 9 months, most in October 2013 with 95 users. "
            "Forecast, 7 November 2013 to 6 December 2013 by TRAIL: 60 users, 80% interval 38 to 91."
        )
        page.locator("details.numbers summary").click()
        rows = page.locator("details.numbers tbody tr").all_inner_texts()
        assert len(rows) == 10
        assert [text.split("\t") for text in (rows[0], rows[7])] == [
            ["March 2013 (in part)", "5 users"],
            ["October 2013", "95 users"],
        ]
        opened.go("#/users/ann?method=guided")
        table = page.locator(".comparison tbody tr")
        assert table.count() == len(web_world.ASPECTS)
        opened.go("#/")
        assert page.locator("canvas").count() == 20
        label = page.locator("canvas").first.get_attribute("aria-label")
        recent = web_world.board("next").entries[0].recent
        assert label == (
            f"Users a day over 30 days: between {min(recent)} and {max(recent)}, {recent[-1]} on the last day"
        )


def test_hostile_texts_are_texts(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, f"#/items/{ODD}") as opened:
        page = opened.page
        shown = web_world.HOSTILE_TITLE.translate(dict.fromkeys((0x202E, 0x200B, 0x07))).strip()
        assert opened.title == shown
        assert page.title() == f"{shown} – whyrec"
        opened.go("#/?offset=40")
        assert opened.places[-1] == shown
        opened.go("#/search?q=gnp")
        assert page.locator(".matches li").all_inner_texts() == [shown]
        assert page.locator("main img, main script").count() == 0
        assert page.title() == "Search – whyrec"
        assert opened.complaints == []


def test_a_description_of_100_kb_is_folded(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/items/i1", size=PHONE) as opened:
        summary = opened.page.locator("main details summary", has_text="Description (99,999 characters)")
        assert not opened.page.locator(".description").is_visible()
        summary.click()
        box = opened.page.locator(".description").bounding_box()
        assert 100 < box["height"] < 600
