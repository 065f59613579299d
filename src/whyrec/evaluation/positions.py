"""Where each relevant item stands in its user's list, with its ties: the one input of every ranking metric.

A position is three counts, not a row of a users x items matrix: how many of the user's candidates score strictly
higher, how many score the same, how many there are. Memory grows with the relevant and seen pairs only.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.errors import InvalidDataError

SCORE = "score"


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Tie-aware positions of relevant items. Arrays named per pair are sorted by ``(user, better)``."""

    user_ids: pl.Series
    """Evaluated users, sorted: everybody with at least one relevant item."""
    user: NDArray[np.int64]
    """Per pair: index into ``user_ids``. A relevant item outside the user's candidates has no pair."""
    better: NDArray[np.int64]
    """Per pair: candidates of this user that score strictly higher."""
    tied: NDArray[np.int64]
    """Per pair: candidates of this user with the same score, the item itself included."""
    n_relevant: NDArray[np.int64]
    """Per user: relevant items, those outside the candidates included."""
    n_candidates: NDArray[np.int64]
    """Per user: items that could be listed."""

    @property
    def n_users(self) -> int:
        """Number of evaluated users."""
        return len(self.user_ids)


def list_positions(ranking: pl.DataFrame, *, truth: pl.DataFrame, seen: pl.DataFrame | None = None) -> Positions:
    """Place relevant items in one list for everybody, after removing each user's seen items from it.

    A relevant item that the user has seen cannot be hit, but the user, and the item in ``n_relevant``, still count.

    Args:
        ranking: ``item_id, score``: every candidate once, any row order.
        truth: ``user_id, item_id``: what each user took in the test window.
        seen: ``user_id, item_id``: what each user took before it, or None to remove nothing.

    Raises:
        InvalidDataError: If an item is ranked twice, a score is null or NaN, or there is no truth.
    """
    _require_scores(ranking, key=[schema.ITEM])
    users, pairs = _indexed_truth(truth)
    levels = ranking.select(
        schema.ITEM,
        pl.col(SCORE).rank("dense", descending=True).cast(pl.Int64).alias("level"),
        (pl.col(SCORE).rank("min", descending=True).cast(pl.Int64) - 1).alias("better"),
        pl.len().over(SCORE).cast(pl.Int64).alias("tied"),
    )
    removed = _indexed_seen(seen, users=users).join(levels.select(schema.ITEM, "level"), on=schema.ITEM)
    placed = pairs.join(levels, on=schema.ITEM).join(removed, on=["user", schema.ITEM], how="anti")
    # Seen items as sorted integers user * width + level: the seen ones above an item are then one binary search away.
    width = ranking.height + 2
    seen_keys = np.sort(removed["user"].to_numpy() * width + removed["level"].to_numpy())
    user = placed["user"].to_numpy()
    key = user * width + placed["level"].to_numpy()
    first_of_level = np.searchsorted(seen_keys, key, side="left")
    seen_better = first_of_level - np.searchsorted(seen_keys, user * width, side="left")
    seen_tied = np.searchsorted(seen_keys, key, side="right") - first_of_level
    return _sorted_positions(
        users,
        pairs,
        user=user,
        better=placed["better"].to_numpy() - seen_better,
        tied=placed["tied"].to_numpy() - seen_tied,
        n_candidates=ranking.height - np.bincount(removed["user"].to_numpy(), minlength=users.len()),
    )


def candidate_positions(scored: pl.DataFrame, *, truth: pl.DataFrame) -> Positions:
    """Place relevant items in each user's own list of scored candidates.

    A user of ``truth`` without any candidate is evaluated too, and has no hit.

    Args:
        scored: ``user_id, item_id, score``: each user's candidates, any row order; seen items already removed.
        truth: ``user_id, item_id``: what each user took in the test window.

    Raises:
        InvalidDataError: If a user has an item twice, a score is null or NaN, or there is no truth.
    """
    _require_scores(scored, key=[schema.USER, schema.ITEM])
    users, pairs = _indexed_truth(truth)
    index = pl.DataFrame({schema.USER: users, "user": np.arange(users.len())})
    candidates = scored.join(index, on=schema.USER).select(
        "user",
        schema.ITEM,
        (pl.col(SCORE).rank("min", descending=True).over("user").cast(pl.Int64) - 1).alias("better"),
        pl.len().over("user", SCORE).cast(pl.Int64).alias("tied"),
    )
    placed = pairs.join(candidates, on=["user", schema.ITEM])
    return _sorted_positions(
        users,
        pairs,
        user=placed["user"].to_numpy(),
        better=placed["better"].to_numpy(),
        tied=placed["tied"].to_numpy(),
        n_candidates=np.bincount(candidates["user"].to_numpy(), minlength=users.len()),
    )


def _require_scores(frame: pl.DataFrame, *, key: list[str]) -> None:
    if frame[SCORE].cast(pl.Float64).is_nan().any() or frame[SCORE].null_count():
        raise InvalidDataError("ranking, column 'score': expected numbers, got null or NaN. Score every candidate.")
    repeated = frame.filter(frame.select(key).is_duplicated())
    if repeated.height:
        first = ", ".join(f"{name} {repeated[name][0]!r}" for name in key)
        raise InvalidDataError(f"ranking: expected each item once, got {first} twice. Keep one row of each.")


def _indexed_truth(truth: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """The sorted users of ``truth``, and its distinct pairs as ``user`` (index), ``item_id``."""
    if truth.is_empty():
        raise InvalidDataError("truth: expected at least one (user_id, item_id) pair, got none. Choose another window.")
    pairs = truth.select(schema.USER, schema.ITEM).unique().sort(schema.USER, schema.ITEM)
    users = pairs[schema.USER].unique().sort()
    index = pl.DataFrame({schema.USER: users, "user": np.arange(users.len())})
    return users, pairs.join(index, on=schema.USER, maintain_order="left").select("user", schema.ITEM)


def _indexed_seen(seen: pl.DataFrame | None, *, users: pl.Series) -> pl.DataFrame:
    if seen is None:
        return pl.DataFrame(schema={"user": pl.Int64, schema.ITEM: pl.String})
    index = pl.DataFrame({schema.USER: users, "user": np.arange(users.len())})
    return seen.select(schema.USER, schema.ITEM).join(index, on=schema.USER).select("user", schema.ITEM).unique()


def _sorted_positions(
    users: pl.Series,
    pairs: pl.DataFrame,
    *,
    user: NDArray[np.int64],
    better: NDArray[np.int64],
    tied: NDArray[np.int64],
    n_candidates: NDArray[np.int64],
) -> Positions:
    order = np.lexsort((better, user))
    return Positions(
        user_ids=users,
        user=user[order],
        better=better[order],
        tied=tied[order],
        n_relevant=np.bincount(pairs["user"].to_numpy(), minlength=users.len()),
        n_candidates=n_candidates,
    )
