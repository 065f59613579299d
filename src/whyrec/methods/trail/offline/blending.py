"""Choose how far to trust the learned models and how much to spread the list, on windows before the tested one.

The rule is slow to move: the default stands unless another blend is better by more than one standard error, users
compared with themselves. With few users or windows the data cannot tell blends apart, and then nothing is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.events import EventArrays
from whyrec.evaluation.positions import list_positions
from whyrec.evaluation.ranking import hr_at_k
from whyrec.methods.trail.offline.coverage import spread_out
from whyrec.methods.trail.offline.features import HALF_LIVES, Past
from whyrec.methods.trail.offline.models import on_top_scale

ANCHOR_HALF_LIFE = 4.0
_ANCHOR_FLOOR = 0.02
_K = 10
Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Blend:
    """How strengths become a list."""

    anchor: float = 0.2
    """Weight of plain recency (users, half-life 4 days) in the geometric mean; the models have the rest."""
    penalty: float = 0.8
    """How strongly a shared recent audience moves an item down; see ``spread_out``."""


BLENDS = tuple(Blend(anchor, penalty) for anchor, penalty in product((0.0, 0.2, 0.5, 0.8), (0.0, 0.4, 0.8, 1.2)))


@dataclass(frozen=True, eq=False)
class ValidationWindow:
    """A past cut-off with the strengths that models trained before it gave, and what then happened."""

    past: Past
    learned: Column
    truth: pl.DataFrame
    """``user_id, item_id`` (integers) of the window that followed."""
    seen: pl.DataFrame
    """``user_id, item_id`` of the same users before it."""


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen blend, and the evidence."""

    blend: Blend
    hit_rates: dict[Blend, float] = field(default_factory=dict)
    """Mean HR@10 over the validation windows."""


def blended_strength(past: Past, learned: Column, *, blend: Blend) -> Column:
    """Strengths whose descending order is the list, shape (n_items,)."""
    recency = on_top_scale(past.decayed_pairs[HALF_LIVES.index(ANCHOR_HALF_LIFE)]) + _ANCHOR_FLOOR
    strength = np.exp((1 - blend.anchor) * np.log(learned) + blend.anchor * np.log(recency))
    return spread_out(strength, past.events, day=past.day, penalty=blend.penalty)


def validation_pairs(events: EventArrays, *, start: float, end: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who took what in ``[start, end)``, and what these users had taken before."""
    first, last = events.index_at(start), events.index_at(end)
    truth = _pairs(events, slice(first, last))
    seen = _pairs(events, slice(0, first)).join(truth.select(schema.USER).unique(), on=schema.USER, how="semi")
    return truth, seen


def _pairs(events: EventArrays, span: slice) -> pl.DataFrame:
    return pl.DataFrame({schema.USER: events.user[span], schema.ITEM: events.item[span]}).unique()


def choose_blend(windows: Sequence[ValidationWindow]) -> Choice:
    """Keep the default blend unless another one beats it by more than one standard error on the windows."""
    default = Blend()
    usable = [window for window in windows if window.truth.height]
    if not usable:
        return Choice(default)
    hits = {blend: [_hits(window, blend=blend) for window in usable] for blend in BLENDS}
    hit_rates = {blend: float(np.mean([values.mean() for values in per_window])) for blend, per_window in hits.items()}

    def advantage(blend: Blend) -> float:
        differences = [ours - theirs for ours, theirs in zip(hits[blend], hits[default], strict=True)]
        error = np.sqrt(sum(d.var() / len(d) for d in differences)) / len(differences)
        return float(np.mean([d.mean() for d in differences]) - error)

    best = max(BLENDS, key=lambda blend: (advantage(blend), blend == default))
    return Choice(best if advantage(best) > 0 else default, hit_rates)


def _hits(window: ValidationWindow, *, blend: Blend) -> Column:
    strength = blended_strength(window.past, window.learned, blend=blend)
    ranking = pl.DataFrame({schema.ITEM: np.arange(len(strength), dtype=np.int32), "score": strength})
    return hr_at_k(list_positions(ranking, truth=window.truth, seen=window.seen), k=_K)
