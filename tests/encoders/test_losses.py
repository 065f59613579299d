"""Each loss against arithmetic done by hand, gradients by finite differences, and slices against the whole."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from whyrec.encoders import losses
from whyrec.encoders.slices import in_slices
from whyrec.encoders.softmax import full_softmax, reference_softmax


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def double(values: list[object]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


POSITIVE = double([1.0, -0.5])
NEGATIVES = double([[0.5, 2.0], [-1.0, 0.0]])


@pytest.mark.parametrize("has_bias", [True, False])
def test_full_softmax_equals_cross_entropy_with_its_gradients(has_bias: bool) -> None:
    torch.manual_seed(0)
    tensors = [torch.randn(300, 8), torch.randn(50, 8), torch.randn(50)]
    targets = torch.randint(50, (300,))
    found, expected = [], []
    for results, loss in ((found, partial(full_softmax, rows=7)), (expected, reference_softmax)):
        leaves = [tensor.clone().requires_grad_() for tensor in tensors]
        value = loss(leaves[0], leaves[1], targets, bias=leaves[2] if has_bias else None)
        (3 * value).backward()
        results += [value, *(leaf.grad for leaf in leaves[: 2 + has_bias])]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_sampled_softmax_lowers_scores_by_how_likely_they_are_drawn() -> None:
    """Row 1: right item 1 - log .5, others .5 - log .25 and 2 - log .25; row 2 the same with its own scores."""
    expected = 0.0
    for right, others in ((1.0, (0.5, 2.0)), (-0.5, (-1.0, 0.0))):
        weights = [math.exp(right) / 0.5, *(math.exp(other) / 0.25 for other in others)]
        expected -= math.log(weights[0] / sum(weights))
    found = losses.sampled_softmax(
        POSITIVE, NEGATIVES, positive_logp=double([0.5, 0.5]).log(), negative_logp=double([0.25, 0.25]).log()
    )
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_sampled_softmax_over_the_whole_catalogue_is_the_full_one() -> None:
    """With each item drawn once, and hits hidden, the sample is the catalogue; equal chances cancel."""
    torch.manual_seed(1)
    scores, targets, drawn = torch.randn(5, 9), torch.randint(9, (5,)), torch.arange(9)
    same = torch.full((9,), -2.0)
    found = losses.sampled_softmax(
        scores.gather(1, targets[:, None])[:, 0],
        losses.without_hits(scores, targets, drawn),
        positive_logp=same[:5],
        negative_logp=same,
    )
    torch.testing.assert_close(found, torch.nn.functional.cross_entropy(scores, targets, reduction="sum"))


def test_binary_cross_entropy_by_hand() -> None:
    expected = -(
        math.log(sigmoid(1.0)) + math.log(1 - sigmoid(0.5)) + math.log(1 - sigmoid(2.0))
        + math.log(sigmoid(-0.5)) + math.log(1 - sigmoid(-1.0)) + math.log(1 - sigmoid(0.0))
    ) / 3  # fmt: skip
    assert losses.bce(POSITIVE, NEGATIVES).item() == pytest.approx(expected, rel=1e-12)


def test_gbce_raises_the_right_probability_to_its_power() -> None:
    expected = -(
        math.log(sigmoid(1.0) ** 0.3) + math.log(1 - sigmoid(0.5)) + math.log(1 - sigmoid(2.0))
        + math.log(sigmoid(-0.5) ** 0.3) + math.log(1 - sigmoid(-1.0)) + math.log(1 - sigmoid(0.0))
    ) / 3  # fmt: skip
    assert losses.gbce(POSITIVE, NEGATIVES, beta=0.3).item() == pytest.approx(expected, rel=1e-12)


def test_beta_goes_from_one_to_the_sampling_rate() -> None:
    """t = .75, alpha = .1: .1 * (.75 * (1 - 10) + 10) = .325."""
    assert losses.gbce_beta(calibration=0.75, sampling_rate=0.1) == pytest.approx(0.325)
    assert losses.gbce_beta(calibration=0.0, sampling_rate=0.1) == pytest.approx(1.0)
    assert losses.gbce_beta(calibration=1.0, sampling_rate=0.1) == pytest.approx(0.1)


def test_bpr_by_hand() -> None:
    pairs = [[1.0 - 0.5, 1.0 - 2.0], [-0.5 + 1.0, -0.5 - 0.0]]
    expected = -sum(math.log(sigmoid(pair)) for row in pairs for pair in row) / 2
    assert losses.bpr(POSITIVE, NEGATIVES).item() == pytest.approx(expected, rel=1e-12)


def by_hand_max(kind: str, score_weight: float) -> float:
    total = 0.0
    for right, others in zip(POSITIVE.tolist(), NEGATIVES.tolist(), strict=True):
        z = sum(math.exp(other) for other in others)
        shares = [math.exp(other) / z for other in others]
        pairs = list(zip(shares, others, strict=True))
        if kind == "bpr":
            total -= math.log(sum(share * sigmoid(right - other) for share, other in pairs) + 1e-24)
            total += score_weight * sum(share * other**2 for share, other in pairs)
        else:
            total += sum(share * (sigmoid(other - right) + sigmoid(other**2)) for share, other in pairs)
    return total


def test_bpr_max_by_hand() -> None:
    found = losses.bpr_max(POSITIVE, NEGATIVES, score_weight=0.7)
    assert found.item() == pytest.approx(by_hand_max("bpr", 0.7), rel=1e-12)


def test_top1_max_by_hand() -> None:
    assert losses.top1_max(POSITIVE, NEGATIVES).item() == pytest.approx(by_hand_max("top1", 0), rel=1e-12)


LOSSES = {
    "bce": losses.bce,
    "gbce": partial(losses.gbce, beta=0.4),
    "bpr": losses.bpr,
    "bpr_max": partial(losses.bpr_max, score_weight=0.5),
    "top1_max": losses.top1_max,
    "sampled_softmax": partial(
        losses.sampled_softmax, positive_logp=double([-1.0, -2.0]), negative_logp=double([-3.0, -1.0])
    ),
}


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    inputs = (POSITIVE.clone().requires_grad_(), NEGATIVES.clone().requires_grad_())
    assert torch.autograd.gradcheck(LOSSES[name], inputs)


@pytest.mark.parametrize("name", ["bpr_max", "top1_max", "sampled_softmax"])
def test_a_hit_counts_for_nothing(name: str) -> None:
    """A third draw that is the right item of both rows changes neither value nor gradient."""
    options = {"positive_logp": double([-1.0, -2.0])} if name == "sampled_softmax" else {}
    more = {"bpr_max": {"score_weight": 0.5}}.get(name, {})
    loss = partial(getattr(losses, name), **options, **more)
    for row, with_hit in ((NEGATIVES, False), (torch.cat([NEGATIVES, double([[7.0], [8.0]])], dim=1), True)):
        scores = row.clone().requires_grad_()
        hidden = losses.without_hits(scores, torch.tensor([4, 4]), torch.tensor([1, 2, 4][: row.shape[1]]))
        logp = {"negative_logp": double([-3.0, -1.0, -2.0][: row.shape[1]])} if name == "sampled_softmax" else {}
        value = loss(POSITIVE, hidden, **logp)
        value.backward()
        if not with_hit:
            expected = (value.detach(), scores.grad)
    assert scores.grad is not None
    torch.testing.assert_close(value.detach(), expected[0])
    torch.testing.assert_close(scores.grad[:, :2], expected[1])
    assert scores.grad[:, 2].tolist() == [0.0, 0.0]


def test_nothing_but_hits_is_finite() -> None:
    hidden = losses.without_hits(NEGATIVES, torch.tensor([4, 4]), torch.tensor([4, 4]))
    assert losses.top1_max(POSITIVE, hidden).item() == 0
    assert losses.bpr_max(POSITIVE, hidden, score_weight=1.0).isfinite()


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_a_loss_in_slices_is_the_loss(rows: int) -> None:
    torch.manual_seed(2)
    tensors = [torch.randn(10, 4), torch.randn(10), torch.randn(6, 4)]
    targets = torch.from_numpy(np.arange(10) % 3)

    def loss(states: Tensor, positive: Tensor, target: Tensor, items: Tensor) -> Tensor:
        return losses.bpr_max(positive, states @ items.T + target[:, None], score_weight=0.3)

    results = []
    for is_sliced in (True, False):
        states, positive, items = (tensor.clone().requires_grad_() for tensor in tensors)
        by_position = (states, positive, targets)
        value = in_slices(loss, by_position, (items,), rows=rows) if is_sliced else loss(*by_position, items)
        (2 * value).backward()
        results.append([value, states.grad, positive.grad, items.grad])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
