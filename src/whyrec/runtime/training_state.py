"""Where a training run stands, in one safetensors file: named groups of tensors and a record. Never a pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from whyrec.errors import InvalidDataError
from whyrec.runtime.atomic import atomic_file

Tensors = Mapping[str, Tensor]

_RECORD = "run"


def save_state(path: Path, *, parts: Mapping[str, Tensors], record: Mapping[str, object]) -> None:
    """Write a state; whole, or the one before it stays.

    Args:
        path: The file.
        parts: Groups of tensors, such as weights, by name.
        record: Whatever else is to be known, as JSON.

    Raises:
        OutputWriteError: If it cannot be written; a state that stood there before still does.
    """
    tensors = {f"{part}/{name}": tensor.contiguous() for part, named in parts.items() for name, tensor in named.items()}
    with atomic_file(path) as partial:
        save_file(tensors, partial, metadata={_RECORD: json.dumps(record)})


# The record is JSON: Any values, checked by whoever reads a field.
def load_state(path: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Read what ``save_state`` wrote: parts and record.

    Raises:
        InvalidDataError: If the file is absent, damaged or something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            record: dict[str, Any] = json.loads((file.metadata() or {})[_RECORD])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping, no iterator
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InvalidDataError(
            f"{path}: expected the state of a training run, got none that can be read ({type(error).__name__}). "
            "Remove it to begin anew."
        ) from error
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        part, _, name = key.partition("/")
        parts.setdefault(part, {})[name] = tensor
    return parts, record


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimiser remembers of each parameter."""
    state: Mapping[int, Mapping[str, Tensor]] = optimizer.state_dict()["state"]
    return {f"{place}.{name}": tensor.cpu() for place, values in state.items() for name, tensor in values.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Give it back what ``optimizer_tensors`` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        place, _, name = key.partition(".")
        state.setdefault(int(place), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
