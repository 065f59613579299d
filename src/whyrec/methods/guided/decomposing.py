"""A score taken apart, exactly: what the base columns give and what each aspect gives."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.sequences import rectangle
from whyrec.methods.guided.refine import GuidedEncoder


@dataclass(frozen=True, slots=True, eq=False)
class ScoreParts:
    """The parts of one score per pair; their sum is the score, but for rounding."""

    base: Float[Tensor, " P"]
    """Of the trainable columns, and the item's bias."""
    aspects: Float[Tensor, "P K"]

    @property
    def total(self) -> Float[Tensor, " P"]:
        """The score."""
        return self.base + self.aspects.sum(dim=1)


@torch.inference_mode()
def score_parts(encoder: GuidedEncoder, states: Float[Tensor, "P D"], items: Int[Tensor, " P"]) -> ScoreParts:
    """Take the scores of some pairs apart.

    An aspect's part is what its columns add to the product of state and item. In the history, aspects also shape the
    state itself; that is not linear and counts where it ends up.

    Args:
        encoder: A trained encoder.
        states: Of the user of each pair, from ``last_state``.
        items: Rows of the output table.
    """
    products = states * encoder.output_table()[items]
    by_aspect = [products[:, stretch] for stretch in encoder.aspect_columns]
    aspects = torch.stack(by_aspect).sum(dim=0)
    base = products[:, : encoder.aspect_columns[0].start].sum(dim=1)
    bias = encoder.base.output_bias()
    if bias is not None:
        base = base + bias[items]
    if encoder.matching == "distance":
        aspects = aspects - 0.5 * encoder.guided_columns()[items] ** 2
    return ScoreParts(base, aspects)


@torch.inference_mode()
def parts_of_pairs(
    encoder: GuidedEncoder, histories: Sequences, *, rows: Int[Tensor, " P"], items: Int[Tensor, " P"]
) -> ScoreParts:
    """The same of users by their histories.

    Args:
        encoder: A trained encoder.
        histories: What it reads; none of the rows may be empty.
        rows: The user of each pair.
        items: Rows of the output table.
    """
    encoder.eval()
    distinct, place = torch.unique(rows, return_inverse=True)
    batch = rectangle(histories, distinct.numpy(), max_history=encoder.max_history)
    states = encoder.last_state(batch.to(encoder.output_table().device))
    return score_parts(encoder, states[place], items)
