"""The table of item embeddings: trainable columns and, where a method brings them, frozen ones beside them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from whyrec.errors import InvalidConfigError


class ItemTable(nn.Module):
    """One vector per item, used to read histories and to score candidates.

    The frozen columns (a method's own numbers, such as aspect scores) are never trained; they stand behind the
    trainable ones. A gate, where one is added, is one trainable factor of all of them.
    """

    frozen: Tensor
    gate: nn.Parameter | None

    def __init__(
        self, n_items: int, embedding_dim: int, *, frozen: Float[Tensor, "I F"] | None = None, std: float = 0.02
    ) -> None:
        """Make a table.

        Args:
            n_items: Items, without the padding.
            embedding_dim: All columns together.
            frozen: Columns that stay as they are, one row per item.
            std: Of the normal distribution that the trainable columns start from.

        Raises:
            InvalidConfigError: If the frozen columns leave no room, or have another number of rows.
        """
        super().__init__()
        given = torch.zeros(n_items, 0) if frozen is None else frozen
        if given.shape[0] != n_items or given.shape[1] >= embedding_dim:
            raise InvalidConfigError(
                f"frozen columns: expected {n_items} rows and fewer than {embedding_dim} columns, got "
                f"{given.shape[0]} rows and {given.shape[1]} columns. Change embedding_dim or the columns."
            )
        self.trainable = nn.Parameter(torch.empty(n_items + 1, embedding_dim - given.shape[1]))
        nn.init.normal_(self.trainable, std=std)
        with torch.no_grad():
            self.trainable[0] = 0
        self.register_buffer("frozen", torch.cat([torch.zeros(1, given.shape[1]), given.float()]))
        self.register_parameter("gate", None)

    @property
    def n_items(self) -> int:
        """Items, without the padding."""
        return self.trainable.shape[0] - 1

    @property
    def embedding_dim(self) -> int:
        """Columns."""
        return self.trainable.shape[1] + self.frozen.shape[1]

    def add_gate(self) -> None:
        """Let training choose how much the frozen columns weigh; the factor starts at 1 and stays positive."""
        self.gate = nn.Parameter(self.frozen.new_zeros(()))

    @property
    def factor(self) -> Tensor | float:
        """Of the frozen columns."""
        return 1.0 if self.gate is None else self.gate.exp()

    def frozen_columns(self) -> Float[Tensor, "I1 F"]:
        """The frozen columns as they are read and scored with, the padding's row first."""
        return self.frozen if self.gate is None else self.frozen * self.factor

    def weight(self) -> Float[Tensor, "I1 D"]:
        """All rows, the padding's first."""
        return (
            self.trainable if self.frozen.shape[1] == 0 else torch.cat([self.trainable, self.frozen_columns()], dim=1)
        )

    def forward(self, items: Int[Tensor, "*S"]) -> Float[Tensor, "*S D"]:
        """The vectors of item numbers."""
        return nn.functional.embedding(items, self.weight())
