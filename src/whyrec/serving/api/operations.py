"""Endpoints for those who run the server, and the web page."""

from fastapi import FastAPI, Request, Response

from whyrec.serving.api.answer_models import Health, Readiness
from whyrec.serving.api.answers import JsonBytes
from whyrec.serving.api.description import Described, answers
from whyrec.serving.api.metrics import CONTENT_TYPE
from whyrec.serving.api.served import Served
from whyrec.serving.api.static_page import INDEX, page_file, page_files

_NOT_STORED = ((b"cache-control", b"no-store"),)
_ALIVE = {"status": "alive"}


def add_operations(app: FastAPI, served: Served) -> None:
    """Add health, readiness and metrics, which are no part of the versioned API, and the page."""

    @app.get("/health", responses=answers(Described(Health, _ALIVE, has_tag=False)), response_model=None)
    async def health() -> Response:
        """Whether the server answers at all."""
        return _said(Health(status="alive"))

    ready_answers = answers(Described(Readiness, {"status": "ready", "version": 12}, has_tag=False))

    @app.get("/ready", responses=ready_answers, response_model=None)
    async def ready() -> Response:
        """Whether the store answers and something is published."""
        await served.read(served.store.ping)
        version = await served.read(served.version)
        return _said(Readiness(status="ready", version=version.id))

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """What was counted, for Prometheus."""
        text = await served.in_thread(served.metrics.text)
        return Response(text, headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    files = page_files()

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        """The web page."""
        return page_file(files, INDEX, request)

    @app.get("/static/{path:path}", include_in_schema=False)
    async def static(path: str, request: Request) -> Response:
        """A file of the web page."""
        return page_file(files, path, request)


def _said(health: Health | Readiness) -> Response:
    return JsonBytes(health.model_dump_json().encode("ascii"), headers=_NOT_STORED)
