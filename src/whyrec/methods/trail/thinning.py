"""Copies of samples as they might have been with a smaller audience: more to learn from, at every level of counts."""

from dataclasses import replace

import numpy as np

from whyrec.methods.trail.samples import Sample

LEAST_KEPT = 0.3


def thinned(sample: Sample, *, rng: np.random.Generator, least: float = LEAST_KEPT) -> Sample:
    """Keep every user of history and target with one and the same chance.

    Counts of independent arrivals stay counts of independent arrivals, so that a thinned history is a plausible one.

    Args:
        sample: With a target.
        rng: Draws the share that is kept, from ``least`` to 1, and who is.
        least: The smallest share.
    """
    share = rng.uniform(least, 1.0)

    def kept(counts: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(rng.binomial(np.asarray(counts, dtype=np.int64), share).tolist())

    history = sample.history
    users, daily, months = kept(history.users), kept(history.daily), kept(history.months)
    total, this_month, target = kept((history.total_users, history.this_month or 0, sample.target or 0))
    # Whoever came in some window came at some time: the total is no less than the largest of its parts.
    total = max(total, *users, *daily, *months, this_month) if history.total_users else 0
    thinner = replace(
        history,
        users=users,
        daily=daily,
        months=months,
        this_month=None if history.this_month is None else this_month,
        total_users=total,
    )
    return replace(sample, history=thinner, target=target)
