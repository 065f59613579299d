"""How documents are answered: as bytes, with the tag of what they were made from."""

import hashlib

from fastapi import Request, Response

_JSON = (b"content-type", b"application/json")
_SHARED = (b"cache-control", b"no-cache")
_PERSONAL = (b"cache-control", b"private, no-cache")
VERSION_HEADER = b"whyrec-version"


class JsonBytes(Response):
    """JSON that is written already; its headers are bytes too, which spares looking at each."""

    media_type = "application/json"

    def __init__(self, body: bytes, *, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-length", b"%d" % len(body)), _JSON, *headers]


class NotModified(Response):
    """The client has it already."""

    def __init__(self, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self.status_code = 304
        self.background = None
        self.body = b""
        self.raw_headers = list(headers)


def tagged(request: Request, body: bytes, *, version: int, state: str = "", is_personal: bool = False) -> Response:
    """Answer a document, or 304 where the client holds the same.

    Args:
        request: Its header ``If-None-Match`` is honoured.
        body: JSON.
        version: What it was read from; part of the tag.
        state: What else it depends on besides the address.
        is_personal: Whether it speaks of one user: it is kept by no shared cache.
    """
    number = b"%d" % version
    tag = b'"%s-%s"' % (number, state.encode("ascii")) if state else b'"%s"' % number
    headers = ((b"etag", tag), _PERSONAL if is_personal else _SHARED, (VERSION_HEADER, number))
    held = _held(request)
    if held is not None and (held == b"*" or tag in _tags(held)):
        return NotModified(headers)
    return JsonBytes(body, headers=headers)


def digest(*parts: bytes | str) -> str:
    """A short hash, to tell states apart in a tag."""
    found = hashlib.blake2b(digest_size=8)
    for part in parts:
        found.update(part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass"))
        found.update(b"\x00")
    return found.hexdigest()


def _held(request: Request) -> bytes | None:
    for name, value in request.scope["headers"]:
        if name == b"if-none-match":
            found: bytes = value
            return found.strip()
    return None


def _tags(held: bytes) -> set[bytes]:
    return {tag.strip().removeprefix(b"W/") for tag in held.split(b",")}
