"""Where a text stands between the two ends of a scale, by the vectors of descriptions of both."""

import numpy as np
from jaxtyping import Float


def centred(vectors: Float[np.ndarray, "N E"]) -> Float[np.ndarray, "N E"]:
    """Vectors around the middle of the catalogue, of length 1; one that is the middle itself becomes 0.

    Sentence encoders put all texts of one shop into a narrow cone: what they have in common tells no item apart.
    """
    around = vectors - vectors.mean(axis=0, dtype=np.float64)
    return unit_rows(around)


def unit_rows(vectors: Float[np.ndarray, "N E"]) -> Float[np.ndarray, "N E"]:
    """Rows of length 1; rows of zeros, up to rounding, become zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: np.ndarray = np.where(lengths > 1e-9, vectors / np.maximum(lengths, 1e-9), 0.0)
    return scaled


def pole_positions(
    items: Float[np.ndarray, "N E"], *, low: Float[np.ndarray, "A E"], high: Float[np.ndarray, "B E"]
) -> Float[np.ndarray, " N"]:
    """The cosine of each item with the direction from the one end to the other.

    Several descriptions of each end are averaged: what they say in common is the end, the rest is wording. What both
    ends have in common falls out of the difference.

    Args:
        items: Centred, from ``centred``.
        low: Of the descriptions of 1, as the encoder gives them.
        high: Of the descriptions of 10.
    """
    axis = unit_rows(high).mean(axis=0) - unit_rows(low).mean(axis=0)
    positions: np.ndarray = items @ unit_rows(axis[None])[0]
    return positions
