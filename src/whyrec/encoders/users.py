"""What an encoder learns of each user."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from whyrec.encoders.sequences import Rectangle


class UserTable(nn.Module):
    """One vector per user of the training data.

    Somebody unknown has a vector of zeros, which never changes: what all vectors are drawn to before anything is
    learned of their users.
    """

    def __init__(self, n_users: int, embedding_dim: int, *, std: float) -> None:
        """Make a table for so many users; vectors start from a normal distribution."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_users + 1, embedding_dim).normal_(std=std))
        with torch.no_grad():
            self.weight[0] = 0

    def forward(self, batch: Rectangle) -> Float[Tensor, "B D"]:
        """The vectors of the batch's owners; without owners, everybody is unknown."""
        owners = torch.zeros_like(batch.lengths) if batch.owners is None else batch.owners
        return functional.embedding(owners, self.weight, padding_idx=0)
