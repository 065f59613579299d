"""Users as they are asked about: what they took before a moment, and the pattern that speaks for them then."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from whyrec.data.sequences import Histories
from whyrec.methods.curec.artefacts import Pattern
from whyrec.methods.curec.serving import Asked, Served
from whyrec.methods.curec.timelines import NOBODY

PatternsOf = Callable[[Sequence[str]], Iterable[Pattern]]
"""Writes patterns of some users from their histories before the moment in question."""


def asked_users(
    served: Served, histories: Histories, rows: NDArray[np.int64], *, at: int, every: int, write: PatternsOf
) -> list[tuple[Asked, Pattern | None]]:
    """Put to users their patterns; those of whom there is none, or much new since, have one written.

    Args:
        served: Model and texts.
        histories: Of the users, strictly before the moment.
        rows: Which of them; none with an empty history.
        at: By ``serving.moment_of``.
        every: Interactions between two patterns.
        write: Writes the missing ones.

    Returns:
        A user and the pattern, if there is one, for each of ``rows``.
    """
    user_ids = histories.user_ids.gather(rows)
    standing = served.standing_patterns(user_ids, lengths=histories.sequences.lengths[rows], at=at, every=every)
    missing = [user_id for user_id, row in zip(user_ids, standing.tolist(), strict=True) if row == NOBODY]
    written = {pattern.user_id: pattern for pattern in write(missing)} if missing else {}
    vectors = (
        dict(zip(written, served.vectors.encoder.embed([it.text for it in written.values()]), strict=True))
        if written
        else {}
    )
    known = served.vectors.patterns
    found: list[tuple[Asked, Pattern | None]] = []
    for user_id, row, place in zip(user_ids, rows.tolist(), standing.tolist(), strict=True):
        pattern = written.get(user_id) if place == NOBODY else served.patterns.patterns([place])[0]
        vector = vectors.get(user_id) if place == NOBODY else known.vectors[known.places[place]]
        found.append((Asked(user_id, histories.sequences.row(row), at, vector), pattern))
    return found
