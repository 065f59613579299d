"""Endpoints of whole documents: items, users, explanations, titles, the version."""

from pathlib import PurePath

import orjson
from fastapi import Request, Response

from whyrec.serving.api.answers import digest, tagged
from whyrec.serving.api.cutting import with_version
from whyrec.serving.api.errors import not_found, shown
from whyrec.serving.api.parameters import MethodQuery, Nothing, SearchQuery, id_of, query_of
from whyrec.serving.api.served import Served


def item_page(served: Served, request: Request) -> Response:
    """Everything published about an item."""
    query_of(request, Nothing)
    item_id, version = id_of(request, "item_id"), served.version()
    document = served.store.item(version.id, item_id)
    if document is None:
        raise not_found(f"item {shown(item_id)}", do="Search for its title with /v1/search.")
    return tagged(request, with_version(document, version.id), version=version.id)


def user_page(served: Served, request: Request) -> Response:
    """Everything published about a user."""
    query_of(request, Nothing)
    user_id, version = id_of(request, "user_id"), served.version()
    document = served.store.user(version.id, user_id)
    if document is None:
        raise not_found(f"user {shown(user_id)}", do="Their list is what is trending.")
    return tagged(request, with_version(document, version.id), version=version.id, is_personal=True)


def item_explanation(served: Served, request: Request) -> Response:
    """Why an item is expected to be taken, for everybody."""
    item_id, query, version = id_of(request, "item_id"), query_of(request, MethodQuery), served.version()
    document = served.store.explanation(version.id, item_id, method=query.method)
    if document is None:
        raise not_found(
            f"explanation of item {shown(item_id)}", do="Only the first places of the board have one published."
        )
    return tagged(request, with_version(document, version.id), version=version.id)


def published_pair(served: Served, request: Request) -> Response | None:
    """Why an item is recommended to a user, where that is published."""
    user_id, item_id = id_of(request, "user_id"), id_of(request, "item_id")
    query, version = query_of(request, MethodQuery), served.version()
    document = served.store.explanation(version.id, item_id, user_id, method=query.method)
    if document is None:
        return None
    return tagged(request, with_version(document, version.id), version=version.id, is_personal=True)


async def live_pair(served: Served, request: Request) -> Response:
    """Why an item would be recommended to a user, made now."""
    user_id, item_id = id_of(request, "user_id"), id_of(request, "item_id")
    query, version = query_of(request, MethodQuery), served.version()
    pair = f"explanation of item {shown(item_id)} for user {shown(user_id)}"
    erased = await served.read(served.store.is_erased, [user_id])
    if served.live is None or erased:
        raise not_found(pair, do="Only the first places of a list have one published, and no run is open to make one.")
    found = await served.ask_live("explain", lambda live: live.explain(user_id, item_id, method=query.method))
    if found is None:
        raise not_found(pair, do="Only the first places of a list have one published, and no open run can make it.")
    body = with_version(found.model_dump_json().encode("utf-8"), version.id)
    return tagged(request, body, version=version.id, state=digest(body), is_personal=True)


def search(served: Served, request: Request) -> Response:
    """Items whose titles have words that begin as asked."""
    query, version = query_of(request, SearchQuery), served.version()
    matches = served.store.search(version.id, query.q, limit=query.k, offset=query.offset)
    items = [{"item_id": match.item_id, "title": match.title} for match in matches]
    body = orjson.dumps({"version": version.id, "query": query.q, "items": items})
    return tagged(request, body, version=version.id)


def version_record(served: Served, request: Request) -> Response:
    """The published version that answers are made from now."""
    query_of(request, Nothing)
    version = served.version()
    # Where runs lie on this machine is nobody's business; what they are called may be.
    named = tuple(run.model_copy(update={"directory": PurePath(run.directory).name}) for run in version.runs)
    body = version.model_copy(update={"runs": named}).model_dump_json()
    return tagged(request, body.encode("utf-8"), version=version.id)
