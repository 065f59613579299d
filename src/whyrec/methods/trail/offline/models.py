"""The learned part: boosted trees that look at the same features with different aims.

``users`` forecasts the audience itself and is what explanations and intervals speak of. ``reach``, ``shared_reach``
and ``order`` aim at a good top of the list; their geometric mean ranks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from whyrec.methods.trail.offline.config import OfflineConfig
from whyrec.methods.trail.offline.features import FeatureTable
from whyrec.methods.trail.offline.targets import Outcome

RANKING_MODELS = ("reach", "shared_reach", "order")
MODELS = ("users", *RANKING_MODELS)
_FLOOR = 0.05  # a top item has about 1 on the reach scale; below a twentieth of it, differences are noise
_EMPHASIS = 0.1  # weight of an item without audience beside one at the top
_GRADES = 40
_TOP_OF_ORDER = 10
_COMMON = {
    "min_data_in_leaf": 30,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
}
Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """The training items of one past cut-off."""

    features: NDArray[np.float32]
    outcome: Outcome
    items: NDArray[np.int64]
    growth: float
    """Today's volume over the volume before the cut-off: scales past audiences to today's business."""


def fit_models(samples: Sequence[Sample], *, config: OfflineConfig, bags: int) -> dict[str, list[lgb.Booster]]:
    """Train every kind of model, ``bags`` times each.

    Args:
        samples: At least one; all with the same features.
        config: Rounds, leaves, learning rate and seed.
        bags: Models of a kind that differ by seed alone.

    Returns:
        Boosters by name of ``MODELS``.
    """
    features = np.concatenate([sample.features for sample in samples])
    users = np.concatenate([sample.outcome.users[sample.items] * sample.growth for sample in samples])
    reach = np.concatenate([sample.outcome.reach[sample.items] for sample in samples])
    shared = np.concatenate([sample.outcome.shared_reach[sample.items] for sample in samples])
    groups = [len(sample.items) for sample in samples]
    grades = np.concatenate([_grades(sample.outcome.reach[sample.items]) for sample in samples])
    ranking = {"objective": "lambdarank", "label_gain": [g / 20 for g in range(_GRADES + 1)]}
    datasets: Mapping[str, tuple[dict[str, object], Callable[[], lgb.Dataset]]] = {
        "users": ({"objective": "l2"}, lambda: lgb.Dataset(features, np.log1p(users))),
        "reach": ({"objective": "l2"}, lambda: lgb.Dataset(features, np.log(reach + _FLOOR), weight=reach + _EMPHASIS)),
        "shared_reach": ({"objective": "l2"}, lambda: lgb.Dataset(features, np.log(shared + _FLOOR))),
        "order": ({**ranking, "lambdarank_truncation_level": 20}, lambda: lgb.Dataset(features, grades, group=groups)),
    }
    return {name: _bag(objective, dataset, config=config, bags=bags) for name, (objective, dataset) in datasets.items()}


def _bag(
    objective: dict[str, object], dataset: Callable[[], lgb.Dataset], *, config: OfflineConfig, bags: int
) -> list[lgb.Booster]:
    settings = {**_COMMON, **objective, "learning_rate": config.learning_rate, "num_leaves": config.leaves}
    return [
        lgb.train({**settings, "seed": config.seed + bag}, dataset(), num_boost_round=config.rounds)
        for bag in range(bags)
    ]


def _grades(reach: Column) -> NDArray[np.int64]:
    top = np.sort(reach)[::-1][:_TOP_OF_ORDER].mean() + 1e-9
    return np.asarray(np.clip(np.round(reach / top * _GRADES / 2), 0, _GRADES), dtype=np.int64)


def _average(boosters: Sequence[lgb.Booster], features: NDArray[np.float32]) -> Column:
    parts = [np.asarray(booster.predict(features, num_threads=1)) for booster in boosters]
    return np.asarray(np.mean(parts, axis=0), dtype=np.float64)


def predicted_users(models: Mapping[str, Sequence[lgb.Booster]], table: FeatureTable) -> Column:
    """Uncalibrated audience per item, shape (n_items,), at the volume of the day of fitting."""
    return np.maximum(np.expm1(_average(models["users"], table.values)), 0.0)


def learned_strength(models: Mapping[str, Sequence[lgb.Booster]], table: FeatureTable) -> Column:
    """Strength per item for ranking, shape (n_items,), positive; about 1 at the top."""
    reach = np.exp(_average(models["reach"], table.values)) - _FLOOR
    shared = np.exp(_average(models["shared_reach"], table.values)) - _FLOOR
    order = np.exp(_average(models["order"], table.values) / 2)
    parts = [on_top_scale(np.maximum(part, 1e-6)) for part in (reach, shared, order)]
    return np.asarray(np.exp(np.mean(np.log(parts), axis=0)))


def on_top_scale(strength: Column) -> Column:
    """Divide by the mean of the 30 largest."""
    return np.asarray(strength / (np.sort(strength)[::-1][:30].mean() + 1e-12))


def contributions(models: Mapping[str, Sequence[lgb.Booster]], features: NDArray[np.float32]) -> NDArray[np.float64]:
    """What each feature adds to the log of an item's audience (TreeSHAP, averaged over the bags).

    Args:
        models: From ``fit_models``.
        features: Rows of a feature table, shape (n, n_features).

    Returns:
        Shape (n, n_features); a row sums to the model's output less its mean output.
    """
    parts = [np.asarray(booster.predict(features, pred_contrib=True, num_threads=1)) for booster in models["users"]]
    return np.asarray(np.mean(parts, axis=0)[:, :-1])
