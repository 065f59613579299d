"""What is trending and what is recommended, and from which version."""

from typing import Any
from urllib.parse import quote

import api_world
import pytest
from starlette.testclient import TestClient
from whyrec.serving.store import Store

from whyrec.serving.api.lists import BLENDED_NOTE, COLD_NOTE, NONE_LEFT_NOTE
from whyrec.serving.documents import Board, NewInteraction, PersonalList

LIST = "/v1/users/{}/recommendations"
N = api_world.N_ITEMS


def get(client: TestClient, path: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def items(found: dict[str, Any]) -> list[str]:
    return [entry["item_id"] for entry in found["entries"]]


def take(store: Store, user_id: str, *item_ids: str) -> None:
    taken = [NewInteraction(user_id=user_id, item_id=item, timestamp=api_world.AT) for item in item_ids]
    store.take_in(taken, f"{user_id}-{item_ids}")


def test_a_board_is_served_as_it_was_published(client: TestClient) -> None:
    found = get(client, "/v1/trending", k=3, offset=1)
    assert items(found) == ["i1", "i2", "i3"]
    assert (found.pop("version"), found.pop("total")) == (1, N)
    whole = api_world.board("next", "one")
    assert Board.model_validate(found) == whole.model_copy(update={"entries": whole.entries[1:4]})


def test_boards_are_filtered_and_numbered_anew(client: TestClient) -> None:
    found = get(client, "/v1/trending", attribute="genres:Drama", exclude="i3", k=100, window="7d")
    assert items(found) == [f"i{n}" for n in range(0, N, 3) if n != 3]
    assert [entry["rank"] for entry in found["entries"]] == list(range(1, N // 3))
    assert found["total"] == N // 3 - 1
    assert items(get(client, "/v1/trending", attribute=["genres:Drama", "genres:Comedy"], k=4)) == [
        "i0", "i2", "i3", "i4",
    ]  # fmt: skip


def test_a_window_that_is_not_published_is_told(client: TestClient) -> None:
    answer = client.get("/v1/trending?window=1d")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == ("parameter 'window': expected one of next, 7d, got '1d'. Choose one.")


def test_a_personal_list_is_served_as_it_was_published(client: TestClient) -> None:
    found = get(client, LIST.format("ann"), k=2)
    assert (found.pop("version"), found.pop("total")) == (1, 20)
    whole = api_world.personal("ann", list(range(20)), mark="one")
    assert PersonalList.model_validate(found) == whole.model_copy(update={"entries": whole.entries[:2]})


def test_the_list_of_another_method_is_chosen_by_name(client: TestClient) -> None:
    assert items(get(client, LIST.format("ann"), method="guided", k=2)) == ["i19", "i18"]
    answer = client.get(LIST.format("ann"), params={"method": "oracle"})
    assert answer.status_code == 404
    assert "expected one of curec, guided, got 'oracle'" in answer.json()["error"]["message"]


def test_an_unknown_user_gets_what_is_trending_and_that_is_said(client: TestClient) -> None:
    found = get(client, LIST.format("zed"), k=3)
    assert items(found) == ["i0", "i1", "i2"]
    assert (found["source"], found["note"], found["method"]) == ("trending", COLD_NOTE, "trail")
    assert {entry["reason"]["basis"] for entry in found["entries"]} == {"trending"}
    PersonalList.model_validate({name: found[name] for name in PersonalList.model_fields})


def test_a_short_list_is_filled_up_and_every_reason_says_on_what_it_rests(client: TestClient) -> None:
    found = get(client, LIST.format("bob"), k=4)
    assert items(found) == ["i3", "i5", "i0", "i1"]
    assert [entry["rank"] for entry in found["entries"]] == [1, 2, 3, 4]
    assert [entry["reason"]["basis"] for entry in found["entries"]] == ["personal"] * 2 + ["trending"] * 2
    assert (found["source"], found["total"]) == ("blended", N)
    assert found["note"] == BLENDED_NOTE.format(note="from one")
    assert items(get(client, LIST.format("bob"), k=4, offset=2))[:2] == ["i0", "i1"]


def test_filters_hold_for_what_fills_up_too(client: TestClient) -> None:
    found = get(client, LIST.format("ann"), attribute="genres:Drama", exclude=["i0", "i3", "i6"], k=100)
    assert items(found) == ["i9", "i12", "i15", "i18", "i21", "i24", "i27"]
    assert [entry["reason"] and entry["reason"]["basis"] for entry in found["entries"]] == [
        "personal", *[None] * 3, *["trending"] * 3,
    ]  # fmt: skip
    found = get(client, LIST.format("bob"), exclude=["i3", "i5"], k=2)
    assert (items(found), found["source"], found["note"]) == (["i0", "i1"], "trending", NONE_LEFT_NOTE)


def test_what_was_taken_since_publishing_is_left_out_at_once(client: TestClient, store: Store) -> None:
    take(store, "ann", "i0", "i2")
    take(store, "zed", "i0")
    assert items(get(client, LIST.format("ann"), k=3)) == ["i1", "i3", "i4"]
    assert items(get(client, LIST.format("zed"), k=2)) == ["i1", "i2"]
    assert items(get(client, LIST.format("bob"), k=3)) == ["i3", "i5", "i0"]


def test_a_tag_changes_with_what_the_answer_depends_on(client: TestClient, store: Store) -> None:
    path = f"{LIST.format('ann')}?k=3"
    first = client.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    held = {"if-none-match": first.headers["etag"]}
    again = client.get(path, headers=held)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(path, headers={"if-none-match": f'"x", W/{first.headers["etag"]}'}).status_code == 304
    take(store, "ann", "i0")
    taken = client.get(path, headers=held)
    assert taken.status_code == 200
    assert taken.json()["entries"][0]["item_id"] == "i1"
    store.erase_user("ann")
    erased = client.get(path, headers={"if-none-match": taken.headers["etag"]})
    assert (erased.status_code, erased.json()["source"]) == (200, "trending")


def test_a_new_version_is_served_without_a_restart_and_an_old_one_after_a_roll_back(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whyrec.serving.api.served.REMEMBERED_S", 0)
    board = client.get("/v1/trending?k=1")
    assert (board.headers["cache-control"], board.headers["whyrec-version"]) == ("no-cache", "1")
    second = api_world.publish(store, "two")
    found = client.get("/v1/trending?k=1", headers={"if-none-match": board.headers["etag"]})
    assert (found.status_code, found.json()["version"]) == (200, second)
    assert found.json()["entries"][0]["title"] == "Film 0 two"
    assert get(client, LIST.format("ann"))["entries"][0]["title"] == "Film 0 two"
    store.roll_back()
    assert get(client, "/v1/trending?k=1")["entries"][0]["title"] == "Film 0 one"
    assert client.get("/v1/trending?k=1", headers={"if-none-match": board.headers["etag"]}).status_code == 304


def test_ids_may_hold_anything_that_is_text(client: TestClient) -> None:
    path = LIST.format(quote(api_world.ODD_ID, safe=""))
    assert get(client, path, k=1)["user_id"] == api_world.ODD_ID
    assert get(client, LIST.format(quote("../../etc/passwd", safe="")))["source"] == "trending"
    assert get(client, LIST.format("x" * 200))["source"] == "trending"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("k=0", "parameter 'k': expected it to be greater than or equal to 1, got '0'"),
        ("k=101", "parameter 'k': expected it to be less than or equal to 100, got '101'"),
        ("k=ten", "parameter 'k': expected it to be a valid integer"),
        ("k=1&k=2", "parameter 'k': expected it once, got it twice"),
        ("offset=-1", "parameter 'offset': expected it to be greater"),
        ("offset=100001", "parameter 'offset': expected it to be less"),
        ("limit=3", "parameter 'limit': expected no such name, got it"),
        ("attribute=Comedy", "parameter 'attribute.0': expected it to match"),
        ("exclude=" + "x" * 201, "parameter 'exclude.0': expected it to have at most 200"),
        ("&".join(["exclude=a"] * 101), "parameter 'exclude': "),
        ("window=%00", "parameter 'window': expected it to match"),
    ],
)
def test_parameters_out_of_range_are_refused_in_one_line(client: TestClient, query: str, said: str) -> None:
    answer = client.get(f"/v1/trending?{query}")
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert "\n" not in answer.json()["error"]["message"]


@pytest.mark.parametrize("user_id", ["x" * 201, "%00"])
def test_ids_that_cannot_be_are_refused(client: TestClient, user_id: str) -> None:
    answer = client.get(LIST.format(user_id))
    assert answer.status_code == 422
    assert "path 'user_id': expected an id of 1 to 200 characters" in answer.json()["error"]["message"]
