from collections.abc import Generator, Mapping, Sequence

import pytest

from whyrec.errors import EndpointError
from whyrec.llm.base import Answer, ModelIdentity, Prompt, Request, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.llm.structured import OutputSchema, Regex
from whyrec.llm.usage import FREE, Price, Usage, duration, money


class Memory:
    """A cache in a dict, with rates to estimate by."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Answer, str | None, float | None]] = {}
        self.completion_tokens = 5.0
        self.seconds = 2.0

    def find(self, keys: Sequence[str]) -> Mapping[str, Answer]:
        return {key: self.rows[key][0] for key in keys if key in self.rows}

    def keep(self, request: Request, answer: Answer, *, failure: str | None, cost: float | None) -> Answer:
        return self.rows.setdefault(request.key, (answer, failure, cost))[0]

    def rates(self, identity: ModelIdentity) -> "Memory | None":
        return self if self.rows else None


class Slow(ScriptedBackend):
    """Answers out of order, retries once each, and fails for good after so many."""

    fails_after = 99
    at_once = 4  # type: ignore[assignment]

    def answer(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None, sampling: SamplingConfig
    ) -> Generator[tuple[int, Answer], None, None]:
        for done, position in enumerate(reversed(range(len(prompts)))):
            if done == self.fails_after:
                raise EndpointError("server: expected an answer, got none. Start it.")
            yield position, Answer(prompts[position].messages[-1].content.upper(), "stop", 10, 4, 0.5, attempts=2)


def asked(*texts: str) -> list[Prompt]:
    return [Prompt.of(text) for text in texts]


def test_answers_come_in_the_order_of_prompts_and_are_counted() -> None:
    model = LanguageModel(Slow([]), price=Price(1.0, 2.0))
    found = model.complete(asked("a", "b", "a", "c"), schema=Regex("[AB]"))
    assert [answer.text for answer in found] == ["A", "B", "A", "C"]
    assert [answer.failure is None for answer in found] == [True, True, True, False]
    assert [answer.cached for answer in found] == [False, False, True, False]
    usage = model.usage
    assert (usage.asked, usage.cached, usage.failed, usage.retried) == (3, 1, 1, 3)
    assert (usage.prompt_tokens, usage.completion_tokens) == (30, 12)
    assert usage.cost == pytest.approx((30 * 1 + 12 * 2) / 1e6)


def test_what_was_answered_before_a_failure_is_kept_with_its_failure_and_cost() -> None:
    cache, backend = Memory(), Slow([])
    backend.fails_after = 2
    model = LanguageModel(backend, cache=cache, price=Price(1.0, 2.0))
    with pytest.raises(EndpointError, match="Start it"):
        model.complete(asked("a", "b", "c"), schema=Regex("C"))
    kept = {answer.text: (failure, cost) for answer, failure, cost in cache.rows.values()}
    assert set(kept) == {"B", "C"}
    assert kept["C"] == (None, pytest.approx(18e-6))
    assert kept["B"][0] == "does not match C: 'B'"
    backend.fails_after = 99
    assert [answer.text for answer in model.complete(asked("a", "b", "c"), schema=Regex("C"))] == ["A", "B", "C"]
    assert model.usage.asked == 3


def test_failures_from_the_cache_count_again() -> None:
    cache = Memory()
    for _ in range(2):
        model = LanguageModel(Slow([]), cache=cache)
        model.complete(asked("a"), schema=Regex("b"))
        assert model.usage.failed == 1


def test_what_another_process_kept_first_is_what_everybody_sees() -> None:
    class Beaten(Memory):
        def keep(self, request: Request, answer: Answer, *, failure: str | None, cost: float | None) -> Answer:
            return Answer("theirs", "stop", 1, 1, 0.1)

    assert LanguageModel(Slow([]), cache=Beaten()).complete(asked("a"))[0].text == "theirs"


def test_an_estimate_goes_by_earlier_answers() -> None:
    cache = Memory()
    model = LanguageModel(ScriptedBackend(lambda prompt: "yes"), cache=cache, price=Price(1e6, 1e6))
    first = model.estimate(asked("a b c", "d", "d"), sampling=SamplingConfig(max_tokens=8))
    assert (first.prompts, first.to_ask, first.prompt_tokens, first.completion_tokens) == (2, 2, 4, 16)
    assert (first.seconds, first.completion_tokens_are_upper_bound) == (None, True)
    assert "at most 16 tokens of answers, 20.00 USD, time unknown" in first.summary()
    model.complete(asked("d"), sampling=SamplingConfig(max_tokens=8))
    second = model.estimate(asked("a b c", "d", "e"), sampling=SamplingConfig(max_tokens=8))
    assert (second.cached, second.to_ask, second.completion_tokens, second.seconds) == (1, 2, 10, 4.0)
    assert "about 10 tokens of answers" in second.summary()
    third = model.estimate(asked("d"), sampling=SamplingConfig(max_tokens=8))
    assert (third.to_ask, third.cost) == (0, 0)
    assert "no cost, no time" in third.summary()


def test_what_is_asked_at_once_takes_less_time() -> None:
    cache = Memory()
    model = LanguageModel(Slow([]), cache=cache)
    model.complete(asked("a"))
    assert model.estimate(asked("b", "c")).seconds == 2.0 * 2 / 4


def test_unknown_prices_are_unknown_not_zero() -> None:
    answer = Answer("x", "stop", 100, 50, 0.1)
    for price, text in ((None, "cost unknown"), (FREE, "no cost"), (Price(1e4, 1e4, "EUR"), "1.50 EUR")):
        usage = Usage(price=price)
        usage.add(answer)
        assert text in usage.summary()
    assert Usage().cost == 0
    assert money(0.00123, Price(1, 1)) == "0.0012 USD"


def test_durations_read_well() -> None:
    assert [duration(s) for s in (4, 600, 9000)] == ["4 s", "10 min", "2.5 h"]


def test_the_summary_is_one_line() -> None:
    usage = Usage(price=FREE, asked=1200, cached=3, failed=2, retried=1, prompt_tokens=5000, completion_tokens=10)
    usage.seconds = 60
    assert usage.summary() == (
        "1,200 asked, 20.0 a second, 3 from cache, 2 failed schema, 1 retried, 5,000 + 10 tokens, no cost"
    )
