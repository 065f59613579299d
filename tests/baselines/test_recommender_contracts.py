"""Every recommender of the registry that is no sequence model under the contract of all, with tiny settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from contracts.recommender import RecommenderContract
from whyrec.baselines.factorisation import BprConfig, HybridConfig
from whyrec.baselines.neighbours import ItemKnnConfig, NeighbourConfig
from whyrec.baselines.neural_cf import NeuralCfConfig
from whyrec.baselines.recommenders import RECOMMENDERS
from whyrec.encoders.recommender import SequentialRecommender
from whyrec.interfaces import Recommender


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class TestPopular(RecommenderContract):
    is_personal = False

    def make(self) -> Recommender:
        return RECOMMENDERS["popular"]()


class TestItemKnn(RecommenderContract):
    def make(self) -> Recommender:
        return RECOMMENDERS["item_knn"]()


class TestItemKnnWeighted(RecommenderContract):
    def make(self) -> Recommender:
        return RECOMMENDERS["item_knn"](ItemKnnConfig(weighting="bm25", shrinkage=1, n_neighbours=5, half_life=3))


class TestUserKnn(RecommenderContract):
    def make(self) -> Recommender:
        return RECOMMENDERS["user_knn"](NeighbourConfig(weighting="tfidf", n_neighbours=12))


class TestBpr(RecommenderContract):
    def make(self) -> Recommender:
        return RECOMMENDERS["bpr"](BprConfig(embedding_dim=8, epochs=60, fold_in_steps=300))


class TestHybrid(RecommenderContract):
    def make(self) -> Recommender:
        return RECOMMENDERS["hybrid"](HybridConfig(embedding_dim=8, epochs=60, fold_in_steps=300))


class TestNeuralCf(RecommenderContract):
    def make(self) -> Recommender:
        return RECOMMENDERS["ncf"](
            NeuralCfConfig(
                embedding_dim=8, hidden=(16, 8), epochs=30, batch_size=128, learning_rate=2e-2, fold_in_steps=12
            )
        )


class TestBm25(RecommenderContract):
    reads_log = False

    def make(self) -> Recommender:
        return RECOMMENDERS["bm25"]()


class TestTextKnn(RecommenderContract):
    reads_log = False

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def own_cache(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
        """Vectors are kept under the user's directory of data; not under the real one in a test."""
        with pytest.MonkeyPatch.context() as patch:
            home = tmp_path_factory.mktemp("home")
            patch.setenv("XDG_DATA_HOME", str(home))
            yield home

    def make(self) -> Recommender:
        return RECOMMENDERS["text_knn"]()


def test_every_recommender_is_under_contract() -> None:
    classes = [value for name, value in globals().items() if name.startswith("Test")]
    others = {kind for kind in RECOMMENDERS.values() if not issubclass(kind, SequentialRecommender)}
    assert {type(contract().make()) for contract in classes} == others
