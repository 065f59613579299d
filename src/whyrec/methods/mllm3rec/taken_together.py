"""Who takes one item takes another: counts of users, looked up for a history, and how popular items are."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from whyrec.methods.mllm3rec.timed_log import TimedLog

_DAY = 24 * 3600 * 1_000_000
_COSINE_SCALE = 100.0
"""Before the logarithm: a cosine of one hundredth then counts as one."""


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """What is known of items from who had what."""

    together: sparse.csr_array
    """Shrunken cosine of items over users, [N N], without the diagonal."""
    ever: NDArray[np.float32]
    """log(1 + interactions), [N]."""
    recent: NDArray[np.float32]
    """The same of late, [N]."""
    half_life: float
    """Of items of a history, in places."""
    newest: int
    """Items of a history that are looked up."""

    @classmethod
    def of(
        cls, log: TimedLog, *, n_items: int, recent_days: int, shrinkage: float, half_life: float, newest: int
    ) -> "Crowd":
        """Count a log.

        Args:
            log: What may be learned from.
            n_items: Size of the catalogue.
            recent_days: How far back popularity is recent, from the last interaction.
            shrinkage: Added to both items' users.
            half_life: An item of a history counts half of one that stands so many places later.
            newest: Items of a user that count, the last ones.
        """
        kept = log.sequences.select(np.arange(len(log.sequences)), newest=newest)
        had = sparse.csr_array(
            (np.ones(len(kept.items), dtype=np.float32), kept.items.astype(np.int64) - 1, kept.offsets),
            shape=(len(kept), n_items),
        )
        had.sum_duplicates()
        had.data[:] = 1
        counts = sparse.coo_array(had.T @ had)
        rows, columns = counts.coords
        other = rows != columns
        users = np.bincount(had.indices, minlength=n_items) + shrinkage
        cosine = counts.data[other] / np.sqrt(users[rows[other]] * users[columns[other]])
        together = sparse.csr_array(
            (cosine.astype(np.float32), (rows[other], columns[other])), shape=(n_items, n_items)
        )
        together.sort_indices()
        numbers = log.sequences.items.astype(np.int64) - 1
        is_recent = log.times > log.times.max(initial=0) - recent_days * _DAY
        ever, recent = (np.bincount(numbers[of], minlength=n_items) for of in (slice(None), is_recent))
        return cls(together, np.log1p(ever).astype(np.float32), np.log1p(recent).astype(np.float32), half_life, newest)

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Items that somebody has taken."""
        return np.asarray(self.ever > 0)

    def grown(self, n_new: int, *, order: NDArray[np.int64]) -> "Crowd":
        """The same with items that nobody has taken.

        Args:
            n_new: How many.
            order: Which item, of the old ones followed by the new ones, stands at each place: [N + n_new].
        """
        place_of = np.argsort(order)
        old = sparse.coo_array(self.together)
        rows, columns = (place_of[numbers] for numbers in old.coords)
        together = sparse.csr_array((old.data, (rows, columns)), shape=(len(order), len(order)))
        together.sort_indices()
        nothing = np.zeros(n_new, dtype=np.float32)
        ever, recent = (np.concatenate([counts, nothing])[order] for counts in (self.ever, self.recent))
        return replace(self, together=together, ever=ever, recent=recent)

    def votes(self, history: NDArray[np.int64]) -> NDArray[np.float32]:
        """log(1 + 100 x the weighted cosines of a history's items with each item), [N].

        Args:
            history: Places in the catalogue, from 0, newest last.
        """
        looked_up = history[-self.newest :]
        weights = np.exp2(-np.arange(len(looked_up))[::-1] / self.half_life)
        summed = np.zeros(len(self.ever), dtype=np.float32)
        for place, weight in zip(looked_up, weights, strict=True):
            row = slice(self.together.indptr[place], self.together.indptr[place + 1])
            summed[self.together.indices[row]] += np.float32(weight) * self.together.data[row]
        found = np.flatnonzero(summed)
        summed[found] = np.log1p(_COSINE_SCALE * summed[found])
        return summed

    def nearest(self, history: NDArray[np.int64], item: int) -> int | None:
        """The item of a history that votes most for an item; None if none does."""
        looked_up = history[-self.newest :][history[-self.newest :] != item]
        if not len(looked_up):
            return None
        weights = np.exp2(-np.arange(len(looked_up))[::-1] / self.half_life)
        votes = weights * self.together[looked_up][:, [item]].toarray().ravel()
        return int(looked_up[votes.argmax()]) if votes.any() else None
