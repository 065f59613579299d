"""From logits to tokens to text: sampling with a random number per row, and where an answer ends."""

import hashlib
import random
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from whyrec.llm.base import SamplingConfig

# A random number so near to 1 that rounding could carry it past the last token with any probability.
_HIGHEST_DRAW = 1 - 1e-12


def draws_of(sampling: SamplingConfig, *, sample: int, tokens: Sequence[int]) -> random.Random:
    """The random numbers of one prompt: the same wherever it stands, others for another prompt or sample."""
    source = f"{sampling.seed}:{sample}:{','.join(map(str, tokens))}"
    return random.Random(hashlib.sha256(source.encode()).digest())


@torch.inference_mode()
def choose_tokens(
    logits: Float[Tensor, "B V"], draws: Sequence[float], *, temperature: float, top_p: float
) -> Int[Tensor, " B"]:
    """Choose the next token of each row.

    Args:
        logits: One row each; -inf rules a token out.
        draws: A random number in [0, 1) for each row; not looked at if the temperature is 0.
        temperature: Divides the logits; 0 takes the likeliest token.
        top_p: Draw only from the likeliest tokens that together reach this probability.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    probabilities = torch.softmax(logits.float() / temperature, dim=-1)
    if top_p < 1:
        probabilities = _likeliest(probabilities, top_p)
    # Summed in double precision: the rounding of a long sum would favour some tokens.
    reached = probabilities.double().cumsum(dim=-1)
    drawn = torch.tensor(draws, dtype=torch.float64, device=logits.device).clamp_(max=_HIGHEST_DRAW)
    chosen = torch.searchsorted(reached, drawn[:, None] * reached[:, -1:], right=True)[:, 0]
    # Where a schema has left no token, nothing is a number, and the search runs off the end.
    return chosen.clamp_(max=logits.shape[1] - 1)


def _likeliest(probabilities: Float[Tensor, "B V"], top_p: float) -> Float[Tensor, "B V"]:
    ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
    ordered[ordered.cumsum(dim=-1) - ordered >= top_p] = 0
    return torch.zeros_like(probabilities).scatter_(1, order, ordered)


class AnswerText:
    """Tokens to text, and the texts that end an answer."""

    def __init__(self, tokenizer: Any, stop: Sequence[str]) -> None:
        """Take a tokenizer of transformers and the texts to stop at."""
        self._tokenizer = tokenizer
        self._stop = [text for text in stop if text]
        # A token has at least one byte, so the text that has just come up lies within so many of the last tokens.
        self._window = max((len(text.encode()) for text in self._stop), default=0) + 4

    def has_ended(self, tokens: Sequence[int]) -> bool:
        """True if one of the texts has just come up."""
        if not self._stop:
            return False
        tail = self._decoded(tokens[-self._window :])
        return any(text in tail for text in self._stop)

    def read(self, tokens: Sequence[int]) -> tuple[str, bool]:
        """The answer up to the first of the texts to stop at, and whether there was one."""
        text = self._decoded(tokens)
        ends = [found for stop in self._stop if (found := text.find(stop)) >= 0]
        return (text[: min(ends)], True) if ends else (text, False)

    def _decoded(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text
