"""GRU4Rec: gated recurrent units over the history (Hidasi et al. 2016; Hidasi and Karatzoglou 2018)."""

from collections.abc import Mapping
from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.sequences import Rectangle
from whyrec.runtime.strict_model import StrictModel


class Gru4RecConfig(StrictModel):
    """Shape of GRU4Rec."""

    embedding_dim: int = Field(default=64, ge=1)
    """Columns of item vectors."""
    hidden_dim: int = Field(default=128, ge=1)
    """Units of a layer. The authors tune between 50 and 512."""
    n_layers: int = Field(default=1, ge=1)
    """Layers of units. The authors' code: 1."""
    tied: bool = True
    """Score items with the vectors that they are read with ("constrained embedding" in the authors' code)."""
    max_history: int = Field(default=200, ge=1)
    """The most recent items that are read."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Of item vectors and of every layer's output."""


class Gru4Rec(SequenceEncoder):
    """Layers of gated recurrent units; one history is one session.

    Deviations: the authors run sessions side by side, one step at a time, and cut gradients after it; here gradients
    pass through the whole history. Where units and item vectors differ in size, a linear map stands between them.
    """

    scoring: nn.Parameter | None

    def __init__(self, n_items: int, config: Gru4RecConfig, *, frozen: Float[Tensor, "I F"] | None = None) -> None:
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
        sizes = [config.embedding_dim] + [config.hidden_dim] * config.n_layers
        self.layers = nn.ModuleList(nn.GRU(read, units, batch_first=True) for read, units in pairwise(sizes))
        is_square = config.hidden_dim == config.embedding_dim
        self.projection = nn.Identity() if is_square else nn.Linear(config.hidden_dim, config.embedding_dim)
        own = None if config.tied else nn.Parameter(torch.empty(n_items, config.embedding_dim).normal_(std=0.02))
        self.register_parameter("scoring", own)
        self.bias = nn.Parameter(torch.zeros(n_items))

    def configuration(self) -> Mapping[str, object]:
        """Shape."""
        return self.config.model_dump()

    def output_table(self) -> Float[Tensor, "I D"]:
        """The input table if tied, else a table of its own."""
        return self.items.weight()[1:] if self.scoring is None else self.scoring

    def output_bias(self) -> Float[Tensor, " I"]:
        """A number per item."""
        return self.bias

    def states(self, batch: Rectangle, *, drop: Dropout = no_dropout) -> Float[Tensor, "B T D"]:
        """The state after each item. What stands behind a row's end is read after it and changes nothing before."""
        return self.projection(self._hidden(batch, drop))  # type: ignore[no-any-return]

    def last_state(self, batch: Rectangle) -> Float[Tensor, "B D"]:
        """The state after the last item."""
        hidden = self._hidden(batch, no_dropout)
        last = (batch.lengths - 1).clamp(min=0)
        return self.projection(hidden[torch.arange(len(last), device=hidden.device), last])  # type: ignore[no-any-return]

    def _hidden(self, batch: Rectangle, drop: Dropout) -> Float[Tensor, "B T H"]:
        x = drop(self.items(batch.items))
        for layer in self.layers:
            x = drop(layer(x)[0])
        return x
