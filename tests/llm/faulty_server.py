"""A chat server in a thread of its own that fails on demand: each request gets the next reaction of a script.

It speaks real HTTP over real connections, records what it was asked and when, and how much of it at the same time.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    at: float

    @property
    def user(self) -> str:
        """What the user said last."""
        return str(self.body["messages"][-1]["content"])


Reaction = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def response(status: int, body: str | bytes, *, headers: Mapping[str, str] | None = None) -> Reaction:
    """A whole response."""

    async def react(_: Asked, writer: asyncio.StreamWriter) -> None:
        content = body.encode() if isinstance(body, str) else body
        writer.write(_head(status, length=len(content), headers=headers or {}) + content)

    return react


def says(text: Any, *, finish: str | None = "stop", counts: bool = True, **message: Any) -> Reaction:
    """A completion."""
    completion: dict[str, Any] = {
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text} | message}],
    }
    if counts:
        completion["usage"] = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return response(200, json.dumps(completion))


def error(status: int, message: str, *, headers: Mapping[str, str] | None = None, **fields: Any) -> Reaction:
    """An error as OpenAI writes it."""
    return response(status, json.dumps({"error": {"message": message} | fields}), headers=headers)


async def echo(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer with what the user said."""
    await says(f"re: {asked.user}")(asked, writer)


def late(seconds: float, reaction: Reaction = echo) -> Reaction:
    """Wait before the response."""

    async def react(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await reaction(asked, writer)

    return react


async def hang_up(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Close the connection without a word."""
    writer.close()


async def cut_in_the_middle(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Promise 500 bytes, send a few and close."""
    writer.write(_head(200, length=500, headers={}) + b'{"choices": [{"mess')
    await writer.drain()
    writer.close()


async def drip(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, without end: no single wait is long."""
    writer.write(_head(200, length=100_000, headers={}))
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def echo_headers(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Refuse the key and show it."""
    await error(401, f"bad header 'Authorization: {asked.headers['authorization']}'")(asked, writer)


class FaultyServer:
    """Use it as a context manager; it listens inside."""

    def __init__(self, script: Sequence[Reaction] | Callable[[Asked], Reaction] = ()) -> None:
        """Take the reactions to the first requests (it echoes after them), or a function that chooses one."""
        self.requests: list[Asked] = []
        self.most_in_flight = 0
        self.port = 0
        self._script = script
        self._in_flight = 0
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faulty server")

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving = task
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            server.close()
        # The runner cancels the conversations that are still open.

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                await self._react(await _read_request(reader), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the client has gone, or the test is over
        finally:
            writer.close()

    async def _react(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.requests.append(asked)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await self._reaction(asked)(asked, writer)
        finally:
            self._in_flight -= 1

    def _reaction(self, asked: Asked) -> Reaction:
        if callable(self._script):
            return self._script(asked)
        place = len(self.requests) - 1
        return self._script[place] if place < len(self._script) else echo


def _head(status: int, *, length: int, headers: Mapping[str, str]) -> bytes:
    fields = {"Content-Type": "application/json", "Content-Length": str(length)} | dict(headers)
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode()


async def _read_request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *fields = head.splitlines()
    at = time.monotonic()
    headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields if field)}
    body = json.loads(await reader.readexactly(int(headers["content-length"])))
    return Asked(line.split()[1], headers, body, at)
