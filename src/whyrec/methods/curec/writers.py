"""Who writes the texts of a fit: the offline writer, or a language model with the offline writer behind it."""

from typing import NamedTuple

import polars as pl

from whyrec.data.item_lines import item_texts
from whyrec.llm.cache import default_cache_path
from whyrec.llm.model import LanguageModel
from whyrec.llm.opening import open_model, parse_spec
from whyrec.methods.curec.model_writers import (
    LanguageModelPatternWriter,
    LanguageModelReasonWriter,
    LanguageModelUpdateWriter,
)
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.patterns import PatternWriter
from whyrec.methods.curec.reasons import ReasonWriter
from whyrec.methods.curec.recommender_config import CURecConfig


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


def configured_model(config: CURecConfig) -> LanguageModel | None:
    """Open the language model that the settings name; None where they name none.

    Raises:
        InvalidConfigError: If the name has none of the known forms.
        InvalidModelError: If there is no such model.
        MissingExtraError: If the backend's libraries are not installed.
    """
    spec = None if config.llm is None else parse_spec(config.llm)
    if spec is None:
        return None
    key = None
    if spec.kind != "local":
        from whyrec.llm.openai_compatible.credentials import api_key_from_environment

        key = api_key_from_environment(config.api_key_variable)
    return open_model(spec, cache=config.cache or default_cache_path(), api_key=key)
