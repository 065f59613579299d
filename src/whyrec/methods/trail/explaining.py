"""Explanations by the tuned model: generated behind the score, filled in, verified, asked for again, or replaced.

Nothing that failed the verification is passed on as verified: after a bounded number of attempts the offline writer
takes over, and the writer's name says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from whyrec.data.facts import ItemFacts
from whyrec.errors import InvalidDataError
from whyrec.evaluation.asking import AskingCounts, Attempt, ask_until_verified
from whyrec.evaluation.verification import Vocabulary, evidence_of, verify_explanation
from whyrec.interfaces import Explanation, ForecastPoint
from whyrec.llm.base import Completion, Message, Prompt, SamplingConfig
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

_TEMPERATURE = 0.7
"""Of all attempts but the first, which is the likeliest text."""
_OF_HISTORY = ("number", "month", "direction", "peak")
_STUTTER = re.compile(r"\b(\w+)(?: \1\b){2,}", re.IGNORECASE)
_SECTION = re.compile(r"\[(\w+)\] ([^\[]*)")


@dataclass
class WritingCounts(AskingCounts):
    """What became of the explanations that were asked for; an unreadable one was cut or lacked a section."""

    unresolved: int = 0
    """Of the unreadable, attempts with a reference that the item's facts cannot fill in."""
    numbers: int = 0
    """First attempts that could be read."""
    numbers_right: int = 0
    """Of those, texts in which every number, month and total is right."""

    def summary(self) -> str:
        """One line for the end of a run."""
        return f"{AskingCounts.summary(self)}, {self.unresolved:,} named facts that are not there"


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
    counts = WritingCounts()

    def ask(
        places: Sequence[int], failed: Mapping[int, Attempt[Explanation]], *, attempt: int
    ) -> list[Attempt[Explanation] | None]:
        # The model was tuned on one form of prompt: what failed cannot be put to it, but it is drawn anew.
        sampling = SamplingConfig(
            max_tokens=config.explanation_tokens, temperature=_TEMPERATURE if attempt else 0.0, seed=attempt
        )
        prompts = explanation_prompts([asked[place] for place in places], encoder, sample=attempt)
        completions = model.complete(prompts, schema=encoder.template.explanation_form(), sampling=sampling)
        answers = []
        for place, completion in zip(places, completions, strict=True):
            checked = _checked(asked[place], completion, counts, model=model, config=config, vocabulary=vocabulary)
            if checked is not None and attempt == 0:
                counts.numbers += 1
                wrong = checked.verdict.unsupported
                counts.numbers_right += not any(claim.kind in ("number", "month") for claim in wrong)
            answers.append(checked)
        return answers

    found = ask_until_verified(len(asked), ask, counts=counts)
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
    item: Asked,
    completion: Completion,
    counts: WritingCounts,
    *,
    model: LanguageModel,
    config: TrailConfig,
    vocabulary: Vocabulary,
) -> Attempt[Explanation] | None:
    if completion.failure is not None or completion.finish == "length":
        return None
    text = completion.text
    if config.references:
        try:
            text = fill(text, facts=item.facts, point=item.point)
        except InvalidDataError:
            counts.unresolved += 1
            return None
    sections = {name: body.strip() for name, body in _SECTION.findall(text)}
    text = "\n".join(f"[{name}] {body}" for name, body in sections.items())
    explanation = Explanation(
        item_id=item.facts.item_id,
        text=text,
        sections=sections,
        evidence=evidence_of(item.facts, item.point, ()),
        verdict=verify_explanation(text, facts=item.facts, forecast=item.point, vocabulary=vocabulary),
        writer=model.writer,
    )
    is_good = explanation.verdict.verified and _says_something(explanation, item.facts)
    return Attempt(explanation, explanation.verdict, is_good)


def _says_something(explanation: Explanation, facts: ItemFacts) -> bool:
    """Whether the trend tells of the history where there is one, and no word comes three times in a row.

    A text may be true and yet say nothing that it is for: a model that has learned little writes such texts.
    """
    end = explanation.text.find(f"[{SECTIONS[1]}]")
    tells = any(claim.kind in _OF_HISTORY and claim.start < end for claim in explanation.verdict.claims)
    return (tells or not facts.total_users) and _STUTTER.search(explanation.text) is None
