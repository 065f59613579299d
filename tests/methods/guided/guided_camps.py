"""The checkerboard of the recommenders' contract with two aspects, which its titles and genres speak of."""

from collections.abc import Sequence

import numpy as np
from guided_films import pole
from numpy.typing import NDArray

from whyrec.methods.guided.aspects import AspectSet
from whyrec.methods.guided.config import GuidedConfig
from whyrec.methods.guided.model import GuidedRecommender

HEIGHT = {
    "key": "height",
    "name": "height above the sea",
    "meaning": "How high up it is.",
    "low": pole("at the shore", "river boat", "sail harbour", "lake boat"),
    "high": pole("on the summit", "mountain rope", "summit glacier", "ridge rope"),
}
DANGER = {
    "key": "danger",
    "name": "danger",
    "meaning": "How dangerous it is.",
    "low": pole("none at all", "harbour", "lake", "harbour lake"),
    "high": pole("mortal", "glacier", "ridge", "glacier ridge"),
}
CAMP_ASPECTS = AspectSet.model_validate({"domain": "places", "thing": "place", "aspect": [HEIGHT, DANGER]})

_WORDS = ["river", "boat", "sail", "harbour", "lake", "mountain", "rope", "summit", "glacier", "ridge"]


class CampWords:
    """A text encoder of ten words: one column each, and one for everything else."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [[float(text.casefold().count(word)) for word in _WORDS] + [0.1] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), len(_WORDS) + 1)


def camp_config(**changes: object) -> GuidedConfig:
    """Tiny settings; ``changes`` go over them."""
    settings: dict[str, object] = {
        "base_columns": 14,
        "n_layers": 1,
        "hidden_dim": 16,
        "max_history": 12,
        "dropout": 0.0,
        "training": {"epochs": 12, "batch_size": 20, "learning_rate": 2e-2, "threads": 1},
        "validation_users": 0,
        "device": "cpu",
    }
    return GuidedConfig.model_validate({**settings, **changes})


def camp_recommender(**changes: object) -> GuidedRecommender:
    """An unfitted recommender of the checkerboard."""
    return GuidedRecommender(camp_config(**changes), aspects=CAMP_ASPECTS, text_encoder=CampWords())
