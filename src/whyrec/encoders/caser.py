"""Caser: convolutions over the last few items, as over an image, and a vector of the user (Tang and Wang 2018)."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.sequences import Rectangle
from whyrec.encoders.users import UserTable
from whyrec.runtime.strict_model import StrictModel


class CaserConfig(StrictModel):
    """Shape of Caser."""

    embedding_dim: int = Field(default=50, ge=1)
    """Columns of item and user vectors. The authors' code: 50."""
    max_history: int = Field(default=5, ge=1, le=50)
    """Items in a window. The authors' code: 5."""
    n_vertical: int = Field(default=4, ge=1)
    """Filters over all items of a window, one column at a time. The authors' code: 4."""
    n_horizontal: int = Field(default=16, ge=1)
    """Filters over some neighbouring items, for each number of them. The authors' code: 16."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Of what the filters found. The authors' code: 0.5."""


class Caser(SequenceEncoder):
    """The state after an item depends on it, the few before it and the user.

    All windows of a history pass at once: neighbouring windows share the work of the convolutions, which is several
    times less than to cut them apart. Before the first item stand vectors of zeros.
    """

    def __init__(
        self, n_items: int, config: CaserConfig, *, n_users: int, frozen: Float[Tensor, "I F"] | None = None
    ) -> None:
        """Make an untrained encoder.

        Args:
            n_items: Items, without the padding.
            config: Shape.
            n_users: Users of the training data.
            frozen: Item columns that stay as they are.
        """
        super().__init__()
        dim, window = config.embedding_dim, config.max_history
        self.config = config
        self.n_items = n_items
        self.max_history = window
        self.dropout = config.dropout
        self.items = ItemTable(n_items, dim, frozen=frozen, std=1 / dim)
        self.users = UserTable(n_users, dim, std=1 / dim)
        self.vertical = nn.Conv1d(1, config.n_vertical, window)
        self.horizontal = nn.ModuleList(nn.Conv1d(dim, config.n_horizontal, n + 1) for n in range(window))
        self.dense = nn.Linear(config.n_vertical * dim + config.n_horizontal * window, dim)
        self.scoring = nn.Parameter(torch.empty(n_items, 2 * dim).normal_(std=1 / (2 * dim)))
        self.bias = nn.Parameter(torch.zeros(n_items))

    def configuration(self) -> Mapping[str, object]:
        """Shape."""
        return self.config.model_dump()

    def output_table(self) -> Float[Tensor, "I D2"]:
        """A table of its own, twice as wide as the input."""
        return self.scoring

    def output_bias(self) -> Float[Tensor, " I"]:
        """A number per item."""
        return self.bias

    def states(self, batch: Rectangle, *, drop: Dropout = no_dropout) -> Float[Tensor, "B T D2"]:
        """What the filters found in the window that ends at each item, and the user's vector behind it."""
        x = functional.pad(self.items(batch.items), (0, 0, self.max_history - 1, 0)).transpose(1, 2)
        found = torch.cat([self._vertical(x), *self._horizontal(x)], dim=1).transpose(1, 2)
        window = functional.relu(self.dense(drop(found)))
        user = self.users(batch)[:, None].expand(-1, window.shape[1], -1)
        return torch.cat([window, user], dim=2)

    def _vertical(self, x: Float[Tensor, "B D T1"]) -> Float[Tensor, "B F T"]:
        """The filters in order, and the columns within each filter."""
        rows, dim, width = x.shape
        found: Tensor = self.vertical(x.reshape(rows * dim, 1, width)).view(rows, dim, self.config.n_vertical, -1)
        return found.transpose(1, 2).flatten(1, 2)

    def _horizontal(self, x: Float[Tensor, "B D T1"]) -> list[Float[Tensor, "B F T"]]:
        """For each number of neighbours, the highest answer of each filter in a window."""
        return [
            functional.max_pool1d(functional.relu(filters(x)), self.max_history - n, stride=1)
            for n, filters in enumerate(self.horizontal)
        ]
