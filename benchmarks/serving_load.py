"""A load generator for HTTP/1.1: connections that stay open, one request on each at a time, in a process of its own.

It does no more than it must (no header is parsed but the length), so that it is not what is measured.
"""

import asyncio
import multiprocessing
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import uvloop

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_LAST = b"connection: close"


@dataclass(frozen=True)
class Load:
    """What is asked for."""

    port: int
    paths: Sequence[str]
    """Asked for in turn, by all connections together."""
    connections: int
    seconds: float
    rate: float | None = None
    """Requests a second, at moments fixed before; None: the next as soon as an answer is there."""
    keeps_bodies: bool = False


@dataclass
class Outcome:
    """What came back."""

    latencies_s: list[float] = field(default_factory=list)
    """From the moment at which a request was due."""
    bodies: list[bytes] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies_s) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(percent / 100 * len(ordered)))]


class _Connection(asyncio.Protocol):
    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._data = bytearray()
        self._due = 0.0
        self._is_waiting = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._next()

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        found = _LENGTH.search(self._data, 0, end)
        length = end + 4 + (int(found[1]) if found is not None else 0)
        if len(self._data) < length:
            return
        self._run.received(bytes(self._data[:length]), head=end, due=self._due)
        self._is_waiting = False
        is_last = _LAST in self._data[:end]
        del self._data[:length]
        if is_last:
            self._leave()
        else:
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_waiting:
            self._run.outcome.failures.append(f"connection lost: {error}")
            self._is_waiting = False
        self._run.left()

    def _next(self) -> None:
        due = self._run.next_due()
        if due is None:
            self._leave()
            return
        wait_s = due - time.perf_counter()
        if wait_s > 0:
            self._run.loop.call_later(wait_s, self._send, due)
        else:
            self._send(due)

    def _send(self, due: float) -> None:
        assert self._transport is not None
        self._due, self._is_waiting = due, True
        self._transport.write(self._run.next_request())

    def _leave(self) -> None:
        assert self._transport is not None
        self._transport.close()


class _Run:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._requests = [f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode() for path in load.paths]
        self.loop = asyncio.get_running_loop()
        self.outcome = Outcome()
        self._sent = self._open = 0
        self._done = self.loop.create_future()
        self._started = time.perf_counter()

    async def to_end(self) -> Outcome:
        self._open = self._load.connections
        for _ in range(self._load.connections):
            connected = socket.create_connection(("127.0.0.1", self._load.port))
            connected.setblocking(False)
            await self.loop.create_connection(lambda: _Connection(self), sock=connected)
        await self._done
        self.outcome.seconds = time.perf_counter() - self._started
        return self.outcome

    def next_due(self) -> float | None:
        now = time.perf_counter()
        due = now if self._load.rate is None else self._started + self._sent / self._load.rate
        if due > self._started + self._load.seconds:
            return None
        self._sent += 1
        return due

    def next_request(self) -> bytes:
        return self._requests[(self._sent - 1) % len(self._requests)]

    def received(self, answer: bytes, *, head: int, due: float) -> None:
        self.outcome.latencies_s.append(time.perf_counter() - due)
        if not answer.startswith(b"HTTP/1.1 200 "):
            self.outcome.failures.append(answer[:200].decode("latin-1"))
        if self._load.keeps_bodies:
            self.outcome.bodies.append(answer[head + 4 :])

    def left(self) -> None:
        self._open -= 1
        if not self._open and not self._done.done():
            self._done.set_result(None)


async def _run(load: Load) -> Outcome:
    return await _Run(load).to_end()


def _work(load: Load, pipe: "multiprocessing.connection.Connection") -> None:
    pipe.send(uvloop.run(_run(load)))
    pipe.close()


class Loading:
    """A load that runs beside; ``outcome`` waits for it."""

    def __init__(self, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(load, other))
        self._process.start()
        other.close()

    def outcome(self) -> Outcome:
        found: Outcome = self._pipe.recv()
        self._process.join()
        return found
