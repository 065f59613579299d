"""The page in use: links, keys, back and forward, search, filters, sliders, claims, keys of the server, failures."""

import hashlib
from typing import Any

import pytest
from web_browser import PHONE, OpenedView, breaches
from web_site import Site, serving
from web_world import ASPECTS, N_ITEMS, title_of

pytestmark = pytest.mark.browser


def test_links_lead_to_views_and_back_leads_back_with_title_focus_and_place(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "") as opened:
        page = opened.page
        assert (opened.title, page.title()) == ("Trending", "Trending – whyrec")
        assert opened.places == [title_of(n) for n in range(20)]
        page.locator(".place .title a").nth(12).click()
        opened.wait()
        assert (opened.title, page.title()) == (title_of(12), f"{title_of(12)} – whyrec")
        assert (opened.focused, page.evaluate("scrollY")) == ("view-title", 0)
        page.go_back()
        opened.wait()
        assert (opened.title, opened.focused) == ("Trending", "view-title")
        assert page.evaluate("scrollY") > 300
        page.go_forward()
        opened.wait()
        assert opened.title == title_of(12)
        page.reload()
        opened.wait()
        assert opened.title == title_of(12)
        assert opened.complaints == []


def test_the_skip_link_leads_past_the_head_and_keeps_the_view(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/items/i3") as opened:
        opened.page.keyboard.press("Tab")
        assert opened.page.evaluate("document.activeElement.className") == "skip"
        opened.page.keyboard.press("Enter")
        assert (opened.focused, opened.title) == ("main", title_of(3))


def test_windows_pages_and_filters_of_the_board(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/") as opened:
        page = opened.page
        figures = page.locator(".figures").first.inner_text().split("\n")
        assert figures[:3] == ["60 users", "expected, 80% interval", "[36–90]"]
        badges = [it.split("\n")[0] for it in page.locator(".badge").all_inner_texts()[:4]]
        assert badges == [
            "verified: 2 of 2 claims checked",
            "verified: 2 of 2 claims checked",
            "NOT verified: 1 of 2 claims not borne out",
            "not verified: no claim to check",
        ]
        assert page.locator(".writer").first.inner_text() == "offline"
        page.locator("#page-after").click()
        opened.wait()
        assert opened.places[0] == title_of(20)
        assert opened.focused == "page-after"
        assert page.locator(".pager .number").inner_text() == f"21–40 of {N_ITEMS + 1}"
        page.locator("#window-7d").click()
        opened.wait()
        assert opened.places[0] == title_of(0)
        assert page.locator("[aria-current=true]").inner_text() == "Last 7 days"
        page.locator("#filter").select_option("genres:Film-Noir")
        page.locator("#filter-set").click()
        opened.wait()
        assert opened.places == [title_of(n) for n in range(N_ITEMS) if n % 7 == 0]
        page.locator(".chips a", has_text="Comedy").first.click()
        opened.wait()
        # Of one attribute any value will do.
        assert opened.places[:4] == [title_of(n) for n in (0, 2, 4, 6)]
        page.locator(".set a", has_text="Film-Noir").click()
        opened.wait()
        page.locator(".set a", has_text="Comedy").click()
        opened.wait()
        assert opened.places[:2] == [title_of(0), title_of(1)]
        opened.go("#/?attribute=genres:Western")
        assert page.locator(".empty").inner_text() == "Nothing on this board has all that. Remove a filter."
        assert opened.complaints == []


def test_titles_are_searched_by_keyboard(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/") as opened:
        page, field = opened.page, opened.page.locator("#search-words")
        field.press_sequentially("film 1", delay=10)
        page.wait_for_selector("[role=option]")
        options = page.locator("[role=option]").all_inner_texts()
        assert 1 < len(options) <= 8
        assert field.get_attribute("aria-expanded") == "true"
        assert breaches(page) == []
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        chosen = field.get_attribute("aria-activedescendant")
        assert page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"
        assert page.locator("[aria-selected=true]").inner_text() == options[1]
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        assert page.locator("[aria-selected=true]").inner_text() == options[-1]
        page.keyboard.press("Enter")
        opened.wait()
        assert (opened.title, opened.focused) == (options[-1], "view-title")
        field.fill("film")
        page.wait_for_selector("[role=option]")
        page.keyboard.press("Escape")
        assert (page.locator("[role=option]:visible").count(), field.input_value()) == (0, "film")
        page.keyboard.press("Enter")
        opened.wait()
        assert opened.title == "Search"
        assert page.locator(".matches li").count() == 20
        page.locator("#page-after").click()
        opened.wait()
        assert page.locator(".matches li").count() == N_ITEMS - 8 - 20
        field.fill("nothing of the kind")
        page.keyboard.press("Enter")
        opened.wait()
        assert page.locator(".empty").inner_text() == "No title has words that begin so."
        page.locator("#who-id").fill("ann")
        page.keyboard.press("Enter")
        opened.wait()
        assert opened.title == "User ann"
        assert opened.complaints == []


def test_claims_facts_and_points_light_each_other(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/items/i0", reduced_motion="reduce") as opened:
        page = opened.page
        claims = page.locator(".claim")
        assert claims.all_inner_texts() == [
            "95 users in October 2013",  # counted in characters, though the text begins with a wide one
            "12 in September 2013",
            "drama",
            "nine prizes",
            "60 users",
        ]
        said = page.locator("main .problem").inner_text().strip()
        assert said == "[not borne out: the catalogue tells of no prize]"
        dark = opened.picture()
        october = page.locator("[data-evidence='month:2013-10']")
        claims.first.hover()
        assert opened.picture() != dark
        assert "is-lit" in str(october.get_attribute("class"))
        assert page.locator(".readout").inner_text() == "rests on October 2013: 95 users"
        page.locator("h1").hover()
        assert opened.picture() == dark
        october.focus()
        assert "is-lit" in str(claims.first.get_attribute("class"))
        assert opened.picture() != dark
        page.keyboard.press("Enter")
        page.locator("h1").focus()
        assert october.get_attribute("aria-pressed") == "true"
        assert "is-lit" in str(claims.first.get_attribute("class"))  # it stays until it is let go
        october.focus()
        page.keyboard.press("Escape")
        page.locator("h1").focus()
        assert page.locator(".is-lit").count() == 0
        box = page.locator("canvas").bounding_box()
        page.mouse.move(box["x"] + box["width"] - 40, box["y"] + box["height"] / 2)
        page.wait_for_timeout(60)
        assert "is-lit" in str(claims.last.get_attribute("class"))  # the forecast stands at the right
        page.locator("h1").hover()
        assert page.locator(".is-lit").count() == 0
        claims.last.focus()
        page.keyboard.press("Space")
        assert claims.last.get_attribute("aria-pressed") == "true"
        assert opened.complaints == []


def test_a_users_list_its_method_and_the_whole_reason(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/users/ann") as opened:
        page = opened.page
        assert opened.places == [title_of(n) for n in range(10)]
        assert "from the 34 items that you rated" in page.locator("#list .hint").first.inner_text()
        assert not any(url.endswith("/explanation?method=curec") for url in opened.requests)
        page.locator(".more summary").first.click()
        page.wait_for_selector(".others")
        assert sum(url.endswith("/explanation?method=curec") for url in opened.requests) == 1
        shares = page.locator(".others .share .number").all_inner_texts()
        assert shares == ["46%", "20%", "11%", "23%"]
        assert page.locator(".others li").last.inner_text().split("\n")[-1] == "none of them"
        assert page.locator(".inside .claim").count() == 5
        page.locator("#method-guided").click()
        opened.wait()
        assert (opened.places[0], opened.focused) == (title_of(24), "method-guided")
        page.locator(".more summary").first.click()
        page.wait_for_selector(".inside .bars")
        pushes = page.locator(".inside .bars li").all_inner_texts()
        assert (len(pushes), pushes[0].split("\n")[-1]) == (len(ASPECTS), "−0.33")
        before = page.locator(".comparison canvas").evaluate("canvas => canvas.toDataURL()")
        page.locator("#compared").select_option(label=f"3. {title_of(22)}")
        opened.until("document.querySelector('.comparison .keys').textContent.includes('Film 22')")
        page.wait_for_timeout(80)
        assert page.locator(".comparison canvas").evaluate("canvas => canvas.toDataURL()") != before
        assert opened.complaints == []


def test_a_user_without_history_gets_what_is_trending(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/users/nobody") as opened:
        assert opened.places[0] == title_of(0)
        assert "no history yet: what is trending" in opened.page.locator("#list .hint").inner_text()
        assert opened.page.locator(".what-if, .comparison, .more").count() == 0


def test_sliders_change_the_list_at_once_and_ask_seldom(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/users/ann", reduced_motion="reduce") as opened:
        page = opened.page
        moves = page.locator(".moves li")
        assert moves.first.inner_text().split("\n")[:2] == ["1", title_of(0)]
        del site.live.asked[:]
        slider = page.locator("#aspect-0")
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        opened.until("document.querySelectorAll('.moves .new').length === 3")
        assert site.live.asked == [("ann", "tension", 0.3)]
        assert slider.get_attribute("aria-valuetext") == "more tension"
        assert [it.split("\n")[-1] for it in moves.all_inner_texts()[2:5]] == ["new", "down 3 places", "down 3 places"]
        assert page.locator(".left").inner_text() == f"Left: {title_of(7)}, {title_of(8)}, {title_of(9)}"
        assert page.locator(".mean-level").inner_text() == "Mean tension of the list: 5.5 → 5.8 of 10"
        assert page.locator("#status").inner_text() == "tension: 3 came in, 3 left, mean level 5.8"
        assert page.evaluate("document.getAnimations().length") == 0
        page.locator("#aspect-1").focus()
        page.keyboard.press("ArrowLeft")
        opened.until("document.querySelectorAll('.moves .new').length === 1")
        assert site.live.asked[-1] == ("ann", "humour", -0.1)
        assert (slider.input_value(), slider.get_attribute("aria-valuetext")) == ("0", "as it is tension")
        page.locator("#reset-aspects").click()
        opened.until("document.querySelectorAll('.moves .new').length === 0")
        assert page.locator("#aspect-1").input_value() == "0"
        assert opened.complaints == []


def test_wishes_in_words(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/wish", size=PHONE) as opened:
        page = opened.page
        page.locator("#wish-words").fill("something quiet for the evening")
        page.locator("button.main").first.click()
        page.wait_for_selector("#wish-result .place")
        assert opened.places == [title_of(n) for n in (5, 6, 7)]
        page.locator("#wish-words").fill("loud")
        page.locator("button.main").first.click()
        page.wait_for_selector("#wish-result .empty")
        assert opened.complaints == []


def test_dark_can_be_chosen_is_kept_and_reaches_the_charts(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/items/i0", color_scheme="light") as opened:
        page, button = opened.page, opened.page.locator("#theme")
        ground = "getComputedStyle(document.body).backgroundColor"
        light, picture = page.evaluate(ground), opened.picture()
        assert button.get_attribute("aria-pressed") == "false"
        button.click()
        assert page.evaluate(ground) != light
        assert opened.picture() != picture
        page.reload()
        opened.wait()
        assert (button.get_attribute("aria-pressed"), page.evaluate(ground) != light) == ("true", True)
        button.click()
        assert (page.evaluate(ground), opened.picture()) == (light, picture)
        assert opened.complaints == []


def test_what_goes_wrong_is_said(chromium: Any, site: Site) -> None:
    with OpenedView(chromium, site.url, "#/items/none") as opened:
        page = opened.page
        assert opened.title == "That is not here"
        assert "item 'none'" in page.locator(".failure").inner_text()
        opened.go("#/no/such/page")
        assert opened.title == "There is no such page"
        page.route("**/v1/trending*", lambda route: route.abort())
        opened.go("#/")
        assert page.locator(".failure p").inner_text() == "The server cannot be reached. Is it running?"
        page.unroute("**/v1/trending*")
        busy = {"error": {"code": "too_many_requests", "message": "client: expected fewer requests, got too many."}}
        page.route("**/v1/trending*", lambda route: route.fulfill(status=429, json=busy, headers={"retry-after": "3"}))
        page.locator(".failure button").click()
        opened.until("document.querySelector('.failure p')?.textContent.includes('in 3 seconds')")
        page.unroute("**/v1/trending*")
        page.locator(".failure button").click()
        page.wait_for_selector(".places")
        assert opened.places[0] == title_of(0)


def test_without_models_there_are_no_sliders_and_wishes_say_so(chromium: Any, world: Any) -> None:
    with serving(world, is_live=False) as quiet, OpenedView(chromium, quiet.url, "#/users/ann") as opened:
        assert opened.page.locator(".what-if").count() == 0
        assert opened.complaints == []
        opened.go("#/wish")
        opened.page.locator("#wish-words").fill("quiet")
        opened.page.locator("button.main").first.click()
        opened.page.wait_for_selector("#wish-result .failure")
        said = opened.page.locator("#wish-result .failure").inner_text()
        assert said == "No model that reads wishes is open on this server."


def test_a_key_is_asked_for_sent_and_kept_for_the_tab(chromium: Any, world: Any) -> None:
    key = "open-sesame"
    guard = {"key_hashes": (hashlib.sha256(key.encode()).hexdigest(),)}
    with (
        serving(world, **guard) as guarded,
        OpenedView(chromium, guarded.url, "#/items/i0", size=PHONE, waits=False) as opened,
    ):
        page = opened.page
        page.wait_for_selector("#key[open]")
        assert opened.focused == "key-value"
        assert breaches(page) == []
        page.keyboard.type("guessed")
        page.keyboard.press("Enter")
        page.wait_for_selector("#key-refused:not([hidden])")
        page.keyboard.type(key)
        page.keyboard.press("Enter")
        opened.wait()
        assert opened.title == title_of(0)
        page.reload()
        opened.wait()
        assert opened.title == title_of(0)
        assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 1]
