"""Neural collaborative filtering (NeuMF, He et al. 2017): a product of vectors and a small network, side by side.

A user's vectors are always learned from the history at hand, with all else as it is, by the loss of training. So
interactions since the fit count, a user whom fit did not know is served like any other, and vectors of users need not
be kept.
"""

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor, nn
from torch.nn import functional

from whyrec.baselines.scoring import rows_per_block
from whyrec.data.sequences import Histories, Sequences
from whyrec.errors import TrainingError
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.runtime.progress import progress_bar
from whyrec.runtime.strict_model import StrictModel
from whyrec.runtime.threads import one_thread

_FOLD_IN_ITEMS = 32
_FOLD_IN_RATE = 0.1
_BLOCK_USERS = 16


class NeuralCfConfig(StrictModel):
    """Settings of NeuMF."""

    embedding_dim: int = Field(default=32, ge=1)
    """Columns of each side's vectors, for the product and for the network. Paper: 8 to 64."""
    hidden: tuple[int, ...] = Field(default=(64, 32), min_length=1)
    """Widths of the network's layers. Paper: halving from layer to layer."""
    n_negatives: int = Field(default=4, ge=1)
    """Random items per interaction. Paper: 4."""
    epochs: int = Field(default=20, ge=1)
    """Passes over all interactions. Paper: 20."""
    batch_size: int = Field(default=4096, ge=1)
    """Interactions in one step, their negatives beside them. Chosen for speed; paper: 256."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Of Adam. Paper: 1e-3 with smaller batches."""
    weight_decay: float = Field(default=1e-6, ge=0)
    """Added to the gradient. Chosen."""
    fold_in_steps: int = Field(default=30, ge=1)
    """Steps from which a user's vectors are learned when a list is asked for."""
    seed: int = Field(default=0, ge=0)
    """Of first values, order and negatives."""


class NeuMf(nn.Module):
    """Scores pairs of a user's vectors and an item; no users in it."""

    def __init__(self, n_items: int, config: NeuralCfConfig) -> None:
        """Make an untrained network."""
        super().__init__()
        dim = config.embedding_dim
        self.items = nn.Parameter(torch.empty(n_items, 2 * dim).normal_(std=0.05))
        """Columns for the product, then columns for the network."""
        self.bias = nn.Parameter(torch.zeros(n_items))
        # The first layer reads user and item; as two halves, the items' can be computed once for all users.
        self.from_user = nn.Linear(dim, config.hidden[0])
        self.from_item = nn.Linear(dim, config.hidden[0], bias=False)
        widths = zip(config.hidden, config.hidden[1:], strict=False)
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in widths)
        self.out = nn.Linear(dim + config.hidden[-1], 1, bias=False)

    def forward(self, users: Float[Tensor, "B D2"], items: Int[Tensor, "B N"]) -> Float[Tensor, "B N"]:
        """Logits of some items for each user."""
        product, network = self.items[items].chunk(2, dim=-1)
        return self._joined(users[:, None], product, self.from_item(network)) + self.bias[items]

    def all_items(self) -> tuple[Tensor, Tensor]:
        """What scoring a user needs of all items."""
        product, network = self.items.chunk(2, dim=-1)
        return product, self.from_item(network)

    def scores(self, user: Float[Tensor, " D2"], table: tuple[Tensor, Tensor]) -> Float[Tensor, " I"]:
        """Logits of all items for one user."""
        return self._joined(user[None], *table) + self.bias

    def _joined(self, users: Tensor, product: Tensor, from_item: Tensor) -> Tensor:
        liked, network = users.chunk(2, dim=-1)
        hidden = functional.relu(self.from_user(network) + from_item)
        for layer in self.layers:
            hidden = functional.relu(layer(hidden))
        return self.out(torch.cat([liked * product, hidden], dim=-1))[..., 0]  # type: ignore[no-any-return]


class NeuralCfRecommender(ScoringRecommender):
    """NeuMF, trained with a binary cross-entropy over interactions and random items."""

    Config: ClassVar[type[BaseModel]] = NeuralCfConfig
    config: NeuralCfConfig
    network_: NeuMf
    mean_user_: Float[Tensor, " D2"]
    """The mean of the training users' vectors, where every fold-in starts."""

    def learn(self, training: TrainingData) -> None:
        """Train users, items and network together; the users' mean remains."""
        with torch.random.fork_rng(devices=[]), one_thread():
            torch.manual_seed(self.config.seed)
            network = NeuMf(training.n_items, self.config)
            users = nn.Parameter(torch.empty(len(training.sequences), 2 * self.config.embedding_dim).normal_(std=0.05))
        with one_thread():
            self._train(network, users, training.sequences)
        self.network_ = network.requires_grad_(False).eval()
        self.mean_user_ = users.detach().mean(dim=0)

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Learn each row's vectors in blocks of fixed size, and score one user after the other."""
        with one_thread():
            table = self.network_.all_items()
        size = max(rows_per_block(len(self.item_ids_)) // _BLOCK_USERS, 1) * _BLOCK_USERS
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            parts = [
                self._scored(histories.sequences, block[first : first + _BLOCK_USERS], table)
                for first in range(0, len(block), _BLOCK_USERS)
            ]
            yield block, torch.cat(parts)

    def arrays(self) -> dict[str, np.ndarray]:
        """The network's weights and the mean user."""
        weights = {f"network.{name}": tensor.numpy() for name, tensor in self.network_.state_dict().items()}
        return {**weights, "mean_user": self.mean_user_.numpy()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take them back."""
        network = NeuMf(len(self.item_ids_), self.config)
        network.load_state_dict(
            {name.removeprefix("network."): torch.from_numpy(a) for name, a in arrays.items() if name != "mean_user"}
        )
        self.network_ = network.requires_grad_(False).eval()
        self.mean_user_ = torch.from_numpy(arrays["mean_user"])

    def _train(self, network: NeuMf, users: nn.Parameter, sequences: Sequences) -> None:
        settings = self.config
        optimizer = torch.optim.Adam(
            [users, *network.parameters()], lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        rows, items = sequences.users, sequences.items.astype(np.int64) - 1
        with progress_bar("training", total=settings.epochs) as bar:
            for epoch in range(settings.epochs):
                rng = np.random.default_rng((settings.seed, epoch))
                order = rng.permutation(len(rows))
                for start in range(0, len(order), settings.batch_size):
                    batch = order[start : start + settings.batch_size]
                    negatives = rng.integers(network.bias.numel(), size=(len(batch), settings.n_negatives))
                    chosen = np.concatenate([items[batch, None], negatives], axis=1)
                    loss = _loss(network, users[torch.from_numpy(rows[batch])], torch.from_numpy(chosen), n_had=1)
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
                if not math.isfinite(float(loss.detach())):
                    raise TrainingError(
                        f"training, epoch {epoch + 1}: expected a finite loss, got {float(loss.detach())}. Lower "
                        f"learning_rate (now {settings.learning_rate})."
                    )
                bar.advance()

    def _scored(
        self, sequences: Sequences, rows: NDArray[np.int64], table: tuple[Tensor, Tensor]
    ) -> Float[Tensor, "B I"]:
        filled = np.resize(rows, _BLOCK_USERS)
        with one_thread():
            with torch.inference_mode(mode=False), torch.enable_grad():
                users = self._folded_in([sequences.row(int(row)) for row in filled])
            return torch.stack([self.network_.scores(user, table) for user in users[: len(rows)]])

    def _folded_in(self, histories: list[NDArray[np.int32]]) -> Float[Tensor, "B D2"]:
        """Learn vectors from the same draws for everybody; shapes do not depend on the histories."""
        settings = self.config
        rng = np.random.default_rng((settings.seed, 1))
        # Adagrad by hand: an optimiser object costs more than its steps here.
        users = self.mean_user_.repeat(len(histories), 1).requires_grad_()
        sums = torch.full_like(users, 1e-8)
        for _ in range(settings.fold_in_steps):
            place = rng.random(_FOLD_IN_ITEMS)
            had = np.stack([row[(place * len(row)).astype(np.int64)] for row in histories]).astype(np.int64) - 1
            negatives = rng.integers(self.network_.bias.numel(), size=_FOLD_IN_ITEMS * settings.n_negatives)
            chosen = np.concatenate([had, np.broadcast_to(negatives, (len(had), len(negatives)))], axis=1)
            loss = _loss(self.network_, users, torch.from_numpy(chosen), n_had=_FOLD_IN_ITEMS)
            (gradient,) = torch.autograd.grad(loss, [users])
            with torch.no_grad():
                sums += gradient * gradient
                users -= _FOLD_IN_RATE * gradient / sums.sqrt()
        return users.detach()


def _loss(network: NeuMf, users: Float[Tensor, "B D2"], items: Int[Tensor, "B N"], *, n_had: int) -> Float[Tensor, ""]:
    """Binary cross-entropy, the first items of each row being those that were had."""
    logits = network(users, items)
    truth = torch.zeros_like(logits)
    truth[:, :n_had] = 1
    return functional.binary_cross_entropy_with_logits(logits, truth)
