"""The backend against a real HTTP server: what it sends, and what it makes of what comes."""

import pytest
from endpoint_asking import ask, backend_of, model_of, prompts
from faulty_server import Asked, FaultyServer, Reaction, error, late, response, says

from whyrec.errors import PromptTooLongError
from whyrec.llm.base import GREEDY, Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel


def test_answers_come_back_in_the_order_of_the_prompts() -> None:
    """The server answers the first ones last."""

    def slower_at_first(asked: Asked) -> Reaction:
        return late(0.02 * (20 - int(asked.user[1:])) / 20)

    with FaultyServer(slower_at_first) as server:
        backend = backend_of(server, concurrency=20)
        arrived = [position for position, _ in backend.answer(prompts(20), schema=None, sampling=GREEDY)]
        completions = LanguageModel(backend).complete(prompts(20))
    assert arrived != sorted(arrived)
    assert sorted(arrived) == list(range(20))
    assert [completion.text for completion in completions] == [f"re: p{number}" for number in range(20)]


@pytest.mark.parametrize("concurrency", [1, 5])
def test_no_more_requests_at_once_than_allowed(concurrency: int) -> None:
    with FaultyServer(lambda _: late(0.01)) as server:
        model_of(server, concurrency=concurrency).complete(prompts(30))
    assert server.most_in_flight == concurrency


def test_a_request_carries_the_sampling_and_a_seed_of_its_own_per_sample() -> None:
    sampling = SamplingConfig(temperature=0.7, top_p=0.9, max_tokens=33, stop=("END",), seed=5)
    with FaultyServer() as server:
        model = model_of(server, extra_body={"top_k": 20}, concurrency=1)
        model.complete(Prompt.of("hi", system="be brief").samples(2), sampling=sampling)
        model.complete([Prompt.of("hi")])
    first, second, plain = (asked.body for asked in server.requests)
    assert first == {
        "model": "m",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 33,
        "stop": ["END"],
        "seed": first["seed"],
        "stream": False,
        "top_k": 20,
    }
    assert 0 <= first["seed"] < 2**31
    assert first["seed"] != second["seed"]
    assert {"temperature": 0.0, "top_p": 1.0, "max_tokens": 512}.items() <= plain.items()
    assert "stop" not in plain
    assert {asked.path for asked in server.requests} == {"/v1/chat/completions"}
    assert all("authorization" not in asked.headers for asked in server.requests)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (says(None), ("", "stop", "")),
        (says([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]), ("ab", "stop", "")),
        (says("cut", finish="length"), ("cut", "length", "")),
        (says("", finish="content_filter"), ("", "content_filter", "")),
        (says("x", finish=None), ("x", "unknown", "")),
        (says("answer", reasoning_content="hmm"), ("answer", "stop", "")),
        (says(None, refusal="I must not"), ("", "stop", "refused: I must not")),
    ],
)
def test_answers_come_in_many_forms(message: Reaction, expected: tuple[str, str, str]) -> None:
    with FaultyServer([message]) as server:
        completion = ask(server)
    assert (completion.text, completion.finish, completion.note) == expected
    assert (completion.prompt_tokens, completion.completion_tokens) == (11, 7)


def test_a_server_that_does_not_count_is_estimated_and_the_record_says_so() -> None:
    """Tokens are a quarter of the bytes, rounded up, and four for each message: 13/4 -> 4 + 4; 9/4 -> 3."""
    with FaultyServer([says("answer it", counts=False)]) as server:
        (completion,) = model_of(server).complete([Prompt.of("thirteen char")])
    assert (completion.prompt_tokens, completion.completion_tokens) == (8, 3)
    assert completion.note == "the server does not count tokens; estimated"


def test_a_stop_text_that_a_server_leaves_in_is_cut_off() -> None:
    with FaultyServer([says("one END two; END")]) as server:
        (completion,) = model_of(server).complete([Prompt.of("x")], sampling=SamplingConfig(stop=(";", "END")))
    assert (completion.text, completion.note) == ("one ", "the server left the stop text in; it was cut off")


def test_too_long_prompts_are_refused_before_anything_is_asked() -> None:
    """4 tokens a message and 400/4 of text: 104, where the context leaves 100."""
    with FaultyServer() as server:
        model = model_of(server, context_tokens=612)
        with pytest.raises(PromptTooLongError, match=r"prompt 2 of 2: expected at most 100 tokens .*, got 104"):
            model.complete([Prompt.of("short"), Prompt.of("x" * 400)])
    assert server.requests == []


@pytest.mark.parametrize(
    "reaction",
    [
        error(400, "This model's maximum context length is 512 tokens; you asked for 600 max_completion_tokens"),
        response(413, "512 tokens at most, got 600"),
        error(400, "the request exceeds the available context size (512 tokens), got 600", type="exceed_context_size"),
    ],
)
def test_a_server_that_finds_a_prompt_too_long_is_quoted(reaction: Reaction) -> None:
    expected = r"got 4\d\d \(.*512.* 600.*\)\. Shorten the prompt"
    with FaultyServer([reaction]) as server, pytest.raises(PromptTooLongError, match=expected):
        ask(server)
    assert len(server.requests) == 1
