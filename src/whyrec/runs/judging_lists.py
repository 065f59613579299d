"""How good are recommenders? Runs as they stand, on what users took after the moment that they were fitted until."""

from collections.abc import Sequence

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError
from whyrec.evaluation.user_lists import LIST_LENGTH, judge_lists, later_truth
from whyrec.recommending.base import ScoringRecommender
from whyrec.runs.labels import labelled
from whyrec.runs.methods import method_named
from whyrec.runs.run import Run
from whyrec.runtime.progress import progress_bar

DEFAULT_RECOMMENDERS = ("popular",)
"""What every recommender is compared with unless told otherwise."""


def evaluate_recommenders(
    runs: Sequence[Run], data: Dataset, *, baselines: Sequence[str] = DEFAULT_RECOMMENDERS
) -> pl.DataFrame:
    """Judge runs beside baselines and chance: the whole catalogue is ranked, less what a user had had.

    A run has learned from nothing that it is judged on, so it is used as it stands. Users without a history are judged
    too, by the list that they would have been shown.

    Args:
        runs: At least one, all of recommenders fitted until the same moment.
        data: What they were fitted on.
        baselines: Names of ``METHODS`` that recommend; they are fitted until the same moment.

    Returns:
        Columns of ``ROW_SCHEMA``.

    Raises:
        InvalidConfigError: If the moments differ, or there is no such baseline.
        InvalidDataError: If nothing comes after the moment.
    """
    moment = runs[0].until
    for run in runs:
        if run.until != moment:
            raise InvalidConfigError(
                f"{run.directory}: expected a run fitted until {moment.isoformat()}, as {runs[0].directory} is, "
                f"got one until {run.until.isoformat()}. Judge them apart."
            )
    unfitted = {}
    for name in baselines:
        method = method_named(name)
        unfitted[name] = method.recommender(method.settings({}))
    truth = later_truth(data, moment=moment)
    user_ids = truth.user_ids

    def served(recommender: ScoringRecommender) -> pl.DataFrame:
        return recommender.recommend(data, user_ids=user_ids, k=LIST_LENGTH, at=moment)

    lists = {}
    named = labelled(runs, taken=baselines)
    with progress_bar("Judging", total=len(named) + len(unfitted)) as step:
        for label, run in named.items():
            step.describe(label)
            lists[label] = served(run.load_recommender())
            step.advance()
        for name, baseline in unfitted.items():
            step.describe(name)
            lists[name] = served(baseline.fit(data, until=moment))
            step.advance()
    return judge_lists(lists, truth=truth)
