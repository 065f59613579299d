"""Why the first items of a list are there, and a second look that keeps or demotes them (M-LLM3REC §3.3.3; M9)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from whyrec.llm.base import Completion, Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.reading import read_answer
from whyrec.llm.structured import JsonSchema
from whyrec.methods.mllm3rec.answers import (
    parse_rationale,
    parse_verdict,
    rationale_schema,
    verdict_schema,
)
from whyrec.methods.mllm3rec.artefacts import ItemTraits, Profile, Rationale
from whyrec.methods.mllm3rec.matching import Matching, matching_of
from whyrec.methods.mllm3rec.prompts import check_prompt, rationale_prompt

RATIONALE_SAMPLING = SamplingConfig(max_tokens=160)
VERDICT_SAMPLING = SamplingConfig(max_tokens=24)


@dataclass(frozen=True, slots=True)
class RationaleTask:
    """One item of a user's list that is to be explained."""

    profile: Profile
    traits: ItemTraits

    @property
    def is_answerable(self) -> bool:
        """False for a profile without any motivation: there is nothing to cite."""
        return bool(self.profile.present)


@dataclass(slots=True)
class DemotionEffect:
    """What the second look changed, counted over all calls."""

    checked: int = 0
    demoted: int = 0
    lists: int = 0
    lists_changed: int = 0
    """Lists in which an item changed places with one that was not demoted."""


@dataclass(frozen=True)
class RationaleWriter:
    """Asks a language model why an item fits a user, and whether that holds."""

    model: LanguageModel
    sampling: SamplingConfig = RATIONALE_SAMPLING
    failures: Counter[str] = field(default_factory=Counter)
    """Why there is no rationale, over all calls: ``nothing to cite``, ``empty``, ``cut``, ``form``, ``motivation``,
    ``trait``, ``long``, ``nothing``; and verdicts that could not be read, ``no verdict: form``, ..."""
    effect: DemotionEffect = field(default_factory=DemotionEffect)

    def write(self, tasks: Sequence[RationaleTask]) -> list[Rationale | None]:
        """Ask for a rationale of each item: one motivation of the profile, one trait of the item, one sentence.

        Returns:
            In the order of ``tasks``; None where the answer could not be used.

        Raises:
            PromptTooLongError: Before anything is asked, if a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        found: list[Rationale | None] = [None] * len(tasks)
        for form, places in self._by_form(tasks).items():
            prompts = [Prompt(rationale_prompt(tasks[it].profile, traits=tasks[it].traits.traits)) for it in places]
            answers = self.model.complete(prompts, schema=form, sampling=self.sampling)
            for place, answer in zip(places, answers, strict=True):
                found[place] = self._read(tasks[place], answer)
        return found

    def keeps(self, tasks: Sequence[RationaleTask], rationales: Sequence[Rationale | None]) -> list[bool]:
        """Ask whether each rationale holds. What has none, or gets no readable verdict, is kept.

        Args:
            tasks: As given to ``write``.
            rationales: What it returned.

        Raises:
            As ``write``.
        """
        places = [place for place, rationale in enumerate(rationales) if rationale is not None]
        prompts = [
            Prompt(check_prompt(tasks[it].profile, traits=tasks[it].traits.traits, rationale=_in_words(rationales[it])))
            for it in places
        ]
        answers = self.model.complete(prompts, schema=verdict_schema(), sampling=VERDICT_SAMPLING)
        unread: Counter[str] = Counter()
        verdicts = {
            place: read_answer(answer, parse_verdict, unread) for place, answer in zip(places, answers, strict=True)
        }
        self.failures.update({f"no verdict: {kind}": n for kind, n in unread.items()})
        self.effect.checked += len(places)
        self.effect.demoted += sum(verdict == "demote" for verdict in verdicts.values())
        return [verdicts.get(place) != "demote" for place in range(len(tasks))]

    def reconsider(
        self,
        matchings: Sequence[Matching],
        *,
        profiles: Mapping[str, Profile],
        traits: Mapping[str, ItemTraits],
        k: int,
    ) -> tuple[list[Matching], dict[tuple[str, str], Rationale]]:
        """Explain the first ``k`` items of each list and put those whose rationale does not hold to its end.

        Args:
            matchings: Lists of users.
            profiles: By user_id; the list of a user without one stays as it is.
            traits: By item_id; an item without traits is neither explained nor demoted.
            k: How many of each list are looked at.

        Returns:
            The lists, and the rationales by user_id and item_id.

        Raises:
            As ``write``.
        """
        asked = {
            (matching.user_id, item_id): RationaleTask(profiles[matching.user_id], traits[item_id])
            for matching in matchings
            if matching.user_id in profiles
            for item_id in matching.item_ids[:k]
            if item_id in traits
        }
        tasks = list(asked.values())
        rationales = self.write(tasks)
        kept = dict(zip(asked, self.keeps(tasks, rationales), strict=True))
        after = [self._demoted(matching, kept) for matching in matchings]
        return after, {key: it for key, it in zip(asked, rationales, strict=True) if it is not None}

    def _demoted(self, matching: Matching, kept: Mapping[tuple[str, str], bool]) -> Matching:
        is_kept = [kept.get((matching.user_id, item_id), True) for item_id in matching.item_ids]
        after = demote(matching, is_kept)
        self.effect.lists += 1
        self.effect.lists_changed += after.item_ids != matching.item_ids
        return after

    def _by_form(self, tasks: Sequence[RationaleTask]) -> dict[JsonSchema, list[int]]:
        """Places of the tasks whose answers have the same form."""
        found: dict[JsonSchema, list[int]] = {}
        for place, task in enumerate(tasks):
            if not task.is_answerable:
                self.failures["nothing to cite"] += 1
                continue
            form = rationale_schema(_dimensions(task), n_traits=len(task.traits.traits))
            found.setdefault(form, []).append(place)
        return found

    def _read(self, task: RationaleTask, answer: Completion) -> Rationale | None:
        traits = task.traits.traits
        read = read_answer(
            answer,
            lambda text: parse_rationale(text, dimensions=_dimensions(task), n_traits=len(traits)),
            self.failures,
        )
        if read is None:
            return None
        dimension, place, sentence = read
        return Rationale(task.traits.item_id, dimension, traits[place], sentence, self.model.writer)


def demote(matching: Matching, is_kept: Sequence[bool]) -> Matching:
    """Put the items that are not kept to the end of a list, among themselves in their order.

    Args:
        matching: The list.
        is_kept: Of each of its items.
    """
    scores = np.array(matching.scores)
    if all(is_kept):
        return matching
    # Below all others by more than any difference: 1 more than the whole range of scores.
    shift = float(scores.max() - scores.min()) + 1
    shifted = np.where(is_kept, scores, scores - shift)
    return matching_of(
        matching.user_id, matching.item_ids, scores=shifted, writer=matching.writer, orderings=matching.orderings
    )


def _dimensions(task: RationaleTask) -> list[str]:
    return [it.dimension for it in task.profile.present]


def _in_words(rationale: Rationale | None) -> str:
    if rationale is None:
        return ""
    return f"motivation: {rationale.dimension}\ntrait: {rationale.trait}\n{rationale.sentence}"
