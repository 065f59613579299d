"""What a user prefers on each aspect at every position of a history, in the unit of the guided columns."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from whyrec.data.sequences import PADDING
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.sequences import Rectangle
from whyrec.errors import InvalidConfigError, InvalidDataError


class Preferences(nn.Module, ABC):
    """The user side of guided columns: alpha g~_u. Nothing in it is trained (G2)."""

    @abstractmethod
    def forward(self, batch: Rectangle, table: ItemTable) -> Float[Tensor, "B T K"]:
        """At each position; 0 is the mean of training items.

        Args:
            batch: Histories, with owners where preferences are written ones.
            table: Whose frozen columns the items have; its gate scales preferences too.
        """


class HistoryPreferences(Preferences):
    """A mean over the items up to each position, recent ones weighing more.

    What comes after a position changes nothing at it, so that training never sees in a preference the item that it
    asks for. Masked items are left out.
    """

    def __init__(self, *, half_life_items: float = 10.0) -> None:
        """Choose the recency.

        Args:
            half_life_items: After so many later items, one counts half. Chosen: as ``offline.user_levels``.

        Raises:
            InvalidConfigError: If it is not positive.
        """
        super().__init__()
        if not half_life_items > 0:
            raise InvalidConfigError(
                f"preferences: expected half_life_items above 0, got {half_life_items}. Choose a positive number."
            )
        self.half_life_items = half_life_items

    def forward(self, batch: Rectangle, table: ItemTable) -> Float[Tensor, "B T K"]:
        """At each position."""
        columns = table.frozen_columns()
        place = torch.arange(batch.items.shape[1], device=columns.device)
        n_later = place[:, None] - place
        weights = torch.where(n_later >= 0, 0.5 ** (n_later.clamp(min=0) / self.half_life_items), 0.0)
        is_seen = (batch.is_item & (batch.items != PADDING)).to(columns.dtype)
        totals = weights @ (functional.embedding(batch.items, columns) * is_seen[:, :, None])
        return totals / (weights @ is_seen[:, :, None]).clamp(min=1e-12)


class WrittenPreferences(Preferences):
    """One row per user, written by a language model or otherwise, before training; the same at every position."""

    rows: Tensor

    def __init__(self, rows: Float[Tensor, "U K"]) -> None:
        """Take preferences.

        Args:
            rows: From ``Normalisation.columns``, for the users whom a model knows by the numbers 1, 2, ...
        """
        super().__init__()
        self.register_buffer("rows", torch.cat([rows.new_zeros(1, rows.shape[1]), rows]))

    def forward(self, batch: Rectangle, table: ItemTable) -> Float[Tensor, "B T K"]:
        """At each position; somebody unknown prefers the mean.

        Raises:
            InvalidDataError: If the batch does not say who is who.
        """
        if batch.owners is None:
            raise InvalidDataError(
                "preferences: expected histories that name their owners, got some without. Number the users first."
            )
        found = functional.embedding(batch.owners, self.rows) * table.factor
        return found[:, None].expand(-1, batch.items.shape[1], -1)
