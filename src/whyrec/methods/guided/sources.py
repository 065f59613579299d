"""Where scores come from, as the settings say: a file, a language model, or the catalogue's own texts and values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
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
from whyrec.methods.guided.scoring import ModelScorer, Scored
from whyrec.methods.guided.spread import AspectSpread, collapsed, spread_of

_FILE = ".toml"
_SOURCES = {"labels": "labels of the catalogue", "poles": "described ends alone", "fact": "what the catalogue tells"}
"""Of offline scores, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Scores, and what whoever uses them should know."""

    scores: AspectScores
    notes: tuple[str, ...]
    """A line each: what scores rest on, who has none, and on which aspects they hardly tell anything apart (G14)."""


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
) -> Found:
    """Score a catalogue; nothing that counts other people's ratings is read (G11).

    Args:
        items: The catalogue, in any order.
        aspects: The scales.
        config: Where scores come from.
        model: Who is asked, unless there is a file.
        encoder: Embeds texts, where no model is asked; None opens the one that the settings name.

    Raises:
        InvalidDataError: If the file is none of item scores, lacks an aspect, or holds none of the items; or there are
            fewer than two items.
        EndpointError: If a server fails for good; what was answered before is in the cache.
    """
    if config.scores is not None:
        return _of_file(config.scores, "items", aspects, wanted=items[schema.ITEM])
    ordered = items.sort(schema.ITEM)
    left_out = _left_out(ordered)
    if model is not None:
        scorer = _scorer(model, aspects, ordered, kept=config.checkpoint)
        asked = _of_model(scorer.score_items(ordered[schema.ITEM].to_list()))
        return Found(asked.scores, (*left_out, *asked.notes))
    encoder = encoder or Embedder.open(config.text_model, device=config.device)
    scores, reports = OfflineScorer(aspects, encoder, config.offline).score(ordered)
    by_source = Counter(report.source for report in reports)
    rests = ", ".join(f"{n} on {_SOURCES[source]}" for source, n in by_source.items())
    missing = _missing(scores.side, {"nothing known": ordered.height - len(scores)})
    notes = (*left_out, f"Scores of items, without a language model: {rests}.", *missing)
    return Found(scores, (*notes, *_alarms(scores.side, spread_of(scores))))


def user_scores(
    data: Dataset,
    aspects: AspectSet,
    *,
    config: GuidedConfig,
    until: datetime,
    model: LanguageModel | None = None,
) -> Found:
    """Levels that users prefer, written; a model reads of each what was strictly before the last item (G12).

    Args:
        data: The dataset.
        aspects: The scales.
        config: Which file, if there is one.
        until: Only interactions strictly before it are read.
        model: Who is asked, unless there is a file.

    Raises:
        InvalidConfigError: If there is neither a file nor a model.
        InvalidDataError: If the file is none of user scores, lacks an aspect, or holds nobody of the data.
        EndpointError: If a server fails for good; what was answered before is in the cache.
    """
    if config.user_scores is not None:
        return _of_file(
            config.user_scores, "users", aspects, wanted=pl.Series(schema.USER, list(_last_moments(data, until)))
        )
    if model is None:
        raise InvalidConfigError(
            "preferences 'written': expected user_scores or llm, got neither. Name one, or take 'history'."
        )
    reviews = read_reviews_by_moment(data, _last_moments(data, until))
    return _of_model(_scorer(model, aspects, data.items, kept=config.checkpoint).score_users(reviews))


def _last_moments(data: Dataset, until: datetime) -> Mapping[str, datetime]:
    last = data.before(until).group_by(schema.USER).agg(pl.col(schema.TIMESTAMP).max()).sort(schema.USER)
    return dict(last.select(schema.USER, schema.TIMESTAMP).collect().iter_rows())


def _scorer(model: LanguageModel, aspects: AspectSet, items: pl.DataFrame, *, kept: Path | None) -> ModelScorer:
    texts: Mapping[str, ItemText] = item_texts(known_columns(items))
    return ModelScorer(model, aspects, texts, kept=kept)


def _of_model(scored: Scored) -> Found:
    side = scored.scores.side
    return Found(scored.scores, (*_missing(side, scored.failures), *_alarms(side, scored.spread)))


def _missing(side: Side, failures: Mapping[str, int]) -> list[str]:
    told = ", ".join(f"{why} {n:,}" for why, n in failures.items() if n)
    n_without = sum(failures.values())
    return [f"Scores of {side}: {n_without:,} have none and stand at the mean ({told})."] if n_without else []


def _left_out(items: pl.DataFrame) -> list[str]:
    known = known_columns(items).columns
    names = [name for name in items.columns if name not in known]
    told = f"Columns left out, for they may count other people's ratings: {', '.join(names)}."
    return [told] if names else []


def _alarms(side: Side, spread: tuple[AspectSpread, ...]) -> list[str]:
    return [f"Scores of {side} hardly differ on {line}." for line in collapsed(spread)]


def _of_file(path: Path, side: Side, aspects: AspectSet, *, wanted: pl.Series) -> Found:
    found = AspectScores.read(path)
    if found.side != side:
        raise InvalidDataError(f"{path}: expected scores of {side}, got scores of {found.side}. Name the other file.")
    chosen = found.chosen(aspects.keys)
    n_without = len(wanted) - int(wanted.is_in(chosen.ids.implode()).sum())
    if n_without == len(wanted):
        raise InvalidDataError(
            f"{path}: expected scores of the data's {side}, got none of these. Check that its ids are those of the log."
        )
    missing = (
        [f"Scores of {side}: {n_without:,} of {len(wanted):,} have none and stand at the mean."] if n_without else []
    )
    return Found(chosen, (*missing, *_alarms(side, spread_of(chosen))))
