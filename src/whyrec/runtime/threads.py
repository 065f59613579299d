"""How many threads torch uses inside one operation."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch on one thread per operation while the block runs.

    Where a network is small, threads wait for each other longer than they compute, the more so on a busy machine;
    whole batches side by side use the cores better.
    """
    import torch  # loads slowly: not on import of this module

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
