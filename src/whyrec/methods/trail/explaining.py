"""Explanations by the tuned model: generated behind the score, filled in, verified, asked for again, or replaced.

Nothing that failed the verification is passed on as verified: after a bounded number of attempts the offline writer
takes over, and the writer's name says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from whyrec.data.facts import ItemFacts
from whyrec.errors import InvalidDataError
from whyrec.evaluation.verification import Vocabulary, evidence_of, verify_explanation
from whyrec.interfaces import Explanation, ForecastPoint
from whyrec.llm.base import Message, Prompt, SamplingConfig
from whyrec.llm.cache import open_cache
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.local.loading import LoadedModel
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.model import LanguageModel
from whyrec.llm.usage import FREE, Estimate
from whyrec.methods.trail.config import TrailConfig
from whyrec.methods.trail.encoding import Encoder
from whyrec.methods.trail.prompts import EXPLANATION_START, SECTIONS
from whyrec.methods.trail.references import fill
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.writer import write_verified

ATTEMPTS = 3
"""The likeliest text first, then drawn ones."""
_TEMPERATURE = 0.7
_OF_HISTORY = ("number", "month", "direction", "peak")
_STUTTER = re.compile(r"\b(\w+)(?: \1\b){2,}", re.IGNORECASE)
_SECTION = re.compile(r"\[(\w+)\] ([^\[]*)")


@dataclass
class WritingCounts:
    """What became of the texts that were asked for."""

    asked: int = 0
    attempts: int = 0
    cut: int = 0
    """Attempts that ended at the token limit or lacked a section."""
    unresolved: int = 0
    """Attempts with a reference that the item's facts cannot fill in."""
    refused: int = 0
    """Attempts with a claim that the data do not bear out, or that say nothing of the history, or stutter."""
    verified_at_once: int = 0
    """Items whose first attempt passed."""
    by_model: int = 0
    """Items explained by the model in the end."""
    numbers: int = 0
    """First attempts that could be read."""
    numbers_right: int = 0
    """Of those, texts in which every number, month and total is right."""
    refused_kinds: dict[str, int] = field(default_factory=dict)
    """Kinds of claims that were not borne out, over all attempts."""

    def summary(self) -> str:
        """One line for the end of a run."""
        other = self.asked - self.by_model
        return (
            f"{self.asked:,} explained: {self.by_model:,} by the model ({self.verified_at_once:,} at once), "
            f"{other:,} by the offline writer; of {self.attempts:,} attempts {self.cut:,} were cut or lacked a "
            f"section, {self.unresolved:,} named facts that are not there, {self.refused:,} were refused"
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One item to explain."""

    sample: Sample
    facts: ItemFacts
    point: ForecastPoint


def language_model(loaded: LoadedModel, *, config: TrailConfig, cache: Path | None) -> LanguageModel:
    """The tuned model with a cache before it, so that a killed run goes on where it was."""
    backend = LocalBackend(loaded, LocalSettings(device=config.device, template=config.rendering))
    return LanguageModel(backend, cache=open_cache(cache) if cache is not None else None, price=FREE)


def explanation_prompts(asked: Sequence[Asked], encoder: Encoder, *, sample: int = 0) -> list[Prompt]:
    """Prompts whose answers have begun: the score stands, the explanation follows.

    Args:
        asked: Items.
        encoder: How the model is asked.
        sample: Which of several independent answers.
    """
    return [
        Prompt((*encoder.messages(item.sample), Message("assistant", _begun(item, encoder))), sample=sample)
        for item in asked
    ]


def write_explanations(
    asked: Sequence[Asked],
    model: LanguageModel,
    encoder: Encoder,
    *,
    config: TrailConfig,
    vocabulary: Vocabulary,
) -> tuple[list[Explanation], WritingCounts]:
    """Explain items, each with a verdict; what the model cannot say rightly, the offline writer says.

    Args:
        asked: Items with their forecasts.
        model: The tuned model.
        encoder: How it is asked.
        config: References or free text; the longest text.
        vocabulary: The catalogue's names.
    """
    counts = WritingCounts(asked=len(asked))
    found: dict[int, Explanation] = {}
    for attempt in range(ATTEMPTS):
        open_places = [place for place in range(len(asked)) if place not in found]
        if not open_places:
            break
        sampling = SamplingConfig(
            max_tokens=config.explanation_tokens, temperature=_TEMPERATURE if attempt else 0.0, seed=attempt
        )
        prompts = explanation_prompts([asked[place] for place in open_places], encoder, sample=attempt)
        completions = model.complete(prompts, schema=encoder.template.explanation_form(), sampling=sampling)
        for place, completion in zip(open_places, completions, strict=True):
            counts.attempts += 1
            if completion.failure is not None or completion.finish == "length":
                counts.cut += 1
                continue
            explanation = _checked(asked[place], completion.text, model=model, config=config, vocabulary=vocabulary)
            if explanation is None:
                counts.unresolved += 1
                continue
            is_good = explanation.verdict.verified and _says_something(explanation, asked[place].facts)
            _count(explanation, counts, is_good=is_good, is_first=attempt == 0)
            if is_good:
                found[place] = explanation
    counts.by_model = len(found)
    return [
        found.get(place) or write_verified(item.facts, item.point, vocabulary=vocabulary)
        for place, item in enumerate(asked)
    ], counts


def estimate_explanations(
    asked: Sequence[Asked], model: LanguageModel, encoder: Encoder, *, config: TrailConfig
) -> Estimate:
    """What the first attempt would take; nothing is asked."""
    sampling = SamplingConfig(max_tokens=config.explanation_tokens)
    return model.estimate(
        explanation_prompts(asked, encoder), schema=encoder.template.explanation_form(), sampling=sampling
    )


def texts_before_scores(
    samples: Sequence[Sample], model: LanguageModel, encoder: Encoder, *, config: TrailConfig
) -> list[str]:
    """The likeliest explanations where they stand before the score; empty where one was cut or lacked a section.

    Args:
        samples: Items without targets.
        model: The tuned model.
        encoder: How it is asked.
        config: The longest text.
    """
    begun = Message("assistant", _before_explanation(encoder, score=0.0))
    prompts = [Prompt((*encoder.messages(sample), begun)) for sample in samples]
    sampling = SamplingConfig(max_tokens=config.explanation_tokens)
    completions = model.complete(prompts, schema=encoder.template.explanation_form(), sampling=sampling)
    return [
        "" if completion.failure is not None or completion.finish == "length" else completion.text
        for completion in completions
    ]


def _begun(item: Asked, encoder: Encoder) -> str:
    return _before_explanation(encoder, score=item.point.expected)


def _before_explanation(encoder: Encoder, *, score: float) -> str:
    answer = encoder.template.answer(score=encoder.template.score_text(score), explanation="x")
    return answer.text[: answer.explanation[0]] + EXPLANATION_START


def _checked(
    item: Asked, text: str, *, model: LanguageModel, config: TrailConfig, vocabulary: Vocabulary
) -> Explanation | None:
    if config.references:
        try:
            text = fill(text, facts=item.facts, point=item.point)
        except InvalidDataError:
            return None
    sections = {name: body.strip() for name, body in _SECTION.findall(text)}
    text = "\n".join(f"[{name}] {body}" for name, body in sections.items())
    return Explanation(
        item_id=item.facts.item_id,
        text=text,
        sections=sections,
        evidence=evidence_of(item.facts, item.point, ()),
        verdict=verify_explanation(text, facts=item.facts, forecast=item.point, vocabulary=vocabulary),
        writer=model.writer,
    )


def _says_something(explanation: Explanation, facts: ItemFacts) -> bool:
    """Whether the trend tells of the history where there is one, and no word comes three times in a row.

    A text may be true and yet say nothing that it is for: a model that has learned little writes such texts.
    """
    end = explanation.text.find(f"[{SECTIONS[1]}]")
    tells = any(claim.kind in _OF_HISTORY and claim.start < end for claim in explanation.verdict.claims)
    return (tells or not facts.total_users) and _STUTTER.search(explanation.text) is None


def _count(explanation: Explanation, counts: WritingCounts, *, is_good: bool, is_first: bool) -> None:
    wrong = explanation.verdict.unsupported
    counts.refused += not is_good
    for claim in wrong:
        counts.refused_kinds[claim.kind] = counts.refused_kinds.get(claim.kind, 0) + 1
    if is_first:
        counts.verified_at_once += is_good
        counts.numbers += 1
        counts.numbers_right += not any(claim.kind in ("number", "month") for claim in wrong)
