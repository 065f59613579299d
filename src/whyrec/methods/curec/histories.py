"""What a user had taken, and when, up to a moment: the only form in which a history reaches a writer of texts."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import gt
from typing import NamedTuple

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidDataError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def as_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, the unit of all arrays of times here.

    Raises:
        InvalidDataError: If the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise InvalidDataError(
            f"time: expected an aware datetime, got {moment.isoformat()} without a zone. Add tzinfo=UTC."
        )
    return (moment - _EPOCH) // _MICROSECOND


class Interaction(NamedTuple):
    """Who took what, when."""

    user_id: str
    item_id: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class UserHistory:
    """The items of one user, oldest first; nothing in it is later than its last moment (S_u)."""

    user_id: str
    item_ids: tuple[str, ...] = ()
    timestamps: tuple[datetime, ...] = ()
    """Of each item, ascending; equal ones are common."""

    def __post_init__(self) -> None:
        if len(self.item_ids) != len(self.timestamps):
            raise InvalidDataError(
                f"history of user {self.user_id!r}: expected a time for each of {len(self.item_ids)} items, got "
                f"{len(self.timestamps)}. Give both."
            )
        if any(map(gt, self.timestamps, self.timestamps[1:])):
            raise InvalidDataError(
                f"history of user {self.user_id!r}: expected ascending times, got {self.timestamps[-1].isoformat()} "
                "last but not latest. Sort by time."
            )

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def until(self) -> datetime | None:
        """Time of the last interaction; None for an empty history."""
        return self.timestamps[-1] if self.timestamps else None

    def first(self, n: int) -> "UserHistory":
        """The ``n`` oldest interactions."""
        return UserHistory(self.user_id, self.item_ids[:n], self.timestamps[:n])

    def before(self, moment: datetime) -> "UserHistory":
        """The interactions strictly before a moment: those of the same second are left out."""
        return self.first(bisect_left(self.timestamps, moment))


def read_user_histories(data: Dataset, *, until: datetime) -> dict[str, UserHistory]:
    """Collect what every user took strictly before a cut-off; interactions outside the catalogue are left out.

    Args:
        data: The dataset.
        until: End of the training data: held-out interactions must not be before it, or must not be in ``data``.

    Returns:
        Histories by user_id, sorted by it; items of equal time stand in the order of their ids.
    """
    log = data.before(until).select(schema.USER, schema.ITEM, schema.TIMESTAMP).collect()
    known = log.filter(pl.col(schema.ITEM).is_in(data.items[schema.ITEM].implode()))
    rows = known.group_by(schema.USER, maintain_order=True).agg(schema.ITEM, schema.TIMESTAMP).sort(schema.USER)
    return {
        user_id: UserHistory(user_id, tuple(item_ids), tuple(timestamps))
        for user_id, item_ids, timestamps in rows.iter_rows()
    }


def interactions_of(histories: Mapping[str, UserHistory]) -> Iterator[Interaction]:
    """All interactions of some histories, user by user."""
    for history in histories.values():
        for item_id, timestamp in zip(history.item_ids, history.timestamps, strict=True):
            yield Interaction(history.user_id, item_id, timestamp)
