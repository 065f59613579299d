"""Which device torch computes on, from what a setting says."""

from typing import TYPE_CHECKING

from whyrec.errors import InvalidConfigError

if TYPE_CHECKING:
    import torch


def chosen_device(wanted: str) -> "torch.device":
    """Read a device setting; ``auto`` takes a GPU if there is one.

    Raises:
        InvalidConfigError: If this machine has no such device.
    """
    import torch  # loads slowly: not on import of this module

    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InvalidConfigError(
            f"device: expected auto, cpu or a GPU of this machine such as cuda, got {wanted!r}. Take another."
        ) from error
    return device
