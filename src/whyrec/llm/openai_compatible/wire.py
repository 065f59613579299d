"""The OpenAI chat format: from a prompt to a request, and from a response to an answer. Pure functions."""

import hashlib
import json
import math
import re
from collections.abc import Sequence
from typing import Any

from whyrec.llm.base import Answer, Message, Prompt, SamplingConfig
from whyrec.llm.openai_compatible.dialect import Dialect
from whyrec.llm.openai_compatible.settings import EndpointSettings
from whyrec.llm.structured import JsonSchema, OutputSchema

_BYTES_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 4
_MOST_TOKENS = 2**31


def messages_to_send(prompt: Prompt, *, dialect: Dialect, schema: OutputSchema | None) -> tuple[Message, ...]:
    """The conversation, with the schema in words where it does not travel by itself."""
    if schema is None or (isinstance(schema, JsonSchema) and dialect.native_schema):
        return prompt.messages
    return _with_instruction(prompt.messages, schema.instruction())


def request_body(
    prompt: Prompt,
    *,
    settings: EndpointSettings,
    dialect: Dialect,
    schema: OutputSchema | None,
    sampling: SamplingConfig,
) -> bytes:
    """Write a request.

    Every sampling field is sent even where it has the API's default, because servers take theirs from the model.
    """
    messages = messages_to_send(prompt, dialect=dialect, schema=schema)
    body: dict[str, object] = {
        "model": settings.model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        dialect.length_field: sampling.max_tokens,
        "stream": False,
    }
    if dialect.seed:
        body["seed"] = seed_of(sampling.seed, prompt.sample)
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if isinstance(schema, JsonSchema) and dialect.native_schema:
        body["response_format"] = _response_format(schema)
    # Escapes beyond ASCII: text that cannot be encoded (a lone surrogate) is then the server's to refuse.
    return json.dumps(body | dict(settings.extra_body)).encode()


def seed_of(seed: int, sample: int) -> int:
    """A seed of 31 bits: samples of one conversation differ, and those of neighbouring seeds do not overlap."""
    digest = hashlib.sha256(f"{seed}/{sample}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: its UTF-8 bytes by four (English has about four letters in a token)."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / _BYTES_PER_TOKEN)


def estimated_prompt_tokens(messages: Sequence[Message]) -> int:
    """The same for a conversation, with a few tokens for each turn's marks."""
    return sum(estimated_tokens(message.content) + _TOKENS_PER_MESSAGE for message in messages)


def read_answer(body: object, *, messages: Sequence[Message], stop: Sequence[str]) -> Answer | None:
    """Read a chat completion.

    Args:
        body: The response's JSON.
        messages: What was asked, for an estimate where the server does not count.
        stop: Texts that end an answer; some servers leave them in.

    Returns:
        The answer without its time, or None if this is no chat completion.
    """
    match body:
        case {"choices": [{"message": {**message}, **choice}, *_], **rest}:
            pass
        case _:
            return None
    text, finish = _text_of(message.get("content")), choice.get("finish_reason")
    if text is None:
        return None
    finish = finish if isinstance(finish, str) else "unknown"
    notes = [f"refused: {message['refusal']}"] if isinstance(message.get("refusal"), str) else []
    ended = _before_stop(text, stop)
    if ended != text:
        text, finish = ended, "stop"
        notes.append("the server left the stop text in; it was cut off")
    usage = rest.get("usage")
    prompt_tokens, completion_tokens = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt_tokens is None or completion_tokens is None:
        notes.append("the server does not count tokens; estimated")
    return Answer(
        text=text,
        finish=finish,
        prompt_tokens=estimated_prompt_tokens(messages) if prompt_tokens is None else prompt_tokens,
        completion_tokens=estimated_tokens(text) if completion_tokens is None else completion_tokens,
        seconds=0.0,
        note="; ".join(notes),
    )


def _with_instruction(messages: Sequence[Message], instruction: str) -> tuple[Message, ...]:
    """Append an instruction to the last thing the user says."""
    places = [place for place, message in enumerate(messages) if message.role == "user"]
    if not places:
        return (*messages, Message("user", instruction))
    last = places[-1]
    asked = Message("user", f"{messages[last].content}\n\n{instruction}")
    return (*messages[:last], asked, *messages[last + 1 :])


def _response_format(schema: JsonSchema) -> dict[str, object]:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", schema.name)[:64]  # all that the API allows
    return {"type": "json_schema", "json_schema": {"name": name, "schema": json.loads(schema.text), "strict": True}}


def _text_of(content: Any) -> str | None:  # what a server sends can be anything
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    return None


def _before_stop(text: str, stop: Sequence[str]) -> str:
    places = [place for end in stop if end and (place := text.find(end)) >= 0]
    return text[: min(places)] if places else text


def _count(usage: Any, name: str) -> int | None:  # as above
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if type(found) is int and 0 <= found < _MOST_TOKENS else None  # True is an int too
