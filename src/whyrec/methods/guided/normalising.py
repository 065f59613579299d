"""Scores of 1 to 10 as columns of the scale of embeddings, and back (GER §3.2.1, Appendix A.5)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.equations import normalised, xavier_scale

_FEWEST_ITEMS = 2
_NO_DEVIATION = 1e-4
"""Points; what single precision makes of equal means."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What training items say of each aspect; the same for items and users (G8)."""

    aspects: tuple[str, ...]
    mean: tuple[float, ...]
    """Points."""
    std: tuple[float, ...]
    """Points; 0 for an aspect on which all training items are equal."""
    scale: float
    """Deviation of a column: that of Xavier's initialisation for the table at hand (G7)."""
    weight: float = 1.0
    """alpha; see GER Eq. (9)."""

    @classmethod
    def learn(
        cls,
        scores: AspectScores,
        item_ids: pl.Series,
        *,
        is_training: Bool[np.ndarray, " I"],
        embedding_dim: int,
        weight: float = 1.0,
    ) -> Self:
        """Learn from the items that occur in training.

        Args:
            scores: Of items.
            item_ids: The catalogue in the order of the table.
            is_training: Which of them occur in training.
            embedding_dim: Columns of the table, guided ones included.
            weight: Not negative; 0 leaves nothing of the scores.

        Raises:
            InvalidConfigError: If the weight is negative.
            InvalidDataError: If fewer than two training items have scores.
        """
        if weight < 0:
            raise InvalidConfigError(f"guided columns: expected a weight of at least 0, got {weight}. Raise it.")
        known = scores.rows_of(item_ids.filter(pl.Series(is_training))).astype(np.float64)
        known = known[~np.isnan(known).any(axis=1)]
        if len(known) < _FEWEST_ITEMS:
            raise InvalidDataError(
                f"guided columns: expected scores of at least {_FEWEST_ITEMS} training items, got {len(known)}. Score "
                "the catalogue, and check that its item_ids are those of the log."
            )
        std = known.std(axis=0)
        return cls(
            aspects=scores.aspects,
            mean=tuple(known.mean(axis=0).tolist()),
            std=tuple(np.where(std < _NO_DEVIATION, 0.0, std).tolist()),
            scale=xavier_scale(len(item_ids), embedding_dim),
            weight=weight,
        )

    @property
    def silent(self) -> tuple[str, ...]:
        """Aspects on which all training items are equal: their columns are 0, for users too."""
        return tuple(key for key, std in zip(self.aspects, self.std, strict=True) if std == 0)

    @property
    def notes(self) -> tuple[str, ...]:
        """A line for each of these, for whoever uses the columns (G8)."""
        return tuple(f"Scores of training items do not differ on {key}: it changes nothing." for key in self.silent)

    def columns(self, scores: AspectScores, ids: Sequence[str] | pl.Series) -> Float[Tensor, "M K"]:
        """Guided columns of items or users: alpha g~, float32. Somebody or something without scores is at the mean.

        Args:
            scores: Of the same aspects.
            ids: Whose, in this order.

        Raises:
            InvalidDataError: If the scores are of other aspects.
        """
        if scores.aspects != self.aspects:
            raise InvalidDataError(
                f"guided columns: expected aspects {', '.join(self.aspects)}, got {', '.join(scores.aspects)}. Take "
                "scores of the same set, in its order."
            )
        points = torch.from_numpy(scores.rows_of(ids).astype(np.float64))
        mean, std = (torch.tensor(values, dtype=torch.float64) for values in (self.mean, self.std))
        found = self.weight * normalised(points, mean, std, scale=self.scale)
        return found.nan_to_num(nan=0.0).float()

    def as_json(self) -> dict[str, Any]:  # whatever json reads
        """For a file of settings."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """What ``as_json`` gave."""
        listed = {key: tuple(content[key]) for key in ("aspects", "mean", "std")}
        return cls(**listed, scale=content["scale"], weight=content["weight"])
