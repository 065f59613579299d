"""What an encoder is trained on: which positions predict which items, and by which loss."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import Dropout
from whyrec.encoders.sequences import Rectangle, rectangle
from whyrec.encoders.softmax import full_softmax


@dataclass(frozen=True, slots=True)
class Predictions:
    """Positions of a batch that each predict one item."""

    states: Float[Tensor, "N D"]
    targets: Int[Tensor, " N"]
    """Rows of the output table."""
    rows: Int[Tensor, " N"]
    """Which row of the batch each position belongs to."""
    batch: Rectangle
    """Histories with their targets."""


class ItemLoss(Protocol):
    """Compares states with the items that came next."""

    def __call__(
        self, encoder: SequenceEncoder, predictions: Predictions, rng: np.random.Generator
    ) -> Float[Tensor, ""]:
        """Sum over positions. Random draws come from ``rng`` alone."""
        ...


class Objective(Protocol):
    """Turns some users of the training data into a loss."""

    def inputs(self, sequences: Sequences, users: np.ndarray, *, max_history: int) -> Rectangle:
        """What the encoder reads, with one item more than it reads where the last is only a target."""
        ...

    def loss(
        self, encoder: SequenceEncoder, batch: Rectangle, *, drop: Dropout, rng: np.random.Generator
    ) -> tuple[Float[Tensor, ""], int]:
        """Summed loss and the number of predictions in it."""
        ...


class FullSoftmaxLoss:
    """Cross-entropy over the whole catalogue."""

    def __call__(
        self, encoder: SequenceEncoder, predictions: Predictions, rng: np.random.Generator
    ) -> Float[Tensor, ""]:
        """Sum over positions."""
        return full_softmax(predictions.states, encoder.output_table(), predictions.targets, bias=encoder.output_bias())


@dataclass(frozen=True, slots=True)
class NextItem:
    """Every position predicts the item after it (SASRec, GRU4Rec)."""

    item_loss: ItemLoss

    def inputs(self, sequences: Sequences, users: np.ndarray, *, max_history: int) -> Rectangle:
        """The items and, behind the last that is read, its target."""
        return rectangle(sequences, users, max_history=max_history + 1)

    def loss(
        self, encoder: SequenceEncoder, batch: Rectangle, *, drop: Dropout, rng: np.random.Generator
    ) -> tuple[Float[Tensor, ""], int]:
        """Summed loss and the number of predictions in it."""
        read = replace(batch, items=batch.items[:, :-1], lengths=batch.lengths - 1)
        if read.items.shape[1] == 0:
            return encoder.output_table().sum() * 0, 0
        is_read = read.is_item
        states = encoder.states(read, drop=drop)[is_read]
        rows = torch.nonzero(is_read)[:, 0]
        targets = batch.items[:, 1:][is_read] - 1
        return self.item_loss(encoder, Predictions(states, targets, rows, batch), rng), int(targets.numel())


@dataclass(frozen=True, slots=True)
class NextItems:
    """Every position of the whole history predicts the few items after it (Caser, HGN).

    For encoders that look at a short window: all windows of a user pass at once, however long the history.
    """

    item_loss: ItemLoss
    n_targets: int

    def inputs(self, sequences: Sequences, users: np.ndarray, *, max_history: int) -> Rectangle:
        """All items."""
        return rectangle(sequences, users, max_history=None)

    def loss(
        self, encoder: SequenceEncoder, batch: Rectangle, *, drop: Dropout, rng: np.random.Generator
    ) -> tuple[Float[Tensor, ""], int]:
        """Summed loss and the number of predictions in it."""
        states = encoder.states(replace(batch, items=batch.items[:, :-1], lengths=batch.lengths - 1), drop=drop)
        device = batch.items.device
        place = torch.arange(states.shape[1], device=device)[:, None]
        target = place + torch.arange(1, self.n_targets + 1, device=device)
        row, place, ahead = torch.nonzero(target < batch.lengths[:, None, None], as_tuple=True)
        # One row of states per prediction; index_select adds gradients up faster than indexing with two lists.
        chosen = states.flatten(0, 1).index_select(0, row * states.shape[1] + place)
        targets = batch.items[row, place + ahead + 1] - 1
        return self.item_loss(encoder, Predictions(chosen, targets, row, batch), rng), int(targets.numel())
