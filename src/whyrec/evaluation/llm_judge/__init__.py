"""A language model as judge of explanations, on the four dimensions of TRAIL §5.2.4.

A second opinion beside ``verification``, never in its place: a model can be wrong, and can be talked to by the text.
"""

from whyrec.evaluation.llm_judge.agreement import judges_agreement, samples_agreement, verifier_agreement
from whyrec.evaluation.llm_judge.judged_files import JudgedExplanations, estimate_judging, judge_explanations
from whyrec.evaluation.llm_judge.judging import DEFAULT_SAMPLES, JUDGE_SAMPLING, Judge, Judgement, judgement_figures
from whyrec.evaluation.llm_judge.prompts import DIMENSIONS, judge_prompt
from whyrec.evaluation.llm_judge.rows import judgement_rows
from whyrec.evaluation.llm_judge.same_model import require_other_model

__all__ = [
    "DEFAULT_SAMPLES",
    "DIMENSIONS",
    "JUDGE_SAMPLING",
    "Judge",
    "JudgedExplanations",
    "Judgement",
    "estimate_judging",
    "judge_explanations",
    "judge_prompt",
    "judgement_figures",
    "judgement_rows",
    "judges_agreement",
    "require_other_model",
    "samples_agreement",
    "verifier_agreement",
]
