"""Training of PARE's network, and the choice of its settings on a validation window."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from whyrec.baselines.pare.config import Fusion, PareConfig
from whyrec.baselines.pare.model import PareNetwork, Sizes, exponential_average, pare_loss
from whyrec.baselines.pare.panel import Panel, batch_of, training_rows

_ROWS = 1 << 15
"""Items predicted at once."""

Judge = Callable[[NDArray[np.float64]], float]
"""NDCG@10 on the validation window of one score per item of the panel."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Settings that won on the validation window."""

    smoothing: float
    embedding_dim: int
    learning_rate: float
    fusion: Fusion
    epochs: int


def first_choice(config: PareConfig, *, smoothing: float) -> Choice:
    """The first candidate of everything but smoothing, for want of a window to choose on."""
    return Choice(smoothing, config.embedding_dim[0], config.learning_rate[0], config.fusion[0], config.epochs)


def predict(network: PareNetwork, panel: Panel, *, target: int, max_history: int) -> NDArray[np.float64]:
    """Forecast users of every item in one window."""
    network.eval()
    parts = []
    for start in range(0, len(panel.item_ids), _ROWS):
        item = np.arange(start, min(start + _ROWS, len(panel.item_ids)))
        batch = batch_of(panel, item=item, target=np.full(len(item), target), max_history=max_history)
        with torch.no_grad():
            parts.append(network(batch).expm1().clamp(min=0).numpy())
    # Float32 carries about 7 digits; without rounding, equal items would be ordered by where they stand in a batch.
    return np.asarray(np.concatenate(parts), dtype=np.float64).round(5)


def train(
    panel: Panel,
    *,
    sizes: Sizes,
    config: PareConfig,
    choice: Choice,
    n_windows: int,
    after_epoch: Callable[[PareNetwork], bool] | None = None,
) -> PareNetwork:
    """Train a network on the oldest ``n_windows`` windows as targets.

    Args:
        panel: Counts with table rows filled in.
        sizes: Table sizes.
        config: Fixed settings.
        choice: Chosen settings; ``epochs`` passes are made.
        n_windows: No target is newer.
        after_epoch: Called with the network after every epoch; training ends when it returns True.
    """
    rng = np.random.default_rng(config.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = PareNetwork(
            sizes,
            embedding_dim=choice.embedding_dim,
            smoothing=choice.smoothing,
            modules=config.modules,
            fusion=choice.fusion,
        )
    item, target = training_rows(panel, n_windows=n_windows, min_target=config.min_target, rng=rng)
    if config.modules == ("history",) or not len(item):
        return network
    optimizer = torch.optim.Adam(
        network.parameters(), lr=choice.learning_rate, weight_decay=config.weight_decay, foreach=True
    )
    log_count = torch.from_numpy(np.log1p(panel.users[item, target]))
    for _ in range(choice.epochs):
        network.train()
        order = rng.permutation(len(item))
        for start in range(0, len(order), config.batch_size):
            rows = order[start : start + config.batch_size]
            batch = batch_of(panel, item=item[rows], target=target[rows], max_history=config.max_history)
            optimizer.zero_grad()
            pare_loss(network, batch, log_count[rows]).backward()  # type: ignore[no-untyped-call]  # torch's
            optimizer.step()
        if after_epoch is not None and after_epoch(network):
            break
    return network


def choose_smoothing(panel: Panel, *, config: PareConfig, target: int, judge: Judge) -> float:
    """The candidate whose history path alone ranks the validation window best; the first of equals."""
    item = np.arange(len(panel.item_ids))
    batch = batch_of(panel, item=item, target=np.full(len(item), target), max_history=config.max_history)
    scores = [
        judge(exponential_average(batch.history, batch.is_valid, smoothing=smoothing).numpy().astype(np.float64))
        for smoothing in config.smoothing
    ]
    return config.smoothing[int(np.argmax(scores))]


def choose(panel: Panel, *, sizes: Sizes, config: PareConfig, judge: Judge) -> Choice:
    """Train every candidate without the newest window, and keep what ranks that window best; the first of equals.

    Smoothing is chosen first, on the history path alone, and all else then: a search by coordinates, because all
    combinations would take four times as long.
    """
    newest = panel.n_windows - 1
    smoothing = choose_smoothing(panel, config=config, target=newest, judge=judge)
    best, best_score = first_choice(config, smoothing=smoothing), -np.inf
    if config.modules == ("history",):
        return best
    for settings in product(config.embedding_dim, config.learning_rate, config.fusion):
        scores: list[float] = []

        def is_exhausted(network: PareNetwork, scores: list[float] = scores) -> bool:
            scores.append(judge(predict(network, panel, target=newest, max_history=config.max_history)))
            return len(scores) - 1 - int(np.argmax(scores)) >= config.patience

        candidate = Choice(smoothing, *settings, config.epochs)
        train(panel, sizes=sizes, config=config, choice=candidate, n_windows=newest, after_epoch=is_exhausted)
        if scores and max(scores) > best_score:
            best_score = max(scores)
            best = Choice(smoothing, *settings, int(np.argmax(scores)) + 1)
    return best
