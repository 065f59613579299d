"""An interaction log as parallel numpy arrays in time order: what compiled feature code reads."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidDataError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS_PER_DAY = 86_400_000_000


def as_days(moment: datetime) -> float:
    """Days since 1970-01-01 UTC, the time unit of ``EventArrays``."""
    # By way of whole microseconds, as the log's days are made: a sum of float seconds may fall beside an equal moment.
    return ((moment - _EPOCH) // timedelta(microseconds=1)) / _MICROSECONDS_PER_DAY


@dataclass(frozen=True, eq=False)
class EventArrays:
    """Events in time order; index ``i`` of every array speaks of the same event.

    Everything was known before the cut-off that the arrays were built with; take a prefix for an earlier one.
    """

    item_ids: pl.Series
    """The catalogue's ids, sorted; ``item`` holds positions in it."""
    n_users: int
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    day: NDArray[np.float64]
    """Days since 1970-01-01 UTC."""
    is_first: NDArray[np.bool_]
    """True at the first event of a (user, item) pair."""
    rating: NDArray[np.float64] | None

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.item_ids)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.day)

    @cached_property
    def first_day(self) -> NDArray[np.float64]:
        """Per item: the day of its first event; infinity for an item without one."""
        first = np.full(self.n_items, np.inf)
        np.minimum.at(first, self.item, self.day)
        return first

    def index_at(self, day: float) -> int:
        """Number of events strictly before ``day``."""
        return int(np.searchsorted(self.day, day, side="left"))


def event_arrays(data: Dataset, *, before: datetime) -> EventArrays:
    """Collect the log strictly before a cut-off.

    Raises:
        InvalidDataError: If an event names an item that the catalogue does not hold.
    """
    columns = [schema.USER, schema.ITEM, schema.TIMESTAMP]
    has_rating = schema.RATING in data.interactions.collect_schema()
    log = data.before(before).select([*columns, schema.RATING] if has_rating else columns).collect()
    item_ids = data.items[schema.ITEM].sort()
    position = pl.DataFrame({schema.ITEM: item_ids, "item": np.arange(len(item_ids), dtype=np.int32)})
    log = log.join(position, on=schema.ITEM, how="left", maintain_order="left")
    unknown = log.filter(pl.col("item").is_null())
    if unknown.height:
        raise InvalidDataError(
            f"{data.name}: expected every interaction's item in the catalogue, got {unknown[schema.ITEM][0]!r}. "
            'Rebuild the dataset with "whyrec data import", which refuses or adds such items.'
        )
    return EventArrays(
        item_ids=item_ids,
        n_users=log[schema.USER].n_unique(),
        user=log.select(pl.col(schema.USER).rank("dense").cast(pl.Int32) - 1).to_series().to_numpy(),
        item=log["item"].to_numpy(),
        day=log[schema.TIMESTAMP].dt.epoch("us").to_numpy() / _MICROSECONDS_PER_DAY,
        is_first=log.select(pl.struct(schema.USER, schema.ITEM).is_first_distinct()).to_series().to_numpy(),
        rating=log[schema.RATING].cast(pl.Float64).to_numpy() if has_rating else None,
    )
