"""Which texts follow which: a small learned head on text vectors, trained on what users took next.

Score of item i for user u, with p the recency-weighted mean of the history's points and l its last one:
``a p.x_i + b l.x_i + (A'[p; l]).(B' x_i) + w.x_i``: two cosines, a low-rank bilinear form, a linear term of the item.
Trained by softmax over the true item and uniformly drawn ones, the score is the logarithm of how likely the item comes
next, as far as texts can tell; so it works for an item that nobody has taken.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from whyrec.errors import TrainingError
from whyrec.methods.mllm3rec.config import TextHeadConfig
from whyrec.methods.mllm3rec.text_space import Vectors, unit_rows
from whyrec.methods.mllm3rec.timed_log import TimedLog
from whyrec.runtime.progress import progress_bar
from whyrec.runtime.threads import one_thread

_FIRST_COSINES = (8.0, 4.0)


@dataclass(frozen=True, slots=True, eq=False)
class TextHead:
    """A trained head, as arrays."""

    cosines: Vectors
    """a and b, [2]."""
    from_user: Vectors
    """A, [2D R]."""
    to_item: Vectors
    """B, [D R]."""
    linear: Vectors
    """w, [D]."""

    def query(self, pooled: Vectors) -> Vectors:
        """What an item's point is multiplied with, for one user: ``[p; l]`` [2D] to [D]."""
        d = len(self.linear)
        direct = self.cosines[0] * pooled[:d] + self.cosines[1] * pooled[d:]
        return np.asarray(direct + self.to_item @ (self.from_user.T @ pooled), dtype=np.float32)


def pooled_points(prefixes: NDArray[np.int64], points: Vectors, *, half_life: float) -> Vectors:
    """``[p; l]`` of each row: the weighted mean of its items' points, of length 1, and the last item's: [B 2D].

    Args:
        prefixes: Item numbers from 1, newest last, 0 is padding: [B L]; no row of padding alone.
        points: Of the catalogue, [N D].
        half_life: An item counts half of one that stands so many places later.
    """
    ages = np.arange(prefixes.shape[1])[::-1]
    weights = np.where(prefixes > 0, np.exp2(-ages / half_life), 0.0).astype(np.float32)
    gathered = points[np.maximum(prefixes - 1, 0)]
    mean = unit_rows(np.matmul(weights[:, None, :], gathered)[:, 0])
    return np.concatenate([mean, gathered[:, -1]], axis=1)


class _Module(nn.Module):
    def __init__(self, dimensions: int, rank: int) -> None:
        super().__init__()
        self.cosines = nn.Parameter(torch.tensor(_FIRST_COSINES))
        self.from_user = nn.Parameter(torch.randn(2 * dimensions, rank) / math.sqrt(2 * dimensions))
        # At nothing to begin with: the head starts as the cosines.
        self.to_item = nn.Parameter(torch.zeros(dimensions, rank))
        self.linear = nn.Parameter(torch.zeros(dimensions))

    def queries(self, pooled: Float[Tensor, "B 2D"]) -> Float[Tensor, "B D"]:
        d = len(self.linear)
        direct = self.cosines[0] * pooled[:, :d] + self.cosines[1] * pooled[:, d:]
        return direct + (pooled @ self.from_user) @ self.to_item.T

    def trained(self) -> TextHead:
        arrays = {name: value.detach().numpy().copy() for name, value in self.named_parameters()}
        return TextHead(**arrays)


def train_text_head(log: TimedLog, points: Vectors, *, config: TextHeadConfig) -> TextHead:
    """Learn from every interaction that has earlier ones.

    Raises:
        TrainingError: If the loss stops being finite.
    """
    rng = np.random.default_rng(config.seed)
    asked = log.asked
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(config.seed)
        module = _Module(points.shape[1], config.rank)
        if len(asked):
            _train(module, log, points, asked=asked, config=config, rng=rng)
    return module.trained()


def _train(
    module: _Module,
    log: TimedLog,
    points: Vectors,
    *,
    asked: NDArray[np.int64],
    config: TextHeadConfig,
    rng: np.random.Generator,
) -> None:
    n = min(len(asked), config.examples_per_epoch)
    steps = config.epochs * -(-n // config.batch_size)
    optimiser = torch.optim.AdamW(module.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=max(steps, 2), pct_start=0.1
    )
    table = torch.from_numpy(points)
    with progress_bar("learning which texts follow", total=steps) as bar:
        for _ in range(config.epochs):
            chosen = rng.permutation(asked)[:n]
            for start in range(0, n, config.batch_size):
                batch = chosen[start : start + config.batch_size]
                prefixes = log.prefixes(batch, newest=config.newest)
                pooled = pooled_points(prefixes, points, half_life=config.half_life)
                drawn = rng.integers(len(points), size=config.n_negatives)
                loss = _loss(
                    module,
                    torch.from_numpy(pooled),
                    right=table[torch.from_numpy(log.sequences.items[batch].astype(np.int64) - 1)],
                    drawn=table[torch.from_numpy(drawn)],
                    n_items=len(points),
                )
                if not torch.isfinite(loss):
                    raise TrainingError(
                        f"text head: expected a finite loss, got {loss.item()}. Lower learning_rate, or check texts."
                    )
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                bar.advance()


def _loss(
    module: _Module,
    pooled: Float[Tensor, "B 2D"],
    *,
    right: Float[Tensor, "B D"],
    drawn: Float[Tensor, "M D"],
    n_items: int,
) -> Float[Tensor, ""]:
    """Sampled softmax: each drawn item stands for n_items / M others."""
    queries = module.queries(pooled)
    own = (queries * right).sum(dim=1) + right @ module.linear
    others = queries @ drawn.T + drawn @ module.linear + math.log(n_items / len(drawn))
    return (torch.logsumexp(torch.cat([own[:, None], others], dim=1), dim=1) - own).mean()
