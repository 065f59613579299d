"""What every backend must do, as tests: subclass ``LanguageModelContract``, give ``backend``, and get them all."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from whyrec.errors import PromptTooLongError
from whyrec.llm.base import Answer, Backend, ModelIdentity, Prompt, Request, SamplingConfig
from whyrec.llm.cache import CompletionCache, open_cache
from whyrec.llm.model import LanguageModel
from whyrec.llm.structured import JsonSchema, OutputSchema, Regex

SHORT = SamplingConfig(max_tokens=12)
PROMPTS = [
    Prompt.of("A film about"),
    Prompt.of("Drama", system="Name the genre."),
    Prompt.of("The heroine of a long story about the sea, the war and the years that came after it"),
    Prompt.of("Comedy or war: which of the two?"),
    Prompt.of("x"),
]
NUMBER = Regex("(10|[1-9])")
VERDICT = JsonSchema.of(
    {
        "type": "object",
        "properties": {"score": {"type": "integer", "minimum": 0, "maximum": 9}, "liked": {"type": "boolean"}},
        "required": ["score", "liked"],
        "additionalProperties": False,
    }
)


class Counting:
    """A backend in front of another that counts what is asked."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.asked: list[Prompt] = []
        self.closed = 0

    @property
    def identity(self) -> ModelIdentity:
        return self.inner.identity

    @property
    def context_tokens(self) -> int | None:
        return self.inner.context_tokens

    @property
    def at_once(self) -> int:
        return self.inner.at_once

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        return self.inner.count_tokens(prompts)

    def answer(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None, sampling: SamplingConfig
    ) -> Generator[tuple[int, Answer], None, None]:
        self.asked += prompts
        try:
            yield from self.inner.answer(prompts, schema=schema, sampling=sampling)
        finally:
            self.closed += 1


class Interrupted:
    """A cache whose owner presses Ctrl-C right after so many answers were kept."""

    def __init__(self, inner: CompletionCache, *, after: int) -> None:
        self.inner = inner
        self.after = after
        self.kept = 0

    def find(self, keys: Sequence[str]) -> Mapping[str, Answer]:
        return self.inner.find(keys)

    def keep(self, request: Request, answer: Answer, *, failure: str | None, cost: float | None) -> Answer:
        answer = self.inner.keep(request, answer, failure=failure, cost=cost)
        self.kept += 1
        if self.kept == self.after:
            raise KeyboardInterrupt
        return answer

    def rates(self, identity: ModelIdentity) -> None:
        return None


class LanguageModelContract(ABC):
    """Subclass, give ``backend``; say ``forces_schema = False`` if it can only ask for a form, not force it."""

    forces_schema: ClassVar[bool] = True
    samples_by_seed: ClassVar[bool] = True

    @abstractmethod
    def backend(self) -> Backend:
        """The backend under test; may be one and the same for all tests."""

    @abstractmethod
    def cramped_backend(self) -> Backend:
        """The same with room for fewer than 60 tokens of prompt and answer together."""

    @pytest.fixture
    def counted(self) -> Counting:
        return Counting(self.backend())

    @pytest.fixture
    def cache(self, tmp_path: Path) -> CompletionCache:
        return open_cache(tmp_path / "completions.sqlite")

    def test_a_batch_equals_one_by_one_in_order(self, counted: Counting) -> None:
        model = LanguageModel(counted)
        batch = model.complete(PROMPTS, sampling=SHORT)
        one_by_one = [model.complete([prompt], sampling=SHORT)[0] for prompt in PROMPTS]
        assert [answer.text for answer in batch] == [answer.text for answer in one_by_one]
        assert [answer.prompt_tokens for answer in batch] == [answer.prompt_tokens for answer in one_by_one]

    def test_the_order_of_prompts_is_the_order_of_answers(self, counted: Counting) -> None:
        # A small model may answer everything alike; drawn answers differ, and order shows.
        sampling = SamplingConfig(temperature=1, max_tokens=12) if self.samples_by_seed else SHORT
        model = LanguageModel(counted)
        forward = [answer.text for answer in model.complete(PROMPTS, sampling=sampling)]
        backward = [answer.text for answer in model.complete(PROMPTS[::-1], sampling=sampling)]
        assert backward == forward[::-1]
        assert len(set(forward)) > 1, "all answers alike: order could not show"

    def test_temperature_zero_repeats(self, counted: Counting) -> None:
        model = LanguageModel(counted)
        assert model.complete(PROMPTS, sampling=SHORT) == model.complete(PROMPTS, sampling=SHORT)
        assert len(counted.asked) == 2 * len(PROMPTS)

    def test_a_seed_repeats_and_another_differs(self, counted: Counting) -> None:
        if not self.samples_by_seed:
            pytest.skip("this backend promises nothing about seeds above temperature 0")
        model = LanguageModel(counted)
        drawn = [
            [a.text for a in model.complete(PROMPTS, sampling=SamplingConfig(temperature=2, max_tokens=12, seed=seed))]
            for seed in (1, 1, 2)
        ]
        assert drawn[0] == drawn[1]
        assert drawn[0] != drawn[2]

    def test_samples_of_one_prompt_differ(self, counted: Counting) -> None:
        if not self.samples_by_seed:
            pytest.skip("this backend promises nothing about seeds above temperature 0")
        sampling = SamplingConfig(temperature=2, max_tokens=12)
        answers = LanguageModel(counted).complete(PROMPTS[0].samples(4), sampling=sampling)
        assert len({answer.text for answer in answers}) > 1

    def test_no_answer_is_longer_than_allowed(self, counted: Counting) -> None:
        for answer in LanguageModel(counted).complete(PROMPTS, sampling=SamplingConfig(max_tokens=3)):
            assert answer.completion_tokens <= 3
            assert answer.finish in ("stop", "length")

    @pytest.mark.parametrize("schema", [NUMBER, VERDICT], ids=["regex", "json"])
    def test_a_schema_is_obeyed_or_its_failure_reported(self, counted: Counting, schema: OutputSchema) -> None:
        model = LanguageModel(counted)
        answers = model.complete(PROMPTS, schema=schema, sampling=SamplingConfig(max_tokens=60))
        for answer in answers:
            assert (answer.failure is None) == (answer.value is not None)
        assert model.usage.failed == sum(answer.failure is not None for answer in answers)
        if self.forces_schema:
            assert model.usage.failed == 0

    def test_nothing_is_asked_for_an_empty_list(self, counted: Counting) -> None:
        assert LanguageModel(counted).complete([]) == []
        assert counted.asked == []

    def test_an_overlong_prompt_is_refused_with_the_numbers(self, cache: CompletionCache) -> None:
        backend = Counting(self.cramped_backend())
        model = LanguageModel(backend, cache=cache)
        long = Prompt.of("sea and war " * 40)
        length = backend.count_tokens([long])[0]
        with pytest.raises(PromptTooLongError, match=rf"prompt 2 of 3.*{backend.context_tokens}.*got {length:,}"):
            model.complete([PROMPTS[0], long, PROMPTS[4]], sampling=SHORT)
        with pytest.raises(PromptTooLongError, match="got"):
            model.estimate([long], sampling=SHORT)
        assert model.usage.asked == 0
        assert cache.statistics() == []

    def test_nothing_is_asked_twice(self, counted: Counting, cache: CompletionCache) -> None:
        first = LanguageModel(counted, cache=cache).complete([*PROMPTS, PROMPTS[0]], sampling=SHORT)
        again = LanguageModel(counted, cache=cache)
        second = again.complete(PROMPTS, sampling=SHORT)
        assert [a.text for a in second] == [a.text for a in first[:-1]]
        assert len(counted.asked) == len(PROMPTS)
        assert (again.usage.asked, again.usage.cached) == (0, len(PROMPTS))
        assert all(answer.cached for answer in second)

    def test_an_interrupted_run_goes_on_where_it_was(self, counted: Counting, cache: CompletionCache) -> None:
        expected = [answer.text for answer in LanguageModel(self.backend()).complete(PROMPTS, sampling=SHORT)]
        with pytest.raises(KeyboardInterrupt):
            LanguageModel(counted, cache=Interrupted(cache, after=2)).complete(PROMPTS, sampling=SHORT)
        assert counted.closed == 1, "the backend was left at work"
        assert sum(row.answers for row in cache.statistics()) == 2
        resumed = LanguageModel(counted, cache=cache)
        answers = resumed.complete(PROMPTS, sampling=SHORT)
        assert [answer.text for answer in answers] == expected
        assert (resumed.usage.asked, resumed.usage.cached) == (len(PROMPTS) - 2, 2)
        assert cache.verify().problems == ()

    def test_an_estimate_asks_nothing_and_knows_the_cache(self, counted: Counting, cache: CompletionCache) -> None:
        model = LanguageModel(counted, cache=cache)
        before = model.estimate(PROMPTS, sampling=SHORT)
        assert counted.asked == []
        assert before.to_ask == len(PROMPTS)
        assert before.prompt_tokens == sum(counted.count_tokens(PROMPTS))
        model.complete(PROMPTS[:2], sampling=SHORT)
        assert model.estimate(PROMPTS, sampling=SHORT).to_ask == len(PROMPTS) - 2

    def test_the_writer_names_the_model(self, counted: Counting) -> None:
        assert counted.identity.model in counted.identity.writer
        assert LanguageModel(counted).complete(PROMPTS[:1], sampling=SHORT)[0].writer == counted.identity.writer
