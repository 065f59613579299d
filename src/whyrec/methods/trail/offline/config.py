"""Settings of the offline forecaster: one set for every data set; what differs between them is learned."""

from pydantic import Field

from whyrec.forecasts import WindowConfig


class OfflineConfig(WindowConfig):
    """How the forecaster without a language model learns."""

    window: str = "30d"
    """The coming window: ``month`` or a number of days such as ``30d`` (TRAIL §5.1: 30 days)."""
    training_cutoffs: int = Field(default=30, ge=1, le=500)
    """Past moments to learn from, each with the window that followed it. Chosen: on windows before any tested one."""
    cutoff_step_days: float = Field(default=5.0, gt=0)
    """Days between two such moments."""
    warmup_days: float = Field(default=21.0, ge=0)
    """Days of log that must lie before the earliest one."""
    candidates_per_feature: int = Field(default=120, ge=10)
    """Training items per moment and decayed count: the top so many by each."""
    young_candidates: int = Field(default=300, ge=0)
    """Training items per moment that were first seen within the last 30 days, most active first."""
    unseen_candidates: int = Field(default=200, ge=0)
    """Training items per moment without any event, most promising attributes first."""
    rounds: int = Field(default=150, ge=1)
    """Boosting rounds of each model."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """Shrinkage of each round."""
    leaves: int = Field(default=15, ge=2)
    """Leaves per tree."""
    bags: int = Field(default=3, ge=1)
    """Models of each kind that differ by seed alone; their predictions are averaged."""
    validation_cutoffs: int = Field(default=4, ge=0, le=24)
    """Past moments, with their own models trained on earlier ones only, that choose the blend and set the intervals."""
    validation_step_days: float = Field(default=15.0, gt=0)
    """Days between two of them."""
    interval: float = Field(default=0.8, gt=0, lt=1)
    """Share of true counts that the stated interval is meant to cover."""
    seed: int = 0
    """Seed of every random choice."""
