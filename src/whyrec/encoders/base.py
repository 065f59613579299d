"""What every encoder is: a module that turns histories into states, and states into scores of all items."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.sequences import Rectangle


class SequenceEncoder(nn.Module, ABC):
    """Reads histories that are padded on the right.

    A subclass gives ``states`` (training) and may give a cheaper ``last_state`` (use).
    """

    max_history: int
    """The most items of a history that are read."""
    n_items: int
    dropout: float
    """Rate in training."""
    reads_masks: bool = False
    """True if a padding inside a row's length stands for an item that is to be guessed from both sides."""

    @abstractmethod
    def states(self, batch: Rectangle, *, drop: Dropout = no_dropout) -> Float[Tensor, "B T D"]:
        """The state after each item; what stands behind a row's last item is meaningless."""

    @abstractmethod
    def output_table(self) -> Float[Tensor, "I D"]:
        """One vector per item, without the padding, whose product with a state is the item's score."""

    def item_table(self) -> ItemTable:
        """The table that histories are read with; its frozen columns are where a method puts numbers of its own."""
        assert isinstance(self.items, ItemTable), "every encoder keeps its table under this name, or says where it is"
        return self.items

    def output_bias(self) -> Float[Tensor, " I"] | None:
        """A number per item that is added to its score, or None."""
        return None

    def states_at(self, batch: Rectangle, places: Bool[Tensor, "B T"], *, drop: Dropout) -> Float[Tensor, "N D"]:
        """The states at some positions, row by row."""
        return self.states(batch, drop=drop)[places]

    def last_state(self, batch: Rectangle) -> Float[Tensor, "B D"]:
        """The state after the last item of each row, from which the next item is predicted."""
        states = self.states(batch)
        last = (batch.lengths - 1).clamp(min=0)
        return states[torch.arange(len(last), device=states.device), last]

    def configuration(self) -> Mapping[str, object]:
        """What the class was made with, for saving."""
        raise NotImplementedError

    def scores(self, states: Float[Tensor, "B D"]) -> Float[Tensor, "B I"]:
        """Scores of all items."""
        scores = states @ self.output_table().T
        bias = self.output_bias()
        return scores if bias is None else scores + bias


def reversed_positions(lengths: Int[Tensor, " B"], *, width: int, max_history: int) -> Int[Tensor, "B T"]:
    """Number the cells of a rectangle so that every row's last item has the same, highest number.

    Recent items then have the same position in long and short histories, as with padding on the left.
    """
    cells = torch.arange(width, device=lengths.device)
    return (max_history - lengths[:, None] + cells).clamp(max=max_history - 1)
