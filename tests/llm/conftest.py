"""Models that the tests build themselves, once for all workers of a run."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_model import build_tiny_model


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


def _shared_root(factory: pytest.TempPathFactory) -> Path:
    root = factory.getbasetemp()
    # Under xdist every worker has a folder of its own inside the run's.
    return root.parent if "PYTEST_XDIST_WORKER" in os.environ else root


def _built_once(directory: Path, build: Callable[[Path], Path]) -> Path:
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            partial = directory.with_suffix(".partial")
            n_threads = torch.get_num_threads()
            torch.set_num_threads(1)  # several workers share the cores
            build(partial)
            torch.set_num_threads(n_threads)
            partial.rename(directory)
    return directory
