"""The reasons of others that are read for a user and an item, and how much the user's pattern looks at each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyrec.methods.curec.artefacts import Reason
from whyrec.methods.curec.matching import AttentionMatching
from whyrec.methods.curec.serving import Asked, Served
from whyrec.methods.curec.timelines import NOBODY


@dataclass(frozen=True, slots=True)
class AttendedReason:
    """A reason by another user that was read for this one."""

    reason: Reason
    row: int
    """Of the reasons that the recommender holds, for ``CURecRecommender.score``."""
    weight: float | None
    """Share of the attention of this user's pattern; None where the model does not look from patterns to reasons, or
    its training has given reasons no part in the scores."""
    verified: bool
    """Whether all that it claims of its own user and the item holds."""


def read_reasons(asked: Asked, row: int, served: Served) -> tuple[list[AttendedReason], float | None]:
    """The reasons of an item that are read for a user, those looked at most first, and the share of none of them.

    They are not verified yet. Where the model does not look at patterns, or reasons have no part in its scores, the
    newest comes first and there are no shares.
    """
    weights: NDArray[np.float64] | list[None]
    # Behind a gate that never opened nothing has been learned about whom to listen to.
    if isinstance(served.model.matching, AttentionMatching) and served.model.gate.item() != 0:
        rows, weights, unattended = served.attention(asked, row)
        order = np.argsort(-weights, kind="stable").tolist()
    else:
        found = served.reason_rows(np.array([row], dtype=np.int64), user_id=asked.user_id, at=asked.at)[0]
        rows = found[found != NOBODY]
        weights, unattended, order = [None] * len(rows), None, list(range(len(rows)))
    reasons = served.reasons.reasons(rows)
    listed = [
        AttendedReason(reasons[n], int(rows[n]), None if weights[n] is None else float(weights[n]), verified=False)
        for n in order
    ]
    return listed, unattended
