"""A view of the web page, opened in a browser, with what its tests look at."""

import time
from typing import Any

import pytest

from contracts.opened_page import OpenedPage

DESKTOP, PHONE = (1280, 900), (360, 740)
LONGEST_S = 10
PICTURE = "canvas => canvas.toDataURL()"


class OpenedView(OpenedPage):
    """Open it with ``with``: the page at an address such as ``#/items/i0``, once the view is shown."""

    def __init__(
        self,
        chromium: Any,
        url: str,
        address: str,
        *,
        size: tuple[int, int] = DESKTOP,
        waits: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(chromium, f"{url}/{address}", viewport={"width": size[0], "height": size[1]}, **options)
        if waits:
            self.wait()

    def go(self, address: str) -> None:
        """To another view, as a link leads there."""
        self.page.evaluate("address => { location.hash = address }", address)
        self.wait()

    def wait(self) -> None:
        """Until the view of the address is shown, and its charts are drawn."""
        self.page.wait_for_timeout(30)
        self.page.wait_for_selector("#main:not([aria-busy])")
        self.page.wait_for_timeout(60)

    def until(self, expression: str) -> None:
        """Until something is so; the page's policy forbids the driver's own way of asking for that."""
        end = time.monotonic() + LONGEST_S
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"expected {expression} within {LONGEST_S} s"
            self.page.wait_for_timeout(20)

    @property
    def title(self) -> str:
        return str(self.page.locator("h1").inner_text())

    @property
    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id"))

    @property
    def places(self) -> list[str]:
        return [str(text) for text in self.page.locator(".places .title").all_inner_texts()]

    def picture(self) -> str:
        """Of the first chart."""
        return str(self.page.locator("canvas").first.evaluate(PICTURE))


def breaches(page: Any, *rules: str) -> list[str]:
    """What axe-core finds serious or critical, with where; all rules by default."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = axe.Axe().run(page, options=options).response["violations"]
    grave = [it for it in found if it["impact"] in ("serious", "critical")]
    return [f"{it['id']}: {node['html'][:150]}" for it in grave for node in it["nodes"]]
