"""Numbers of the catalogue that answer an aspect directly, such as a year, a length or a price."""

import re

import numpy as np
import polars as pl
from jaxtyping import Float

from whyrec.methods.guided.aspects import Aspect
from whyrec.methods.guided.offline.calibration import fact_levels

_HOURS = re.compile(
    r"\D*?(?P<hours>\d+(?:[.,]\d+)?)\s*h(?:(?:ou)?rs?)?(?![a-z])\.?(?:,|\s|and)*(?P<minutes>\d+)?", re.IGNORECASE
)
"""A length whose first number counts hours: ``2h 16m``, ``PT2H16M``, ``1.5 hours``."""
_CLOCK = re.compile(r"\s*(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d)(?::[0-5]\d(?:\.\d+)?)?\s*")
"""A length as a clock shows it: ``2:16:00``, and ``1:36`` for hours and minutes, as films last."""
_NUMBER = re.compile(
    # A hyphen or dot behind a letter is no sign and no decimal point: Dec-1999, USD-20, Rs.500.
    r"(?:(?<!\w)-)?(?:(?<!\d)\d{1,3}(?:[\s'’]\d{3})+(?!\d)(?:[.,]\d+)?|(?:(?<!\w)\.)?\d(?:[\d.,]*\d)?)"
)
_GROUP_MARK = re.compile(r"[\s'’]")
_DECIMAL_POINT = re.compile(r"-?(?:\d*\.?\d+|[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?)")
"""``1299``, ``1.299``, ``1,299``, ``1,299.00``."""
_DECIMAL_COMMA = re.compile(r"-?(?:\d+,\d{1,2}|[1-9]\d{0,2}(?:(?:\.\d{3})+,\d{1,2}|(?:\.\d{3}){2,}))")
"""``12,99``, ``1.299,00``, ``1.299.000``."""


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
    """The first number of each value: ``136 min``, ``$1,299.00``; hours as minutes; NaN where none can be read."""
    if values.dtype.is_numeric():
        return values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.array([_number(str(value)) if value is not None else np.nan for value in values.to_list()])


def _number(text: str) -> float:
    length = _HOURS.match(text) or _CLOCK.fullmatch(text)
    if length is not None:
        return 60 * float(length["hours"].replace(",", ".")) + float(length["minutes"] or 0)
    found = _NUMBER.search(text)
    digits = "" if found is None else _GROUP_MARK.sub("", found[0])
    if _DECIMAL_POINT.fullmatch(digits):
        return float(digits.replace(",", ""))
    if _DECIMAL_COMMA.fullmatch(digits):
        return float(digits.replace(".", "").replace(",", "."))
    return np.nan
