"""Levels of items from their texts: between described ends, along directions that labels teach, or from a fact."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import Field

from whyrec.data import schema
from whyrec.data.item_lines import NOTHING_KNOWN, item_texts
from whyrec.errors import InvalidDataError
from whyrec.methods.guided.artefacts import OFFLINE, AspectScores
from whyrec.methods.guided.aspects import Aspect, AspectSet
from whyrec.methods.guided.offline.calibration import Calibration, Shape
from whyrec.methods.guided.offline.facts import told_levels
from whyrec.methods.guided.offline.poles import centred, pole_positions
from whyrec.methods.guided.offline.weak_labels import (
    Label,
    label_counts,
    label_positions,
    labelled,
    labels_of,
    likeness_to_labels,
    weak_labels,
)
from whyrec.methods.guided.prompts import known_columns
from whyrec.runtime.strict_model import StrictModel

Source = Literal["poles", "labels", "fact"]
_FEWEST_ITEMS = 2
_FEWEST_OF_A_LABEL = 10
"""Items that must have a label before it teaches beside the others of its end. Chosen: twice as many as parts."""


class TextEncoder(Protocol):
    """The part of ``Embedder`` that is used."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        ...


class OfflineConfig(StrictModel):
    """How items are scored without a language model."""

    shape: Shape = "rank"
    """How positions become levels. Chosen: by rank, so that no aspect crowds at one level (G14)."""
    fewest_labels: int = Field(default=25, ge=5)
    """Items that must name each end before labels teach anything; else the described ends are all there is."""
    label_weight: float = Field(default=0.9, ge=0, le=1)
    """Of what labels teach, against the described ends; both in deviations. Chosen."""
    reads_words: bool = True
    """Labels also teach by the words of the texts, not by their vectors alone."""
    uses_labels: bool = True
    """False places items between the described ends alone."""
    seed: int = Field(default=0, ge=0)
    """Of the division of labelled items into parts."""


@dataclass(frozen=True, slots=True)
class ScoringReport:
    """What one aspect's levels rest on."""

    aspect: str
    source: Source
    """``fact`` where the catalogue told at least one; ``labels`` where they taught a direction."""
    n_facts: int
    """Items whose level is the catalogue's own."""
    n_low: int
    """Items whose labels name the low end, and it alone."""
    n_high: int


@dataclass(frozen=True, slots=True, eq=False)
class _Taught:
    """What labels have taught of every item."""

    likeness: Float[np.ndarray, "N L"]
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class OfflineScorer:
    """Scores a catalogue. The same texts give the same levels."""

    aspects: AspectSet
    encoder: TextEncoder
    config: OfflineConfig = field(default_factory=OfflineConfig)

    def score(
        self, items: pl.DataFrame, *, texts: Sequence[str] | None = None
    ) -> tuple[AspectScores, tuple[ScoringReport, ...]]:
        """Score items.

        Args:
            items: The catalogue; labels and facts are read from its columns.
            texts: What is known of each item in words, by default ``item_lines``; labels then teach by words in which
                they themselves do not stand.

        Returns:
            Scores, and what each aspect rests on. An item without a word stands at the mean of the others where no fact
            tells its level, and is left out where none tells any.

        Raises:
            InvalidDataError: If there are fewer than two items with words: a position is one among others.
        """
        lines = self._described(items) if texts is None else texts
        has_words = np.array([line.strip() not in ("", NOTHING_KNOWN) for line in lines], dtype=bool)
        described = items.filter(pl.Series(has_words))
        if described.height < _FEWEST_ITEMS:
            raise InvalidDataError(
                f"scores: expected at least {_FEWEST_ITEMS} items to compare, got {described.height} of which there "
                "is a title or text. Give the catalogue."
            )
        given = None if texts is None else [line for line, kept in zip(lines, has_words, strict=True) if kept]
        levels, reports = self._by_words(described, given)
        told = self._told(items)
        is_told = ~np.isnan(told)
        levels = np.where(is_told[has_words], told[has_words], levels)
        values = np.where(is_told, told, levels.mean(axis=0))
        values[has_words] = levels
        is_known = has_words | is_told.any(axis=1)
        ids = items[schema.ITEM].filter(pl.Series(is_known))
        scores = AspectScores.of("items", ids, values[is_known], aspects=self.aspects.keys, writer=OFFLINE)
        return scores, tuple(
            replace(report, source="fact", n_facts=n) if n else report
            for report, n in zip(reports, is_told.sum(axis=0).tolist(), strict=True)
        )

    def _described(self, items: pl.DataFrame) -> list[str]:
        """What is said of items beside the numbers that are facts."""
        facts = {name for aspect in self.aspects.aspects if aspect.fact is not None for name in aspect.fact.columns}
        return item_lines(items, without=facts)

    def _by_words(
        self, items: pl.DataFrame, texts: Sequence[str] | None
    ) -> tuple[Float[np.ndarray, "N K"], list[ScoringReport]]:
        vectors = centred(self.encoder.embed(item_lines(items) if texts is None else texts).astype(np.float64))
        taught = self._taught(items, vectors, texts)
        found = [self._aspect(aspect, items, vectors, taught=taught) for aspect in self.aspects.aspects]
        return np.stack([levels for levels, _ in found], axis=1), [report for _, report in found]

    def _told(self, items: pl.DataFrame) -> Float[np.ndarray, "N K"]:
        """Levels that the catalogue tells; NaN where it does not."""
        unknown = np.full(items.height, np.nan)
        found = [told_levels(items, aspect) for aspect in self.aspects.aspects]
        return np.stack([unknown if levels is None else levels for levels in found], axis=1)

    def _taught(self, items: pl.DataFrame, vectors: Float[np.ndarray, "N E"], texts: Sequence[str] | None) -> _Taught:
        labels = labels_of(self.aspects.aspects) if self.config.uses_labels else ()
        has_label = labelled(items, labels)
        is_common = has_label.sum(axis=0) >= _FEWEST_OF_A_LABEL
        kept = [label for label, common in zip(labels, is_common, strict=True) if common]
        if not kept:
            return _Taught(np.zeros((items.height, 0)), ())
        read = item_lines(items, without={column for column, _ in labels}) if texts is None else texts
        likeness = likeness_to_labels(
            vectors,
            has_label[:, is_common],
            texts=read if self.config.reads_words else (),
            seed=self.config.seed,
        )
        return _Taught(likeness, tuple(kept))

    def _aspect(
        self, aspect: Aspect, items: pl.DataFrame, vectors: Float[np.ndarray, "N E"], *, taught: _Taught
    ) -> tuple[Float[np.ndarray, " N"], ScoringReport]:
        labels = weak_labels(items, aspect)
        n_low, n_high = label_counts(labels)
        positions = _standard(self._by_poles(aspect, vectors))
        by_labels = label_positions(taught.likeness, aspect, taught.labels)
        is_taught = by_labels is not None and min(n_low, n_high) >= self.config.fewest_labels
        if by_labels is not None and is_taught:
            weight = self.config.label_weight
            positions = weight * _standard(by_labels) + (1 - weight) * positions
        levels = Calibration.learn(positions, shape=self.config.shape).levels_of(positions)
        source: Source = "labels" if is_taught else "poles"
        return levels, ScoringReport(aspect.key, source, 0, n_low, n_high)

    def _by_poles(self, aspect: Aspect, vectors: Float[np.ndarray, "N E"]) -> Float[np.ndarray, " N"]:
        ends = [self.encoder.embed(pole.descriptions).astype(np.float64) for pole in (aspect.low, aspect.high)]
        return pole_positions(vectors, low=ends[0], high=ends[1])


def item_lines(items: pl.DataFrame, *, without: Collection[str] = (), max_chars: int = 1000) -> list[str]:
    """What the catalogue says of each item, in one line, and nothing of its popularity (G11).

    Args:
        items: The catalogue.
        without: Columns that are left out, such as the genres that a check compares with.
        max_chars: Of a line.
    """
    kept = known_columns(items.drop([name for name in without if name in items.columns]))
    texts = item_texts(kept)
    return [texts[item_id].line(max_chars=max_chars) for item_id in items[schema.ITEM]]


def _standard(positions: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    spread = positions.std()
    standard: np.ndarray = (positions - positions.mean()) / (spread if spread > 1e-12 else 1.0)
    return standard
