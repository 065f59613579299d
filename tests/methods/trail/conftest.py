"""One small forecaster with a language model, fitted once."""

from collections.abc import Iterator

import pytest
import torch
from small_forecaster import config

from contracts.forecaster import CUTOFF, small_world
from whyrec.methods.trail.model import TrailForecaster


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Models this small are fastest on one thread, and the workers of a run share the cores."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="session")
def fitted_forecaster(one_thread: None) -> TrailForecaster:
    """Fitted on the small world until the cut-off; do not change it."""
    return TrailForecaster(config()).fit(small_world(), until=CUTOFF)
