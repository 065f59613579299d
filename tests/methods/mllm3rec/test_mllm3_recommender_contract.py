"""M-LLM3REC without a language model under the contract of all recommenders, with tiny settings."""

from mllm3_words import WordEncoder

from contracts.recommender import RecommenderContract
from whyrec.interfaces import Recommender
from whyrec.methods.mllm3rec.config import MLLM3Config, RankerConfig, TextHeadConfig
from whyrec.methods.mllm3rec.model import MLLM3Recommender

SMALL = MLLM3Config(ranker=RankerConfig(head=TextHeadConfig(rank=4, epochs=2, batch_size=32), dimensions=8))


class TestMLLM3(RecommenderContract):
    def make(self) -> Recommender:
        return MLLM3Recommender(SMALL, encoder=WordEncoder())
