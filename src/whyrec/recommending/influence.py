"""Which item of a history carries a recommendation: the one without which the item would score least."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from whyrec.data.sequences import Histories, Sequences
from whyrec.recommending.base import ScoringRecommender
from whyrec.runtime.threads import one_thread

MOST_TAKEN_OUT = 50
"""Only so many items of a history, the newest, are taken out one after the other."""


class Carrier(NamedTuple):
    """An item of a history, by its row in the catalogue."""

    row: int
    loss: float
    """What the item recommended would lose of its score above the catalogue's mean; above 0."""


def carriers(
    recommender: ScoringRecommender, histories: Histories, *, rows: Sequence[int], most: int = MOST_TAKEN_OUT
) -> list[Carrier | None]:
    """For each of some items, the item of one user's history whose absence costs it most.

    The user is scored anew without each item of the history, all times that it was taken. What counts is an item's
    score above the catalogue's mean: what lifts all items alike says nothing of one's place.

    Args:
        recommender: Fitted; nothing is learned anew.
        histories: Of one user.
        rows: Of the items, in the catalogue.
        most: How many distinct items of the history are tried, the newest.

    Returns:
        One for each of ``rows``; None where no single item lifts the score, or the history holds nothing but one item.
    """
    history = histories.sequences.row(0)
    tried = list(dict.fromkeys(int(number) for number in history[::-1]))[:most]
    if len(set(history.tolist())) < 2 or not rows:
        return [None] * len(rows)
    shortened = [history, *(history[history != number] for number in tried)]
    variants = Histories(
        Sequences.with_lengths(np.concatenate(shortened), np.array([len(it) for it in shortened], dtype=np.int64)),
        histories.user_ids.gather([0] * len(shortened)),
        histories.item_ids,
    )
    scores = _above_mean(recommender, variants, np.asarray(rows, dtype=np.int64))
    losses = scores[0] - scores[1:]
    taken = np.array(tried) - 1
    # An item that was taken before does not carry itself.
    losses[taken[:, None] == np.asarray(rows)[None]] = -np.inf
    best = losses.argmax(axis=0)
    found = [Carrier(int(taken[it]), float(losses[it, place])) for place, it in enumerate(best)]
    return [it if it.loss > 0 else None for it in found]


def _above_mean(recommender: ScoringRecommender, histories: Histories, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores of some items above the catalogue's mean, [users, items]."""
    found = np.zeros((len(histories.user_ids), len(rows)))
    with torch.inference_mode(), one_thread():
        for users, scores in recommender.score_blocks(histories, np.arange(len(histories.user_ids))):
            block = scores.double().numpy()
            found[users] = block[:, rows] - block.mean(axis=1, keepdims=True)
    return found
