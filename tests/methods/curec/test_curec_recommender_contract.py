"""CURec under the contract of all recommenders, with tiny settings."""

from collections.abc import Iterator

import pytest
import torch
from curec_camps import config

from contracts.recommender import RecommenderContract
from whyrec.interfaces import Recommender
from whyrec.methods.curec.model import CURecRecommender


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class TestCURec(RecommenderContract):
    def make(self) -> Recommender:
        return CURecRecommender(config())
