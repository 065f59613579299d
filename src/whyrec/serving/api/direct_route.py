"""A route to an endpoint that reads its request itself."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send


class DirectRoute(APIRoute):
    """Described like any other, but called with the request alone.

    What FastAPI does for an endpoint (parameters, dependencies, exit stacks) takes as long as a document's answer, and
    none of it is needed where the request is read by ``parameters.query_of``. Exceptions are answered by the
    application's handlers all the same.
    """

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], **described: Any) -> None:
        super().__init__(path, endpoint, **described)  # whatever FastAPI takes; nothing of it is read here

        async def direct(scope: Scope, receive: Receive, send: Send) -> None:
            response = await endpoint(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = direct
