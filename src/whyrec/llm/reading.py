"""Answers of a language model, read strictly or counted by what is wrong with them; nothing is repaired."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from whyrec.llm.base import Completion
from whyrec.llm.structured import SchemaViolationError

Read = TypeVar("Read")


class UnusableAnswerError(SchemaViolationError):
    """An answer has the form and still cannot be used; ``kind`` says why, in a word or two."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def read_answer(completion: Completion, parse: Callable[[str], Read], failures: Counter[str]) -> Read | None:
    """Read an answer, or count why it cannot be.

    Args:
        completion: What came.
        parse: Reads a text, or raises ``SchemaViolationError``.
        failures: Counts of ``empty``, ``cut``, ``form``, and of the kinds of ``UnusableAnswerError``.

    Returns:
        None if it cannot be used.
    """
    if not completion.text.strip():
        failures["empty"] += 1
        return None
    # What is cut may have been going to say something else, even where it has the form.
    if completion.finish == "length":
        failures["cut"] += 1
        return None
    try:
        return parse(completion.text)
    except SchemaViolationError as violation:
        failures[violation.kind if isinstance(violation, UnusableAnswerError) else "form"] += 1
        return None
