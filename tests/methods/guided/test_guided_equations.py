"""Every equation of GER against arithmetic done by hand."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from whyrec.errors import InvalidConfigError
from whyrec.evaluation.consistency import consistency_bounds
from whyrec.methods.guided import equations
from whyrec.paper_index import SourceTree, read_papers


def double(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_eq2_base_loss_by_hand() -> None:
    """Products 1 and 0: -log(e / (e + 1)); products 0 and 2: -log(1 / (1 + e^2))."""
    found = equations.base_loss(double([[1, 0], [0, 2]]), double([[1, 0], [0, 1]]), torch.tensor([0, 0]))
    assert found.item() == pytest.approx(math.log(1 + math.exp(-1)) + math.log(1 + math.exp(2)))


def test_eq5_guided_vectors_are_added_to_the_base_scores() -> None:
    """Base scores 0 and 1, products 2 and -1: 2 and 0, of which the first is right."""
    loss = equations.guided_task_loss(
        double([[0, 1]]), double([[2, 1]]), item_guided=double([[1, 0], [0, -1]]), targets=torch.tensor([0])
    )
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)))


def test_eq5_gradients_reach_the_users_scores_in_the_right_direction() -> None:
    user = torch.zeros(1, 2, requires_grad=True)
    items = torch.tensor([[1.0, 0], [-1, 0]])
    equations.guided_task_loss(torch.zeros(1, 2), user, item_guided=items, targets=torch.tensor([0])).backward()
    assert user.grad is not None
    assert user.grad.tolist() == [[-1, 0]]  # (p - 1) * 1 + p * -1 with p = 1/2


def test_eq5_classification_by_hand() -> None:
    """Products 2 and 0, slope 1, offset -1: logits 1 and -1, liked and not, so log(1 + e^-1) twice."""
    found = equations.classification_loss(
        double([[2, 0], [0, 3]]),
        double([[1, 5], [1, 0]]),
        is_liked=torch.tensor([True, False]),
        slope=double(1),
        offset=double(-1),
    )
    assert found.item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_eq6_scores_count_for_nothing() -> None:
    """Two tokens of four likely by 1/2; whatever stands at the score, the mean is log 2."""
    for at_score in (-50.0, 0.0, 50.0):
        logits = double([[[0, 0], [at_score, 0], [0, 0]]])
        mask = torch.tensor([[False, True, False]])
        loss = equations.format_loss(logits, torch.tensor([[0, 0, 1]]), is_score=mask)
        assert loss.item() == pytest.approx(math.log(2))


def test_eq6_is_cross_entropy_where_nothing_is_masked() -> None:
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    template = torch.tensor([[0, 1, 4], [3, 2, 2]])
    found = equations.format_loss(logits, template, is_score=torch.zeros(2, 3, dtype=torch.bool))
    assert found.item() == pytest.approx(functional.cross_entropy(logits.flatten(0, 1), template.flatten()).item())


def test_eq7_weighs_the_form() -> None:
    assert equations.tuning_loss(double(2), double(3), format_weight=0.5).item() == 3.5
    with pytest.raises(InvalidConfigError, match=r"format_weight of at least 0, got -1"):
        equations.tuning_loss(double(2), double(3), format_weight=-1)


def test_eq8_each_aspect_for_itself_and_a_constant_one_to_nothing() -> None:
    """(9 - 5) / 2 * .1 = .2; the second aspect has deviation 0."""
    found = equations.normalised(double([[9, 4], [5, 4]]), double([5, 4]), double([2, 0]), scale=0.1)
    assert found.flatten().tolist() == pytest.approx([0.2, 0, 0, 0])


def test_eq8_scale_of_the_tables_that_the_deviation_names() -> None:
    assert equations.xavier_scale(16_101, 60) == pytest.approx(0.0111, abs=5e-5)
    assert equations.xavier_scale(555, 60) == pytest.approx(0.0570, abs=5e-5)


def test_eq9_weight_is_on_the_guided_columns_alone() -> None:
    assert equations.refined(double([[1, 2]]), double([[3]]), weight=2).tolist() == [[1, 2, 6]]


def test_eq10_is_eq2_of_refined_vectors_and_leaves_the_guided_ones_alone() -> None:
    """Base product 1, guided product 1 * 2 times 2^2: logits 9 and 0."""
    base = [double([[1]]).requires_grad_() for _ in range(2)]
    guided = [double([[1]]).requires_grad_(), double([[2], [0]]).requires_grad_()]
    items = torch.cat([base[1], double([[0]])])
    loss = equations.refined_loss((base[0], guided[0]), (items, guided[1]), targets=torch.tensor([0]), weight=2)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-9)))
    loss.backward()
    assert all(it.grad is not None for it in base)
    assert all(it.grad is None for it in guided)


def test_published_rows_keep_the_bounds_of_their_metrics() -> None:
    (paper,) = [it for it in read_papers(SourceTree.installed()) if it.key == "GER"]
    assert len(paper.published) == 3 * 4 * 2 + 2
    for row in paper.published:
        hits = {metric.replace("Recall", "HR"): value for metric, value in row.values.items()}
        kept = all(bound.is_kept for bound in consistency_bounds(hits, rounding=row.rounding))
        assert kept == row.possible, f"{row.table}, {row.data}, {row.method}"
        assert hits["HR@1"] <= row.values["MRR"] + row.rounding
