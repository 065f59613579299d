"""Which number a local model would write in an answer that has begun: as a distribution, nothing generated."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from whyrec.llm.base import Message, Prompt
from whyrec.llm.choices import choice_probabilities
from whyrec.llm.local.backend import LocalBackend


def likely_numbers(
    backend: LocalBackend, prompts: Sequence[Prompt], *, begun: Sequence[str], numbers: Sequence[int]
) -> Float[np.ndarray, "N M"]:
    """How likely each number is to come next.

    Args:
        backend: The model.
        prompts: What is asked.
        begun: The answer to each, up to where the number stands.
        numbers: The admitted ones, distinct.

    Returns:
        One row per prompt, one column per number; rows sum to 1.

    Raises:
        PromptTooLongError: If a prompt with its answer is longer than the model's context.
    """
    if not prompts:
        return np.zeros((0, len(numbers)))
    answering = [
        Prompt((*prompt.messages, Message("assistant", text))) for prompt, text in zip(prompts, begun, strict=True)
    ]
    return choice_probabilities(
        backend.model,
        backend.tokenizer,
        backend.texts(answering),
        choices=[str(number) for number in numbers],
        adds_special_tokens=backend.identity.options["template"] == "plain",
    )
