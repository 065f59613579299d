"""The study's page in a real Chromium: people vote by mouse and keys, and what they save is what the results read."""

from pathlib import Path
from typing import Any

import pytest

from contracts.explanations import told, write_told
from contracts.opened_page import OpenedPage
from whyrec.evaluation.study_files import collect_votes, read_key
from whyrec.serving.study import build_study

pytestmark = pytest.mark.browser

N = 3
LONG = "x" * 300


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("study")
    paths = [
        write_told(directory / f"{letter}.jsonl", [told(f"{letter} {n} {LONG}", item_id=str(n)) for n in range(N)])
        for letter in "ab"
    ]
    return build_study(*paths, out=directory / "study.html", n_pairs=N, seed=0).page


class Opened(OpenedPage):
    """What these tests look at."""

    @property
    def shown(self) -> str:
        """Which pair is shown; fails if it is not one alone."""
        (name,) = self.page.eval_on_selector_all(
            ".pair", "all => all.filter(it => it.checkVisibility()).map(it => it.dataset.pair)"
        )
        return str(name)

    @property
    def progress(self) -> str:
        return str(self.page.locator("#progress").inner_text())

    def saved(self, path: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.locator("#save").click()
        download.value.save_as(path)
        return path


def test_votes_by_mouse_and_keys_are_kept_saved_and_read(chromium: Any, study: Path, tmp_path: Path) -> None:
    with Opened(chromium, study) as opened:
        page = opened.page
        assert (opened.shown, opened.progress) == ("1", "0 of 3 answered")
        assert page.locator("#save").is_disabled()
        page.locator(".pair:visible input[value=second]").check()
        page.locator("#next").click()
        assert opened.shown == "2"
        assert page.evaluate("document.activeElement.id") == "title-2"
        page.keyboard.press("0")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("2")
        page.keyboard.press("1")
        page.locator("#name").fill("Ann 12")
        page.reload()
        assert (opened.shown, opened.progress) == ("3", "3 of 3 answered")
        path = opened.saved(tmp_path / "votes.json")
        assert "Saved 3 answers" in page.locator("#said").inner_text()
        assert opened.complaints == []
        assert set(opened.requests) == {study.as_uri()}
    (votes,) = collect_votes([path], key=read_key(study.with_suffix(".key.json"))).votes
    assert [(it.pair, it.choice) for it in votes.votes] == [("1", "second"), ("2", "same"), ("3", "first")]
    assert votes.name == "Ann 12"


def test_arrows_within_an_answer_change_it_and_keys_can_be_switched_off(chromium: Any, study: Path) -> None:
    with Opened(chromium, study) as opened:
        page = opened.page
        page.locator(".pair:visible input[value=first]").check()
        page.keyboard.press("ArrowRight")
        assert opened.shown == "1"
        assert page.locator(".pair:visible input[value=same]").is_checked()
        page.locator("#keys").uncheck()
        page.locator("h1").click()
        page.keyboard.press("2")
        page.keyboard.press("ArrowRight")
        assert (opened.shown, page.locator(".pair:visible input[value=same]").is_checked()) == ("1", True)


def test_starting_over_forgets_answers_after_a_question(chromium: Any, study: Path) -> None:
    with Opened(chromium, study) as opened:
        opened.page.keyboard.press("1")
        opened.page.once("dialog", lambda dialog: dialog.dismiss())
        opened.page.locator("#clear").click()
        assert opened.progress == "1 of 3 answered"
        opened.page.once("dialog", lambda dialog: dialog.accept())
        opened.page.locator("#clear").click()
        assert opened.progress == "0 of 3 answered"


@pytest.mark.parametrize("kept", ["{", "null", '{"answers": {"9": "first", "1": "<b>"}, "shown": 99, "rater": "<x>"}'])
def test_what_a_browser_kept_wrongly_is_not_taken(chromium: Any, study: Path, tmp_path: Path, kept: str) -> None:
    with Opened(chromium, study) as opened:
        opened.page.evaluate("kept => localStorage.setItem(`whyrec study ${document.body.dataset.study}`, kept)", kept)
        opened.page.reload()
        assert (opened.shown, opened.progress) == ("1", "0 of 3 answered")
        opened.page.keyboard.press("1")
        path = opened.saved(tmp_path / "votes.json")
        assert opened.complaints == []
    assert len(collect_votes([path], key=read_key(study.with_suffix(".key.json"))).votes) == 1


def test_a_browser_that_keeps_nothing_is_said_and_saves_all_the_same(
    chromium: Any, study: Path, tmp_path: Path
) -> None:
    context_script = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('off'); } });"
    with Opened(chromium, study) as opened:
        opened.page.add_init_script(context_script)
        opened.page.reload()
        opened.page.keyboard.press("1")
        assert opened.page.locator("#unkept").is_visible()
        opened.saved(tmp_path / "votes.json")
        assert opened.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_its_answers_are_big_enough_to_touch(chromium: Any, study: Path, width: int, scheme: str) -> None:
    with Opened(chromium, study, viewport={"width": width, "height": 740}, color_scheme=scheme) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        heights = opened.page.eval_on_selector_all(
            ".pair:not([hidden]) fieldset span, button",
            "all => all.filter(it => it.checkVisibility()).map(it => it.getBoundingClientRect().height)",
        )
        assert len(heights) == 7
        assert min(heights) >= 44


def test_screen_readers_find_names_for_everything(chromium: Any, study: Path) -> None:
    with Opened(chromium, study) as opened:
        page = opened.page
        group = page.get_by_role("group", name="Which would you rather be given?")
        for name in ("First", "About the same", "Second"):
            assert group.get_by_role("radio", name=name, exact=True).count() == 1
        assert page.get_by_role("article", name="Second").count() == 1
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.get_by_role("navigation", name="Pairs").count() == 1
        assert page.get_by_role("textbox", name="Your name or initials, if you like").count() == 1
