"""What tuning by rewards asks of a language model, and what it gets: questions, outputs and how both are judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

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


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """The outputs of one update, group after group, and what they earned."""

    questions: Sequence[int]
    """Each as often as it has outputs."""
    outputs: Sequence[Output]
    tokens: Sequence[Sequence[int]]
    """Of each output, the one that ends it included."""
    rewards: Float[Tensor, " N"]


@dataclass(frozen=True, slots=True, eq=False)
class Credit:
    """What an update learns from its outputs."""

    advantages: Float[Tensor, " N"] | Float[Tensor, "N L"]
    """Of each output, or of each of its tokens; L is the length of the longest."""
    idle_share: float = 0.0
    """Share of groups that teach nothing."""
    told: Mapping[str, float] = field(default_factory=dict)
    """Figures to be kept in the report."""


Crediting = Callable[[Graded], Credit]
"""From what outputs earned to how much likelier each is to become."""
