"""What an answer must look like, and the strict reading of what came back.

A schema is asked of a model (which may be forced to obey, see ``grammar.py``, or merely told, see ``instruction``)
and every answer is then read strictly. An answer that breaks its schema is data: it is kept, counted and reported,
never repaired.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from pydantic import BaseModel

from whyrec.errors import InvalidConfigError
from whyrec.runtime.extras import require_extra


class SchemaViolationError(ValueError):
    """An answer does not obey its schema; the message says where and how. Not an error: it becomes data."""


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """An answer that is one JSON value of a described form."""

    text: str
    """The JSON Schema (draft 2020-12), as canonical JSON."""
    name: str = "answer"
    """How servers and messages call it."""

    @classmethod
    def of(cls, source: Mapping[str, object] | type[BaseModel], *, name: str = "answer") -> "JsonSchema":
        """Take a JSON Schema, or derive it from a pydantic model.

        Raises:
            InvalidConfigError: If it is no valid JSON Schema; the message says where.
        """
        schema = source.model_json_schema() if isinstance(source, type) else source
        try:
            text = json.dumps(schema, sort_keys=False, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidConfigError(f"schema {name!r}: expected JSON, got {error}. Correct it.") from error
        _validator(text)
        return cls(text=text, name=name)

    def canonical(self) -> dict[str, object]:
        """What the cache key holds of it. The order of properties counts: it is the order of the answer."""
        return {"json_schema": self.text}

    def parse(self, text: str) -> object:
        """Read an answer strictly: one JSON value, no duplicate keys, no NaN, valid under the schema.

        Raises:
            SchemaViolationError: Saying where it fails.
        """
        try:
            value = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            raise SchemaViolationError(f"no JSON: {error.msg} at character {error.pos}") from error
        except SchemaViolationError:
            raise
        except ValueError as error:  # Python reads no integer of more than 4,300 digits
            raise SchemaViolationError(f"no JSON that can be read: {_shortened(str(error))}") from error
        except RecursionError as error:
            raise SchemaViolationError("no JSON: nested too deeply") from error
        problem = next(iter(_validator(self.text).iter_errors(value)), None)
        if problem is not None:
            where = "/".join(str(part) for part in problem.absolute_path) or "the whole answer"
            raise SchemaViolationError(f"{where}: {_shortened(problem.message)}")
        return cast(object, value)

    def instruction(self) -> str:
        """How to ask for it in words, where a server cannot be made to obey."""
        return f"Answer with one JSON value that is valid under this JSON Schema, and nothing else:\n{self.text}"


@dataclass(frozen=True, slots=True)
class Regex:
    """An answer that matches a pattern from its first character to its last."""

    pattern: str

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise InvalidConfigError(f"regex {self.pattern!r}: expected a pattern, got {error}. Correct it.") from error

    def canonical(self) -> dict[str, object]:
        """What the cache key holds of it."""
        return {"regex": self.pattern}

    def parse(self, text: str) -> object:
        """Read an answer: the whole text must match.

        Returns:
            The text.

        Raises:
            SchemaViolationError: If it does not match.
        """
        if re.fullmatch(self.pattern, text) is None:
            raise SchemaViolationError(f"does not match {_shortened(self.pattern)}: {_shortened(repr(text))}")
        return text

    def instruction(self) -> str:
        """How to ask for it in words, where a server cannot be made to obey."""
        return f"Answer with text that matches this regular expression, and nothing else:\n{self.pattern}"


OutputSchema = JsonSchema | Regex


def failure_of(schema: OutputSchema | None, text: str, *, finish: str) -> tuple[object, str | None]:
    """Check an answer.

    Args:
        schema: What was asked for, or None for free text.
        text: The answer.
        finish: How it ended.

    Returns:
        The parsed value and None, or None and the reason why it does not obey.
    """
    if schema is None:
        return None, None
    try:
        return schema.parse(text), None
    except SchemaViolationError as violation:
        cut = "cut at max_tokens; " if finish == "length" else ""
        return None, f"{cut}{violation}"


def bounded_text(*, longest: int, shortest: int = 0) -> dict[str, object]:
    """The JSON Schema of a one-line text of limited length.

    ``maxLength`` is not used: constrained decoders compile it to rules that let raw control characters through (which
    is no JSON). Quotes and backslashes are left out, so what is written is what is read.
    """
    return {"type": "string", "pattern": f'^[^\\u0000-\\u001f\\u007f"\\\\]{{{shortest},{longest}}}$'}


def without_length_limits(schema: object) -> object:
    """The same schema with ``minLength``/``maxLength`` of strings expressed as patterns; see ``bounded_text``.

    Raises:
        InvalidConfigError: If a length has a limit below but none above: a decoder would not know when to end.
    """
    if isinstance(schema, Mapping):
        kept = {key: without_length_limits(value) for key, value in schema.items()}
        if kept.get("type") != "string" or "pattern" in kept or not {"minLength", "maxLength"} & kept.keys():
            return kept
        shortest, longest = kept.pop("minLength", 0), kept.pop("maxLength", None)
        if longest is None:
            raise InvalidConfigError(
                f"schema: expected maxLength beside minLength {shortest}, got none. Give texts an upper limit."
            )
        return kept | bounded_text(longest=cast(int, longest), shortest=cast(int, shortest))
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return [without_length_limits(part) for part in schema]
    return schema


@cache
def _validator(schema: str) -> Any:  # jsonschema's validator classes are built at run time and have no common type
    require_extra("llm", "jsonschema")
    import jsonschema

    parsed = json.loads(schema)
    try:
        jsonschema.Draft202012Validator.check_schema(parsed)
    except jsonschema.SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path) or "its root"
        raise InvalidConfigError(
            f"schema: expected a JSON Schema, got an error at {where}: {_shortened(error.message)}. Correct it."
        ) from error
    return jsonschema.Draft202012Validator(parsed)


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise SchemaViolationError(f"no JSON with unique keys: {repeated!r} stands twice")
    return found


def _refuse_constant(name: str) -> object:
    raise SchemaViolationError(f"no JSON: {name} is not a JSON number")


def _shortened(text: str, *, longest: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
