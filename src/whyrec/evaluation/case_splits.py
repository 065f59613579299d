"""Test cases with a moment each: a user, the item taken at that moment, and what others may be learned from.

A case's history is what its user took strictly before its moment. Three splits, as M-LLM3REC has them (its section 4;
deviations M1 and M10): the last item of every user, items that few know, users of whom little is known.

The last item of each user lies at a time of its own, so training on one user may be later than another's test, as in
all tables of this protocol; the split by cold users alone has one cut-off for everybody.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.reviews import interactions_before
from whyrec.errors import InvalidConfigError, InvalidDataError

SplitName = Literal["standard", "item-cold", "user-cold"]

_KEY = (schema.USER, schema.ITEM, schema.TIMESTAMP)
_LIKED_ABOVE = 3
"""A rating above it makes a last item a positive (M1); without ratings every interaction does."""


@dataclass(frozen=True, slots=True)
class CaseSplit:
    """What is learned from and what is asked."""

    name: SplitName
    train: Dataset
    """Holds no case's item at or after its moment; the catalogue stays whole."""
    test: pl.DataFrame
    """``user_id, item_id, timestamp``, one row per user, sorted by user."""
    n_without_history: int
    """Users who would be a case but have nothing before its moment; they are no case."""

    def sampled(self, n: int, *, seed: int) -> "CaseSplit":
        """The same split with the cases of at most ``n`` users; the others stay out of training as before."""
        if n < 1:
            raise InvalidConfigError(f"sampled: expected at least 1 user, got {n}. Choose a positive number.")
        if self.test.height <= n:
            return self
        chosen = self.test.sample(n, seed=seed, shuffle=True).sort(schema.USER)
        return replace(self, test=chosen)


def last_item_split(data: Dataset) -> CaseSplit:
    """Ask for the last item of every user that is rated above 3, or the last where nothing is rated.

    Training holds what each user took strictly before the moment of the own case: what came with it on the same day,
    where times are days, is in neither.

    Raises:
        InvalidDataError: If nobody has a history.
    """
    log = data.interactions.with_row_index("place")
    liked = log.filter(pl.col(schema.RATING) > _LIKED_ABOVE) if _has_ratings(data) else log
    last = liked.group_by(schema.USER).agg(pl.all().sort_by("place").last()).select(_KEY).collect(engine="streaming")
    return _split("standard", data, last, train=_earlier(data.interactions, last))


def item_cold_split(data: Dataset, *, share: float = 0.1) -> CaseSplit:
    """Ask for items that the fewest have taken; whoever took one of them is no part of training.

    The case is the last such item of each of these users. Equally many interactions: by item_id.

    Args:
        data: The dataset.
        share: Of the items that occur in the log; one at least.

    Raises:
        InvalidConfigError: If ``share`` is not between 0 and 1.
        InvalidDataError: If nobody has a history.
    """
    _require_share(share)
    counts = data.interactions.group_by(schema.ITEM).len().sort("len", schema.ITEM).collect(engine="streaming")
    cold = counts.head(max(round(share * counts.height), 1)).select(schema.ITEM)
    touched = data.interactions.with_row_index("place").join(cold.lazy(), on=schema.ITEM, how="semi")
    last = touched.group_by(schema.USER).agg(pl.all().sort_by("place").last()).select(_KEY).collect(engine="streaming")
    train = data.interactions.join(last.select(schema.USER).lazy(), on=schema.USER, how="anti", maintain_order="left")
    return _split("item-cold", data, last, train=train)


def user_cold_split(
    data: Dataset, *, share: float = 0.1, fewer_than: int = 3, cutoff: datetime | None = None
) -> CaseSplit:
    """Ask for late interactions of users with few earlier ones; training ends where the late ones begin.

    The case is the first late interaction of each user that has at least one and fewer than ``fewer_than`` before it.

    Args:
        data: The dataset.
        share: Of the interactions, the latest; not used with ``cutoff``.
        fewer_than: Interactions strictly before the case's moment.
        cutoff: Where the late ones begin.

    Raises:
        InvalidConfigError: If ``share`` is not between 0 and 1.
        InvalidDataError: If there is no such user.
    """
    _require_share(share)
    if cutoff is None:
        times = data.interactions.select(schema.TIMESTAMP).collect()[schema.TIMESTAMP]
        cutoff = times.sort()[min(round((1 - share) * len(times)), len(times) - 1)]
    n_before = (pl.col(schema.TIMESTAMP).rank("min").over(schema.USER) - 1).alias("n_before")
    late = data.interactions.with_columns(n_before).filter(
        pl.col(schema.TIMESTAMP) >= cutoff, pl.col("n_before") < fewer_than
    )
    # Of those with nothing before it, a later interaction may be a case.
    with_history = pl.col("n_before").clip(upper_bound=1)
    first = late.sort(with_history, schema.TIMESTAMP, schema.ITEM, descending=[True, False, False]).collect()
    cases = first.unique(schema.USER, keep="first", maintain_order=True).select(_KEY)
    return _split("user-cold", data, cases, train=data.before(cutoff))


def split_cases(data: Dataset, name: SplitName, *, cutoff: datetime | None = None) -> CaseSplit:
    """Make a split by its name, with the settings of the paper."""
    if name == "standard":
        return last_item_split(data)
    return item_cold_split(data) if name == "item-cold" else user_cold_split(data, cutoff=cutoff)


def _split(name: SplitName, data: Dataset, cases: pl.DataFrame, *, train: pl.LazyFrame) -> CaseSplit:
    users = interactions_before(data, cases).select(pl.col(schema.USER).unique()).collect(engine="streaming")
    test = cases.join(users, on=schema.USER, how="semi").sort(schema.USER)
    if test.is_empty():
        raise InvalidDataError(f"{data.name}, {name}: expected users with a history before a case, got none. Add data.")
    kept = train.collect(engine="streaming").sort(schema.TIMESTAMP, schema.USER, schema.ITEM, maintain_order=True)
    return CaseSplit(name, replace(data, interactions=kept.lazy()), test, cases.height - test.height)


def _earlier(log: pl.LazyFrame, cases: pl.DataFrame) -> pl.LazyFrame:
    """All of a log but what users with a case took at its moment or later."""
    moments = cases.select(schema.USER, pl.col(schema.TIMESTAMP).alias("moment")).lazy()
    joined = log.join(moments, on=schema.USER, how="left", maintain_order="left")
    is_earlier = pl.col("moment").is_null() | (pl.col(schema.TIMESTAMP) < pl.col("moment"))
    return joined.filter(is_earlier).drop("moment")


def _has_ratings(data: Dataset) -> bool:
    return schema.RATING in data.interactions.collect_schema()


def _require_share(share: float) -> None:
    if not 0 < share < 1:
        raise InvalidConfigError(f"share: expected a number between 0 and 1, got {share}. Correct it.")
