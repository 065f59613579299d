"""Texts as points of a smaller space, around the middle of the catalogue.

Sentence encoders put all texts of one shop into a narrow cone. Taking the mean of the catalogue away leaves what tells
its items apart, and the main directions of that are enough: both are learned from the catalogue alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyrec.errors import InvalidConfigError

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TextSpace:
    """Where vectors of texts are compared."""

    mean: Vectors
    """Of the catalogue's vectors, [E]."""
    directions: Vectors
    """Orthonormal, the main ones first, [E D]."""

    @classmethod
    def of(cls, vectors: Vectors, *, dimensions: int) -> "TextSpace":
        """Learn the space of a catalogue.

        Args:
            vectors: One per item, [N E].
            dimensions: D at most; no more than E.
        """
        mean = vectors.mean(axis=0, dtype=np.float64)
        centred = vectors - mean
        _, found = np.linalg.eigh(centred.T @ centred)
        main = found[:, ::-1][:, :dimensions]
        # Which way a direction points is left open by the decomposition: it is fixed by its largest part.
        largest = np.abs(main).argmax(axis=0)
        main = main * np.where(main[largest, np.arange(main.shape[1])] < 0, -1.0, 1.0)
        return cls(mean.astype(np.float32), np.ascontiguousarray(main, dtype=np.float32))

    def place(self, vectors: Vectors) -> Vectors:
        """Points of length 1, [N D]; a vector that is the mean itself stays at the origin.

        Raises:
            InvalidConfigError: If the vectors are of another length, hence of another encoder.
        """
        require_length(vectors, len(self.mean))
        return unit_rows(np.asarray((vectors - self.mean) @ self.directions, dtype=np.float32))


def require_length(vectors: Vectors, expected: int) -> None:
    """Refuse vectors of another encoder, as far as their length tells.

    Raises:
        InvalidConfigError: If they are not of the expected length.
    """
    if vectors.shape[1] != expected:
        raise InvalidConfigError(
            f"text vectors: expected a length of {expected}, as at the fit, got {vectors.shape[1]}. "
            "Use the encoder that was fitted with."
        )


def unit_rows(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; rows of zeros, up to rounding, become zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(lengths > 1e-6, vectors / np.maximum(lengths, 1e-6), 0.0).astype(np.float32)
