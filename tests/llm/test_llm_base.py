import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import PromptTooLongError
from whyrec.llm.base import Message, ModelIdentity, Prompt, Request, SamplingConfig, key_of, require_room
from whyrec.llm.structured import JsonSchema, Regex

IDENTITY = ModelIdentity(backend="local", model="tiny", revision="abc", adapter=None, options={"dtype": "float32"})
PLAIN = Request(IDENTITY, Prompt.of("Why?", system="Be brief."), None, SamplingConfig())

CHANGED = {
    "backend": replace(PLAIN, identity=replace(IDENTITY, backend="other")),
    "model": replace(PLAIN, identity=replace(IDENTITY, model="big")),
    "revision": replace(PLAIN, identity=replace(IDENTITY, revision="abd")),
    "adapter": replace(PLAIN, identity=replace(IDENTITY, adapter="x")),
    "options": replace(PLAIN, identity=replace(IDENTITY, options={"dtype": "float16"})),
    "text": replace(PLAIN, prompt=Prompt.of("Why ?", system="Be brief.")),
    "role": replace(PLAIN, prompt=Prompt((Message("user", "Be brief."), Message("user", "Why?")))),
    "split": replace(PLAIN, prompt=Prompt.of("Be brief.Why?")),
    "sample": replace(PLAIN, prompt=PLAIN.prompt.samples(2)[1]),
    "regex": replace(PLAIN, schema=Regex("a")),
    "schema": replace(PLAIN, schema=JsonSchema.of({"type": "string"})),
    "temperature": replace(PLAIN, sampling=SamplingConfig(temperature=0.1)),
    "top_p": replace(PLAIN, sampling=SamplingConfig(top_p=0.9)),
    "max_tokens": replace(PLAIN, sampling=SamplingConfig(max_tokens=511)),
    "stop": replace(PLAIN, sampling=SamplingConfig(stop=("\n",))),
    "seed": replace(PLAIN, sampling=SamplingConfig(seed=1)),
}


def test_every_thing_that_affects_the_answer_is_in_the_key() -> None:
    keys = {name: request.key for name, request in CHANGED.items()} | {"plain": PLAIN.key}
    assert len(set(keys.values())) == len(CHANGED) + 1
    assert all(key.startswith("sha256:") for key in keys.values())


def test_the_key_is_stable() -> None:
    """Written down once: if this changes, every answer that anybody paid for is lost."""
    assert PLAIN.canonical() == (
        '{"adapter":null,"backend":"local","messages":[["system","Be brief."],["user","Why?"]],"model":"tiny",'
        '"options":{"dtype":"float32"},"revision":"abc","sample":0,"sampling":{"max_tokens":512,"seed":0,"stop":[],'
        '"temperature":0.0,"top_p":1.0},"schema":null}'
    )
    assert PLAIN.key == "sha256:a68adcc71f5e5d31ef1b874bece68ab14f8f59326e5148f6dd624b4a6f0be12a"
    assert key_of(PLAIN.canonical()) == PLAIN.key


@given(st.text(), st.text())
def test_equal_requests_have_equal_keys_and_no_others(one: str, other: str) -> None:
    keys = [Request(IDENTITY, Prompt.of(text), None, SamplingConfig()).key for text in (one, other, one)]
    assert keys[0] == keys[2]
    assert (keys[0] == keys[1]) == (one == other)


def test_a_canonical_request_is_json_without_loss() -> None:
    request = Request(IDENTITY, Prompt.of('é "quoted"\n\u2028漢'), Regex("é"), SamplingConfig())
    assert json.loads(request.canonical())["messages"][0][1] == 'é "quoted"\n\u2028漢'


def test_samples_are_the_same_conversation_numbered() -> None:
    prompts = Prompt.of("a").samples(3)
    assert [prompt.sample for prompt in prompts] == [0, 1, 2]
    assert {prompt.messages for prompt in prompts} == {Prompt.of("a").messages}


def test_the_writer_is_model_revision_and_adapter() -> None:
    assert IDENTITY.writer == "tiny@abc"
    assert (
        ModelIdentity("local", "tiny", "0123456789abcdef", "fedcba9876543210").writer
        == "tiny@0123456789ab+fedcba987654"
    )
    assert ModelIdentity("openai_compatible", "m", "").writer == "m"


def test_room_is_the_context_less_the_answer() -> None:
    require_room([10, 88], context_tokens=100, max_tokens=12)
    require_room([10, 10**9], context_tokens=None, max_tokens=12)
    require_room([], context_tokens=1, max_tokens=12)
    with pytest.raises(
        PromptTooLongError,
        match=r"prompt 2 of 3: expected at most 88 tokens \(context of 100 less 12 .*, got 1,200; 2 prompts too",
    ):
        require_room([10, 1200, 89], context_tokens=100, max_tokens=12)
