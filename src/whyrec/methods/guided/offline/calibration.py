"""Positions of any unit as levels from 1 to 10, in the same order."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from whyrec.methods.guided.aspects import HIGHEST, LOWEST, Fact

Shape = Literal["rank", "logistic"]
_SPAN = HIGHEST - LOWEST
_KNOTS = 1001
_TO_NORMAL = 1.702
"""Of the logistic function that is nearest to the normal distribution's."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How positions become levels; learnt on a catalogue, and the same for an item that comes later.

    By rank, levels are spread evenly over the catalogue: 5.5 is its middle item. Logistic, they keep distances and
    crowd where items crowd.
    """

    positions: Float[np.ndarray, " Q"]
    """Ascending."""
    levels: Float[np.ndarray, " Q"]

    @classmethod
    def learn(cls, positions: Float[np.ndarray, " N"], *, shape: Shape = "rank") -> Self:
        """Learn from the positions of a catalogue; where all are equal, everything is at the middle."""
        ordered = np.sort(np.asarray(positions, dtype=np.float64))
        if len(ordered) == 0 or ordered[0] == ordered[-1]:
            at = ordered[0] if len(ordered) else 0.0
            return cls(np.array([at]), np.array([(LOWEST + HIGHEST) / 2]))
        values, first, counts = np.unique(ordered, return_index=True, return_counts=True)
        if shape == "rank":
            # The middle of the ranks of equal positions, between the borders of the scale.
            levels = LOWEST + _SPAN * (first + counts / 2) / len(ordered)
        else:
            levels = LOWEST + _SPAN * expit(_TO_NORMAL * (values - ordered.mean()) / ordered.std())
        kept = np.unique(np.linspace(0, len(values) - 1, min(_KNOTS, len(values))).round().astype(int))
        return cls(values[kept], levels[kept])

    def levels_of(self, positions: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
        """Levels from 1 to 10; never the other way round than the positions."""
        found: np.ndarray = np.interp(positions, self.positions, self.levels)
        return found


def fact_levels(values: Float[np.ndarray, " N"], fact: Fact) -> Float[np.ndarray, " N"]:
    """Levels of a column that answers for itself: straight between its two ends, NaN where it is empty.

    Args:
        values: NaN where unknown.
        fact: Which value scores 1 and which scores 10.
    """
    low, high = fact.low, fact.high
    found = np.asarray(values, dtype=np.float64)
    if fact.logarithmic:
        found = np.log(np.where(found > 0, found, np.nan))
        low, high = np.log(low), np.log(high)
    levels: np.ndarray = LOWEST + _SPAN * np.clip((found - low) / (high - low), 0, 1)
    return levels
