"""What tuning by rewards asks of a language model, and what it gets: questions, outputs and how both are judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whyrec.llm.base import Message
from whyrec.llm.structured import OutputSchema


@dataclass(frozen=True)
class Asked:
    """What is asked at one place of a run."""

    messages: tuple[Message, ...]
    form: OutputSchema | None = None
    """What outputs must look like, where that is forced."""


Asking = Callable[[int], Asked]
"""Makes the prompt of a question when its turn comes."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a model wrote."""

    text: str
    is_cut: bool = False
    """True where it had not come to its end."""


Rewarding = Callable[[Sequence[int], Sequence[Output]], Sequence[float]]
"""From questions, each as often as it has outputs, and these outputs in the same order, to rewards."""
