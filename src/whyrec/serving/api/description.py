"""How the API describes itself: operations with their parameters, answers and examples."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from whyrec.serving.api.errors import ErrorAnswer
from whyrec.serving.api.examples import error
from whyrec.serving.api.guard import OPEN_PATHS

OpenApi = dict[str, Any]  # a part of an OpenAPI document, which is JSON

_ERRORS = {
    400: error("malformed", "body: expected JSON, got something else: Expecting value. Send JSON."),
    401: error("key_required", "key: expected a valid one, got none. Send it as 'Authorization: Bearer KEY'."),
    404: error("not_found", "item 'tt0': expected one that is published, found none. Search for its title."),
    408: error("too_slow", "body: expected it sooner, got a part. Send it at once."),
    409: error("key_used", "key '3f1c9a52': expected the batch that it came with, got another. Send a new key."),
    413: error("too_large", "body: expected fewer bytes, got more than are read. Send it in parts."),
    414: error("too_long", "query: expected at most 4,096 bytes, got more. Ask for less."),
    421: error("wrong_host", "header Host: expected one of 127.0.0.1, localhost, got 'films.example'."),
    422: error("invalid", "parameter 'k': expected it to be less than or equal to 100, got '500'."),
    429: error("too_many_requests", "client: expected fewer requests, got too many. Wait 1 s."),
    503: error("unavailable", "store: expected an answer, got none. Try again in a moment."),
}
_OF_ALL = (401, 414, 421, 422, 429, 503)
_SCHEMES: OpenApi = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class Described(NamedTuple):
    """What an operation answers."""

    shape: Any  # a pydantic model, or a type of the typing module
    example: Any  # JSON
    status: int = 200
    errors: Sequence[int] = ()
    """Statuses besides those that every operation may answer."""
    has_tag: bool = True
    """Whether it may answer 304."""


def answers(operation: Described) -> OpenApi:
    """What an operation may answer, by status."""
    found: OpenApi = {operation.status: {"model": operation.shape, **_with_example(operation.example)}}
    if operation.has_tag:
        found[304] = {"description": "What If-None-Match names is still so."}
    for status in (*_OF_ALL, *operation.errors):
        found[status] = {"model": ErrorAnswer, **_with_example(_ERRORS[status])}
    return found


def _with_example(example: object) -> OpenApi:
    return {"content": {"application/json": {"example": example}}}


def _put_examples(document: OpenApi, app: FastAPI) -> None:
    """Put the examples of answers in again: FastAPI leaves out what is null, which is a value here."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods:
                described = document["paths"][route.path][method.lower()]["responses"]
                for status, answer in route.responses.items():
                    if "content" in answer:
                        described[str(status)]["content"]["application/json"] |= answer["content"]["application/json"]


def describe_security(app: FastAPI) -> None:
    """Add to the OpenAPI document how a key is sent, where one is needed."""

    def openapi() -> OpenApi:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            found.setdefault("components", {})["securitySchemes"] = _SCHEMES
            # Without keys the server asks for none: the empty requirement says that.
            found["security"] = [{name: []} for name in _SCHEMES] + [{}]
            for path in OPEN_PATHS.intersection(found["paths"]):
                for operation in found["paths"][path].values():
                    operation["security"] = []
            _put_examples(found, app)
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this way of extending it
