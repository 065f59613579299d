"""PARE's network: four paths to the log count of a window, and their fusion.

Axes: B batch, T history position (oldest first, padded on the left), V values of an attribute, D embedding, M paths.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from whyrec.baselines.pare.config import MODULES, Fusion, Module

PHASES = 12
"""Months of a year: the period of the periodic path."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to predict. Index 0 is padding, or unknown, in every index field."""

    history: Float[Tensor, "B T"]
    """log1p of users per window, the newest last."""
    is_valid: Bool[Tensor, "B T"]
    """True from the item's first window on."""
    item: Int[Tensor, " B"]
    release: Int[Tensor, " B"]
    target: Int[Tensor, " B"]
    phase: Int[Tensor, " B"]
    """Month of the year of the target window, 0 to 11."""
    attributes: Mapping[str, Int[Tensor, "B V"]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Table sizes, padding rows included."""

    n_items: int
    n_windows: int
    attributes: Mapping[str, int]
    genre_column: str | None
    side_columns: tuple[str, ...]


def exponential_average(
    history: Float[Tensor, "B T"], is_valid: Bool[Tensor, "B T"], *, smoothing: float
) -> Float[Tensor, " B"]:
    """S_1 = x_1, S_t = smoothing * x_t + (1 - smoothing) * S_(t-1) over the valid part of each row; 0 if there is none.

    Counts 2, 4 at smoothing 0.5: 0.5 * 4 + 0.5 * 2 = 3. Padding before them changes nothing.
    """
    age = torch.arange(history.shape[1] - 1, -1, -1, device=history.device)
    is_first = is_valid & (is_valid.cumsum(dim=1) == 1)
    share = torch.where(is_first, 1.0, smoothing) * (1 - smoothing) ** age
    return (share * history * is_valid).sum(dim=1)


def masked_mean(vectors: Float[Tensor, "B V D"], is_valid: Bool[Tensor, "B V"]) -> Float[Tensor, "B D"]:
    """Mean over the valid positions only, 0 where there is none: padding must not pull it towards 0."""
    total = (vectors * is_valid[:, :, None]).sum(dim=1)
    return total / is_valid.sum(dim=1, keepdim=True).clamp(min=1)


class PareNetwork(nn.Module):
    """Predicts log1p of a window's users by each path, and fuses the paths with weights that sum to 1."""

    def __init__(
        self, sizes: Sizes, *, embedding_dim: int, smoothing: float, modules: tuple[Module, ...], fusion: Fusion
    ) -> None:
        super().__init__()
        self.modules_used = tuple(name for name in MODULES if name in modules)
        self.smoothing = smoothing
        self.genre_column, self.side_columns = sizes.genre_column, sizes.side_columns
        # Deviation: index 0 is a fixed zero vector. The code gives an item or month it never trained a random one.
        self.item = nn.Embedding(sizes.n_items, embedding_dim, padding_idx=0)
        self.window = nn.Embedding(sizes.n_windows, embedding_dim, padding_idx=0)
        self.side = nn.ModuleList(
            nn.Embedding(sizes.attributes[column], embedding_dim, padding_idx=0) for column in sizes.side_columns
        )
        # One row per genre and month; items without a genre share genre 0, which is trained like any other.
        n_genres = sizes.attributes[sizes.genre_column] if sizes.genre_column else 1
        self.genre_phase = nn.Embedding(n_genres * PHASES, embedding_dim)
        self.temporal_out = nn.Linear(4 * embedding_dim, 1)
        self.periodic_out = nn.Linear(embedding_dim, 1)
        self.side_out = nn.Linear(max(len(self.side_columns), 1) * embedding_dim, 1)
        n_paths = len(self.modules_used)
        self.fusion: _SoftmaxFusion | _AttentionFusion = (
            _AttentionFusion(n_paths, embedding_dim) if fusion == "attention" else _SoftmaxFusion(n_paths)
        )
        self._initialise()

    def _initialise(self) -> None:
        """Small normal weights as in the code; padding rows back to 0, and the fusion left at equal weights."""
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.1)
                if module.padding_idx is not None:
                    nn.init.zeros_(module.weight[module.padding_idx])
        for layer in (self.temporal_out, self.periodic_out, self.side_out):
            nn.init.normal_(layer.weight, std=0.1)
            nn.init.zeros_(layer.bias)

    def paths(self, batch: Batch) -> Float[Tensor, "B M"]:
        """The log count by each path alone, in the order of ``MODULES``."""
        functions = {
            "history": self._history,
            "temporal": self._temporal,
            "periodic": self._periodic,
            "side": self._side,
        }
        return torch.stack([functions[name](batch) for name in self.modules_used], dim=1)

    def fuse(self, paths: Float[Tensor, "B M"]) -> Float[Tensor, " B"]:
        """Weighted mean of the paths; the weights are positive and sum to 1."""
        return (torch.softmax(self.fusion(paths), dim=1) * paths).sum(dim=1)

    def forward(self, batch: Batch) -> Float[Tensor, " B"]:
        """The fused log count."""
        return self.fuse(self.paths(batch))

    def _history(self, batch: Batch) -> Float[Tensor, " B"]:
        return exponential_average(batch.history, batch.is_valid, smoothing=self.smoothing)

    def _temporal(self, batch: Batch) -> Float[Tensor, " B"]:
        release, target = self.window(batch.release), self.window(batch.target)
        features = torch.cat([release - target, self.item(batch.item), target, release], dim=1)
        return functional.softplus(self.temporal_out(features)).squeeze(1)

    def _periodic(self, batch: Batch) -> Float[Tensor, " B"]:
        genres = self._genres(batch)
        is_valid = genres > 0
        is_valid[:, 0] |= ~is_valid.any(dim=1)
        rows = self.genre_phase(genres * PHASES + batch.phase[:, None])
        return functional.softplus(self.periodic_out(masked_mean(rows, is_valid))).squeeze(1)

    def _side(self, batch: Batch) -> Float[Tensor, " B"]:
        means = []
        for column, table in zip(self.side_columns, self.side, strict=True):
            index = batch.attributes[column]
            means.append(masked_mean(table(index), index > 0))
        if not means:
            means.append(torch.zeros(len(batch.item), self.side_out.in_features, device=batch.item.device))
        return functional.softplus(self.side_out(torch.cat(means, dim=1))).squeeze(1)

    def _genres(self, batch: Batch) -> Int[Tensor, "B V"]:
        return batch.attributes[self.genre_column] if self.genre_column else torch.zeros_like(batch.item)[:, None]


class _SoftmaxFusion(nn.Module):
    """One logit per path, the same for all items."""

    def __init__(self, n_paths: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_paths))

    def forward(self, paths: Float[Tensor, "B M"]) -> Float[Tensor, "B M"]:
        return self.logits.expand_as(paths)


class _AttentionFusion(nn.Module):
    """Logits q . tanh(W [m_k; type_k]) of each path from its value and its kind."""

    def __init__(self, n_paths: int, embedding_dim: int) -> None:
        super().__init__()
        self.kind = nn.Parameter(torch.randn(n_paths, embedding_dim) * 0.1)
        self.hidden = nn.Linear(embedding_dim + 1, embedding_dim)
        # Zero: the weights start equal, like the softmax fusion's.
        self.query = nn.Parameter(torch.zeros(embedding_dim))

    def forward(self, paths: Float[Tensor, "B M"]) -> Float[Tensor, "B M"]:
        kinds = self.kind.expand(paths.shape[0], -1, -1)
        return torch.tanh(self.hidden(torch.cat([paths[:, :, None], kinds], dim=2))) @ self.query


def pare_loss(network: PareNetwork, batch: Batch, log_count: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """Squared error of the fused forecast plus that of every path, each against log1p of the true count.

    The history path's own term has no parameters behind it, so it shifts the loss and trains nothing.
    """
    paths = network.paths(batch)
    per_path = ((paths - log_count[:, None]) ** 2).mean(dim=0).sum()
    return per_path + ((network.fuse(paths) - log_count) ** 2).mean()
