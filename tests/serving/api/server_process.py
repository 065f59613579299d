"""A real server process for tests, and raw connections to it."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

# Short limits, so that tests of what is slow are not.
_RUN = """
import sys
from whyrec.serving.api.connections import PatientProtocol
PatientProtocol.head_timeout_s, PatientProtocol.last_call_s = float(sys.argv[1]), 0.5
from whyrec.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


class ServerProcess(NamedTuple):
    """A server that runs."""

    process: "subprocess.Popen[str]"
    port: int

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def ask(self, request: bytes) -> bytes:
        """Send bytes on a new connection and read to its end."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))


@contextmanager
def serving(store: str, *options: str, head_timeout_s: float = 60) -> Iterator[ServerProcess]:
    """Run ``whyrec serve`` on a free port until the block ends."""
    command = [
        sys.executable,
        "-c",
        _RUN,
        str(head_timeout_s),
        "serve",
        "--store",
        store,
        "--port",
        "0",
        "--rate",
        "0",
        *options,
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    reading: threading.Thread | None = None
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://[^ ]+:(\d+)", line)
        assert found is not None, line + process.stderr.read()
        reading = threading.Thread(target=process.stderr.read)  # a full pipe would stop whoever writes into it
        reading.start()
        yield ServerProcess(process, int(found[1]))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if reading is not None:
            reading.join()
        process.stderr.close()


def get(path: str, *headers: str) -> bytes:
    """A request of HTTP/1.1 on a connection that stays open."""
    return "".join([f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n", *(f"{one}\r\n" for one in headers), "\r\n"]).encode()


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer: status, headers, body.

    Raises:
        ConnectionError: If the connection ends before the answer does.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += _more(connection)
    return int(status.split()[1]), headers, body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionError("ended before the answer did")
    return data


def wait_until(is_so: Callable[[], bool], *, timeout_s: float = 30) -> bool:
    """Wait for something to become true."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.02)
    return False
