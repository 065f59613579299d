"""The web page: files of a fixed list, read once, served from memory."""

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from fastapi import Request, Response

from whyrec.serving.api.errors import not_found, shown

INDEX = "index.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
_NO_PAGE = b"<!doctype html><title>whyrec</title><p>The API is described in <a href=/openapi.json>openapi.json</a>.</p>"


class PageFile(NamedTuple):
    """A file of the page."""

    content: bytes
    media_type: str
    tag: str


def page_files() -> dict[str, PageFile]:
    """Read the packaged page: files by their path below ``web/``. Only these can be asked for."""
    found = _files_under(resources.files("whyrec.serving") / "web", prefix="")
    found.setdefault(INDEX, _file(_NO_PAGE, ".html"))
    return found


def _files_under(folder: Traversable, *, prefix: str) -> dict[str, PageFile]:
    found: dict[str, PageFile] = {}
    for part in folder.iterdir() if folder.is_dir() else ():
        path = f"{prefix}{part.name}"
        suffix = f".{part.name.rpartition('.')[2]}"
        if part.is_dir():
            found |= _files_under(part, prefix=f"{path}/")
        elif suffix in _TYPES:
            found[path] = _file(part.read_bytes(), suffix)
    return found


def _file(content: bytes, suffix: str) -> PageFile:
    return PageFile(content, _TYPES[suffix], f'"{hashlib.blake2b(content, digest_size=8).hexdigest()}"')


def page_file(files: dict[str, PageFile], path: str, request: Request) -> Response:
    """Answer a file of the page."""
    found = files.get(path)
    if found is None:
        raise not_found(f"file {shown(path)}", do="Open / instead.")
    headers = {"etag": found.tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    return Response(found.content, headers=headers, media_type=found.media_type)
