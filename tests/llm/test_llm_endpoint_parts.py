"""The parts that need no server: settings, identity, estimates, and the reading of whatever a server may send."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from whyrec.errors import InvalidConfigError, MissingExtraError
from whyrec.llm.base import Message, Prompt
from whyrec.llm.openai_compatible.backend import OpenAIBackend
from whyrec.llm.openai_compatible.dialect import Dialect, adapted
from whyrec.llm.openai_compatible.failures import (
    Failure,
    failure_of_response,
    failure_of_success,
    retry_after_s,
)
from whyrec.llm.openai_compatible.settings import EndpointSettings
from whyrec.llm.openai_compatible.wire import messages_to_send, read_answer, seed_of
from whyrec.llm.structured import Regex

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
COMPLETION_LIKE = st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.fixed_dictionaries(
                {"message": st.fixed_dictionaries({"content": JSON, "refusal": JSON}) | JSON, "finish_reason": JSON}
            ),
            max_size=2,
        ),
        "usage": st.fixed_dictionaries({"prompt_tokens": JSON, "completion_tokens": JSON}) | JSON,
    }
)


def backend(**settings: Any) -> OpenAIBackend:
    return OpenAIBackend(
        settings=EndpointSettings(**({"base_url": "http://localhost:8000/v1", "model": "m"} | settings))
    )


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("localhost:8000", r"expected an address such as http://localhost:8000/v1, got 'localhost:8000'"),
        ("ftp://host/v1", "got 'ftp://host/v1'"),
        ("http://", "got 'http://'"),
        ("", "got ''"),
        ("http://a b/v1", "got 'http://a b/v1'"),
        ("http://host\n/v1", r"got 'http://host\\n/v1'"),
        ("http://[::1/v1", "got "),
        ("http://host/v1/chat/completions", "got the address of one function of it"),
        ("http://host/v1/completions/", "Remove /chat/completions or /completions at its end"),
        ("http://host/v1#x", r"without '\?' and '#'"),
    ],
)
def test_what_is_no_base_url_is_refused(base_url: str, expected: str) -> None:
    with pytest.raises(InvalidConfigError, match=expected) as caught:
        backend(base_url=base_url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url", ["https://api.example.org/v1", "http://[::1]:8000/v1/", "HTTP://host", "http://h/a/b"]
)
def test_other_addresses_are_taken(base_url: str) -> None:
    assert backend(base_url=base_url).settings.base_url == base_url


def test_extra_fields_may_not_contradict_the_rest() -> None:
    with pytest.raises(
        InvalidConfigError, match="extra_body: expected fields that whyrec does not set itself, got 'seed'"
    ):
        backend(extra_body={"top_k": 1, "temperature": 1, "seed": 3})


@pytest.mark.parametrize(
    "wrong",
    [{"concurrency": 0}, {"timeout_s": 0}, {"deadline_s": float("inf")}, {"structured": "maybe"}, {"model": ""}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        backend(**wrong)


def test_identity_holds_what_shapes_answers_and_nothing_else() -> None:
    plain = backend(revision="2026-01").identity
    assert (plain.backend, plain.model, plain.revision, plain.adapter) == ("openai_compatible", "m", "2026-01", None)
    assert plain.options == {"endpoint": "localhost", "structured": "auto"}
    same = backend(revision="2026-01", base_url="http://localhost:9999/v1", concurrency=3, timeout_s=5, max_attempts=2)
    assert same.identity == plain
    other = backend(extra_body={"top_k": 20, "a": [1]})
    assert other.identity.options["extra_body"] == '{"a":[1],"top_k":20}'
    others = [backend(base_url="http://host/v1"), backend(structured="prompt"), backend(model="n"), backend()]
    assert all(changed.identity != plain for changed in (other, *others))


def test_tokens_are_estimated_by_bytes() -> None:
    """Four a message and a quarter of the bytes, rounded up: 4+1, 4+2, and (4+0)+(4+3) for 9 bytes in 3 letters."""
    asked = [Prompt.of("four"), Prompt.of("five5"), Prompt.of("日本語", system="")]
    assert backend().count_tokens(asked) == [5, 6, 11]
    assert backend(context_tokens=99).context_tokens == 99
    assert backend().context_tokens is None


def test_libraries_that_are_absent_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whyrec.runtime.extras.util.find_spec", lambda name: None if name == "tenacity" else object())
    with pytest.raises(MissingExtraError, match=r"extra 'api': expected tenacity .* pip install 'whyrec\[api\]'"):
        backend()


def test_naming_the_backend_loads_no_heavy_library() -> None:
    code = (
        "import sys, whyrec.llm.openai_compatible.backend, whyrec.llm.prices\n"
        "sys.exit(str(sorted({'httpx', 'tenacity', 'anyio', 'torch', 'jsonschema'} & set(sys.modules)) or ''))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stderr.strip() == ""


def test_seeds_fit_31_bits_and_differ() -> None:
    seeds = {seed_of(seed, sample) for seed in range(100) for sample in range(100)}
    assert len(seeds) > 9990  # 10,000 draws of 2^31: 0.02 pairs expected to meet
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(0, 1) != seed_of(1, 0)
    assert seed_of(7, 3) == seed_of(7, 3)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ((Message("user", "a"),), (Message("user", "a\n\nI"),)),
        (
            (Message("user", "a"), Message("assistant", "b"), Message("user", "c"), Message("assistant", "d")),
            (Message("user", "a"), Message("assistant", "b"), Message("user", "c\n\nI"), Message("assistant", "d")),
        ),
        ((Message("system", "s"),), (Message("system", "s"), Message("user", "I"))),
    ],
)
def test_an_instruction_ends_the_last_thing_the_user_says(
    messages: tuple[Message, ...], expected: tuple[Message, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Regex, "instruction", lambda _: "I")
    assert messages_to_send(Prompt(messages), dialect=Dialect(), schema=Regex("x")) == expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0),
        ("7", 7),
        (" 0.25 ", 0.25),
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90),
        ("Thu, 01 Jan 2026 01:00:30 +0100", 30),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("inf", 0),
        ("1e3", 0),
        ("in a while", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float) -> None:
    assert retry_after_s(value, now=NOW) == seconds


@given(st.text())
def test_any_retry_after_is_a_wait(value: str) -> None:
    assert retry_after_s(value, now=NOW) >= 0


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_any_date_to_come_is_waited_for(date: datetime) -> None:
    ahead = date.replace(tzinfo=UTC, microsecond=0) - NOW
    value = f"{date:%a, %d %b %Y %H:%M:%S} GMT"
    assert retry_after_s(value, now=NOW) == max(0.0, ahead / timedelta(seconds=1))


@given(JSON | COMPLETION_LIKE)
def test_any_json_is_an_answer_or_none(body: object) -> None:
    answer = read_answer(body, messages=(Message("user", "x"),), stop=("a",))
    if answer is not None:
        assert isinstance(answer.text, str)
        assert "a" not in answer.text
        assert answer.prompt_tokens >= 0
        assert answer.completion_tokens >= 0


@given(st.integers(300, 599), st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_response_is_a_failure_in_one_line(status: int, body: bytes) -> None:
    response = httpx.Response(status, content=body, headers={"Retry-After": "x", "Location": "y"})
    for failure in (failure_of_response(response, key=None), failure_of_success(response, key=None)):
        assert len(failure.got.splitlines()) == 1
        assert failure.advice


def test_a_dialect_gives_way_only_where_it_can() -> None:
    def refused(words: str, *, status: int = 400, may_drop_schema: bool = True) -> Dialect | None:
        failure = Failure("", "", status=status, words=words)
        return adapted(Dialect(), failure, may_drop_schema=may_drop_schema)

    assert refused("no such model") is None
    assert refused("'temperature' is not supported with this model") is None
    assert refused("response_format is unknown", status=500) is None
    assert refused("response_format is unknown", may_drop_schema=False) is None
    assert refused("model 'seedling' is not there") is None
    assert refused("response_format is unknown") == Dialect(
        native_schema=False,
        note="the server refuses response_format, so the schema was asked for in words (response_format is unknown)",
    )
    learnt = Dialect(native_schema=False, length_field="max_completion_tokens", seed=False)
    for words in ("response_format", "use max_completion_tokens", "seed"):
        assert adapted(learnt, Failure("", "", status=400, words=words), may_drop_schema=True) is None
