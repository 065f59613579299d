"""Many prompts at once, for callers who know nothing of asyncio: an event loop in a thread of its own.

A few workers pull from the prompts, so a million prompts are not a million tasks, and hand their answers through a
short queue, so a slow caller holds them back. The caller may itself run inside an event loop, as in a notebook.
"""

import atexit
import ssl
from collections.abc import Generator, Iterator, Sequence
from concurrent import futures
from contextlib import closing, contextmanager
from functools import cache

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from pydantic import SecretStr

from whyrec.errors import LanguageModelError
from whyrec.llm.base import Answer, Prompt, SamplingConfig
from whyrec.llm.openai_compatible.exchange import BearerAuth, Effort, Exchange, ServerState
from whyrec.llm.openai_compatible.failures import Failure
from whyrec.llm.openai_compatible.settings import EndpointSettings, host_of
from whyrec.llm.structured import OutputSchema

_Answered = tuple[int, Answer]
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_SHORT_WAIT_S = 0.5


class Crew:
    """The workers of one run."""

    def __init__(
        self,
        prompts: Sequence[Prompt],
        *,
        settings: EndpointSettings,
        key: SecretStr | None,
        state: ServerState,
        schema: OutputSchema | None,
        sampling: SamplingConfig,
    ) -> None:
        self._prompts = prompts
        self._settings = settings
        self._key = key
        self._state = state
        self._schema = schema
        self._sampling = sampling
        self._failed: LanguageModelError | None = None

    def answers(self) -> Generator[_Answered, None, None]:
        """Ask all prompts and yield each answer when it is there; closing it early cancels what is in flight.

        Raises:
            LanguageModelError: When a prompt fails for good. By then no request is in flight any more, and the
                answers to those that were have been yielded: they may be paid for.
        """
        send, receive = anyio.create_memory_object_stream[_Answered](self._settings.concurrency)
        # The portal goes first: it cancels the workers if the caller leaves early, and joins the thread.
        with closing(receive), closing(send), _event_loop() as portal:
            ended = portal.start_task_soon(self._work_all, send)
            while True:
                try:
                    answered = _received(portal, receive)
                except anyio.EndOfStream:
                    break
                yield answered
            ended.result()

    async def _work_all(self, answered: MemoryObjectSendStream[_Answered]) -> None:
        todo = enumerate(self._prompts)
        async with answered, _client(self._settings, self._key) as client:
            exchange = Exchange(
                client,
                settings=self._settings,
                key=self._key,
                state=self._state,
                schema=self._schema,
                sampling=self._sampling,
            )
            async with anyio.create_task_group() as workers:
                for _ in range(min(self._settings.concurrency, len(self._prompts))):
                    workers.start_soon(self._work, exchange, todo, answered)
        if self._failed is not None:
            raise self._failed

    async def _work(
        self, exchange: Exchange, todo: Iterator[tuple[int, Prompt]], answered: MemoryObjectSendStream[_Answered]
    ) -> None:
        while not exchange.stopping.is_set() and (task := next(todo, None)) is not None:
            position, prompt = task
            effort = Effort()
            outcome = await exchange.ask(prompt, effort)
            if isinstance(outcome, Answer):
                await answered.send((position, outcome))
            elif not exchange.stopping.is_set():
                exchange.stopping.set()
                self._failed = self._error_of(outcome, effort, position=position)

    def _error_of(self, failure: Failure, effort: Effort, *, position: int) -> LanguageModelError:
        prompt = f"prompt {position + 1:,} of {len(self._prompts):,}"
        tries = f" after {effort.requests} attempts in {effort.seconds:.1f} s" if effort.requests > 1 else ""
        pause = f", with a wait of {failure.retry_after_s:,.0f} s asked for" if failure.retry_after_s >= 1 else ""
        error = failure.error(
            f"{self._settings.base_url} (model {self._settings.model!r}): expected an answer to {prompt}, "
            f"got {failure.got}{tries}{pause}. {failure.advice}"
        )
        error.__cause__ = failure.cause
        return error


@contextmanager
def _event_loop() -> Iterator[BlockingPortal]:
    """Run an event loop in another thread, to be talked to through a portal; its tasks end with the block."""
    with start_blocking_portal() as portal:

        def stop() -> None:
            portal.call(portal.stop, True)

        # An iterator that nobody closed would be closed when Python ends, after threads have stopped to run: for ever.
        atexit.register(stop)
        try:
            yield portal
        finally:
            atexit.unregister(stop)


def _received(portal: BlockingPortal, receive: MemoryObjectReceiveStream[_Answered]) -> _Answered:
    waiting = portal.start_task_soon(receive.receive)
    # In short waits: where the system gives an interrupt to another thread, a long one would not notice it.
    while not futures.wait([waiting], timeout=_SHORT_WAIT_S).done:
        pass
    return waiting.result()


def _client(settings: EndpointSettings, key: SecretStr | None) -> httpx.AsyncClient:
    # The system's proxy and certificate variables count, as for any program, but not on the way to oneself.
    trust_env = host_of(settings.base_url) not in _THIS_MACHINE
    return httpx.AsyncClient(
        auth=BearerAuth(key) if key is not None else None,
        headers={"Content-Type": "application/json", "User-Agent": "whyrec"},
        limits=httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency),
        timeout=None,  # each request has one, over all of it rather than between two packets
        trust_env=trust_env,
        verify=_certificates(trust_env),
    )


@cache
def _certificates(trust_env: bool) -> ssl.SSLContext:
    """Read once: it takes as long as many a short answer."""
    return httpx.create_ssl_context(trust_env=trust_env)
