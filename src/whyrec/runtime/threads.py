"""How many threads torch and numpy use inside one operation."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch and numpy's matrix products on one thread per operation while the block runs.

    Where a network is small, threads wait for each other longer than they compute, the more so on a busy machine;
    whole batches side by side use the cores better.
    """
    import torch  # loads slowly: not on import of this module

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _matrix_libraries().limit(limits=1):
            yield
    finally:
        torch.set_num_threads(before)


@cache
def _matrix_libraries() -> ThreadpoolController:
    """Found once: looking through all loaded libraries takes longer than a list for one user."""
    import numpy  # noqa: F401  # loads its library, so that it is found

    return ThreadpoolController().select(user_api="blas")
