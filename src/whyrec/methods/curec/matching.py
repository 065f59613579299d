"""What an item's reasons say to a user's pattern: attention, and the variants of CURec Table 3 that pool instead.

Each unit splits its work in two. ``project`` turns the embedding of one reason into what the unit needs of it, whoever
asks and whenever; it can be computed once and kept. ``forward`` puts projected reasons and patterns together. Axes: B
users, M items, K reasons, D columns; S is B, or 1 where all users share the candidates.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from whyrec.methods.curec.config import Variant
from whyrec.methods.curec.equations import multi_head_attention


class Matching(nn.Module, ABC):
    """One vector per user and item."""

    width: int
    """Columns of a projected reason."""
    is_of_pattern: bool
    """True where the pattern takes part itself; else the scoring network is given it beside the match (C17)."""

    @abstractmethod
    def project(self, reasons: Float[Tensor, "*S D"]) -> Float[Tensor, "*S X"]:
        """What is needed of each reason."""

    @abstractmethod
    def forward(
        self, pattern: Float[Tensor, "B D"], projected: Float[Tensor, "S M K X"], is_reason: Bool[Tensor, "S M K"]
    ) -> Float[Tensor, "S M D"]:
        """Match each user with each item; of the variants that pool, all users share one vector per item."""


class AttentionMatching(Matching):
    """Multi-head attention from the pattern to the reasons, among which a learned null always stands (C11)."""

    is_of_pattern = True

    def __init__(self, dim: int, *, n_heads: int) -> None:
        """Make an untrained unit of so many columns and heads."""
        super().__init__()
        self.width = 2 * dim
        self.n_heads = n_heads
        self.query, self.key_value = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.null = nn.Parameter(torch.empty(2 * dim).normal_(std=0.02))
        self.found = nn.Linear(dim, dim)

    def project(self, reasons: Float[Tensor, "*S D"]) -> Float[Tensor, "*S X"]:
        """Keys and values, side by side."""
        return self.key_value(reasons)  # type: ignore[no-any-return]

    def forward(
        self, pattern: Float[Tensor, "B D"], projected: Float[Tensor, "S M K X"], is_reason: Bool[Tensor, "S M K"]
    ) -> Float[Tensor, "B M D"]:
        """Match each user with each item."""
        return self.found(self._attended(pattern, projected, is_reason)[0])  # type: ignore[no-any-return]

    def weights(
        self, pattern: Float[Tensor, "B D"], projected: Float[Tensor, "S M K X"], is_reason: Bool[Tensor, "S M K"]
    ) -> Float[Tensor, "B H M K1"]:
        """How much each head looks at the null, which comes first, and at each reason; sums to 1."""
        return self._attended(pattern, projected, is_reason)[1]

    def _attended(self, pattern: Tensor, projected: Tensor, is_reason: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = projected.chunk(2, dim=-1)
        null_key, null_value = self.null.chunk(2)
        return multi_head_attention(
            self.query(pattern),
            keys,
            values,
            is_reason=is_reason,
            n_heads=self.n_heads,
            null=(null_key, null_value),
        )


class PooledMatching(Matching):
    """The mean of the reasons, whoever asks; an item without any has a learned vector in its place."""

    is_of_pattern = False

    def __init__(self, dim: int) -> None:
        """Make an untrained unit of so many columns."""
        super().__init__()
        self.width = dim
        self.null = nn.Parameter(torch.empty(dim).normal_(std=0.02))

    def project(self, reasons: Float[Tensor, "*S D"]) -> Float[Tensor, "*S D"]:
        """The embedding as it is."""
        return reasons

    def forward(
        self, pattern: Float[Tensor, "B D"], projected: Float[Tensor, "S M K D"], is_reason: Bool[Tensor, "S M K"]
    ) -> Float[Tensor, "S M D"]:
        """Pool each item's reasons."""
        n = is_reason.sum(dim=2, keepdim=True)
        kept = projected.masked_fill(~is_reason[..., None], 0.0)
        return torch.where(n > 0, kept.sum(dim=2) / n.clamp(min=1), self.null)


class NetworkMatching(PooledMatching):
    """A network of two layers on the mean."""

    def __init__(self, dim: int) -> None:
        """Make an untrained unit of so many columns."""
        super().__init__(dim)
        self.inner, self.outer = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(
        self, pattern: Float[Tensor, "B D"], projected: Float[Tensor, "S M K D"], is_reason: Bool[Tensor, "S M K"]
    ) -> Float[Tensor, "S M D"]:
        """Pool each item's reasons, then transform."""
        return self.outer(functional.relu(self.inner(super().forward(pattern, projected, is_reason))))  # type: ignore[no-any-return]


class SelfAttentionMatching(PooledMatching):
    """Attention among the reasons of an item, then their mean."""

    def __init__(self, dim: int, *, n_heads: int) -> None:
        """Make an untrained unit of so many columns and heads."""
        super().__init__(dim)
        self.width = 3 * dim
        self.n_heads = n_heads
        self.query_key_value, self.attended = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def project(self, reasons: Float[Tensor, "*S D"]) -> Float[Tensor, "*S X"]:
        """Queries, keys and values, side by side."""
        return self.query_key_value(reasons)  # type: ignore[no-any-return]

    def forward(
        self, pattern: Float[Tensor, "B D"], projected: Float[Tensor, "S M K X"], is_reason: Bool[Tensor, "S M K"]
    ) -> Float[Tensor, "S M D"]:
        """Let each item's reasons look at each other, then pool."""
        split = projected.reshape(*projected.shape[:-1], 3, self.n_heads, -1)
        queries, keys, values = split.movedim(-3, 0).transpose(-2, -3)
        # Rows without any reason attend to empty cells, which keeps them finite; pooling drops them.
        is_seen = is_reason | ~is_reason.any(dim=2, keepdim=True)
        found = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=is_seen[:, :, None, None])
        return super().forward(pattern, self.attended(found.transpose(-2, -3).flatten(-2)), is_reason)


def matching_of(variant: Variant, dim: int, *, n_heads: int) -> Matching | None:
    """The unit of a variant of Table 3; None reads no reasons.

    ``text`` pools too: the only "reason" that it is given is the item's description.
    """
    if variant == "full":
        return AttentionMatching(dim, n_heads=n_heads)
    if variant == "mlp":
        return NetworkMatching(dim)
    if variant == "sa":
        return SelfAttentionMatching(dim, n_heads=n_heads)
    return None if variant == "none" else PooledMatching(dim)
