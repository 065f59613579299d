"""New interactions are kept or refused as a whole, and users can have themselves erased."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from whyrec.serving.documents import Erased, Receipt
from whyrec.serving.store import Store

PATH = "/v1/interactions"
GOOD = {"user_id": "ann", "item_id": "i0", "timestamp": "2013-11-07T20:15:00+01:00", "rating": 9}


def post(client: TestClient, *interactions: object, key: str | None = "k1", **more: Any) -> Any:
    headers = {} if key is None else {"idempotency-key": key}
    return client.post(PATH, json={"interactions": list(interactions)}, headers=headers, **more)


def message(answer: Any) -> str:
    found: str = answer.json()["error"]["message"]
    return found


def test_a_batch_is_kept_once(client: TestClient, store: Store) -> None:
    first, again = post(client, GOOD, {**GOOD, "item_id": "i1"}), post(client, GOOD, {**GOOD, "item_id": "i1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert Receipt.model_validate(first.json()) == Receipt(key="k1", accepted=2, repeated=False)
    assert Receipt.model_validate(again.json()) == Receipt(key="k1", accepted=2, repeated=True)
    kept = [interaction for _, interaction, _ in store.taken_in()]
    assert [(one.user_id, one.item_id, one.rating) for one in kept] == [("ann", "i0", 9.0), ("ann", "i1", 9.0)]
    assert kept[0].timestamp == datetime(2013, 11, 7, 19, 15, tzinfo=UTC)
    text = client.get("/metrics").text
    assert "whyrec_interactions_total 2.0" in text
    assert 'whyrec_batches_total{outcome="repeated"} 1.0' in text


def test_a_key_stands_for_one_batch(client: TestClient, store: Store) -> None:
    post(client, GOOD)
    other = post(client, {**GOOD, "item_id": "i9"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_used")
    assert len(list(store.taken_in())) == 1


@pytest.mark.parametrize("key", [None, "", "with space", "x" * 201, "\u00e9"])
def test_a_batch_needs_a_key(client: TestClient, key: str | None) -> None:
    headers = {} if key is None else {"idempotency-key": key.encode("latin-1")}
    answer = client.post(PATH, json={"interactions": [GOOD]}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency_key")
    assert "header Idempotency-Key: expected 1 to 200 visible characters" in message(answer)


FUTURE = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"timestamp": "2013-11-07T20:15:00"}, "timezone"),
        ({"timestamp": 1383855300}, "a date and time with an offset"),
        ({"timestamp": "1383855300"}, "a date and time with an offset"),
        ({"timestamp": FUTURE}, "expected a moment that is past, from 1900 on"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "expected a moment that is past, from 1900 on"),
        ({"timestamp": "2013-13-07T20:15:00Z"}, "month value is outside"),
        ({"user_id": ""}, "at least 1 character"),
        ({"user_id": "x" * 201}, "at most 200 characters"),
        ({"item_id": "a\x00b"}, "match pattern"),
        ({"item_id": 5}, "a valid string"),
        ({"rating": "9"}, "a valid number"),
        ({"rating": True}, "a valid number"),
        ({"review": "nice"}, "expected no such name"),
    ],
)
def test_a_batch_with_one_bad_row_is_refused_as_a_whole(
    client: TestClient, store: Store, change: dict[str, object], said: str
) -> None:
    answer = post(client, GOOD, {**GOOD, **change})
    assert answer.status_code == 422, answer.text
    assert "interactions.1" in message(answer)
    assert said in message(answer)
    assert list(store.taken_in()) == []


def test_clocks_may_differ_a_little(client: TestClient) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    assert post(client, {**GOOD, "timestamp": soon}).status_code == 201


def test_a_batch_has_one_to_a_thousand_rows(client: TestClient) -> None:
    assert post(client).status_code == 422
    rows = [{**GOOD, "item_id": f"i{n}"} for n in range(1001)]
    assert post(client, *rows).status_code == 422
    assert post(client, *rows[:1000]).json()["accepted"] == 1000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b'{"interactions": NaN}', 422),
        (b'{"interactions": [{"user_id": "\\ud800"}]}', 422),
        (b'{"interactions":' + b"9" * 5000 + b"}", 400),
        (b"null", 422),
        (b'"text"', 422),
    ],
)
def test_bodies_that_are_no_batch_are_refused(client: TestClient, body: bytes, status: int) -> None:
    headers = {"idempotency-key": "k", "content-type": "application/json"}
    answer = client.post(PATH, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert message(answer).isascii()


def test_rating_must_be_finite(client: TestClient) -> None:
    headers = {"idempotency-key": "k", "content-type": "application/json"}
    row = '{"user_id":"a","item_id":"b","timestamp":"2013-11-07T20:15:00Z","rating":%s}'
    for rating in ("1e999", "NaN", "-Infinity"):
        body = '{"interactions":[' + row % rating + "]}"
        assert client.post(PATH, content=body, headers=headers).status_code == 422


def test_a_body_in_another_type_is_no_json(client: TestClient) -> None:
    """What a page of another site can send without asking first is not read."""
    body = '{"interactions":[]}'
    answer = client.post(PATH, content=body, headers={"idempotency-key": "k", "content-type": "text/plain"})
    assert answer.status_code == 422


def test_a_user_can_be_erased(client: TestClient, store: Store) -> None:
    post(client, GOOD)
    erased = Erased.model_validate(client.delete("/v1/users/ann").json())
    assert (erased.user_id, erased.interactions, erased.profiles) == ("ann", 1, 1)
    assert (erased.lists, erased.explanations) == (2, 1)
    assert client.get("/v1/users/ann").status_code == 404
    assert client.get("/v1/users/ann/items/i1/explanation").status_code == 404
    assert client.get("/v1/users/ann/recommendations").json()["source"] == "trending"
    assert store.is_erased(["ann", "bob"]) == {"ann"}
    assert client.get("/v1/users/bob").status_code == 200
