"""Ranking metrics per user: HR, Recall, NDCG, NDCG_div, MRR, AUC; and Jaccard and coverage of lists.

Tied scores are the unusual part. ``ties="expected"`` (default) gives the exact expectation over a uniformly random
order of the tied items, in closed form, so that a constant scorer gets exactly chance at every cutoff.
``ties="average"`` gives every tied item the rank ``1 + #greater + #equal_others / 2``; with 30 tied candidates that is
15.5 for all, so HR@10 would be 0 instead of 10/30, and several tied hits can push NDCG beyond 1: it is there for
comparison with work that uses it.
"""

import re
from collections.abc import Callable, Sequence
from math import comb
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.evaluation.positions import SCORE, Positions

Ties = Literal["expected", "average"]
PerUser = NDArray[np.float64]
"""One value per evaluated user, in the order of ``Positions.user_ids``."""

_METRIC = re.compile(r"(?P<name>HR|Recall|NDCG|NDCG_div|MRR)@(?P<k>[1-9]\d*)|(?P<whole>MRR|AUC)")


def average_rank(positions: Positions) -> NDArray[np.float64]:
    """Rank of each pair's item, ``1 + #greater + #equal_others / 2``: in a tie of 30 from the top, 15.5."""
    return positions.better + (positions.tied + 1) / 2


def hr_at_k(positions: Positions, *, k: int, ties: Ties = "expected") -> PerUser:
    """Probability that at least one relevant item is among the first ``k``.

    With ``m`` relevant in a group of ``t`` tied items of which only ``s`` fit above the cutoff, all are missed with
    probability C(t-m, s) / C(t, s): 2 of 4 tied, 2 places left: 1 - C(2,2)/C(4,2) = 5/6.
    """
    _require_cutoff(k, ties)
    if ties == "average":
        return _sum_per_user(positions, (average_rank(positions) <= k).astype(float)).clip(max=1.0)
    user, better, tied, relevant = _tie_groups(positions)
    places = np.clip(k - better, 0, tied)
    missed = np.ones(len(user))
    for place in range(min(k, int(places.max(initial=0)))):
        chance = np.maximum(tied - relevant - place, 0) / np.maximum(tied - place, 1)
        missed *= np.where(place < places, chance, 1.0)
    missed_by_user = np.ones(positions.n_users)
    np.multiply.at(missed_by_user, user, missed)
    return 1.0 - missed_by_user


def recall_at_k(positions: Positions, *, k: int, ties: Ties = "expected") -> PerUser:
    """Share of the user's relevant items among the first ``k``: 1 of 4 relevant in the list: 1/4."""
    _require_cutoff(k, ties)
    if ties == "average":
        inside = (average_rank(positions) <= k).astype(float)
    else:
        inside = np.clip(k - positions.better, 0, positions.tied) / positions.tied
    return _sum_per_user(positions, inside) / positions.n_relevant


def ndcg_at_k(positions: Positions, *, k: int, ties: Ties = "expected") -> PerUser:
    """Discounted gain of the first ``k`` over that of a perfect list of min(k, n_relevant) hits.

    Relevant at ranks 1 and 3 of 2 relevant: (1 + 1/2) / (1 + 1/log2(3)) = 0.9197.
    """
    _require_cutoff(k, ties)
    total = np.concatenate(([0.0], np.cumsum(1.0 / np.log2(np.arange(k) + 2))))
    if ties == "average":
        rank = average_rank(positions)
        gain = np.where(rank <= k, 1.0 / np.log2(rank + 1), 0.0)
    else:
        last = np.minimum(positions.better + positions.tied, k)
        gain = (total[last] - total[np.minimum(positions.better, k)]) / positions.tied
    return _sum_per_user(positions, gain) / total[np.minimum(positions.n_relevant, k)]


def ndcg_div_at_k(positions: Positions, *, k: int, ties: Ties = "expected") -> PerUser:
    """NDCG divided once more by the user's number of relevant items, as TRAIL and PARE report it."""
    return ndcg_at_k(positions, k=k, ties=ties) / positions.n_relevant


def mrr(positions: Positions, *, k: int | None = None, ties: Ties = "expected") -> PerUser:
    """Reciprocal rank of the first relevant item, 0 beyond ``k``; first hit at rank 4: 1/4."""
    _require_cutoff(1 if k is None else k, ties)
    user, better, tied, relevant = _tie_groups(positions)
    is_first = np.diff(user, prepend=-1) > 0
    user, better, tied, relevant = (array[is_first] for array in (user, better, tied, relevant))
    values = np.zeros(positions.n_users)
    if ties == "average":
        rank = better + (tied + 1) / 2
        values[user] = np.where(rank <= (np.inf if k is None else k), 1.0 / rank, 0.0)
        return values
    if not len(user):
        return values
    groups, group_of_user = np.unique(np.stack((better, tied, relevant)), axis=1, return_inverse=True)
    expected = np.array([_expected_reciprocal(int(g), int(t), int(m), k=k) for g, t, m in groups.T])
    values[user] = expected[group_of_user.ravel()]
    return values


def auc(positions: Positions) -> PerUser:
    """Probability that a relevant candidate outscores another one, ties counted half.

    NaN for a user without a relevant candidate, or with nothing else to compare it with. Ranks 1 and 4 of 5
    candidates relevant: of 2 x 3 pairs, 3 + 1 are in order: 4/6.
    """
    hits = np.bincount(positions.user, minlength=positions.n_users)
    others = positions.n_candidates - hits
    excess = _sum_per_user(positions, average_rank(positions)) - hits * (hits + 1) / 2
    values = np.full(positions.n_users, np.nan)
    defined = (hits > 0) & (others > 0)
    values[defined] = 1.0 - excess[defined] / (hits[defined] * others[defined])
    return values


def metrics_per_user(positions: Positions, *, metrics: Sequence[str], ties: Ties = "expected") -> pl.DataFrame:
    """Compute several metrics by name, one row per evaluated user: the input of the bootstrap.

    Args:
        positions: From ``list_positions`` or ``candidate_positions``.
        metrics: Names such as ``HR@10, Recall@20, NDCG@10, NDCG_div@10, MRR, MRR@10, AUC``.
        ties: How tied scores are ranked; see the module's text.

    Returns:
        ``user_id`` and one column per metric.

    Raises:
        InvalidConfigError: If a name is not one of these.
    """
    columns = {name: _named_metric(positions, name, ties=ties) for name in metrics}
    return pl.DataFrame({schema.USER: positions.user_ids, **columns})


def jaccard_at_k(ranking: pl.DataFrame, *, truth: pl.DataFrame, k: int) -> float:
    """Expected overlap |A ∩ B| / |A ∪ B| of the first ``k`` items of two scored lists, ties in random order.

    Both have columns ``item_id, score``. Top 5 that share 2 items: 2 / 8.
    """
    _require_cutoff(k, "expected")
    for frame in (ranking, truth):
        if frame.height < k:
            raise InvalidDataError(f"Jaccard@{k}: expected at least {k} items, got {frame.height}. Lower k.")
    sure_a, open_a = _top_sets(ranking, k=k)
    sure_b, open_b = _top_sets(truth, k=k)
    draw_a, draw_b = k - len(sure_a), k - len(sure_b)
    to_sure, to_open = len(open_a & sure_b), len(open_a & open_b)
    expected = 0.0
    # x: drawn items of A that are surely in B; y: those that B may draw too; z: items B draws that are in A.
    for x in range(min(draw_a, to_sure) + 1):
        for y in range(min(draw_a - x, to_open) + 1):
            rest = len(open_a) - to_sure - to_open
            ways = comb(to_sure, x) * comb(to_open, y) * comb(rest, draw_a - x - y)
            common = len(open_b & sure_a) + y
            for z in range(min(draw_b, common) + 1):
                both = len(sure_a & sure_b) + x + z
                picks = comb(common, z) * comb(len(open_b) - common, draw_b - z)
                share = (ways / comb(len(open_a), draw_a)) * (picks / comb(len(open_b), draw_b))
                expected += share * both / (2 * k - both)
    return expected


def catalogue_coverage(lists: pl.DataFrame, *, n_items: int) -> float:
    """Share of the catalogue's ``n_items`` that stands in at least one list (column ``item_id``)."""
    if n_items < 1:
        raise InvalidConfigError(f"catalogue_coverage: expected n_items of at least 1, got {n_items}. Pass the size.")
    return lists[schema.ITEM].n_unique() / n_items


def top_k_lists(ranking: pl.DataFrame, *, seen: pl.DataFrame, user_ids: pl.Series, k: int) -> pl.DataFrame:
    """Write out each user's first ``k`` unseen items of the common list; ties by item_id.

    Returns:
        Columns ``user_id, item_id, rank``. A list never needs more than ``k + |seen|`` items of the ranking.
    """
    ordered = ranking.sort([SCORE, schema.ITEM], descending=[True, False])[schema.ITEM]
    index = pl.DataFrame({schema.ITEM: ordered, "place": np.arange(ordered.len())})
    users = pl.DataFrame({schema.USER: user_ids.unique().sort()})
    taken = seen.select(schema.USER, schema.ITEM).unique().join(index, on=schema.ITEM).join(users, on=schema.USER)
    depth = (
        users.join(taken.group_by(schema.USER).len(), on=schema.USER, how="left", maintain_order="left")["len"]
        .fill_null(0)
        .to_numpy()
        .astype(np.int64)
    )
    depth = np.minimum(depth + k, ordered.len())
    starts = np.cumsum(depth) - depth
    walk = pl.DataFrame(
        {
            schema.USER: users[schema.USER].gather(np.repeat(np.arange(users.height), depth)),
            "place": np.arange(depth.sum()) - np.repeat(starts, depth),
        }
    )
    return (
        walk.join(taken.select(schema.USER, "place"), on=[schema.USER, "place"], how="anti", maintain_order="left")
        .with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over(schema.USER).alias("rank"))
        .filter(pl.col("rank") <= k)
        .join(index, on="place", maintain_order="left")
        .select(schema.USER, schema.ITEM, "rank")
    )


def _named_metric(positions: Positions, name: str, *, ties: Ties) -> PerUser:
    match = _METRIC.fullmatch(name)
    if match is None:
        raise InvalidConfigError(
            f"metrics: expected HR@K, Recall@K, NDCG@K, NDCG_div@K, MRR, MRR@K or AUC, got {name!r}. Correct the name."
        )
    if match["whole"]:
        return auc(positions) if name == "AUC" else mrr(positions, ties=ties)
    functions: dict[str, Callable[..., PerUser]] = {
        "HR": hr_at_k,
        "Recall": recall_at_k,
        "NDCG": ndcg_at_k,
        "NDCG_div": ndcg_div_at_k,
        "MRR": mrr,
    }
    return functions[match["name"]](positions, k=int(match["k"]), ties=ties)


def _require_cutoff(k: int, ties: Ties) -> None:
    if k < 1:
        raise InvalidConfigError(f"metrics: expected a cutoff k of at least 1, got {k}. Choose a positive k.")
    if ties not in get_args(Ties):
        raise InvalidConfigError(f"metrics: expected ties of {get_args(Ties)}, got {ties!r}. Choose one.")


def _sum_per_user(positions: Positions, per_pair: NDArray[np.float64]) -> PerUser:
    return np.bincount(positions.user, weights=per_pair, minlength=positions.n_users).astype(np.float64)


def _tie_groups(
    positions: Positions,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Per group of a user's equally scored relevant items: user, better, tied, and how many are relevant."""
    is_new = (np.diff(positions.user, prepend=-1) > 0) | (np.diff(positions.better, prepend=-1) > 0)
    first = np.flatnonzero(is_new)
    relevant = np.diff(first, append=len(positions.user))
    return positions.user[first], positions.better[first], positions.tied[first], relevant


def _expected_reciprocal(better: int, tied: int, relevant: int, *, k: int | None) -> float:
    """E[1 / rank of the first of ``relevant`` among ``tied`` items in random order], ranks from ``better + 1``."""
    places = np.arange(tied - relevant + 1)
    # Chance that none of the first j tied items is relevant, for j = 0, 1, ...
    none_yet = np.concatenate(([1.0], np.cumprod((tied - relevant - places) / (tied - places))))
    rank = better + 1 + places
    counted = rank <= (np.inf if k is None else k)
    return float(np.sum((none_yet[:-1] - none_yet[1:])[counted] / rank[counted]))


def _top_sets(ranking: pl.DataFrame, *, k: int) -> tuple[set[str], set[str]]:
    """Items surely among the first ``k``, and the tied ones that compete for the places left."""
    better = ranking[SCORE].rank("min", descending=True).cast(pl.Int64) - 1
    last = better.filter(better < k).max()
    tied = ranking.filter(better == last)[schema.ITEM]
    return set(ranking.filter(better < last)[schema.ITEM]), set(tied)
