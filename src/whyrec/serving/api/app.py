"""The HTTP API: what can be asked, and how it is described."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.cors import CORSMiddleware

from whyrec import __version__
from whyrec.serving.api import answer_models as shapes
from whyrec.serving.api import examples, intake, lists, pages, what_if
from whyrec.serving.api.description import Described, answers, describe_security
from whyrec.serving.api.direct_route import DirectRoute
from whyrec.serving.api.errors import add_error_handlers
from whyrec.serving.api.guard import Guard
from whyrec.serving.api.metrics import Metrics
from whyrec.serving.api.operations import add_operations
from whyrec.serving.api.parameters import (
    ListQuery,
    MethodQuery,
    SearchQuery,
    TrendingQuery,
    WhatIfQuery,
    documented,
)
from whyrec.serving.api.served import Live, Served
from whyrec.serving.api.settings import ApiSettings
from whyrec.serving.documents import Erased, Receipt, VersionRecord

if TYPE_CHECKING:
    from whyrec.serving.store import Store

_SUMMARY = "Lists, forecasts and their reasons, as published; with models held open, what-if questions."
_CORS_HEADERS = ("authorization", "x-api-key", "content-type", "if-none-match", intake.KEY_HEADER)
_KEY_PARAMETER = {
    "name": intake.KEY_HEADER,
    "in": "header",
    "required": True,
    "description": "Random, new with every batch; the same when a batch is sent again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": intake.LONGEST_KEY, "pattern": "^[!-~]+$"},
}

# Prometheus counts already; asking for OpenTelemetry's providers at each request takes longer than counting.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}

Endpoint = Callable[..., Awaitable[Response]]


def create_app(store: "Store", *, live: Live | None = None, settings: ApiSettings | None = None) -> FastAPI:
    """Build the application.

    Args:
        store: That is served; its reads run on the event loop where they take microseconds (SQLite), in threads where
            they wait for a network (PostgreSQL).
        live: Models for what-if questions and explanations that were not published.
        settings: Limits and permissions; by default those of a loopback server.
    """
    settings, metrics = settings or ApiSettings(), Metrics()
    served = Served(store, live=live, settings=settings, metrics=metrics)
    app = FastAPI(
        title="whyrec",
        summary=_SUMMARY,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    app.state.served = served
    add_error_handlers(app)
    # Routes are tried in order: those that are asked most come first.
    _add_published(app, served)
    _add_live(app, served)
    _add_changes(app, served)
    add_operations(app, served)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=_CORS_HEADERS,
            expose_headers=("etag", "retry-after", "whyrec-version"),
        )
    app.add_middleware(Guard, settings=settings, metrics=metrics)
    describe_security(app)
    return app


def _add_published(app: FastAPI, served: Served) -> None:
    def read(answer: Callable[[Served, Request], Response]) -> Endpoint:
        async def at_once(request: Request) -> Response:
            return answer(served, request)

        async def waiting(request: Request) -> Response:
            return await served.read(answer, served, request)

        return _named(at_once if served.reads_at_once else waiting, answer)

    async def explain(request: Request) -> Response:
        found = await published(request)
        return await pages.live_pair(served, request) if found is None else found

    published = read(pages.published_pair)  # type: ignore[arg-type]  # None leads on to the live models
    explanation = Described(shapes.ServedExplanation, examples.EXPLANATION, errors=(404,))
    listed = Described(shapes.ServedList, examples.LIST, errors=(404,))
    board = Described(shapes.ServedBoard, examples.BOARD, errors=(404,))
    user = Described(shapes.ServedUser, examples.USER, errors=(404,))
    item = Described(shapes.ServedItem, examples.ITEM, errors=(404,))
    found = Described(shapes.Matches, examples.MATCHES)
    version = Described(VersionRecord, examples.VERSION)
    of_user, of_item = "/v1/users/{user_id}", "/v1/items/{item_id}"
    asked = documented("user_id", query=ListQuery)
    _get(app, f"{of_user}/recommendations", read(lists.recommendations), what=listed, asked=asked)
    _get(app, "/v1/trending", read(lists.trending), what=board, asked=documented(query=TrendingQuery))
    pair = _named(explain, pages.live_pair)
    asked = documented("user_id", "item_id", query=MethodQuery)
    _get(app, f"{of_user}/items/{{item_id}}/explanation", pair, what=explanation, asked=asked)
    asked = documented("item_id", query=MethodQuery)
    _get(app, f"{of_item}/explanation", read(pages.item_explanation), what=explanation, asked=asked)
    _get(app, of_item, read(pages.item_page), what=item, asked=documented("item_id"))
    _get(app, of_user, read(pages.user_page), what=user, asked=documented("user_id"))
    _get(app, "/v1/search", read(pages.search), what=found, asked=documented(query=SearchQuery))
    _get(app, "/v1/version", read(pages.version_record), what=version, asked=[])


def _add_live(app: FastAPI, served: Served) -> None:
    async def shift(request: Request) -> Response:
        return await what_if.shifted(served, request)

    async def aspects(request: Request) -> Response:
        return await what_if.aspects(served, request)

    async def stated(wish: what_if.StatedWish) -> Response:
        return await what_if.stated(served, wish)

    shifted = Described(shapes.Shifted, examples.SHIFTED, errors=(404,))
    asked = documented("user_id", query=WhatIfQuery)
    _get(app, "/v1/users/{user_id}/what-if", _named(shift, what_if.shifted), what=shifted, asked=asked)
    shown = Described(tuple[shapes.ShownAspect, ...], examples.ASPECTS)
    _get(app, "/v1/aspects", _named(aspects, what_if.aspects), what=shown, asked=[])
    wished = Described(shapes.StatedList, examples.STATED, errors=(400, 404, 408, 413), has_tag=False)
    app.post(
        "/v1/what-if/motivations",
        responses=answers(wished),
        **_said(what_if.stated),
    )(stated)


def _add_changes(app: FastAPI, served: Served) -> None:
    async def take_in(request: Request, batch: intake.Batch) -> Response:
        return await intake.take_in(served, request, batch)

    async def erase(request: Request) -> Response:
        return await intake.erase(served, request)

    kept = Described(Receipt, examples.RECEIPT, status=201, errors=(400, 408, 409, 413), has_tag=False)
    repeated = answers(Described(Receipt, examples.REPEATED, has_tag=False))[200]
    responses = {200: {**repeated, "description": "It was kept before; nothing was kept twice."}, **answers(kept)}
    app.post(
        "/v1/interactions",
        status_code=201,
        responses=responses,
        openapi_extra={"parameters": [_KEY_PARAMETER]},
        **_said(intake.take_in),
    )(take_in)
    erased = Described(Erased, examples.ERASED, has_tag=False)
    app.delete(
        "/v1/users/{user_id}",
        responses=answers(erased),
        openapi_extra={"parameters": documented("user_id")},
        **_said(intake.erase),
    )(erase)


def _get(app: FastAPI, path: str, endpoint: Endpoint, *, what: Described, asked: list[dict[str, Any]]) -> None:
    app.router.add_api_route(
        path,
        endpoint,
        methods=["GET"],
        responses=answers(what),
        openapi_extra={"parameters": asked},
        route_class_override=DirectRoute,
        **_said(endpoint),
    )


def _said(function: Callable[..., object]) -> dict[str, Any]:
    """What FastAPI would take from an endpoint of this name."""
    first, _, rest = (function.__doc__ or "").partition("\n")
    return {
        "operation_id": function.__name__,
        "summary": first.rstrip("."),
        "description": rest.strip() or first,
        "response_model": None,
    }


def _named(endpoint: Endpoint, like: Callable[..., object]) -> Endpoint:
    endpoint.__name__, endpoint.__doc__ = like.__name__, like.__doc__
    return endpoint
