"""Cross-entropy over the whole catalogue, computed in slices so that the scores never stand in memory all at once."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

CPU_ROWS = 128
"""Positions per slice on a CPU: scores of a few thousand items then stay in its cache."""
GPU_ROWS = 8192


def full_softmax(
    states: Float[Tensor, "N D"],
    table: Float[Tensor, "I D"],
    targets: Int[Tensor, " N"],
    *,
    bias: Float[Tensor, " I"] | None = None,
    rows: int | None = None,
) -> Float[Tensor, ""]:
    """Sum over positions of the negative log-probability of the target among all items.

    Equal to ``torch.nn.functional.cross_entropy(states @ table.T + bias, targets, reduction="sum")``.

    Args:
        states: One state per position.
        table: One vector per item.
        targets: Rows of the table.
        bias: Added to the scores.
        rows: Positions per slice; by default what suits the device.
    """
    n_rows = rows or (CPU_ROWS if states.device.type == "cpu" else GPU_ROWS)
    return _SlicedSoftmax.apply(states, table, bias, targets, n_rows)  # type: ignore[no-any-return, no-untyped-call]


class _SlicedSoftmax(torch.autograd.Function):
    """The gradient is computed beside the loss: the probabilities are at hand there and need not be kept."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, bias: Tensor | None, targets: Tensor, n_rows: int) -> Tensor:
        state_gradient = torch.empty_like(states)
        table_gradient = torch.zeros_like(table)
        bias_gradient = None if bias is None else torch.zeros_like(bias)
        loss = states.new_zeros((), dtype=torch.float64 if states.device.type == "cpu" else torch.float32)
        transposed = table.T
        buffer = states.new_empty(min(n_rows, len(states)), len(table))
        for start in range(0, len(states), n_rows):
            chunk, target = states[start : start + n_rows], targets[start : start + n_rows, None]
            scores = buffer[: len(chunk)]
            torch.mm(chunk, transposed, out=scores)
            if bias is not None:
                scores += bias
            log_total = scores.logsumexp(dim=1, keepdim=True)
            loss += (log_total - scores.gather(1, target)).sum()
            # From here on the buffer holds probabilities, less 1 at the target: the gradient of the scores.
            scores.sub_(log_total).exp_()
            scores.scatter_add_(1, target, scores.new_full((len(chunk), 1), -1.0))
            torch.mm(scores, table, out=state_gradient[start : start + n_rows])
            table_gradient.addmm_(scores.T, chunk)
            if bias_gradient is not None:
                bias_gradient += scores.sum(dim=0)
        ctx.save_for_backward(state_gradient, table_gradient, bias_gradient)
        return loss.to(states.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        (upstream,) = gradients
        state_gradient, table_gradient, bias_gradient = ctx.saved_tensors
        # Summed losses come with a gradient of 1 almost always.
        scaled = [
            None if gradient is None else gradient * upstream
            for gradient in (state_gradient, table_gradient, bias_gradient)
        ]
        return (*scaled, None, None)


def reference_softmax(
    states: Float[Tensor, "N D"],
    table: Float[Tensor, "I D"],
    targets: Int[Tensor, " N"],
    *,
    bias: Float[Tensor, " I"] | None = None,
) -> Float[Tensor, ""]:
    """The same, the plain way; what ``full_softmax`` is tested against."""
    scores = states @ table.T
    return functional.cross_entropy(scores if bias is None else scores + bias, targets, reduction="sum")
