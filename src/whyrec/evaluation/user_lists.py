"""Judge each user's own list against what the user took afterwards, in the project's one row format.

Knows no method: it gets finished lists. Lists are judged as served, so equal scores have an order already; chance is
the exact mean over all random orders.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidDataError
from whyrec.evaluation.positions import SCORE, candidate_positions, list_positions
from whyrec.evaluation.ranking import metrics_per_user
from whyrec.evaluation.references import chance_ranking
from whyrec.evaluation.rolling import CHANCE, ROW_SCHEMA
from whyrec.evaluation.significance import bootstrap_statistics, mean_of

LIST_LENGTH = 10
LIST_METRICS = ("HR@5", "HR@10", "Recall@10", "NDCG@5", "NDCG@10", "MRR@10")


@dataclass(frozen=True, slots=True, eq=False)
class LaterTruth:
    """What happened from a moment on: the same for every method that is judged on it."""

    dataset: str
    moment: datetime
    item_ids: pl.Series
    pairs: pl.DataFrame
    """Distinct ``user_id, item_id`` from the moment on; its users are the evaluated ones."""
    seen: pl.DataFrame
    """Distinct ``user_id, item_id`` of these users before it."""

    @property
    def user_ids(self) -> list[str]:
        """The evaluated users, sorted."""
        return self.pairs[schema.USER].unique().sort().to_list()

    @property
    def label(self) -> str:
        """How rows call this protocol."""
        return f"from {self.moment:%Y-%m-%d} on"


def later_truth(data: Dataset, *, moment: datetime) -> LaterTruth:
    """Collect what users took from a moment on.

    Raises:
        InvalidDataError: If nobody took anything.
    """
    columns = (schema.USER, schema.ITEM)
    later = data.interactions.filter(pl.col(schema.TIMESTAMP) >= moment)
    pairs = later.select(columns).unique().collect(engine="streaming")
    if pairs.is_empty():
        raise InvalidDataError(
            f"{data.name}: expected interactions from {moment.isoformat()} on to judge by, got none. "
            "Fit with an earlier --until."
        )
    users = pairs.select(schema.USER).unique().lazy()
    seen = data.before(moment).select(columns).join(users, on=schema.USER, how="semi").unique()
    return LaterTruth(data.name, moment, data.items[schema.ITEM], pairs, seen.collect(engine="streaming"))


def judge_lists(lists: Mapping[str, pl.DataFrame], *, truth: LaterTruth, seed: int = 0) -> pl.DataFrame:
    """Judge several methods' lists, beside chance.

    An item that a user had before cannot be hit, but still counts as relevant, as in the judging of forecasts.

    Args:
        lists: Per method ``user_id, item_id, rank``: ten items for each evaluated user, fewer where no more are left.
        truth: What the users took.
        seed: Of the bootstrap over users; all methods share its draws.

    Returns:
        Columns of ``ROW_SCHEMA``.
    """
    values = {name: _metrics_of(served, truth=truth) for name, served in lists.items()}
    by_chance = list_positions(chance_ranking(truth.item_ids), truth=truth.pairs, seen=truth.seen)
    values[CHANCE] = metrics_per_user(by_chance, metrics=LIST_METRICS)
    records = []
    for name, per_user in values.items():
        statistics = {metric: mean_of(column) for column, metric in enumerate(LIST_METRICS)}
        strata = [per_user.select(LIST_METRICS).to_numpy()]
        for metric, figure in bootstrap_statistics(strata, statistics=statistics, seed=seed).items():
            labels = {"method": name, "dataset": truth.dataset, "protocol": truth.label, "metric": metric}
            interval = {"value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n}
            records.append({**labels, **interval, "seed": seed, "writer": "offline"})
    return pl.DataFrame(records, schema=ROW_SCHEMA)


def _metrics_of(served: pl.DataFrame, *, truth: LaterTruth) -> pl.DataFrame:
    scored = served.select(schema.USER, schema.ITEM, (-pl.col("rank").cast(pl.Float64)).alias(SCORE))
    return metrics_per_user(candidate_positions(scored, truth=truth.pairs), metrics=LIST_METRICS)
