"""How far judges agree: a judge with itself, judges with each other, and a judge with the deterministic verifier."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from whyrec.errors import InvalidDataError
from whyrec.evaluation.agreement import krippendorff_alpha
from whyrec.evaluation.llm_judge.judging import Judgement
from whyrec.evaluation.llm_judge.prompts import DIMENSIONS
from whyrec.interfaces import Explanation

_METADATA_KINDS = frozenset({"attribute", "title", "trait"})
"""Kinds of claims that metadata truthfulness is about; all others are about what happened."""
_TRUTHFULNESS = ("trend_truthfulness", "metadata_truthfulness")
_TRUE_FROM = 0.5


def samples_agreement(judgements: Sequence[Judgement]) -> dict[str, float]:
    """Krippendorff's alpha (interval) of a judge's samples of the same texts, by dimension; absent where undefined."""
    n_samples = max((len(it.scores) for it in judgements), default=0)
    table = np.full((n_samples, len(judgements), len(DIMENSIONS)), np.nan)
    for place, judgement in enumerate(judgements):
        for sample, scores in enumerate(judgement.scores):
            table[sample, place] = [scores[name] for name in DIMENSIONS]
    return _alphas(table)


def judges_agreement(judged: Sequence[Sequence[Judgement]]) -> dict[str, float]:
    """Krippendorff's alpha (interval) of several judges' mean scores, by dimension; absent where undefined.

    Args:
        judged: By each judge, the same explanations in the same order.

    Raises:
        InvalidDataError: If they did not judge the same.
    """
    keys = [[(it.user_id, it.item_id, it.writer) for it in judgements] for judgements in judged]
    if any(other != keys[0] for other in keys):
        raise InvalidDataError(
            "agreement: expected judges of the same explanations in the same order. Judge them anew."
        )
    means = [
        [[np.nan if (mean := it.mean(name)) is None else mean for name in DIMENSIONS] for it in judgements]
        for judgements in judged
    ]
    return _alphas(np.array(means, dtype=np.float64).reshape(len(judged), -1, len(DIMENSIONS)))


def verifier_agreement(judgements: Sequence[Judgement], explanations: Sequence[Explanation]) -> dict[str, float]:
    """How far a judge's truthfulness agrees with the verifier, which is right far more often than any judge.

    The verifier finds an explanation true on a dimension if all its claims of that sort are borne out, and says nothing
    if there are none. Undefined, and absent, unless it finds some true and some false: check texts with planted errors.

    Args:
        judgements: Of one judge.
        explanations: The same, in the same order.

    Returns:
        ``kappa[DIMENSION]``, Cohen's kappa with scores from 0.5 on taken as true; ``AUC[DIMENSION]``, how often the
        judge scores a true text above a false one (ties count half), which needs no threshold.
    """
    found: dict[str, float] = {}
    for name in _TRUTHFULNESS:
        pairs = [
            (verdict, mean)
            for judgement, explanation in zip(judgements, explanations, strict=True)
            if (verdict := _is_true(explanation, name)) is not None and (mean := judgement.mean(name)) is not None
        ]
        verdicts, scores = [verdict for verdict, _ in pairs], [mean for _, mean in pairs]
        if len(set(verdicts)) == 2:
            found[f"kappa[{name}]"] = float(cohen_kappa_score(verdicts, [score >= _TRUE_FROM for score in scores]))
            found[f"AUC[{name}]"] = float(roc_auc_score(verdicts, scores))
    return found


def _is_true(explanation: Explanation, dimension: str) -> bool | None:
    is_metadata = dimension == "metadata_truthfulness"
    claims = [it for it in explanation.verdict.claims if (it.kind in _METADATA_KINDS) == is_metadata]
    return all(claim.supported for claim in claims) if claims else None


def _alphas(table: NDArray[np.float64]) -> dict[str, float]:
    """Alpha of each dimension of ``[raters units dimensions]``."""
    alphas = {name: krippendorff_alpha(table[:, :, place], level="interval") for place, name in enumerate(DIMENSIONS)}
    return {name: alpha for name, alpha in alphas.items() if alpha is not None}
