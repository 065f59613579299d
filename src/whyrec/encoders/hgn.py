"""HGN: gates on the columns and on the items of a short window, steered by the user (Ma, Kang and Liu 2019)."""

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


class HgnConfig(StrictModel):
    """Shape of HGN."""

    embedding_dim: int = Field(default=50, ge=1)
    """Columns of item and user vectors. Paper: 50."""
    max_history: int = Field(default=5, ge=1, le=50)
    """Items in a window. Paper: 5."""


class Hgn(SequenceEncoder):
    """The state after an item: the user, the gated items of the window, and their plain sum.

    Differs from the authors' code, where the gates on items were never trained and paddings were pooled as items.
    """

    def __init__(
        self, n_items: int, config: HgnConfig, *, n_users: int, frozen: Float[Tensor, "I F"] | None = None
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
        self.dropout = 0.0
        self.items = ItemTable(n_items, dim, frozen=frozen, std=1 / dim)
        self.users = UserTable(n_users, dim, std=1 / dim)
        self.column_gate_item = nn.Linear(dim, dim)
        self.column_gate_user = nn.Linear(dim, dim, bias=False)
        self.item_gate_item = nn.Linear(dim, 1, bias=False)
        self.item_gate_user = nn.Linear(dim, window, bias=False)
        self.scoring = nn.Parameter(torch.empty(n_items, dim).normal_(std=1 / dim))
        self.bias = nn.Parameter(torch.zeros(n_items))

    def configuration(self) -> Mapping[str, object]:
        """Shape."""
        return self.config.model_dump()

    def output_table(self) -> Float[Tensor, "I D"]:
        """A table of its own."""
        return self.scoring

    def output_bias(self) -> Float[Tensor, " I"]:
        """A number per item."""
        return self.bias

    def states(self, batch: Rectangle, *, drop: Dropout = no_dropout) -> Float[Tensor, "B T D"]:
        """User, gated window and plain window that end at each item."""
        is_item = batch.is_item[:, :, None]
        user: Tensor = self.users(batch)
        x: Tensor = self.items(batch.items)
        gated = x * torch.sigmoid(self.column_gate_item(x) + self.column_gate_user(user)[:, None])
        answers, steer = self.item_gate_item(gated), self.item_gate_user(user)
        pooled, plain = torch.zeros_like(x), torch.zeros_like(x)
        total = x.new_zeros(*x.shape[:2], 1)
        for place in range(self.max_history):
            back = self.max_history - 1 - place
            weight = torch.sigmoid(_earlier(answers, back) + steer[:, None, place, None]) * _earlier(is_item, back)
            pooled = pooled + weight * _earlier(gated, back)
            plain = plain + _earlier(x, back)
            total = total + weight
        # Behind a row's end a window may hold no item at all; nobody reads those states, but they must be numbers.
        mean: Tensor = pooled / total.clamp(min=torch.finfo(x.dtype).tiny)
        return user[:, None] + mean + plain


def _earlier(x: Tensor, steps: int) -> Tensor:
    """Each position's value so many positions before; zeros before the first."""
    return functional.pad(x, (0, 0, steps, 0))[:, : x.shape[1]]
