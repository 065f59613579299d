"""Who writes the texts of a fit: the offline writer, or a language model with the offline writer behind it."""

from typing import NamedTuple

import polars as pl

from whyrec.data.item_lines import item_texts
from whyrec.llm.model import LanguageModel
from whyrec.methods.curec.model_writers import (
    LanguageModelPatternWriter,
    LanguageModelReasonWriter,
    LanguageModelUpdateWriter,
)
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.patterns import PatternWriter
from whyrec.methods.curec.reasons import ReasonWriter


class Writers(NamedTuple):
    """One for each kind of text."""

    patterns: PatternWriter
    reasons: ReasonWriter
    updates: LanguageModelUpdateWriter | None = None
    """Writes both after a new interaction, from the pattern before it; None: the other two do."""


def writers_of(offline: OfflineWriter, *, items: pl.DataFrame, model: LanguageModel | None) -> Writers:
    """Put the writers together.

    Args:
        offline: Fitted; writes alone, or where the model fails.
        items: The catalogue, for the model's prompts.
        model: None asks none.
    """
    if model is None:
        return Writers(offline, offline)
    texts = item_texts(items)
    return Writers(
        LanguageModelPatternWriter(model, texts, fallback=offline),
        LanguageModelReasonWriter(model, texts, fallback=offline),
        LanguageModelUpdateWriter(model, texts),
    )
