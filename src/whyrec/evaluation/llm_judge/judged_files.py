"""Judge a file of explanations: by measures that need no judge, and by language models."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.evaluation.explanation_features import FeatureSpace
from whyrec.evaluation.explanation_files import read_explanations
from whyrec.evaluation.explanations import PROTOCOL, explanation_figures, explanation_rows, writer_counts
from whyrec.evaluation.llm_judge.judging import Judge, Judgement
from whyrec.evaluation.llm_judge.rows import judgement_rows
from whyrec.llm.usage import Estimate

UNKNOWN = "unknown"
"""The dataset of explanations whose data nobody named."""


@dataclass(frozen=True, slots=True)
class JudgedExplanations:
    """What is found of a file of explanations."""

    rows: pl.DataFrame
    """Columns of ``ROW_SCHEMA``; the method is the file's name."""
    judgements: tuple[Judgement, ...]
    """Of all judges, one after the other."""
    writers: dict[str, int]
    """How many explanations each wrote."""
    failures: Counter[str]
    """Why answers of judges could not be read."""


def judge_explanations(
    path: Path, *, judges: Sequence[Judge] = (), data_directory: Path | None = None, seed: int = 0
) -> JudgedExplanations:
    """Measure explanations, and let judges score them.

    Args:
        path: What ``whyrec explain --json`` wrote.
        judges: Language models; none measures only what needs none.
        data_directory: The dataset whose features texts may name; None leaves FMR, FCR and DIV out.
        seed: Of the bootstrap.

    Raises:
        InvalidDataError: If the file or the dataset cannot be read.
        InvalidConfigError: If a judge wrote any of them and may not judge itself.
        EndpointError: If a server fails for good; what was answered before is in the cache.
    """
    told = read_explanations(path)
    data = None if data_directory is None else Dataset.read(data_directory)
    explanations = [one.explanation for one in told]
    writers = writer_counts(explanations)
    about = {"method": path.stem, "dataset": UNKNOWN if data is None else data.name}
    # Every judge may refuse; better before anything is measured or paid for.
    judged = [judge.judge(told) for judge in judges]
    features = None if data is None else FeatureSpace.of(data.items)
    figures = explanation_figures(explanations, features=features, seed=seed)
    rows = [explanation_rows(figures, **about, protocol=PROTOCOL, writers=writers, seed=seed)]
    if judged:
        rows.append(judgement_rows(told, judged, **about, seed=seed))
    failures = sum((judge.failures for judge in judges), Counter[str]())
    return JudgedExplanations(
        pl.concat(rows), tuple(it for judgements in judged for it in judgements), writers, failures
    )


def estimate_judging(path: Path, *, judges: Sequence[Judge]) -> list[Estimate]:
    """What each judge would be asked; nothing is asked.

    Raises:
        As ``judge_explanations``.
    """
    told = read_explanations(path)
    return [judge.estimate(told) for judge in judges]
