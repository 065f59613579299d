"""Make a dataset smaller by rule: a k-core, or a least rating. Only counts per id are held, never the log."""

from dataclasses import dataclass, replace

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError


@dataclass(frozen=True, slots=True)
class Filtered:
    """A dataset whose log passed a filter, with what the filter did. The catalogue stays whole."""

    dataset: Dataset
    n_interactions: int
    """Interactions that stay."""
    n_dropped: int
    n_rounds: int
    """Passes until nothing changed any more; 1 where one pass is enough."""


def k_core(data: Dataset, *, min_user_events: int = 5, min_item_events: int = 5) -> Filtered:
    """Keep the largest part of the log in which every user and every item has enough interactions.

    Dropping a user may leave an item with too few, and the other way round, so both are dropped in turn until nothing
    changes. The result does not depend on that order. Memory grows with the numbers of users and items only.

    Args:
        data: The dataset; its log may be larger than memory.
        min_user_events: Least number of interactions of each user that stays.
        min_item_events: Least number of interactions of each item that stays.

    Raises:
        InvalidConfigError: If a minimum is below 1.
        InvalidDataError: If nothing stays.
    """
    for name, minimum in (("min_user_events", min_user_events), ("min_item_events", min_item_events)):
        if minimum < 1:
            raise InvalidConfigError(f"{name}: expected at least 1, got {minimum}. Raise it.")
    minima = {schema.USER: min_user_events, schema.ITEM: min_item_events}
    kept: dict[str, pl.Series] = {}
    n_before, n_rounds, n_settled = _n_rows(data.interactions), 0, 0
    # Two passes in a row that drop nothing, one over users and one over items, mean that both rules hold.
    while n_settled < 2:
        column = schema.USER if n_rounds % 2 == 0 else schema.ITEM
        counts = _restricted(data.interactions, kept).group_by(column).len()
        enough = pl.col("len") >= minima[column]
        found = counts.with_columns(enough.alias("is_kept")).collect(engine="streaming")
        n_settled = n_settled + 1 if bool(found["is_kept"].all()) else 0
        kept[column] = found.filter("is_kept")[column]
        n_rounds += 1
    log = _restricted(data.interactions, kept)
    n_after = _n_rows(log)
    if n_after == 0:
        raise InvalidDataError(
            f"{data.name}: expected users with {min_user_events} and items with {min_item_events} interactions, "
            "got none. Lower the minima."
        )
    return Filtered(replace(data, interactions=log), n_after, n_before - n_after, n_rounds)


def rated_at_least(data: Dataset, minimum: float) -> Filtered:
    """Keep the interactions whose rating is at least ``minimum``; those without a rating go.

    Raises:
        InvalidDataError: If the log has no ratings, or none that high.
    """
    if schema.RATING not in data.interactions.collect_schema():
        raise InvalidDataError(f"{data.name}: expected a column 'rating', got a log without ratings. Do not filter.")
    log = data.interactions.filter(pl.col(schema.RATING) >= minimum)
    n_before, n_after = _n_rows(data.interactions), _n_rows(log)
    if n_after == 0:
        raise InvalidDataError(f"{data.name}: expected ratings of at least {minimum}, got none. Lower the minimum.")
    return Filtered(replace(data, interactions=log), n_after, n_before - n_after, 1)


def _restricted(log: pl.LazyFrame, kept: dict[str, pl.Series]) -> pl.LazyFrame:
    for column, ids in kept.items():
        # A semi-join keeps rows and their order, and holds only the ids.
        log = log.join(ids.to_frame().lazy(), on=column, how="semi", maintain_order="left")
    return log


def _n_rows(log: pl.LazyFrame) -> int:
    return int(log.select(pl.len()).collect(engine="streaming").item())
