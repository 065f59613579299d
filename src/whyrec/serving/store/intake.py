"""Interactions that are sent while serving: kept durably, each batch once."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from whyrec.errors import InvalidDataError
from whyrec.serving.documents import NewInteraction, Receipt
from whyrec.serving.store.database import Database
from whyrec.serving.store.erasure import Erasures, Forgotten
from whyrec.serving.store.keys import required_key
from whyrec.serving.store.moments import now, to_moment, to_number
from whyrec.serving.store.schema import batches, interactions, pointer, versions

_PAGE = 1000
_BATCH = select(batches.c.digest, batches.c.accepted).where(batches.c.key == bindparam("key"))
_AFTER = (
    select(interactions)
    .where(interactions.c.number > bindparam("after"))
    .order_by(interactions.c.number)
    .limit(bindparam("limit"))
)
_KNOWN = select(func.max(versions.c.taken_until)).join(pointer, pointer.c.version == versions.c.id).scalar_subquery()
_TAKEN_BY = (
    select(interactions.c.item_id)
    .where(interactions.c.user_id == bindparam("user_id"), interactions.c.number > func.coalesce(_KNOWN, 0))
    .order_by(interactions.c.number)
)


class TakenIn(NamedTuple):
    """An interaction as it was kept."""

    number: int
    """In the order of arrival, increasing."""
    interaction: NewInteraction
    received: datetime


class Intake:
    """Takes interactions in, and tells what was taken in."""

    def __init__(self, database: Database, erasures: Erasures) -> None:
        self._database = database
        self._forgotten = Forgotten(erasures)

    def take_in(self, new: Sequence[NewInteraction], key: str) -> Receipt:
        """Keep a batch; it is on the disk when this returns.

        Args:
            new: The interactions. Those of erased users are left out.
            key: Names the batch, so that it can be sent again where the answer was lost.

        Raises:
            InvalidDataError: If another batch had this key, a time has no offset, or an id cannot be kept.
        """
        required_key(key, where="idempotency key")
        received = to_number(now())
        rows = [_row(one, received=received) for one in new]
        digest = _digest(rows)
        with self._database.writing() as connection:
            before = connection.execute(_BATCH, {"key": key}).one_or_none()
            if before is not None:
                return _repeated(key, before.accepted, is_same=before.digest == digest)
            self._forgotten.refresh(connection)
            rows = [row for row in rows if row["user_id"] not in self._forgotten]
            values = {"key": key, "digest": digest, "accepted": len(rows), "received": received}
            connection.execute(batches.insert(), values)
            if rows:
                connection.execute(interactions.insert(), rows)
        return Receipt(key=key, accepted=len(rows), repeated=False)

    def taken_by(self, user_id: str) -> list[str]:
        """Items that a user took and the current version does not know of, in the order of arrival, each once."""
        return list(dict.fromkeys(item_id for (item_id,) in self._database.rows(_TAKEN_BY, user_id=user_id)))

    def taken_in(self, *, after: int, limit: int | None) -> Iterator[TakenIn]:
        """What was taken in, in the order of arrival.

        Args:
            after: The number of the last one that is known already.
            limit: How many at most; None for all.
        """
        left = limit
        while left is None or left > 0:
            page = self._database.rows(_AFTER, after=after, limit=_PAGE if left is None else min(left, _PAGE))
            yield from map(_taken_in, page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]
            left = None if left is None else left - len(page)


def _taken_in(row: tuple[object, ...]) -> TakenIn:
    number, user_id, item_id, timestamp, rating, received = row
    values = {"user_id": user_id, "item_id": item_id, "timestamp": to_moment(int(str(timestamp))), "rating": rating}
    return TakenIn(int(str(number)), NewInteraction.model_validate(values), to_moment(int(str(received))))


def _row(one: NewInteraction, *, received: int) -> dict[str, object]:
    if one.timestamp.tzinfo is None:
        raise InvalidDataError(
            f"timestamp: expected a moment with an offset such as 2026-01-31T12:00:00Z, "
            f"got {one.timestamp.isoformat()}. Add the offset."
        )
    return {
        "user_id": required_key(one.user_id, where="user_id"),
        "item_id": required_key(one.item_id, where="item_id"),
        "timestamp": to_number(one.timestamp),
        "rating": one.rating,
        "received": received,
    }


def _digest(rows: Sequence[Mapping[str, object]]) -> str:
    said = [{name: value for name, value in row.items() if name != "received"} for row in rows]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _repeated(key: str, accepted: int, *, is_same: bool) -> Receipt:
    if not is_same:
        raise InvalidDataError(
            f"idempotency key {key!r}: expected the same interactions as under it before, got others. Take a new key."
        )
    return Receipt(key=key, accepted=accepted, repeated=True)
