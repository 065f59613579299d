"""What can come instead of an answer: whether to try again, what to tell the user, and what the server said.

Failures are values; only the last one of a prompt becomes an error.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic import SecretStr

from whyrec.errors import EndpointError, LanguageModelError, PromptTooLongError
from whyrec.llm.openai_compatible.credentials import API_KEY_VARIABLE, quoted

ONCE, FEW, MANY = 1, 3, 1_000_000

_TOO_LONG = re.compile(
    r"context[ _](length|size|window)|exceed_context|maximum context|(prompt|input) is too long|too many tokens", re.I
)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.I | re.S)
_LATER = "Try again later; answers that are in the cache are not asked for again."


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that brought no answer."""

    got: str
    """What came instead, for messages."""
    advice: str
    """What the user can do about it."""
    patience: int = ONCE
    """How many attempts are worth while."""
    retry_after_s: float = 0.0
    """How long the server asks to be left alone."""
    status: int | None = None
    words: str = ""
    """What the server said about it."""
    error: type[LanguageModelError] = EndpointError
    """What it becomes in the end."""
    cause: Exception | None = None

    @property
    def is_refusal(self) -> bool:
        """True if the server does not want some field of the request; it may do without."""
        return self.status in (400, 422) and self.error is EndpointError


def failure_of_response(response: httpx.Response, *, key: SecretStr | None) -> Failure:
    """Read a response that is no success."""
    if response.is_redirect:
        target = quoted(response.headers.get("location", "nowhere"), key)
        return Failure(f"a redirect to {target}", "Give the address where it leads as base_url.")
    status = response.status_code
    if _is_web_page(response):
        page = _web_page(response, key=key)
        if not _is_passing(status):
            return page
        return _failure_of_status(status, f"a web page ({page.words})", response=response, has_key=key is not None)
    words = quoted(_words_of(response), key)
    return _failure_of_status(status, words, response=response, has_key=key is not None)


def failure_of_success(response: httpx.Response, *, key: SecretStr | None) -> Failure:
    """Read a response that calls itself a success but holds no answer."""
    if _is_web_page(response):
        return _web_page(response, key=key)
    error = _json_of(response, "error")
    if error is not None:
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else response.status_code
        words = quoted(_words_of(response), key)
        return _failure_of_status(status, words, response=response, has_key=key is not None)
    return Failure(
        f"something that is no chat completion ({quoted(response.text, key, longest=80) or 'nothing'})",
        f"Is this an OpenAI-compatible chat API? {_LATER}",
        patience=FEW,
    )


def failure_of_transport(error: httpx.RequestError, *, answering: bool, reached: bool) -> Failure:
    """Read a connection that failed.

    Args:
        error: How.
        answering: The response had begun.
        reached: This server has answered before, so that the address is right.
    """
    reason = _reason(error)
    if isinstance(error, httpx.ConnectError):
        return Failure(
            f"no connection ({reason})",
            "Is the server running, and is the address right?",
            patience=MANY if reached else FEW,
            cause=error,
        )
    if answering:
        return Failure(f"a response that broke off ({reason})", _LATER, patience=FEW, cause=error)
    return Failure(f"a dropped connection ({reason})", f"Look into the server's log. {_LATER}", MANY, cause=error)


def failure_of_time(seconds: float, *, cause: TimeoutError) -> Failure:
    """No response in time."""
    advice = "Raise timeout_s or deadline_s, lower concurrency or max_tokens, or look into the server's log."
    return Failure(f"no response within {seconds:g} s", advice, MANY, cause=cause)


def retry_after_s(value: str | None, *, now: datetime) -> float:
    """Read a Retry-After header: seconds or a date; 0 where it is neither or past."""
    if value is None:
        return 0.0
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())


def _failure_of_status(status: int, words: str, *, response: httpx.Response, has_key: bool) -> Failure:
    got = f"{status} ({words.rstrip('.') or 'without a word'})"
    if status == 413 or (status in (400, 422) and _TOO_LONG.search(words)):
        advice = "Shorten the prompt, lower max_tokens or take a model with a longer context."
        return Failure(got, advice, status=status, words=words, error=PromptTooLongError)
    wait = retry_after_s(response.headers.get("retry-after"), now=datetime.now(UTC))
    patience = MANY if _is_passing(status) and "insufficient_quota" not in response.text else ONCE
    advice = _advice(status, has_key=has_key)
    return Failure(got, advice, patience, retry_after_s=wait, status=status, words=words)


def _advice(status: int, *, has_key: bool) -> str:
    if status == 401:
        lead = "The server refuses the API key" if has_key else "No API key was sent"
        return f"{lead}: set {API_KEY_VARIABLE}, or the variable that you named for it, to a valid one."
    if status == 403:
        return "The API key may not use this model or this address; ask whoever runs the server."
    if status == 404:
        return "Check the model's name and the base URL, which usually ends in /v1."
    if status == 429:
        return f"Lower concurrency, or look whether the quota is used up. {_LATER}"
    if status >= 500:
        return f"Look into the server's log. {_LATER}"
    return "Correct the setting that it names."


def _is_passing(status: int) -> bool:
    """True for what may be over in a while: too many requests, overload, a proxy whose server restarts."""
    return status in (408, 429) or (status >= 500 and status != 501)


def _is_web_page(response: httpx.Response) -> bool:
    head = response.text[:200].lstrip().lower()
    return "text/html" in response.headers.get("content-type", "") or head.startswith(("<!doctype html", "<html"))


def _web_page(response: httpx.Response, *, key: SecretStr | None) -> Failure:
    found = _TITLE.search(response.text)
    title = quoted(found[1], key, longest=80) if found is not None else "without title"
    advice = "Is this the API's base URL? It usually ends in /v1."
    return Failure(f"a web page ({title})", advice, status=response.status_code, words=title)


def _words_of(response: httpx.Response) -> str:
    """The message in an error body, wherever this kind of server puts it."""
    for name in ("error", "detail", "message"):
        found = _json_of(response, name)
        if isinstance(found, dict):
            found = found.get("message", found)
        if found:
            return found if isinstance(found, str) else str(found)
    return response.text


def _json_of(response: httpx.Response, name: str) -> Any:  # what a server sends can be anything
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body.get(name) if isinstance(body, dict) else None


def _reason(error: httpx.RequestError) -> str:
    """The system's own words where httpx only says that all attempts failed."""
    innermost: BaseException = error
    while innermost.__cause__ or innermost.__context__:
        innermost = innermost.__cause__ or innermost.__context__ or innermost
    if isinstance(innermost, ConnectionError) and innermost.errno:
        return os.strerror(innermost.errno)
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return str(error) or type(error).__name__
