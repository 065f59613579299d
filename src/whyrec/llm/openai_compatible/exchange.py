"""One prompt, asked until it is answered or hopeless."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import anyio
import httpx
from pydantic import SecretStr

from whyrec.llm.base import Answer, Message, Prompt, SamplingConfig
from whyrec.llm.openai_compatible.credentials import blotted_record
from whyrec.llm.openai_compatible.dialect import Dialect, adapted
from whyrec.llm.openai_compatible.failures import (
    Failure,
    failure_of_response,
    failure_of_success,
    failure_of_time,
    failure_of_transport,
)
from whyrec.llm.openai_compatible.retry import retrying
from whyrec.llm.openai_compatible.settings import EndpointSettings
from whyrec.llm.openai_compatible.wire import messages_to_send, read_answer, request_body
from whyrec.llm.structured import JsonSchema, OutputSchema

_STOPPED = Failure("nothing, as the run was stopped", "Run it again.")


@dataclass(slots=True)
class ServerState:
    """What was learnt about a server so far; it lasts as long as the backend."""

    dialect: Dialect
    has_answered: bool = False


@dataclass(slots=True)
class Effort:
    """What one prompt took so far."""

    started: float = field(default_factory=time.monotonic)
    requests: int = 0

    @property
    def seconds(self) -> float:
        """Since the first attempt began."""
        return time.monotonic() - self.started


class BearerAuth(httpx.Auth):
    """Puts the key into the header of each request, so that no other object holds it in the open."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        yield request


class Exchange:
    """Asks prompts of one run, each by itself."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        settings: EndpointSettings,
        key: SecretStr | None,
        state: ServerState,
        schema: OutputSchema | None,
        sampling: SamplingConfig,
    ) -> None:
        self.stopping = anyio.Event()
        """Set it to end the run: requests in flight are still answered, nothing more is sent."""
        self._client = client
        self._settings = settings
        self._key = key
        self._state = state
        self._schema = schema
        self._sampling = sampling
        self._url = f"{settings.base_url.rstrip('/')}/chat/completions"

    async def ask(self, prompt: Prompt, effort: Effort) -> Answer | Failure:
        """Ask until there is an answer, or a failure that no further attempt would help."""
        outcome: Answer | Failure = await retrying(self._settings, stopping=self.stopping)(
            self._attempt, prompt, effort
        )
        return outcome

    async def _attempt(self, prompt: Prompt, effort: Effort) -> Answer | Failure:
        """Ask once; again at once where the server only refuses a field that it need not be given."""
        while not self.stopping.is_set():
            dialect = self._state.dialect
            outcome = await self._request(prompt, effort, dialect=dialect)
            if isinstance(outcome, Answer) or not outcome.is_refusal:
                return outcome
            # Another prompt may have taught us better while this one was asked; then that counts.
            if dialect is self._state.dialect:
                other = adapted(dialect, outcome, may_drop_schema=self._may_drop_schema)
                if other is None:
                    return outcome
                self._state.dialect = other
        return _STOPPED

    @property
    def _may_drop_schema(self) -> bool:
        return isinstance(self._schema, JsonSchema) and self._settings.structured == "auto"

    async def _request(self, prompt: Prompt, effort: Effort, *, dialect: Dialect) -> Answer | Failure:
        body = request_body(
            prompt, settings=self._settings, dialect=dialect, schema=self._schema, sampling=self._sampling
        )
        effort.requests += 1
        started = time.monotonic()
        response = await self._send(body, seconds=min(self._settings.timeout_s, self._time_left(effort)))
        if isinstance(response, Failure):
            return response
        if not response.is_success:
            return failure_of_response(response, key=self._key)
        answer = self._read(response, messages_to_send(prompt, dialect=dialect, schema=self._schema))
        if answer is None:
            return failure_of_success(response, key=self._key)
        self._state.has_answered = True
        note = "; ".join(part for part in (dialect.note, answer.note) if part)
        return replace(answer, seconds=time.monotonic() - started, attempts=effort.requests, note=note)

    def _time_left(self, effort: Effort) -> float:
        return max(0.0, self._settings.deadline_s - effort.seconds)

    async def _send(self, body: bytes, *, seconds: float) -> httpx.Response | Failure:
        answering = False
        try:
            with anyio.fail_after(seconds):
                # Streamed only to tell a response that breaks off from a connection that never had one.
                async with self._client.stream("POST", self._url, content=body) as response:
                    answering = True
                    await response.aread()
                    return response
        except TimeoutError as error:
            return failure_of_time(seconds, cause=error)
        except httpx.RequestError as error:
            return failure_of_transport(error, answering=answering, reached=self._state.has_answered)

    def _read(self, response: httpx.Response, messages: Sequence[Message]) -> Answer | None:
        try:
            body = response.json()
        except (ValueError, RecursionError):
            return None
        answer = read_answer(body, messages=messages, stop=self._sampling.stop)
        if answer is None:
            return None
        text, finish, note = (blotted_record(part, self._key) for part in (answer.text, answer.finish, answer.note))
        if text != answer.text:
            note = "; ".join(part for part in (note, "the answer held the API key, which was blotted out") if part)
        return replace(answer, text=text, finish=finish, note=note)
