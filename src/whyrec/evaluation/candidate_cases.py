"""One positive among sampled negatives, fixed in a file that all methods share: the 1 + 29 protocol of M-LLM3REC.

A file holds everything that is needed to score any method: whom it is for, what the user took strictly before the
moment, the shuffled candidates, the place of the positive among them and the seed of the shuffle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self, cast

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.candidates import Candidates, SampleSettings, Scheme, read_sample, sample_candidates, write_sample
from whyrec.data.dataset import Dataset
from whyrec.data.reviews import interactions_before
from whyrec.errors import InvalidDataError
from whyrec.evaluation.case_splits import CaseSplit, SplitName
from whyrec.evaluation.positions import SCORE, candidate_positions
from whyrec.evaluation.ranking import metrics_per_user
from whyrec.interfaces import Recommender

N_NEGATIVES = 29
METRICS = ("HR@5", "HR@10", "NDCG@5", "NDCG@10")
HISTORY, CANDIDATES, POSITION, SEED = "history", "candidates", "position", "seed"
_ASKED = [schema.USER, schema.ITEM, schema.TIMESTAMP, HISTORY]


@dataclass(frozen=True, slots=True)
class CandidateCases:
    """Fixed cases."""

    frame: pl.DataFrame
    """``user_id, item_id, timestamp, history, times, candidates, position, seed``; one row per user, sorted.
    ``history`` is oldest first with its ``times``; ``position`` is 0-based; ``seed`` with user and item decides the
    row's sample."""
    settings: SampleSettings
    split: SplitName

    @property
    def name(self) -> str:
        """As tables call it: ``standard[uni29]``."""
        return f"{self.split}[{self.settings.name}]"

    @property
    def user_ids(self) -> list[str]:
        """Whom the cases are for."""
        return self.frame[schema.USER].to_list()

    @property
    def truth(self) -> pl.DataFrame:
        """``user_id, item_id`` of the positives."""
        return self.frame.select(schema.USER, schema.ITEM)

    def pairs(self) -> pl.DataFrame:
        """All candidates as ``user_id, item_id``, in the order in which they are shown."""
        return self.frame.select(schema.USER, pl.col(CANDIDATES).alias(schema.ITEM)).explode(schema.ITEM)

    def histories(self, data: Dataset) -> Dataset:
        """The same catalogue with the histories alone as its log: what a recommender is asked with."""
        log = self.frame.select(
            schema.USER, pl.col(HISTORY).alias(schema.ITEM), pl.col("times").alias(schema.TIMESTAMP)
        ).explode(schema.ITEM, schema.TIMESTAMP)
        return Dataset.from_frames(log, data.items, name=data.name)

    def write(self, directory: Path) -> None:
        """Write ``cases.parquet`` and ``cases.json``, both or neither.

        Raises:
            OutputExistsError: If ``directory`` holds something already.
            OutputWriteError: If it cannot be written.
        """
        facts = {"name": self.name, "split": self.split}
        write_sample(self.frame, self.settings, directory, name="cases", facts=facts)

    @classmethod
    def read(cls, directory: Path, *, data: Dataset) -> Self:
        """Read what ``write`` wrote.

        Raises:
            InvalidDataError: If there is none, or it was drawn for other data.
        """
        frame, settings, manifest = read_sample(directory, name="cases", data=data)
        return cls(frame, settings, cast(SplitName, manifest["split"]))


def draw_cases(
    data: Dataset,
    split: CaseSplit,
    *,
    n_negatives: int = N_NEGATIVES,
    scheme: Scheme = "uniform",
    category_of: Mapping[str, str] | None = None,
    seed: int = 0,
) -> CandidateCases:
    """Put each case of a split among items that its user never takes, later ones included (M5).

    Args:
        data: The whole dataset, from which the split was made.
        split: Its cases.
        n_negatives: Beside the positive.
        scheme: See ``sample_candidates``.
        category_of: By item, for the scheme ``category``.
        seed: Same seed, same cases.

    Raises:
        InvalidConfigError: If a setting is out of range.
        InvalidDataError: If a user leaves too few items to draw from.
    """
    after_everything = data.time_range[1] + timedelta(microseconds=1)
    test = data.interactions.select(schema.USER, schema.ITEM).join(
        split.test.select(schema.USER, schema.ITEM).lazy(), on=[schema.USER, schema.ITEM], how="semi"
    )
    drawn = sample_candidates(
        data,
        test,
        cutoff=after_everything,
        n_negatives=n_negatives,
        scheme=scheme,
        category_of=category_of,
        seed=seed,
    )
    return CandidateCases(_with_histories(data, split, drawn, seed=seed), drawn.settings, split.name)


def score_cases(recommender: Recommender, cases: Sequence[CandidateCases], *, data: Dataset) -> list[pl.DataFrame]:
    """Let a fitted recommender score every candidate, from the cases' histories alone.

    Args:
        recommender: Fitted on the split's training data.
        cases: Whom and what: of the same users, with one draw of candidates or several, which are asked for together.
        data: The catalogue.

    Returns:
        ``user_id, item_id, score`` for each of the cases.

    Raises:
        InvalidDataError: If the cases are of different users, or a candidate is left without a score.
    """
    first = cases[0]
    if any(not it.frame[_ASKED].equals(first.frame[_ASKED]) for it in cases):
        raise InvalidDataError("score_cases: expected cases of the same users and moments. Score them apart.")
    pairs = pl.concat([it.pairs() for it in cases]).unique(maintain_order=True)
    lists = recommender.recommend(
        first.histories(data),
        user_ids=first.user_ids,
        k=sum(1 + it.settings.n_negatives for it in cases),
        filter_seen=False,
        candidates=pairs,
    ).select(schema.USER, schema.ITEM, SCORE)
    if lists.height != pairs.height:
        raise InvalidDataError(
            f"{type(recommender).__name__} on {first.name}: expected {pairs.height:,} scores, got {lists.height:,}. "
            "Fit it on the whole catalogue."
        )
    return [it.pairs().join(lists, on=[schema.USER, schema.ITEM], maintain_order="left") for it in cases]


def case_metrics(scored: pl.DataFrame, cases: CandidateCases) -> pl.DataFrame:
    """HR@5, HR@10, NDCG@5 and NDCG@10 of every user, ties as expected over random orders: 30 alike have HR@5 of 5/30.

    Returns:
        ``user_id``, sorted as the cases are, and a column per metric.
    """
    return metrics_per_user(candidate_positions(scored, truth=cases.truth), metrics=METRICS)


def hit_rate_by_position(per_user: pl.DataFrame, cases: CandidateCases, *, metric: str = "HR@5") -> pl.DataFrame:
    """How often the positive is hit by the place at which it was shown: flat for whoever reads what stands there.

    Args:
        per_user: From ``case_metrics``.
        cases: The cases.
        metric: A column of ``per_user``.

    Returns:
        ``position`` (0-based), ``n`` and the mean of ``metric``, by position.
    """
    joined = cases.frame.select(schema.USER, POSITION).join(per_user, on=schema.USER, maintain_order="left")
    return joined.group_by(POSITION).agg(pl.len().alias("n"), pl.col(metric).mean()).sort(POSITION)


def _with_histories(data: Dataset, split: CaseSplit, drawn: Candidates, *, seed: int) -> pl.DataFrame:
    histories = (
        interactions_before(data, split.test)
        .collect(engine="streaming")
        .group_by(schema.USER, maintain_order=True)
        .agg(pl.col(schema.ITEM).alias(HISTORY), pl.col(schema.TIMESTAMP).alias("times"))
    )
    frame = split.test.join(histories, on=schema.USER, how="left").join(drawn.frame, on=[schema.USER, schema.ITEM])
    with_seed = frame.with_columns(pl.lit(np.uint64(seed)).alias(SEED))
    columns = [schema.USER, schema.ITEM, schema.TIMESTAMP, HISTORY, "times", CANDIDATES, POSITION, SEED]
    return with_seed.select(columns).sort(schema.USER)
