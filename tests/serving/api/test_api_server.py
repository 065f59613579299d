"""A real server: slow, many and broken clients, kills and stops, versions that change under load."""

import json
import os
import random
import resource
import signal
import socket
import threading
import time
from pathlib import Path

import api_world
import pytest
from server_process import ServerProcess, get, read_answer, serving, wait_until

from whyrec.serving.documents import NewInteraction
from whyrec.serving.store import Store

LIST = "/v1/users/ann/recommendations?k=3"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = f"sqlite:///{tmp_path_factory.mktemp('served')}/store.sqlite"
    with Store.open(found) as store:
        api_world.publish(store)
    return found


@pytest.fixture(scope="module")
def server(url: str):
    """One that all tests share that do not stop it."""
    with serving(url) as process:
        yield process


def answers(server: ServerProcess) -> bool:
    with server.connect() as connection:
        connection.sendall(get(LIST))
        return read_answer(connection)[0] == 200


def is_closed(connection: socket.socket, *, within_s: float) -> bool:
    connection.settimeout(within_s)
    try:
        return connection.recv(1 << 16) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_head_that_does_not_end_is_not_waited_for_but_an_idle_connection_is_kept(url: str) -> None:
    with serving(url, head_timeout_s=1) as server, server.connect() as kept:
        kept.sendall(get(LIST))
        assert read_answer(kept)[0] == 200
        with server.connect() as silent, server.connect() as slow, server.connect() as later:
            slow.sendall(b"GET / HTTP/1.1\r\nx: ")
            later.sendall(get(LIST))
            assert read_answer(later)[0] == 200
            later.sendall(b"GET /v1")
            assert answers(server)
            for connection in (silent, slow, later):
                assert is_closed(connection, within_s=30)
        kept.sendall(get(LIST))
        assert read_answer(kept)[0] == 200


def test_a_head_without_end_is_not_collected(server: ServerProcess) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        sent = 0
        try:
            while sent < 10 << 20:
                sent += connection.send(b"x: " + b"y" * 10_000 + b"\r\n")
                time.sleep(0.002)
        except ConnectionError:
            pass
        assert sent < 5 << 20
    assert answers(server)


@pytest.mark.parametrize(
    "request_bytes",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 100, b"SSH-2.0-x\r\n"],
)
def test_what_is_no_http_is_refused(server: ServerProcess, request_bytes: bytes) -> None:
    assert server.ask(request_bytes).startswith(b"HTTP/1.1 400")
    assert answers(server)


@pytest.mark.parametrize(
    "path", ["/static/../../../etc/passwd", "//etc/passwd", "/v1/%2e%2e/x", "/static/%2e%2e/app.py"]
)
def test_no_path_leads_out(server: ServerProcess, path: str) -> None:
    answer = server.ask(get(path, "connection: close"))
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"root:" not in answer


def test_an_endless_body_is_refused_while_it_comes(server: ServerProcess) -> None:
    with server.connect() as connection:
        connection.sendall(
            b"POST /v1/interactions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        sent = 0
        try:
            while sent < 50 << 20:
                connection.sendall(b"10000\r\n" + b" " * (1 << 16) + b"\r\n")
                sent += 1 << 16
        except ConnectionError:
            pass
        assert sent < 20 << 20
    assert answers(server)


def test_many_connections_do_not_keep_others_out(server: ServerProcess) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    many = min(9_990, hard - 500)  # 10,000 is what a worker allows; a few are left for those who ask beside them
    connections: list[socket.socket] = []
    try:
        connections += [server.connect() for _ in range(many)]
        for connection in connections[:: many // 20]:
            connection.sendall(get(LIST))
            assert read_answer(connection)[0] == 200
        assert answers(server)
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert answers(server)


def test_more_connections_than_allowed_are_told_so(url: str) -> None:
    with serving(url, "--connections", "5") as few:
        held = [few.connect() for _ in range(5)]
        with few.connect() as sixth:
            sixth.sendall(get(LIST))
            assert sixth.recv(100).startswith(b"HTTP/1.1 503")
        for connection in held:
            connection.close()
        assert wait_until(lambda: answers(few))


class Client(threading.Thread):
    """Asks on one connection, again and again, until its answer says that it was the last."""

    def __init__(self, server: ServerProcess) -> None:
        super().__init__(daemon=True)
        self._server = server
        self.bodies: list[bytes] = []
        self.failure = ""

    def run(self) -> None:
        try:
            with self._server.connect() as connection:
                while True:
                    connection.sendall(get(LIST))
                    status, headers, body = read_answer(connection)
                    self.bodies.append(body)
                    if status != 200:
                        self.failure = f"status {status}"
                    if headers.get("connection") == "close" or self.failure:
                        return
        except OSError as error:
            self.failure = repr(error)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_under_load_drops_no_request(url: str, workers: str) -> None:
    with serving(url, "--workers", workers) as loaded:
        clients = [Client(loaded) for _ in range(8)]
        for client in clients:
            client.start()
        assert wait_until(lambda: all(len(client.bodies) > 20 for client in clients))
        assert loaded.stop() == 0
        for client in clients:
            client.join(timeout=30)
        assert [client.failure for client in clients] == [""] * 8
        with pytest.raises(ConnectionRefusedError):
            loaded.connect()


def test_versions_change_under_load_without_a_gap_or_a_mix(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with Store.open(url) as store:
        marks = {api_world.publish(store): "one"}
    with serving(url) as loaded, Store.open(url) as store:
        clients = [Client(loaded) for _ in range(4)]
        for client in clients:
            client.start()
        for mark in ("two", "three", "four"):
            marks[api_world.publish(store, mark)] = mark
            time.sleep(0.2)
        loaded.stop()
        for client in clients:
            client.join(timeout=30)
    assert [client.failure for client in clients] == [""] * 4
    seen = [json.loads(body) for client in clients for body in client.bodies]
    assert {found["version"] for found in seen} == set(marks)
    for found in seen:
        mark = marks[found["version"]]
        assert found["note"] == f"from {mark}"
        assert [entry["title"] for entry in found["entries"]] == [f"Film {n} {mark}" for n in range(3)]


def test_what_was_acknowledged_is_there_after_kills(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with Store.open(url) as store:
        api_world.publish(store)
    random_pause = random.Random(0)
    acknowledged: list[str] = []
    for trial in range(6):
        with serving(url) as victim:
            stop_at = time.monotonic() + random_pause.uniform(0.05, 0.4)
            killer = threading.Timer(stop_at - time.monotonic(), victim.process.kill)
            killer.start()
            acknowledged += _send_until_killed(victim, trial)
            killer.join()
    with Store.open(url) as store:
        kept = {one.interaction.item_id for one in store.taken_in()}
        repeated = store.take_in([_interaction(acknowledged[0])], f"key-{acknowledged[0]}")
    assert len(acknowledged) > 20
    assert set(acknowledged) <= kept
    # Of each trial, at most the one that was on its way when the kill came was kept without being acknowledged.
    assert len(kept) - len(acknowledged) <= 6
    assert repeated.repeated


def _interaction(item_id: str) -> NewInteraction:
    return NewInteraction(user_id="ann", item_id=item_id, timestamp=api_world.AT)


def _send_until_killed(server: ServerProcess, trial: int) -> list[str]:
    acknowledged = []
    try:
        with server.connect() as connection:
            for n in range(100_000):
                item_id = f"{trial}-{n}"
                body = json.dumps({"interactions": [_interaction(item_id).model_dump(mode="json")]}).encode()
                head = (
                    f"POST /v1/interactions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                    f"idempotency-key: key-{item_id}\r\ncontent-length: {len(body)}\r\n\r\n"
                )
                connection.sendall(head.encode() + body)
                if read_answer(connection)[0] == 201:
                    acknowledged.append(item_id)
    except OSError:
        pass
    return acknowledged


def test_workers_share_the_load_and_leave_with_their_parent(url: str) -> None:
    with serving(url, "--workers", "2") as parent:
        assert answers(parent)
        workers = _children(parent.process.pid)
        assert len(workers) >= 2
        parent.process.kill()
        parent.process.wait()
        assert wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/exe") for pid in workers))


def test_an_address_in_use_is_told_in_one_line(url: str, server: ServerProcess) -> None:
    from whyrec.cli.main import main

    assert main(["serve", "--store", url, "--port", str(server.port)]) == 2


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("the system does not tell of child processes")
    return [int(child) for child in listed.read_text().split()]


def test_ctrl_c_stops_it_as_sigterm_does(url: str) -> None:
    with serving(url) as process:
        assert answers(process)
        assert process.stop(signal.SIGINT) == 0
