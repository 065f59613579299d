"""What stands before the API: keys, rates, hosts and time limits; after it, headers and counts. Plain ASGI.

One pass over a request instead of a middleware for each purpose: five of them would take longer than an answer.
"""

import asyncio
import time
from typing import NamedTuple

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whyrec.serving.api.errors import ApiError, error_response, unexpected
from whyrec.serving.api.keys import KeyRing
from whyrec.serving.api.log import log
from whyrec.serving.api.metrics import Metrics
from whyrec.serving.api.rates import RateLimit
from whyrec.serving.api.settings import ApiSettings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = (
    (b"content-security-policy", POLICY.encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
OPEN_PATHS = frozenset({"/", "/health", "/ready", "/openapi.json"})
OPEN_FOLDER = "/static/"
NO_ROUTE = "unmatched"


class _Said(NamedTuple):
    """What the headers of a request say that matters here."""

    host: str
    key: str | None


class Guard:
    """The outermost middleware of the API."""

    def __init__(self, app: ASGIApp, *, settings: ApiSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._keys = KeyRing(settings.key_hashes)
        self._rates = RateLimit(settings.requests_per_second, settings.burst)
        self._hosts = frozenset(host.lower() for host in settings.hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        try:
            await self._answer(scope, receive, send_guarded)
        except Exception:  # the server's last resort: a defect of ours, told in the log alone
            log.exception("unexpected failure at %s", ascii(scope["path"]))
            if status:
                raise
            await error_response(unexpected())(scope, receive, send_guarded)
        finally:
            route = getattr(scope.get("route"), "path", NO_ROUTE)
            self._metrics.answered(scope["method"], route, status, seconds=time.perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await error_response(refusal)(scope, receive, send)
            return
        raw: bytes = scope.get("raw_path") or b""
        if b"%" in raw:
            # Ids may hold slashes: paths are matched as they were sent, and endpoints decode the ids.
            scope["path"] = raw.decode("ascii", "replace")
        await self._app(scope, self._limited(receive) if scope["method"] == "POST" else receive, send)

    def _refusal(self, scope: Scope) -> ApiError | None:
        said = _said(scope)
        if not self._keys and said.host not in self._hosts:
            return ApiError(
                421,
                f"header Host: expected one of {', '.join(sorted(self._hosts))}, got {ascii(said.host)[:80]}. "
                "Address the server by one of these, or start it with a key.",
                code="wrong_host",
            )
        place = None if said.key is None or not self._keys else self._keys.place_of(said.key)
        client = scope["client"][0] if scope.get("client") else ""
        wait_s = self._rates.wait_s(client if place is None else place)
        if wait_s:
            return ApiError(
                429, f"client: expected fewer requests, got too many. Wait {wait_s} s.", retry_after_s=wait_s
            )
        if len(scope["query_string"]) > self._settings.max_query_bytes:
            return ApiError(
                414,
                f"query: expected at most {self._settings.max_query_bytes:,} bytes, got more. Ask for less.",
                code="too_long",
            )
        if self._keys and place is None and not self._is_open(scope):
            error = ApiError(401, f"key: expected a valid one, got {'none' if said.key is None else 'another'}. {_HOW}")
            error.headers["www-authenticate"] = "Bearer"
            return error
        return None

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"]
        is_preflight = scope["method"] == "OPTIONS" and bool(self._settings.cors_origins)
        return path in OPEN_PATHS or path.startswith(OPEN_FOLDER) or is_preflight

    def _limited(self, receive: Receive) -> Receive:
        """Read a body for so long and so far. Starlette has a limit of size too, with an answer of another form."""
        deadline = asyncio.get_running_loop().time() + self._settings.body_timeout_s
        left = self._settings.max_body_bytes

        async def receive_limited() -> Message:
            nonlocal left
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408) from None
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        return receive_limited


_HOW = "Send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."


def _said(scope: Scope) -> _Said:
    host, key = "", None
    for name, value in scope["headers"]:
        if name == b"host":
            host = value.decode("latin-1").lower()
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            key = value[7:].decode("latin-1").strip()
        elif name == b"x-api-key":
            key = value.decode("latin-1").strip()
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit():
        host = name
    return _Said(host.strip("[]"), key)
