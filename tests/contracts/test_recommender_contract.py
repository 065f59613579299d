"""The contract itself: a recommender that looks ahead, or whose answers hang together, must fail it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from contracts.recommender import UNTIL, RecommenderContract, checkerboard
from whyrec.baselines.neighbours import ItemKnnRecommender
from whyrec.data.dataset import Dataset
from whyrec.interfaces import Recommender


class HonestContract(RecommenderContract):
    def make(self) -> Recommender:
        return ItemKnnRecommender()


class LearnsTheFuture(ItemKnnRecommender):
    def fit(self, data: Dataset, *, until: datetime) -> "LearnsTheFuture":
        super().fit(data, until=data.time_range[1])
        return self


class ReadsTheFuture(ItemKnnRecommender):
    def recommend(self, data: Dataset, **options: object) -> pl.DataFrame:
        return super().recommend(data, **{**options, "at": None})


class ForgetsThePast(ItemKnnRecommender):
    def fit(self, data: Dataset, *, until: datetime) -> "ForgetsThePast":
        before = data.interactions.filter(pl.col("timestamp") < until - (until - data.time_range[0]) / 2)
        super().fit(replace(data, interactions=before), until=until)
        return self


class LeansOnNeighbours(ItemKnnRecommender):
    def recommend(self, data: Dataset, **options: object) -> pl.DataFrame:
        lists = super().recommend(data, **options)
        return lists.with_columns(pl.col("score") * (1 + lists.height * 1e-12))


class ShowsWhatWasHad(ItemKnnRecommender):
    def recommend(self, data: Dataset, **options: object) -> pl.DataFrame:
        return super().recommend(data, **{**options, "filter_seen": False})


class RollsDice(ItemKnnRecommender):
    def fit(self, data: Dataset, *, until: datetime) -> "RollsDice":
        super().fit(data, until=until)
        self.neighbours_.data *= np.random.default_rng().random(len(self.neighbours_.data), dtype=np.float32)
        return self


class Pickles(ItemKnnRecommender):
    def save(self, directory: Path) -> None:
        super().save(directory)
        (directory / "model.pkl").write_bytes(b"anything")


# Run by hand below; pytest would collect it as tests of its own.
HonestContract.__test__ = False

Check = Callable[[RecommenderContract, Recommender, Path], None]

CASES: dict[type[ItemKnnRecommender], Check] = {
    LearnsTheFuture: lambda c, r, _: c.test_fit_learns_nothing_from_the_future(checkerboard(), r),
    ReadsTheFuture: lambda c, r, _: c.test_fit_learns_nothing_from_the_future(checkerboard(), r),
    ForgetsThePast: lambda c, r, _: c.test_the_past_does_count(checkerboard(), r),
    LeansOnNeighbours: lambda c, r, _: c.test_one_user_at_a_time_is_all_at_once_to_the_bit(checkerboard(), r),
    ShowsWhatWasHad: lambda c, r, _: c.test_what_was_had_is_hidden_or_shown(checkerboard(), r),
    RollsDice: lambda c, r, _: c.test_same_seed_same_lists(checkerboard(), r),
    Pickles: lambda c, r, directory: c.test_saved_and_loaded_recommends_the_same(checkerboard(), r, directory),
}


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_a_planted_fault_is_caught(kind: type[ItemKnnRecommender], tmp_path: Path) -> None:
    class FaultyContract(HonestContract):
        def make(self) -> Recommender:
            return kind()

    with pytest.raises(AssertionError):
        CASES[kind](FaultyContract(), kind().fit(checkerboard(), until=UNTIL), tmp_path / "faulty")
    CASES[kind](HonestContract(), ItemKnnRecommender().fit(checkerboard(), until=UNTIL), tmp_path / "honest")
