"""Leave out rows of a log by one of its own columns, before anything else looks at them: ``Quantity > 0``."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import polars as pl

from whyrec.errors import InvalidConfigError

# Expressions of polars overload the comparisons, so operator's functions serve for them.
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"^\s*(?P<column>.+?)\s*(?P<sign>>=|<=|!=|==|>|<)\s*(?P<value>.+?)\s*$")


@dataclass(frozen=True, slots=True)
class RowFilter:
    """One comparison of a column of the file with a number or a text."""

    column: str
    sign: str
    value: float | str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``COLUMN SIGN VALUE``; a value that is a number is compared as one, others only for being equal.

        Raises:
            InvalidConfigError: If ``text`` is no such condition.
        """
        found = _CONDITION.match(text)
        if found is None:
            raise InvalidConfigError(
                f"--keep: expected COLUMN SIGN VALUE with a sign among {' '.join(_COMPARISONS)}, got {text!r}. "
                "For example: 'Quantity > 0'."
            )
        value = _number_or_text(found["value"])
        if isinstance(value, str) and found["sign"] not in ("==", "!="):
            raise InvalidConfigError(f"--keep: expected a number after {found['sign']!r}, got {value!r}. Use == or !=.")
        return cls(found["column"], found["sign"], value)

    @property
    def keeps(self) -> pl.Expr:
        """True for rows that meet the condition; a row without a value, or without a number to compare, does not."""
        kind = pl.Float64 if isinstance(self.value, float) else pl.String
        cell = pl.col(self.column).cast(kind, strict=False)
        outcome: pl.Expr = _COMPARISONS[self.sign](cell, pl.lit(self.value))
        return outcome.fill_null(value=False)


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip("'\"")
