"""Lists that bound every table: chance below, the count oracle and a greedy-coverage oracle above.

Each is an ordinary ``item_id, score`` list, so it goes through the same metrics as any method. The two oracles look
into the test window: they are ceilings, never forecasts.
"""

import heapq

import polars as pl

from whyrec.data import schema
from whyrec.evaluation.positions import SCORE


def chance_ranking(item_ids: pl.Series) -> pl.DataFrame:
    """Score all items alike. With ``ties="expected"`` this is the exact mean over all random orders."""
    return pl.DataFrame({schema.ITEM: item_ids, SCORE: pl.repeat(0.0, item_ids.len(), eager=True)})


def count_oracle(item_ids: pl.Series, *, truth: pl.DataFrame) -> pl.DataFrame:
    """Score items by their true number of users in the test window (``truth``: ``user_id, item_id``)."""
    users = truth.group_by(schema.ITEM).agg(pl.col(schema.USER).n_unique().cast(pl.Float64).alias(SCORE))
    items = pl.DataFrame({schema.ITEM: item_ids})
    return items.join(users, on=schema.ITEM, how="left", maintain_order="left").with_columns(
        pl.col(SCORE).fill_null(0.0)
    )


def greedy_coverage_oracle(item_ids: pl.Series, *, truth: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Order items so that each next one hits the most test users that none before it hit; ties by item_id.

    A list by counts spends places on items that reach the same users again; this one does not, so its HR@K is a
    higher ceiling for one list served to all. An item that a user has seen cannot hit that user. Greedy maximum
    coverage is within 1 - 1/e of the best K-item list; that per-user removal also lengthens some users' lists past
    the common first K is not modelled, so the figure is a close lower bound of what one list could reach.

    Args:
        item_ids: The catalogue.
        truth: ``user_id, item_id`` of the test window.
        seen: ``user_id, item_id`` before it.

    Returns:
        ``item_id, score``: items that reach somebody new first, by falling score from ``n_items``; all others after
        them by true count, scored below 1.
    """
    pairs = truth.select(schema.USER, schema.ITEM).unique()
    reachable = pairs.join(seen, on=[schema.USER, schema.ITEM], how="anti")
    catalogue = pl.DataFrame({schema.ITEM: item_ids})
    users_of: dict[str, list[str]] = dict(
        reachable.join(catalogue, on=schema.ITEM).group_by(schema.ITEM).agg(schema.USER).iter_rows()
    )
    chosen = _cover(users_of)
    places = pl.DataFrame(
        {schema.ITEM: chosen, "greedy": [float(item_ids.len() - place) for place in range(len(chosen))]},
        schema={schema.ITEM: pl.String, "greedy": pl.Float64},
    )
    rest = count_oracle(item_ids, truth=truth).with_columns(pl.col(SCORE) / (pl.col(SCORE) + 1))
    return rest.join(places, on=schema.ITEM, how="left", maintain_order="left").select(
        schema.ITEM, pl.coalesce("greedy", SCORE).alias(SCORE)
    )


def _cover(users_of: dict[str, list[str]]) -> list[str]:
    """Lazy greedy: a gain can only shrink, so an item whose refreshed gain still leads the heap is the best."""
    heap = [(-len(users), item) for item, users in users_of.items()]
    heapq.heapify(heap)
    hit: set[str] = set()
    chosen: list[str] = []
    while heap:
        stale, item = heapq.heappop(heap)
        gain = sum(user not in hit for user in users_of[item])
        if gain == 0:
            continue
        if gain < -stale:
            heapq.heappush(heap, (-gain, item))
            continue
        chosen.append(item)
        hit.update(users_of[item])
    return chosen
