"""Runs: a fitted method on disk with everything needed to use it again, to explain it and to judge it anew."""

from whyrec.runs.answers import explain_run, forecast_run
from whyrec.runs.judging import DEFAULT_BASELINES, evaluate_runs, judge_runs
from whyrec.runs.judging_lists import DEFAULT_RECOMMENDERS, evaluate_recommenders
from whyrec.runs.lists import (
    ModelLists,
    ShiftedRows,
    UserLists,
    explain_list_run,
    explain_stated_run,
    recommend_run,
    recommend_shifted_run,
    recommend_stated_run,
    recommend_with_model,
)
from whyrec.runs.methods import METHODS, Method, method_named
from whyrec.runs.run import Run, fit_run, open_run

__all__ = [
    "DEFAULT_BASELINES",
    "DEFAULT_RECOMMENDERS",
    "METHODS",
    "Method",
    "ModelLists",
    "Run",
    "ShiftedRows",
    "UserLists",
    "evaluate_recommenders",
    "evaluate_runs",
    "explain_list_run",
    "explain_run",
    "explain_stated_run",
    "fit_run",
    "forecast_run",
    "judge_runs",
    "method_named",
    "open_run",
    "recommend_run",
    "recommend_shifted_run",
    "recommend_stated_run",
    "recommend_with_model",
]
