"""Attention keys and values of many rows in one place, written in place: rows join, move and leave cheaply.

The caches that transformers brings either copy everything at every token or have one length for all rows. Here a
token's column is its position in its own row. So rows of different lengths stand side by side with no padding between
their tokens, and what lies beyond a row's end is rubbish that its next tokens overwrite and that no mask ever shows.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Cache


@dataclass(frozen=True, slots=True)
class Target:
    """Where the next forward pass writes, and what it may see."""

    first: int
    """First of the rows, which stand together."""
    columns: Tensor
    """Column of every token, (B, L)."""
    visible: int
    """Attention sees the columns before this one."""
    rows: Tensor
    """Row of every token, (B, 1)."""

    @classmethod
    def of(cls, columns: Tensor, *, first: int, visible: int) -> "Target":
        """Rows from ``first`` on, one for each row of ``columns``."""
        rows = torch.arange(first, first + len(columns), device=columns.device)[:, None]
        return cls(first, columns, visible, rows)


class RowCache(Cache):
    """Keys and values by row and position; ``target`` says where the next forward pass belongs."""

    def __init__(self, *, n_rows: int, n_columns: int) -> None:
        """Take so much room, once the model's first layers tell their form."""
        super().__init__(layers=[])
        self.target: Target | None = None
        self.n_rows = n_rows
        self.n_columns = n_columns
        self._layers: list[tuple[Tensor, Tensor]] = []

    @torch.inference_mode()
    def resize(self, *, n_rows: int, n_columns: int) -> None:
        """Take another room; what does not fit into it is forgotten."""
        self.n_rows, self.n_columns = n_rows, n_columns
        for at, (keys, values) in enumerate(self._layers):  # one by one: two full copies may not fit in memory
            self._layers[at] = (self._resized(keys), self._resized(values))

    @torch.inference_mode()
    def move(self, sources: list[int], targets: list[int], *, n_columns: int) -> None:
        """Copy rows over other rows, up to a column."""
        for store in self._stores():
            store[targets, :, :n_columns] = store[sources, :, :n_columns]

    @torch.inference_mode()
    def copy_beginning(self, other: "RowCache", rows: range, *, n_columns: int) -> None:
        """Give rows the beginning that another cache holds in its first row."""
        if not self._layers:
            self._layers = [(self._new(keys), self._new(values)) for keys, values in other._layers]
        for store, beginning in zip(self._stores(), other._stores(), strict=True):
            store[rows.start : rows.stop, :, :n_columns] = beginning[:1, :, :n_columns]

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write the new tokens of one layer; every attention layer of transformers calls it.

        Args:
            key_states: Of the new tokens, (B, H, L, D).
            value_states: Of the new tokens.
            layer_idx: Which layer.
            *args: Not used.
            **kwargs: Not used.

        Returns:
            Keys and values of these rows, old and new.
        """
        assert self.target is not None, "a target is set before every forward pass"
        if layer_idx == len(self._layers):
            self._layers.append((self._new(key_states), self._new(value_states)))
        target = self.target
        keys, values = self._layers[layer_idx]
        keys[target.rows, :, target.columns] = key_states.transpose(1, 2)
        values[target.rows, :, target.columns] = value_states.transpose(1, 2)
        rows = slice(target.first, target.first + len(target.rows))
        return keys[rows, :, : target.visible], values[rows, :, : target.visible]

    def _stores(self) -> list[Tensor]:
        return [store for layer in self._layers for store in layer]

    def _new(self, like: Tensor) -> Tensor:
        # Zeros, not whatever was in memory: a NaN would spoil a weighted sum even at weight zero.
        return like.new_zeros(self.n_rows, like.shape[1], self.n_columns, like.shape[3])

    def _resized(self, store: Tensor) -> Tensor:
        kept = store[: self.n_rows, :, : self.n_columns]
        resized = self._new(store)
        resized[: kept.shape[0], :, : kept.shape[2]] = kept
        return resized
