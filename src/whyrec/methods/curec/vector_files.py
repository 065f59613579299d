"""Vectors of a recommender's texts and what makes them: computed, written and read; never a pickle."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from whyrec.llm.embed import Embedder
from whyrec.llm.embedding_model import PACKAGED_MODEL
from whyrec.methods.curec.latent_vectors import LatentEncoder
from whyrec.methods.curec.recommender_config import LATENT, PACKAGED, CURecConfig
from whyrec.methods.curec.text_vectors import TextEncoder, TextVectors, embed_texts
from whyrec.runtime.training_state import Tensors, load_state, save_state


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors of patterns and reasons, and the encoder that makes more of them."""

    encoder: TextEncoder
    patterns: TextVectors
    reasons: TextVectors


def embed_all(patterns: pl.Series, reasons: pl.Series, *, config: CURecConfig) -> Vectors:
    """Make or open the encoder and embed all texts.

    Args:
        patterns: Texts.
        reasons: Texts.
        config: Which encoder.

    Raises:
        InvalidDataError: If the texts have no two different words.
        InvalidModelError: If there is no such sentence encoder.
        MissingExtraError: If its libraries are not installed.
    """
    encoder: TextEncoder
    if config.vectors == LATENT:
        encoder = LatentEncoder.fit([*reasons, *patterns], dim=config.text_dim, seed=config.training.seed)
    else:
        encoder = open_sentence_encoder(config)
    return Vectors(encoder, embed_texts(patterns, encoder), embed_texts(reasons, encoder))


def open_sentence_encoder(config: CURecConfig) -> Embedder:
    """Open the sentence encoder that the settings name; its vectors are kept in the user's data directory.

    Raises:
        InvalidModelError: If there is no such model.
        MissingExtraError: If its libraries are not installed.
    """
    model = PACKAGED_MODEL if config.vectors == PACKAGED else config.vectors
    return Embedder.open(model, device=config.device)


def write_vectors(vectors: Vectors, path: Path) -> None:
    """Write one safetensors file: both tables, and what the encoder learned if it is of this fit's own.

    Raises:
        OutputWriteError: If it cannot be written.
    """
    parts: dict[str, Tensors] = {"patterns": _tensors(vectors.patterns), "reasons": _tensors(vectors.reasons)}
    words: list[str] = []
    if isinstance(vectors.encoder, LatentEncoder):
        words = list(vectors.encoder.words)
        parts["encoder"] = {
            "weights": torch.from_numpy(vectors.encoder.weights),
            "directions": torch.from_numpy(vectors.encoder.directions),
        }
    save_state(path, parts=parts, record={"words": words})


def read_vectors(path: Path, *, config: CURecConfig) -> Vectors:
    """Read what ``write_vectors`` wrote.

    Raises:
        InvalidDataError: If the file is absent, damaged or something else.
        InvalidModelError: If the sentence encoder is not there any more.
    """
    parts, record = load_state(path)
    encoder: TextEncoder
    if config.vectors == LATENT:
        learned = parts["encoder"]
        encoder = LatentEncoder(tuple(record["words"]), learned["weights"].numpy(), learned["directions"].numpy())
    else:
        encoder = open_sentence_encoder(config)
    return Vectors(encoder, _table(parts["patterns"]), _table(parts["reasons"]))


def _tensors(table: TextVectors) -> Tensors:
    return {"vectors": torch.from_numpy(table.vectors), "places": torch.from_numpy(table.places.copy())}


def _table(tensors: Tensors) -> TextVectors:
    places: NDArray[np.int32] = tensors["places"].numpy()
    return TextVectors(tensors["vectors"].numpy(), places)
