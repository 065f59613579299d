"""Vectors of many texts of which many are equal: each distinct text is embedded and held once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.llm.embed import Embedder
from whyrec.llm.embedding_model import PACKAGED_MODEL


class TextEncoder(Protocol):
    """The part of ``Embedder`` that is used."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        ...


@dataclass(frozen=True, eq=False)
class TextVectors:
    """A vector for each row of a table of texts: ``vectors[places[row]]``."""

    vectors: NDArray[np.float32]
    """One row per distinct text, float32 [T, E]."""
    places: NDArray[np.int32]
    """Of the table's rows, int32 [R]."""


def embed_texts(texts: pl.Series, encoder: TextEncoder) -> TextVectors:
    """Embed a column of texts, each distinct one once, in the order in which they first occur.

    Raises:
        InvalidModelError: If the model cannot be loaded.
        OutputWriteError: If the file of kept vectors cannot be written.
    """
    distinct = texts.unique(maintain_order=True)
    numbers = pl.DataFrame({"text": distinct, "place": np.arange(len(distinct), dtype=np.int32)})
    places = pl.DataFrame({"text": texts}).join(numbers, on="text", how="left", maintain_order="left")["place"]
    return TextVectors(encoder.embed(distinct.to_list()), places.to_numpy())


def open_embedder_beside(path: Path, *, model: str = PACKAGED_MODEL, device: str = "auto") -> Embedder:
    """Open an embedder that keeps its vectors beside a file of texts, so that both move together.

    Raises:
        MissingExtraError: If the libraries are not installed.
        InvalidModelError: If there is no such model, or its weights are not safetensors.
        InvalidDataError: If the file beside it is something else, damaged, or written by a newer whyrec.
        OutputWriteError: If that file cannot be created or written to.
    """
    return Embedder.open(model, cache=path.with_suffix(".embeddings.sqlite"), device=device)
