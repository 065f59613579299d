"""Who is let in, from where, how much and how fast."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from api_world import Connect
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from whyrec.errors import InvalidConfigError
from whyrec.serving.api.keys import KeyRing, hash_of, new_key, read_key_file, read_key_lines
from whyrec.serving.api.rates import RateLimit

KEY = "whyrec_test"
OPEN = ("/", "/health", "/ready", "/openapi.json", "/static/index.html")
CLOSED = ("/v1/trending", "/v1/users/ann", "/v1/version", "/metrics", "/none", "/static", "/ready/")


@pytest.fixture
def locked(connect: Connect) -> TestClient:
    """A client of an API that asks for one of two keys."""
    return connect(key_hashes=(hash_of("another"), hash_of(KEY)))


def test_without_a_key_only_the_page_and_health_are_open(locked: TestClient) -> None:
    for path in OPEN:
        assert locked.get(path).status_code == 200, path
    for path in CLOSED:
        answer = locked.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "key_required"), path
        assert answer.headers["www-authenticate"] == "Bearer"
    assert locked.post("/v1/interactions", content=b"{").status_code == 401
    assert locked.delete("/v1/users/ann").status_code == 401
    assert locked.get("/v1/users/ann", headers={"x-api-key": KEY}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer  {KEY} "}, {"x-api-key": "another"}]
)
def test_a_key_is_sent_in_either_header(locked: TestClient, headers: dict[str, str]) -> None:
    assert locked.get("/v1/trending", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"x-api-key": hash_of(KEY)},
        {"x-api-key": KEY + "x"},
        {"x-api-key": ""},
        {"x-api-key": "\u00e9\u00ff"},
        {"cookie": f"x-api-key={KEY}"},
    ],
)
def test_anything_else_is_no_key(locked: TestClient, headers: dict[str, str]) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = locked.get("/v1/trending", headers=sent)
    assert answer.status_code == 401
    assert KEY not in answer.text
    assert locked.get(f"/v1/trending?x_api_key={KEY}").status_code == 401


def test_keys_are_random_and_only_their_hashes_are_kept(tmp_path: Path) -> None:
    made = [new_key() for _ in range(20)]
    assert len({key for key, _ in made}) == 20
    assert min(len(key) for key, _ in made) >= len("whyrec_") + 43  # 256 bits at 6 a character
    file = tmp_path / "keys.txt"
    file.write_text(f"# ours\n\n{made[0][1]} # the page\n{made[1][1]}\n")
    ring = KeyRing(read_key_file(file))
    assert [ring.place_of(key) for key, _ in made[:3]] == [0, 1, None]
    assert made[0][0] not in file.read_text()


@pytest.mark.parametrize("lines", [["whyrec_secret"], ["sha256:12"], [f"sha256:{'A' * 64}"], [f"md5:{'a' * 64}"]])
def test_a_key_file_with_something_else_is_refused_without_repeating_it(lines: list[str]) -> None:
    with pytest.raises(InvalidConfigError, match="keys line 1: expected sha256: and 64") as caught:
        read_key_lines(lines, where="keys")
    assert lines[0] not in str(caught.value)


def test_an_empty_key_file_lets_nobody_in_by_being_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="expected a hash of a key, got none"):
        read_key_lines(["# none yet"], where="keys")
    with pytest.raises(InvalidConfigError, match="got none that can be read"):
        read_key_file(tmp_path / "absent")


def test_another_host_is_not_answered_while_there_is_no_key(connect: Connect) -> None:
    """A page of evil.example that makes its name point to 127.0.0.1 would read everything."""
    open_to_all = connect()
    for host in ("evil.example", "evil.example:8000", "", "127.0.0.1.evil.example"):
        answer = open_to_all.get("/v1/users/ann", headers={"host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (421, "wrong_host"), host
    for host in ("testserver:8000", "TESTSERVER"):
        assert open_to_all.get("/v1/users/ann", headers={"host": host}).status_code == 200
    locked = connect(key_hashes=(hash_of(KEY),))
    assert locked.get("/v1/trending", headers={"host": "films.example", "x-api-key": KEY}).status_code == 200


def test_loopback_may_be_addressed_by_all_its_names(connect: Connect) -> None:
    client = connect(hosts=("127.0.0.1", "localhost", "::1"))
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000", "[::1]"):
        assert client.get("/health", headers={"host": host}).status_code == 200, host


def test_a_client_that_asks_too_much_waits(connect: Connect) -> None:
    client = connect(requests_per_second=0.5, burst=3)
    assert [client.get("/health").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.get("/v1/trending")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert answer.json()["error"]["message"] == "client: expected fewer requests, got too many. Wait 2 s."


def test_wrong_keys_are_counted_by_address_and_right_ones_by_key(connect: Connect) -> None:
    client = connect(requests_per_second=0.001, burst=2, key_hashes=(hash_of(KEY), hash_of("another")))
    guesses = [client.get("/v1/trending", headers={"x-api-key": f"guess {n}"}).status_code for n in range(3)]
    assert guesses == [401, 401, 429]
    for key in (KEY, "another"):
        asked = [client.get("/v1/trending", headers={"x-api-key": key}).status_code for _ in range(3)]
        assert asked == [200, 200, 429]


@given(
    rate=st.floats(0.1, 50),
    burst=st.integers(1, 20),
    pauses_s=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_a_bucket_gives_no_more_than_burst_and_rate(rate: float, burst: int, pauses_s: list[float]) -> None:
    now = 0.0
    limit = RateLimit(rate, burst, clock=lambda: now)
    allowed = 0
    for pause in pauses_s:
        now += pause
        allowed += limit.wait_s("a") == 0
        assert allowed <= burst + rate * now + 1e-6
    assert allowed >= min(burst, len(pauses_s))
    while not (wait_s := limit.wait_s("a")):
        pass
    now += wait_s
    assert limit.wait_s("a") == 0


def test_buckets_are_each_clients_own_and_bounded() -> None:
    limit = RateLimit(1, 1, clock=lambda: 0.0, most_clients=3)
    assert [limit.wait_s(client) for client in ("a", "a", "b", "c")] == [0, 1, 0, 0]
    assert limit.wait_s("d") == 0
    assert len(limit) == 3
    assert limit.wait_s("b") == 1
    assert [RateLimit(0, 1).wait_s("a") for _ in range(9)] == [0] * 9


def test_a_long_body_is_not_read(connect: Connect) -> None:
    client = connect(max_body_bytes=100)
    headers = {"idempotency-key": "k", "content-type": "application/json"}

    answer = client.post("/v1/interactions", content=b" " * 101, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert answer.headers["connection"] == "close"
    assert client.post("/v1/what-if/motivations", content=b" " * 101, headers=headers).status_code == 413
    assert client.post("/v1/interactions", content=b" " * 100, headers=headers).status_code == 400


def test_an_endless_body_is_read_no_further_than_allowed(connect: Connect) -> None:
    read, answered = 0, []

    async def receive() -> dict[str, object]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b" " * 40, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message.get("status"))

    headers = [(b"host", b"testserver"), (b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "path": "/v1/interactions", "query_string": b"", "headers": headers}
    asyncio.run(connect(max_body_bytes=100).app(scope, receive, send))
    assert (read, answered[0]) == (3, 413)


def test_a_body_that_does_not_come_is_not_waited_for(connect: Connect) -> None:
    answered = []

    async def receive() -> dict[str, object]:
        await asyncio.sleep(60)
        raise AssertionError("waited for it")

    async def send(message: dict[str, Any]) -> None:
        answered.append(message.get("status"))

    headers = [(b"host", b"testserver"), (b"content-type", b"application/json"), (b"content-length", b"9")]
    scope = {"type": "http", "method": "POST", "path": "/v1/interactions", "query_string": b"", "headers": headers}
    asyncio.run(connect(body_timeout_s=0.05).app(scope, receive, send))
    assert answered[0] == 408


def test_a_long_query_is_not_read(connect: Connect) -> None:
    answer = connect(max_query_bytes=50).get("/v1/search", params={"q": "x" * 60})
    assert (answer.status_code, answer.json()["error"]["code"]) == (414, "too_long")


def test_every_answer_carries_the_headers_of_safety(client: TestClient) -> None:
    answers = [client.get("/"), client.get("/v1/trending"), client.get("/none"), client.post("/v1/interactions")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_other_sites_may_call_only_when_they_are_named(connect: Connect) -> None:
    ask = {
        "origin": "https://films.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, idempotency-key",
    }
    closed = connect(key_hashes=(hash_of(KEY),))
    assert closed.options("/v1/interactions", headers=ask).status_code == 401
    shown = closed.get("/v1/trending", headers={"origin": "https://films.example", "x-api-key": KEY})
    assert "access-control-allow-origin" not in shown.headers
    opened = connect(key_hashes=(hash_of(KEY),), cors_origins=("https://films.example",))
    allowed = opened.options("/v1/interactions", headers=ask)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://films.example")
    assert opened.options("/v1/interactions", headers={**ask, "origin": "https://evil.example"}).status_code == 400
    assert opened.get("/v1/trending", headers={"origin": "https://films.example"}).status_code == 401
    seen = opened.get("/v1/trending", headers={"origin": "https://evil.example", "x-api-key": KEY})
    assert "access-control-allow-origin" not in seen.headers


def test_methods_that_a_path_does_not_know_are_refused(client: TestClient) -> None:
    answer = client.put("/v1/interactions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["error"]["code"] == "method_not_allowed"
