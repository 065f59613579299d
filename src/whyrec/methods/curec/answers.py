"""What a language model answers to CURec's prompts, read strictly: one that is not as asked says why.

Models that reason write ``<think>...</think>`` first, and those aligned on recommendation put what follows into
``<answer>...</answer>``; both are taken off before a pattern, a reason or an update is read. Length is a gate: what is
longer than was asked is refused, not cut.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from whyrec.llm.structured import JsonSchema, Regex, SchemaViolationError, bounded_text

MOST_ASPECTS = 6
FEWEST_ASPECTS = 4
"""Asked for where the history is long enough; fewer are taken."""
LONGEST_PATTERN_WORDS = 120
LONGEST_REASON_WORDS = 60
PATTERN_KEY, REASON_KEY = "pattern", "reason"

_CHARS_PER_WORD = 12
"""On average at most, so that a text without spaces has an end too."""
_LONGEST_ASPECT = LONGEST_PATTERN_WORDS * _CHARS_PER_WORD // MOST_ASPECTS
_CHOICE = re.compile(r"\s*<think>(?P<thought>.*)</think>\s*<answer>(?P<answer>.*)</answer>\s*", re.DOTALL)
_TAG = re.compile(r"</?(?:think|answer)>")
_BULLET = re.compile(r"\s*[-*•]\s+(?P<aspect>\S.*)")


@dataclass(frozen=True, slots=True)
class ParsedChoice:
    """Which candidate an answer names. ``answer`` and ``position`` are gates of the alignment's reward."""

    answer: str | None
    """What stands in the answer tags; None if the answer has not the form."""
    position: int | None
    """Of the candidate that it names, from 0; None if it names none."""
    failure: str | None


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A pattern or a reason, or why there is none."""

    text: str | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class ParsedUpdate:
    """A new pattern and a reason, or why there are none: both or neither."""

    pattern: str | None
    reason: str | None
    failure: str | None


def parse_choice(text: str, labels: Sequence[str]) -> ParsedChoice:
    """Read a recommendation: one thought, then one answer, each in its tags and nothing around them.

    Args:
        text: The answer.
        labels: What the candidates are called, as ``PromptTemplate.labels`` says.
    """
    found = _CHOICE.fullmatch(text)
    if found is None or any(_TAG.search(part) for part in found.groups()):
        return ParsedChoice(None, None, "expected <think>...</think> and then <answer>...</answer>, once each")
    answer = " ".join(found["answer"].split())
    if answer not in labels:
        return ParsedChoice(answer, None, f"expected a title of the list, got {answer[:60]!r}")
    return ParsedChoice(answer, labels.index(answer), None)


def parse_pattern(text: str) -> ParsedText:
    """Read a pattern: one to six lines that begin with a dash, 120 words at most."""
    try:
        return ParsedText(_pattern_of(_aspects_of(_after_thought(text))), None)
    except ValueError as error:
        return ParsedText(None, str(error))


def parse_reason(text: str) -> ParsedText:
    """Read a reason: words without tags, 60 at most; line breaks become spaces. Any language is taken."""
    try:
        return ParsedText(_reason_of(_after_thought(text)), None)
    except ValueError as error:
        return ParsedText(None, str(error))


def parse_update(text: str) -> ParsedUpdate:
    """Read an update: one JSON object with a list of aspects and a reason, each as it would be taken alone."""
    try:
        found = cast(dict[str, object], update_schema(forced=False).parse(_after_thought(text)))
        pattern = _pattern_of(cast(list[str], found[PATTERN_KEY]))
        return ParsedUpdate(pattern, _reason_of(str(found[REASON_KEY])), None)
    except ValueError as error:
        return ParsedUpdate(None, None, str(error))


def choice_schema(labels: Sequence[str], *, longest_thought: int = 600) -> Regex:
    """The form of a recommendation, for constrained decoding: a thought in at most so many characters, then a label."""
    named = "|".join(re.escape(label) for label in labels)
    return Regex(rf"<think>[^<>]{{1,{longest_thought}}}</think>\n<answer>({named})</answer>")


def pattern_schema() -> Regex:
    """The form of a pattern, for constrained decoding."""
    line = rf"- [^<>\r\n]{{3,{_LONGEST_ASPECT}}}"
    return Regex(rf"{line}(\n{line}){{0,{MOST_ASPECTS - 1}}}")


def reason_schema() -> Regex:
    """The form of a reason, for constrained decoding."""
    return Regex(rf"[^<>\r\n]{{3,{LONGEST_REASON_WORDS * _CHARS_PER_WORD}}}")


def update_schema(*, forced: bool = True) -> JsonSchema:
    """The form of an update.

    Args:
        forced: For constrained decoding, which needs the longest texts; else for reading what came.
    """
    longest = {PATTERN_KEY: _LONGEST_ASPECT, REASON_KEY: LONGEST_REASON_WORDS * _CHARS_PER_WORD}
    texts = {key: bounded_text(longest=n, shortest=3) if forced else {"type": "string"} for key, n in longest.items()}
    aspects = {"type": "array", "items": texts[PATTERN_KEY], "minItems": 1, "maxItems": MOST_ASPECTS}
    properties = {PATTERN_KEY: aspects, REASON_KEY: texts[REASON_KEY]}
    return JsonSchema.of(
        {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
        name="update",
    )


def _after_thought(text: str) -> str:
    """What follows the thought, without answer tags around it.

    Raises:
        SchemaViolationError: If a tag has no partner.
    """
    rest = text.rpartition("</think>")[2].strip()
    if rest.startswith("<answer>") and rest.endswith("</answer>"):
        rest = rest.removeprefix("<answer>").removesuffix("</answer>").strip()
    stray = _TAG.search(rest)
    if stray is not None:
        raise SchemaViolationError(f"expected tags in pairs, got a stray {stray[0]}")
    return rest


def _aspects_of(text: str) -> list[str]:
    aspects = []
    for line in filter(str.strip, text.splitlines()):
        bullet = _BULLET.fullmatch(line)
        if bullet is None:
            raise SchemaViolationError(f"expected lines that begin with a dash, got {line.strip()[:40]!r}")
        aspects.append(bullet["aspect"])
    return aspects


def _pattern_of(aspects: Sequence[str]) -> str:
    if not 1 <= len(aspects) <= MOST_ASPECTS:
        raise SchemaViolationError(f"expected 1 to {MOST_ASPECTS} aspects, got {len(aspects)}")
    lines = [_words_of(aspect, longest=LONGEST_PATTERN_WORDS) for aspect in aspects]
    _words_of(" ".join(lines), longest=LONGEST_PATTERN_WORDS)
    return "\n".join(f"- {line}" for line in lines)


def _reason_of(text: str) -> str:
    return _words_of(text, longest=LONGEST_REASON_WORDS)


def _words_of(text: str, *, longest: int) -> str:
    """The text in one line.

    Raises:
        SchemaViolationError: If it says nothing, is too long or no Unicode.
    """
    words = text.split()
    if not any(character.isalnum() for character in text):
        raise SchemaViolationError(f"expected words, got {text.strip()[:40]!r}")
    if len(words) > longest or len(text) > longest * _CHARS_PER_WORD:
        raise SchemaViolationError(f"expected at most {longest} words, got {len(words)} of {len(text)} characters")
    line = " ".join(words)
    if any("\ud800" <= character <= "\udfff" for character in line):
        raise SchemaViolationError("expected Unicode, got half a character")
    return line
