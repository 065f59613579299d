from contracts.forecaster import ForecasterContract
from whyrec.interfaces import Forecaster
from whyrec.methods.trail.offline import OfflineConfig, OfflineForecaster

QUICK = OfflineConfig(rounds=20, training_cutoffs=6, cutoff_step_days=10, validation_cutoffs=2, bags=2)


class TestOfflineForecaster(ForecasterContract):
    needs_history = True

    def make(self) -> Forecaster:
        return OfflineForecaster(QUICK)
