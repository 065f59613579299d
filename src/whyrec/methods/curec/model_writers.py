"""Patterns and reasons from a language model; what it fails at goes to a writer that the caller names.

Given a check, a text with a claim that does not hold is asked for again, a bounded number of times, with what did not
hold named; a text of which nothing can be checked may rank, and is not marked as verified. Answers are kept in the
model's cache, so a run that is killed goes on where it was.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from whyrec.data.item_lines import ItemText, text_of
from whyrec.evaluation.asking import AskingCounts, Attempt, ask_until_verified, correction
from whyrec.interfaces import Verdict
from whyrec.llm.base import Completion, Message, Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.reading import read_answer
from whyrec.llm.structured import OutputSchema, SchemaViolationError
from whyrec.methods.curec.answers import (
    ParsedText,
    ParsedUpdate,
    parse_pattern,
    parse_reason,
    parse_update,
    pattern_schema,
    reason_schema,
    update_schema,
)
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import Interaction, UserHistory
from whyrec.methods.curec.patterns import PatternWriter
from whyrec.methods.curec.prompts import Ask, PromptTemplate
from whyrec.methods.curec.reasons import ReasonRequest, ReasonWriter

Text = TypeVar("Text", Pattern, Reason)
Question = TypeVar("Question", UserHistory, ReasonRequest)
Parsed = TypeVar("Parsed", ParsedText, ParsedUpdate)

PATTERN_SAMPLING = SamplingConfig(max_tokens=400)
REASON_SAMPLING = SamplingConfig(max_tokens=200)
UPDATE_SAMPLING = SamplingConfig(max_tokens=500)
"""With room for a pattern and a reason."""
_AGAIN_TEMPERATURE = 0.7
"""Of a text that is asked for again."""

PatternCheck = Callable[[UserHistory, str], Verdict]
"""Verifies a pattern against the history that it was written from."""
ReasonCheck = Callable[[ReasonRequest, str], Verdict]
"""Verifies a reason against what was known strictly before its interaction."""


@dataclass(frozen=True)
class LanguageModelPatternWriter:
    """Asks a language model for each pattern (CURec Eq. (5)); implements ``PatternWriter``."""

    model: LanguageModel
    items: Mapping[str, ItemText]
    """The catalogue in words, from ``item_texts``."""
    template: PromptTemplate = field(default_factory=PromptTemplate)
    fallback: PatternWriter | None = None
    """Writes where the model fails; None: nobody does."""
    sampling: SamplingConfig = PATTERN_SAMPLING
    is_forced: bool = False
    """Let the model write nothing but the form of a pattern, where its backend can."""
    check: PatternCheck | None = None
    """None: the first text is taken, unverified."""
    failures: Counter[str] = field(default_factory=Counter)
    """Why answers were refused, counted over all calls: ``no text``, ``empty``, ``cut``, ``form``."""
    counts: AskingCounts = field(default_factory=AskingCounts)
    """What became of all texts asked for, over all calls."""

    def write_patterns(self, histories: Sequence[UserHistory]) -> list[Pattern]:
        """Write a pattern from each history.

        A history of which the catalogue says nothing is not asked about.

        Raises:
            UnknownIdError: If an item is not in the catalogue.
            PromptTooLongError: Before anything is asked, if a prompt cannot be made short enough.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        schema = pattern_schema() if self.is_forced else None
        session = _Session(self.model, self.template, schema, self.sampling, parse_pattern, self.failures)
        asks = [self._ask_of(history) for history in histories]
        check = self.check
        judged = None if check is None else lambda place, text: check(histories[place], text)
        texts = session.write(asks, check=judged, counts=self.counts)
        own = [
            None
            if found is None or history.until is None
            else Pattern(
                history.user_id, len(history), history.until, found.text, self.model.writer, verified=found.is_verified
            )
            for history, found in zip(histories, texts, strict=True)
        ]
        fallback = None if self.fallback is None else self.fallback.write_patterns
        return _filled_up(own, histories, key=_prefix_key, fallback=fallback)

    def _ask_of(self, history: UserHistory) -> Ask | None:
        texts = _texts_of(history, self.items)
        if not any(item.is_known for item in texts):
            return None
        return lambda template: template.pattern(texts)


@dataclass(frozen=True)
class LanguageModelReasonWriter:
    """Asks a language model for each reason (CURec Eq. (6)); implements ``ReasonWriter``."""

    model: LanguageModel
    items: Mapping[str, ItemText]
    """The catalogue in words, from ``item_texts``."""
    template: PromptTemplate = field(default_factory=PromptTemplate)
    fallback: ReasonWriter | None = None
    """Writes where the model fails; None: nobody does."""
    sampling: SamplingConfig = REASON_SAMPLING
    is_forced: bool = False
    """Let the model write nothing but the form of a reason, where its backend can."""
    check: ReasonCheck | None = None
    """None: the first text is taken, unverified."""
    failures: Counter[str] = field(default_factory=Counter)
    """Why answers were refused, counted over all calls: ``no text``, ``empty``, ``cut``, ``form``."""
    counts: AskingCounts = field(default_factory=AskingCounts)
    """What became of all texts asked for, over all calls."""

    def write_reasons(self, requests: Sequence[ReasonRequest]) -> list[Reason]:
        """Write a reason for each interaction, from what was known strictly before it.

        An item of which the catalogue says nothing is not asked about.

        Raises:
            UnknownIdError: If an item is not in the catalogue.
            PromptTooLongError: Before anything is asked, if a prompt cannot be made short enough.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        schema = reason_schema() if self.is_forced else None
        session = _Session(self.model, self.template, schema, self.sampling, parse_reason, self.failures)
        asks = [self._ask_of(request) for request in requests]
        check = self.check
        judged = None if check is None else lambda place, text: check(requests[place], text)
        texts = session.write(asks, check=judged, counts=self.counts)
        own = [
            None
            if found is None
            else replace(_reason(request, found.text, writer=self.model.writer), verified=found.is_verified)
            for request, found in zip(requests, texts, strict=True)
        ]
        fallback = None if self.fallback is None else self.fallback.write_reasons
        return _filled_up(own, requests, key=_interaction_key, fallback=fallback)

    def _ask_of(self, request: ReasonRequest) -> Ask | None:
        target = text_of(request.interaction.item_id, self.items)
        history = _texts_of(request.history, self.items)
        pattern = request.pattern.text if request.pattern is not None else None
        if not target.is_known:
            return None
        return lambda template: template.reason(target, pattern=pattern, history=history)


@dataclass(frozen=True)
class LanguageModelUpdateWriter:
    """Asks a language model for pattern and reason in one, after an item was taken (CURec Eq. (14))."""

    model: LanguageModel
    items: Mapping[str, ItemText]
    """The catalogue in words, from ``item_texts``."""
    template: PromptTemplate = field(default_factory=PromptTemplate)
    sampling: SamplingConfig = UPDATE_SAMPLING
    is_forced: bool = False
    """Let the model write nothing but the form of an update, where its backend can."""
    check: ReasonCheck | None = None
    """Given, an update whose reason has a claim that does not hold is left out; None: all are taken."""
    failures: Counter[str] = field(default_factory=Counter)
    """Why answers were refused, counted over all calls: ``no text``, ``empty``, ``cut``, ``form``, ``not
    borne out``."""

    def write_updates(self, requests: Sequence[ReasonRequest]) -> list[tuple[Pattern, Reason]]:
        """Write the pattern that follows each interaction and the reason for it, from the pattern before and the item.

        The pattern rests on what the one before it rests on and on the interaction, so that it may be read only after
        it. What the model fails at is left out.

        Raises:
            UnknownIdError: If an item is not in the catalogue.
            PromptTooLongError: Before anything is asked, if a prompt cannot be made short enough.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        asks = [self._ask_of(request) for request in requests]
        schema = update_schema() if self.is_forced else None
        answers = _ask(self.model, asks, template=self.template, schema=schema, sampling=self.sampling)
        updates = []
        for request, answer in zip(requests, answers, strict=True):
            found = _parsed(answer, parse_update, self.failures)
            if found is not None and found.pattern is not None and found.reason is not None:
                if self.check is not None and self.check(request, found.reason).unsupported:
                    self.failures["not borne out"] += 1
                    continue
                user_id, _, timestamp = request.interaction
                n_items = len(request.history) + 1
                pattern = Pattern(user_id, n_items, timestamp, found.pattern, self.model.writer)
                updates.append((pattern, _reason(request, found.reason, writer=self.model.writer)))
        return updates

    def _ask_of(self, request: ReasonRequest) -> Ask | None:
        target = text_of(request.interaction.item_id, self.items)
        pattern = request.pattern.text if request.pattern is not None else None
        if not target.is_known:
            return None
        return lambda template: template.update(target, pattern=pattern)


def _reason(request: ReasonRequest, text: str, *, writer: str) -> Reason:
    user_id, item_id, timestamp = request.interaction
    return Reason(item_id, user_id, timestamp, text, writer)


def _texts_of(history: UserHistory, items: Mapping[str, ItemText]) -> list[ItemText]:
    return [text_of(item_id, items) for item_id in history.item_ids]


class _Checked(NamedTuple):
    text: str
    is_verified: bool


@dataclass(frozen=True)
class _Session:
    """One kind of text, asked of one model."""

    model: LanguageModel
    template: PromptTemplate
    schema: OutputSchema | None
    sampling: SamplingConfig
    parse: Callable[[str], ParsedText]
    failures: Counter[str]

    def write(
        self, asks: Sequence[Ask | None], *, check: Callable[[int, str], Verdict] | None, counts: AskingCounts
    ) -> list[_Checked | None]:
        """Texts in the order of asking; None where there is none."""
        prompts = _prompts(self.model, asks, template=self.template, sampling=self.sampling)
        self.failures.update("no text" for prompt in prompts if prompt is None)
        asked = [place for place, prompt in enumerate(prompts) if prompt is not None]

        def ask(
            places: Sequence[int], failed: Mapping[int, Attempt[_Checked]], *, attempt: int
        ) -> list[Attempt[_Checked] | None]:
            again = [self._again(prompts[asked[it]], failed.get(it), attempt=attempt) for it in places]
            drawn = {"temperature": _AGAIN_TEMPERATURE, "seed": attempt} if attempt else {}
            sampling = self.sampling.model_copy(update=drawn)
            answers = self.model.complete(again, schema=self.schema, sampling=sampling)
            return [self._read(answer, asked[it], check) for it, answer in zip(places, answers, strict=True)]

        # Without a check there is nothing to say that another text would be better.
        found = ask_until_verified(len(asked), ask, counts=counts, **({} if check is not None else {"attempts": 1}))
        texts = {asked[place]: text for place, text in found.items()}
        return [texts.get(place) for place in range(len(asks))]

    def _read(
        self, answer: Completion, place: int, check: Callable[[int, str], Verdict] | None
    ) -> Attempt[_Checked] | None:
        parsed = _parsed(answer, self.parse, self.failures)
        if parsed is None or parsed.text is None:
            return None
        verdict = Verdict(()) if check is None else check(place, parsed.text)
        return Attempt(_Checked(parsed.text, verdict.verified), verdict, is_good=not verdict.unsupported)

    def _again(self, prompt: Prompt | None, failed: Attempt[_Checked] | None, *, attempt: int) -> Prompt:
        """The prompt with what came of it and what was wrong, if there is room; else a sample of its own."""
        assert prompt is not None, "only what can be asked about is asked again"
        plain = replace(prompt, sample=attempt)
        if failed is None:
            return plain
        told = (Message("assistant", failed.text.text), Message("user", correction(failed.verdict)))
        longer = replace(plain, messages=(*prompt.messages, *told))
        context = self.model.backend.context_tokens
        room = None if context is None else context - self.sampling.max_tokens
        return longer if room is None or self.model.backend.count_tokens([longer])[0] <= room else plain


def _prompts(
    model: LanguageModel, asks: Sequence[Ask | None], *, template: PromptTemplate, sampling: SamplingConfig
) -> list[Prompt | None]:
    """Prompts that leave room for an answer; None where there is nothing to ask."""
    prompts = {place: Prompt(ask(template)) for place, ask in enumerate(asks) if ask is not None}
    context = model.backend.context_tokens
    if context is not None:
        room = context - sampling.max_tokens
        lengths = dict(zip(prompts, model.backend.count_tokens(list(prompts.values())), strict=True))
        for place, ask in enumerate(asks):
            if ask is not None and lengths[place] > room:
                fitted = template.fit_length(
                    ask,
                    max_tokens=room,
                    count_tokens=lambda messages: model.backend.count_tokens([Prompt(messages)])[0],
                )
                prompts[place] = Prompt(fitted)
    return [prompts.get(place) for place in range(len(asks))]


def _ask(
    model: LanguageModel,
    asks: Sequence[Ask | None],
    *,
    template: PromptTemplate,
    schema: OutputSchema | None,
    sampling: SamplingConfig,
) -> list[Completion | None]:
    """Answers in the order of asking; None where there was nothing to ask."""
    prompts = _prompts(model, asks, template=template, sampling=sampling)
    asked = [prompt for prompt in prompts if prompt is not None]
    answers = iter(model.complete(asked, schema=schema, sampling=sampling))
    return [None if prompt is None else next(answers) for prompt in prompts]


def _parsed(answer: Completion | None, parse: Callable[[str], Parsed], failures: Counter[str]) -> Parsed | None:
    """What an answer says; None, and its cause counted, where that is nothing of use."""
    if answer is None:
        failures["no text"] += 1
        return None

    def read(text: str) -> Parsed:
        parsed = parse(text)
        if parsed.failure is not None:
            raise SchemaViolationError(parsed.failure)
        return parsed

    return read_answer(answer, read, failures)


def _filled_up(
    own: Sequence[Text | None],
    asked: Sequence[Question],
    *,
    key: Callable[[Question | Text], Hashable],
    fallback: Callable[[Sequence[Question]], list[Text]] | None,
) -> list[Text]:
    """The model's texts with the fall-back's where there is none, in the order of asking."""
    missing = [question for question, text in zip(asked, own, strict=True) if text is None]
    # The other writer may leave some out too, so its texts are put in by what they are about, not by place.
    others = {key(text): text for text in fallback(missing)} if fallback is not None and missing else {}
    filled = [
        text if text is not None else others.get(key(question)) for question, text in zip(asked, own, strict=True)
    ]
    return [text for text in filled if text is not None]


def _prefix_key(about: UserHistory | Pattern) -> Hashable:
    return (
        (about.user_id, len(about), about.until)
        if isinstance(about, UserHistory)
        else (about.user_id, about.n_items, about.until)
    )


def _interaction_key(about: ReasonRequest | Reason) -> Hashable:
    return (
        about.interaction
        if isinstance(about, ReasonRequest)
        else Interaction(about.user_id, about.item_id, about.timestamp)
    )
