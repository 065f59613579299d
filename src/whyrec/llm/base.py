"""What is asked of a language model and what comes back: the words that every backend and every method share."""

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from pydantic import Field

from whyrec.errors import PromptTooLongError
from whyrec.llm.structured import OutputSchema
from whyrec.runtime.strict_model import StrictModel

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: a conversation that it continues.

    Whether the messages pass through the model's chat template or are joined as raw text is the backend's choice, so
    that a method writes its prompts once.
    """

    messages: tuple[Message, ...]
    sample: int = 0
    """Which of several independent samples of the same conversation; it shifts the seed."""

    @classmethod
    def of(cls, user: str, *, system: str | None = None) -> "Prompt":
        """Ask one question, with an optional instruction before it."""
        head = (Message("system", system),) if system is not None else ()
        return cls((*head, Message("user", user)))

    def samples(self, n: int) -> list["Prompt"]:
        """The same conversation ``n`` times, to be answered independently."""
        return [replace(self, sample=index) for index in range(n)]


class SamplingConfig(StrictModel):
    """How an answer is drawn."""

    temperature: float = Field(default=0.0, ge=0)
    """0 takes the likeliest token each time."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Draw only from the likeliest tokens that together reach this probability."""
    max_tokens: int = Field(default=512, ge=1)
    """The longest answer, in tokens."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer; they are not part of it."""
    seed: int = Field(default=0, ge=0)
    """Same seed, same answer, however the prompts are batched."""


GREEDY = SamplingConfig()


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """All about a model that affects its answers."""

    backend: str
    model: str
    """Name or directory name."""
    revision: str
    """Hash of the weights, a hub commit, or what the user says a server runs; empty where unknown."""
    adapter: str | None = None
    """Hash of the LoRA adapter."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Whatever else of the backend's settings affects answers: number format, template, ..."""

    @property
    def writer(self) -> str:
        """How artefacts name who wrote them: model, revision and adapter."""
        revision = f"@{self.revision[:12]}" if self.revision else ""
        adapter = f"+{self.adapter[:12]}" if self.adapter else ""
        return f"{self.model}{revision}{adapter}"


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt with everything else that affects its answer."""

    identity: ModelIdentity
    prompt: Prompt
    schema: OutputSchema | None
    sampling: SamplingConfig

    def canonical(self) -> str:
        """The request as JSON with sorted keys and no spaces: equal requests give equal text."""
        identity = self.identity
        fields = {
            "backend": identity.backend,
            "model": identity.model,
            "revision": identity.revision,
            "adapter": identity.adapter,
            "options": dict(identity.options),
            "messages": [[message.role, message.content] for message in self.prompt.messages],
            "sample": self.prompt.sample,
            "schema": self.schema.canonical() if self.schema is not None else None,
            "sampling": self.sampling.model_dump(mode="json"),
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def key(self) -> str:
        """The cache key; see ``key_of``."""
        return key_of(self.canonical())


def key_of(canonical_request: str) -> str:
    """Hash a canonical request, tagged with the algorithm so that another can follow one day."""
    return "sha256:" + hashlib.sha256(canonical_request.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a backend gave back for one prompt, as it came: nothing repaired, nothing parsed."""

    text: str
    finish: str
    """``stop`` (the model ended), ``length`` (cut at the token limit), or what a server says."""
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    """Time spent on it: a server's response time, or this prompt's share of a batch."""
    attempts: int = 1
    """1 and the number of retries."""
    note: str = ""
    """Anything a reader of the record should know, such as a server that refused the schema."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer that was checked against the schema that was asked for."""

    text: str
    value: object
    """The parsed answer where a schema was asked for and obeyed, else None."""
    failure: str | None
    """Why the answer does not obey the schema; None if it does or none was asked for."""
    finish: str
    prompt_tokens: int
    completion_tokens: int
    cached: bool
    """True if nothing was asked or paid for it this time."""
    writer: str
    note: str = ""


class Backend(Protocol):
    """What answers prompts. It neither caches nor checks: ``LanguageModel`` does, for all backends alike."""

    @property
    def identity(self) -> ModelIdentity:
        """All about the model that affects its answers."""
        ...

    @property
    def context_tokens(self) -> int | None:
        """The most tokens that prompt and answer may have together; None where unknown."""
        ...

    @property
    def at_once(self) -> int:
        """How many answers are waited for at the same time: a run takes the sum of their seconds over this."""
        ...

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """The length of each prompt as the model would read it (an estimate where its tokenizer is not at hand)."""
        ...

    def answer(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None, sampling: SamplingConfig
    ) -> Generator[tuple[int, Answer], None, None]:
        """Answer prompts, each as soon as it is done, with its position in ``prompts``; any order.

        Closing the iterator early stops the work: nothing more is computed or asked.

        Raises:
            PromptTooLongError: Before anything is computed, if a prompt leaves no room for an answer.
            EndpointError: If a server cannot be reached or refuses.
        """
        ...


def require_room(
    lengths: Sequence[int], *, context_tokens: int | None, max_tokens: int, positions: Sequence[int] | None = None
) -> None:
    """Refuse prompts that do not fit the model's context together with the answer.

    Args:
        lengths: Tokens of each prompt.
        context_tokens: The model's limit, or None where unknown: then nothing is refused.
        max_tokens: Room for the answer.
        positions: How messages number the prompts, from 0; by default their order here.

    Raises:
        PromptTooLongError: Naming the longest prompt and all the numbers.
    """
    if context_tokens is None or not lengths:
        return
    room = context_tokens - max_tokens
    longest = max(range(len(lengths)), key=lengths.__getitem__)
    if lengths[longest] <= room:
        return
    too_long = sum(length > room for length in lengths)
    where = positions[longest] if positions is not None else longest
    raise PromptTooLongError(
        f"prompt {where + 1} of {len(lengths):,}: expected at most {room:,} tokens (context of {context_tokens:,} less "
        f"{max_tokens:,} for the answer), got {lengths[longest]:,}; {too_long:,} prompt{'s' * (too_long != 1)} too "
        "long. Shorten the prompts, lower max_tokens or take a model with a longer context."
    )
