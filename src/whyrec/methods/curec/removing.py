"""What of a CURec explanation can be taken away: the reasons of others, for which the score is computed anew."""

from collections.abc import Collection
from datetime import datetime

from whyrec.data.dataset import Dataset
from whyrec.evaluation.faithfulness import EvidencePool
from whyrec.methods.curec.explaining import ExplainedRecommendation
from whyrec.methods.curec.model import CURecRecommender

REASONS = "reasons"


def evidence_pools(
    recommender: CURecRecommender, data: Dataset, entry: ExplainedRecommendation, *, at: datetime | None = None
) -> list[EvidencePool]:
    """The reasons that were read for an entry, of which those that the text tells are cited.

    The user's pattern and the reason written for the pair are left out: the pattern is no piece of anything, and the
    pair's own reason is written after the ranking.

    Args:
        recommender: Who explained.
        data: Where the history is read.
        entry: Of its ``explain``.
        at: As ``explain`` was asked.

    Returns:
        One pool; none for somebody of whom nothing is known, whose score reads no reasons.
    """
    user_id, item_id = entry.explanation.user_id, entry.explanation.item_id
    if user_id is None or not entry.reasons:
        return []
    told = [str(read.row) for read in entry.told]
    others = [str(read.row) for read in entry.reasons if str(read.row) not in told]

    def without(rows: Collection[str]) -> float:
        return recommender.score(data, user_id=user_id, item_id=item_id, at=at, without=[int(row) for row in rows])

    return [EvidencePool(REASONS, tuple(told), tuple(others), without)]
