"""What attributes and words say about an item that has little or no history of its own."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import Ridge

from whyrec.data.events import EventArrays
from whyrec.methods.trail.offline.catalogue import CatalogueVectors

LAUNCH_DAYS = 30.0
"""An item's launch level is the audience of its first 30 days."""
_MEMORY_DAYS = 540.0
_SETTLING_DAYS = 10.0  # items seen in the log's first days were not launched then
_MIN_LAUNCHES = 100
_YEARS_SINCE_RELEASE = np.array([0.0, 0.5, 1.0, 2.0, 5.0, 20.0])
_RIDGE = 3.0
_NEIGHBOURS = 15
_ACTIVE = 1000
_BLOCK = 2048

Column = NDArray[np.float64]


class Neighbourhood(NamedTuple):
    """Per item, what its nearest active neighbours by text are like."""

    level: Column
    best: Column
    similarity: Column


def promised_launches(events: EventArrays, catalogue: CatalogueVectors, *, day: float) -> Column:
    """Predict every item's launch level from its words, labels and age, learned from launches completed before ``day``.

    Returns:
        Log share of the volume, shape (n_items,); NaN where fewer than 100 launches are known.
    """
    first = events.first_day
    settled = events.day[0] + _SETTLING_DAYS if events.n_events else np.inf
    launched = np.flatnonzero((first >= settled) & (first < day - LAUNCH_DAYS) & (first > day - _MEMORY_DAYS))
    if len(launched) < _MIN_LAUNCHES:
        return np.full(events.n_items, np.nan)
    end = events.index_at(day)
    item, is_first = events.item[:end], events.is_first[:end]
    in_launch = is_first & (events.day[:end] < first[item] + LAUNCH_DAYS)
    audience = np.bincount(item[in_launch], minlength=events.n_items)[launched]
    begin = np.searchsorted(events.day, first[launched])
    volume = np.maximum(np.searchsorted(events.day, first[launched] + LAUNCH_DAYS) - begin, 50)
    level = np.log1p(1e4 * audience / volume)
    at_launch = _inputs(catalogue, rows=launched, day=first[launched])
    model = Ridge(_RIDGE, solver="lsqr", max_iter=60).fit(at_launch, level)
    now = _inputs(catalogue, rows=np.arange(events.n_items), day=np.full(events.n_items, day))
    return np.asarray(model.predict(now), dtype=np.float64)


def _inputs(catalogue: CatalogueVectors, *, rows: NDArray[np.int64], day: Column) -> sparse.csr_matrix:
    years = np.nan_to_num(1970 + day / 365.25 - catalogue.year[rows], nan=50.0)
    steps = (years[:, None] < _YEARS_SINCE_RELEASE).astype(np.float32)
    return sparse.hstack([catalogue.text[rows], sparse.csr_matrix(steps)]).tocsr()


def nearest_active(
    text: sparse.csr_matrix, *, rows: NDArray[np.int64], activity: Column, level: Column, ever: Column
) -> Neighbourhood:
    """Describe items by the 15 active items whose text is most like its own; itself left out.

    Args:
        text: Rows of length 1, shape (n_items, n_terms).
        rows: Positions of the items to describe.
        activity: Chooses the 1,000 active items to compare with, shape (n_items,).
        level: What is averaged over neighbours, weighed by squared similarity.
        ever: Log of all users so far; the best neighbour's counts in proportion to its similarity.
    """
    active = np.argsort(-activity, kind="stable")[:_ACTIVE]
    active = active[activity[active] > 0]
    if len(active) == 0:
        return Neighbourhood(*np.zeros((3, len(rows))))
    blocks = [
        _describe_block(text, rows=rows[start : start + _BLOCK], active=active, level=level, ever=ever)
        for start in range(0, len(rows), _BLOCK)
    ]
    return Neighbourhood(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def _describe_block(
    text: sparse.csr_matrix, *, rows: NDArray[np.int64], active: NDArray[np.int64], level: Column, ever: Column
) -> Neighbourhood:
    similarity = np.asarray((text[rows] @ text[active].T).todense(), dtype=np.float64)
    similarity[rows[:, None] == active[None, :]] = 0.0
    k = min(_NEIGHBOURS, len(active))
    nearest = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    near = np.take_along_axis(similarity, nearest, axis=1)
    weight = near**2
    return Neighbourhood(
        level=(weight * level[active][nearest]).sum(axis=1) / (weight.sum(axis=1) + 0.05),
        best=(near * ever[active][nearest]).max(axis=1),
        similarity=near.max(axis=1),
    )
