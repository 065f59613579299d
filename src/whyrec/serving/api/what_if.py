"""Endpoints that ask a model: what if a user wanted more of an aspect, or somebody said what they want."""

from typing import Annotated

import orjson
from fastapi import Request, Response
from pydantic import BeforeValidator, Field

from whyrec.serving.api.answers import JsonBytes, digest, tagged
from whyrec.serving.api.errors import not_found, shown
from whyrec.serving.api.parameters import LARGEST_K, Nothing, Parameters, WhatIfQuery, id_of, query_of
from whyrec.serving.api.served import Served

LONGEST_WORDS = 2000


def _no_text(value: object) -> object:
    """JSON tells numbers from texts; 10.0 is an integer there."""
    if isinstance(value, str | bool):
        raise ValueError("Input should be a valid integer")
    return value


class StatedWish(Parameters):
    """What somebody says they want."""

    words: str = Field(max_length=LONGEST_WORDS, pattern=r"\S", examples=["gifts that are eco-friendly"])
    """In their own words."""
    k: Annotated[int, BeforeValidator(_no_text)] = Field(default=10, ge=1, le=LARGEST_K)
    """How many items."""


async def aspects(served: Served, request: Request) -> Response:
    """Readable scales that a what-if can shift; none where no run of guided is open."""
    query_of(request, Nothing)
    found = [] if served.live is None else await served.ask_live("aspects", lambda live: live.aspects())
    body = orjson.dumps(list(found))
    current = await served.read(served.version)
    return tagged(request, body, version=current.id, state=digest(body))


async def shifted(served: Served, request: Request) -> Response:
    """A user's list with more or less of an aspect."""
    user_id, query = id_of(request, "user_id"), query_of(request, WhatIfQuery)
    version = await served.read(served.version)
    if await served.read(served.store.is_erased, [user_id]):
        raise not_found(f"user {shown(user_id)}", do="A what-if needs a history.")
    found = await served.ask_live(
        "what-if", lambda live: live.shift(user_id, query.aspect, amount=query.amount, k=query.k)
    )
    body = orjson.dumps({"version": version.id, **found})
    return tagged(request, body, version=version.id, state=digest(body), is_personal=True)


async def stated(served: Served, wish: StatedWish) -> Response:
    """A list for what somebody says they want."""
    version = await served.read(served.version)
    found = await served.ask_live("motivations", lambda live: live.stated(wish.words, k=wish.k))
    body = orjson.dumps({"version": version.id, "entries": [entry.model_dump(mode="json") for entry in found]})
    return JsonBytes(body, headers=((b"cache-control", b"no-store"),))
