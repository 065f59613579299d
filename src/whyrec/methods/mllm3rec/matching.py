"""Which candidates fit a user, as a language model orders them: the listwise recommender (MAR, M-LLM3REC §3.3; M2).

A model favours places in a list, so each list is asked for in several orders and the ranks are averaged (M3). An order
is drawn by a seed, the user and the set of items: in what order the candidates came in changes nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.base import Completion, Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.reading import read_answer
from whyrec.methods.mllm3rec.answers import (
    RankingRepairs,
    parse_ranking,
    ranking_schema,
)
from whyrec.methods.mllm3rec.equations import mean_ranks, top_k
from whyrec.methods.mllm3rec.motivations import require_strangers
from whyrec.methods.mllm3rec.prompts import Exemplar, UserSide, ranking_prompt

RANKING_SAMPLING = SamplingConfig(max_tokens=300)
"""Thirty labels take about two hundred tokens; the temperature is 0 (M14)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item as the ranker reads it."""

    item_id: str
    text: str
    """Its traits, or its description, in one line; from ``candidate_text``."""


@dataclass(frozen=True, slots=True)
class MatchingTask:
    """One user and the items to choose from (A_u)."""

    user_id: str
    user: UserSide
    candidates: tuple[Candidate, ...]

    def __post_init__(self) -> None:
        item_ids = [it.item_id for it in self.candidates]
        if not item_ids:
            raise InvalidDataError(f"user {self.user_id!r}: expected candidates, got none. Give one at least.")
        if len(set(item_ids)) < len(item_ids):
            twice = next(it for it in item_ids if item_ids.count(it) > 1)
            raise InvalidDataError(f"user {self.user_id!r}: expected each candidate once, got {twice!r} twice.")

    def shown(self, *, seed: int, permutation: int) -> list[Candidate]:
        """The candidates in one of the orders in which they are shown."""
        ordered = sorted(self.candidates, key=lambda it: it.item_id)
        key = "\n".join([str(seed), str(permutation), self.user_id, *(it.item_id for it in ordered)])
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        order = np.random.default_rng(int.from_bytes(digest[:16], "big")).permutation(len(ordered))
        return [ordered[place] for place in order.tolist()]


@dataclass(frozen=True, slots=True)
class Ordering:
    """What came of one permutation."""

    shown: tuple[str, ...]
    """item_ids in the order in which they stood before the model."""
    ranked: tuple[str, ...] | None
    """item_ids, best first; None where the answer could not be read."""
    repairs: RankingRepairs


@dataclass(frozen=True, slots=True)
class Matching:
    """A user's candidates in their order."""

    user_id: str
    item_ids: tuple[str, ...]
    """Best first. Equal ones stand in the order of the first permutation, which knows nothing of ids."""
    scores: tuple[float, ...]
    """Score(u, i), higher is better; equal ones are ties. A listwise one is minus the mean rank."""
    writer: str
    orderings: tuple[Ordering, ...] = ()
    """One per permutation; none where items were scored one by one."""

    @property
    def is_ranked(self) -> bool:
        """False if nothing that the model said could be read: all scores are then equal."""
        return len(set(self.scores)) > 1


@dataclass(frozen=True)
class ListwiseMatcher:
    """Asks a language model to order all candidates of a user at once (see M-LLM3REC Eq. (8))."""

    model: LanguageModel
    n_permutations: int = 3
    """In how many orders each list is asked for (M3)."""
    exemplars: tuple[Exemplar, ...] = ()
    """Solved examples of training users (M13). Chosen: none, as each holds another list of thirty."""
    sampling: SamplingConfig = RANKING_SAMPLING
    seed: int = 0
    """Of the orders."""
    failures: Counter[str] = field(default_factory=Counter)
    """Why orders could not be read, over all calls: ``empty``, ``cut``, ``form``, ``no label``."""
    repairs: Counter[str] = field(default_factory=Counter)
    """Over all calls: ``answers`` that were repaired, and labels ``repeated``, ``unknown`` and ``missing`` (M6)."""

    def __post_init__(self) -> None:
        if self.n_permutations < 1:
            raise InvalidConfigError(
                f"matching: expected n_permutations of at least 1, got {self.n_permutations}. Choose 1, 3 or 5."
            )

    def match(self, tasks: Sequence[MatchingTask]) -> list[Matching]:
        """Order each user's candidates.

        A permutation whose answer cannot be read is left out; if none can, all candidates are equal.

        Args:
            tasks: Users with their candidates.

        Returns:
            In the order of ``tasks``.

        Raises:
            InvalidConfigError: If an exemplar is of one of these users (M13).
            PromptTooLongError: Before anything is asked, if a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        require_strangers(self.exemplars, [task.user_id for task in tasks])
        completions = self._ask(tasks)
        return [self._matching(task, answers) for task, answers in zip(tasks, completions, strict=True)]

    def _ask(self, tasks: Sequence[MatchingTask]) -> list[list[Completion]]:
        """Answers per task, one per permutation. The form of an answer depends on the number of candidates alone."""
        found: dict[int, list[Completion]] = {}
        sizes = [len(task.candidates) for task in tasks]
        for size in sorted(set(sizes)):
            places = [place for place, other in enumerate(sizes) if other == size]
            prompts = [prompt for place in places for prompt in self._prompts(tasks[place])]
            answers = self.model.complete(
                prompts, schema=ranking_schema(candidate_labels(size)), sampling=self.sampling
            )
            for number, place in enumerate(places):
                found[place] = answers[number * self.n_permutations : (number + 1) * self.n_permutations]
        return [found[place] for place in range(len(tasks))]

    def _prompts(self, task: MatchingTask) -> list[Prompt]:
        names = candidate_labels(len(task.candidates))
        return [
            Prompt(
                ranking_prompt(
                    task.user,
                    labels=names,
                    candidates=[it.text for it in task.shown(seed=self.seed, permutation=permutation)],
                    exemplars=self.exemplars,
                )
            )
            for permutation in range(self.n_permutations)
        ]

    def _matching(self, task: MatchingTask, answers: Sequence[Completion]) -> Matching:
        orderings = tuple(
            self._ordering(task, answer, permutation=permutation) for permutation, answer in enumerate(answers)
        )
        first = list(orderings[0].shown)
        ranked = [ordering.ranked for ordering in orderings if ordering.ranked is not None]
        scores = -mean_ranks(_ranks(ranked, item_ids=first)) if ranked else np.zeros(len(first))
        return matching_of(task.user_id, first, scores=scores, writer=self.model.writer, orderings=orderings)

    def _ordering(self, task: MatchingTask, answer: Completion, *, permutation: int) -> Ordering:
        shown = tuple(it.item_id for it in task.shown(seed=self.seed, permutation=permutation))
        item_of = dict(zip(candidate_labels(len(shown)), shown, strict=True))
        label_of = {item_id: label for label, item_id in item_of.items()}
        # What is missing follows in an order of its own, unrelated to that in which the model read the candidates.
        completion = [label_of[it.item_id] for it in task.shown(seed=self.seed, permutation=-1 - permutation)]
        read = read_answer(
            answer, lambda text: parse_ranking(text, labels=list(item_of), completion=completion), self.failures
        )
        if read is None:
            return Ordering(shown, None, RankingRepairs())
        order, repairs = read
        self._count(repairs)
        return Ordering(shown, tuple(item_of[label] for label in order), repairs)

    def _count(self, repairs: RankingRepairs) -> None:
        if repairs.total:
            self.repairs["answers"] += 1
            self.repairs["repeated"] += repairs.repeated
            self.repairs["unknown"] += repairs.unknown
            self.repairs["missing"] += repairs.missing


def matching_of(
    user_id: str,
    item_ids: Sequence[str],
    *,
    scores: Float[np.ndarray, " N"],
    writer: str,
    orderings: tuple[Ordering, ...] = (),
) -> Matching:
    """Put scored candidates in order; equal ones keep theirs."""
    order = top_k(scores, k=len(item_ids)).tolist()
    return Matching(
        user_id,
        tuple(item_ids[place] for place in order),
        tuple(float(scores[place]) for place in order),
        writer,
        orderings,
    )


def candidate_labels(n: int) -> list[str]:
    """What candidates are called (M4): C01, C02, ..., all equally long."""
    digits = max(2, len(str(n)))
    return [f"C{place:0{digits}d}" for place in range(1, n + 1)]


def _ranks(ranked: Sequence[Sequence[str]], *, item_ids: Sequence[str]) -> Int[np.ndarray, "P N"]:
    rank_of = [{item_id: rank for rank, item_id in enumerate(order, start=1)} for order in ranked]
    return np.array([[ranks[item_id] for item_id in item_ids] for ranks in rank_of])
