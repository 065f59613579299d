"""Scores and agreement of judges, as the rows that all evaluation shares."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from whyrec.evaluation.explanation_files import ToldExplanation
from whyrec.evaluation.explanations import Figure, explanation_rows, writer_counts
from whyrec.evaluation.llm_judge.agreement import judges_agreement, samples_agreement, verifier_agreement
from whyrec.evaluation.llm_judge.judging import Judgement, judgement_figures


def judgement_rows(
    told: Sequence[ToldExplanation],
    judged: Sequence[Sequence[Judgement]],
    *,
    method: str,
    dataset: str,
    seed: int = 0,
) -> pl.DataFrame:
    """Sum up what judges think of the same explanations.

    Args:
        told: What was judged; at least one.
        judged: By each judge, in the order of ``told``.
        method: Whose explanations.
        dataset: On what.
        seed: Of the bootstrap.

    Returns:
        Columns of ``ROW_SCHEMA``. For each judge, under the protocol ``judge NAME``: ``judgement_figures``,
        ``alpha[DIMENSION]`` of its samples and, where the verifier found some texts true and some false,
        ``kappa[DIMENSION]`` and ``AUC[DIMENSION]``. For several judges, under ``all judges``, their alpha.
    """
    writers = writer_counts([one.explanation for one in told])
    parts = [
        explanation_rows(figures, method=method, dataset=dataset, protocol=protocol, writers=writers, seed=seed)
        for protocol, figures in _figures(told, judged, seed=seed)
    ]
    return pl.concat(parts)


def _figures(
    told: Sequence[ToldExplanation], judged: Sequence[Sequence[Judgement]], *, seed: int
) -> Iterator[tuple[str, dict[str, Figure]]]:
    for judgements in judged:
        alphas = {f"alpha[{name}]": value for name, value in samples_agreement(judgements).items()}
        agreement = alphas | verifier_agreement(judgements, [one.explanation for one in told])
        yield f"judge {judgements[0].judge}", judgement_figures(judgements, seed=seed) | _plain(agreement, n=len(told))
    if len(judged) > 1:
        alphas = {f"alpha[{name}]": value for name, value in judges_agreement(judged).items()}
        yield "all judges", _plain(alphas, n=len(told))


def _plain(values: Mapping[str, float], *, n: int) -> dict[str, Figure]:
    return {name: Figure(value, n) for name, value in values.items()}
