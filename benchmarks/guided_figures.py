"""Metrics of ``guided.py`` for every user: of the whole ranking, and as they would be among drawn candidates."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from curec_data import Protocol
from whyrec.evaluation.significance import Interval

RECALLS, GAINS = (1, 5, 10, 20), (5, 10, 20)
NEGATIVES = 100
Figures = Mapping[str, NDArray[np.float64]]


def full_ranking(ranks: NDArray[np.float64]) -> Figures:
    """By the rank of a user's test item among all items; ``inf`` where it cannot be found."""
    gains = 1 / np.log2(ranks + 1)
    found = {"MRR": 1 / ranks} | {f"Recall@{k}": (ranks <= k).astype(np.float64) for k in RECALLS}
    return found | {f"NDCG@{k}": np.where(ranks <= k, gains, 0.0) for k in GAINS}


def among_drawn(ranks: NDArray[np.float64], n_candidates: NDArray[np.int64]) -> Figures:
    """What the test item would reach on average beside 100 items drawn at random from those that the user has not had.

    Exact, nothing is drawn: how many of the items above it would be drawn is hypergeometric.

    Args:
        ranks: Among all candidates.
        n_candidates: Of each user, the test item included.
    """
    is_found = np.isfinite(ranks)
    better = np.where(is_found, np.floor(ranks) - 1, 0).astype(np.int64)
    n_above = np.arange(NEGATIVES + 1)
    drawn_of = hypergeom(n_candidates[:, None] - 1, better[:, None], NEGATIVES)
    # Its pmf takes a hundred times as long.
    chance = np.exp(drawn_of.logpmf(n_above)) * is_found[:, None]
    drawn = full_ranking(n_above + 1.0)
    return {metric: chance @ values for metric, values in drawn.items()}


def figures_of(interval: Interval) -> dict[str, object]:
    """What a row of the results says of an interval."""
    return {**{key: round(getattr(interval, key), 6) for key in ("value", "low", "high")}, "n": interval.n}


def seeds_told(seeds: list[int]) -> int | str:
    """How a row names its seeds."""
    return seeds[0] if len(seeds) == 1 else " ".join(map(str, seeds))


def item_counts(protocol: Protocol) -> NDArray[np.int64]:
    """How often each item occurs in training."""
    return np.bincount(protocol.training.sequences.items, minlength=protocol.items.height + 1)[1:]


def is_less_popular(protocol: Protocol) -> NDArray[np.bool_]:
    """Of each user, whether the test item is one of the half that occurs least in training."""
    asked = item_counts(protocol)[protocol.test.targets - 1]
    return asked <= np.median(asked)
