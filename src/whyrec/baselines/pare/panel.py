"""Counts of every item in every window before a moment, and the rows that PARE's network reads from them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import torch
from numpy.typing import NDArray

from whyrec.baselines.pare.attributes import Vocabulary
from whyrec.baselines.pare.model import Batch
from whyrec.baselines.smoothing import windows_back
from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength, users_per_item_and_window

_TRIES = 10
"""Draws of a quiet window per training row before it goes without, as in the published code."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Users per item and window, items in the order of their ids, windows up to the cut-off."""

    item_ids: list[str]
    users: NDArray[np.float32]
    """``[items windows]``."""
    first: NDArray[np.int64]
    """Per item: its first window with a user; the number of windows if it has none."""
    phase: NDArray[np.int64]
    """Month of the year, 0 to 11, of the middle of each window, and of the coming one."""
    item_index: NDArray[np.int64]
    """Per item: its row in the item table, 0 if it was not trained."""
    window_index: NDArray[np.int64]
    """Per window and for the coming one: its row in the window table; a window after training has the last one's."""
    attributes: Mapping[str, NDArray[np.int64]]

    @property
    def n_windows(self) -> int:
        """Windows before the cut-off."""
        return int(self.users.shape[1])


@dataclass(frozen=True, slots=True)
class Grid:
    """What fixes the rows of the item and window tables: learned in ``fit``, needed at every forecast."""

    until: datetime
    window_days: float
    n_windows: int
    """Windows from the start of the log to ``until``."""
    last_trained: int
    """Newest window that was a training target."""
    items: Mapping[str, int]
    """Row in the item table by item_id; rows start at 1."""


def count_panel(data: Dataset, *, at: datetime, length: WindowLength) -> Panel:
    """Count users per item and window before ``at``; the table rows are still to be filled in by ``indexed``."""
    windows = windows_back(data, at=at, length=length)
    counts = users_per_item_and_window(data.before(at), windows)
    item_ids = data.items[schema.ITEM].sort().to_list()
    row = {item_id: number for number, item_id in enumerate(item_ids)}
    users = np.zeros((len(item_ids), len(windows)), dtype=np.float32)
    # An item of the log that the catalogue lacks has no attributes and cannot be forecast.
    for item_id, window, n_users in counts.iter_rows():
        if item_id in row:
            users[row[item_id], window] = n_users
    first = np.where(users.any(axis=1), (users > 0).argmax(axis=1), len(windows)) if windows else _zeros(len(item_ids))
    phase = np.array([_phase(window) for window in (*windows, length.following(at))], dtype=np.int64)
    return Panel(item_ids, users, first, phase, _zeros(len(item_ids)), _zeros(len(windows) + 1), {})


def indexed(panel: Panel, data: Dataset, *, at: datetime, grid: Grid, vocabulary: Vocabulary) -> Panel:
    """Fill in the rows of the item, window and attribute tables."""
    ahead = round((at - grid.until) / timedelta(days=grid.window_days))
    own = np.arange(panel.n_windows + 1) - panel.n_windows + grid.n_windows + ahead
    items = data.items.sort(schema.ITEM)
    return replace(
        panel,
        item_index=np.array([grid.items.get(item_id, 0) for item_id in panel.item_ids], dtype=np.int64),
        window_index=np.clip(own, 0, grid.last_trained) + 1,
        attributes={column: vocabulary.indices(items, column) for column in vocabulary.values},
    )


def batch_of(panel: Panel, *, item: NDArray[np.int64], target: NDArray[np.int64], max_history: int) -> Batch:
    """Rows for the given items and target windows, from the windows before each target only.

    Whether the item has been released is read from those windows too: a target in which it first appears looks
    exactly like one in which it does not.
    """
    offsets = np.arange(-min(max_history, max(panel.n_windows, 1)), 0)
    window = target[:, None] + offsets
    inside = np.clip(window, 0, max(panel.n_windows - 1, 0))
    history = panel.users[item[:, None], inside] if panel.n_windows else np.zeros(window.shape, dtype=np.float32)
    is_valid = (window >= 0) & (window >= panel.first[item][:, None])
    is_released = panel.first[item] < target
    release = panel.window_index[np.where(is_released, panel.first[item], 0)] * is_released
    return Batch(
        history=torch.from_numpy(np.log1p(history)),
        is_valid=torch.from_numpy(is_valid),
        item=torch.from_numpy(panel.item_index[item]),
        release=torch.from_numpy(release),
        target=torch.from_numpy(panel.window_index[target]),
        phase=torch.from_numpy(panel.phase[target]),
        attributes={column: torch.from_numpy(index[item]) for column, index in panel.attributes.items()},
    )


def training_rows(
    panel: Panel, *, n_windows: int, min_target: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Items and target windows to learn from: the busy ones, and for each a sampled quiet window of the same item.

    Quiet windows are drawn from the whole log, those before the item's first included: at forecast time, too, most
    items without a history are not about to be released.

    Args:
        panel: The counts.
        n_windows: Only the oldest this many windows are targets.
        min_target: A window with more users is busy. Falls back to 0 where no window is.
        rng: Source of the samples.
    """
    users = panel.users[:, :n_windows]
    threshold = min_target if (users > min_target).any() else 0
    item, target = np.nonzero(users > threshold)
    if not len(item):
        return item, target
    draws = rng.integers(n_windows, size=(len(item), _TRIES))
    is_quiet = users[item[:, None], draws] <= threshold
    drawn = is_quiet.any(axis=1)
    quiet = draws[np.arange(len(item)), is_quiet.argmax(axis=1)]
    return np.concatenate((item, item[drawn])), np.concatenate((target, quiet[drawn]))


def _phase(window: Window) -> int:
    return (window.start + timedelta(days=window.days / 2)).month - 1


def _zeros(n: int) -> NDArray[np.int64]:
    return np.zeros(n, dtype=np.int64)
