"""What the store has taken in, as rows of a log: only of known items, of users who stay, and before the moment."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.held import HeldDataset
from whyrec.data.windows import day_after
from whyrec.methods.curec.histories import Interaction
from whyrec.serving.documents import NewInteraction
from whyrec.serving.store import TakenIn

_SCHEMA = {
    schema.USER: pl.String(),
    schema.ITEM: pl.String(),
    schema.TIMESTAMP: schema.TIMESTAMP_TYPE,
    schema.RATING: pl.Float64(),
}
_KEY = (schema.USER, schema.ITEM, schema.TIMESTAMP)


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """Interactions to be added to a log."""

    rows: pl.DataFrame
    """``user_id, item_id, timestamp, rating``: new ones, each once."""
    n_unknown: int
    """Of items that the catalogue does not hold; left out."""
    taken_until: int
    """All up to the one of this number were looked at and lie before the moment."""

    @property
    def interactions(self) -> list[Interaction]:
        """The rows as CURec takes them in."""
        return [Interaction(*row) for row in self.rows.select(_KEY).iter_rows()]


def read_intake(
    taken: Iterable[TakenIn], data: Dataset, *, at: datetime | None, erased: Collection[str] = ()
) -> Intake:
    """Make rows of what was taken in.

    Args:
        taken: In the order of arrival.
        data: Its catalogue says what is known, its log what is there already.
        at: Only interactions strictly before it count; None counts all.
        erased: Users of whom nothing is read.
    """
    found = list(taken)
    late = [it.number for it in found if at is not None and it.interaction.timestamp >= at]
    rows = frame_of(it.interaction for it in found if it.interaction.user_id not in erased)
    early = rows if at is None else rows.filter(pl.col(schema.TIMESTAMP) < at)
    known = early.filter(pl.col(schema.ITEM).is_in(data.items[schema.ITEM].implode()))
    last = found[-1].number if found else 0
    return Intake(unknown_to(data, known), early.height - known.height, min(late) - 1 if late else last)


def frame_of(interactions: Iterable[NewInteraction]) -> pl.DataFrame:
    """Interactions as rows, in their order."""
    rows = [(it.user_id, it.item_id, it.timestamp, it.rating) for it in interactions]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def unknown_to(data: Dataset, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that a log lacks, each once."""
    own = data.of_users(rows[schema.USER].unique()).interactions.select(_KEY).collect()
    return rows.unique(_KEY, keep="first", maintain_order=True).join(own, on=_KEY, how="anti", maintain_order="left")


def with_intake(data: HeldDataset, intake: Intake) -> HeldDataset:
    """A log with what was taken in."""
    return data.with_interactions(intake.rows) if intake.rows.height else data


def natural_moment(data: Dataset) -> datetime:
    """The first UTC midnight after the last interaction: all is read, and a window can begin."""
    return day_after(data.time_range[1])
