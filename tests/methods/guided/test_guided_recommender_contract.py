"""Guided recommenders under the contract of all recommenders, with tiny settings."""

from guided_camps import camp_recommender

from contracts.recommender import RecommenderContract
from whyrec.interfaces import Recommender


class TestGuided(RecommenderContract):
    def make(self) -> Recommender:
        return camp_recommender()


class TestGuidedBert4Rec(RecommenderContract):
    def make(self) -> Recommender:
        return camp_recommender(encoder="bert4rec", user_side="concat", matching="distance")
