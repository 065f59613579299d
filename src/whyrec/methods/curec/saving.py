"""A fitted CURec's texts and vectors on disk: Parquet and safetensors."""

from pathlib import Path

import polars as pl

from whyrec.errors import InvalidDataError
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.reasons import ReasonStore
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.serving import Served
from whyrec.methods.curec.stages import PATTERNS_FILE, REASONS_FILE
from whyrec.methods.curec.vector_files import read_vectors, write_vectors

_VECTORS_FILE = "vectors.safetensors"


def write_served(served: Served, directory: Path) -> None:
    """Write patterns, reasons and vectors into a directory.

    Raises:
        OutputWriteError: If it cannot be written.
    """
    served.patterns.write(directory / PATTERNS_FILE)
    served.reasons.write(directory / REASONS_FILE)
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
    patterns = PatternBook.read(directory / PATTERNS_FILE)
    reasons = ReasonStore.read(directory / REASONS_FILE, item_ids=item_ids)
    vectors = read_vectors(directory / _VECTORS_FILE, config=config)
    lengths = len(vectors.patterns.places), len(vectors.reasons.places)
    if lengths != (len(patterns), len(reasons)):
        raise InvalidDataError(
            f"{directory}: expected vectors of {len(patterns):,} patterns and {len(reasons):,} reasons, got "
            f"{lengths[0]:,} and {lengths[1]:,}. Save the recommender again."
        )
    model.eval()
    return Served(model, patterns, reasons, vectors)
