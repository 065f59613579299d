"""What of a guided explanation can be taken away: aspects, which go to the mean, and items of the history."""

from collections.abc import Collection
from datetime import datetime

from whyrec.data.dataset import Dataset
from whyrec.evaluation.faithfulness import EvidencePool
from whyrec.evaluation.history_removal import history_pool, interactions_cited
from whyrec.methods.guided.explaining import ExplainedScore, named_parts
from whyrec.methods.guided.model import GuidedRecommender

ASPECTS = "aspects"


def evidence_pools(
    recommender: GuidedRecommender, data: Dataset, entry: ExplainedScore, *, at: datetime | None = None
) -> list[EvidencePool]:
    """The aspects that the text says move an item up, among all, and the items of the history that it names.

    An aspect is taken away exactly: its part becomes what it is for the mean item, so that the score loses its push.
    What the aspect did to the state by way of the history stays. As the text names the largest pushes, this measures
    how far the unnamed aspects stay behind, and not whether the words were chosen well. The one that moves it down
    counts neither as cited nor as another: taken away with the others it would undo part of what they do.

    Args:
        recommender: Who explained.
        data: Where the history is read.
        entry: Of its ``explain``.
        at: As ``explain`` was asked.

    Returns:
        None for somebody of whom nothing is known.
    """
    user_id, item_id = entry.explanation.user_id, entry.explanation.item_id
    if user_id is None or all(part.user_level is None for part in entry.aspects):
        return []
    ups, downs = named_parts(entry.aspects)
    cited = tuple(part.key for part in ups)
    pushes = {part.key: part.push for part in entry.aspects}

    def without(keys: Collection[str]) -> float:
        return entry.score - sum(pushes[key] for key in keys)

    others = tuple(key for key in pushes if key not in (*cited, *(part.key for part in downs)))
    named = interactions_cited(entry.explanation)
    return [
        EvidencePool(ASPECTS, cited, others, without),
        history_pool(recommender, data, user_id=user_id, item_id=item_id, cited=named, at=at),
    ]
