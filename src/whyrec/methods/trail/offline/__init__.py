"""TRAIL without a language model: the same forecast and the same three-part explanation, from log and catalogue alone."""

from whyrec.methods.trail.offline.config import OfflineConfig
from whyrec.methods.trail.offline.forecaster import OfflineForecaster

__all__ = ["OfflineConfig", "OfflineForecaster"]
