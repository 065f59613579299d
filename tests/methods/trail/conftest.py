"""One small forecaster with a language model, fitted once."""

from collections.abc import Iterator

import pytest
from small_forecaster import config

from contracts.forecaster import CUTOFF, small_world
from whyrec.methods.trail.model import TrailForecaster
from whyrec.runtime.threads import one_thread


@pytest.fixture(autouse=True, scope="module")
def on_one_thread() -> Iterator[None]:
    """Models this small are fastest on one thread, and the workers of a run share the cores."""
    with one_thread():
        yield


@pytest.fixture(scope="session")
def fitted_forecaster() -> TrailForecaster:
    """Fitted on the small world until the cut-off; do not change it."""
    with one_thread():
        return TrailForecaster(config()).fit(small_world(), until=CUTOFF)
