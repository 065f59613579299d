"""How well forecast counts meet the counts that came: MAE, WAPE, Spearman, and how often the interval holds.

Most of a catalogue gets nobody in a month, so an error averaged over it is mostly an error on zeros. Every figure is
therefore stated for a population: ``catalogue`` (all items) or ``active`` (items that got somebody, or of whom at
least half a user was forecast).
"""

from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.errors import InvalidDataError
from whyrec.evaluation.significance import Interval, bootstrap_statistics, mean_of, ratio_of

Population = Literal["catalogue", "active"]

ACTIVE_EXPECTED = 0.5
"""A forecast that rounds to at least one user makes an item active."""


def align_counts(forecast: pl.DataFrame, *, counts: pl.DataFrame, population: Population = "catalogue") -> pl.DataFrame:
    """Put forecast and true counts side by side.

    Args:
        forecast: ``item_id, expected, low, high`` of every catalogue item.
        counts: ``item_id, users`` of the test window; an item that is missing got nobody.
        population: Which items to keep.

    Returns:
        ``item_id, expected, low, high, users`` (floats), in the order of ``forecast``.

    Raises:
        InvalidDataError: If ``expected`` is null or not finite somewhere, or no item is left.
    """
    if not forecast["expected"].is_finite().fill_null(False).all():
        raise InvalidDataError(
            "forecast, column 'expected': expected finite numbers, got null or NaN. State a number for every item."
        )
    truth = counts.select(schema.ITEM, pl.col("users").cast(pl.Float64))
    aligned = (
        forecast.select(schema.ITEM, "expected", "low", "high")
        .join(truth, on=schema.ITEM, how="left", maintain_order="left")
        .with_columns(pl.col("users").fill_null(0.0))
    )
    if population == "active":
        aligned = aligned.filter((pl.col("users") > 0) | (pl.col("expected") >= ACTIVE_EXPECTED))
    if aligned.is_empty():
        raise InvalidDataError(f"forecast: expected at least one {population} item, got none. Use another window.")
    return aligned


def count_metrics(aligned: pl.DataFrame, *, n_resamples: int = 500, seed: int = 0) -> dict[str, Interval]:
    """All figures of one population, with intervals over its items.

    - ``MAE``: mean absolute error in users. Forecasts 3 and 0 for 1 and 1: (2 + 1) / 2.
    - ``WAPE``: absolute errors over true users: 3 / 2. NaN if nobody came to any item.
    - ``Spearman``: correlation of the ranks of forecast and truth, ties at their average rank; NaN if either is
      constant. Its interval resamples items with the ranks held fixed.
    - ``Coverage``: share of items with ``low <= users <= high``, among those that state an interval.
    - ``Width``: mean of ``high - low`` in users, among the same. Both only if some item states an interval.

    Args:
        aligned: From ``align_counts``.
        n_resamples: Bootstrap resamples; fewer than for ranking metrics, since these figures decide nothing here.
        seed: Seed of the bootstrap.
    """
    expected, users = aligned["expected"].to_numpy(), aligned["users"].to_numpy()
    x, y = _centred_ranks(aligned["expected"]), _centred_ranks(aligned["users"])
    columns = [np.abs(expected - users), users, x, y, x * y, x * x, y * y]
    statistics = {"MAE": mean_of(0), "WAPE": ratio_of(0, 1), "Spearman": _correlation}
    stated = (aligned["low"].is_not_null() & aligned["high"].is_not_null()).to_numpy()
    if stated.any():
        low, high = (np.where(stated, aligned[name].fill_null(0.0).to_numpy(), 0.0) for name in ("low", "high"))
        inside = stated & (low <= users) & (users <= high)
        columns += [stated.astype(float), inside.astype(float), high - low]
        statistics |= {"Coverage": ratio_of(8, 7), "Width": ratio_of(9, 7)}
    values = np.stack(columns, axis=1)
    return bootstrap_statistics([values], statistics=statistics, n_resamples=n_resamples, seed=seed)


def _centred_ranks(values: pl.Series) -> NDArray[np.float64]:
    ranks = values.rank("average").cast(pl.Float64).to_numpy()
    return np.asarray((ranks - ranks.mean()) / len(ranks), dtype=np.float64)


def _correlation(means: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, xy, xx, yy = (means[:, 0, column] for column in range(2, 7))
    spread = np.sqrt(np.maximum(xx - x * x, 0.0) * np.maximum(yy - y * y, 0.0))
    # A constant column leaves rounding noise of about 1e-17 where the spread should be 0.
    defined = spread > 1e-12
    return np.asarray(np.divide(xy - x * y, spread, out=np.full_like(spread, np.nan), where=defined))
