"""A fitted CURec's texts and vectors on disk: Parquet and safetensors."""

from pathlib import Path

import polars as pl

from whyrec.errors import InvalidDataError
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.serving import Served
from whyrec.methods.curec.texts import Texts
from whyrec.methods.curec.vector_files import read_vectors, write_vectors

_VECTORS_FILE = "vectors.safetensors"


def write_served(served: Served, directory: Path) -> None:
    """Write patterns, reasons and vectors into a directory.

    Raises:
        OutputWriteError: If it cannot be written.
    """
    Texts(served.patterns, served.reasons).write(directory)
    write_vectors(served.vectors, directory / _VECTORS_FILE)


def read_served(directory: Path, *, model: RewardModel, item_ids: pl.Series, config: CURecConfig) -> Served:
    """Read what ``write_served`` wrote.

    Args:
        directory: The directory.
        model: The fitted reward model.
        item_ids: The catalogue that it was fitted on.
        config: Settings, for the encoder of texts.

    Raises:
        InvalidDataError: If a file is absent, damaged or something else, or they do not belong together.
    """
    texts = Texts.read(directory, item_ids=item_ids)
    vectors = read_vectors(directory / _VECTORS_FILE, config=config)
    n_texts = len(texts.patterns), len(texts.reasons)
    n_vectors = len(vectors.patterns.places), len(vectors.reasons.places)
    if n_vectors != n_texts:
        raise InvalidDataError(
            f"{directory}: expected vectors of {n_texts[0]:,} patterns and {n_texts[1]:,} reasons, got "
            f"{n_vectors[0]:,} and {n_vectors[1]:,}. Save the recommender again."
        )
    model.eval()
    return Served(model, texts.patterns, texts.reasons, vectors)
