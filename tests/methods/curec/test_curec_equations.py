"""Every equation of CURec against arithmetic done by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from whyrec.methods.curec import equations


def double(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_eq3_clips_what_is_gained_and_not_what_is_lost() -> None:
    """Ratios 2 and 1/2, clip .2: good ones earn min(2, 1.2) and min(.5, .8); bad ones lose 2 and max(.5, .8).

    Sum: 1.2 + .5 - 2 - .8, over four outputs.
    """
    ratio = math.log(2)
    found = equations.grpo_objective(
        double([[ratio, -ratio], [ratio, -ratio]]),
        torch.zeros(2, 2),
        double([[ratio, -ratio], [ratio, -ratio]]),
        advantages=double([[1, 1], [-1, -1]]),
    )
    assert found.item() == pytest.approx((1.2 + 0.5 - 2 - 0.8) / 4)


def test_eq3_subtracts_the_divergence() -> None:
    """The reference is twice as likely: 2 - 1 - log 2, weighed by .1; advantages of 0 earn nothing."""
    found = equations.grpo_objective(
        torch.zeros(1, 2),
        torch.zeros(1, 2),
        torch.full((1, 2), math.log(2)),
        advantages=torch.zeros(1, 2),
        kl_weight=0.1,
    )
    assert found.item() == pytest.approx(-0.1 * (2 - 1 - math.log(2)))


def test_eq3_on_policy_gradient_is_the_advantage() -> None:
    logp = torch.zeros(1, 4, requires_grad=True)
    advantages = torch.tensor([[1.0, -1, 2, 0]])
    equations.grpo_objective(logp, torch.zeros(1, 4), torch.zeros(1, 4), advantages=advantages).backward()
    assert logp.grad is not None
    assert logp.grad.tolist()[0] == pytest.approx([1 / 4, -1 / 4, 2 / 4, 0])


def test_eq4_advantages_by_hand() -> None:
    """Mean 2, squares 1, 0, 1 over 2: deviation 1."""
    assert equations.group_advantages(double([[1, 2, 3]])).tolist() == [[-1, 0, 1]]


def test_eq4_leaves_out_groups_that_hardly_differ() -> None:
    """The second group's deviation is below .001, whichever way the first is scaled."""
    rewards = double([[0, 4], [1, 1.0001]])
    assert equations.group_advantages(rewards)[1].tolist() == [0, 0]
    assert equations.group_advantages(rewards, scale="none").tolist() == [[-2, 2], [0, 0]]
    batch = equations.group_advantages(rewards, scale="batch")[0]
    spread = math.sqrt((2 * 2**2 + 2 * 0.00005**2) / 4)
    assert batch.tolist() == pytest.approx([-2 / spread, 2 / spread])


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=8), st.floats(-50, 50))
def test_eq4_sums_to_nothing_and_ignores_a_common_reward(rewards: list[float], common: float) -> None:
    found = equations.group_advantages(double([rewards]))
    assert found.sum().item() == pytest.approx(0, abs=1e-6)
    if double(rewards).std() > 0.01:
        moved = equations.group_advantages(double([rewards]) + common)
        assert moved.tolist()[0] == pytest.approx(found.tolist()[0], abs=1e-6)


def test_eq7_projects() -> None:
    """(1 * 2 + 0 * 3 + 5, 1 * 2 + 1 * 3 + 7)."""
    weight, bias = double([[1, 0], [1, 1]]), double([5, 7])
    assert equations.text_embeddings(double([[2, 3]]), weight, bias).tolist() == [[2 + 5, 2 + 3 + 7]]


@pytest.mark.parametrize("n_users", [1, 2])
def test_eq8_attention_by_hand(n_users: int) -> None:
    """One head of two columns. Logits ln 3, 0 and, of the null, ln 2: weights 3/6, 1/6 and 2/6."""
    root = math.sqrt(2)
    keys = double([[[[root * math.log(3), 0], [0, 5], [9, 9]]]])
    values = double([[[[4, 0], [0, 8], [100, 100]]]])
    null = (double([root * math.log(2), 7]), double([1, 1]))
    found, weights = equations.multi_head_attention(
        double([[1, 0]]).expand(n_users, 2),
        keys.expand(n_users, 1, 3, 2),
        values.expand(n_users, 1, 3, 2),
        is_reason=torch.tensor([[[True, True, False]]]),
        n_heads=1,
        null=null,
    )
    for user in range(n_users):
        assert weights[user].flatten().tolist() == pytest.approx([2 / 6, 3 / 6, 1 / 6, 0])
        assert found[user].flatten().tolist() == pytest.approx([3 / 6 * 4 + 2 / 6, 1 / 6 * 8 + 2 / 6])


@pytest.mark.parametrize("is_shared", [True, False])
def test_eq8_is_torch_s_attention_with_heads_side_by_side(is_shared: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    query, keys, values = (torch.randn(shape, generator=generator) for shape in ((3, 8), (1, 5, 4, 8), (1, 5, 4, 8)))
    null_key, null_value = torch.randn(2, 8, generator=generator)
    is_reason = torch.rand(1, 5, 4, generator=generator) < 0.7
    read = [it if is_shared else it.expand(3, *it.shape[1:]) for it in (keys, values, is_reason)]
    found, _ = equations.multi_head_attention(
        query, read[0], read[1], is_reason=read[2], n_heads=2, null=(null_key, null_value)
    )

    def heads(tensor: Tensor) -> Tensor:
        return tensor.expand(3, -1, -1, -1).reshape(15, -1, 2, 4).transpose(1, 2)

    expected = functional.scaled_dot_product_attention(
        query[:, None].expand(-1, 5, -1).reshape(15, 1, 2, 4).transpose(1, 2),
        heads(torch.cat([null_key.expand(1, 5, 1, 8), keys], dim=2)),
        heads(torch.cat([null_value.expand(1, 5, 1, 8), values], dim=2)),
        attn_mask=functional.pad(is_reason, (1, 0), value=True).expand(3, -1, -1).reshape(15, 1, 1, 5),
    )
    torch.testing.assert_close(found.reshape(15, 8), expected.transpose(1, 2).reshape(15, 8))


def test_eq9_the_token_stands_in_front() -> None:
    """A stand-in that adds up what is there: the token's state is the token and all items, 10 + 1 + 2."""

    def total(x: Tensor, is_there: Tensor) -> Tensor:
        return (x * is_there[..., None]).sum(dim=1, keepdim=True).expand_as(x)

    items, is_item = double([[[1], [2], [50]]]), torch.tensor([[True, True, False]])
    user, states = equations.user_embedding(items, is_item, user_token=double([10]), transformer=total)
    assert user.tolist() == [[10 + 1 + 2]]
    assert states.shape == (1, 3, 1)


def test_eq10_by_hand() -> None:
    """Hidden relu(1 + 2 * 2 - 3) = 2 and relu(-1) = 0; then 5 * 2 + 7 * 0 + 1."""
    layers = [(double([[1, 2, -1], [-1, 0, 0]]), double([0, 0])), (double([[5, 7]]), double([1]))]
    score = equations.prediction_score(
        double([1]), double([2]), double([3]), layers=layers, activation=lambda x, _: functional.relu(x)
    )
    assert score.item() == 5 * 2 + 7 * 0 + 1


def test_eq10_dice_bends_at_the_mean() -> None:
    """At the mean half of the value is kept and a half of it sloped: 3 * (1/2 + 1/2 * .2); far above all is kept."""
    found = equations.dice(double([3, 1003]), mean=double(3), variance=double(1), slope=double(0.2))
    assert found.tolist() == pytest.approx([3 * (0.5 + 0.5 * 0.2), 1003])


def test_eq11_by_hand() -> None:
    """exp(ln 6) of 6 + 3 + 1."""
    scores = double([[math.log(6), math.log(3), 0]])
    assert equations.softmax_loss(scores, torch.tensor([0])).item() == pytest.approx(-math.log(6 / 10))


def test_eq12_scores_each_new_reason_alone() -> None:
    """A stand-in that adds up the list: 1 + 2 with each of 10 and 20, the empty cell's 99 left out."""

    def total(reasons: Tensor, is_reason: Tensor) -> Tensor:
        return (reasons[..., 0] * is_reason).sum(dim=1)

    found = equations.reason_rewards(
        total, double([[[1], [2], [99]]]), torch.tensor([[True, True, False]]), new_reasons=double([[[10], [20]]])
    )
    assert found.tolist() == [[1 + 2 + 10, 1 + 2 + 20]]


def test_eq12_difference_pays_nothing_for_what_raises_everything() -> None:
    """The first reason raises target and others by 2; the second the target by 3 and the others by 0 and 1."""
    found = equations.difference_reward(
        double([[5 + 2, 5 + 3]]),
        double([5]),
        others_with=double([[[1 + 2, 2 + 2], [1, 2 + 1]]]),
        others_without=double([[1, 2]]),
    )
    assert found.tolist() == [[2 - 2, 3 - (0 + 1) / 2]]


def test_eq13_goes_up() -> None:
    """Along the gradient of -(x - 3)^2 from 1, which is 4: 1 + .1 * 4, nearer to 3 than before."""
    (moved,) = equations.ascend([double([1])], [double([4])], learning_rate=0.1)
    assert moved.tolist() == pytest.approx([1 + 0.1 * 4])


def test_eq15_the_new_reason_comes_first() -> None:
    reasons, is_reason = equations.append_reason(double([[[1], [0]]]), torch.tensor([[True, False]]), double([[7]]))
    assert reasons.tolist() == [[[7], [1], [0]]]
    assert is_reason.tolist() == [[True, True, False]]
