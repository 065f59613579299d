"""Variants of ``guided.py``: what stands in an encoder's frozen columns, how wide it is, and how users meet them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.controls import main_components, random_columns, random_projections, shuffled

Content = Literal["none", "aspects", "random", "shuffled", "projections", "components"]
ENCODERS = ("sasrec", "bert4rec", "gru4rec", "gru4rec_plus")
BASE, REFINED = "base", "refined"


@dataclass(frozen=True)
class Variant:
    """Settings that differ from those of the others."""

    content: Content = "aspects"
    settings: Mapping[str, object] = field(default_factory=dict)
    """Of ``GuidedConfig``."""
    n_aspects: int | None = None
    """The first so many of the set; None takes all."""
    width: int | None = None
    """Columns of an item where none are frozen."""


CONTROLS: Mapping[str, Variant] = {
    "random": Variant("random"),
    "shuffled": Variant("shuffled"),
    "projections": Variant("projections"),
    "components": Variant("components"),
}
"""As many columns that are no aspects (G14): what the refined encoder must beat beside its base."""
USER_SIDES: Mapping[str, Variant] = {
    "item only": Variant(settings={"user_side": "item"}),
    "concat": Variant(settings={"user_side": "concat"}),
    "distance": Variant(settings={"matching": "distance"}),
    "learnt weight": Variant(settings={"learns_weight": True}),
    "learnt match": Variant(settings={"match_strength": 1.0}),
    "shuffled, learnt match": Variant("shuffled", settings={"match_strength": 1.0}),
}
STUDIES: Mapping[str, Variant] = {
    **{f"k={k}": Variant(n_aspects=k) for k in (3, 6, 9)},
    **{
        f"alpha={weight:g}": Variant(settings={"weight": weight})
        for weight in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)
    },
    **{f"base({width})": Variant("none", width=width) for width in (10, 20, 30, 48, 120, 240)},
}
"""Fitted with the first seed alone."""
VARIANTS: Mapping[str, Variant] = {
    BASE: Variant("none"),
    REFINED: Variant(),
    **CONTROLS,
    **USER_SIDES,
    **STUDIES,
}
OF_OTHERS = (BASE, REFINED, "shuffled")
"""Of encoders other than SASRec, with two seeds."""


def seeds_of(name: str, encoder: str, seeds: list[int]) -> list[int]:
    """Which seeds a variant is fitted with."""
    if name in STUDIES:
        return seeds[:1]
    return seeds if encoder == ENCODERS[0] else seeds[:2]


def columns_of(variant: Variant, scores: AspectScores, vectors: NDArray[np.float32], *, seed: int) -> AspectScores:
    """What goes into the frozen columns, as scores.

    Args:
        variant: With some content.
        scores: Of the catalogue.
        vectors: Of the items' texts, in the order of the scores.
        seed: Of what is drawn.
    """
    k = len(scores.aspects) if variant.n_aspects is None else variant.n_aspects
    if variant.content == "random":
        return random_columns(scores.ids, n=k, seed=seed)
    if variant.content == "projections":
        return random_projections(scores.ids, vectors, n=k, seed=seed)
    if variant.content == "components":
        return main_components(scores.ids, vectors, n=k)
    chosen = scores.chosen(scores.aspects[:k])
    return shuffled(chosen, seed=seed) if variant.content == "shuffled" else chosen
