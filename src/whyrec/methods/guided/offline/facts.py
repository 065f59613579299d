"""Numbers of the catalogue that answer an aspect directly, such as a year, a length or a price."""

import re

import numpy as np
import polars as pl
from jaxtyping import Float

from whyrec.methods.guided.aspects import Aspect
from whyrec.methods.guided.offline.calibration import fact_levels

_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")


def told_levels(items: pl.DataFrame, aspect: Aspect) -> Float[np.ndarray, " N"] | None:
    """Levels that the catalogue tells, NaN for items of which it does not; None if it has no such column.

    Args:
        items: The catalogue.
        aspect: With a ``fact`` or without.
    """
    if aspect.fact is None:
        return None
    column = next((name for name in aspect.fact.columns if name in items.columns), None)
    return None if column is None else fact_levels(_numbers(items[column]), aspect.fact)


def _numbers(values: pl.Series) -> Float[np.ndarray, " N"]:
    """The first number of each value: ``136 min``, ``$1,299.00``; NaN where there is none."""
    if values.dtype.is_numeric():
        return values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    found = [_NUMBER.search(str(value)) if value is not None else None for value in values.to_list()]
    return np.array([float(match[0].replace(",", "")) if match else np.nan for match in found])
