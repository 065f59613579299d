import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.methods.trail.offline.calibration import Calibration, calibrate


def test_without_validation_the_forecast_stands() -> None:
    expected, low, high = calibrate([], [], interval=0.8).apply(np.array([0.0, 3.0, 40.0]))
    assert expected.tolist() == [0.0, 3.0, 40.0]
    assert low.tolist() == pytest.approx([0, 3, 40], abs=1)
    assert high.tolist() == pytest.approx([0, 3, 40], abs=1)


def test_a_forecast_that_is_half_the_truth_is_doubled() -> None:
    raw = np.geomspace(1, 100, 400)
    expected, _, _ = calibrate([raw], [2 * raw], interval=0.8).apply(np.array([20.0]))
    assert expected == pytest.approx([40.0], rel=0.02)


def test_corrections_stay_within_a_factor_of_three() -> None:
    raw = np.full(100, 10.0)
    expected, _, _ = calibrate([raw], [raw * 50], interval=0.8).apply(np.array([10.0]))
    assert expected == pytest.approx([30.0])


def test_interval_covers_its_share_of_fresh_draws() -> None:
    rng = np.random.default_rng(4)
    raw = rng.gamma(1.0, 20.0, size=6000)
    truth = rng.poisson(raw * rng.gamma(8.0, 1 / 8.0, size=raw.size)).astype(float)
    calibration = calibrate([raw[:3000]], [truth[:3000]], interval=0.8)
    _, low, high = calibration.apply(raw[3000:])
    covered = ((truth[3000:] >= low) & (truth[3000:] <= high)).mean()
    assert 0.78 <= covered <= 0.90  # whole users at the ends make it a little wider than 0.8


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=60), st.integers(0, 5))
def test_low_expected_and_high_keep_their_order(raw: list[float], seed: int) -> None:
    forecast = np.array(raw)
    truth = np.random.default_rng(seed).poisson(forecast + 0.3).astype(float)
    calibration: Calibration = calibrate([forecast], [truth], interval=0.8)
    expected, low, high = calibration.apply(forecast)
    assert (low >= 0).all()
    assert (low <= expected + 1e-6).all()
    assert (expected <= high + 1e-6).all()
