"""Against a server that fails on demand: what is tried again, how patiently, and what is told at once."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from endpoint_asking import ask, backend_of, model_of, prompts
from faulty_server import FaultyServer, Reaction, cut_in_the_middle, drip, error, hang_up, late, response

from whyrec.errors import EndpointError
from whyrec.llm.base import GREEDY, Prompt

OVERLOADED = error(503, "overloaded")
PAGE = "<!DOCTYPE html><html><head><title>Sign\n in</title></head><body>...</body></html>"


@pytest.mark.parametrize(
    "fault",
    [
        OVERLOADED,
        error(429, "slow down"),
        error(500, "oops"),
        error(502, "bad gateway"),
        response(502, "<html><title>502 Bad Gateway</title>", headers={"Content-Type": "text/html"}),
        error(504, "gateway timeout"),
        error(529, "overloaded"),
        late(5),
        drip,
        hang_up,
        cut_in_the_middle,
        response(200, '{"choices": [{"message"'),
        response(200, ""),
        response(200, "{}"),
        response(200, '{"choices": []}'),
        response(200, "[" * 100_000),
        response(200, b"\xff\xfe\xfa"),
        response(200, '{"error": {"message": "upstream is busy", "code": 502}}'),
    ],
)
def test_what_passes_is_tried_again_and_counted(fault: Reaction) -> None:
    with FaultyServer([fault, fault]) as server:
        model = model_of(server, timeout_s=0.4)
        completion = model.complete([Prompt.of("hello")])[0]
    assert completion.text == "re: hello"
    assert len(server.requests) == 3
    assert (model.usage.asked, model.usage.retried) == (1, 2)


def test_seconds_are_those_of_the_last_attempt() -> None:
    with FaultyServer([late(0.4, OVERLOADED), late(0.1)]) as server:
        (_, answer), *_ = backend_of(server).answer(prompts(1), schema=None, sampling=GREEDY)
    assert answer.attempts == 2
    assert 0.1 <= answer.seconds < 0.4


@pytest.mark.parametrize("seconds", [0.3, "date"])
def test_a_server_that_asks_for_time_gets_it(seconds: float | str) -> None:
    """A date has whole seconds, so one that is two seconds ahead is at least one second away."""
    least = 1.0 if isinstance(seconds, str) else seconds
    ahead = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    wait = ahead if isinstance(seconds, str) else str(seconds)
    with FaultyServer([error(429, "slow down", headers={"Retry-After": wait})]) as server:
        ask(server)
    first, second = server.requests
    assert least <= second.at - first.at < least + 1.5


@pytest.mark.parametrize("nonsense", ["soon", "-5", "nan", "Wed, 99 Foo 2020", "Thu, 01 Jan 2015 00:00:00 GMT"])
def test_a_nonsensical_or_past_retry_after_is_no_wait(nonsense: str) -> None:
    with FaultyServer([error(503, "later", headers={"Retry-After": nonsense})]) as server:
        ask(server)
    first, second = server.requests
    assert second.at - first.at < 1


def test_attempts_are_bounded() -> None:
    with FaultyServer(lambda _: OVERLOADED) as server:
        expected = r"got 503 \(overloaded\) after 4 attempts in \d\.\d s\. Look into the server's log\. Try again later"
        with pytest.raises(EndpointError, match=expected):
            ask(server, max_attempts=4)
    assert len(server.requests) == 4


@pytest.mark.parametrize("fault", [cut_in_the_middle, response(200, "{")])
def test_what_may_have_been_paid_for_is_tried_three_times_only(fault: Reaction) -> None:
    with FaultyServer(lambda _: fault) as server, pytest.raises(EndpointError, match=r"after 3 attempts"):
        ask(server)
    assert len(server.requests) == 3


def test_the_deadline_of_a_prompt_holds_for_slow_answers() -> None:
    """The second attempt has 0.2 s left, though the server is asked to take its time."""
    with FaultyServer([late(0.4, OVERLOADED), late(30)]) as server:
        started = time.monotonic()
        with pytest.raises(EndpointError, match=r"got no response within 0\.\d+ s.* Raise timeout_s or deadline_s"):
            ask(server, timeout_s=20, deadline_s=0.6)
    assert 0.55 <= time.monotonic() - started < 2
    assert len(server.requests) == 2


def test_the_deadline_of_a_prompt_is_not_slept_away() -> None:
    hour = error(429, "quota per hour", headers={"Retry-After": "3600"})
    with FaultyServer([hour]) as server:
        started = time.monotonic()
        with pytest.raises(EndpointError, match=r"429 \(quota per hour\), with a wait of 3,600 s asked for\. Lower"):
            ask(server)
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("reaction", "expected"),
    [
        (error(401, "no"), "got 401 \\(no\\). No API key was sent: set WHYREC_API_KEY"),
        (error(403, "no"), "got 403 \\(no\\). The API key may not use this model"),
        (error(404, "no model m"), "got 404 \\(no model m\\). Check the model's name and the base URL, .* in /v1"),
        (error(400, "bad\n temperature"), "got 400 \\(bad temperature\\). Correct the setting that it names"),
        (response(422, '{"detail": [{"msg": "n must be 1"}]}'), "got 422 .*n must be 1"),
        (response(400, '{"detail": "other model"}'), "got 400 \\(other model\\)"),
        (response(400, '{"error": "just text"}'), "got 400 \\(just text\\)"),
        (response(400, '{"message": "as Mistral does"}'), "got 400 \\(as Mistral does\\)"),
        (response(400, ""), "got 400 \\(without a word\\)"),
        (response(418, "x" * 9999), "got 418 \\(x{299}…\\)"),
        (error(429, "pay first", code="insufficient_quota"), "got 429 \\(pay first\\). .* quota is used up"),
        (response(200, PAGE), "got a web page \\(Sign in\\). Is this the API's base URL\\? It usually ends in /v1"),
        (response(404, PAGE, headers={"Content-Type": "text/html"}), "got a web page \\(Sign in\\)"),
        (response(200, "<html></html>"), "got a web page \\(without title\\)"),
        (response(307, "", headers={"Location": "https://b/v1"}), "got a redirect to https://b/v1. Give the address"),
        (response(501, "no"), "got 501"),
    ],
)
def test_what_will_not_pass_is_told_at_once(reaction: Reaction, expected: str) -> None:
    with FaultyServer(lambda _: reaction) as server, pytest.raises(EndpointError, match=expected) as caught:
        ask(server)
    assert len(server.requests) == 1
    assert "expected an answer to prompt 1 of 1" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there() -> None:
    with FaultyServer() as server:
        gone = server
    with pytest.raises(
        EndpointError, match=r"no connection \(Connection refused\) after 3 attempts.* Is the server running"
    ):
        ask(gone)


def test_a_server_that_restarts_is_waited_for() -> None:
    """Once it has answered, the address is right: more patience than with a server that never was there."""
    with FaultyServer() as server:
        model = model_of(server, backoff_s=0.4)
        model.complete(prompts(1))
    again = FaultyServer()
    again.port = server.port
    timer = threading.Timer(0.6, again.__enter__)
    timer.start()
    try:
        assert model.complete([Prompt.of("still there?")])[0].text == "re: still there?"
    finally:
        timer.join()
        again.__exit__()
    assert model.usage.retried >= 1
