"""The most similar training samples of every training sample, found exactly: the positives of TRAIL §4.2.1.

The paper takes the two most similar of a batch of eight, which are often not alike at all; these are the most similar
of the whole training set. Similarities look at targets, so a neighbour is a leak wherever its target window had not
ended: samples whose windows end after ``until`` are refused, and nothing that forecasts may import this module.

Every pair's similarity is bounded from above by terms in closed form. A sample's 64 most promising partners are warped
first; of the others only those whose bound reaches the similarity that is then to be beaten.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray

from whyrec.errors import InvalidDataError
from whyrec.methods.trail import dtw
from whyrec.methods.trail.similarity import (
    SampleFeatures,
    SimilarityConfig,
    greatest_similarities,
    sample_features,
    similarities,
    text_products,
)
from whyrec.runtime.progress import progress_bar

_BLOCK_BYTES = 64 * 2**20
"""Of text products that are held at a time."""
_MOST_ROWS = 512
"""Samples per block at most, so that the progress bar moves."""


@dataclass(frozen=True, eq=False)
class NeighbourInputs:
    """Training samples, all in one order."""

    histories: Sequence[Int[np.ndarray, " T"]]
    """Users per window before the cut-off, oldest first; empty for an item without any."""
    targets: Int[np.ndarray, " S"]
    """Users in the window that follows."""
    text: Float[np.ndarray, "S D"]
    """Vectors of the descriptions, of length 1."""
    groups: Int[np.ndarray, " S"]
    """Which item each is of."""
    target_ends: Shaped[np.ndarray, " S"]
    """End of each target window: datetime64, UTC."""
    until: datetime
    """End of the training data: no target window may end after it."""

    def __post_init__(self) -> None:
        """Refuse samples from the future.

        Raises:
            InvalidDataError: If a target window ends after ``until``, or the numbers of rows differ.
        """
        if not len(self.targets) == len(self.groups) == len(self.target_ends):
            raise InvalidDataError(
                "neighbours: expected a target, a group and an end of each sample, "
                f"got {len(self.targets)}, {len(self.groups)} and {len(self.target_ends)}. Pass them in one order."
            )
        until = np.datetime64(self.until.astimezone(UTC).replace(tzinfo=None), "us")
        # An unknown end (NaT) is not before anything.
        late = np.flatnonzero(~(self.target_ends.astype("datetime64[us]") <= until))
        if len(late):
            raise InvalidDataError(
                f"neighbours, sample {late[0]}: expected a target window that ends by {until}, "
                f"got {self.target_ends[late[0]]}. Leave out samples whose outcome was not known."
            )

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True, eq=False, slots=True)
class NeighbourTable:
    """The most similar samples of each, best first."""

    index: Int[np.ndarray, "S n"]
    """Rows; -1 where there are fewer."""
    similarity: Float[np.ndarray, "S n"]
    """NaN where there are fewer."""


def neighbours(
    inputs: NeighbourInputs,
    *,
    n: int,
    config: SimilarityConfig,
    same_group: bool = False,
    threads: int | None = None,
) -> NeighbourTable:
    """Find the most similar samples of each, over all pairs and without approximation.

    Memory grows with samples, not with pairs.

    Args:
        inputs: The training samples.
        n: Neighbours of each.
        config: The similarity.
        same_group: Whether samples of one item may be neighbours: its other windows are near-duplicates.
        threads: At most; None: as many as this process may use cores.

    Returns:
        Of equal similarities the lower row comes first.

    Raises:
        InvalidDataError: If samples are malformed; see ``sample_features``.
    """
    samples = sample_features(inputs.histories, inputs.targets, inputs.text, config=config)
    order = np.argsort(samples.series.lengths, kind="stable")
    search = _Search(samples.take(order), order, inputs.groups[order], n=n, config=config, same_group=same_group)
    table = NeighbourTable(
        np.full((len(samples), n), -1, dtype=np.int32), np.full((len(samples), n), np.nan, dtype=np.float32)
    )
    size = max(1, min(_MOST_ROWS, _BLOCK_BYTES // (4 * max(len(samples), 1))))
    with (
        ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool,
        progress_bar("similar samples", total=len(samples)) as bar,
    ):
        for start in range(0, len(samples), size):
            rows = range(start, min(start + size, len(samples)))
            products = text_products(search.samples, slice(rows.start, rows.stop))
            for row, (found, similarity) in zip(rows, pool.map(search, rows, products), strict=True):
                table.index[order[row]], table.similarity[order[row]] = found, similarity
            bar.advance(len(rows))
    return table


class _Search:
    """One sample's neighbours among all; samples stand in the order of their histories' lengths."""

    def __init__(
        self,
        samples: SampleFeatures,
        ids: NDArray[np.int64],
        groups: NDArray[np.int64],
        *,
        n: int,
        config: SimilarityConfig,
        same_group: bool,
    ) -> None:
        self.samples = samples
        self._ids, self._groups = ids, groups
        self._n, self._config, self._same_group = n, config, same_group
        # Made once, before threads ask for it.
        _ = samples.series.lanes, samples.series.lengths

    def __call__(self, row: int, products: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids, -1 for none, and similarities, best first."""
        bounds = -greatest_similarities(self.samples, row, text_product=products, config=self._config)
        bounds[row] = np.inf
        if not self._same_group:
            bounds[self._groups == self._groups[row]] = np.inf

        def measure(rows: NDArray[np.int64], limit: float) -> NDArray[np.float64]:
            found = similarities(
                self.samples, row, rows, text_product=products[rows], config=self._config, at_least=-limit
            )
            return -found

        ids, costs = dtw.cheapest(bounds, measure, n=self._n, ids=self._ids)
        return ids, np.where(ids >= 0, -costs, np.nan)
