"""What the HTTP API allows, and how much of it."""

from pydantic import Field

from whyrec.runtime.strict_model import StrictModel

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that nobody else can reach."""


class ApiSettings(StrictModel):
    """Limits and permissions of the API; every default is safe for a server on the open network."""

    key_hashes: tuple[str, ...] = ()
    """SHA-256 of the keys that are let in, in hexadecimal. Without any, everybody who reaches the server is."""
    hosts: tuple[str, ...] = LOOPBACK
    """Names under which the server may be addressed while there is no key: against pages that rebind a name of theirs
    to the loopback address. With a key it is not looked at."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call the API, such as ``https://films.example``; none by default."""
    max_body_bytes: int = Field(default=1 << 20, ge=1)
    """The longest request body."""
    max_query_bytes: int = Field(default=4096, ge=1)
    """The longest query string."""
    requests_per_second: float = Field(default=50, ge=0)
    """What a client may ask for in the long run, of one worker process; 0 sets no limit."""
    burst: int = Field(default=200, ge=1)
    """What a client may ask for at once."""
    body_timeout_s: float = Field(default=10, gt=0)
    """How long a client may take to send a body."""
