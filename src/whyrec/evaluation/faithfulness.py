"""Does what an explanation cites carry the score? Take it away, and see if that moves it more than taking other things.

The deletion test of explanations (DeYoung et al., ERASER, 2020, "comprehensiveness"), against as many pieces drawn from
what was not cited. Citations drawn at random change more in half of the explanations and give a ratio of 1.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.evaluation.explanations import Figure
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.evaluation.significance import bootstrap_statistics, ratio_of

N_DRAWS = 10
_ROUNDING = 1e-6
"""Changes that differ by less, beside their size, count as equal: scores are sums of floats."""


@dataclass(frozen=True, slots=True)
class EvidencePool:
    """What a score rests on, as one explanation's pieces of one kind: those that it cites, and the others."""

    kind: str
    """Such as ``history``, ``reasons``, ``aspects``, ``months``: only pieces of one kind are of equal size."""
    cited: tuple[str, ...]
    """Ids, the most important first."""
    others: tuple[str, ...]
    """Ids that could have been cited and were not."""
    score_without: Callable[[Collection[str]], float]
    """The score after pieces were taken away, from what was known at that moment; without none, as it is."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What one explanation's score is without the pieces cited, and without others."""

    score: float
    without_cited: float
    without_random: tuple[float, ...]
    """One per draw, at least one."""

    @property
    def change_cited(self) -> float:
        """How far the score moves, either way."""
        return abs(self.without_cited - self.score)

    @property
    def changes_random(self) -> NDArray[np.float64]:
        """The same of each draw."""
        return np.abs(np.array(self.without_random, dtype=np.float64) - self.score)

    @property
    def cited_changes_more(self) -> float:
        """Share of the draws that move the score less than what is cited does; equal ones count half."""
        cited, random = self.change_cited, self.changes_random
        room = _ROUNDING * np.maximum(cited, random)
        return float(np.mean(np.where(np.abs(cited - random) <= room, 0.5, cited > random)))


def removal_of(pool: EvidencePool, *, rng: np.random.Generator, n_draws: int = N_DRAWS) -> Removal | None:
    """Take away what is cited, and as many others at random.

    Where there are fewer others than pieces cited, only as many of these, the most important first, are taken away.

    Args:
        pool: Of an explanation.
        rng: Draws the others.
        n_draws: How often; where there are no more choices than that, each is tried once.

    Returns:
        None if nothing is cited, or there is nothing else.

    Raises:
        InvalidConfigError: If ``n_draws`` is below 1.
        InvalidDataError: If a piece is both cited and not, or a score is not finite.
    """
    if n_draws < 1:
        raise InvalidConfigError(f"faithfulness: expected at least 1 draw, got {n_draws}. Choose more.")
    if both := set(pool.cited) & set(pool.others):
        raise InvalidDataError(
            f"faithfulness, {pool.kind}: expected pieces cited or not, got {min(both)!r} as both. Name it once."
        )
    n = min(len(pool.cited), len(pool.others))
    if not n:
        return None
    found = Removal(
        pool.score_without(()),
        pool.score_without(pool.cited[:n]),
        tuple(pool.score_without(drawn) for drawn in _draws(pool.others, n, n_draws=n_draws, rng=rng)),
    )
    if not np.isfinite([found.score, found.without_cited, *found.without_random]).all():
        raise InvalidDataError(f"faithfulness, {pool.kind}: expected finite scores, got {found}. Check the method.")
    return found


def faithfulness_figures(
    removals: Sequence[Removal],
    *,
    groups: Sequence[Hashable] | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Figure]:
    """How much more what is cited carries the scores than what is not.

    Args:
        removals: At least one.
        groups: Of each, such as whose list it is from; groups are resampled whole. None resamples one by one.
        n_resamples: Of the bootstrap.
        seed: Fixes the resamples.

    Returns:
        By name, each over all explanations: ``change[cited]`` and ``change[random]``, means of the absolute change of
        the score; ``change[cited - random]`` and ``change[cited / random]`` of those means; ``cited changes more``,
        the share of the draws that change less, equal ones counting half.

    Raises:
        InvalidDataError: If there are no removals, or groups are not one to each.
    """
    if not removals or (groups is not None and len(groups) != len(removals)):
        n_groups = "no groups" if groups is None else f"{len(groups)} groups"
        raise InvalidDataError(
            f"faithfulness: expected at least one removal, with a group each, got {len(removals)} and {n_groups}. "
            "Explain more."
        )
    values = np.array(
        [[it.change_cited, it.changes_random.mean(), it.cited_changes_more, 1.0] for it in removals], dtype=np.float64
    )
    numbers = _numbered(range(len(removals)) if groups is None else groups)
    sums = np.zeros((max(numbers) + 1, values.shape[1]))
    np.add.at(sums, numbers, values)
    cited, random, wins = (ratio_of(column, 3) for column in range(3))
    statistics = {
        "change[cited]": cited,
        "change[random]": random,
        "change[cited - random]": lambda means: cited(means) - random(means),
        "change[cited / random]": ratio_of(0, 1),
        "cited changes more": wins,
    }
    found = bootstrap_statistics([sums], statistics=statistics, n_resamples=n_resamples, seed=seed)
    return {
        name: Figure(it.value, len(removals), _finite(it.low), _finite(it.high))
        for name, it in found.items()
        if np.isfinite(it.value)
    }


def faithfulness_rows(
    removals: Sequence[Removal],
    *,
    kind: str,
    method: str,
    dataset: str,
    writer: str,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Figures of one kind of evidence as the rows that all evaluation shares.

    Args:
        removals: As in ``faithfulness_figures``, and so are groups and seed.
        kind: Of the evidence, told in ``protocol``.
        method: Whose explanations.
        dataset: On what.
        writer: Who wrote them.
        groups: Resampled whole.
        seed: Of the bootstrap.

    Returns:
        Columns of ``ROW_SCHEMA``.
    """
    figures = faithfulness_figures(removals, groups=groups, seed=seed)
    rows = [
        (method, dataset, f"faithfulness: {kind}", name, it.value, it.low, it.high, it.n, seed, writer)
        for name, it in figures.items()
    ]
    return pl.DataFrame(rows, schema=ROW_SCHEMA, orient="row")


def _draws(others: Sequence[str], n: int, *, n_draws: int, rng: np.random.Generator) -> Sequence[tuple[str, ...]]:
    if comb(len(others), n) <= n_draws:
        return list(combinations(others, n))
    return [tuple(others[place] for place in rng.choice(len(others), n, replace=False)) for _ in range(n_draws)]


def _numbered(groups: Sequence[Hashable]) -> list[int]:
    number: dict[Hashable, int] = {}
    return [number.setdefault(group, len(number)) for group in groups]


def _finite(bound: float) -> float | None:
    return bound if np.isfinite(bound) else None
