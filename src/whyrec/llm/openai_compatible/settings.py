"""Where a server is, what it runs and how patient to be with it. The API key is no setting; see ``credentials.py``."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, JsonValue

from whyrec.errors import InvalidConfigError
from whyrec.runtime.strict_model import StrictModel

OWN_FIELDS = frozenset(
    {
        "model",
        "messages",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "seed",
        "stop",
        "n",
        "stream",
        "response_format",
    }
)
"""Fields of a request that follow from the prompt, the sampling and the schema."""


class EndpointSettings(StrictModel):
    """A server and how to ask it."""

    base_url: str
    """The API's address; it usually ends in ``/v1``."""
    model: str = Field(min_length=1)
    """The model's name, as the server knows it."""
    revision: str = ""
    """What the server runs behind that name, as far as you know: a commit, a date. Another revision, other answers."""
    concurrency: int = Field(default=8, ge=1, le=1000)
    """The most requests in flight at once."""
    timeout_s: float = Field(default=300.0, gt=0)
    """The longest wait for one response."""
    deadline_s: float = Field(default=1800.0, gt=0)
    """The longest time for one prompt, all attempts and the waits between them together."""
    max_attempts: int = Field(default=8, ge=1)
    """The most attempts at one prompt; hopeless ones, such as a wrong key, are not repeated at all."""
    backoff_s: float = Field(default=1.0, ge=0)
    """The longest wait before the second attempt; it doubles with every further one, and the wait is drawn below it."""
    context_tokens: int | None = Field(default=None, ge=1)
    """The most tokens of prompt and answer together, if you know; longer prompts are then refused by an estimate."""
    structured: Literal["auto", "native", "prompt"] = "auto"
    """How to ask for a JSON schema: by ``response_format`` (``native``), in words (``prompt``), or in words only if the
    server refuses ``response_format`` (``auto``). A regular expression is always asked for in words."""
    extra_body: Mapping[str, JsonValue] = Field(default_factory=dict)
    """Further fields of every request, such as ``{"top_k": 20}`` for vLLM. Servers may have defaults of their own for
    what is not set here."""


def require_sound(settings: EndpointSettings) -> None:
    """Refuse an address that is none, and extra fields that would contradict the rest.

    No validator of the settings does this: its message would quote the address, and that may hold a password.

    Raises:
        InvalidConfigError: Saying what is wrong; credentials are not quoted.
    """
    _require_base_url(settings.base_url)
    clashing = sorted(OWN_FIELDS & settings.extra_body.keys())
    if clashing:
        raise InvalidConfigError(
            f"endpoint settings, extra_body: expected fields that whyrec does not set itself, got {clashing[0]!r}. "
            "Remove it; model, sampling and schema have settings of their own."
        )


def host_of(base_url: str) -> str:
    """The server's name, without port: the same model on another port is the same model."""
    return urlsplit(base_url).hostname or ""


def _require_base_url(base_url: str) -> None:
    where = "endpoint settings, base_url"
    # Whatever stands before an @ may be a password, even where the rest is no address.
    if "@" in base_url:
        raise InvalidConfigError(
            f"{where}: expected an address without user name or password, got one with '@'. "
            "Remove them and give the key in an environment variable."
        )
    if not _is_address(base_url):
        raise InvalidConfigError(
            f"{where}: expected an address such as http://localhost:8000/v1, got {base_url!r}. Correct it."
        )
    parts = urlsplit(base_url)
    if parts.query or parts.fragment:
        raise InvalidConfigError(
            f"{where}: expected an address without '?' and '#', got one with such a part. Remove it; a key belongs in "
            "an environment variable."
        )
    if parts.path.rstrip("/").endswith("/completions"):
        raise InvalidConfigError(
            f"{where}: expected the API's base, got the address of one function of it ({base_url}). "
            "Remove /chat/completions or /completions at its end."
        )


def _is_address(base_url: str) -> bool:
    import httpx

    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and " " not in base_url
