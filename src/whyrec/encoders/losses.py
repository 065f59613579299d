"""Losses over the scores of the item that came next and of some that did not, as pure functions; all are sums.

``positive`` holds the score of the right item at each position, ``negatives`` the scores of others. Where negatives are
shared by many positions, one of them may be a position's own right item; ``without_hits`` makes it count for nothing.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

_SMALLEST_SHARE = 1e-24
_HIDDEN = -1e15
"""Lower than any score, yet its square is finite."""


def without_hits(
    negatives: Float[Tensor, "N M"], targets: Int[Tensor, " N"], drawn: Int[Tensor, " M"]
) -> Float[Tensor, "N M"]:
    """Scores of shared negatives, so low where the drawn item is the right one that no loss here sees it.

    Args:
        negatives: Scores of the drawn items.
        targets: The right items.
        drawn: The drawn ones.
    """
    return negatives.masked_fill(targets[:, None] == drawn, _HIDDEN)


def sampled_softmax(
    positive: Float[Tensor, " N"],
    negatives: Float[Tensor, "N M"],
    *,
    positive_logp: Float[Tensor, " N"],
    negative_logp: Float[Tensor, " M"],
) -> Float[Tensor, ""]:
    """Cross-entropy over the right item and a sample, with the logQ correction.

    What is drawn often would be pushed down too often; its score is lowered by the logarithm of how likely it is
    drawn. Source: Yi et al. 2019, "Sampling-bias-corrected neural modeling", section on modelling; the estimate itself
    is that of Bengio and Senecal 2008.

    Args:
        positive: Scores of the right items.
        negatives: Scores of the drawn items, hits hidden.
        positive_logp: How likely the right items are drawn, as logarithms.
        negative_logp: The same for the drawn ones.
    """
    first = (positive - positive_logp)[:, None]
    everything = torch.cat([first, negatives - negative_logp], dim=1)
    return (everything.logsumexp(dim=1) - first[:, 0]).sum()


def gbce(positive: Float[Tensor, " N"], negatives: Float[Tensor, "N M"], *, beta: float) -> Float[Tensor, ""]:
    """Generalised binary cross-entropy: the right item's probability is raised to ``beta``.

    Source: Petrov and Macdonald 2023 (gSASRec), the definition of gBCE, the division by the number of scores included.

    Args:
        positive: Scores of the right items.
        negatives: Scores of each position's own negatives.
        beta: Its power; 1 is plain binary cross-entropy.
    """
    right = beta * functional.logsigmoid(positive)
    wrong = functional.logsigmoid(-negatives).sum(dim=1)
    return -(right + wrong).sum() / (negatives.shape[1] + 1)


def gbce_beta(*, calibration: float, sampling_rate: float) -> float:
    """The power that gBCE needs: ``alpha * (t * (1 - 1 / alpha) + 1 / alpha)``.

    Source: Petrov and Macdonald 2023 (gSASRec), where beta is inferred from the calibration parameter t.

    Args:
        calibration: t; 0 is plain binary cross-entropy, 1 takes out the whole bias of sampling.
        sampling_rate: alpha, negatives of a position over all items that could be one.
    """
    return sampling_rate * (calibration * (1 - 1 / sampling_rate) + 1 / sampling_rate)


def bce(positive: Float[Tensor, " N"], negatives: Float[Tensor, "N M"]) -> Float[Tensor, ""]:
    """Binary cross-entropy of the right item against drawn ones.

    Source: Kang and McAuley 2018 (SASRec), section III-E. There the terms of a position are summed, here they are
    averaged, as in gBCE.
    """
    return gbce(positive, negatives, beta=1.0)


def bpr(positive: Float[Tensor, " N"], negatives: Float[Tensor, "N M"]) -> Float[Tensor, ""]:
    """Negative log-probability that the right item stands before a drawn one, averaged over a position's draws.

    Source: Rendle et al. 2009, section 4.1 (BPR-Opt), without the weights' penalty.
    """
    return -functional.logsigmoid(positive[:, None] - negatives).mean(dim=1).sum()


def bpr_max(
    positive: Float[Tensor, " N"], negatives: Float[Tensor, "N M"], *, score_weight: float
) -> Float[Tensor, ""]:
    """BPR against the highest of many negatives, made smooth: each counts by its softmax weight among them.

    Source: Hidasi and Karatzoglou 2018, "Ranking-max loss function family", BPR-max with score regularisation.

    Args:
        positive: Scores of the right items.
        negatives: Scores of the drawn items, hits hidden.
        score_weight: Of the penalty on the square of the negatives' scores; lambda in the paper.
    """
    weights = _shares(negatives)
    right_order = (weights * torch.sigmoid(positive[:, None] - negatives)).sum(dim=1)
    penalty = (weights * negatives.square()).sum(dim=1)
    return (score_weight * penalty - torch.log(right_order + _SMALLEST_SHARE)).sum()


def top1_max(positive: Float[Tensor, " N"], negatives: Float[Tensor, "N M"]) -> Float[Tensor, ""]:
    """TOP1 against the highest of many negatives, made smooth: each counts by its softmax weight among them.

    Source: Hidasi and Karatzoglou 2018, "Ranking-max loss function family", TOP1-max.
    """
    weights = _shares(negatives)
    wrong_order = torch.sigmoid(negatives - positive[:, None]) + torch.sigmoid(negatives.square())
    return (weights * wrong_order).sum()


def _shares(negatives: Float[Tensor, "N M"]) -> Float[Tensor, "N M"]:
    """Softmax over a position's negatives; 0 throughout where all its draws are hits."""
    has_negatives = negatives.amax(dim=1, keepdim=True) > _HIDDEN
    return negatives.softmax(dim=1) * has_negatives.to(negatives.dtype)
