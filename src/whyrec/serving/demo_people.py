"""Lists for a few people, offline: CURec fitted small enough for a demo, and whom it is shown on."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.filters import k_core
from whyrec.data.sequences import Sequences, read_histories
from whyrec.encoders.train import TrainingConfig
from whyrec.methods.curec.config import BaseConfig, RewardModelConfig, RewardTrainingConfig
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.offline import OfflineTextConfig, OfflineWriter
from whyrec.methods.curec.offline.profile import aspect_counts, rank_aspects
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.serving.report import ReportPerson

MIN_USER_EVENTS, MIN_ITEM_EVENTS = 3, 5
"""Of the part of the log that is learned from: what nearly nobody took can be recommended to nobody."""
DEMO_CONFIG = CURecConfig(
    texts=OfflineTextConfig(check=False),
    pattern_every=10,
    reasons_per_item=20,
    text_dim=64,
    base=BaseConfig(embedding_dim=32, n_layers=1),
    base_training=TrainingConfig(learning_rate=3e-3, epochs=4, patience=2),
    model=RewardModelConfig(hidden=(40, 20)),
    training=RewardTrainingConfig(epochs=4, patience=2, targets_per_epoch=10_000, n_negatives=64, n_in_batch=32),
    validation_users=1000,
    device="cpu",
)
"""Chosen to take about a minute on two cores for the bundled data."""
_SHORTEST, _LONGEST = 20, 80
"""Interactions of somebody who is shown: enough for a taste, few enough to be read."""
_RECENT = timedelta(days=30)
_NEWEST = 8
_TASTES = 3
"""The most that are looked at of each."""


def dense_part(data: Dataset) -> Dataset:
    """The users and items of whom there is enough to learn from; of the catalogue what is left of it.

    Raises:
        InvalidDataError: If nothing is.
    """
    core = k_core(data, min_user_events=MIN_USER_EVENTS, min_item_events=MIN_ITEM_EVENTS).dataset
    kept = core.interactions.select(pl.col(schema.ITEM).unique()).collect()
    return replace(core, items=core.items.join(kept, on=schema.ITEM, how="semi", maintain_order="left"))


def lists_for_people(
    data: Dataset, *, until: datetime, k: int, n_people: int = 3, config: CURecConfig = DEMO_CONFIG
) -> tuple[ReportPerson, ...]:
    """Fit CURec and explain the lists of some people of different tastes.

    Args:
        data: What is learned from, as ``dense_part`` gives it.
        until: Only interactions strictly before it count.
        k: Length of a list.
        n_people: At most so many.
        config: Settings.

    Raises:
        InvalidDataError: If there is nothing to learn from.
    """
    recommender = CURecRecommender(config).fit(data, until=until)
    titles = dict(data.items.select(schema.ITEM, schema.TITLE).iter_rows())
    people = []
    for user_id in choose_people(recommender, data, until=until, k=k, n=n_people):
        history = data.before(until).filter(pl.col(schema.USER) == user_id).select(schema.ITEM).collect()
        newest = history[schema.ITEM].to_list()[: -_NEWEST - 1 : -1]
        told = tuple(recommender.explain(data, user_id=user_id, k=k, at=until))
        people.append(ReportPerson(user_id, history.height, tuple(titles[item_id] for item_id in newest), told))
    return tuple(people)


def choose_people(recommender: CURecRecommender, data: Dataset, *, until: datetime, k: int, n: int) -> list[str]:
    """Users of clear and different tastes, the clearest first: no two share one of what they like most.

    Of those who were there of late and have neither little nor very much behind them, if there are so many; else of all
    who have ``k`` items left.

    Args:
        recommender: Fitted.
        data: What it was fitted on.
        until: The moment.
        k: Length of the lists that they are to get.
        n: How many; fewer if tastes are not so many.
    """
    found = (
        data.before(until)
        .group_by(schema.USER)
        .agg(
            pl.len().alias("n"),
            pl.col(schema.TIMESTAMP).max().alias("last"),
            pl.col(schema.ITEM).n_unique().alias("own"),
        )
        .filter(pl.col("own") <= data.items.height - k)
        .sort(schema.USER)
        .collect()
    )
    fitting = found.filter(pl.col("n").is_between(_SHORTEST, _LONGEST) & (pl.col("last") >= until - _RECENT))
    asked = (fitting if fitting.height >= n else found)[schema.USER]
    histories = read_histories(data, item_ids=recommender.item_ids_, cutoff=until, user_ids=asked)
    tastes = strongest_tastes(histories.sequences, recommender.offline_writer(data))
    chosen: list[int] = []
    taken: set[int] = set()
    for row in sorted(tastes, key=lambda row: -tastes[row].strength):
        if len(chosen) < n and not taken & set(tastes[row].aspects):
            chosen.append(row)
            taken.update(tastes[row].aspects)
    return asked.gather(chosen).to_list()


class Taste(NamedTuple):
    """What a history has much of beside the average user's."""

    aspects: tuple[int, ...]
    """Genres or categories by their numbers in the writer's table, the strongest first."""
    strength: float
    """Of the first: its log-lift times the root of its interactions."""


def strongest_tastes(histories: Sequences, writer: OfflineWriter) -> dict[int, Taste]:
    """The genres or categories of which each history has most beside the average user's.

    Args:
        histories: Of some users.
        writer: Fitted; knows what is usual.

    Returns:
        By row, for all with a taste.
    """
    table, shares = writer.table_, writer.shares_
    assert table is not None, "a fitted writer has a table"
    assert shares is not None, "a fitted writer knows what is usual"
    salience = np.array([float(aspect.kind in ("genre", "category")) for aspect in table.aspects])
    counts = aspect_counts(histories, table.matrix)
    prior, lengths = writer.config.prior_interactions, histories.lengths
    ranked = rank_aspects(counts, lengths=lengths, shares=shares, salience=salience, prior=prior, at_most=_TASTES)
    found: dict[int, Taste] = {}
    for row, n in enumerate(lengths.tolist()):
        liked = [it for it in ranked.row(row, n=n, shares=shares) if it.is_interest and salience[it.aspect]]
        if liked:
            found[row] = Taste(tuple(it.aspect for it in liked), liked[0].weight * liked[0].count ** 0.5)
    return found
