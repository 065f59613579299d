"""What a server was found not to take, and how to ask it instead.

Servers differ in which fields they know. Rather than a list of servers, their own refusals tell.
"""

import re
from dataclasses import dataclass, replace

from whyrec.llm.openai_compatible.failures import Failure

_SCHEMA = re.compile(r"response_format|json_?schema|\bschema\b|structured|guided|grammar", re.I)
_UNSUPPORTED = re.compile(r"unsupported|not supported|unrecognized|unexpected field|extra (fields|inputs)", re.I)
_SAMPLING = re.compile(r"temperature|top_p|\bstop\b", re.I)


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which of the optional fields to use."""

    native_schema: bool = True
    """Send ``response_format``; otherwise the schema is asked for in words."""
    length_field: str = "max_tokens"
    seed: bool = True
    note: str = ""
    """What the server does not take, for the record of each answer."""


def adapted(dialect: Dialect, failure: Failure, *, may_drop_schema: bool) -> Dialect | None:
    """Give way to a refusal.

    Args:
        dialect: How it was asked.
        failure: The refusal.
        may_drop_schema: A schema was sent, and asking for it in words is allowed.

    Returns:
        How to ask instead, or None if the refusal is about something that cannot be left out.
    """
    words = failure.words
    if not failure.is_refusal:
        return None
    if "max_completion_tokens" in words and dialect.length_field == "max_tokens":
        return replace(dialect, length_field="max_completion_tokens")
    about_schema = _SCHEMA.search(words) or (_UNSUPPORTED.search(words) and not _SAMPLING.search(words))
    if dialect.seed and re.search(r"\bseed\b", words):
        return replace(dialect, seed=False, note=_joined(dialect.note, "the server takes no seed"))
    if about_schema and may_drop_schema and dialect.native_schema:
        note = f"the server refuses response_format, so the schema was asked for in words ({words})"
        return replace(dialect, native_schema=False, note=_joined(dialect.note, note))
    return None


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)
