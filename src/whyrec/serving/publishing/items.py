"""Pages of items: history, forecast, what they are known for, where they stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from whyrec.data.facts import ItemFacts, item_facts
from whyrec.methods.guided.aspects import HIGHEST, LOWEST
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.mllm3rec.artefacts import ItemTraits
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.trail.wording import window_phrase
from whyrec.serving.documents import (
    AspectBar,
    ExplanationDocument,
    Forecast,
    HistoryPoint,
    ItemPage,
    TraitDocument,
)
from whyrec.serving.publishing.catalogue import Described
from whyrec.serving.publishing.sources import Sources

_ITEMS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, eq=False)
class ItemPages:
    """Makes the pages of a catalogue."""

    sources: Sources
    catalogue: Mapping[str, Described]
    forecasts: Mapping[str, Forecast]
    explanations: Mapping[str, ExplanationDocument]
    """Of forecasts, for everybody."""

    def batches(self) -> Iterator[list[ItemPage]]:
        """All pages, some at a time."""
        item_ids = list(self.catalogue)
        for start in range(0, len(item_ids), _ITEMS_AT_ONCE):
            yield self.of(item_ids[start : start + _ITEMS_AT_ONCE])

    def of(self, item_ids: Sequence[str]) -> list[ItemPage]:
        """The pages of some items."""
        facts = item_facts(self.sources.data, item_ids=item_ids, cutoff=self.sources.at)
        traits, bars = self._traits(item_ids), self._bars(item_ids)
        return [
            ItemPage(
                item_id=item_id,
                title=self.catalogue[item_id].title,
                description=self.catalogue[item_id].description,
                attributes=self.catalogue[item_id].attributes,
                first_seen=facts[item_id].first_seen,
                total_users=facts[item_id].total_users,
                history=_history(facts[item_id]),
                forecast=self.forecasts.get(item_id),
                traits=_trait_documents(traits.get(item_id)),
                aspects=bars.get(item_id, ()),
                explanation=self.explanations.get(item_id),
            )
            for item_id in item_ids
        ]

    def _traits(self, item_ids: Sequence[str]) -> Mapping[str, ItemTraits | None]:
        model = self.sources.model(MLLM3Recommender)
        return {} if model is None else model.traits(self.sources.data, item_ids=item_ids, at=self.sources.at)

    def _bars(self, item_ids: Sequence[str]) -> dict[str, tuple[AspectBar, ...]]:
        model = self.sources.model(GuidedRecommender)
        if model is None:
            return {}
        rows = model.item_levels(item_ids).tolist()
        return {it: level_bars(model, item=row) for it, row in zip(item_ids, rows, strict=True)}


def level_bars(
    model: GuidedRecommender, *, user: Sequence[float] | None = None, item: Sequence[float] | None = None
) -> tuple[AspectBar, ...]:
    """Where a user or an item stands on every aspect; levels that are not a number are not known."""
    return tuple(
        AspectBar(
            key=aspect.key,
            name=aspect.name,
            low=aspect.low.means,
            high=aspect.high.means,
            user_level=_known(user, place),
            item_level=_known(item, place),
            mean_level=_known(model.normalisation_.mean, place),
            push=None,
        )
        for place, aspect in enumerate(model.aspects_.aspects)
    )


def _known(levels: Sequence[float] | None, place: int) -> float | None:
    # Means of 32-bit numbers may lie a hair beyond the ends.
    return None if levels is None or np.isnan(levels[place]) else min(max(float(levels[place]), LOWEST), HIGHEST)


def _history(facts: ItemFacts) -> tuple[HistoryPoint, ...]:
    return tuple(
        HistoryPoint(
            id=f"month:{month.window.start:%Y-%m}",
            label=window_phrase(month.window),
            start=month.window.start,
            end=month.window.end,
            users=month.users,
            complete=month.complete,
        )
        for month in facts.months
    )


def _trait_documents(traits: ItemTraits | None) -> tuple[TraitDocument, ...]:
    phrases = () if traits is None else traits.traits
    return tuple(TraitDocument(key=phrase, name=phrase, strength=None, text="") for phrase in phrases)
