"""Schemas and servers that refuse, ignore or half know them; and other fields that servers refuse."""

import json

import pytest
from endpoint_asking import ask, model_of, prompts
from faulty_server import Asked, FaultyServer, Reaction, echo, error, late, response, says

from whyrec.errors import EndpointError
from whyrec.llm.base import Prompt
from whyrec.llm.structured import JsonSchema, Regex

SCHEMA = JsonSchema.of({"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]})
REFUSES_SCHEMA = error(400, "Unknown field: response_format")


def test_a_schema_goes_by_response_format() -> None:
    with FaultyServer([says('{"score": 3}')]) as server:
        (completion,) = model_of(server).complete([Prompt.of("rate")], schema=SCHEMA)
    assert (completion.value, completion.failure, completion.note) == ({"score": 3}, None, "")
    (asked,) = server.requests
    assert asked.user == "rate"
    assert asked.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": json.loads(SCHEMA.text), "strict": True},
    }


@pytest.mark.parametrize(
    "refusal",
    [
        REFUSES_SCHEMA,
        error(400, "Invalid schema for response_format 'answer': additionalProperties is required"),
        error(422, "json_schema is not available"),
        error(400, "unsupported"),
        response(400, '{"detail": "Guided decoding is switched off"}'),
    ],
)
def test_a_refused_schema_is_asked_for_in_words_from_then_on(refusal: Reaction) -> None:
    def script(asked: Asked) -> Reaction:
        return refusal if "response_format" in asked.body else says('{"score": 3}')

    with FaultyServer(script) as server:
        model = model_of(server, concurrency=1)
        completions = model.complete([Prompt.of("rate"), Prompt.of("again")], schema=SCHEMA)
    assert [completion.value for completion in completions] == [{"score": 3}] * 2
    assert all("refuses response_format, so the schema was asked for in words (" in c.note for c in completions)
    assert [("response_format" in asked.body) for asked in server.requests] == [True, False, False]
    assert server.requests[1].user == f"rate\n\n{SCHEMA.instruction()}"
    assert model.usage.retried == 1


def test_many_workers_that_are_refused_at_once_learn_once() -> None:
    def script(asked: Asked) -> Reaction:
        return late(0.05, REFUSES_SCHEMA if "response_format" in asked.body else says('{"score": 3}'))

    with FaultyServer(script) as server:
        completions = model_of(server, concurrency=6).complete(prompts(12), schema=SCHEMA)
    assert all(completion.failure is None for completion in completions)
    assert sum("response_format" in asked.body for asked in server.requests) == 6
    assert len(server.requests) == 18


def test_native_insists_and_prompt_never_tries() -> None:
    with FaultyServer([REFUSES_SCHEMA]) as server:
        with pytest.raises(EndpointError, match=r"got 400 \(Unknown field: response_format\)"):
            model_of(server, structured="native").complete([Prompt.of("rate")], schema=SCHEMA)
        (completion,) = model_of(server, structured="prompt").complete([Prompt.of("rate")], schema=SCHEMA)
    assert "response_format" not in server.requests[1].body
    assert server.requests[1].user.endswith(SCHEMA.instruction())
    assert completion.note == ""


def test_a_pattern_is_always_asked_for_in_words() -> None:
    with FaultyServer([says("7")]) as server:
        (completion,) = model_of(server, structured="native").complete([Prompt.of("rate")], schema=Regex("[0-9]"))
    assert completion.value == "7"
    assert server.requests[0].user == f"rate\n\n{Regex('[0-9]').instruction()}"
    assert "response_format" not in server.requests[0].body


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ('{"points": 3}', "'score' is a required property"),
        ('```json\n{"score": 3}\n```', "no JSON"),
        ("Sure! Here you go.", "no JSON"),
    ],
)
def test_a_server_that_ignores_the_schema_is_found_out(text: str, failure: str) -> None:
    """Nothing is repaired: not even a right answer between code fences."""
    with FaultyServer([says(text)]) as server:
        model = model_of(server)
        (completion,) = model.complete([Prompt.of("rate")], schema=SCHEMA)
    assert (completion.text, completion.value) == (text, None)
    assert completion.failure is not None
    assert failure in completion.failure
    assert model.usage.failed == 1
    assert len(server.requests) == 1


def test_a_server_that_wants_the_other_length_field_gets_it() -> None:
    def script(asked: Asked) -> Reaction:
        if "max_tokens" in asked.body:
            return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return says('{"score": 3}')

    with FaultyServer(script) as server:
        (completion,) = model_of(server).complete([Prompt.of("rate")], schema=SCHEMA)
    assert server.requests[1].body["max_completion_tokens"] == 512
    assert "response_format" in server.requests[1].body
    assert (completion.value, completion.note) == ({"score": 3}, "")


def test_a_server_that_takes_no_seed_gets_none_and_the_record_says_so() -> None:
    def script(asked: Asked) -> Reaction:
        return error(422, "Extra inputs are not permitted: seed") if "seed" in asked.body else echo

    with FaultyServer(script) as server:
        assert ask(server).note == "the server takes no seed"
