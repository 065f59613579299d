"""The three modules in a row with a language model: profiles, traits, and the order of each user's candidates.

Over a catalogue the candidates are the top of the offline list; in the 1 + 29 protocol they are the case's thirty.
Every part can be left out: histories stand in for profiles and descriptions for traits, which with both left out is the
plain language model that the paper calls LLM-only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import polars as pl

from whyrec.data.item_lines import ItemText, item_texts
from whyrec.interfaces import RECOMMENDATION_SCHEMA
from whyrec.methods.mllm3rec.artefacts import ItemTraits, Profile
from whyrec.methods.mllm3rec.contexts import UserContext, history_block
from whyrec.methods.mllm3rec.matching import Candidate, ListwiseMatcher, Matching, MatchingTask
from whyrec.methods.mllm3rec.motivations import ProfileExtractor
from whyrec.methods.mllm3rec.prompts import UserSide, history_side, profile_side
from whyrec.methods.mllm3rec.roles import Models
from whyrec.methods.mllm3rec.schema import MotivationSchema, default_schema
from whyrec.methods.mllm3rec.scoring import PointwiseMatcher
from whyrec.methods.mllm3rec.trait_rules import Brands
from whyrec.methods.mllm3rec.traits import TraitExtractor, candidate_text

_MAX_HISTORY, _MAX_ITEM_CHARS = 20, 200


@dataclass(frozen=True, slots=True)
class Reranked:
    """Orders, and all that they rest on."""

    matchings: tuple[Matching, ...]
    profiles: Mapping[str, Profile]
    """By user_id; a user whose profile could not be read is absent: the bare history was shown."""
    traits: Mapping[str, ItemTraits]
    """By item_id; an item without usable traits is absent: its description was shown."""

    def lists(self, *, k: int) -> pl.DataFrame:
        """The first ``k`` of every user, columns of ``RECOMMENDATION_SCHEMA``."""
        rows = [
            (it.user_id, item_id, score, rank)
            for it in self.matchings
            for rank, (item_id, score) in enumerate(zip(it.item_ids[:k], it.scores[:k], strict=True), start=1)
        ]
        return pl.DataFrame(rows, schema=RECOMMENDATION_SCHEMA, orient="row")


@dataclass(frozen=True)
class Reranker:
    """Orders candidates by language models."""

    models: Models
    items: Mapping[str, ItemText]
    """The catalogue in words."""
    brands: Brands = field(default_factory=Brands.none)
    """What no trait may name."""
    motivations: MotivationSchema = field(default_factory=default_schema)
    with_profiles: bool = True
    """False shows bare histories (Table 5: w/o MOPE)."""
    with_traits: bool = True
    """False shows descriptions (Table 5: w/o MOTE)."""
    reflects: bool = True
    """Ask a second time whether a profile holds."""
    n_permutations: int = 3
    """Orders in which each list is asked for; 0 scores items one by one (M2)."""
    seed: int = 0
    """Of the orders."""

    @classmethod
    def of(cls, items: pl.DataFrame, models: Models) -> Self:
        """With a catalogue and the defaults."""
        return cls(models, item_texts(items), Brands.of(items))

    def rerank(self, contexts: Sequence[UserContext], candidates: Mapping[str, Sequence[str]]) -> Reranked:
        """Order each user's candidates.

        Args:
            contexts: What is known of each user; strictly before the moment in question.
            candidates: item_ids by user_id.

        Raises:
            InvalidDataError: If there is neither a history nor a stated motivation of a user, or no candidates.
            UnknownIdError: If an item is not in the catalogue.
            PromptTooLongError: If a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        for context in contexts:
            context.require_something()
        profiles = self._profiles(contexts)
        traits = self._traits([item for context in contexts for item in candidates[_id_of(context)]])
        tasks = [
            MatchingTask(
                _id_of(context),
                self._side(context, profiles.get(_id_of(context))),
                tuple(
                    Candidate(item_id, candidate_text(item_id, traits, items=self.items))
                    for item_id in candidates[_id_of(context)]
                ),
            )
            for context in contexts
        ]
        return Reranked(tuple(self._matcher().match(tasks)), profiles, traits)

    def _matcher(self) -> ListwiseMatcher | PointwiseMatcher:
        if not self.n_permutations:
            return PointwiseMatcher(self.models.ranker)
        return ListwiseMatcher(self.models.ranker, n_permutations=self.n_permutations, seed=self.seed)

    def _profiles(self, contexts: Sequence[UserContext]) -> dict[str, Profile]:
        # Own words without a history are a profile's only source.
        asked = [it for it in contexts if self.with_profiles or not it.taken]
        extractor = ProfileExtractor(self.models.extractor, self.items, schema=self.motivations, reflects=self.reflects)
        found = extractor.extract(asked) if asked else []
        return {_id_of(it): profile for it, profile in zip(asked, found, strict=True) if profile is not None}

    def _traits(self, item_ids: Sequence[str]) -> dict[str, ItemTraits]:
        if not self.with_traits:
            return {}
        return TraitExtractor(self.models.extractor, self.items, self.brands).extract(item_ids)

    def _side(self, context: UserContext, profile: Profile | None) -> UserSide:
        if profile is not None and profile.present:
            return profile_side(profile)
        shown = history_block(context.latest(_MAX_HISTORY), self.items, max_item_chars=_MAX_ITEM_CHARS)
        return history_side(shown or f"wants: {context.stated.strip()}")


def _id_of(context: UserContext) -> str:
    return "" if context.user_id is None else context.user_id
