"""Every forecasting baseline of the registry under the contract of all forecasters."""

from contracts.forecaster import ForecasterContract
from whyrec.baselines.pare.config import PareConfig
from whyrec.baselines.pare.forecaster import PareForecaster
from whyrec.baselines.registry import BASELINES, build_baseline
from whyrec.interfaces import Forecaster


class TestAllTime(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("all_time", window="30d")


class TestLastWindow(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("last_window", window="30d")


class TestLast30Days(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("last_30_days", window="30d")


class TestLast14Days(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("last_14_days", window="30d")


class TestLast7Days(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("last_7_days", window="30d")


class TestLast3Days(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("last_3_days", window="30d")


class TestHalfLife(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("half_life", window="30d")


class TestEma(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("ema", window="30d")


class TestSeasonalNaive(ForecasterContract):
    def make(self) -> Forecaster:
        return build_baseline("seasonal_naive", window="30d")


class TestPareHistory(ForecasterContract):
    needs_history = True

    def make(self) -> Forecaster:
        return build_baseline("pare_history", window="30d")


class TestPare(ForecasterContract):
    needs_history = True

    def make(self) -> Forecaster:
        config = PareConfig(window="30d", embedding_dim=(4,), learning_rate=(1e-2,), smoothing=(0.5, 0.9), epochs=3)
        return PareForecaster(config)


def test_every_baseline_is_under_contract() -> None:
    classes = [value for name, value in globals().items() if name.startswith("Test")]
    assert len(classes) == len(BASELINES)
    assert {type(cls().make()) for cls in classes} == {baseline.forecaster for baseline in BASELINES.values()}
