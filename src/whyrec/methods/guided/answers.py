"""What a language model answers to GER's prompts, read strictly: one line ``aspect: number`` per aspect, in order.

Models that reason write ``<think>...</think>`` first; that is taken off. Nothing is repaired (G18).
"""

import re
from collections.abc import Sequence

from whyrec.llm.structured import Regex, SchemaViolationError
from whyrec.methods.guided.aspects import HIGHEST, LEVELS, AspectSet
from whyrec.methods.guided.prompts import slot_prefix

_NUMBER = f"(?:{HIGHEST}|[1-{HIGHEST - 1}])"


def answer_form(aspects: AspectSet) -> Regex:
    """The form of an answer, to ask for and to be read by."""
    return Regex("\n".join(f"{re.escape(slot_prefix(name))}{_NUMBER}" for name in aspects.names))


def answer_text(aspects: AspectSet, scores: tuple[int, ...]) -> str:
    """An answer as a model should write it."""
    return "\n".join(f"{slot_prefix(name)}{score}" for name, score in zip(aspects.names, scores, strict=True))


def begun_answer(aspects: AspectSet, scores: Sequence[int]) -> str:
    """The beginning of an answer: lines with some scores, and the next one up to its number.

    Args:
        aspects: What is asked for.
        scores: Of the first aspects, fewer than there are.
    """
    lines = [f"{slot_prefix(name)}{score}\n" for name, score in zip(aspects.names, scores, strict=False)]
    return "".join(lines) + slot_prefix(aspects.names[len(scores)])


def score_spans(text: str, aspects: AspectSet) -> list[tuple[int, int]]:
    """Where the scores of an answer begin and end in its text.

    Raises:
        SchemaViolationError: As ``parse_scores``.
    """
    spans, place = [], text.rfind("</think>") + 1
    for name, score in zip(aspects.names, parse_scores(text, aspects), strict=True):
        place = text.index(f"{slot_prefix(name)}{score}", place) + len(slot_prefix(name))
        spans.append((place, place + len(str(score))))
    return spans


def parse_scores(text: str, aspects: AspectSet) -> tuple[int, ...]:
    """Read an answer: the scores, in the order of the aspects.

    Raises:
        SchemaViolationError: If a line is missing, out of order, of another aspect, or holds no number from 1 to 10.
    """
    lines = text.rpartition("</think>")[2].strip().splitlines()
    if len(lines) != len(aspects.names):
        raise SchemaViolationError(f"expected {len(aspects.names)} lines, got {len(lines)}")
    return tuple(_score(line.strip(), name) for line, name in zip(lines, aspects.names, strict=True))


def _score(line: str, name: str) -> int:
    prefix = slot_prefix(name)
    written = line.removeprefix(prefix)
    if not line.startswith(prefix) or written not in map(str, LEVELS):
        raise SchemaViolationError(f"expected {prefix!r} and a whole number from 1 to 10, got {line[:60]!r}")
    return int(written)
