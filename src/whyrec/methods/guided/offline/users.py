"""Levels that users prefer, from what they took: a mean over their items that weighs recent ones more."""

from datetime import datetime

import numpy as np

from whyrec.data.dataset import Dataset
from whyrec.data.sequences import read_histories
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.methods.guided.artefacts import OFFLINE, AspectScores

HALF_LIFE_ITEMS = 10.0
"""Chosen: an item counts half as much as the one ten later."""


def user_levels(
    data: Dataset, items: AspectScores, *, until: datetime, half_life_items: float = HALF_LIFE_ITEMS
) -> AspectScores:
    """Say which levels each user prefers, from interactions strictly before a moment.

    A mean lies nearer to the middle than the items do; users are compared with users, and items with items.

    Args:
        data: The dataset.
        items: Scores of items; interactions with others are left out.
        until: The cut-off.
        half_life_items: After so many later items, one counts half; infinity weighs all alike.

    Returns:
        Scores of all users that have a scored item before the cut-off, sorted by user_id.

    Raises:
        InvalidConfigError: If the half-life is not positive.
        InvalidDataError: If nobody has one.
    """
    if not half_life_items > 0:
        raise InvalidConfigError(
            f"user_levels: expected half_life_items above 0, got {half_life_items}. Choose a positive number."
        )
    order = items.ids.arg_sort()
    histories = read_histories(data, item_ids=items.ids[order], cutoff=until)
    sequences = histories.sequences
    has_items = np.flatnonzero(sequences.lengths > 0)
    if len(has_items) == 0:
        raise InvalidDataError(f"{data.name}: expected scored items before {until.isoformat()}, got none. Check both.")
    kept = sequences.select(has_items)
    levels = items.values[order.to_numpy()].astype(np.float64)[kept.items - 1]
    n_later = kept.offsets[1:][kept.users] - 1 - np.arange(len(kept.items))
    weights = 0.5 ** (n_later / half_life_items)
    starts = kept.offsets[:-1]
    totals = np.add.reduceat(levels * weights[:, None], starts, axis=0)
    means = totals / np.add.reduceat(weights, starts)[:, None]
    # A mean of equal numbers may be a hair's breadth beyond them.
    clipped = np.clip(means, levels.min(), levels.max())
    return AspectScores.of(
        "users", histories.user_ids.gather(has_items), clipped, aspects=items.aspects, writer=OFFLINE
    )
