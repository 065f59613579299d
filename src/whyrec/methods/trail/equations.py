"""The numbered equations of TRAIL as pure functions of tensors, in the order of the paper.

=========================  =======================  ==========  ====================================
symbol                     name in code             shape       unit
=========================  =======================  ==========  ====================================
p_i^t                      counts                   [N]         users per window
d_ij(t1, t2)               costs                    [N, M]      as the counts
D_ij(t1, t2)               cumulative costs         [N, M]      as the counts
r_i^T                      change rate              [...]       share of the window before
sigma                      sigma                                as the change rate
d_i                        vectors                  [..., D]
alpha, beta, gamma         ``*_weight``                         sum to 1 in the paper
e'_S, e_S                  embeddings               [B, D]
m                          dropout mask             [B, H]      0 or 1 / (1 - share dropped)
tau                        temperature
lambda                     contrastive weight
=========================  =======================  ==========  ====================================

This is the reference that reads like the paper; what runs over all pairs of a training set is ``similarity`` and
``dtw``. Where the paper's form is not what we train with, the docstring says so and ``paper.toml`` says why. Axes: B
batch, L tokens, V vocabulary, D and H columns.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from whyrec.errors import InvalidDataError


def local_costs(first: Float[Tensor, " N"], second: Float[Tensor, " M"]) -> Float[Tensor, "N M"]:
    """Compare every point of one history with every point of another.

    Implements TRAIL Eq. (1).

    Args:
        first: Users per window of one item, oldest first.
        second: The same of another.

    Returns:
        Absolute differences: the Euclidean norm of a single number.
    """
    return (first[:, None] - second).abs()


def cumulative_costs(costs: Float[Tensor, "N M"]) -> Float[Tensor, "N M"]:
    """Add up costs along the cheapest warping path to every pair of points.

    Implements TRAIL Eq. (2).

    Args:
        costs: Of each pair; infinity forbids one, so that a band is a matter of the costs.

    Returns:
        The last entry is the distance of the two histories (T6: the target window is no part of them).
    """
    n, m = costs.shape
    local = costs.tolist()
    total = [[0.0] + [math.inf] * m] + [[math.inf] * (m + 1) for _ in range(n)]
    for i in range(n):
        for j in range(m):
            total[i + 1][j + 1] = local[i][j] + min(total[i][j + 1], total[i + 1][j], total[i][j])
    return costs.new_tensor([row[1:] for row in total[1:]]).reshape(n, m)


def trend_similarity(distance: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Turn a warping distance into a similarity in (0, 1].

    Implements TRAIL Eq. (3).

    Training uses another form, since this one falls with the level and the length of the histories (T4).

    Args:
        distance: Not negative; infinity gives 0.
    """
    return 1 / (1 + distance)


def change_rate(current: Float[Tensor, "..."], previous: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Measure the change from one window to the next as a share of the former, as printed; see TRAIL Eq. (4).

    Args:
        current: Users in a window.
        previous: Users in the window before it; 0 gives infinity, or NaN after 0 users (T7).
    """
    return (current - previous) / previous


def log_change(current: Float[Tensor, "..."], previous: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Measure the change from one window to the next on a scale that has no gap at 0: ours instead (T7).

    Args:
        current: Users in a window.
        previous: Users in the window before it.
    """
    return torch.log1p(current) - torch.log1p(previous)


def latest_similarity(
    first: Float[Tensor, "..."], second: Float[Tensor, "..."], *, sigma: float
) -> Float[Tensor, "..."]:
    """Compare how two items changed of late.

    Implements TRAIL Eq. (4).

    Args:
        first: Change of one item into its target window.
        second: The same of another.
        sigma: The difference at which the similarity is exp(-1/2).
    """
    return torch.exp(-((first - second) ** 2) / (2 * sigma**2))


def metadata_similarity(first: Float[Tensor, "... D"], second: Float[Tensor, "... D"]) -> Float[Tensor, "..."]:
    """Compare two descriptions by the cosine of their vectors.

    Implements TRAIL Eq. (5).

    Args:
        first: Vectors of descriptions, of any length but 0.
        second: The same of others.
    """
    return functional.cosine_similarity(first, second, dim=-1)


def total_similarity(
    trend: Float[Tensor, "..."] | None,
    latest: Float[Tensor, "..."] | None,
    metadata: Float[Tensor, "..."] | None,
    *,
    trend_weight: float = 0.4,
    latest_weight: float = 0.2,
    metadata_weight: float = 0.4,
) -> Float[Tensor, "..."]:
    """Weigh the three similarities; a term that is undefined for a pair leaves its weight to the others.

    Implements TRAIL Eq. (6).

    Args:
        trend: Of the histories; None or NaN where a history is empty.
        latest: Of the changes; None or NaN where only one item has a history.
        metadata: Of the descriptions.
        trend_weight: alpha. Paper: 0.4.
        latest_weight: beta. Paper: 0.2.
        metadata_weight: gamma. Paper: 0.4.

    Returns:
        The weighted mean of the terms that are defined; NaN where none is.

    Raises:
        InvalidDataError: If all three are None.
    """
    named = ((trend, trend_weight), (latest, latest_weight), (metadata, metadata_weight))
    given = [(term, weight) for term, weight in named if term is not None]
    if not given:
        raise InvalidDataError("TRAIL's total similarity: expected one term at least, got None three times. Give one.")
    terms = torch.stack(torch.broadcast_tensors(*(term for term, _ in given)))  # type: ignore[no-untyped-call]
    is_defined = ~terms.isnan()
    by_term = terms.new_tensor([weight for _, weight in given]).reshape(-1, *[1] * (terms.ndim - 1))
    weights = by_term * is_defined
    return (weights * terms.where(is_defined, terms.new_zeros(()))).sum(dim=0) / weights.sum(dim=0)


def projection_head(
    embeddings: Float[Tensor, "B D"],
    *,
    first_weight: Float[Tensor, "H D"],
    first_bias: Float[Tensor, " H"],
    second_weight: Float[Tensor, "O H"],
    dropout_mask: Float[Tensor, "B H"] | None = None,
    norm_scale: Float[Tensor, " O"] | None = None,
    norm_shift: Float[Tensor, " O"] | None = None,
) -> Float[Tensor, "B O"]:
    """Map the embeddings of explanations to the space in which they are contrasted.

    Implements TRAIL Eq. (7).

    The nonlinearity, which the paper leaves open, is ReLU as in SimCLR, on which the paper builds.

    Args:
        embeddings: Mean hidden states of explanations.
        first_weight: W1.
        first_bias: b1.
        second_weight: W2.
        dropout_mask: m, 1 / (1 - share dropped) where kept, so that nothing need be rescaled later; None keeps all.
        norm_scale: Learned factor of the layer normalisation; None is 1.
        norm_shift: Learned summand of it; None is 0.
    """
    hidden = functional.relu(functional.linear(embeddings, first_weight, first_bias))
    if dropout_mask is not None:
        hidden = hidden * dropout_mask
    projected = functional.linear(hidden, second_weight)
    return functional.layer_norm(projected, projected.shape[-1:], norm_scale, norm_shift)


def info_nce(
    embeddings: Float[Tensor, "B D"],
    is_positive: Bool[Tensor, "B B"],
    *,
    is_negative: Bool[Tensor, "B B"] | None = None,
    temperature: float = 0.1,
    mean_of_logs: bool = False,
) -> Float[Tensor, ""]:
    """Pull the explanations of similar samples together and push others apart, each sample of a batch in turn.

    Implements TRAIL Eq. (8).

    Unlike the printed form, vectors are normalised and the temperature stands inside the exponent (T1); a sample is
    never compared with itself (T2).

    Args:
        embeddings: Projected explanations.
        is_positive: Which columns are positives of the row's sample; the diagonal is not looked at.
        is_negative: Which are its negatives; None: all but its positives. Leave near-duplicates out of both.
        temperature: tau; the code has 0.1.
        mean_of_logs: Average the logarithm over positives (Khosla et al. 2020) where the paper sums inside it (T3).

    Returns:
        The mean over samples that have a positive; 0 where none has.
    """
    unit = functional.normalize(embeddings, dim=1)
    scores = unit @ unit.T / temperature
    return _contrast(scores, is_positive, is_negative, mean_of_logs=mean_of_logs)


def info_nce_as_printed(
    embeddings: Float[Tensor, "B D"],
    is_positive: Bool[Tensor, "B B"],
    *,
    is_negative: Bool[Tensor, "B B"] | None = None,
    temperature: float = 0.1,
) -> Float[Tensor, ""]:
    """Contrast with the temperature outside the exponent, where it cancels (T1); see TRAIL Eq. (8).

    For comparison; nothing trains with it.

    Args:
        embeddings: Projected explanations, not normalised.
        is_positive: Which columns are positives of the row's sample.
        is_negative: Which are its negatives; None: all but its positives.
        temperature: tau, without effect.
    """
    # exp(s) / tau = exp(s - log tau)
    scores = embeddings @ embeddings.T - math.log(temperature)
    return _contrast(scores, is_positive, is_negative, mean_of_logs=False)


def supervised_loss(
    logits: Float[Tensor, "B L V"], labels: Int[Tensor, "B L"], token_weights: Float[Tensor, "B L"]
) -> Float[Tensor, ""]:
    """Average the cross-entropy of the answer's tokens, each predicted from those before it (T11).

    Implements TRAIL Eq. (9).

    Args:
        logits: Of a causal model at every position.
        labels: The tokens themselves, not shifted; anything where the weight is 0.
        token_weights: Of each token as a target: 0 ignores it (prompt, explanation, padding), 1 for the score, less
            for the answer's scaffold (T10). The first token of a row is never a target.

    Returns:
        Nats per unit of weight.

    Raises:
        InvalidDataError: If no token but first ones has a weight.
    """
    weights = token_weights[:, 1:]
    is_counted = weights > 0
    if not bool(is_counted.any()):
        raise InvalidDataError(
            "TRAIL's supervised loss: expected a token with a weight above 0 after the first, got none. "
            "Check that the answer survived truncation."
        )
    # Few of a long row's tokens count; picking them first keeps the vocabulary axis off all others.
    return weighted_cross_entropy(logits[:, :-1][is_counted], labels[:, 1:][is_counted], weights[is_counted])


def weighted_cross_entropy(
    logits: Float[Tensor, "N V"], targets: Int[Tensor, " N"] | Float[Tensor, "N V"], weights: Float[Tensor, " N"]
) -> Float[Tensor, ""]:
    """Average the cross-entropy between what should come and what a model expects, over tokens picked already.

    With distributions as targets this is TRAIL's ninth equation to the letter, whose truth is a distribution too.

    Args:
        logits: Of each token, from the position before it.
        targets: The tokens, or how likely each should be.
        weights: Not negative.
    """
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
    losses = functional.cross_entropy(precise, targets, reduction="none")
    return (weights * losses).sum() / weights.sum()


def total_loss(
    supervised: Float[Tensor, ""], contrastive: Float[Tensor, ""], *, contrastive_weight: float
) -> Float[Tensor, ""]:
    """Add the two losses.

    Implements TRAIL Eq. (10).

    Args:
        supervised: Of the score's tokens.
        contrastive: Of the explanations.
        contrastive_weight: lambda; 0 trains the score alone. Ours: 0.3, or ``scheduled_weight`` (T9).
    """
    return supervised + contrastive_weight * contrastive


def scheduled_weight(step: int, n_steps: int, *, low: float = 0.2, high: float = 0.8, warmup: float = 0.05) -> float:
    """Raise lambda in a line and let it fall along half a cosine, as the published code does (T9).

    Args:
        step: Of training, from 0 on.
        n_steps: Of training.
        low: lambda at the first step and at the end.
        high: lambda at the end of the rise.
        warmup: Share of the steps that the rise takes.
    """
    done = min(step / n_steps, 1.0)
    if done < warmup:
        return low + (high - low) * done / warmup
    fallen = (done - warmup) / (1 - warmup)
    return low + (high - low) * (1 + math.cos(math.pi * fallen)) / 2


def _contrast(
    scores: Float[Tensor, "B B"],
    is_positive: Bool[Tensor, "B B"],
    is_negative: Bool[Tensor, "B B"] | None,
    *,
    mean_of_logs: bool,
) -> Float[Tensor, ""]:
    """Minus the log share of the positives among positives and negatives, averaged over rows that have positives."""
    is_other = ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    is_positive = is_positive & is_other
    is_negative = is_other if is_negative is None else is_negative & is_other
    has_positive = is_positive.any(dim=1)
    if not bool(has_positive.any()):
        return scores.sum() * 0
    scores, is_positive = scores[has_positive], is_positive[has_positive]
    is_compared = is_positive | is_negative[has_positive]
    everything = scores.masked_fill(~is_compared, -torch.inf).logsumexp(dim=1)
    if mean_of_logs:
        positive = scores.where(is_positive, scores.new_zeros(())).sum(dim=1) / is_positive.sum(dim=1)
    else:
        positive = scores.masked_fill(~is_positive, -torch.inf).logsumexp(dim=1)
    return (everything - positive).mean()
