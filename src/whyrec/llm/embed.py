"""Text embeddings: one vector per text, computed once and then kept by model and text.

A vector is kept under its model's name and the hash of the model's files, so no other model ever reads it. Vectors
can be computed again, so they are kept less strictly than completions: a kill of the process loses none that was
written, a loss of power may lose the last.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import platformdirs
from numpy.typing import NDArray

from whyrec.errors import InvalidDataError
from whyrec.llm.embedding_model import PACKAGED_MODEL, EmbeddingModel, Encoder, find_model, load_encoder
from whyrec.llm.vector_file import VectorFile
from whyrec.runtime.progress import progress_bar

Vectors = NDArray[np.float32]

_BATCHES_PER_WRITE = 4


class Embedder:
    """Turns texts into vectors. The model is loaded when the first text comes whose vector is not kept."""

    def __init__(
        self, model: EmbeddingModel, *, kept: VectorFile | None, device: str = "auto", batch_size: int = 64
    ) -> None:
        """Put a model and a file together; see ``open``."""
        self.model = model
        self._kept = kept
        self._device = device
        self._batch_size = batch_size

    @classmethod
    def open(
        cls,
        model: str = PACKAGED_MODEL,
        *,
        cache: Path | Literal["default"] | None = "default",
        device: str = "auto",
        batch_size: int = 64,
    ) -> "Embedder":
        """Find a model and open the file of its vectors.

        Args:
            model: A directory or a name, such as ``all-mpnet-base-v2``; by default the MiniLM that comes as a package.
            cache: The file; ``default`` is ``default_embeddings_path()``, None keeps nothing.
            device: Such as ``cpu`` or ``cuda:1``; ``auto`` takes a GPU if there is one.
            batch_size: Texts that the model reads at a time.

        Raises:
            MissingExtraError: If the libraries are not installed.
            InvalidModelError: If there is no such model, or its weights are not safetensors.
            InvalidDataError: If the file is something else, damaged, or written by a newer whyrec.
            OutputWriteError: If the file cannot be created or written to.
        """
        found = find_model(model)
        path = default_embeddings_path() if cache == "default" else cache
        kept = None if path is None else VectorFile(path, found)
        return cls(found, kept=kept, device=device, batch_size=batch_size)

    def __enter__(self) -> "Embedder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._kept is not None:
            self._kept.close()

    @cached_property
    def dimension(self) -> int:
        """The length of a vector."""
        kept = self._kept.dimension() if self._kept is not None else None
        return int(self._encode([""]).shape[1]) if kept is None else kept

    def embed(self, texts: Sequence[str], *, normalize: bool = False) -> Vectors:
        """One vector per text, in their order; a text that the model finds too long is cut, as the model does it.

        Args:
            texts: Any texts, empty ones too.
            normalize: Scale every vector to length 1. Some models, such as the packaged one, do so anyway.

        Returns:
            Float32, a row per text.

        Raises:
            MissingExtraError: If the libraries are not installed.
            InvalidModelError: If the model cannot be loaded.
            InvalidConfigError: If there is no such device.
            InvalidDataError: If a text is none, or the file is damaged.
            OutputWriteError: If the file cannot be written; what was kept before still is.
        """
        hashes = _hashes_of(texts)
        distinct = dict(zip(hashes, texts, strict=True))
        vectors = np.empty((len(distinct), self.dimension), dtype=np.float32)
        rows = {text_hash: row for row, text_hash in enumerate(distinct)}
        missing = dict(distinct)
        for text_hash, vector in self._kept.find(list(distinct)) if self._kept is not None else ():
            vectors[rows[text_hash]] = vector
            del missing[text_hash]
        self._compute(missing, rows, into=vectors)
        result = vectors[[rows[text_hash] for text_hash in hashes]]
        return _normalized(result) if normalize else result

    def _compute(self, missing: Mapping[bytes, str], rows: Mapping[bytes, int], *, into: Vectors) -> None:
        if not missing:
            return
        # Texts of a length together waste least on padding; the longest first, so that memory runs out at once or not.
        by_length = sorted(missing, key=lambda text_hash: len(missing[text_hash]), reverse=True)
        step_size = self._batch_size * _BATCHES_PER_WRITE
        with progress_bar("embedding texts", total=len(by_length)) as step:
            for start in range(0, len(by_length), step_size):
                some = by_length[start : start + step_size]
                computed = self._encode([missing[text_hash] for text_hash in some])
                if self._kept is not None:
                    self._kept.keep(dict(zip(some, computed, strict=True)))
                into[[rows[text_hash] for text_hash in some]] = computed
                step.advance(len(some))

    @cached_property
    def _encoder(self) -> Encoder:
        return load_encoder(self.model, device=self._device)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode(texts, batch_size=self._batch_size, show_progress_bar=False)


def default_embeddings_path() -> Path:
    """Where vectors are kept unless told otherwise: beside the completions."""
    return platformdirs.user_data_path("whyrec") / "embeddings.sqlite"


def _hashes_of(texts: Sequence[str]) -> list[bytes]:
    if isinstance(texts, str):
        raise InvalidDataError(f"texts: expected a list of texts, got the text {texts[:40]!r}. Put it into a list.")
    hashes = []
    for position, text in enumerate(texts):
        try:
            hashes.append(hashlib.sha256(text.encode("utf-8")).digest())
        except UnicodeEncodeError as error:
            raise InvalidDataError(
                f"text {position + 1:,} of {len(texts):,}: expected Unicode, got half a character, "
                f"{text[error.start]!r}, at position {error.start}. Correct it."
            ) from error
    return hashes


def _normalized(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled
