"""What CURec makes of a user, an item and their match: target attention over the history and the scoring network."""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from whyrec.methods.curec.equations import dice


class ProductInterest(nn.Module):
    """Attention from the candidate to the history: scaled product, softmax, as in the code of DIN's authors."""

    def __init__(self, dim: int) -> None:
        """Make an untrained unit of so many columns."""
        super().__init__()
        self.query, self.key = nn.Linear(dim, dim, bias=False), nn.Linear(dim, dim, bias=False)

    def forward(
        self, items: Float[Tensor, "S M D"], history: Float[Tensor, "B T D"], is_item: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B M D"]:
        """What of the history speaks for each candidate."""
        query = self.query(items) / math.sqrt(items.shape[-1])
        logits = torch.einsum("bmd,btd->bmt", query, self.key(history))
        weights: Tensor = logits.masked_fill(~is_item[:, None], -torch.inf).softmax(dim=-1)
        return weights @ history


class UnitInterest(nn.Module):
    """DIN's activation unit: a network on history item, candidate, difference and product; no softmax.

    Source: Zhou et al. 2018, the local activation unit; the layers are those of its code.
    """

    def __init__(self, dim: int, *, hidden: tuple[int, int]) -> None:
        """Make an untrained unit of so many columns."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4 * dim, hidden[0]), nn.Sigmoid(), nn.Linear(hidden[0], hidden[1]), nn.Sigmoid()
        )
        self.weight = nn.Linear(hidden[1], 1)

    def forward(
        self, items: Float[Tensor, "S M D"], history: Float[Tensor, "B T D"], is_item: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B M D"]:
        """What of the history speaks for each candidate, and how loudly."""
        read, candidate = torch.broadcast_tensors(history[:, None], items[:, :, None])  # type: ignore[no-untyped-call]
        pairs = torch.cat([read, candidate, read - candidate, read * candidate], dim=-1)
        weights: Tensor = self.weight(self.layers(pairs)).squeeze(-1) * is_item[:, None]
        return weights @ history


class Dice(nn.Module):
    """DIN's activation, with the batch's statistics in training and those of the past in use."""

    mean: Tensor
    variance: Tensor

    def __init__(self, dim: int, *, momentum: float = 0.01) -> None:
        """Make one for so many columns; slopes start from 0."""
        super().__init__()
        self.momentum = momentum
        self.slope = nn.Parameter(torch.zeros(dim))
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("variance", torch.ones(dim))

    def forward(self, x: Float[Tensor, "*S D"]) -> Float[Tensor, "*S D"]:
        """Bend at the mean."""
        if not self.training:
            return dice(x, mean=self.mean, variance=self.variance, slope=self.slope)
        flat = x.reshape(-1, x.shape[-1])
        mean, variance = flat.mean(dim=0), flat.var(dim=0, unbiased=False)
        with torch.no_grad():
            self.mean.lerp_(mean, self.momentum)
            self.variance.lerp_(variance, self.momentum)
        return dice(x, mean=mean, variance=variance, slope=self.slope)


class Tower(nn.Module):
    """A network of three layers on named vectors.

    The first layer is applied to each vector by itself and the results are added, which equals one layer on all of them
    side by side: what belongs to the user or the item alone is computed once, not for every pair.
    """

    def __init__(
        self, names: tuple[str, ...], dim: int, *, hidden: tuple[int, int], activation: Literal["relu", "dice"]
    ) -> None:
        """Make an untrained network.

        Args:
            names: Of the vectors.
            dim: Columns of each.
            hidden: Units of the two hidden layers.
            activation: After each of them.
        """
        super().__init__()
        layers = {name: nn.Linear(dim, hidden[0], bias=False) for name in names}
        for layer in layers.values():
            # As if it were one layer on all vectors side by side.
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(6 * len(names) - 1))
        self.first = nn.ModuleDict(layers)
        self.bias = nn.Parameter(torch.zeros(hidden[0]))
        self.second, self.last = nn.Linear(hidden[0], hidden[1]), nn.Linear(hidden[1], 1)
        is_dice = activation == "dice"
        self.activations = nn.ModuleList(Dice(n) if is_dice else nn.ReLU() for n in hidden)

    def mixed(self, vectors: Mapping[str, Float[Tensor, "S M D"]]) -> Float[Tensor, "B M H"]:
        """The first layer, before its activation; axes of 1 are shared."""
        x: Tensor = self.bias
        for name, layer in self.first.items():
            x = x + layer(vectors[name])
        return x

    def forward(self, mixed: Float[Tensor, "B M H"]) -> Float[Tensor, "B M"]:
        """One number per user and item, from what ``mixed`` gave."""
        first, second = self.activations
        return self.last(second(self.second(first(mixed)))).squeeze(-1)  # type: ignore[no-any-return]


def interest_of(kind: Literal["product", "unit"], dim: int, *, hidden: tuple[int, int]) -> nn.Module:
    """Target attention over the history, of either kind."""
    return ProductInterest(dim) if kind == "product" else UnitInterest(dim, hidden=hidden)
