"""The API key reaches the server and nothing else: no message, traceback, repr, log, record or identity."""

import logging
import traceback
from pathlib import Path

import pytest
from endpoint_asking import prompts
from faulty_server import (
    FaultyServer,
    Reaction,
    cut_in_the_middle,
    echo,
    echo_headers,
    error,
    hang_up,
    response,
    says,
)
from pydantic import SecretStr

from whyrec.errors import EndpointError, InvalidConfigError, LanguageModelError
from whyrec.llm.base import GREEDY, Prompt, Request
from whyrec.llm.cache import open_cache
from whyrec.llm.model import LanguageModel
from whyrec.llm.openai_compatible.backend import OpenAIBackend
from whyrec.llm.openai_compatible.credentials import api_key_from_environment
from whyrec.llm.openai_compatible.settings import EndpointSettings

SECRET = "sk-Very/Secret+0123456789"
KEY = SecretStr(SECRET)


def backend_of(base_url: str, *, key: SecretStr | None = KEY, **settings: object) -> OpenAIBackend:
    given = {"base_url": base_url, "model": "m", "backoff_s": 0.01, "max_attempts": 2} | settings
    return OpenAIBackend(settings=EndpointSettings.model_validate(given), api_key=key)


def test_the_key_is_sent() -> None:
    with FaultyServer() as server:
        LanguageModel(backend_of(server.base_url)).complete(prompts(1))
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    "reaction",
    [
        echo_headers,
        error(403, f"you sent {SECRET}"),
        error(400, f"a long story {'.' * 280} {SECRET}"),
        error(400, {"nested": [SECRET]}),  # type: ignore[arg-type]
        response(401, f'{{"detail": "Bearer {SECRET.replace("/", chr(92) + "/")}"}}'),
        response(404, f"<html><title>no {SECRET}</title>", headers={"Content-Type": "text/html"}),
        response(200, f"no JSON but {SECRET}"),
        response(503, SECRET),
        hang_up,
        cut_in_the_middle,
    ],
)
def test_no_error_shows_the_key(reaction: Reaction, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FaultyServer(lambda _: reaction) as server:
        backend = backend_of(server.base_url)
        with pytest.raises(LanguageModelError) as caught:
            LanguageModel(backend).complete(prompts(1))
    shown = "\n".join(
        [
            *traceback.format_exception(caught.value),
            repr(caught.value),
            repr(caught.value.__cause__),
            repr(backend),
            repr(vars(backend)),
            repr(backend.identity),
            caplog.text,
        ]
    )
    assert "EndpointError" in shown
    assert "send_request_headers" in caplog.text  # httpx's own log, which might have held it
    for part in (SECRET, SECRET[:12], "Very%2FSecret", "Very\\/Secret"):
        assert part not in shown


def test_a_redirect_that_shows_the_key_is_told_without_it() -> None:
    leak = response(302, "", headers={"Location": "http://b/?key=sk-Very%2FSecret%2B0123456789"})
    with (
        FaultyServer([leak]) as server,
        pytest.raises(EndpointError, match=r"redirect to http://b/\?key=\[API key\]\."),
    ):
        LanguageModel(backend_of(server.base_url)).complete(prompts(1))


def test_a_refused_key_is_told_by_the_name_of_its_variable() -> None:
    shown = r"got 401 \(bad header 'Authorization: Bearer \[API key\]'\)"
    expected = rf"{shown}\. The server refuses the API key: set WHYREC_API_KEY"
    with FaultyServer([echo_headers]) as server, pytest.raises(EndpointError, match=expected):
        LanguageModel(backend_of(server.base_url)).complete(prompts(1))


def test_no_record_holds_the_key(tmp_path: Path) -> None:
    """An answer that shows the key is kept without it, and says so."""
    with FaultyServer([says(f"your key is {SECRET}", finish=SECRET, refusal=SECRET)]) as server:
        backend = backend_of(server.base_url)
        with open_cache(tmp_path / "cache.sqlite") as cache:
            (completion,) = LanguageModel(backend, cache=cache).complete(prompts(1))
    assert completion.text == "your key is [API key]"
    assert "the answer held the API key, which was blotted out" in completion.note
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"your key is" in written
    assert SECRET[:12].encode() not in written
    request = Request(backend.identity, Prompt.of("p0"), None, GREEDY)
    assert SECRET not in request.canonical()


def test_a_short_placeholder_may_stand_in_an_answer() -> None:
    with FaultyServer([says("none of them")]) as server:
        model = LanguageModel(backend_of(server.base_url, key=SecretStr("none")))
        assert model.complete(prompts(1))[0].text == "none of them"


def test_another_key_is_the_same_model() -> None:
    """Who pays is no part of an answer."""
    first, second = (backend_of("http://a/v1", key=key).identity for key in (KEY, None))
    assert first == second


@pytest.mark.parametrize("url", ["http://user:pass@host/v1", "https://token@host/v1", "user:pass@host"])
def test_credentials_in_the_address_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidConfigError, match="without user name or password, got one with '@'") as caught:
        backend_of(url)
    assert "pass" not in str(caught.value).replace("password", "")
    assert "token" not in str(caught.value)


def test_a_query_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidConfigError, match=r"without '\?' and '#'") as caught:
        backend_of("http://host/v1?api_key=abc")
    assert "abc" not in str(caught.value)


def test_a_key_among_the_settings_is_refused_and_not_shown() -> None:
    for field in ({"extra_body": {"api_key": SECRET}}, {"revision": SECRET}):
        with pytest.raises(InvalidConfigError, match="expected no API key among them") as caught:
            backend_of("http://host/v1", **field)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "schlüssel", "", "tab\tbed"])
def test_what_cannot_be_a_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(
        InvalidConfigError, match=r"visible ASCII characters, got something else \(not shown\)"
    ) as caught:
        backend_of("http://host/v1", key=SecretStr(text))
    assert not text or text not in str(caught.value)


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHYREC_API_KEY", raising=False)
    assert api_key_from_environment() is None
    monkeypatch.setenv("WHYREC_API_KEY", f" {SECRET}\n")
    monkeypatch.setenv("OTHER", "other-key")
    key = api_key_from_environment()
    assert key is not None
    assert key.get_secret_value() == SECRET
    other = api_key_from_environment("OTHER")
    assert other is not None
    assert other.get_secret_value() == "other-key"
    monkeypatch.setenv("OTHER", "  ")
    assert api_key_from_environment("OTHER") is None
    monkeypatch.setenv("OTHER", "not a key")
    with pytest.raises(InvalidConfigError, match="environment variable OTHER: expected an API key of visible"):
        api_key_from_environment("OTHER")


def test_the_library_itself_never_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYREC_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with FaultyServer([echo]) as server:
        LanguageModel(backend_of(server.base_url, key=None)).complete(prompts(1))
    assert "authorization" not in server.requests[0].headers
