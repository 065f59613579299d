"""How well each candidate fits a user, asked one by one: the paper's own form of Score(u, i), as an option (M2).

Where the model runs on this machine, nothing is generated: the score is the mean of the numbers that it might write,
weighted by how likely it is to write each. Else it is the number that it writes, and many candidates will be equal.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.model import LanguageModel
from whyrec.llm.reading import read_answer
from whyrec.methods.mllm3rec.answers import (
    MOST_SCORE,
    parse_score,
    score_schema,
)
from whyrec.methods.mllm3rec.matching import Matching, MatchingTask, matching_of
from whyrec.methods.mllm3rec.motivations import require_strangers
from whyrec.methods.mllm3rec.prompts import Exemplar, score_prompt

SCORE_SAMPLING = SamplingConfig(max_tokens=16)
_BEGUN = '{"score": '
_UNREAD = -1.0
"""Below every score: candidates without a readable answer stand at the end, all equal (M6)."""


@dataclass(frozen=True)
class PointwiseMatcher:
    """Asks a language model about each candidate alone (see M-LLM3REC Eq. (8))."""

    model: LanguageModel
    exemplars: tuple[Exemplar, ...] = ()
    """Solved examples of training users (M13)."""
    sampling: SamplingConfig = SCORE_SAMPLING
    seed: int = 0
    """Of the order in which equal candidates stand."""
    reads_probabilities: bool = True
    """Read the likelihood of every number where the backend can; else take the number that is written."""
    failures: Counter[str] = field(default_factory=Counter)
    """Why scores could not be read, over all calls: ``empty``, ``cut``, ``form``."""

    def match(self, tasks: Sequence[MatchingTask]) -> list[Matching]:
        """Score and order each user's candidates.

        Args:
            tasks: Users with their candidates.

        Returns:
            In the order of ``tasks``; scores from 0 to 100, and -1 where the answer could not be read.

        Raises:
            InvalidConfigError: If an exemplar is of one of these users (M13).
            PromptTooLongError: If a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        require_strangers(self.exemplars, [task.user_id for task in tasks])
        shown = [task.shown(seed=self.seed, permutation=0) for task in tasks]
        prompts = [
            Prompt(score_prompt(task.user, item=it.text, exemplars=self.exemplars))
            for task, candidates in zip(tasks, shown, strict=True)
            for it in candidates
        ]
        scores = self._scores(prompts)
        found = []
        start = 0
        for task, candidates in zip(tasks, shown, strict=True):
            own = scores[start : start + len(candidates)]
            start += len(candidates)
            item_ids = [it.item_id for it in candidates]
            found.append(matching_of(task.user_id, item_ids, scores=own, writer=self.model.writer))
        return found

    def _scores(self, prompts: Sequence[Prompt]) -> Float[np.ndarray, " N"]:
        backend = self.model.backend
        if self.reads_probabilities and isinstance(backend, LocalBackend):
            return likely_scores(backend, prompts)
        answers = self.model.complete(prompts, schema=score_schema(), sampling=self.sampling)
        read = [read_answer(answer, parse_score, self.failures) for answer in answers]
        return np.array([_UNREAD if score is None else score for score in read], dtype=np.float64)


def likely_scores(backend: LocalBackend, prompts: Sequence[Prompt]) -> Float[np.ndarray, " N"]:
    """The mean score that a local model would write, by the likelihood of each (M2); nothing is generated.

    Raises:
        PromptTooLongError: If a prompt is longer than the model's context.
    """
    from whyrec.llm.choices import expected_numbers
    from whyrec.llm.local.likely import likely_numbers

    numbers = range(MOST_SCORE + 1)
    found = likely_numbers(backend, prompts, begun=[_BEGUN] * len(prompts), numbers=numbers)
    return expected_numbers(found, numbers)
