"""The paper's reading of a history: a learned token in front that reads all items in both directions (CURec §4.3.2).

A state of an item here has seen the items after it, so every prefix of a history has to be read by itself; causal
SASRec learns from all of them in one pass (C8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder, reversed_positions
from whyrec.encoders.bert4rec import BidirectionalBlock
from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.objectives import ItemLoss, Predictions
from whyrec.encoders.sequences import Rectangle, rectangle
from whyrec.methods.curec.config import BaseConfig
from whyrec.methods.curec.equations import user_embedding


class UserTokenEncoder(SequenceEncoder):
    """A Transformer over item ids whose first state, that of the token, stands for the user."""

    def __init__(self, n_items: int, config: BaseConfig) -> None:
        """Make an untrained encoder.

        Args:
            n_items: Items, without the padding.
            config: Shape.
        """
        super().__init__()
        dim = config.embedding_dim
        self.config = config
        self.n_items = n_items
        self.max_history = config.max_history
        self.dropout = config.dropout
        self.items = ItemTable(n_items, dim)
        self.user_token = nn.Parameter(torch.empty(dim).normal_(std=0.02))
        self.positions = nn.Parameter(torch.empty(config.max_history, dim).normal_(std=0.02))
        self.embedding_norm, self.norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.blocks = nn.ModuleList(
            BidirectionalBlock(dim, n_heads=config.n_heads, inner_dim=dim) for _ in range(config.n_layers)
        )

    def configuration(self) -> Mapping[str, object]:
        """Shape."""
        return self.config.model_dump()

    def output_table(self) -> Float[Tensor, "I D"]:
        """The input table."""
        return self.items.weight()[1:]

    def user_and_states(
        self, batch: Rectangle, *, drop: Dropout = no_dropout
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B T D"]]:
        """The token's state, and those of the items, which know each other."""
        places = reversed_positions(batch.lengths, width=batch.items.shape[1], max_history=self.max_history)
        items = drop(self.embedding_norm(self.items(batch.items) + self.positions[places]))

        def transform(x: Float[Tensor, "B T1 D"], is_there: Bool[Tensor, "B T1"]) -> Float[Tensor, "B T1 D"]:
            for block in self.blocks:
                x = block(x, is_there, drop=drop)
            return self.norm(x)  # type: ignore[no-any-return]

        return user_embedding(items, batch.is_item, user_token=self.user_token, transformer=transform)

    def states(self, batch: Rectangle, *, drop: Dropout = no_dropout) -> Float[Tensor, "B T D"]:
        """The token's state after each item: every prefix is read anew, which costs as often as there are items."""
        ends = range(1, batch.items.shape[1] + 1)
        prefixes = (replace(batch, items=batch.items[:, :n], lengths=batch.lengths.clamp(max=n)) for n in ends)
        return torch.stack([self.user_and_states(prefix, drop=drop)[0] for prefix in prefixes], dim=1)

    def last_state(self, batch: Rectangle) -> Float[Tensor, "B D"]:
        """The token's state."""
        return self.user_and_states(batch)[0]


@dataclass(frozen=True, slots=True)
class PrefixItems:
    """Some prefixes of each history predict the item after them."""

    item_loss: ItemLoss
    n_prefixes: int = 4
    """Drawn anew from every history whenever it is read."""

    def inputs(self, sequences: Sequences, users: np.ndarray, *, max_history: int) -> Rectangle:
        """The items and, behind the last that is read, its target."""
        return rectangle(sequences, users, max_history=max_history + 1)

    def loss(
        self, encoder: SequenceEncoder, batch: Rectangle, *, drop: Dropout, rng: np.random.Generator
    ) -> tuple[Float[Tensor, ""], int]:
        """Summed loss and the number of predictions in it."""
        assert isinstance(encoder, UserTokenEncoder), "prefixes are for the encoder that needs them"
        lengths = batch.lengths.cpu().numpy()
        rows = np.repeat(np.flatnonzero(lengths >= 2), self.n_prefixes)
        if not len(rows):
            return encoder.output_table().sum() * 0, 0
        ends = rng.integers(1, lengths[rows])
        row, end = torch.from_numpy(rows).to(batch.items.device), torch.from_numpy(ends).to(batch.items.device)
        read = Rectangle(batch.users[rows], batch.items[row, : int(ends.max())], end)
        targets = batch.items[row, end] - 1
        state = encoder.user_and_states(read, drop=drop)[0]
        return self.item_loss(encoder, Predictions(state, targets, row, batch), rng), len(rows)
