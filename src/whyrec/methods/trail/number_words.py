"""Counts as single words, for models too small to spell numbers: exact when small, in steps of 6% above.

``n12`` is 12 users; ``n34`` stands for all counts that are nearer to 34 than to the next word's count.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float, Int

EXACT_UP_TO = 30
"""Counts that have words of their own (TRAIL's tables never need more for the tail of a catalogue)."""
STEP = 1.06
LARGEST = 20_000
"""Words go on until one reaches this count; all larger counts share the last."""


@cache
def word_values() -> tuple[int, ...]:
    """The counts that have words, ascending."""
    values = list(range(EXACT_UP_TO + 1))
    while values[-1] < LARGEST:
        values.append(max(round(values[-1] * STEP), values[-1] + 1))
    return tuple(values)


@cache
def number_words() -> tuple[str, ...]:
    """All words, in the order of ``word_values``."""
    return tuple(f"n{value}" for value in word_values())


def word_indices(counts: Sequence[float] | Float[np.ndarray, "*N"] | Int[np.ndarray, "*N"]) -> Int[np.ndarray, "*N"]:
    """The nearest word of each count, on the scale of log1p.

    Args:
        counts: Not negative.
    """
    values = np.log1p(np.asarray(word_values(), dtype=np.float64))
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, np.log1p(np.asarray(counts, dtype=np.float64)), side="right")


def number_word(count: float) -> str:
    """The word of one count."""
    return number_words()[int(word_indices([count])[0])]


def soft_words(counts: Float[np.ndarray, " N"], *, spread: float) -> Float[np.ndarray, "N K"]:
    """A distribution over the words around each count: normal in log1p, so that near misses are nearly right.

    Args:
        counts: Not negative.
        spread: Standard deviation in log1p; 0 puts everything on the nearest word.
    """
    values = np.log1p(np.asarray(word_values(), dtype=np.float64))
    if spread == 0:
        single: np.ndarray = np.eye(len(values))[word_indices(counts)]
        return single
    distance = (values - np.log1p(counts)[:, None]) / spread
    mass = np.exp(-0.5 * distance**2)
    # Where words lie further apart than the spread, the nearest must still get the mass.
    mass += 1e-12 * np.eye(len(values))[word_indices(counts)]
    # A normal density per word would favour ranges where words lie close; what counts is the share of the scale.
    widths = np.gradient(values)
    mass *= widths
    distribution: np.ndarray = mass / mass.sum(axis=1, keepdims=True)
    return distribution
