"""Who writes the explanations that TRAIL is trained on: the offline writer, or the language model, blind to the score.

The paper leaves it open; its authors' scripts hand the true score to the writer, so that the texts are wise after the
event. Here a text may speak of the true score only because the answer has named it before the text begins
(``score_first``), and whatever it says has been checked against what was known at the sample's cut-off.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whyrec.data.dataset import Dataset
from whyrec.data.facts import ItemFacts
from whyrec.errors import InvalidDataError
from whyrec.evaluation.verification import Vocabulary, verify_explanation
from whyrec.evaluation.verification.mentions import split_sentences
from whyrec.interfaces import Claim, Explanation, ForecastPoint
from whyrec.llm.base import GREEDY, Completion, Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.methods.trail.prompts import SECTIONS, PaperTemplate
from whyrec.methods.trail.references import fill
from whyrec.methods.trail.referring import refer
from whyrec.methods.trail.sample_facts import facts_of_samples
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.writer import write_explanation

ATTEMPTS = 5
"""Phrasings of the offline writer that are tried until one passes the verification."""
_OTHER_SEED = 1_000_003
"""Between the seeds of two attempts; further apart than any two days, which set the first."""
_NUMBER = "For {window} the forecast is {users:forecast}."
_IN_SECTIONS = re.compile(r"\s*" + r".*\S\s*".join(rf"\[{name}\]:?\s" for name in SECTIONS) + r".*\S\s*", re.DOTALL)
_END_OF_THOUGHT = "</think>"


@dataclass(frozen=True, slots=True)
class ModelTexts:
    """What a language model wrote, as far as it passed."""

    texts: Mapping[int, str]
    """Verified explanations by the sample's position."""
    asked: int
    refused: Mapping[str, int]
    """Why the others failed, a text counting once under each reason: ``cut`` at the token limit, ``sections`` not in
    order, ``no claims``, ``future`` (it names a number for the coming window), or the kind of an unsupported claim."""


def offline_teacher(
    samples: Sequence[Sample],
    data: Dataset,
    *,
    as_references: bool,
    vocabulary: Vocabulary | None = None,
    seed: int = 0,
) -> dict[int, str]:
    """Let the offline writer explain training samples; only what passes the verification is kept.

    The target stands in for the forecast, and the history's facts are those of the cut-off. That is right for answers
    that put the score first, as the score has been read when the text begins. In answers that put the explanation
    first the text would know the future: whether it calls the forecast above or below the last thirty days.

    Args:
        samples: With targets.
        data: The dataset that they were drawn from.
        as_references: Write ``{people:-1}`` for "152 people" (see ``references``), at most a few sentences a section.
            Without, the text says everything out but the interval and rank, which no target can tell.
        vocabulary: The catalogue's names for the verification; None reads them from ``data``.
        seed: Varies the phrasing, not the content.

    Returns:
        Texts by the sample's position.

    Raises:
        InvalidDataError: If a sample has no target.
    """
    names = vocabulary or Vocabulary.of(data.items)
    told: dict[int, str] = {}
    for position, (sample, facts) in enumerate(zip(samples, facts_of_samples(samples, data), strict=True)):
        point = _hindsight(sample, position=position)
        text = _offline_text(
            facts, point, as_references=as_references, names=names, seed=seed + sample.window.start.toordinal()
        )
        if text is not None:
            told[position] = text
    return told


def model_teacher(
    model: LanguageModel,
    samples: Sequence[Sample],
    data: Dataset,
    *,
    template: PaperTemplate,
    sampling: SamplingConfig = GREEDY,
    vocabulary: Vocabulary | None = None,
) -> ModelTexts:
    """Let a language model explain training samples without the score; only what passes the verification is kept.

    A number for the coming window is refused even where it is right. A direction is not, but it must be the one that
    demand then took, for the text will stand behind that score.

    Args:
        model: The base model.
        samples: With targets, which the model never sees.
        data: The dataset that they were drawn from.
        template: Asks for the explanation alone.
        sampling: How answers are drawn.
        vocabulary: The catalogue's names for the verification; None reads them from ``data``.

    Raises:
        InvalidDataError: If a sample has no target.
        PromptTooLongError: Before anything is asked, if a prompt leaves no room for its answer.
        EndpointError: If a server fails for good; what was answered before is in the cache.
    """
    names = vocabulary or Vocabulary.of(data.items)
    points = [_hindsight(sample, position=position) for position, sample in enumerate(samples)]
    completions = model.complete([Prompt(template.explanation_prompt(sample)) for sample in samples], sampling=sampling)
    texts: dict[int, str] = {}
    refused: Counter[str] = Counter()
    for position, facts in enumerate(facts_of_samples(samples, data)):
        text = _after_thought(completions[position])
        reasons = _reasons_against(text, completions[position], facts=facts, point=points[position], names=names)
        refused.update(reasons)
        if not reasons:
            texts[position] = text
    return ModelTexts(texts, asked=len(samples), refused=dict(refused))


def _hindsight(sample: Sample, *, position: int) -> ForecastPoint:
    """What came, as if it had been forecast; rank and interval are nobody's and never reach a text."""
    if sample.target is None:
        raise InvalidDataError(
            f"sample {position} (item {sample.history.item_id!r}): expected a target to explain, got none. "
            "Draw samples with targets."
        )
    low, high = math.floor(sample.target / 2), 2 * sample.target + 1
    return ForecastPoint(sample.history.item_id, sample.window, 1, float(sample.target), float(low), float(high))


def _offline_text(
    facts: ItemFacts, point: ForecastPoint, *, as_references: bool, names: Vocabulary, seed: int
) -> str | None:
    for attempt in range(ATTEMPTS):
        explanation = write_explanation(facts, point, seed=seed + attempt * _OTHER_SEED, vocabulary=names)
        if explanation.verdict.verified:
            if as_references:
                return refer(explanation, facts=facts, point=point)
            text = _without_interval(explanation, number=fill(_NUMBER, facts=facts, point=point))
            if verify_explanation(text, facts=facts, forecast=point, vocabulary=names).verified:
                return text
    return None


def _without_interval(explanation: Explanation, *, number: str) -> str:
    """State the forecast alone; sentences of the section that say more of it are left out."""
    text, tag = explanation.text, f"[{SECTIONS[-1]}] "
    start = text.index(tag) + len(tag)
    kept = [
        text[stretch.start : stretch.end].strip()
        for stretch in split_sentences(text)
        if stretch.start >= start
        and not any(_tells_forecast(claim) for claim in explanation.verdict.claims if stretch.holds(claim.start))
    ]
    return text[:start] + " ".join([number, *kept])


def _tells_forecast(claim: Claim) -> bool:
    about_it = (name for name in claim.evidence_ids if name == "rank" or name.startswith("forecast"))
    return claim.kind == "number" and any(about_it)


def _after_thought(completion: Completion) -> str:
    """The answer behind the thoughts that reasoning models write first."""
    return completion.text.rpartition(_END_OF_THOUGHT)[2].strip()


def _reasons_against(
    text: str, completion: Completion, *, facts: ItemFacts, point: ForecastPoint, names: Vocabulary
) -> set[str]:
    if completion.finish == "length":
        return {"cut"}
    if _IN_SECTIONS.fullmatch(text) is None or any(text.count(f"[{name}]") != 1 for name in SECTIONS):
        return {"sections"}
    verdict = verify_explanation(text, facts=facts, forecast=point, vocabulary=names)
    if not verdict.claims:
        return {"no claims"}
    reasons: set[str] = {claim.kind for claim in verdict.unsupported}
    return reasons | ({"future"} if any(_tells_forecast(claim) for claim in verdict.claims) else set())
