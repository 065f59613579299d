"""Models that the tests build themselves, once for all workers of a run."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tiny_model import build_tiny_model

from whyrec.llm.local import LocalBackend


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Models this small are fastest on one thread, and the workers of a run share the cores."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Llama that has learnt to answer titles with genres; do not write into it."""
    return _built_once(_shared_root(tmp_path_factory) / "tiny-model", build_tiny_model)


@pytest.fixture(scope="session")
def other_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another base: same tokenizer, other width, random weights; do not write into it."""

    def build(directory: Path) -> Path:
        return build_tiny_model(directory, steps=0, width=48, seed=1)

    return _built_once(_shared_root(tmp_path_factory) / "other-model", build)


@pytest.fixture(scope="session")
def tiny_backend(tiny_model_dir: Path) -> LocalBackend:
    """The tiny model, opened with default settings; it keeps nothing from one call to the next."""
    return LocalBackend.open(tiny_model_dir)


def _shared_root(factory: pytest.TempPathFactory) -> Path:
    root = factory.getbasetemp()
    # Under xdist every worker has a folder of its own inside the run's.
    return root.parent if "PYTEST_XDIST_WORKER" in os.environ else root


def _built_once(directory: Path, build: Callable[[Path], Path]) -> Path:
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            partial = directory.with_suffix(".partial")
            build(partial)
            partial.rename(directory)
    return directory
