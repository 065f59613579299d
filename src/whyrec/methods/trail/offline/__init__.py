"""TRAIL without a language model: forecast and three-part explanation from log and catalogue alone."""

from whyrec.methods.trail.offline.config import OfflineConfig
from whyrec.methods.trail.offline.forecaster import OfflineForecaster

__all__ = ["OfflineConfig", "OfflineForecaster"]
