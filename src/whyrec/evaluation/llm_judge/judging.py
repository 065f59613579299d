"""Ask a model for scores of explanations, several times each, and sum them up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from whyrec.errors import InvalidConfigError
from whyrec.evaluation.explanation_files import ToldExplanation
from whyrec.evaluation.explanations import Figure
from whyrec.evaluation.llm_judge.prompts import DIMENSIONS, judge_prompt, judge_schema, parse_judgement
from whyrec.evaluation.llm_judge.same_model import require_other_model
from whyrec.evaluation.significance import bootstrap_mean
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.reading import read_answer
from whyrec.llm.usage import Estimate

JUDGE_SAMPLING = SamplingConfig(temperature=0.3, max_tokens=200)
"""The paper's temperature (TRAIL §5.2.4)."""
DEFAULT_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge thinks of one explanation."""

    user_id: str | None
    item_id: str
    writer: str
    judge: str
    scores: tuple[Mapping[str, float], ...]
    """Of each sample that could be read, by dimension, from 0 to 1."""
    comments: tuple[str, ...]
    unreadable: int
    """Samples that could not be read."""

    def mean(self, dimension: str) -> float | None:
        """Over the samples; None if none could be read."""
        return float(np.mean(self._of(dimension))) if self.scores else None

    def spread(self, dimension: str) -> float | None:
        """Standard deviation over the samples (with n - 1); None for fewer than two."""
        return float(np.std(self._of(dimension), ddof=1)) if len(self.scores) > 1 else None

    def record(self) -> dict[str, object]:
        """As JSON holds it."""
        return {
            "user_id": self.user_id,
            "item_id": self.item_id,
            "writer": self.writer,
            "judge": self.judge,
            **{
                name: {"mean": self.mean(name), "spread": self.spread(name), "samples": self._of(name)}
                for name in DIMENSIONS
            },
            "comments": list(self.comments),
            "unreadable": self.unreadable,
        }

    def _of(self, dimension: str) -> list[float]:
        return [scores[dimension] for scores in self.scores]


@dataclass(frozen=True)
class Judge:
    """A language model that scores explanations, and a count of what it answered instead."""

    model: LanguageModel
    n_samples: int = DEFAULT_SAMPLES
    sampling: SamplingConfig = JUDGE_SAMPLING
    allow_same_model: bool = False
    failures: Counter[str] = field(default_factory=Counter)
    """Why answers could not be read, over all calls: ``empty``, ``cut``, ``form``."""

    def __post_init__(self) -> None:
        if self.n_samples < 1:
            raise InvalidConfigError(f"judge: expected at least 1 sample a text, got {self.n_samples}. Raise it.")
        if self.n_samples > 1 and self.sampling.temperature == 0:
            raise InvalidConfigError(
                f"judge: expected a temperature above 0 for {self.n_samples} samples a text, got 0, at which all are "
                "the same. Raise it, or take one sample."
            )

    def judge(self, told: Sequence[ToldExplanation]) -> list[Judgement]:
        """Score explanations, in their order.

        Raises:
            InvalidConfigError: If the model wrote any of them and may not judge itself.
            PromptTooLongError: Before anything is asked, if a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        answers = self.model.complete(self._prompts(told), schema=judge_schema(), sampling=self.sampling)
        judgements = []
        for place, one in enumerate(told):
            samples = answers[place * self.n_samples : (place + 1) * self.n_samples]
            read = [read_answer(answer, parse_judgement, self.failures) for answer in samples]
            judgements.append(self._judgement(one, [sample for sample in read if sample is not None]))
        return judgements

    def estimate(self, told: Sequence[ToldExplanation]) -> Estimate:
        """What ``judge`` would ask; nothing is asked.

        Raises:
            As ``judge``.
        """
        return self.model.estimate(self._prompts(told), schema=judge_schema(), sampling=self.sampling)

    def _prompts(self, told: Sequence[ToldExplanation]) -> list[Prompt]:
        if not self.allow_same_model:
            require_other_model([one.explanation.writer for one in told], self.model.identity)
        return [sample for one in told for sample in judge_prompt(one).samples(self.n_samples)]

    def _judgement(self, told: ToldExplanation, read: Sequence[tuple[dict[str, float], str]]) -> Judgement:
        explanation = told.explanation
        return Judgement(
            user_id=explanation.user_id,
            item_id=explanation.item_id,
            writer=explanation.writer,
            judge=self.model.writer,
            scores=tuple(scores for scores, _ in read),
            comments=tuple(comment for _, comment in read),
            unreadable=self.n_samples - len(read),
        )


def judgement_figures(judgements: Sequence[Judgement], *, n_resamples: int = 2000, seed: int = 0) -> dict[str, Figure]:
    """Sum up one judge's scores.

    Returns:
        By name: each of ``DIMENSIONS``, the mean over explanations of their mean score with its interval;
        ``spread[DIMENSION]``, the mean over explanations of the standard deviation over samples; ``unreadable``, the
        share of samples that could not be read. What no explanation has is left out.
    """
    figures: dict[str, Figure] = {}
    for name in DIMENSIONS:
        columns = {
            name: [it.mean(name) for it in judgements],
            f"spread[{name}]": [it.spread(name) for it in judgements],
        }
        for metric, column in columns.items():
            known = [value for value in column if value is not None]
            if known:
                interval = bootstrap_mean(known, n_resamples=n_resamples, seed=seed)
                figures[metric] = Figure(interval.value, interval.n, interval.low, interval.high)
    asked = sum(len(it.scores) + it.unreadable for it in judgements)
    if asked:
        figures["unreadable"] = Figure(sum(it.unreadable for it in judgements) / asked, len(judgements))
    return figures
