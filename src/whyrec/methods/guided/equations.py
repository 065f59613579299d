"""The numbered equations of the paper on guided embedding refinement (GER), in its order.

The text at hand lost every formula; what is here was put together from the sentences around them (section 5.2 of the
notes that ``paper.toml`` follows), and the symbols are ours.

=========================  =====================  ==========  ==========================================
symbol                     name in code           shape       unit
=========================  =====================  ==========  ==========================================
e_u, e_i                   users, items           [B D] [I D]
i*                         targets                [B]         rows of ``items``
g_u, g_i                   scores                 [... K]     points from 1 to 10
g~_u, g~_i                 ``*_guided``           [B K] [I K] of the scale of the embeddings
b(u, i)                    base_scores            [B I]       logits
mu, sigma                  mean, std              [K]         points
sigma_Xavier               scale                              of the embeddings
alpha                      weight
lambda                     format_weight
=========================  =====================  ==========  ==========================================

Axes: B users of a batch, I items, D columns of an embedding, K aspects, L tokens, V vocabulary.
"""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from whyrec.errors import InvalidConfigError


def base_loss(
    users: Float[Tensor, "B D"], items: Float[Tensor, "I D"], targets: Int[Tensor, " B"]
) -> Float[Tensor, ""]:
    """Sum over users of the negative log-probability of the item that came next.

    Implements GER Eq. (2), with the cross-entropy that the paper names as its example of l.

    Args:
        users: What the base system makes of each history.
        items: Embeddings of all candidates.
        targets: Which of them came next.
    """
    return functional.cross_entropy(users @ items.T, targets, reduction="sum")


def guided_task_loss(
    base_scores: Float[Tensor, "B I"],
    user_guided: Float[Tensor, "B K"],
    *,
    item_guided: Float[Tensor, "*B I K"],
    targets: Int[Tensor, " B"] | Float[Tensor, "B I"],
    reduction: Literal["mean", "none"] = "mean",
) -> Float[Tensor, "*N"]:
    """How badly guided vectors, added to a frozen base system, predict the item that came next; mean over users.

    Implements GER Eq. (5), with the head of G5: score = b(u, i) + <g~_u, g~_i>.

    Args:
        base_scores: Of the base system as it was trained before; not to be changed.
        user_guided: What the language model is tuned for.
        item_guided: Frozen; of the candidates of all users, or of each user's own.
        targets: Columns of ``base_scores``; or how often each came next, as shares, where several did.
        reduction: ``none`` for the loss of each user.
    """
    products = (item_guided @ user_guided[:, :, None]).squeeze(-1)
    return functional.cross_entropy(base_scores + products, targets, reduction=reduction)


def classification_loss(
    user_guided: Float[Tensor, "P K"],
    item_guided: Float[Tensor, "P K"],
    *,
    is_liked: Bool[Tensor, " P"],
    slope: Float[Tensor, ""],
    offset: Float[Tensor, ""],
    reduction: Literal["mean", "none"] = "mean",
) -> Float[Tensor, "*N"]:
    """How badly guided vectors tell liked from disliked pairs; mean over pairs.

    The paper's alternative to its own, see GER Eq. (5): it counts misclassified pairs. That count has no slope, so
    here it is the log-loss of sigmoid(slope * <g~_u, g~_i> + offset) (G5).

    Args:
        user_guided: One row per pair.
        item_guided: One row per pair.
        is_liked: What the user made of it.
        slope: Learnt.
        offset: Learnt.
        reduction: ``none`` for the loss of each pair.
    """
    logits = slope * (user_guided * item_guided).sum(dim=-1) + offset
    return functional.binary_cross_entropy_with_logits(logits, is_liked.to(logits.dtype), reduction=reduction)


def format_loss(
    logits: Float[Tensor, "B L V"], template: Int[Tensor, "B L"], *, is_score: Bool[Tensor, "B L"]
) -> Float[Tensor, ""]:
    """How unlikely the template of an answer is, its scores left out; mean over tokens.

    Implements GER Eq. (6).

    Args:
        logits: For each place, of the token that stands there.
        template: The expected answer.
        is_score: True where a score stands: those tokens count for nothing here.
    """
    losses = functional.cross_entropy(logits.transpose(1, 2), template, reduction="none")
    kept = ~is_score
    return (losses * kept).sum() / kept.sum().clamp(min=1)


def tuning_loss(
    recommendation: Float[Tensor, ""], formatting: Float[Tensor, ""], *, format_weight: float = 0.1
) -> Float[Tensor, ""]:
    """Weigh the task against the form of the answers.

    Implements GER Eq. (7).

    Args:
        recommendation: From ``guided_task_loss`` or ``classification_loss``.
        formatting: From ``format_loss``.
        format_weight: The paper's three values are lost; ours is that of G18.

    Raises:
        InvalidConfigError: If the weight is negative.
    """
    if format_weight < 0:
        raise InvalidConfigError(f"tuning_loss: expected format_weight of at least 0, got {format_weight}. Raise it.")
    return recommendation + format_weight * formatting


def normalised(
    scores: Float[Tensor, "... K"], mean: Float[Tensor, " K"], std: Float[Tensor, " K"], *, scale: float
) -> Float[Tensor, "... K"]:
    """Bring scores of 1 to 10 to the scale of embeddings, each aspect for itself.

    Implements GER Eq. (8), in the form of its Appendix A.5: W is diagonal, ``scale / std``, and b is ``-W mean``.
    Users take the items' mean and deviation, so that both sides share a scale (G8).

    Args:
        scores: Of items or users.
        mean: Over training items.
        std: Over training items; an aspect of deviation 0 becomes 0 everywhere.
        scale: From ``xavier_scale``.
    """
    varies = std > 0
    return torch.where(varies, (scores - mean) / torch.where(varies, std, 1.0) * scale, 0.0)


def xavier_scale(n_items: int, embedding_dim: int) -> float:
    """The standard deviation of Xavier's initialisation for a table of this size (G7), see GER Eq. (8)."""
    return math.sqrt(2 / (n_items + embedding_dim))


def refined(
    base: Float[Tensor, "... D"], guided: Float[Tensor, "... K"], *, weight: float = 1.0
) -> Float[Tensor, "... DK"]:
    """Put the guided columns behind the base columns.

    Implements GER Eq. (9).

    Args:
        base: Trainable.
        guided: Normalised; frozen.
        weight: Of the guided columns. The paper tries .25 to 4; which one it chose is lost.
    """
    return torch.cat([base, weight * guided], dim=-1)


def refined_loss(
    users: tuple[Float[Tensor, "B D"], Float[Tensor, "B K"]],
    items: tuple[Float[Tensor, "I D"], Float[Tensor, "I K"]],
    *,
    targets: Int[Tensor, " B"],
    weight: float = 1.0,
) -> Float[Tensor, ""]:
    """The base system's loss on refined embeddings; no gradient reaches the guided columns.

    Implements GER Eq. (10).

    Args:
        users: Base and guided columns of each user.
        items: Base and guided columns of each candidate.
        targets: Which candidate came next.
        weight: As in ``refined``.
    """
    user, item = (refined(base, guided.detach(), weight=weight) for base, guided in (users, items))
    return base_loss(user, item, targets)
