"""The objective of BERT4Rec: some items of a history are masked and predicted from those on both sides."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data.sequences import PADDING, Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import Dropout
from whyrec.encoders.objectives import ItemLoss, Predictions
from whyrec.encoders.sequences import Rectangle, rectangle


@dataclass(frozen=True, slots=True)
class MaskedItems:
    """Masked items are predicted; in some rows that is the last item alone, as it is when the encoder is used."""

    item_loss: ItemLoss
    mask_ratio: float = 0.2
    """Share of items that are masked."""
    last_share: float = 0.1
    """Share of rows in which only the last item is masked."""

    def inputs(self, sequences: Sequences, users: np.ndarray, *, max_history: int) -> Rectangle:
        """The items, as many as there are positions."""
        return rectangle(sequences, users, max_history=max_history + 1)

    def loss(
        self, encoder: SequenceEncoder, batch: Rectangle, *, drop: Dropout, rng: np.random.Generator
    ) -> tuple[Float[Tensor, ""], int]:
        """Summed loss and the number of masked items."""
        assert encoder.reads_masks, "other encoders take a mask for padding"
        is_masked = torch.from_numpy(self._draw(batch, rng)).to(batch.items.device)
        read = replace(batch, items=batch.items.masked_fill(is_masked, PADDING))
        states = encoder.states_at(read, is_masked, drop=drop)
        targets: Int[Tensor, " N"] = batch.items[is_masked] - 1
        rows = torch.nonzero(is_masked)[:, 0]
        return self.item_loss(encoder, Predictions(states, targets, rows, batch), rng), int(targets.numel())

    def _draw(self, batch: Rectangle, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Which cells are masked: at least one in every row that has items."""
        lengths = batch.lengths.cpu().numpy()
        cells = np.arange(batch.items.shape[1])
        is_item: Bool[np.ndarray, "B T"] = cells < lengths[:, None]
        draws = np.where(is_item, rng.random(is_item.shape), np.inf)
        is_masked = (draws < self.mask_ratio) | (draws == draws.min(axis=1, keepdims=True))
        is_last = cells == lengths[:, None] - 1
        only_last = rng.random(len(lengths)) < self.last_share
        return np.asarray(np.where(only_last[:, None], is_last, is_masked & is_item))
