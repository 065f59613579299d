"""Cut a dataset into what a method may learn from and what it is judged on.

The split by global time is the honest one: at test time, nothing later than the cut-off has happened yet. The others
exist because papers use them; those that let training data be later than test data warn when they run.
"""

import warnings
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError


class TimeLeakWarning(UserWarning):
    """Training data may be later than test data: figures from this split do not say how a method would have done."""


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Train before a moment, test from it on."""

    train: Dataset
    """Interactions strictly before ``cutoff``."""
    test: pl.LazyFrame
    """Interactions in ``[cutoff, until)``."""
    cutoff: datetime
    until: datetime | None
    """None means: to the end of the log."""


@dataclass(frozen=True, slots=True)
class LeaveOneOutSplit:
    """Train on all but each user's last interaction, test on that one."""

    train: Dataset
    test: pl.LazyFrame
    """One interaction per user with at least two; users with one stay in training."""
    n_ties: int
    """Users whose last moment holds several interactions; of these the greatest item_id is taken as last."""


@dataclass(frozen=True, slots=True)
class ColdSplit:
    """Test on users or items that training has never seen."""

    train: Dataset
    """Interactions of the others, before ``cutoff`` if there is one. The catalogue stays whole."""
    test: pl.LazyFrame
    """Interactions of those held out, from ``cutoff`` on if there is one."""
    held_out: pl.Series
    """The ids held out, sorted."""
    cutoff: datetime | None


def split_by_time(data: Dataset, cutoff: datetime, *, until: datetime | None = None) -> TimeSplit:
    """Cut the log at one moment for everybody.

    Args:
        data: The dataset.
        cutoff: Training ends before it, the test begins at it; aware UTC.
        until: The test ends before it; None takes the rest of the log.

    Raises:
        InvalidConfigError: If ``until`` is not after ``cutoff``.
        InvalidDataError: If a side is empty.
    """
    if until is not None and until <= cutoff:
        raise InvalidConfigError(f"until: expected a moment after the cut-off {cutoff}, got {until}. Move one.")
    time = pl.col(schema.TIMESTAMP)
    later = data.interactions.filter(time >= cutoff)
    test = later if until is None else later.filter(time < until)
    train = data.before(cutoff)
    for side, log in (("before", train), ("from", test)):
        if log.head(1).collect().is_empty():
            raise InvalidDataError(
                f"{data.name}: expected interactions {side} the cut-off {cutoff.isoformat()}, got none. "
                f"The log runs from {data.time_range[0].isoformat()} to {data.time_range[1].isoformat()}."
            )
    return TimeSplit(replace(data, interactions=train), test, cutoff, until)


def split_leave_one_out(data: Dataset) -> LeaveOneOutSplit:
    """Hold out the last interaction of every user.

    Warns with ``TimeLeakWarning``: users' last interactions lie at different times, so training on one user sees the
    future of another.
    """
    _warn_of_leak("leave-one-out: one user's training data is later than another's test item", stacklevel=2)
    numbered = data.interactions.with_row_index("position")
    time = pl.col(schema.TIMESTAMP)
    last = (
        numbered.group_by(schema.USER)
        .agg(
            pl.len().alias("n_events"),
            # Rows ascend by time, then item_id, so of equal last moments the greatest item_id is last: stable.
            pl.col("position").max(),
            (time == time.max()).sum().alias("n_at_last_moment"),
        )
        .filter(pl.col("n_events") > 1)
        .collect(engine="streaming")
    )
    held_out = last.select("position").lazy()
    test = numbered.join(held_out, on="position", how="semi", maintain_order="left").drop("position")
    train = numbered.join(held_out, on="position", how="anti", maintain_order="left").drop("position")
    n_ties = int((last["n_at_last_moment"] > 1).sum())
    return LeaveOneOutSplit(replace(data, interactions=train), test, n_ties)


def split_item_cold(data: Dataset, *, share: float, seed: int, cutoff: datetime | None = None) -> ColdSplit:
    """Hold out a random share of the items that occur in the log.

    Args:
        data: The dataset.
        share: Of the items, between 0 and 1.
        seed: Same seed, same items.
        cutoff: Also cut by time, so that training is earlier than the test; None warns with ``TimeLeakWarning``.

    Raises:
        InvalidConfigError: If ``share`` is not between 0 and 1.
        InvalidDataError: If a side has no item.
    """
    return _split_cold(data, schema.ITEM, share=share, seed=seed, cutoff=cutoff)


def split_user_cold(data: Dataset, *, share: float, seed: int, cutoff: datetime | None = None) -> ColdSplit:
    """Hold out a random share of the users; as ``split_item_cold``."""
    return _split_cold(data, schema.USER, share=share, seed=seed, cutoff=cutoff)


def _split_cold(data: Dataset, column: str, *, share: float, seed: int, cutoff: datetime | None) -> ColdSplit:
    if not 0 < share < 1:
        raise InvalidConfigError(f"share: expected a number between 0 and 1, got {share}. Correct it.")
    ids = data.interactions.select(pl.col(column).unique()).collect(engine="streaming").to_series().sort()
    n_held_out = round(share * ids.len())
    if not 0 < n_held_out < ids.len():
        raise InvalidDataError(
            f"{data.name}: expected {column} values on both sides, got {n_held_out} of {ids.len()} held out. "
            "Change the share."
        )
    chosen = np.random.default_rng(seed).permutation(ids.len())[:n_held_out]
    held_out = ids.gather(np.sort(chosen))
    others = held_out.to_frame().lazy()
    train = data.interactions.join(others, on=column, how="anti", maintain_order="left")
    test = data.interactions.join(others, on=column, how="semi", maintain_order="left")
    if cutoff is None:
        _warn_of_leak(f"cold {column} without a cut-off: training data is later than test data", stacklevel=3)
    else:
        train = train.filter(pl.col(schema.TIMESTAMP) < cutoff)
        test = test.filter(pl.col(schema.TIMESTAMP) >= cutoff)
    return ColdSplit(replace(data, interactions=train), test, held_out, cutoff)


def _warn_of_leak(what: str, *, stacklevel: int) -> None:
    warnings.warn(
        f"{what}. Figures from it are not forecasts; split_by_time is the honest split.",
        TimeLeakWarning,
        stacklevel=stacklevel + 1,
    )
