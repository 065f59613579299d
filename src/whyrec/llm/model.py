"""``LanguageModel``: what methods hold. It asks the cache first, the backend for the rest, and checks every answer."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from whyrec.llm.base import (
    GREEDY,
    Answer,
    Backend,
    Completion,
    ModelIdentity,
    Prompt,
    Request,
    SamplingConfig,
    require_room,
)
from whyrec.llm.structured import OutputSchema, failure_of
from whyrec.llm.usage import Estimate, Price, Usage
from whyrec.runtime.progress import progress_bar


class Rates(Protocol):
    """How a model did so far, by the cache."""

    @property
    def completion_tokens(self) -> float:
        """Mean length of an answer, in tokens."""
        ...

    @property
    def seconds(self) -> float:
        """Mean time spent on an answer."""
        ...


class Cache(Protocol):
    """What keeps answers; ``CompletionCache`` in ``cache.py`` is the one."""

    def find(self, keys: Sequence[str]) -> Mapping[str, Answer]:
        """The answers that are kept, by key."""
        ...

    def keep(self, request: Request, answer: Answer, *, failure: str | None, cost: float | None) -> Answer:
        """Keep an answer for good and return what is kept now: the first answer, if another process was faster."""
        ...

    def rates(self, identity: ModelIdentity) -> Rates | None:
        """How this model did so far, or None if nothing is known."""
        ...


class LanguageModel:
    """A backend with a cache before it and a check behind it.

    Every answer is in the cache before the caller sees it, so a run that is killed at any moment goes on where it
    was. The same request twice is asked once.
    """

    def __init__(self, backend: Backend, *, cache: Cache | None = None, price: Price | None = None) -> None:
        """Put a cache and a price to a backend.

        Args:
            backend: What answers.
            cache: What keeps answers; None keeps nothing.
            price: What tokens cost; None where unknown.
        """
        self.backend = backend
        self.usage = Usage(price=price)
        self._cache = cache

    @property
    def identity(self) -> ModelIdentity:
        """All about the model that affects its answers."""
        return self.backend.identity

    @property
    def writer(self) -> str:
        """How artefacts name who wrote them."""
        return self.identity.writer

    def complete(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None = None, sampling: SamplingConfig = GREEDY
    ) -> list[Completion]:
        """Answer prompts, in their order.

        Args:
            prompts: What to ask.
            schema: What each answer must look like; one that does not carries its ``failure``.
            sampling: How answers are drawn.

        Raises:
            PromptTooLongError: Before anything is asked, if a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        requests = self._requests(prompts, schema=schema, sampling=sampling)
        keys = [request.key for request in requests]
        distinct = dict(zip(keys, requests, strict=True))
        answers = dict(self._cache.find(list(distinct))) if self._cache is not None else {}
        found = frozenset(answers)
        missing = [key for key in distinct if key not in found]
        # Closing matters: a caller that is interrupted must not leave a backend at work.
        with closing(self._ask(missing, distinct, schema=schema, sampling=sampling)) as asking:
            answers.update(asking)
        self.usage.cached += len(keys) - len(missing)
        completions = []
        seen: set[str] = set()
        for key in keys:
            completions.append(self._checked(answers[key], schema=schema, cached=key in found or key in seen))
            seen.add(key)
        self.usage.failed += sum(completion.failure is not None for completion in completions)
        return completions

    def estimate(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None = None, sampling: SamplingConfig = GREEDY
    ) -> Estimate:
        """What ``complete`` would take; asks nothing.

        Raises:
            PromptTooLongError: As ``complete`` would.
        """
        requests = self._requests(prompts, schema=schema, sampling=sampling)
        distinct = {request.key: request for request in requests}
        found = self._cache.find(list(distinct)) if self._cache is not None else {}
        to_ask = [request.prompt for key, request in distinct.items() if key not in found]
        lengths = self.backend.count_tokens(to_ask)
        require_room(lengths, context_tokens=self.backend.context_tokens, max_tokens=sampling.max_tokens)
        rates = self._cache.rates(self.identity) if self._cache is not None else None
        length = sampling.max_tokens if rates is None else min(rates.completion_tokens, sampling.max_tokens)
        return Estimate(
            prompts=len(distinct),
            cached=len(found),
            prompt_tokens=sum(lengths),
            completion_tokens=round(length * len(to_ask)),
            completion_tokens_are_upper_bound=rates is None,
            price=self.usage.price,
            seconds=None if rates is None else rates.seconds * len(to_ask) / self.backend.at_once,
        )

    def _requests(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None, sampling: SamplingConfig
    ) -> list[Request]:
        identity = self.identity
        return [Request(identity, prompt, schema, sampling) for prompt in prompts]

    def _ask(
        self,
        missing: Sequence[str],
        requests: Mapping[str, Request],
        *,
        schema: OutputSchema | None,
        sampling: SamplingConfig,
    ) -> Generator[tuple[str, Answer], None, None]:
        if not missing:
            return
        prompts = [requests[key].prompt for key in missing]
        started = time.perf_counter()
        try:
            with (
                progress_bar(f"asking {self.identity.model}", total=len(missing)) as step,
                closing(self.backend.answer(prompts, schema=schema, sampling=sampling)) as answering,
            ):
                for done, (position, answer) in enumerate(answering, start=1):
                    key = missing[position]
                    self.usage.add(answer)
                    yield key, self._kept(requests[key], answer)
                    step.advance()
                    step.describe(self._progress(done / (time.perf_counter() - started)))
        finally:
            self.usage.seconds += time.perf_counter() - started

    def _progress(self, rate: float) -> str:
        tokens = self.usage.prompt_tokens + self.usage.completion_tokens
        return f"asking {self.identity.model}: {rate:,.1f}/s, {tokens:,} tokens, {self.usage.cost_text()}"

    def _kept(self, request: Request, answer: Answer) -> Answer:
        if self._cache is None:
            return answer
        _, failure = failure_of(request.schema, answer.text, finish=answer.finish)
        price = self.usage.price
        cost = None if price is None else price.of_answer(answer)
        return self._cache.keep(request, answer, failure=failure, cost=cost)

    def _checked(self, answer: Answer, *, schema: OutputSchema | None, cached: bool) -> Completion:
        value, failure = failure_of(schema, answer.text, finish=answer.finish)
        return Completion(
            text=answer.text,
            value=value,
            failure=failure,
            finish=answer.finish,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            cached=cached,
            writer=self.writer,
            note=answer.note,
        )
