"""Pages of items and users, explanations, search, and what those who run the server ask."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import api_world
import pytest
from starlette.testclient import TestClient

from whyrec.serving.documents import ExplanationDocument, ItemPage, UserPage, VersionRecord
from whyrec.serving.store import Store


def test_documents_are_served_as_they_were_published_with_their_version(client: TestClient) -> None:
    item, user = client.get("/v1/items/i4").json(), client.get("/v1/users/ann").json()
    assert (item.pop("version"), user.pop("version")) == (1, 1)
    assert ItemPage.model_validate(item) == api_world.item_page("i4", "Film 4 one")
    assert UserPage.model_validate(user) == api_world.user_page("ann")
    found = client.get("/v1/items/i0/explanation").json()
    assert found.pop("version") == 1
    assert ExplanationDocument.model_validate(found) == api_world.explanation("i0", None, "one", "trail")


def test_the_explanation_of_a_pair_is_personal(client: TestClient) -> None:
    answer = client.get("/v1/users/ann/items/i1/explanation")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-cache")
    assert answer.json()["text"] == "Because of one."
    answer = client.get("/v1/users/ann/items/i9/explanation")
    assert answer.status_code == 404
    assert "and no run is open to make one" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/items/none", "/v1/users/none", "/v1/items/i9/explanation", "/none", "/v1/none"])
def test_what_is_not_there_is_told_in_the_one_form(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, set(answer.json()), set(answer.json()["error"])) == (
        404,
        {"error"},
        {"code", "message"},
    )
    assert answer.json()["error"]["code"] == "not_found"
    assert answer.headers["cache-control"] == "no-store"


def test_titles_are_searched(client: TestClient) -> None:
    found = client.get("/v1/search?q=film 2&k=3").json()
    assert (found["version"], found["query"]) == (1, "film 2")
    assert found["items"][0] == {"item_id": "i2", "title": "Film 2 one"}
    assert len(found["items"]) == 3
    assert client.get("/v1/search?q=").status_code == 422
    assert client.get("/v1/search").json()["error"]["message"].startswith("parameter 'q': expected it, got nothing")


@pytest.mark.parametrize("words", ["'; DROP TABLE items; --", "%", "_", '"*"', "a OR b", "{{7*7}}", "\\", "NEAR("])
def test_search_takes_words_as_words(client: TestClient, words: str) -> None:
    answer = client.get("/v1/search", params={"q": words})
    assert (answer.status_code, answer.json()["query"]) == (200, words)
    assert all(item["item_id"] != "i2" for item in answer.json()["items"])
    assert client.get("/v1/items/i2").status_code == 200


def test_hostile_titles_stay_data(client: TestClient) -> None:
    answer = client.get(f"/v1/items/{quote(api_world.ODD_ID, safe='')}")
    assert answer.json()["title"] == api_world.HOSTILE
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_version_is_told(client: TestClient, store: Store) -> None:
    answer = client.get("/v1/version")
    told, kept = VersionRecord.model_validate(answer.json()), store.current()
    assert kept is not None
    assert [run.directory for run in kept.runs] == ["runs/curec", "runs/guided"]
    assert [run.directory for run in told.runs] == ["curec", "guided"]
    assert told.model_copy(update={"runs": kept.runs}) == kept
    assert client.get("/v1/version", headers={"if-none-match": answer.headers["etag"]}).status_code == 304


def test_health_and_readiness(client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"status": "ready", "version": 1}
    monkeypatch.setattr("whyrec.serving.api.served.REMEMBERED_S", 0)
    monkeypatch.setattr(store, "current", lambda: None)
    for path in ("/ready", "/v1/trending", "/v1/users/ann/recommendations"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_published")
        assert int(answer.headers["retry-after"]) > 0
    assert client.get("/health").status_code == 200


def test_a_store_that_is_away_is_503_and_told_in_the_log_alone(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from whyrec.errors import StoreUnavailableError

    def away(*_: object) -> None:
        raise StoreUnavailableError("db.internal:5432 with user whyrec: expected an answer, got none.")

    for name in ("list_of", "item", "ping"):
        monkeypatch.setattr(store, name, away)
    for path in ("/v1/users/ann/recommendations", "/v1/items/i1", "/ready"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert "internal" not in answer.text
    assert "db.internal" in caplog.text


def test_a_defect_is_told_without_its_traceback(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr(store, "item", broken)
    answer = client.get("/v1/items/i1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "failed")
    assert "secret" not in answer.text
    assert "secret of the house" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_requests_are_counted_by_route_and_status(client: TestClient, store: Store) -> None:
    for path in ("/v1/items/i1", "/v1/items/i2", "/v1/items/none", "/wp-admin.php", "/other"):
        client.get(path)
    client.request("BREW", "/v1/items/i1")
    text = client.get("/metrics").text
    assert 'whyrec_requests_total{method="GET",route="/v1/items/{item_id}",status="200"} 2.0' in text
    assert 'whyrec_requests_total{method="GET",route="/v1/items/{item_id}",status="404"} 1.0' in text
    assert 'whyrec_requests_total{method="GET",route="unmatched",status="404"} 2.0' in text
    assert 'method="other"' in text
    assert "BREW" not in text
    assert 'whyrec_request_seconds_count{route="/v1/items/{item_id}"} 4.0' in text
    assert "whyrec_version 1.0" in text


def test_metrics_of_workers_are_added_up(tmp_path: Path) -> None:
    """Each process writes its own file; whoever is asked reads all."""

    count = (
        "from whyrec.serving.api.metrics import Metrics; m = Metrics(); "
        "[m.answered('GET', '/v1/x', 200, seconds=0.003) for _ in range(4)]; m.version(7); print(m.text().decode())"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    texts = [
        subprocess.run(
            [sys.executable, "-c", count], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert 'whyrec_requests_total{method="GET",route="/v1/x",status="200"} 8.0' in texts[1]
    assert 'whyrec_request_seconds_count{route="/v1/x"} 8.0' in texts[1]
    assert "whyrec_version 7.0" in texts[1]


def test_the_page_is_served_from_a_fixed_list(client: TestClient) -> None:
    page = client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert client.get("/static/index.html", headers={"if-none-match": page.headers["etag"]}).status_code == 304
    for path in ("../api/app.py", "..%2Fapi%2Fapp.py", "/etc/passwd", "%2e%2e/documents.py", "index.html%00", ""):
        answer = client.get(f"/static/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_json_of_a_document_is_the_stored_bytes(client: TestClient, store: Store) -> None:
    document = store.item(1, "i4")
    assert document is not None
    assert client.get("/v1/items/i4").content == b'{"version":1,' + document[1:]
    assert json.loads(document)["item_id"] == "i4"
