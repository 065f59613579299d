"""Who writes the texts of a fit: the offline writer, or a language model with the offline writer behind it."""

from typing import NamedTuple

import polars as pl

from whyrec.data.item_lines import item_texts
from whyrec.interfaces import Verdict
from whyrec.llm.model import LanguageModel
from whyrec.methods.curec.histories import UserHistory
from whyrec.methods.curec.model_writers import (
    LanguageModelPatternWriter,
    LanguageModelReasonWriter,
    LanguageModelUpdateWriter,
)
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.patterns import PatternWriter
from whyrec.methods.curec.reasons import ReasonRequest, ReasonWriter


class Writers(NamedTuple):
    """One for each kind of text."""

    patterns: PatternWriter
    reasons: ReasonWriter
    updates: LanguageModelUpdateWriter | None = None
    """Writes both after a new interaction, from the pattern before it; None: the other two do."""


def writers_of(
    offline: OfflineWriter, *, items: pl.DataFrame, model: LanguageModel | None, verify: bool = True
) -> Writers:
    """Put the writers together.

    Args:
        offline: Fitted; writes alone, or where the model fails.
        items: The catalogue, for the model's prompts.
        model: None asks none.
        verify: Ask again for a text with a claim that does not hold, and in the end let ``offline`` write in its place.
    """
    if model is None:
        return Writers(offline, offline)
    texts = item_texts(items)

    def check_pattern(history: UserHistory, text: str) -> Verdict:
        return offline.verify(text, history=history.item_ids)

    def check_reason(request: ReasonRequest, text: str) -> Verdict:
        return offline.verify(text, history=request.history.item_ids, item_id=request.interaction.item_id)

    of_pattern, of_reason = (check_pattern, check_reason) if verify else (None, None)
    return Writers(
        LanguageModelPatternWriter(model, texts, fallback=offline, check=of_pattern),
        LanguageModelReasonWriter(model, texts, fallback=offline, check=of_reason),
        LanguageModelUpdateWriter(model, texts, check=of_reason),
    )
