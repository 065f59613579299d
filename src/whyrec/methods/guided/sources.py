"""Where scores come from, as the settings say: a file, a language model, or the catalogue's own texts and values."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.item_lines import ItemText, item_texts
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.embed import Embedder
from whyrec.llm.model import LanguageModel
from whyrec.methods.guided.artefacts import AspectScores, Side
from whyrec.methods.guided.aspects import AspectSet, bundled_aspects
from whyrec.methods.guided.config import GuidedConfig
from whyrec.methods.guided.offline.items import OfflineScorer, TextEncoder
from whyrec.methods.guided.prompts import known_columns
from whyrec.methods.guided.reviews import read_reviews_by_moment
from whyrec.methods.guided.scoring import ModelScorer

_FILE = ".toml"


def configured_aspects(config: GuidedConfig) -> AspectSet:
    """The scales that the settings name.

    Raises:
        InvalidConfigError: If there is no such set, it cannot be read, or has no such aspect.
    """
    is_file = config.aspects.endswith(_FILE)
    found = AspectSet.read(Path(config.aspects).expanduser()) if is_file else bundled_aspects(config.aspects)
    return found if config.only_aspects is None else found.chosen(config.only_aspects)


def item_scores(
    items: pl.DataFrame,
    aspects: AspectSet,
    *,
    config: GuidedConfig,
    model: LanguageModel | None = None,
    encoder: TextEncoder | None = None,
) -> AspectScores:
    """Score a catalogue; nothing that counts other people's ratings is read (G11).

    Args:
        items: The catalogue, in any order.
        aspects: The scales.
        config: Where scores come from.
        model: Who is asked, unless there is a file.
        encoder: Embeds texts, where no model is asked; None opens the one that the settings name.

    Raises:
        InvalidDataError: If the file is none of item scores, lacks an aspect, or there are fewer than two items.
        EndpointError: If a server fails for good; what was answered before is in the cache.
    """
    if config.scores is not None:
        return _read(config.scores, "items", aspects)
    ordered = items.sort(schema.ITEM)
    if model is not None:
        return _scorer(model, aspects, ordered).score_items(ordered[schema.ITEM].to_list()).scores
    encoder = encoder or Embedder.open(config.text_model, device=config.device)
    scores, _ = OfflineScorer(aspects, encoder, config.offline).score(ordered)
    return scores


def user_scores(
    data: Dataset,
    aspects: AspectSet,
    *,
    config: GuidedConfig,
    until: datetime,
    model: LanguageModel | None = None,
) -> AspectScores:
    """Levels that users prefer, written; a model reads of each what was strictly before the last item (G12).

    Args:
        data: The dataset.
        aspects: The scales.
        config: Which file, if there is one.
        until: Only interactions strictly before it are read.
        model: Who is asked, unless there is a file.

    Raises:
        InvalidConfigError: If there is neither a file nor a model.
        InvalidDataError: If the file is none of user scores, or lacks an aspect.
        EndpointError: If a server fails for good; what was answered before is in the cache.
    """
    if config.user_scores is not None:
        return _read(config.user_scores, "users", aspects)
    if model is None:
        raise InvalidConfigError(
            "preferences 'written': expected user_scores or llm, got neither. Name one, or take 'history'."
        )
    reviews = read_reviews_by_moment(data, _last_moments(data, until))
    return _scorer(model, aspects, data.items).score_users(reviews).scores


def _last_moments(data: Dataset, until: datetime) -> Mapping[str, datetime]:
    last = data.before(until).group_by(schema.USER).agg(pl.col(schema.TIMESTAMP).max()).sort(schema.USER)
    return dict(last.select(schema.USER, schema.TIMESTAMP).collect().iter_rows())


def _scorer(model: LanguageModel, aspects: AspectSet, items: pl.DataFrame) -> ModelScorer:
    texts: Mapping[str, ItemText] = item_texts(known_columns(items))
    return ModelScorer(model, aspects, texts)


def _read(path: Path, side: Side, aspects: AspectSet) -> AspectScores:
    found = AspectScores.read(path)
    if found.side != side:
        raise InvalidDataError(f"{path}: expected scores of {side}, got scores of {found.side}. Name the other file.")
    return found.chosen(aspects.keys)
