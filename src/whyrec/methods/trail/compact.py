"""Prompts for a small model that is trained from scratch: a few dozen words where the paper has several hundred.

The same contract as the paper's template: one text for training and inference, cut-offs kept, answers read strictly.
Counts are single words (``number_words``), attributes stand as they are, and there is no instruction: such a model
knows one task.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from whyrec.data.attributes import AttributeValue
from whyrec.data.item_histories import ItemHistory
from whyrec.errors import InvalidDataError, PromptTooLongError
from whyrec.llm.base import Message
from whyrec.llm.structured import Regex
from whyrec.methods.trail.number_words import number_word, number_words, word_values
from whyrec.methods.trail.prompts import (
    EXPLANATION_END,
    EXPLANATION_START,
    AnswerText,
    Order,
    ParsedAnswer,
    in_one_line,
    require_score_first,
)
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.sentences import Sentences, explanation_form
from whyrec.methods.trail.wording import MONTHS
from whyrec.methods.trail.writer_trend import STEADY

Slot = Literal["word", "digits"]

_SCORE = "score"
_SPANS_DAYS = (3, 7, 14, 30)
_ANSWER = re.compile(
    rf"{_SCORE} (?P<score>\w+){EXPLANATION_START}(?P<text>[^<>]*){EXPLANATION_END}"
    rf"|{EXPLANATION_START}(?P<text_first>[^<>]*){EXPLANATION_END}{_SCORE} (?P<score_last>\w+)"
)
_DIGITS = re.compile("0|[1-9][0-9]*")
_VALUE = {word: float(value) for word, value in zip(number_words(), word_values(), strict=True)}


@dataclass(frozen=True, slots=True)
class CompactTemplate:
    """Implements ``PromptTemplate`` for small models."""

    order: Order = "score_first"
    slot: Slot = "word"
    """The score as one word, or spelled in digits."""
    with_daily: bool = True
    """Tell the last days one by one, and the sums of the last 3, 7, 14 and 30."""
    max_windows: int = 6
    days: int = 7
    """Last days that are told one by one."""
    max_values: int = 4
    """Values of one attribute that are told."""
    known: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Attribute values worth telling, by attribute: those that the training samples show often enough."""
    sentences: Sentences = field(default_factory=dict)
    """What explanations are made of; empty lets them say anything."""

    def messages(self, sample: Sample) -> tuple[Message, ...]:
        """One line: attributes, age, total, windows, days, target month."""
        history = sample.history
        parts = [*self._attributes(history.attributes)]
        parts += ["age", self._age(history)]
        parts += ["total", number_word(history.total_users)]
        parts += ["windows", *(number_word(users) for users in history.users[-self.max_windows :])]
        if history.months or history.this_month is not None:
            # Explanations speak of calendar months, whatever the windows are: they must be able to know them.
            parts += ["months", *(number_word(users) for users in history.months[-self.max_windows :])]
            parts += [] if len(history.months) < 2 else ["change", change_word(*history.months[-2:])]
            parts += [] if history.this_month is None else ["now", number_word(history.this_month)]
        if self.with_daily:
            parts += ["days", *(number_word(users) for users in history.daily[-self.days :])]
            parts += ["sums", *(number_word(sum(history.daily[-span:])) for span in _SPANS_DAYS)]
        parts += ["for", MONTHS[sample.window.start.month - 1][:3].lower()]
        return (Message("user", " ".join(parts)),)

    def fit_length(
        self, sample: Sample, *, max_tokens: int, count_tokens: Callable[[tuple[Message, ...]], int]
    ) -> tuple[Message, ...]:
        """The prompt as it is: its parts are few and bounded.

        Raises:
            PromptTooLongError: If it is longer than ``max_tokens`` all the same.
        """
        messages = self.messages(sample)
        n_tokens = count_tokens(messages)
        if n_tokens > max_tokens:
            raise PromptTooLongError(
                f"prompt of item {sample.history.item_id!r}: expected at most {max_tokens} tokens, got {n_tokens}. "
                "Allow more (max_tokens), or tell fewer windows."
            )
        return messages

    def answer(self, *, score: str, explanation: str) -> AnswerText:
        """The answer that follows in training.

        Args:
            score: From ``score_text``.
            explanation: Without markers; its line breaks become spaces. Empty where a sample teaches the score alone.

        Raises:
            InvalidDataError: If the score is none, or the explanation holds angle brackets, which only the markers may.
        """
        if self._value(score) is None:
            raise InvalidDataError(
                f"answer: expected a score as {self.score_text(12)!r}, got {score!r}. Take it from score_text."
            )
        if "<" in explanation or ">" in explanation:
            raise InvalidDataError(
                f"answer: expected an explanation without angle brackets, got {explanation[:60]!r}. Take them out."
            )
        number = f"{_SCORE} {score}"
        if not explanation:
            return AnswerText(number, (len(_SCORE) + 1, len(number)), (len(number), len(number)))
        told = f"{EXPLANATION_START}{in_one_line(explanation)}{EXPLANATION_END}"
        if self.order == "score_first":
            text, score_start, told_start = f"{number}{told}", len(_SCORE) + 1, len(number)
        else:
            text, score_start, told_start = f"{told}{number}", len(told) + len(_SCORE) + 1, 0
        return AnswerText(text, (score_start, score_start + len(score)), (told_start, told_start + len(told)))

    def score_prefix(self) -> str:
        """The answer's text up to where the score stands.

        Raises:
            InvalidConfigError: If the explanation comes first.
        """
        require_score_first(self.order)
        return f"{_SCORE} "

    def score_text(self, count: float) -> str:
        """How the template writes a number of users."""
        return number_word(count) if self.slot == "word" else str(round(count))

    def explanation_form(self) -> Regex:
        """What a generated explanation must look like."""
        return explanation_form(self.sentences)

    def parse(self, text: str) -> ParsedAnswer:
        """Read an answer strictly: a score of this template's slot, and an explanation in its markers."""
        found = _ANSWER.fullmatch(text.strip())
        if found is None:
            return ParsedAnswer(None, None, f"expected '{_SCORE} NUMBER' and a marked explanation")
        written = found["score"] or found["score_last"]
        score = self._value(written)
        if score is None:
            return ParsedAnswer(None, None, f"expected a score as {self.score_text(12)!r}, got {written[:40]!r}")
        return ParsedAnswer(score, (found["text"] or found["text_first"] or "").strip(), None)

    def _value(self, written: str) -> float | None:
        """What a score says, or None if it is none."""
        if self.slot == "word":
            return _VALUE.get(written)
        return float(written) if _DIGITS.fullmatch(written) else None

    def _age(self, history: ItemHistory) -> str:
        if history.age_days is None:
            return "new"
        # Days since the log began would pass for the age of a release.
        return "old" if history.is_from_start else number_word(round(history.age_days))

    def _attributes(self, attributes: Mapping[str, AttributeValue]) -> list[str]:
        parts = []
        for name, known in self.known.items():
            told = [word for word in attribute_words(attributes.get(name)) if word in known]
            if told:
                parts += [attribute_word(name), *told[: self.max_values]]
        return parts


def change_word(older: int, newer: int) -> str:
    """How a month compares with the one before, in one word: a small model reads numbers but hardly compares them."""
    if older == 0 or newer == 0:
        return "none" if older == newer else "back" if newer else "gone"
    if abs(newer - older) <= STEADY * max(newer, older):
        return "steady"
    if newer > older:
        return "doubled" if newer >= 2 * older else "up"
    return "halved" if 2 * newer < older else "down"


def attribute_word(name: str) -> str:
    """An attribute's name as one word."""
    return re.sub(r"\W+", "_", name.casefold())


def attribute_words(value: AttributeValue | None) -> list[str]:
    """An attribute's values as words: texts without spaces, numbers rounded to about two digits."""
    if value is None:
        return []
    if isinstance(value, float):
        return [f"{value:.0f}" if 1900 <= value < 2100 else f"{value:.2g}"]
    values = value if isinstance(value, tuple) else re.split(r"\s*[|>/;]\s*", value)
    return [re.sub(r"\W+", "_", part.strip().casefold()) for part in values if part.strip()]
