"""Why an item suits a user: bars of both on every aspect, what each adds to the score, and words that are checked.

A part of a score says little alone: as much may go to every item. So an aspect *moves an item up* by what it adds to
this item's score beyond what it adds to the mean item's, for the same user.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import cited_evidence, verify_interests
from whyrec.evaluation.verification.levels import LevelFacts, ScaleFacts
from whyrec.evaluation.verification.titles import quoted
from whyrec.interfaces import Evidence, Explanation
from whyrec.methods.guided.aspects import Aspect, AspectSet
from whyrec.recommending.explained import ExplainedEntry

REASON = "Reason"
"""The section of an explanation."""
_MOST_NAMED = 3
_LEAST_SHARE = 0.1
"""Of all that aspects add, so much makes one worth naming. Chosen."""
_MOST_POPULAR = 10


@dataclass(frozen=True, slots=True)
class AspectPart:
    """One aspect: where user and item stand, and what it does to the score."""

    key: str
    name: str
    user_level: float | None
    """The level that the user prefers, from 1 to 10; None for somebody of whom nothing is known. A mean over what was
    taken lies nearer to the middle than items do."""
    item_level: float | None
    """From 1 to 10; None for an item without scores, which counts as the mean item."""
    mean_level: float
    """Of the items of the training data."""
    part: float
    """What the aspect adds to the score."""
    mean_part: float
    """What it adds to the scores of all items on average, for this user."""

    @property
    def push(self) -> float:
        """How far the aspect moves the item up, or down."""
        return self.part - self.mean_part


@dataclass(frozen=True, slots=True)
class ExplainedScore(ExplainedEntry):
    """A score taken apart, exactly: ``base`` and the parts of all aspects sum to it, but for rounding."""

    base: float
    """What the trainable columns add, and the item's bias."""
    mean_base: float
    """The same, mean over all items, for this user."""
    aspects: tuple[AspectPart, ...]
    """In the order of the set."""

    @property
    def base_push(self) -> float:
        """How far what was learnt of who took what moves the item up, or down."""
        return self.base - self.mean_base

    @property
    def mean_score(self) -> float:
        """Of all items, for this user; with ``base_push`` and every aspect's push it sums to the score."""
        return self.mean_base + sum(part.mean_part for part in self.aspects)

    def record(self) -> dict[str, object]:
        """The entry as JSON holds it, with every aspect's part."""
        return {
            # Classes with slots are made anew, which a bare super() does not know of.
            **ExplainedEntry.record(self),
            "base": self.base,
            "base_push": self.base_push,
            "aspects": [{**asdict(part), "push": part.push} for part in self.aspects],
        }


@dataclass(frozen=True, slots=True)
class Case:
    """A user and an item, with all that is computed of them."""

    user_id: str
    item_id: str
    rank: int | None
    score: float
    base: float
    mean_base: float
    parts: tuple[AspectPart, ...]
    history: Sequence[str]
    """item_ids strictly before the moment, oldest first; none for somebody unknown."""
    n_better: int
    """Items that are more popular."""
    carrier: tuple[str, float] | None = None
    """The item of the history without which the score would be lowest, and by how much; None where none lifts it."""


@dataclass(frozen=True)
class Explainer:
    """Writes and verifies reasons about one catalogue as of one moment."""

    aspects: AspectSet
    catalogue: InterestCatalogue
    writer: str
    """Who gave the scores."""
    are_written: bool = False
    """Whether users' levels were written down, not read off what they took."""

    @cached_property
    def _by_key(self) -> Mapping[str, Aspect]:
        return {aspect.key: aspect for aspect in self.aspects.aspects}

    def explain(self, case: Case) -> ExplainedScore:
        """Write the reason; a sentence of which a claim does not hold is left out."""
        facts = InterestFacts(self.catalogue, case.history, case.item_id)
        levels = self._levels(case)
        told = [it for it in self._sentences(case) if not verify_interests(it, facts=facts, levels=levels).unsupported]
        reason = " ".join(told)
        text = f"[{REASON}] {reason}"
        verdict = verify_interests(text, facts=facts, levels=levels)
        evidence = {it.id: it for it in (*cited_evidence(verdict, facts=facts), *self._evidence(case))}
        explanation = Explanation(
            item_id=case.item_id,
            text=text,
            sections={REASON: reason},
            evidence=tuple(evidence.values()),
            verdict=verdict,
            writer=self.writer,
            user_id=case.user_id,
        )
        title = self.catalogue.items[case.item_id].title
        return ExplainedScore(explanation, title, case.rank, case.score, case.base, case.mean_base, aspects=case.parts)

    def _levels(self, case: Case) -> LevelFacts:
        scales = [
            ScaleFacts(
                part.key,
                part.name,
                self._by_key[part.key].low.means,
                self._by_key[part.key].high.means,
                item=part.item_level,
                user=part.user_level,
                mean=part.mean_level,
                push=part.push,
            )
            for part in case.parts
        ]
        return LevelFacts(tuple(scales), base_push=case.base - case.mean_base)

    def _sentences(self, case: Case) -> list[str]:
        title = self._named(case.item_id)
        if not case.history:
            stands = "is among" if case.n_better < _MOST_POPULAR else "is not among"
            return ["Nothing is known of this user yet.", f"{title} {stands} the most popular items of late."]
        ups, downs = named_parts(case.parts)
        base_push = case.base - case.mean_base
        if not ups:
            sentences = [f"{self._of_base(title, base_push)} {self._without_ups(case)}"]
        else:
            sentences = [f"{title} moves up for its {_listed([self._leaning(part) for part in ups])}."]
            sentences += self._of_user(case, ups)
            if base_push > sum(part.push for part in ups):
                sentences.append("The larger part of its score is what was learnt from who took what.")
            elif base_push < 0:
                sentences.append("What was learnt from who took what speaks against it.")
        if case.carrier is not None:
            sentences.append(f"Of the history, {self._named(case.carrier[0])} carries it most.")
        return sentences + [f"Its {_listed([self._leaning(part) for part in downs])} moves it down." for _ in downs[:1]]

    @staticmethod
    def _of_base(title: str, base_push: float) -> str:
        if base_push > 0:
            return f"{title} is here for what was learnt from who took what;"
        return (
            f"What was learnt from who took what speaks against {title};" if base_push < 0 else f"{title} is here, but"
        )

    @staticmethod
    def _without_ups(case: Case) -> str:
        is_scored = any(part.item_level is not None for part in case.parts)
        return "no aspect moves it up." if is_scored else "it has no scores on the aspects."

    def _leaning(self, part: AspectPart) -> str:
        aspect = self._by_key[part.key]
        if part.item_level is None:
            return aspect.name
        end = aspect.high if part.item_level >= part.mean_level else aspect.low
        return f"{aspect.name} (towards {end.means})"

    def _of_user(self, case: Case, ups: Sequence[AspectPart]) -> list[str]:
        is_alike = all(_same_side(part) for part in ups)
        whose = "What this user is said to prefer" if self.are_written else "What this user took"
        return [f"{whose} stands on the same side."] if is_alike else []

    def _named(self, item_id: str) -> str:
        return quoted(self.catalogue.items[item_id].title)

    def _evidence(self, case: Case) -> list[Evidence]:
        if not case.history:
            return [Evidence("popularity", "recent", "more popular items", float(case.n_better))]
        ups, downs = named_parts(case.parts)
        found = [Evidence("base", "driver", "what was learnt from who took what", case.base - case.mean_base, "score")]
        if case.carrier is not None:
            item_id, loss = case.carrier
            label = f"what {self._named(item_id)} in the history adds"
            found.append(Evidence(f"carried:{item_id}", "driver", label, loss, "score"))
        for part in (*ups, *downs):
            found.append(Evidence(f"push:{part.key}", "driver", f"what {part.name} adds", part.push, "score"))
            levels = (("item", part.item_level), ("user", part.user_level))
            found += [
                Evidence(f"level:{whose}:{part.key}", "driver", f"{part.name}: the {whose}'s level", level, "points")
                for whose, level in levels
                if level is not None
            ]
        return found


def named_parts(parts: Sequence[AspectPart]) -> tuple[list[AspectPart], list[AspectPart]]:
    """The aspects worth naming: those that move an item up most, and the one that moves it down most, if it counts.

    None of an item without scores: that the mean item's aspects suit somebody is no reason for it.
    """
    parts = [part for part in parts if part.item_level is not None]
    least = _LEAST_SHARE * sum(abs(part.push) for part in parts)
    counted = sorted((part for part in parts if abs(part.push) > least), key=lambda part: -abs(part.push))
    ups = [part for part in counted if part.push > 0][:_MOST_NAMED]
    return ups, [part for part in counted if part.push < 0][:1]


def _same_side(part: AspectPart) -> bool:
    if part.user_level is None or part.item_level is None:
        return False
    return (part.user_level - part.mean_level) * (part.item_level - part.mean_level) > 0


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
