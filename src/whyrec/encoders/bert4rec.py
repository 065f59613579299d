"""BERT4Rec: a Transformer that reads in both directions and fills in masked items (Sun et al. 2019)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from whyrec.encoders.base import SequenceEncoder, reversed_positions
from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.sequences import Rectangle
from whyrec.runtime.strict_model import StrictModel


class Bert4RecConfig(StrictModel):
    """Shape of BERT4Rec."""

    embedding_dim: int = Field(default=64, ge=1)
    """Columns of item vectors and states. Paper: 64."""
    n_layers: int = Field(default=2, ge=1)
    """Blocks. Paper: 2."""
    n_heads: int = Field(default=2, ge=1)
    """Attention heads. Paper: 2."""
    inner_dim: int = Field(default=256, ge=1)
    """Units of the point-wise network. Paper: four times the columns."""
    max_history: int = Field(default=200, ge=2)
    """Positions, that of the mask behind the history included. Paper: 200 on MovieLens."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Of embeddings and of every sub-layer's output. The authors' example: 0.2."""

    @model_validator(mode="after")
    def _heads_divide_the_columns(self) -> Self:
        if self.embedding_dim % self.n_heads:
            raise ValueError(
                f"embedding_dim must be a multiple of n_heads, got {self.embedding_dim} and {self.n_heads}"
            )
        return self


class Bert4Rec(SequenceEncoder):
    """Blocks of attention over the whole row; a padding inside a row's length stands for a masked item.

    The next item is predicted by a mask behind the last one, so that one item fewer is read than there are positions.
    Deviations: norms stand before the sub-layers, not behind them; attention weights are not
    dropped.
    """

    reads_masks = True

    def __init__(self, n_items: int, config: Bert4RecConfig, *, frozen: Float[Tensor, "I F"] | None = None) -> None:
        """Make an untrained encoder.

        Args:
            n_items: Items, without the padding.
            config: Shape.
            frozen: Item columns that stay as they are.
        """
        super().__init__()
        dim = config.embedding_dim
        self.config = config
        self.n_items = n_items
        self.max_history = config.max_history - 1
        self.dropout = config.dropout
        self.items = ItemTable(n_items, dim, frozen=frozen)
        self.mask = nn.Parameter(torch.empty(dim).normal_(std=0.02))
        self.positions = nn.Parameter(torch.empty(config.max_history, dim).normal_(std=0.02))
        self.embedding_norm, self.norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.blocks = nn.ModuleList(
            BidirectionalBlock(dim, n_heads=config.n_heads, inner_dim=config.inner_dim) for _ in range(config.n_layers)
        )
        self.projection, self.projection_norm = nn.Linear(dim, dim), nn.LayerNorm(dim)
        self.bias = nn.Parameter(torch.zeros(n_items))

    def configuration(self) -> Mapping[str, object]:
        """Shape."""
        return self.config.model_dump()

    def output_table(self) -> Float[Tensor, "I D"]:
        """The input table."""
        return self.items.weight()[1:]

    def output_bias(self) -> Float[Tensor, " I"]:
        """A number per item."""
        return self.bias

    def states(self, batch: Rectangle, *, drop: Dropout = no_dropout) -> Float[Tensor, "B T D"]:
        """The state at each position, from items on both sides of it."""
        x = self._embedded(batch, drop)
        is_item = batch.is_item
        for block in self.blocks:
            x = block(x, is_item, drop=drop)
        return self._head(x)

    def states_at(self, batch: Rectangle, places: Bool[Tensor, "B T"], *, drop: Dropout) -> Float[Tensor, "N D"]:
        """The states at some positions, row by row; only these pass the network of the last block."""
        x = self._embedded(batch, drop)
        is_item = batch.is_item
        for block in self.blocks[:-1]:
            x = block(x, is_item, drop=drop)
        last = self.blocks[-1]
        assert isinstance(last, BidirectionalBlock)
        return self._head(last.network(last.attend(x, is_item, drop=drop)[places], drop=drop))

    def last_state(self, batch: Rectangle) -> Float[Tensor, "B D"]:
        """The state of a mask behind each row's last item."""
        items = functional.pad(batch.items, (0, 1))
        asked = replace(batch, items=items, lengths=batch.lengths + 1)
        places = functional.one_hot(batch.lengths, items.shape[1]).bool()
        return self.states_at(asked, places, drop=no_dropout)

    def _embedded(self, batch: Rectangle, drop: Dropout) -> Float[Tensor, "B T D"]:
        places = reversed_positions(batch.lengths, width=batch.items.shape[1], max_history=self.config.max_history)
        found = torch.where((batch.items == 0)[:, :, None], self.mask, self.items(batch.items))
        return drop(self.embedding_norm(found + self.positions[places]))

    def _head(self, x: Float[Tensor, "*N D"]) -> Float[Tensor, "*N D"]:
        # The norm behind the projection is in the authors' code, not in the paper; without it scores start near 0.
        return self.projection_norm(functional.gelu(self.projection(self.norm(x))))  # type: ignore[no-any-return]


class BidirectionalBlock(nn.Module):
    """Self-attention over all items of a row and a point-wise network, with pre-norm residuals."""

    def __init__(self, dim: int, *, n_heads: int, inner_dim: int) -> None:
        """Make an untrained block of so many columns, heads and inner units."""
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm, self.network_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.attended = nn.Linear(dim, dim)
        self.inner, self.outer = nn.Linear(dim, inner_dim), nn.Linear(inner_dim, dim)

    def forward(
        self, x: Float[Tensor, "B T D"], is_item: Bool[Tensor, "B T"], *, drop: Dropout
    ) -> Float[Tensor, "B T D"]:
        """All positions; none looks at padding behind a row's end."""
        return self.network(self.attend(x, is_item, drop=drop), drop=drop)

    def attend(
        self, x: Float[Tensor, "B T D"], is_item: Bool[Tensor, "B T"], *, drop: Dropout
    ) -> Float[Tensor, "B T D"]:
        """The first half: every position gathers from all items of its row."""
        batch, width, dim = x.shape
        split = self.query_key_value(self.attention_norm(x)).view(batch, width, 3, self.n_heads, dim // self.n_heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=is_item[:, None, None])
        return x + drop(self.attended(found.transpose(1, 2).flatten(2)))

    def network(self, x: Float[Tensor, "*N D"], *, drop: Dropout) -> Float[Tensor, "*N D"]:
        """The second half: every position by itself."""
        return x + drop(self.outer(functional.gelu(self.inner(self.network_norm(x)))))
