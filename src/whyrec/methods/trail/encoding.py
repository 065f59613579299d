"""Samples and their answers as tokens, with what each token is worth in the losses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from whyrec.errors import PromptTooLongError
from whyrec.llm.base import Message
from whyrec.llm.local.conversation import conversation_text
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START, AnswerText, PromptTemplate, Span
from whyrec.methods.trail.samples import Sample


@dataclass(frozen=True, slots=True)
class Encoder:
    """Turns samples and answers into tokens, for one model and one template."""

    tokenizer: Any  # one of transformers' many classes
    template: PromptTemplate
    rendering: Literal["model", "plain"]
    """Through the model's chat template, or as raw text."""
    max_tokens: int
    """Of prompt and answer together."""
    answer_tokens: int = 0
    """Of these, what is kept for the answer: the prompt is cut for it, the answer never (T16)."""
    scaffold_weight: float = 0.1
    """Of the answer's tokens that are neither score nor explanation (T10)."""

    def messages(self, sample: Sample) -> tuple[Message, ...]:
        """What is asked, shortened if it leaves no room for the answer: the oldest windows go first (T16).

        Raises:
            PromptTooLongError: If there is no room even so.
        """
        messages = self.template.messages(sample)
        room = self.max_tokens - self.answer_tokens
        # A token is no shorter than a byte; longer prompts are counted.
        if not self.answer_tokens or sum(len(message.content.encode()) for message in messages) < room // 2:
            return messages
        return self.template.fit_length(sample, max_tokens=room, count_tokens=self._count)

    def _count(self, messages: tuple[Message, ...]) -> int:
        text = conversation_text(self.tokenizer, messages, template=self.rendering, name="the model to tune")
        return len(self.tokenizer(text, add_special_tokens=self.rendering == "plain")["input_ids"])

    def text(self, sample: Sample, *, begun: str) -> str:
        """What the model reads: the prompt, and the beginning of its answer.

        Args:
            sample: What is asked about.
            begun: Of the answer.
        """
        messages = (*self.messages(sample), Message("assistant", begun))
        return conversation_text(self.tokenizer, messages, template=self.rendering, name="the model to tune")

    def encode(self, sample: Sample, answer: AnswerText) -> "EncodedSample":
        """A prompt with its answer and the end of the text.

        Raises:
            PromptTooLongError: If it is longer than ``max_tokens``.
        """
        text = self.text(sample, begun=answer.text)
        start = len(text) - len(answer.text)
        encoded = self.tokenizer(
            text, add_special_tokens=self.rendering == "plain", return_offsets_mapping=True, return_attention_mask=False
        )
        ids: list[int] = [*encoded["input_ids"], self.tokenizer.eos_token_id]
        if len(ids) > self.max_tokens:
            raise PromptTooLongError(
                f"sample of item {sample.history.item_id!r}: expected at most {self.max_tokens} tokens, got "
                f"{len(ids)}. Shorten its history or its explanation, or allow more."
            )
        offsets = np.asarray([*encoded["offset_mapping"], (len(text), len(text) + 1)], dtype=np.int64)
        score, told = (_shifted(span, by=start) for span in (answer.score, answer.explanation))
        # The character behind the score ends it, and a score that does not end is another.
        is_score = _overlaps(offsets, (score[0], score[1] + 1))
        is_told = _overlaps(offsets, told)
        is_answer = _overlaps(offsets, (start, len(text) + 1))
        weights = np.where(is_told & ~is_score, 0.0, np.where(is_score, 1.0, self.scaffold_weight)) * is_answer
        # Markers with nothing between them are no explanation to learn from: the sample teaches the score alone.
        says = answer.text[slice(*answer.explanation)].removeprefix(EXPLANATION_START).removesuffix(EXPLANATION_END)
        return EncodedSample(
            ids=np.asarray(ids, dtype=np.int64),
            token_weights=weights.astype(np.float32),
            is_told=is_told & bool(says),
            score_place=int(np.flatnonzero(_overlaps(offsets, score))[0]),
            count=float(sample.target or 0),
            weight=sample.weight,
        )


@dataclass(frozen=True, slots=True)
class EncodedSample:
    """One training text; L tokens."""

    ids: Int[np.ndarray, " L"]
    token_weights: Float[np.ndarray, " L"]
    """Of each token as a target of Eq. (9)."""
    is_told: Bool[np.ndarray, " L"]
    """Tokens of the explanation, markers included; none where the sample teaches the score alone."""
    score_place: int
    """The first token of the score."""
    count: float
    """Users in the target window."""
    weight: float

    @property
    def has_text(self) -> bool:
        """Whether there is an explanation."""
        return bool(self.is_told.any())


@dataclass(frozen=True, slots=True)
class Batch:
    """Training texts side by side, padded on the right."""

    ids: Int[Tensor, "B L"]
    is_token: Int[Tensor, "B L"]
    token_weights: Float[Tensor, "B L"]
    """With the samples' own weights in them."""
    is_told: Bool[Tensor, "B L"]
    score_places: Int[Tensor, " B"]
    counts: Float[Tensor, " B"]

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        return Batch(*(getattr(self, name).to(device) for name in Batch.__slots__))


def collate(samples: Sequence[EncodedSample], *, padding: int) -> Batch:
    """Put texts side by side.

    Args:
        samples: Texts.
        padding: Token behind a row's end.
    """
    length = max(len(sample.ids) for sample in samples)
    shape = len(samples), length
    ids, weights = np.full(shape, padding, dtype=np.int64), np.zeros(shape, dtype=np.float32)
    is_token, is_told = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    for row, sample in enumerate(samples):
        n = len(sample.ids)
        ids[row, :n], is_token[row, :n], is_told[row, :n] = sample.ids, 1, sample.is_told
        weights[row, :n] = sample.token_weights * sample.weight
    return Batch(
        ids=torch.from_numpy(ids),
        is_token=torch.from_numpy(is_token),
        token_weights=torch.from_numpy(weights),
        is_told=torch.from_numpy(is_told),
        score_places=torch.tensor([sample.score_place for sample in samples]),
        counts=torch.tensor([sample.count for sample in samples], dtype=torch.float64),
    )


def _shifted(span: Span, *, by: int) -> Span:
    return span[0] + by, span[1] + by


def _overlaps(offsets: Int[np.ndarray, "L 2"], span: Span) -> Bool[np.ndarray, " L"]:
    first, last = span
    found: np.ndarray = (offsets[:, 0] < last) & (offsets[:, 1] > first) & (first < last)
    return found
