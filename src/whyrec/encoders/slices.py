"""A summed loss computed a few positions at a time, so that scores of many negatives never stand in memory at once."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor


class SliceLoss(Protocol):
    """Loss of a stretch of positions."""

    def __call__(self, *tensors: Tensor) -> Float[Tensor, ""]:
        """Sum over the stretch; gets its part of each tensor by position, then the shared tensors whole."""
        ...


def in_slices(
    loss: SliceLoss, by_position: Sequence[Tensor], shared: Sequence[Tensor], *, rows: int = 256
) -> Float[Tensor, ""]:
    """The sum of a loss over all positions.

    Equal to ``loss(*by_position, *shared)``, values and gradients, for a loss that is a sum over positions.

    Args:
        loss: Computes a stretch.
        by_position: Tensors with one row per position.
        shared: Tensors that every position needs.
        rows: Positions in a stretch.
    """
    return _Sliced.apply(loss, len(by_position), rows, *by_position, *shared)  # type: ignore[no-any-return, no-untyped-call]


class _Sliced(torch.autograd.Function):
    """Gradients are computed beside the loss, while a stretch is still in the cache."""

    @staticmethod
    def forward(ctx: Any, loss: SliceLoss, n_by_position: int, rows: int, *tensors: Tensor) -> Tensor:
        gradients = [torch.zeros_like(tensor) if tensor.requires_grad else None for tensor in tensors]
        total = tensors[0].new_zeros(())
        for start in range(0, len(tensors[0]), rows):
            cuts = [t[start : start + rows] if place < n_by_position else t for place, t in enumerate(tensors)]
            leaves = [
                cut.detach().requires_grad_(gradient is not None) for cut, gradient in zip(cuts, gradients, strict=True)
            ]
            with torch.enable_grad():
                value = loss(*leaves)
            wanted = [place for place, gradient in enumerate(gradients) if gradient is not None]
            found = torch.autograd.grad(value, [leaves[place] for place in wanted]) if wanted else ()
            total += value.detach()
            for place, part in zip(wanted, found, strict=True):
                gradient = gradients[place]
                assert gradient is not None, "only wanted gradients are computed"
                (gradient[start : start + rows] if place < n_by_position else gradient).add_(part)
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        (upstream,) = gradients
        scaled = [None if gradient is None else gradient * upstream for gradient in ctx.saved_tensors]
        return (None, None, None, *scaled)
