"""Settings of the smallest language model that learns to count on the contract's small world, in a few seconds."""

from typing import Any

import torch

from contracts.forecaster import CUTOFF
from whyrec.data.dataset import Dataset
from whyrec.methods.trail.config import TrailConfig, scratch_defaults
from whyrec.methods.trail.model import TrailForecaster
from whyrec.runtime.config import layered

SMALL: dict[str, object] = {
    "window": "30d",
    "explained": 24,
    "samples.drawn_by": "item",
    "samples.step_days": 10,
    "sentences": "any",
    "max_windows": 3,
    "thinned_copies": 0,
    "refit": False,
    "validation_samples": 20,
    "explanation_tokens": 100,
    "scratch.width": 32,
    "scratch.layers": 1,
    "scratch.heads": 2,
    "scratch.min_word_count": 1,
    "scratch.min_value_count": 1,
    "training.epochs": 20,
    "training.spread": 0.15,
    "training.batch_size": 16,
    "training.learning_rate": 2e-2,
    "training.explanation_weight": 0.2,
    "training.projection_hidden": 8,
    "training.projection_dim": 8,
}
"""What differs from the defaults of a model from scratch, by name with dots."""
QUICK: dict[str, object] = {"training.epochs": 1, "samples.step_days": 30, "explained": 10}
"""It then learns next to nothing, in half a second."""


def config(changed: dict[str, object] | None = None, **settings: Any) -> TrailConfig:
    """Settings of the small model; ``changed`` names them with dots."""
    without_text = {"embedding_model": None}
    return TrailConfig.model_validate(layered(scratch_defaults(), without_text, SMALL, changed or {}, settings))


def fit(data: Dataset, changed: dict[str, object] | None = None, **settings: Any) -> TrailForecaster:
    return TrailForecaster(config({**QUICK, **(changed or {})}, **settings)).fit(data, until=CUTOFF)


def weights(forecaster: TrailForecaster) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = forecaster._model().rows.model.state_dict()
    return found


def same_weights(one: TrailForecaster, other: TrailForecaster) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
