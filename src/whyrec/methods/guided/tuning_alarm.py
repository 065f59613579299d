"""Watches the scores of a model that is being tuned: an aspect on which all come out the same teaches no more (G14)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from whyrec.errors import TrainingError
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.spread import AspectSpread, collapsed, spread_of


@dataclass
class Alarm:
    """Looks at the scores of every update. An aspect whose scores tell things apart again gives no alarm any more."""

    aspects: tuple[str, ...]
    stops: bool = False
    """Refuse to go on when an aspect collapses that told things apart before."""
    raised: dict[str, str] = field(default_factory=dict)
    """For each aspect that is collapsed now, since when, and how it was then."""
    apart: set[str] = field(default_factory=set)
    """Aspects that have told things apart once."""

    def look(self, levels: Float[np.ndarray, "N K"], *, step: int) -> tuple[AspectSpread, ...]:
        """Measure the spread of some scores; two rows are needed to say anything.

        Raises:
            TrainingError: If an aspect has collapsed and that is to stop the run.
        """
        spread = spread_of(_scores(levels, self.aspects)) if len(levels) > 1 else ()
        for it in spread:
            if not it.has_collapsed():
                self.apart.add(it.aspect)
                self.raised.pop(it.aspect, None)
                continue
            (line,) = collapsed([it])
            self.raised.setdefault(it.aspect, f"since update {step}; {line}")
            if self.stops and it.aspect in self.apart:
                raise TrainingError(
                    f"tuning, update {step}: expected scores that tell users apart, got {line}. Lower the learning "
                    "rate, or give entropy more weight."
                )
        return spread


def _scores(levels: Float[np.ndarray, "N K"], aspects: Sequence[str]) -> AspectScores:
    rows = [str(row) for row in range(len(levels))]
    return AspectScores.of("users", rows, np.clip(levels, 1, 10), aspects=aspects, writer="tuning")
