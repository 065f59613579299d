"""Every equation of TRAIL against arithmetic done by hand."""

import math

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from whyrec.errors import InvalidDataError
from whyrec.methods.trail import equations


def double(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def groups_of_three(embeddings: Tensor) -> Tensor:
    """Rows 0-2 are each other's positives, so are 3-5 and 6-8."""
    group = torch.arange(len(embeddings)) // 3
    return group[:, None] == group


def test_eq1_costs_are_absolute_differences() -> None:
    """|1 - 4|, |1 - 0| and |3 - 4|, |3 - 0|."""
    found = equations.local_costs(double([1, 3]), double([4, 0]))
    assert found.tolist() == [[3, 1], [1, 3]]


def test_eq2_cumulative_costs_by_hand() -> None:
    """1, 3 against 1, 2, 3: costs 0 1 2 / 2 1 0.

    First row 0, 0 + 1, 1 + 2; first column 0, 0 + 2. Then 1 + min(1, 2, 0) = 1 and 0 + min(3, 1, 1) = 1.
    """
    found = equations.cumulative_costs(equations.local_costs(double([1, 3]), double([1, 2, 3])))
    assert found.tolist() == [[0, 1, 3], [2, 1, 1]]


def test_eq2_leaves_out_what_costs_infinity() -> None:
    """Off the diagonal nothing is allowed: 2 + 5."""
    inf = math.inf
    assert equations.cumulative_costs(double([[2, inf], [inf, 5]])).tolist() == [[2, inf], [inf, 7]]


def cheapest_path(costs: list[list[float]], i: int, j: int) -> float:
    """All paths, one by one."""
    if i == 0 and j == 0:
        return costs[0][0]
    steps = [(i - 1, j), (i, j - 1), (i - 1, j - 1)]
    return costs[i][j] + min(cheapest_path(costs, a, b) for a, b in steps if a >= 0 and b >= 0)


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=5),
    st.lists(st.integers(0, 9), min_size=1, max_size=5),
)
def test_eq2_is_the_cheapest_of_all_paths(first: list[int], second: list[int]) -> None:
    costs = equations.local_costs(double(first), double(second))
    expected = cheapest_path(costs.tolist(), len(first) - 1, len(second) - 1)
    assert equations.cumulative_costs(costs)[-1, -1].item() == expected


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_eq2_of_nothing_is_nothing(shape: tuple[int, int]) -> None:
    assert equations.cumulative_costs(torch.zeros(shape)).shape == shape


def test_eq3_falls_from_one_to_zero() -> None:
    assert equations.trend_similarity(double([0, 1, 3, math.inf])).tolist() == [1, 1 / 2, 1 / 4, 0]


def test_eq4_change_rate_and_its_gap_at_zero() -> None:
    rates = equations.change_rate(double([6, 3, 5, 0]), double([4, 6, 0, 0]))
    assert rates[:3].tolist() == [2 / 4, -3 / 6, math.inf]
    assert rates[3].isnan()
    logs = equations.log_change(double([5, 0]), double([0, 0]))
    assert logs.tolist() == pytest.approx([math.log(6), 0])


def test_eq4_latest_similarity_by_hand() -> None:
    """(0.5 - -0.5)^2 / (2 * 0.5^2) = 2; equal rates give 1."""
    found = equations.latest_similarity(double([0.5, 0.3]), double([-0.5, 0.3]), sigma=0.5)
    assert found.tolist() == pytest.approx([math.exp(-2), 1])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [((5, 0), (6, 0), 0.954), ((2, 1), (3, 2), 0.973), ((0, 5), (0, 50), 0.0001), ((3, 4), (1, 2), 0.936)],
)
def test_eq4_on_log_changes_has_no_jump(first: tuple[int, int], second: tuple[int, int], expected: float) -> None:
    """With shares of the window before, 5 after 0 and 6 after 0 had nothing in common."""
    changes = [equations.log_change(double(now), double(before)) for now, before in (first, second)]
    assert equations.latest_similarity(*changes, sigma=0.5).item() == pytest.approx(expected, abs=6e-4)


def test_eq5_cosine_by_hand() -> None:
    """(3 * 4 + 4 * 3) / (5 * 5); lengths do not matter."""
    found = equations.metadata_similarity(double([[3, 4], [3, 4]]), double([[4, 3], [-6, -8]]))
    assert found.tolist() == pytest.approx([24 / 25, -1])


def test_eq6_weighs_the_terms() -> None:
    """.4 * .5 + .2 * 1 + .4 * .25."""
    found = equations.total_similarity(double(0.5), double(1), double(0.25))
    assert found.item() == pytest.approx(0.4 * 0.5 + 0.2 * 1 + 0.4 * 0.25)


def test_eq6_shares_out_the_weight_of_what_is_undefined() -> None:
    """Without a trend: (.2 * 1 + .4 * .25) / (.2 + .4); with the text alone, the text; with nothing, NaN."""
    nan = math.nan
    trend, latest, text = double([nan, nan, nan, 0.5]), double([1, nan, nan, nan]), double([0.25, 0.25, nan, 0.25])
    found = equations.total_similarity(trend, latest, text).tolist()
    assert found[0] == pytest.approx((0.2 * 1 + 0.4 * 0.25) / (0.2 + 0.4))
    assert found[1] == pytest.approx(0.25)
    assert math.isnan(found[2])
    assert found[3] == pytest.approx((0.4 * 0.5 + 0.4 * 0.25) / (0.4 + 0.4))
    assert equations.total_similarity(None, None, double([0.25])).tolist() == pytest.approx([0.25])
    with pytest.raises(InvalidDataError, match="got None three times"):
        equations.total_similarity(None, None, None)


def test_eq7_projection_by_hand() -> None:
    """Hidden units relu(1 - 2 + 0) = 0, relu(2 + 1) = 3, relu(1 + 2 + 1) = 4; the mask drops one and doubles the rest.

    W2 gives 8 and -8: mean 0, standard deviation 8, so 1 and -1 but for the epsilon of the normalisation.
    """
    found = equations.projection_head(
        double([[1, 2]]),
        first_weight=double([[1, -1], [2, 0], [1, 1]]),
        first_bias=double([0, 1, 1]),
        second_weight=double([[1, 1, 1], [0, 0, -1]]),
        dropout_mask=double([[2, 0, 2]]),
    )
    assert found.tolist()[0] == pytest.approx([8 / math.sqrt(64 + 1e-5), -8 / math.sqrt(64 + 1e-5)])


def test_eq7_without_mask_keeps_every_unit_and_the_norm_has_its_own_weights() -> None:
    """Units 0, 3, 4 give 7 and -4: mean 1.5, deviation 5.5."""
    found = equations.projection_head(
        double([[1, 2]]),
        first_weight=double([[1, -1], [2, 0], [1, 1]]),
        first_bias=double([0, 1, 1]),
        second_weight=double([[1, 1, 1], [0, 0, -1]]),
        norm_scale=double([10, 100]),
        norm_shift=double([1, 2]),
    )
    unit = 5.5 / math.sqrt(5.5**2 + 1e-5)
    assert found.tolist()[0] == pytest.approx([1 + 10 * unit, 2 - 100 * unit])


def test_eq8_of_orthogonal_vectors_is_the_share_of_positives() -> None:
    """All cosines are 0: 2 positives among 8 others. With the sample itself, at cosine 1, it would be above 9."""
    vectors = torch.eye(9, dtype=torch.float64)
    found = equations.info_nce(vectors, groups_of_three(vectors)).item()
    assert found == pytest.approx(math.log(8 / 2))
    assert math.log((math.exp(1 / 0.1) + 8) / 2) > 9


def test_eq8_of_perfect_positives_is_near_zero() -> None:
    """Positives at cosine 1, six negatives at 0: log(1 + 6 / (2 e^10)); with itself it could not fall below log 1.5."""
    vectors = torch.eye(3, dtype=torch.float64).repeat_interleave(3, dim=0)
    found = equations.info_nce(vectors, groups_of_three(vectors)).item()
    assert found == pytest.approx(math.log1p(6 / (2 * math.exp(10))))
    assert found < 2e-4 < math.log(1.5)


def test_eq8_of_random_vectors() -> None:
    """Eight random directions of 256 with two positives each: about log(7 / 2) = 1.25, and never near 9."""
    torch.manual_seed(0)
    group = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])
    found = [equations.info_nce(torch.randn(8, 256), group[:, None] == group).item() for _ in range(50)]
    assert sum(found) / 50 == pytest.approx(1.3, abs=0.2)


def small_batch() -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    vectors = torch.randn(6, 4, dtype=torch.float64)
    return vectors, groups_of_three(vectors)


def test_eq8_by_hand() -> None:
    vectors, is_positive = small_batch()
    expected = []
    for i in range(6):
        scores = [math.exp(functional.cosine_similarity(vectors[i], vectors[j], dim=0).item() / 0.3) for j in range(6)]
        right = sum(scores[j] for j in range(6) if j != i and is_positive[i, j])
        expected.append(-math.log(right / sum(scores[j] for j in range(6) if j != i)))
    found = equations.info_nce(vectors, is_positive, temperature=0.3)
    assert found.item() == pytest.approx(sum(expected) / 6)
    assert found.item() != pytest.approx(equations.info_nce(vectors, is_positive, temperature=0.1).item(), rel=0.05)


def test_eq8_mean_of_logs_by_hand() -> None:
    """Cosines of sample 0 to its positives 1 and .6, to a negative 0: mean of the two negative log shares."""
    vectors = double([[1, 0, 0], [1, 0, 0], [0.6, 0.8, 0], [0, 0, 1]])
    is_positive = torch.zeros(4, 4, dtype=torch.bool)
    is_positive[0, [1, 2]] = True
    total = math.exp(1) + math.exp(0.6) + math.exp(0)
    found = equations.info_nce(vectors, is_positive, temperature=1.0, mean_of_logs=True).item()
    assert found == pytest.approx(-(math.log(math.exp(1) / total) + math.log(math.exp(0.6) / total)) / 2)
    summed = equations.info_nce(vectors, is_positive, temperature=1.0).item()
    assert summed == pytest.approx(-math.log((math.exp(1) + math.exp(0.6)) / total))


def test_eq8_leaves_out_what_is_neither_positive_nor_negative() -> None:
    """A near-duplicate at cosine 1 that is dropped from the negatives: the loss is that of the batch without it."""
    vectors, is_positive = small_batch()
    more = torch.cat([vectors, vectors[:1]])
    wider = torch.zeros(7, 7, dtype=torch.bool)
    wider[:6, :6] = is_positive
    is_negative = torch.ones(7, 7, dtype=torch.bool)
    is_negative[:, 6] = False
    found = equations.info_nce(more, wider, is_negative=is_negative)
    assert found.item() == pytest.approx(equations.info_nce(vectors, is_positive).item())
    assert equations.info_nce(more, wider).item() > found.item() + 0.01


def test_eq8_does_not_look_at_the_diagonal() -> None:
    vectors, is_positive = small_batch()
    without = is_positive & ~torch.eye(6, dtype=torch.bool)
    assert equations.info_nce(vectors, is_positive).equal(equations.info_nce(vectors, without))


def test_eq8_falls_along_its_gradient_and_towards_positives() -> None:
    vectors, is_positive = small_batch()
    vectors.requires_grad_()
    before = equations.info_nce(vectors, is_positive)
    before.backward()
    assert vectors.grad is not None
    assert equations.info_nce(vectors - 0.01 * vectors.grad, is_positive) < before
    aligned = vectors.detach().reshape(2, 3, 4).mean(dim=1).repeat_interleave(3, dim=0)
    assert equations.info_nce(aligned, is_positive) < before


def test_eq8_gradient_is_that_of_finite_differences() -> None:
    vectors, is_positive = small_batch()
    for mean_of_logs in (False, True):
        assert torch.autograd.gradcheck(
            lambda rows, mean=mean_of_logs: equations.info_nce(rows, is_positive, mean_of_logs=mean),
            vectors.clone().requires_grad_(),
        )


def test_eq8_skips_samples_without_a_positive() -> None:
    vectors, _ = small_batch()
    one_pair = torch.zeros(6, 6, dtype=torch.bool)
    assert equations.info_nce(vectors.requires_grad_(), one_pair).item() == 0
    equations.info_nce(vectors, one_pair).backward()
    one_pair[0, 1] = True
    unit = functional.normalize(vectors, dim=1)
    scores = (unit[0] @ unit.T / 0.1).tolist()[1:]
    expected = -math.log(math.exp(scores[0]) / sum(math.exp(score) for score in scores))
    assert equations.info_nce(vectors, one_pair).item() == pytest.approx(expected)


def test_eq8_as_printed_has_an_inert_temperature() -> None:
    vectors, is_positive = small_batch()
    printed = [equations.info_nce_as_printed(vectors, is_positive, temperature=t).item() for t in (0.01, 0.1, 1, 10)]
    assert printed == pytest.approx([printed[0]] * 4)
    unit = functional.normalize(vectors, dim=1)
    inside = equations.info_nce(unit, is_positive, temperature=1.0).item()
    assert equations.info_nce_as_printed(unit, is_positive, temperature=0.1).item() == pytest.approx(inside)
    assert equations.info_nce(unit, is_positive, temperature=0.1).item() != pytest.approx(inside, rel=0.05)


def test_eq9_by_hand() -> None:
    """Token 1 is predicted at position 0 with softmax(0, log 3) -> 3/4; token 0 at position 1 with 1/2, at a tenth."""
    logits = double([[[0, math.log(3)], [0, 0], [50, -50]]])
    found = equations.supervised_loss(logits, torch.tensor([[7, 1, 0]]), double([[1, 1, 0.1]]))
    assert found.item() == pytest.approx((-math.log(3 / 4) - 0.1 * math.log(1 / 2)) / 1.1)


def test_eq9_equals_the_loss_of_a_causal_model() -> None:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        initializer_range=0.5,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    ids = torch.randint(50, (3, 11))
    labels = ids.clone()
    labels[:, :4] = -100
    labels[1, 8:] = -100
    with torch.no_grad():
        answer = model(input_ids=ids, labels=labels)
    weights = (labels != -100).float()
    found = equations.supervised_loss(answer.logits, labels, weights)
    torch.testing.assert_close(found, answer.loss)
    unshifted = functional.cross_entropy(answer.logits.flatten(0, 1), labels.flatten())
    assert abs(unshifted - found) > 0.01


def test_eq9_does_not_look_where_the_weight_is_zero() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(1, 4, 5), torch.tensor([[3, 1, 2, 4]])
    weights = torch.tensor([[0, 0, 1, 0.5]])
    expected = equations.supervised_loss(logits, labels, weights)
    logits[0, 0], labels[0, 1] = math.nan, -100
    assert equations.supervised_loss(logits, labels, weights).equal(expected)


def test_eq9_refuses_a_batch_without_targets() -> None:
    """A weight on the first token alone counts for nothing: nothing predicts it."""
    with pytest.raises(InvalidDataError, match="got none"):
        equations.supervised_loss(torch.zeros(1, 2, 3), torch.zeros(1, 2, dtype=torch.long), torch.tensor([[1.0, 0]]))


def test_eq9_adds_up_half_precision_in_full() -> None:
    """300 tokens of log 2 each: half precision would stop counting at 256."""
    logits = torch.zeros(1, 301, 2, dtype=torch.bfloat16)
    found = equations.supervised_loss(logits, torch.zeros(1, 301, dtype=torch.long), torch.ones(1, 301))
    assert found.item() == pytest.approx(math.log(2), rel=1e-6)


def test_eq10_adds_the_weighted_losses() -> None:
    assert equations.total_loss(double(2), double(5), contrastive_weight=0.3).item() == pytest.approx(2 + 0.3 * 5)


def test_eq10_schedule_rises_in_a_line_and_falls_along_a_cosine() -> None:
    """Of 200 steps the first 10 rise from .2 to .8; half of the remaining 190 later it is back at their mean."""
    weights = [equations.scheduled_weight(step, 200) for step in range(201)]
    assert weights[0] == pytest.approx(0.2)
    assert weights[5] == pytest.approx(0.5)
    assert weights[10] == pytest.approx(0.8)
    assert weights[10 + 95] == pytest.approx(0.5)
    assert weights[200] == pytest.approx(0.2)
    assert max(weights) == weights[10]
    assert equations.scheduled_weight(300, 200) == pytest.approx(0.2)
