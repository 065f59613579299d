"""Why an item suits a user, in words that are checked: a motivation, a trait of the item, and the evidence.

Whatever a sentence says of titles and texts is verified against the catalogue and the history. How strongly somebody
looks for something is an inference, and stands in the evidence as the number that it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import cited_evidence, verify_interests
from whyrec.evaluation.verification.motives import Motive, MotiveFacts
from whyrec.interfaces import Evidence, Explanation
from whyrec.methods.mllm3rec.artefacts import ItemTraits, Motivation, Profile
from whyrec.methods.mllm3rec.motives import WRITER, MotiveScale, TextEncoder, listed
from whyrec.methods.mllm3rec.offline import TraitLexicon, shared_motivation
from whyrec.methods.mllm3rec.ranker import Lead
from whyrec.methods.mllm3rec.schema import MotivationSchema
from whyrec.methods.mllm3rec.text_space import Vectors
from whyrec.methods.mllm3rec.trait_rules import Brands

MOTIVATION, TRAIT, WISH, FALLBACK = "Motivation", "Trait", "Wish", "Fallback"
ALIKE, TOGETHER, POPULAR = "Alike", "Together", "Popular"
"""The sections of an explanation; the last three say what places the item before others."""
_MOST_POPULAR = 10


@dataclass(frozen=True, slots=True)
class ExplainedPair:
    """A user and an item, with what is known of both."""

    user_id: str
    item_id: str
    profile: Profile | None
    """None for somebody of whom nothing is known."""
    history: Sequence[str]
    """item_ids strictly before the moment, oldest first."""
    lead: Lead | None
    """What places the item before others most; None without a history."""
    nearest: str | None
    """The item of the history whose text is nearest; None without one."""
    together: str | None
    """The item of the history that most of those who took this one took; None without one."""
    wished: str | None
    """The weightiest word that the item's text shares with what the user wants; None without one."""
    is_new: bool
    """Nobody has taken the item yet."""
    n_better: int
    """Items that are more popular."""


@dataclass(frozen=True)
class Explainer:
    """Writes and verifies reasons about one catalogue as of one moment."""

    titles: Mapping[str, str]
    texts: Mapping[str, str]
    """Title and description: where a word that is cited must stand."""
    lexicon: TraitLexicon
    catalogue: InterestCatalogue
    motivations: MotivationSchema
    brands: Brands
    log: pl.LazyFrame
    """Interactions that may be read."""

    @classmethod
    def of(
        cls,
        data: Dataset,
        *,
        before: datetime | None,
        item_ids: pl.Series,
        scale: MotiveScale,
        encoder: TextEncoder,
    ) -> "Explainer":
        """Read a catalogue.

        Args:
            data: Catalogue and log.
            before: Only interactions strictly before it are read; None reads all.
            item_ids: Of the items that are ranked.
            scale: The motivations.
            encoder: The one that the scale was made with.
        """
        items = item_ids.to_frame(schema.ITEM).join(data.items, on=schema.ITEM, how="left", maintain_order="left")
        items = items.with_columns(pl.col(schema.TITLE).fill_null(""))
        texts, titles = _texts(items), items[schema.TITLE].to_list()
        log = data.interactions if before is None else data.before(before)
        columns = [name for name in (schema.TITLE, schema.DESCRIPTION) if name in data.items.columns]
        return cls(
            dict(zip(item_ids, titles, strict=True)),
            dict(zip(item_ids, texts, strict=True)),
            TraitLexicon.of(texts, titles, scale=scale, encoder=encoder),
            InterestCatalogue.of(data.items, interactions=log, text_columns=columns),
            scale.schema,
            Brands.of(data.items),
            log,
        )

    def as_of(self, data: Dataset, *, before: datetime | None) -> "Explainer":
        """The same catalogue with another log, or as of another moment.

        Args:
            data: Of the same items.
            before: Only interactions strictly before it are read; None reads all.
        """
        log = data.interactions if before is None else data.before(before)
        return replace(self, catalogue=self.catalogue.with_interactions(log), log=log)

    def traits(self, item_id: str, *, served: Vectors) -> ItemTraits | None:
        """An item's traits; None where nothing can be said."""
        return self.lexicon.traits(item_id, self.texts[item_id], served=served, of=self.motivations, brands=self.brands)

    def explain(self, pair: ExplainedPair, *, served: Vectors) -> Explanation:
        """Write and verify the reason.

        Args:
            pair: Whom and what.
            served: How much the item serves each motivation, [M].
        """
        sections, evidence = self._sections(pair, served=served)
        text = "\n".join(f"[{name}] {told}" for name, told in sections.items())
        facts = InterestFacts(self.catalogue, pair.history, pair.item_id)
        verdict = verify_interests(text, facts=facts, motives=self._motives(pair))
        listed_once = {it.id: it for it in (*cited_evidence(verdict, facts=facts), *evidence)}
        return Explanation(
            item_id=pair.item_id,
            text=text,
            sections=sections,
            evidence=tuple(listed_once.values()),
            verdict=verdict,
            writer=WRITER if pair.profile is None else pair.profile.writer,
            user_id=pair.user_id,
        )

    def _motives(self, pair: ExplainedPair) -> MotiveFacts | None:
        if pair.profile is None:
            return None
        strengths = self.motivations.strengths(pair.profile)
        known = zip(self.motivations.dimensions, strengths, strict=True)
        return MotiveFacts(tuple(Motive(it.key, it.name, float(strength)) for it, strength in known))

    def _sections(self, pair: ExplainedPair, *, served: Vectors) -> tuple[dict[str, str], list[Evidence]]:
        title = self._named(pair.item_id)
        new = " Nobody has taken it yet: it is here for what its text says." if pair.is_new else ""
        if pair.profile is None:
            stands = "is among" if pair.n_better < _MOST_POPULAR else "is not among"
            told = "Nothing is known of this user yet, nor what they want."
            told += f" {title} {stands} the most popular items of late."
            return {FALLBACK: told + new}, [_popularity(pair)]
        strengths = self.motivations.strengths(pair.profile)
        reason = shared_motivation(strengths, served, text=self.texts[pair.item_id], lexicon=self.lexicon)
        lead, evidence = self._lead(pair, title=title)
        trait = reason.trait or pair.wished
        if reason.dimension is None or (trait is None and _is_guess(pair.profile, strengths[reason.dimension])):
            name, told = lead or (WISH, self._wish(pair, title=title))
            return {name: f"{told} No motivation stands out.{new}"}, evidence
        dimension = self.motivations.dimensions[reason.dimension]
        motivation = next(it for it in pair.profile.motivations if it.dimension == dimension.key)
        fits = f"{title} goes with that"
        fits += f": it mentions “{trait}”." if trait else ", going by its text as a whole."
        sections = {MOTIVATION: self._motivation(motivation), TRAIT: fits + new}
        if lead and (lead[0] != ALIKE or pair.nearest not in motivation.evidence):
            sections[lead[0]] = lead[1]
        value = float(served[reason.dimension])
        return sections, [*self._inferences(pair, motivation, name=dimension.name, value=value), *evidence]

    def _lead(self, pair: ExplainedPair, *, title: str) -> tuple[tuple[str, str] | None, list[Evidence]]:
        """What places the item before others, as a section's name and text; None where there is nothing to tell."""
        if pair.lead == "together" and pair.together is not None:
            both = self._users_of_both(pair.item_id, pair.together)
            told = f"People who chose {self._named(pair.together)} also chose {title}."
            counted = Evidence(f"together:{pair.together}", "driver", "users who chose both", float(both), "users")
            return ((TOGETHER, told), [counted]) if both else (None, [])
        if pair.lead == "popular":
            stands = "is among the most popular items of late" if pair.n_better < _MOST_POPULAR else "is popular"
            return (POPULAR, f"{title} {stands}."), [_popularity(pair)]
        if pair.nearest is not None:
            return (ALIKE, f"Of the history, {self._named(pair.nearest)} is most like {title}."), []
        return None, []

    def _wish(self, pair: ExplainedPair, *, title: str) -> str:
        if pair.wished is None:
            return f"{title} is here for what its text says as a whole."
        return f"{title} comes near what was asked for: it mentions “{pair.wished}”."

    def _users_of_both(self, *item_ids: str) -> int:
        of_them = self.log.filter(pl.col(schema.ITEM).is_in(list(item_ids)))
        items = of_them.group_by(schema.USER).agg(pl.col(schema.ITEM).n_unique())
        return int(items.filter(pl.col(schema.ITEM) == len(item_ids)).select(pl.len()).collect().item())

    def _named(self, item_id: str) -> str:
        return listed([self.titles[item_id] or item_id])

    def _motivation(self, motivation: Motivation) -> str:
        sentence = motivation.sentence.strip()
        return sentence if sentence.endswith((".", "!", "?", "”")) else f"{sentence}."

    def _inferences(self, pair: ExplainedPair, motivation: Motivation, *, name: str, value: float) -> list[Evidence]:
        key = motivation.dimension
        found = [
            Evidence(f"motivation:{key}", "driver", f"strength of {name}, from 0 to 3", float(motivation.strength)),
            Evidence(f"trait:{key}", "driver", f"how much the item's text is like {name}", value, "deviations"),
        ]
        held = [it for it in motivation.evidence if it in self.titles]
        return found + [Evidence(f"interaction:{it}", "interaction", "chosen before", self.titles[it]) for it in held]


def _is_guess(profile: Profile, strength: int) -> bool:
    """Whether a motivation needs a word of the item's text to be told: by chance, one item in six is a weak one's."""
    is_inferred = any(motivation.evidence for motivation in profile.present)
    return profile.writer == WRITER and is_inferred and strength <= 1


def _popularity(pair: ExplainedPair) -> Evidence:
    return Evidence("popularity", "recent", "more popular items", float(pair.n_better))


def _texts(items: pl.DataFrame) -> list[str]:
    columns = [pl.col(name) for name in (schema.TITLE, schema.DESCRIPTION) if name in items.columns]
    return items.select(pl.concat_str(columns, separator=". ", ignore_nulls=True).alias("text"))["text"].to_list()
