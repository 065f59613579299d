"""SASRec: a causal Transformer over the history (Kang and McAuley 2018)."""

import math
from collections.abc import Mapping
from typing import Self

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from whyrec.encoders.base import SequenceEncoder, reversed_positions
from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.sequences import Rectangle
from whyrec.runtime.strict_model import StrictModel


class SasRecConfig(StrictModel):
    """Shape of SASRec."""

    embedding_dim: int = Field(default=64, ge=1)
    """Columns of item vectors and states."""
    n_layers: int = Field(default=2, ge=1)
    """Blocks. Paper: 2."""
    n_heads: int = Field(default=1, ge=1)
    """Attention heads. Paper: 1."""
    max_history: int = Field(default=200, ge=1)
    """The most recent items that are read. Paper: 200 on ML-1M, 50 elsewhere."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Of embeddings and of every sub-layer's output. Paper: 0.2 on ML-1M, 0.5 elsewhere."""

    @model_validator(mode="after")
    def _heads_divide_the_columns(self) -> Self:
        if self.embedding_dim % self.n_heads:
            raise ValueError(
                f"embedding_dim must be a multiple of n_heads, got {self.embedding_dim} and {self.n_heads}"
            )
        return self


class SasRec(SequenceEncoder):
    """Blocks of causal attention and a point-wise network, each with a norm before and a residual around it.

    Deviation: attention weights themselves are not dropped, so that the fused attention kernel can be used; the
    outputs of attention are.
    """

    def __init__(self, n_items: int, config: SasRecConfig, *, frozen: Float[Tensor, "I F"] | None = None) -> None:
        """Make an untrained encoder.

        Args:
            n_items: Items, without the padding.
            config: Shape.
            frozen: Item columns that stay as they are.
        """
        super().__init__()
        self.config = config
        self.n_items = n_items
        self.max_history = config.max_history
        self.dropout = config.dropout
        self.items = ItemTable(n_items, config.embedding_dim, frozen=frozen)
        self.positions = nn.Parameter(torch.empty(config.max_history, config.embedding_dim).normal_(std=0.02))
        self.blocks = nn.ModuleList(
            AttentionBlock(config.embedding_dim, n_heads=config.n_heads) for _ in range(config.n_layers)
        )
        self.norm = nn.LayerNorm(config.embedding_dim)

    def configuration(self) -> Mapping[str, object]:
        """Shape."""
        return self.config.model_dump()

    def output_table(self) -> Float[Tensor, "I D"]:
        """The input table: SASRec shares it."""
        return self.items.weight()[1:]

    def states(self, batch: Rectangle, *, drop: Dropout = no_dropout) -> Float[Tensor, "B T D"]:
        """The state after each item."""
        x = self._embedded(batch, drop)
        for block in self.blocks:
            x = block(x, drop=drop)
        return self.norm(x)  # type: ignore[no-any-return]

    def last_state(self, batch: Rectangle) -> Float[Tensor, "B D"]:
        """The state after the last item; only that position passes the last block."""
        x = self._embedded(batch, no_dropout)
        for block in self.blocks[:-1]:
            x = block(x, drop=no_dropout)
        last = self.blocks[-1]
        assert isinstance(last, AttentionBlock)
        return self.norm(last.last(x, batch))  # type: ignore[no-any-return]

    def _embedded(self, batch: Rectangle, drop: Dropout) -> Float[Tensor, "B T D"]:
        width = batch.items.shape[1]
        places = reversed_positions(batch.lengths, width=width, max_history=self.max_history)
        return drop(self.items(batch.items) * math.sqrt(self.items.embedding_dim) + self.positions[places])


class AttentionBlock(nn.Module):
    """Causal self-attention and a point-wise feed-forward network, with pre-norm residuals."""

    def __init__(self, dim: int, *, n_heads: int) -> None:
        """Make an untrained block of so many columns and heads."""
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm, self.network_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.attended = nn.Linear(dim, dim)
        self.inner, self.outer = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "B T D"], *, drop: Dropout) -> Float[Tensor, "B T D"]:
        """All positions. Padding on the right needs no mask: it lies in every item's future."""
        query, key, value = self._heads(self.query_key_value(self.attention_norm(x)))
        found = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + drop(self.attended(_joined(found)))
        return self._network(x, drop=drop)

    def last(self, x: Float[Tensor, "B T D"], batch: Rectangle) -> Float[Tensor, "B D"]:
        """Each row's last position alone."""
        rows = torch.arange(len(x), device=x.device)
        place = (batch.lengths - 1).clamp(min=0)
        query, key, value = self._heads(self.query_key_value(self.attention_norm(x)))
        found = functional.scaled_dot_product_attention(
            query[rows, :, place][:, :, None], key, value, attn_mask=batch.is_item[:, None, None]
        )
        x = x[rows, place] + self.attended(_joined(found))[:, 0]
        return self._network(x, drop=no_dropout)

    def _network(self, x: Float[Tensor, "*B D"], *, drop: Dropout) -> Float[Tensor, "*B D"]:
        return x + drop(self.outer(drop(functional.relu(self.inner(self.network_norm(x))))))

    def _heads(self, x: Float[Tensor, "B T D3"]) -> tuple[Tensor, Tensor, Tensor]:
        batch, width, columns = x.shape
        split = x.view(batch, width, 3, self.n_heads, columns // (3 * self.n_heads))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        return query, key, value


def _joined(heads: Float[Tensor, "B H T E"]) -> Float[Tensor, "B T D"]:
    return heads.transpose(1, 2).flatten(2)
