"""How much scores tell things apart, aspect by aspect, and an alarm where they have collapsed (G14).

Small models answer 7 or 8 to everything, and tuning by samples drives them to one answer within twenty steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import entropy

from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.aspects import LEVELS

ALARM_ENTROPY = 0.35
"""Two levels of ten, equally often, have an entropy of .30; a bell of deviation 1 has .62."""
_ALARM_STD = 0.1
"""Points; below it, what is left is rounding of a model's probabilities, on whichever side of a half it falls."""


@dataclass(frozen=True, slots=True)
class AspectSpread:
    """The scores of one aspect over all items or users."""

    aspect: str
    mean: float
    std: float
    """In points."""
    entropy: float
    """Of the nearest whole levels, as a share of that of ten equally frequent ones: 0 is one answer for everything."""
    commonest: int
    """Level."""
    commonest_share: float
    doubt: float | None
    """Mean entropy of the model's own distributions, as a share; None where they were not read."""

    def has_collapsed(self, *, alarm: float = ALARM_ENTROPY) -> bool:
        """True if the aspect hardly tells things apart."""
        return self.entropy < alarm or self.std < _ALARM_STD


def spread_of(scores: AspectScores, *, likely: Float[np.ndarray, "N K L"] | None = None) -> tuple[AspectSpread, ...]:
    """Measure every aspect; nothing is said of no scores at all.

    Args:
        scores: Of items or users.
        likely: The model's distributions, from ``slot_probabilities``, row by row the same.
    """
    if not len(scores):
        return ()
    found = []
    for place, aspect in enumerate(scores.aspects):
        values = scores.values[:, place].astype(np.float64)
        counts = np.bincount(np.rint(values).astype(int), minlength=len(LEVELS) + 1)[1:]
        found.append(
            AspectSpread(
                aspect=aspect,
                mean=float(values.mean()),
                std=float(values.std()),
                entropy=float(entropy(counts, base=len(LEVELS))),
                commonest=int(counts.argmax()) + 1,
                commonest_share=float(counts.max() / counts.sum()),
                doubt=None if likely is None else float(entropy(likely[:, place], base=len(LEVELS), axis=1).mean()),
            )
        )
    return tuple(found)


def collapsed(spread: Iterable[AspectSpread], *, alarm: float = ALARM_ENTROPY) -> tuple[str, ...]:
    """One line for each aspect that raises the alarm."""
    return tuple(
        f"{it.aspect}: {it.commonest_share:.0%} of scores are nearest to {it.commonest}, entropy {it.entropy:.2f}, "
        f"deviation {it.std:.2f} points"
        for it in spread
        if it.has_collapsed(alarm=alarm)
    )
