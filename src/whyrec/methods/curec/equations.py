"""The numbered equations of CURec as pure functions of tensors, in the order of the paper.

======================  ====================  ==============  =======================================
symbol                  name in code          shape           unit
======================  ====================  ==============  =======================================
LLM_theta(o | ...)      logp                  [B, G]          nats, summed over the output's tokens
A_n                     advantages            [B, G]          standard deviations of the group
delta_n, rho_n          ratio, clipped gain   [B, G]
epsilon, beta           clip, kl_weight
p_u, q_ui               vectors of texts      [..., W]
e_pu                    pattern               [B, D]
E_Qi                    reasons               [B, K, D]       ``is_reason`` says which cells hold one
s_ui                    matched               [B, D]
e_i, {h_i}              items, states         [B, T, D]
e_u = h_1               user                  [B, D]
y_ui                    scores                [B, I]          log-odds but for a constant
r                       rewards               [B, G]          as the scores
alpha                   learning_rate
======================  ====================  ==============  =======================================

Eqs. 1, 2, 5, 6 and 14 state a goal or a question to a language model; ``paper.toml`` says where the questions are put.
Axes: B batch, G samples of a group, K reasons, T history, I items, D columns, W columns of the text encoder.
"""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

Scored = Callable[[Float[Tensor, "B K D"], Bool[Tensor, "B K"]], Float[Tensor, " B"]]
"""A reward model seen from one list of reasons per row: reasons and which cells hold one, to scores."""
Transformer = Callable[[Float[Tensor, "B T D"], Bool[Tensor, "B T"]], Float[Tensor, "B T D"]]
"""Vectors and which cells hold one, to states."""


def grpo_objective(
    logp: Float[Tensor, "B G"],
    old_logp: Float[Tensor, "B G"],
    reference_logp: Float[Tensor, "B G"],
    *,
    advantages: Float[Tensor, "B G"],
    clip: float = 0.2,
    kl_weight: float = 0.0,
) -> Float[Tensor, ""]:
    """Weigh how likely sampled outputs have become by how good they are; to be maximised (C7).

    Implements CURec Eq. (3).

    The divergence, whose estimate the paper leaves open, is DeepSeekMath's: r - 1 - log r with r = ref / policy, whose
    mean over outputs is the divergence and which is never negative.

    Args:
        logp: Of each sampled output under the model that is tuned.
        old_logp: Under the model that sampled it; without gradient.
        reference_logp: Under the model that it must not stray from; without gradient.
        advantages: Of each output within its group.
        clip: epsilon; the ratio earns nothing beyond 1 - epsilon and 1 + epsilon. Ours: 0.2 (C16).
        kl_weight: beta.

    Returns:
        The mean over outputs.
    """
    ratio = (logp - old_logp).exp()
    gain = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
    back = reference_logp - logp
    divergence = back.exp() - 1 - back
    return (gain - kl_weight * divergence).mean()


def group_advantages(
    rewards: Float[Tensor, "B G"], *, scale: Literal["group", "batch", "none"] = "group", least_std: float = 1e-3
) -> Float[Tensor, "B G"]:
    """Compare each output's reward with those of its group.

    Implements CURec Eq. (4).

    The paper divides by the group's own standard deviation. Where all rewards of a group are nearly equal that blows
    noise up to full size, so such groups count for nothing (C6).

    Args:
        rewards: Of the outputs of each group; G is 2 at least.
        scale: Divide by the deviation of each group, by that of all centred rewards, or by nothing.
        least_std: A group whose rewards deviate less has advantages of 0.

    Returns:
        Zero on average in every group; deviations are those of a sample (G - 1).
    """
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    std = centred.square().sum(dim=1, keepdim=True).div(rewards.shape[1] - 1).sqrt()
    divisor = {"group": std, "batch": centred.square().mean().sqrt(), "none": torch.ones_like(std)}[scale]
    is_apart = std >= least_std
    return torch.where(is_apart, centred / divisor.where(is_apart, torch.ones_like(std)), torch.zeros_like(centred))


def text_embeddings(
    vectors: Float[Tensor, "*S W"], weight: Float[Tensor, "D W"], bias: Float[Tensor, " D"] | None = None
) -> Float[Tensor, "*S D"]:
    """Bring the frozen encoder's vectors of patterns and reasons to the width of the model.

    Implements CURec Eq. (7).

    Args:
        vectors: What a text encoder made of the texts; it is not trained (C12).
        weight: Learned.
        bias: Learned.
    """
    return functional.linear(vectors, weight, bias)


def multi_head_attention(
    query: Float[Tensor, "B D"],
    keys: Float[Tensor, "S M K D"],
    values: Float[Tensor, "S M K D"],
    *,
    is_reason: Bool[Tensor, "S M K"],
    n_heads: int,
    null: tuple[Float[Tensor, " D"], Float[Tensor, " D"]],
) -> tuple[Float[Tensor, "B M D"], Float[Tensor, "B H M K1"]]:
    """Let each user's pattern look for the reasons of each item that speak to it.

    Implements CURec Eq. (8).

    Query, keys and values are projected already, and the heads' output projection is left to the caller, so that what
    depends on a reason alone can be kept.

    Args:
        query: One per user.
        keys: One per reason of each of M items; S is B, or 1 where all users share the candidates.
        values: The same.
        is_reason: Which cells hold a reason.
        n_heads: Heads, into which the columns are cut.
        null: A learned key and value that stand beside every list (C11).

    Returns:
        What was found, heads side by side, and the weights, the null's first, which sum to 1.
    """
    queries = _heads(query, n_heads) / math.sqrt(query.shape[-1] / n_heads)
    null_key, null_value = (_heads(vector, n_heads) for vector in null)
    logits = _head_logits(queries, _heads(keys, n_heads)).masked_fill(~is_reason[:, None], -torch.inf)
    null_logits = (queries * null_key).sum(dim=-1)[:, :, None, None].expand(-1, -1, logits.shape[2], 1)
    weights = torch.cat([null_logits, logits], dim=-1).softmax(dim=-1)
    found = _head_values(weights[..., 1:], values, n_heads) + weights[..., :1].transpose(1, 2) * null_value
    return found.flatten(2), weights


def _heads(x: Float[Tensor, "*S D"], n_heads: int) -> Float[Tensor, "*S H E"]:
    return x.reshape(*x.shape[:-1], n_heads, -1)


def _head_logits(queries: Float[Tensor, "B H E"], keys: Float[Tensor, "S M K H E"]) -> Float[Tensor, "B H M K"]:
    """Products of queries and keys, in whichever way copies least."""
    if len(keys) == 1:
        return torch.einsum("bhe,bmkhe->bhmk", queries, keys)
    return (keys * queries[:, None, None]).sum(dim=-1).movedim(-1, 1)


def _head_values(
    weights: Float[Tensor, "B H M K"], values: Float[Tensor, "S M K D"], n_heads: int
) -> Float[Tensor, "B M H E"]:
    """Weighted sums of values, in whichever way copies least."""
    if len(values) == 1:
        return torch.einsum("bhmk,bmkhe->bmhe", weights, _heads(values, n_heads))
    # Every head sums all columns, of which it keeps its own: more products, but values stay where they are.
    everything = _heads(weights.transpose(1, 2) @ values, n_heads)
    return everything.diagonal(dim1=2, dim2=3).transpose(-1, -2)


def user_embedding(
    items: Float[Tensor, "B T D"],
    is_item: Bool[Tensor, "B T"],
    *,
    user_token: Float[Tensor, " D"],
    transformer: Transformer,
) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B T D"]]:
    """Encode histories with a learned token in front, whose state stands for the user.

    Implements CURec Eq. (9).

    The paper's first state is that of the first item, which under causal attention knows nothing of the others (C8).

    Args:
        items: Vectors of the items, positions included.
        is_item: Which cells hold one.
        user_token: Learned.
        transformer: Reads the token and all items in both directions.

    Returns:
        h_1, and the states of the items.
    """
    n = len(items)
    tokens = torch.cat([user_token.expand(n, 1, -1), items], dim=1)
    states = transformer(tokens, torch.cat([is_item.new_ones(n, 1), is_item], dim=1))
    return states[:, 0], states[:, 1:]


def dice(
    x: Float[Tensor, "*S D"], *, mean: Float[Tensor, " D"], variance: Float[Tensor, " D"], slope: Float[Tensor, " D"]
) -> Float[Tensor, "*S D"]:
    """Bend at the mean of the data instead of at 0 (Zhou et al. 2018, which CURec cites for its score).

    Args:
        x: Before the activation.
        mean: Of the batch in training, of the past in use.
        variance: The same.
        slope: Learned; what is left of a value far below the mean.
    """
    share = torch.sigmoid((x - mean) / (variance + 1e-8).sqrt())
    return share * x + (1 - share) * slope * x


def prediction_score(
    user: Float[Tensor, "*S D"],
    item: Float[Tensor, "*S D"],
    matched: Float[Tensor, "*S D"],
    *,
    layers: Sequence[tuple[Float[Tensor, "O H"], Float[Tensor, " O"]]],
    activation: Callable[[Tensor, int], Tensor],
) -> Float[Tensor, "*S"]:
    """Score an item for a user from both and from what its reasons say to the user's pattern.

    Implements CURec Eq. (10).

    The paper's "DIN" gets no history to attend to; ours does (C9), and adds its score to the base's.

    Args:
        user: e_u.
        item: e_i.
        matched: s_ui.
        layers: Weight and bias of each; the last has one output.
        activation: Of the values and the number of the layer, after every layer but the last.
    """
    x = torch.cat([user, item, matched], dim=-1)
    for number, (weight, bias) in enumerate(layers[:-1]):
        x = activation(functional.linear(x, weight, bias), number)
    return functional.linear(x, *layers[-1]).squeeze(-1)


def softmax_loss(scores: Float[Tensor, "B I"], targets: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """Minus the log-probability of the items that were taken, among all items.

    Implements CURec Eq. (11).

    Args:
        scores: Of all items; training may draw some (C10).
        targets: Their columns.

    Returns:
        The sum over the batch, in nats.
    """
    return functional.cross_entropy(scores, targets, reduction="sum")


def reason_rewards(
    scored: Scored,
    reasons: Float[Tensor, "B K D"],
    is_reason: Bool[Tensor, "B K"],
    *,
    new_reasons: Float[Tensor, "B G D"],
) -> Float[Tensor, "B G"]:
    """Score each new reason by what the reward model says once it stands among the item's reasons.

    Implements CURec Eq. (12).

    As printed this rewards whatever raises any item's score; ``difference_reward`` is what correction takes (C5).

    Args:
        scored: The reward model, with the rows' users and items fixed.
        reasons: Of each item so far.
        is_reason: Which cells hold one.
        new_reasons: G candidates for each item, each judged alone.
    """
    columns = [scored(*append_reason(reasons, is_reason, new)) for new in new_reasons.unbind(dim=1)]
    return torch.stack(columns, dim=1)


def difference_reward(
    target_with: Float[Tensor, "B G"],
    target_without: Float[Tensor, " B"],
    *,
    others_with: Float[Tensor, "B G N"],
    others_without: Float[Tensor, "B N"],
) -> Float[Tensor, "B G"]:
    """Reward a reason for raising its own item's score more than it raises those of items it was not written for (C5).

    Args:
        target_with: Scores of the item with each new reason.
        target_without: Its score without.
        others_with: Scores of N other items if the reason stood with them.
        others_without: Their scores without.
    """
    own = target_with - target_without[:, None]
    return own - (others_with - others_without[:, None]).mean(dim=2)


def ascend(
    parameters: Sequence[Float[Tensor, "..."]], gradients: Sequence[Float[Tensor, "..."]], *, learning_rate: float
) -> tuple[Float[Tensor, "..."], ...]:
    """Move parameters one step towards a higher objective.

    Implements CURec Eq. (13).

    The paper subtracts the gradient of an objective that is to be maximised (C7). AdamW takes the steps in training.

    Args:
        parameters: theta_old.
        gradients: Of the objective by each of them.
        learning_rate: alpha.
    """
    return tuple(p + learning_rate * g for p, g in zip(parameters, gradients, strict=True))


def append_reason(
    reasons: Float[Tensor, "B K D"], is_reason: Bool[Tensor, "B K"], new: Float[Tensor, "B D"]
) -> tuple[Float[Tensor, "B K1 D"], Bool[Tensor, "B K1"]]:
    """Put a new reason into an item's list, in front as the most recent.

    Implements CURec Eq. (15).

    Args:
        reasons: The list so far.
        is_reason: Which cells hold one.
        new: The reason to add.

    Returns:
        One column more; cutting the list to K again drops the oldest.
    """
    return torch.cat([new[:, None], reasons], dim=1), torch.cat([is_reason.new_ones(len(new), 1), is_reason], dim=1)
