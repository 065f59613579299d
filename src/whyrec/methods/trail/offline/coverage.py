"""Put items after each other that win different users: a list for everybody is judged by whom it reaches in all.

Items that the same people took lately will be taken by the same people again, so the second of them adds little.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from whyrec.data.events import EventArrays

_CANDIDATES = 100
_SPAN_DAYS = 90.0
_SHRINKAGE = 5.0
_MOST_LOST = 0.98
Column = NDArray[np.float64]


def audience_overlap(events: EventArrays, items: NDArray[np.int64], *, day: float) -> NDArray[np.float64]:
    """Overlap of the recent audiences of items beyond what chance would give.

    Users in common, less those that two independent audiences of these sizes would share, over the users of either:
    a Jaccard index without its share of plain popularity, shrunk towards 0 where audiences are small. Two large
    audiences always meet; only those that meet more often than that are one audience.

    Args:
        events: The log; only the 90 days before ``day`` are read.
        items: Positions of the items to compare.
        day: The cut-off, in days since 1970-01-01.

    Returns:
        Symmetric, zero diagonal, in [0, 1), shape (len(items), len(items)).
    """
    span = slice(events.index_at(day - _SPAN_DAYS), events.index_at(day))
    column = np.full(events.n_items, -1)
    column[items] = np.arange(len(items))
    position = column[events.item[span]]
    is_compared = position >= 0
    user = events.user[span][is_compared]
    taken = sparse.csr_matrix(
        (np.ones(len(user)), (user, position[is_compared])), shape=(max(events.n_users, 1), len(items))
    )
    taken.data = np.minimum(taken.data, 1.0)
    taken.sum_duplicates()
    taken.data[:] = 1.0
    common = np.asarray((taken.T @ taken).todense())
    size = common.diagonal()
    by_chance = np.outer(size, size) / max(len(np.unique(events.user[span])), 1)
    overlap = np.maximum(common - by_chance, 0.0) / (size[:, None] + size[None, :] - common + _SHRINKAGE)
    np.fill_diagonal(overlap, 0.0)
    return np.asarray(overlap, dtype=np.float64)


def spread_out(strength: Column, events: EventArrays, *, day: float, penalty: float) -> Column:
    """Lower each item's strength by what better items before it have already won.

    Greedy: the next item is the one whose strength, times ``1 - penalty * overlap`` with every item already chosen,
    is largest. Looks at the 100 strongest; the rest keep their order below them.

    Args:
        strength: Non-negative, shape (n_items,).
        events: The log.
        day: The cut-off, in days since 1970-01-01.
        penalty: 0 leaves the order as it is.

    Returns:
        New strengths whose descending order is the list, shape (n_items,).
    """
    if penalty == 0:
        return strength
    order = np.argsort(-strength, kind="stable")
    chosen, rest = order[:_CANDIDATES], order[_CANDIDATES:]
    kept = 1 - np.minimum(penalty * audience_overlap(events, chosen, day=day), _MOST_LOST)
    gain, spread = strength[chosen].copy(), strength.copy()
    is_left = np.ones(len(chosen), dtype=bool)
    lowest = 0.0
    for _ in range(len(chosen)):
        best = int(np.argmax(np.where(is_left, gain, -1.0)))
        lowest = spread[chosen[best]] = gain[best]
        is_left[best] = False
        gain *= kept[best]
    if len(rest) and strength[rest[0]] > lowest:
        spread[rest] = strength[rest] * lowest / strength[rest[0]]
    return spread
