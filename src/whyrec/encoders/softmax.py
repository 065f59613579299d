"""Cross-entropy over the whole catalogue, computed in slices so that the scores never stand in memory all at once."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

CPU_ROWS = 256
"""Positions per slice on a CPU: scores of a few thousand items then stay in its cache."""
GPU_ROWS = 8192
_SMALL = 1e-30
"""Probabilities below it are near the end of what a float holds."""


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
    # In mixed precision, scores of a whole catalogue are still computed in the table's.
    with torch.autocast(states.device.type, enabled=False):
        return _SlicedSoftmax.apply(states.to(table.dtype), table, bias, targets, n_rows)  # type: ignore[no-any-return, no-untyped-call]


class _SlicedSoftmax(torch.autograd.Function):
    """The gradient is computed beside the loss: the probabilities are at hand there and need not be kept."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, bias: Tensor | None, targets: Tensor, n_rows: int) -> Tensor:
        state_gradient = torch.empty_like(states)
        table_gradient = torch.zeros_like(table)
        bias_gradient = None if bias is None else torch.zeros_like(bias)
        loss = states.new_zeros((), dtype=torch.float64 if states.device.type == "cpu" else torch.float32)
        transposed = table.T.contiguous()
        buffer = states.new_empty(min(n_rows, len(states)), len(table))
        product = torch.empty_like(table)
        for start in range(0, len(states), n_rows):
            chunk, target = states[start : start + n_rows], targets[start : start + n_rows]
            scores = buffer[: len(chunk)]
            _multiply(chunk, transposed, into=scores)
            if bias is not None:
                scores += bias
            right = scores.gather(1, target[:, None])[:, 0]
            # One pass over the scores, row by row in the cache; from here on the buffer holds probabilities.
            torch.softmax(scores, dim=1, out=scores)
            loss -= _log_probabilities(scores, target, right=right, chunk=chunk, table=table, bias=bias).sum()
            _multiply(scores, table, into=state_gradient[start : start + n_rows])
            table_gradient += _multiply(scores.T, chunk, into=product)
            if bias_gradient is not None:
                bias_gradient += scores.sum(dim=0)
        # The gradient of the scores is the probabilities less 1 at the target.
        state_gradient -= table[targets]
        table_gradient.index_add_(0, targets, states, alpha=-1.0)
        if bias_gradient is not None:
            bias_gradient -= torch.bincount(targets, minlength=len(table))
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


def _multiply(
    left: Float[Tensor, "N K"], right: Float[Tensor, "K M"], *, into: Float[Tensor, "N M"]
) -> Float[Tensor, "N M"]:
    """Write a matrix product into a tensor.

    On a CPU numpy's library computes it: torch's is slower on processors of another maker than its own.
    """
    if left.device.type == "cpu":
        np.matmul(left.numpy(), right.numpy(), out=into.numpy())
        return into
    return torch.mm(left, right, out=into)


def _log_probabilities(
    probabilities: Float[Tensor, "B I"],
    target: Int[Tensor, " B"],
    *,
    right: Float[Tensor, " B"],
    chunk: Float[Tensor, "B D"],
    table: Float[Tensor, "I D"],
    bias: Float[Tensor, " I"] | None,
) -> Float[Tensor, " B"]:
    """Of the target in each row; where its probability is too small for a float, from its score."""
    found = probabilities.gather(1, target[:, None])[:, 0]
    logp = found.log()
    for row in torch.nonzero(found < _SMALL).flatten().tolist():
        scores = table @ chunk[row]
        logp[row] = right[row] - (scores if bias is None else scores + bias).logsumexp(dim=0)
    return logp


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
