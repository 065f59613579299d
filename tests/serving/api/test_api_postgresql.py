"""The API over a real PostgreSQL: the same answers, and a database that goes away and comes back."""

import json
import threading
from collections.abc import Iterator
from functools import partial

import api_world
import pytest
from httpx import Response
from server_process import ServerProcess, get, read_answer, serving, wait_until
from sqlalchemy.pool import QueuePool
from starlette.testclient import TestClient

from contracts.postgresql_server import PostgresqlServer, postgresql_server
from whyrec.serving.api import ApiSettings, create_app, served
from whyrec.serving.store import Store

PATHS = (
    "/v1/trending?k=3",
    "/v1/users/ann/recommendations?k=3",
    "/v1/users/bob/recommendations?k=4",
    "/v1/users/zed/recommendations?attribute=genres:Drama",
    "/v1/users/ann/items/i1/explanation",
    "/v1/items/i0/explanation",
    "/v1/items/i4",
    "/v1/users/ann",
    "/v1/search?q=film%202",
    "/v1/items/none",
    "/ready",
)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    found = postgresql.new_url()
    with Store.open(found) as store:
        api_world.publish(store)
    return found


def test_answers_are_the_same_as_over_sqlite(url: str, client: TestClient) -> None:
    with Store.open(url) as store:
        over_postgresql = TestClient(create_app(store, settings=ApiSettings(hosts=("testserver",))))
        for path in PATHS:
            expected, found = client.get(path), over_postgresql.get(path)
            assert (found.status_code, found.content) == (expected.status_code, expected.content), path
            assert found.headers.get("etag") == expected.headers.get("etag")
        headers = {"idempotency-key": "k"}
        batch = {"interactions": [{"user_id": "ann", "item_id": "i0", "timestamp": "2013-11-07T20:15:00Z"}]}
        kept = [over_postgresql.post("/v1/interactions", json=batch, headers=headers).status_code for _ in range(2)]
        assert kept == [201, 200]
        assert over_postgresql.get(PATHS[1]).json()["entries"][0]["item_id"] == "i1"
        assert over_postgresql.delete("/v1/users/ann").json()["interactions"] == 1
        assert over_postgresql.get("/v1/users/ann").status_code == 404


def test_what_no_database_can_hold_is_refused_and_not_a_failure(url: str) -> None:
    with Store.open(url) as store:
        over_postgresql = TestClient(create_app(store, settings=ApiSettings(hosts=("testserver",))))
        for path in ("/v1/users/%00", "/v1/items/a%00b", "/v1/search?q=%00", "/v1/trending?window=%00"):
            assert over_postgresql.get(path).status_code == 422, path
        for path in ("/v1/users/%ff%fe", "/v1/items/%ed%a0%80", "/v1/items/'%3B DROP TABLE items%3B --"):
            assert over_postgresql.get(path).status_code == 404, path


def test_a_database_that_hangs_is_503_and_then_found_again(
    url: str, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "READ_WITHIN_S", 0.5)
    monkeypatch.setattr(served, "WRITE_WITHIN_S", 0.5)
    batch = {"interactions": [{"user_id": "ann", "item_id": "i1", "timestamp": "2013-11-07T20:15:00Z"}]}

    def sent() -> Response:
        return over_postgresql.post("/v1/interactions", json=batch, headers={"Idempotency-Key": "while-it-hung"})

    with Store.open(url) as store:
        over_postgresql = TestClient(create_app(store, settings=ApiSettings(hosts=("testserver",))))
        with over_postgresql:  # one event loop for all requests, as in a server
            assert wait_until(lambda: over_postgresql.get(PATHS[1]).status_code == 200)
            with postgresql.hung():
                asked = [partial(over_postgresql.get, path) for path in (PATHS[1], PATHS[6], "/ready")]
                for ask in (*asked, sent):
                    answer = ask()
                    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
            assert wait_until(lambda: over_postgresql.get(PATHS[1]).status_code == 200)
            # The thread that was given up may keep the batch yet: sent again, it is there, and once.
            assert wait_until(lambda: sent().status_code == 200)
            assert [one.interaction.user_id for one in store.taken_in()] == ["ann"]
        # Threads that were given up end when they are answered; then no connection is left open behind the store.
        pool = store._database._pool.pool
        assert isinstance(pool, QueuePool)
        assert wait_until(lambda: pool.checkedout() == 0)


class Asking(threading.Thread):
    """Asks until it is told to stop, and notes what came."""

    def __init__(self, server: ServerProcess) -> None:
        super().__init__(daemon=True)
        self._server = server
        self.answers: list[tuple[int, str]] = []
        self.may_go_on = True

    def run(self) -> None:
        with self._server.connect() as connection:
            while self.may_go_on:
                connection.sendall(get(PATHS[1]))
                status, headers, body = read_answer(connection)
                code = "" if status == 200 else json.loads(body)["error"]["code"]
                assert status == 200 or headers["retry-after"]
                self.answers.append((status, code))


def test_a_database_that_is_restarted_under_load_is_503_and_then_found_again(
    url: str, postgresql: PostgresqlServer
) -> None:
    with serving(url) as server:
        asking = [Asking(server) for _ in range(3)]
        for thread in asking:
            thread.start()
        assert wait_until(lambda: all(len(thread.answers) > 20 for thread in asking))
        postgresql.stop()
        try:
            assert wait_until(lambda: all(thread.answers[-1] == (503, "unavailable") for thread in asking))
        finally:
            postgresql.start()
        assert wait_until(lambda: all(thread.answers[-1] == (200, "") for thread in asking))
        for thread in asking:
            thread.may_go_on = False
            thread.join(timeout=30)
    assert {answer for thread in asking for answer in thread.answers} == {(200, ""), (503, "unavailable")}
