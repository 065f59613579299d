"""CURec fitted on the checkerboard of the recommenders' contract, small and quick, with reasons that count."""

from collections.abc import Mapping

import torch

from contracts.recommender import UNTIL, checkerboard
from whyrec.data.dataset import Dataset
from whyrec.llm.model import LanguageModel
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.runtime.config import layered

TINY: Mapping[str, object] = {
    "base": {"embedding_dim": 16, "n_layers": 1, "n_heads": 1, "max_history": 12, "dropout": 0.0},
    "base_training": {"epochs": 12, "batch_size": 20, "learning_rate": 2e-2, "threads": 1},
    "model": {"n_heads": 2, "hidden": (8, 8), "max_reasons": 3, "dropout": 0.0},
    "training": {"epochs": 1, "n_negatives": 8, "n_in_batch": 4, "batch_size": 64, "learning_rate": 1e-2},
    "text_dim": 8,
    "reranked": 6,
    "validation_users": 10,
    "device": "cpu",
}


def config(**settings: object) -> CURecConfig:
    """The tiny settings with others over them; dots name nested ones."""
    return CURecConfig.model_validate(layered(TINY, settings))


def fitted(
    data: Dataset | None = None, *, language_model: LanguageModel | None = None, **settings: object
) -> CURecRecommender:
    """Fitted until ``UNTIL``, its gate then opened by hand: whatever reasons say moves the scores."""
    recommender = CURecRecommender(config(**settings), language_model=language_model)
    recommender.fit(checkerboard() if data is None else data, until=UNTIL)
    open_gate(recommender)
    return recommender


def open_gate(recommender: CURecRecommender) -> None:
    """Let the reasons count as much as the encoder, however little training has made of them."""
    assert recommender.model_ is not None
    with torch.no_grad():
        recommender.model_.gate.fill_(1.0)
