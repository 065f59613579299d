"""Every sequence model of the registry under the contract of all recommenders, with tiny settings."""

from collections.abc import Iterator

import pytest
import torch
from pydantic import BaseModel

from contracts.recommender import RecommenderContract
from whyrec.baselines.recommenders import RECOMMENDERS
from whyrec.encoders.recommender import SequentialRecommender
from whyrec.interfaces import Recommender

SHAPE = {
    "embedding_dim": 16,
    "hidden_dim": 16,
    "inner_dim": 16,
    "n_layers": 1,
    "n_heads": 1,
    "max_history": 12,
    "dropout": 0.0,
}
TRAINING = {"epochs": 12, "batch_size": 20, "learning_rate": 2e-2, "threads": 1}
LOSS = {"gru4rec_plus": {"n_negatives": 16, "popularity_exponent": 0.0}}
"""Two thousand negatives are the default; there are 22 items."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny(name: str) -> Recommender:
    """A sequence model of the registry, with as many of the settings above as it has."""
    kind = RECOMMENDERS[name]
    model = kind.Config.model_fields["model"].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    shape = {key: value for key, value in SHAPE.items() if key in model.model_fields}
    settings = {**LOSS.get(name, {}), "model": shape, "training": TRAINING, "validation_users": 0, "device": "cpu"}
    return kind(kind.Config.model_validate(settings))


def contract_of(name: str) -> type[RecommenderContract]:
    class SequentialContract(RecommenderContract):
        def make(self) -> Recommender:
            return tiny(name)

    return SequentialContract


SEQUENTIAL = [name for name, kind in RECOMMENDERS.items() if issubclass(kind, SequentialRecommender)]
# pytest collects classes by their names in the module.
globals().update({f"Test_{name}": contract_of(name) for name in SEQUENTIAL})


def test_there_are_some() -> None:
    assert "sasrec" in SEQUENTIAL
