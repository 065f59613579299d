"""Runs: a fitted method on disk with everything needed to use it again, to explain it and to judge it anew."""

from whyrec.runs.answers import explain_run, forecast_run
from whyrec.runs.judging import DEFAULT_BASELINES, evaluate_runs, judge_runs
from whyrec.runs.methods import METHODS, Method, method_named
from whyrec.runs.run import Run, fit_run, open_run

__all__ = [
    "DEFAULT_BASELINES",
    "METHODS",
    "Method",
    "Run",
    "evaluate_runs",
    "explain_run",
    "fit_run",
    "forecast_run",
    "judge_runs",
    "method_named",
    "open_run",
]
