"""The contract itself: a forecaster that looks ahead must fail it, at every place where it may look."""

from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import polars as pl
import pytest

from contracts.forecaster import CUTOFF, ForecasterContract, small_world
from whyrec.baselines.registry import build_baseline
from whyrec.data.dataset import Dataset
from whyrec.interfaces import Forecaster


class LeakyForecaster:
    """Ranks by the whole log, future included: what the contract is there to catch."""

    def __init__(self) -> None:
        self.honest = build_baseline("all_time", window="30d")

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        self.honest.fit(data, until=until)
        return self

    def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
        return self.honest.forecast(data, at=max(at, data.time_range[1] + timedelta(seconds=1)), k=k)

    def save(self, directory: Path) -> None:
        self.honest.save(directory)

    @classmethod
    def load(cls, directory: Path) -> Self:
        raise NotImplementedError


class LeakyContract(ForecasterContract):
    def make(self) -> Forecaster:
        return LeakyForecaster()


class HonestContract(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("all_time", window="30d")


# pytest would collect the two as tests of their own; they are run by hand below.
LeakyContract.__test__ = HonestContract.__test__ = False


def test_a_planted_leak_is_caught() -> None:
    with pytest.raises(AssertionError):
        LeakyContract().test_nothing_from_the_future(small_world())
    HonestContract().test_nothing_from_the_future(small_world())


def test_use_of_the_real_future_is_caught() -> None:
    data = small_world()
    for contract in (LeakyContract(), HonestContract()):
        fitted = contract.make().fit(data, until=CUTOFF)
        with pytest.raises(AssertionError) if isinstance(contract, LeakyContract) else nullcontext():
            contract.test_whole_future_removed_changes_nothing(data, fitted)


def test_a_forecaster_that_ignores_the_log_is_caught() -> None:
    class Blind(LeakyForecaster):
        def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
            return self.honest.forecast(Dataset.from_frames(data.interactions.head(0), data.items), at=at, k=k)

    class BlindContract(HonestContract):
        def make(self) -> Forecaster:
            return Blind()

    BlindContract().test_nothing_from_the_future(small_world())
    with pytest.raises(AssertionError):
        BlindContract().test_the_past_does_count(small_world())
