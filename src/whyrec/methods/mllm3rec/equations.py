"""The numbered equations of M-LLM3REC that compute something, as pure functions, in the order of the paper.

======================  ====================  ==============  =======================================
symbol                  name in code          shape           unit
======================  ====================  ==============  =======================================
H_u                     UserContext           k               interactions, oldest first
t_ij, r_j               descriptions          k               text
C_u                     (result)                              text
m_u                     Profile                               strengths 0 to 3
Sim(m^p, m^q)           similarity            [K, K]          -1 to 1
T_i                     ItemTraits                            phrases
Score(u, i)             scores                [N]             higher is better
TopK_u                  (result)              [k]             positions among the candidates
======================  ====================  ==============  =======================================

Eqs. 1 and 4 name things; 3, 6, 7 and 8 are questions to a language model; ``paper.toml`` says where they are put.
Axes: K interactions or profiles, N candidates, P permutations.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from whyrec.errors import InvalidConfigError


def semantic_context(descriptions: Sequence[str], feedback: Sequence[str]) -> str:
    """Write a history as one text: what each item is, and what the user made of it.

    Implements M-LLM3REC Eq. (2).

    Args:
        descriptions: Of the items, oldest first, one line each.
        feedback: What is known of the user's opinion of each; empty where nothing is.

    Returns:
        One numbered line per interaction; the numbers are how answers refer to them.
    """
    pairs = zip(descriptions, feedback, strict=True)
    return "\n".join(
        f"H{place}. {description}" + (f" | {opinion}" if opinion else "")
        for place, (description, opinion) in enumerate(pairs, start=1)
    )


def coherence(similarity: Float[np.ndarray, "K K"], *, with_itself: bool = False) -> float:
    """How much profiles that were each inferred from one interaction of a user agree.

    Implements M-LLM3REC Eq. (5).

    Two profiles of similarity .5: .5; with each compared to itself too, (1 + .5 + .5 + 1) / 4 = .75 (M8).

    Args:
        similarity: Of each pair of profiles, symmetric.
        with_itself: Count the diagonal, as the paper prints it.

    Returns:
        A mean; NaN where there is no pair to compare.
    """
    if with_itself:
        return float(similarity.mean()) if similarity.size else float("nan")
    pairs = similarity[np.triu_indices(len(similarity), k=1)]
    return float(pairs.mean()) if pairs.size else float("nan")


def mean_ranks(ranks: Int[np.ndarray, "P N"]) -> Float[np.ndarray, " N"]:
    """Average each candidate's ranks over permutations of the same candidates (Borda; M3).

    Args:
        ranks: 1-based, one row per permutation.
    """
    means: np.ndarray = ranks.mean(axis=0)
    return means


def top_k(scores: Float[np.ndarray, " N"], *, k: int) -> Int[np.ndarray, " K"]:
    """The ``k`` candidates that fit best, best first.

    Implements M-LLM3REC Eq. (9).

    Args:
        scores: Higher is better. Equal ones keep their order, so that the caller decides by the order of candidates.
        k: At least 1; all candidates where there are fewer.

    Raises:
        InvalidConfigError: If ``k`` is below 1.
    """
    if k < 1:
        raise InvalidConfigError(f"top_k: expected k of at least 1, got {k}. Choose a positive k.")
    order: np.ndarray = np.argsort(-scores, kind="stable")
    return order[:k]
