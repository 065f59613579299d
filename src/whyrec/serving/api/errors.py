"""Errors of the API: one form, one line, never a traceback."""

import re
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from whyrec import errors
from whyrec.serving.api.log import log

RETRY_AFTER_S = 1
_LONGEST_SHOWN = 80
_UNREAD = (408, 413)  # part of the body is still to come: the connection is of no use any more
_OUGHT = re.compile(r"^[A-Z][\w ]*? should ")
_CODES = {
    400: "malformed",
    401: "key_required",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "not_json",
    422: "invalid",
    429: "too_many_requests",
    503: "unavailable",
}


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, *, code: str | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or _CODES.get(status, "error")
        self.headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}


class ErrorBody(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    code: str
    """Short and stable, for programs."""
    message: str
    """One line for people: where, what was expected, what came, what to do."""


class ErrorAnswer(BaseModel):
    """The form of every error."""

    model_config = ConfigDict(extra="forbid")

    error: ErrorBody


def error_response(error: ApiError) -> Response:
    """Put an error into its form."""
    message = " ".join(error.message.split()).encode("utf-8", "backslashreplace").decode("utf-8")
    body = orjson.dumps({"error": {"code": error.code, "message": message}})
    headers = {"cache-control": "no-store", **error.headers}
    return Response(body, status_code=error.status, headers=headers, media_type="application/json")


def not_found(what: str, *, do: str) -> ApiError:
    """Say that something is not there.

    Args:
        what: Such as ``item 'tt1'``.
        do: What the client may do about it.
    """
    return ApiError(404, f"{what}: expected one that is published, found none. {do}")


def invalid(problems: list[ErrorDetails], *, where: str) -> ApiError:
    """Say what of a request breaks its schema: the first problem, and how many more there are."""
    first = problems[0]
    place = ".".join(str(part) for part in first["loc"])
    more = f"; {len(problems) - 1} more problems" if len(problems) > 1 else ""
    if first["type"] == "missing":
        said = "expected it, got nothing"
    elif first["type"] == "extra_forbidden":
        said = "expected no such name, got it"
    else:
        expected = _OUGHT.sub("expected it to ", first["msg"].removeprefix("Value error, "))
        said = f"{expected}, got {shown(first['input'])}"
    return ApiError(422, f"{where} {shown(place)}: {said}{more}. See /openapi.json.")


def add_error_handlers(app: FastAPI) -> None:
    """Answer everything that can be raised in the one form."""

    @app.exception_handler(ApiError)
    async def _api_error(_: Request, error: ApiError) -> Response:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def _unreadable(_: Request, error: RequestValidationError) -> Response:
        problems = list(error.errors())
        if problems[0]["type"] == "json_invalid":
            message = f"body: expected JSON, got something else: {problems[0]['ctx']['error']}. Send JSON."
            return error_response(ApiError(400, message))
        return error_response(invalid(problems, where="request"))

    @app.exception_handler(HTTPException)
    async def _http_error(_: Request, error: HTTPException) -> Response:
        return error_response(_of_http(error))

    @app.exception_handler(errors.WhyrecError)
    async def _expected(_: Request, error: errors.WhyrecError) -> Response:
        return error_response(_of_ours(error))


def unexpected() -> ApiError:
    """The answer to a defect of ours: what it was stands in the log."""
    return ApiError(500, "server: expected to answer, failed. Try again; its log says more.", code="failed")


def _of_http(error: HTTPException) -> ApiError:
    phrase = HTTPStatus(error.status_code).phrase
    messages = {
        400: "body: expected JSON, got something that cannot be read. Send JSON in UTF-8.",
        404: "path: expected one of /openapi.json, got another. Look there.",
        408: "body: expected it sooner, got a part. Send it at once.",
        405: "method: expected one that this path knows, got another. See the header Allow.",
        413: "body: expected fewer bytes, got more than are read. Send it in parts.",
    }
    found = ApiError(error.status_code, messages.get(error.status_code, f"request: {phrase}."))
    found.headers |= error.headers or {}
    if error.status_code in _UNREAD:
        found.headers["connection"] = "close"
    return found


def _of_ours(error: errors.WhyrecError) -> ApiError:
    if isinstance(error, _unavailable()):
        log.warning("store: %s", error)
        message = "store: expected an answer, got none. Try again in a moment."
        return ApiError(503, message, retry_after_s=RETRY_AFTER_S)
    if isinstance(error, errors.OutputWriteError):
        log.error("store: %s", error)
        message = "store: expected to write, could not; nothing of it was kept. Try again, or see the server's log."
        return ApiError(503, message, code="not_kept", retry_after_s=RETRY_AFTER_S)
    if isinstance(error, errors.UnknownIdError):
        return ApiError(404, str(error))
    if isinstance(error, errors.InvalidConfigError | errors.InvalidDataError):
        return ApiError(422, str(error))
    log.error("unexpected: %s", error, exc_info=error)
    return unexpected()


def _unavailable() -> type[Exception]:
    return getattr(errors, "StoreUnavailableError", ConnectionError)


def shown(value: object) -> str:
    """A value that came, in ASCII and not too long."""
    text = ascii(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}... ({len(text):,} characters)"
