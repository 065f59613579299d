"""Prompts from a file and answers into one: JSON Lines, one object each."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.base import Completion, Message, Prompt, Role
from whyrec.llm.structured import JsonSchema

_FIELDS = frozenset({"id", "prompt", "system", "messages"})
_ROLES = get_args(Role)


@dataclass(frozen=True, slots=True)
class NamedPrompt:
    """A prompt with the name under which its answer comes back."""

    id: str
    prompt: Prompt


def read_prompts(path: Path) -> list[NamedPrompt]:
    """Read prompts: each line ``{"id": ..., "prompt": ..., "system": ...}`` or ``{"id": ..., "messages": [...]}``.

    ``id`` may be left out; the line number takes its place. Empty lines are skipped.

    Raises:
        InvalidDataError: Naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidDataError(
            f"{path}: expected a file of prompts, got none that can be read ({error.strerror}). Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{path}: expected UTF-8 text, got other bytes ({error.reason}). Convert it.") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    prompts = [_named_prompt(line, where=f"{path} line {number}", number=number) for number, line in lines]
    if not prompts:
        raise InvalidDataError(f"{path}: expected a prompt per line, got an empty file. Add prompts.")
    _require_unique(prompts, path)
    return prompts


def read_schema(path: Path) -> JsonSchema:
    """Read a JSON Schema from a file.

    Raises:
        InvalidConfigError: If it cannot be read or is no JSON Schema.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfigError(
            f"{path}: expected a JSON Schema, got no file that can be read ({error.strerror}). Check the path."
        ) from error
    except ValueError as error:
        raise InvalidConfigError(f"{path}: expected a JSON Schema, got no JSON ({error}). Correct it.") from error
    if not isinstance(found, dict):
        raise InvalidConfigError(f"{path}: expected a JSON Schema, got {type(found).__name__}. Write an object.")
    return JsonSchema.of(cast("dict[str, object]", found), name=path.stem)


def answer_lines(ids: Sequence[str], completions: Iterable[Completion]) -> Iterator[str]:
    """One JSON object per answer, in order."""
    for name, completion in zip(ids, completions, strict=True):
        row: Mapping[str, object] = {
            "id": name,
            "text": completion.text,
            "value": completion.value,
            "failure": completion.failure,
            "finish": completion.finish,
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "cached": completion.cached,
            "writer": completion.writer,
            "note": completion.note,
        }
        yield json.dumps(row, ensure_ascii=False)


def _named_prompt(line: str, *, where: str, number: int) -> NamedPrompt:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise InvalidDataError(f"{where}: expected a JSON object, got no JSON ({error.msg}). Correct it.") from error
    if not isinstance(found, dict):
        raise InvalidDataError(f"{where}: expected a JSON object, got {type(found).__name__}. Write {{...}}.")
    unknown = sorted(found.keys() - _FIELDS)
    if unknown:
        raise InvalidDataError(f"{where}: expected {', '.join(sorted(_FIELDS))}, got {unknown[0]!r}. Remove it.")
    if ("prompt" in found) == ("messages" in found):
        raise InvalidDataError(f"{where}: expected either 'prompt' or 'messages', got {_which(found)}. Give one.")
    prompt = _from_messages(found, where) if "messages" in found else _from_text(found, where)
    return NamedPrompt(str(found.get("id", number)), prompt)


def _which(found: Mapping[str, object]) -> str:
    return "both" if "prompt" in found else "neither"


def _from_text(found: Mapping[str, object], where: str) -> Prompt:
    texts = {name: found[name] for name in ("prompt", "system") if name in found}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise InvalidDataError(f"{where}, {name}: expected text, got {text!r}. Quote it.")
    return Prompt.of(cast(str, texts["prompt"]), system=cast("str | None", texts.get("system")))


def _from_messages(found: Mapping[str, object], where: str) -> Prompt:
    messages = found["messages"]
    if not isinstance(messages, list) or not messages or "system" in found:
        raise InvalidDataError(
            f"{where}, messages: expected a list with at least one message, and no 'system' beside it. Correct it."
        )
    return Prompt(
        tuple(_message(message, where=f"{where}, message {n}") for n, message in enumerate(messages, start=1))
    )


def _message(message: object, *, where: str) -> Message:
    if not isinstance(message, dict) or message.keys() != {"role", "content"}:
        raise InvalidDataError(f'{where}: expected {{"role": ..., "content": ...}}, got {message!r}. Write it so.')
    role, content = message["role"], message["content"]
    if role not in _ROLES or not isinstance(content, str):
        raise InvalidDataError(
            f"{where}: expected a role of {', '.join(_ROLES)} and text as content, got {role!r} and "
            f"{type(content).__name__}. Correct it."
        )
    return Message(cast(Role, role), content)


def _require_unique(prompts: Sequence[NamedPrompt], path: Path) -> None:
    seen: set[str] = set()
    for prompt in prompts:
        if prompt.id in seen:
            raise InvalidDataError(f"{path}: expected each id once, got {prompt.id!r} twice. Rename one.")
        seen.add(prompt.id)
