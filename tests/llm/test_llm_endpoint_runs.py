"""Runs that fail, stop or are slow: nothing is lost, nothing is asked twice, no thread stays behind."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from endpoint_asking import ask, backend_of, model_of, prompts, threads
from faulty_server import (
    Asked,
    FaultyServer,
    Reaction,
    cut_in_the_middle,
    echo,
    error,
    hang_up,
    late,
    response,
)

from whyrec.errors import EndpointError
from whyrec.llm.base import GREEDY
from whyrec.llm.openai_compatible.backend import OpenAIBackend

OVERLOADED = error(503, "overloaded")


def test_what_finished_before_a_failure_is_not_lost_and_nothing_new_is_asked() -> None:
    """Prompt 3 fails while 4 to 7 are in flight: these are paid for, so they are still yielded."""

    def script(asked: Asked) -> Reaction:
        number = int(asked.user[1:])
        return error(400, "not this one") if number == 3 else late(0.2 if number > 3 else 0.0)

    with FaultyServer(script) as server:
        answering = backend_of(server, concurrency=5).answer(prompts(100), schema=None, sampling=GREEDY)
        finished = set()
        with pytest.raises(EndpointError, match=r"prompt 4 of 100, got 400 \(not this one\)"):
            finished.update(position for position, _ in answering)
        asked = {int(asked.user[1:]) for asked in server.requests}
    assert finished == asked - {3}
    assert 4 <= len(asked) < 20


def test_a_failure_ends_the_waits_of_others() -> None:
    """One prompt is told to come back in a minute; another fails for good meanwhile."""

    def script(asked: Asked) -> Reaction:
        if asked.user == "p0":
            return error(429, "later", headers={"Retry-After": "60"})
        return late(0.1, error(401, "no"))

    with FaultyServer(script) as server:
        started = time.monotonic()
        with pytest.raises(EndpointError, match="prompt 2 of 2, got 401"):
            model_of(server).complete(prompts(2))
    assert time.monotonic() - started < 2
    assert len(server.requests) == 2


def test_closing_cancels_what_is_in_flight_and_leaves_no_thread() -> None:
    def script(asked: Asked) -> Reaction:
        return echo if asked.user == "p0" else late(60)

    with FaultyServer(script) as server:
        before = threads()
        answering = backend_of(server, concurrency=4).answer(prompts(1000), schema=None, sampling=GREEDY)
        assert next(answering)[0] == 0
        assert len(threads()) == len(before) + 1
        started = time.monotonic()
        answering.close()
        assert threads() == before
    assert time.monotonic() - started < 2
    assert len(server.requests) <= 5


def test_an_interrupt_while_waiting_leaves_no_thread() -> None:
    """The interrupt is a real signal."""
    with FaultyServer(lambda _: late(60)) as server:
        before = threads()
        timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            model_of(server).complete(prompts(50))
        timer.join()
        assert threads() == before
    assert time.monotonic() - started < 2


def test_an_error_of_the_caller_leaves_no_thread() -> None:
    def take_one(backend: OpenAIBackend) -> None:
        for _ in backend.answer(prompts(100), schema=None, sampling=GREEDY):
            raise ZeroDivisionError

    with FaultyServer() as server:
        before = threads()
        with pytest.raises(ZeroDivisionError):
            take_one(backend_of(server))
        assert threads() == before


def test_a_slow_caller_holds_the_workers_back() -> None:
    with FaultyServer() as server:
        answering = backend_of(server, concurrency=3).answer(prompts(500), schema=None, sampling=GREEDY)
        next(answering)
        time.sleep(0.4)
        assert len(server.requests) <= 1 + 3 + 3 + 1  # taken, queued, with a worker, and one slipped in
        assert sum(1 for _ in answering) == 499
    assert len(server.requests) == 500


def test_it_works_inside_a_running_event_loop() -> None:
    async def notebook(server: FaultyServer) -> str:
        return ask(server).text

    with FaultyServer() as server:
        assert asyncio.run(notebook(server)) == "re: hello"


def test_no_prompts_ask_nothing() -> None:
    with FaultyServer() as server:
        before = threads()
        assert model_of(server).complete([]) == []
        assert threads() == before
    assert server.requests == []


def test_nothing_is_asked_twice_after_success() -> None:
    """A tenth of the requests fails in one way or another; each prompt has exactly one answer."""
    failed: set[str] = set()
    faults = [OVERLOADED, hang_up, cut_in_the_middle, response(200, "{")]

    def script(asked: Asked) -> Reaction:
        number = int(asked.user[1:])
        if number % 10 or asked.user in failed:
            return echo
        failed.add(asked.user)
        return faults[number // 10 % len(faults)]

    with FaultyServer(script) as server:
        model = model_of(server, concurrency=16)
        completions = model.complete(prompts(400))
    assert [completion.text for completion in completions] == [f"re: p{number}" for number in range(400)]
    assert (model.usage.asked, model.usage.retried, len(server.requests)) == (400, 40, 440)


NEVER_CLOSED = """
import sys
from whyrec.llm.base import GREEDY, Prompt
from whyrec.llm.openai_compatible.backend import OpenAIBackend
from whyrec.llm.openai_compatible.settings import EndpointSettings
backend = OpenAIBackend(settings=EndpointSettings(base_url=sys.argv[1], model="m"))
answering = backend.answer([Prompt.of("p")] * 100, schema=None, sampling=GREEDY)
print(next(answering)[1].text)
"""


def test_a_program_that_forgets_to_close_still_ends() -> None:
    with FaultyServer([echo, *[late(60)] * 100]) as server:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", NEVER_CLOSED, server.base_url],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    assert (ended.stdout, ended.stderr) == ("re: p\n", "")
