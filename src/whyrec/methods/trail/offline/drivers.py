"""Turn feature contributions into the few things a person can take in."""

import numpy as np
from numpy.typing import NDArray

from whyrec.interfaces import Driver
from whyrec.methods.trail.offline.features import feature_groups

GROUP_LABELS = {
    "recency": "the last seven days",
    "level": "the audience of past weeks and months",
    "growth": "recent growth",
    "audience": "how selective its audience is",
    "age": "time since the first appearance",
    "season": "the same weeks a year ago",
    "rating": "ratings",
    "catalogue": "catalogue attributes",
    "text": "similarly described items",
}


def drivers_of(
    names: tuple[str, ...], *, effects: NDArray[np.float64], values: NDArray[np.float32]
) -> tuple[Driver, ...]:
    """Sum contributions by group and turn them into multiplicative effects, strongest first.

    Args:
        names: Feature names, ``group.name``.
        effects: Contributions to the log of the audience against a reference, shape (n_features,).
        values: The item's feature values, shape (n_features,).
    """
    drivers = [
        Driver(
            id=group,
            label=GROUP_LABELS[group],
            effect=float(np.expm1(effects[columns].sum())),
            inputs={names[column]: float(values[column]) for column in columns if np.isfinite(values[column])},
        )
        for group, columns in feature_groups(names).items()
    ]
    return tuple(sorted(drivers, key=lambda driver: (-abs(np.log1p(driver.effect)), driver.id)))
