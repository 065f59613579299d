"""Endpoints that change what is stored: new interactions, and the erasure of a user."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Request, Response
from pydantic import AwareDatetime, BeforeValidator, Field

from whyrec.errors import InvalidDataError
from whyrec.serving.api.answers import JsonBytes
from whyrec.serving.api.errors import ApiError, shown
from whyrec.serving.api.parameters import Id, Nothing, Parameters, id_of, query_of
from whyrec.serving.api.served import Served
from whyrec.serving.documents import NewInteraction

MOST_INTERACTIONS = 1000
LONGEST_KEY = 200
KEY_HEADER = "Idempotency-Key"
CLOCKS_DIFFER = timedelta(minutes=1)
_KEY = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_KEY}}}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_NOT_STORED = ((b"cache-control", b"no-store"),)


def _as_written(value: object) -> object:
    """Numbers could be seconds or milliseconds, so they are no moments."""
    if not isinstance(value, str) or not _MOMENT.match(value):
        raise ValueError("Input should be a date and time with an offset, such as 2013-11-07T20:15:00Z")
    return value


class SentInteraction(NewInteraction):
    """One interaction: what ``NewInteraction`` is, with an offset of the timestamp required."""

    user_id: Id
    item_id: Id
    timestamp: Annotated[AwareDatetime, BeforeValidator(_as_written)] = Field(examples=["2013-11-07T20:15:00Z"])
    """ISO 8601 with an offset; at most a minute in the future, for clocks differ."""
    rating: Annotated[float, Field(strict=True)] | None = None


class Batch(Parameters):
    """Interactions that are kept together or not at all."""

    interactions: Annotated[tuple[SentInteraction, ...], Field(min_length=1, max_length=MOST_INTERACTIONS)]


async def take_in(served: Served, request: Request, batch: Batch) -> Response:
    """Keep a batch of interactions, on disk before the answer."""
    key = _key_of(request)
    latest = datetime.now(UTC) + CLOCKS_DIFFER
    for place, one in enumerate(batch.interactions):
        if not _EARLIEST <= one.timestamp <= latest:
            raise ApiError(
                422,
                f"body 'interactions.{place}.timestamp': expected a moment that is past, from 1900 on, got "
                f"{one.timestamp.isoformat()}. Send what has happened.",
            )
    interactions = [NewInteraction(**one.model_dump()) for one in batch.interactions]
    try:
        receipt = await served.write(served.store.take_in, interactions, key)
    except InvalidDataError as error:
        raise ApiError(409, str(error), code="key_used") from error
    served.metrics.kept(receipt.accepted, repeated=receipt.repeated)
    body = receipt.model_dump_json().encode("utf-8")
    return JsonBytes(body, status=200 if receipt.repeated else 201, headers=_NOT_STORED)


async def erase(served: Served, request: Request) -> Response:
    """Remove everything that is stored of a user."""
    query_of(request, Nothing)
    user_id = id_of(request, "user_id")
    erased = await served.write(served.store.erase_user, user_id)
    return JsonBytes(erased.model_dump_json().encode("utf-8"), headers=_NOT_STORED)


def _key_of(request: Request) -> str:
    key = request.headers.get(KEY_HEADER)
    if key is None or not _KEY.fullmatch(key):
        got = "none" if key is None else shown(key)
        raise ApiError(
            400,
            f"header {KEY_HEADER}: expected 1 to {LONGEST_KEY} visible characters, got {got}. Send a new random key "
            "with every batch, and the same one when you repeat it.",
            code="idempotency_key",
        )
    return key
