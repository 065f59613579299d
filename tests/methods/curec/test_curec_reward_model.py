"""The reward model: what it starts from, what it reads, and what must not matter."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from reward_world import BASE, N_ITEMS, encoder, model
from torch import Tensor, nn
from torch.nn import functional

from whyrec.data.sequences import Sequences
from whyrec.encoders.objectives import FullSoftmaxLoss
from whyrec.encoders.sequences import Rectangle, rectangle
from whyrec.errors import InvalidConfigError
from whyrec.methods.curec.config import RewardModelConfig
from whyrec.methods.curec.equations import prediction_score
from whyrec.methods.curec.matching import AttentionMatching, PooledMatching, SelfAttentionMatching
from whyrec.methods.curec.reward_model import ItemSide, RewardModel, UserSide
from whyrec.methods.curec.tower import Dice, UnitInterest
from whyrec.methods.curec.user_token import PrefixItems, UserTokenEncoder

VARIANTS = ("full", "text", "ap", "mlp", "sa", "none")
KINDS = ({"faithful_mlp": True}, {"interest": "unit"}, *({"variant": name} for name in VARIANTS))
TOKEN = BASE.model_copy(update={"user_state": "token"})


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def users(made: RewardModel, n: int = 3) -> UserSide:
    dim = made.encoder.output_table().shape[1]
    is_item = torch.arange(5) < torch.arange(1, n + 1)[:, None]
    return UserSide(draw(n, dim, seed=1), draw(n, 5, dim, seed=2), is_item, draw(n, dim, seed=3))


def candidates(made: RewardModel, rows: Tensor, *, n_reasons: int = 4, seed: int = 4) -> ItemSide:
    if made.matching is None:
        return made.items(rows)
    is_reason = torch.arange(n_reasons) < (rows % (n_reasons + 1))[..., None]
    return made.items(rows, made.project(draw(*rows.shape, n_reasons, 8, seed=seed)), is_reason)


def opened(**settings: object) -> RewardModel:
    """With its gate open, as after training."""
    made = model(**settings)
    with torch.no_grad():
        made.gate.fill_(1.0)
    return made.eval()


@pytest.mark.parametrize("settings", KINDS)
def test_it_starts_as_its_base_exactly_and_learns_from_the_first_step(settings: dict[str, object]) -> None:
    made = model(**settings)
    rows = torch.arange(N_ITEMS)[None]
    side = candidates(made, rows)
    scores = made(users(made), side)
    assert torch.equal(scores, torch.einsum("bd,bmd->bm", users(made).state, side.vectors))
    scores[:, 0].sum().backward()
    assert made.gate.grad is not None
    assert made.gate.grad.abs() > 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_shared_candidates_score_as_own_ones_do(variant: str) -> None:
    made = opened(variant=variant)
    rows = torch.arange(N_ITEMS)[None]
    shared = candidates(made, rows)
    own = ItemSide(
        *(
            None if part is None else part.expand(3, *part.shape[1:])
            for part in (shared.vectors, shared.projected, shared.is_reason)
        )
    )
    torch.testing.assert_close(made(users(made), shared), made(users(made), own))


@pytest.mark.parametrize("variant", VARIANTS)
def test_lists_may_come_apart(variant: str) -> None:
    made = opened(variant=variant)
    first, second = torch.tensor([[2, 5]]), torch.tensor([[7]])
    sides = [candidates(made, first), candidates(made, second)]
    expected = torch.cat([made(users(made), side) for side in sides], dim=1)
    torch.testing.assert_close(made(users(made), *sides), expected)


@pytest.mark.parametrize("variant", ["full", "ap", "mlp", "sa"])
@given(seed=st.integers(0, 99))
@hypothesis_settings(max_examples=20)
def test_neither_empty_cells_nor_the_order_of_reasons_matter(variant: str, seed: int) -> None:
    made = opened(variant=variant)
    vectors, is_reason = draw(1, 6, 4, 8, seed=seed), draw(1, 6, 4, seed=seed + 1) > 0
    rows = torch.arange(6)[None]
    scores = made(users(made), made.items(rows, made.project(vectors), is_reason))
    other = torch.where(is_reason[..., None], vectors, 1e3)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    again = made(users(made), made.items(rows, made.project(other[:, :, order]), is_reason[:, :, order]))
    torch.testing.assert_close(again, scores, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("variant", ["full", "text", "ap", "mlp", "sa"])
def test_reasons_matter_once_the_gate_is_open(variant: str) -> None:
    made = opened(variant=variant)
    rows = torch.tensor([[4, 9]])  # 4 and 4 reasons
    first, second = (made(users(made), candidates(made, rows, seed=seed)) for seed in (4, 5))
    assert (first - second).abs().max() > 1e-3


@pytest.mark.parametrize("variant", ["full", "ap", "mlp", "sa"])
def test_an_item_without_reasons_has_a_score(variant: str) -> None:
    made = opened(variant=variant)
    nothing = made.items(torch.tensor([[3]]), made.project(torch.zeros(1, 1, 4, 8)), torch.zeros(1, 1, 4).bool())
    assert made(users(made), nothing).isfinite().all()


def test_attention_is_torch_s_with_a_learned_key_and_value_beside() -> None:
    unit = AttentionMatching(8, n_heads=2)
    pattern, reasons = draw(3, 8), draw(1, 5, 4, 8, seed=1)
    is_reason = draw(1, 5, 4, seed=2) > 0
    theirs = nn.MultiheadAttention(8, 2, batch_first=True, add_bias_kv=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([unit.query.weight, unit.key_value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([unit.query.bias, unit.key_value.bias]))
        theirs.out_proj.load_state_dict(unit.found.state_dict())
        theirs.bias_k.copy_(unit.null[:8])
        theirs.bias_v.copy_(unit.null[8:])
    found = unit(pattern, unit.project(reasons), is_reason)
    read = reasons.expand(3, -1, -1, -1).flatten(0, 1)
    asked = pattern[:, None].expand(-1, 5, -1).reshape(15, 1, 8)
    is_empty = ~is_reason.expand(3, -1, -1).flatten(0, 1)
    expected, _ = theirs(asked, read, read, key_padding_mask=is_empty)
    torch.testing.assert_close(found.reshape(15, 8), expected[:, 0])


def test_attention_weights_sum_to_one_and_fall_on_the_null_where_nothing_is_said() -> None:
    made = opened(variant="full")
    side = candidates(made, torch.tensor([[0, 2]]))  # no reason, two of them
    weights = made.attention(users(made), side)
    assert weights.shape == (3, 2, 1 + 4)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, 2))
    torch.testing.assert_close(weights[:, 0, 0], torch.ones(3))
    assert weights[:, 1, 3:].abs().max() == 0
    with pytest.raises(InvalidConfigError, match="variant 'full', got 'ap'"):
        opened(variant="ap").attention(users(made), side)


def test_a_reason_that_speaks_to_the_pattern_is_looked_at() -> None:
    unit = AttentionMatching(8, n_heads=1)
    with torch.no_grad():
        unit.query.weight.copy_(torch.eye(8))
        unit.query.bias.zero_()
        unit.key_value.weight[:8] = torch.eye(8)
    likes = functional.one_hot(torch.tensor([2]), 8).float() * 10
    reasons = functional.one_hot(torch.tensor([[[5, 2, 1]]]), 8).float()
    weights = unit.weights(likes, unit.project(reasons), torch.ones(1, 1, 3).bool())
    assert weights[0, 0, 0].argmax() == 2  # behind the null and the first reason


def test_pooling_is_a_mean() -> None:
    """(1 + 3) / 2 of the two that are there; nothing there is the null."""
    unit = PooledMatching(2)
    reasons = torch.tensor([[[[1.0, 0], [3, 4], [90, 90]], [[7, 7], [7, 7], [7, 7]]]])
    is_reason = torch.tensor([[[True, True, False], [False, False, False]]])
    found = unit(draw(1, 2), unit.project(reasons), is_reason)
    assert found[0, 0].tolist() == [(1 + 3) / 2, (0 + 4) / 2]
    assert torch.equal(found[0, 1], unit.null)


def test_self_attention_among_one_reason_is_its_value() -> None:
    unit = SelfAttentionMatching(8, n_heads=2)
    reason = draw(1, 1, 1, 8)
    value = functional.linear(reason, unit.query_key_value.weight[16:], unit.query_key_value.bias[16:])
    found = unit(draw(1, 8), unit.project(reason), torch.ones(1, 1, 1).bool())
    torch.testing.assert_close(found, unit.attended(value)[:, :, 0])


def test_the_faithful_network_is_the_paper_s_on_three_vectors() -> None:
    """CURec Eq. (10): the layer that is applied to each vector by itself equals one on all three side by side."""
    made = opened(faithful_mlp=True)
    side, asked = candidates(made, torch.tensor([[4, 9]])), users(made)
    match = made.matching(asked.pattern, side.projected, side.is_reason)
    tower = made.tower
    first = torch.cat([tower.first[name].weight for name in ("user", "item", "match")], dim=1)
    assert set(tower.first) == {"user", "item", "match"}
    layers = [(first, tower.bias), (tower.second.weight, tower.second.bias), (tower.last.weight, tower.last.bias)]
    expected = prediction_score(
        asked.state[:, None].expand(-1, 2, -1),
        side.vectors.expand(3, -1, -1),
        match,
        layers=layers,
        activation=lambda x, number: tower.activations[number](x),
    )
    base = torch.einsum("bd,bmd->bm", asked.state, side.vectors)
    torch.testing.assert_close(made(asked, side) - base, expected)


@pytest.mark.parametrize("interest", ["product", "unit"])
def test_what_stands_behind_a_history_does_not_matter(interest: str) -> None:
    made = opened(interest=interest)
    asked = users(made)
    other = replace(asked, history=torch.where(asked.is_item[..., None], asked.history, 50.0))
    side = candidates(made, torch.arange(6)[None])
    torch.testing.assert_close(made(other, side), made(asked, side))
    changed = replace(asked, history=asked.history + 1)
    assert (made(changed, side) - made(asked, side)).abs().max() > 1e-4


def test_din_s_unit_by_hand() -> None:
    """With the network's last layer at 2 everywhere, both items of the history count twice, the third not at all."""
    unit = UnitInterest(1, hidden=(2, 2))
    with torch.no_grad():
        unit.weight.weight.zero_()
        unit.weight.bias.fill_(2.0)
    history = torch.tensor([[[3.0], [4.0], [100.0]]])
    found = unit(torch.ones(1, 1, 1), history, torch.tensor([[True, True, False]]))
    assert found.item() == 2 * 3 + 2 * 4


def test_dice_takes_the_batch_in_training_and_the_past_in_use() -> None:
    """Both values lie one deviation off the mean 2: share sigmoid(-1) and sigmoid(1)."""
    unit = Dice(1, momentum=0.5)
    low, high = unit(torch.tensor([[1.0], [3.0]])).flatten().tolist()
    assert [low, high] == pytest.approx([1 / (1 + np.exp(1)), 3 / (1 + np.exp(-1))])
    assert (unit.mean.item(), unit.variance.item()) == (0.5 * 2, 0.5 * 1 + 0.5 * 1)
    unit.eval()
    # One deviation above the past's mean of 1.
    assert unit(torch.tensor([[2.0]])).item() == pytest.approx(2 / (1 + np.exp(-1)))


def test_users_without_a_pattern_share_a_learned_one() -> None:
    made = opened()
    found = made.pattern(draw(2, 8), torch.tensor([True, False]))
    assert torch.equal(found[1], made.no_pattern)
    assert not torch.equal(found[0], made.no_pattern)


def test_heads_have_to_divide_the_columns() -> None:
    with pytest.raises(InvalidConfigError, match="divide the encoder's 16 columns, got 5"):
        RewardModel(encoder(), RewardModelConfig(n_heads=5), text_dim=8)


def rows_of(*lists: list[int]) -> Rectangle:
    return rectangle(Sequences.of(lists), np.arange(len(lists)), max_history=8)


def test_the_token_knows_all_items_and_nothing_behind_them() -> None:
    made = encoder(TOKEN).eval()
    assert isinstance(made, UserTokenEncoder)
    first = made.last_state(rows_of([1, 2, 3]))
    padded = made.last_state(rows_of([1, 2, 3], [4, 5, 6, 7, 8]))[:1]
    torch.testing.assert_close(padded, first)
    for changed in ([9, 2, 3], [1, 9, 3], [1, 2, 9]):
        assert (made.last_state(rows_of(changed)) - first).abs().max() > 1e-4


def test_the_token_s_state_after_an_item_has_not_seen_the_next() -> None:
    """The planted leak: the state of a prefix, read off a row that goes on, must be that of the prefix alone."""
    made = encoder(TOKEN).eval()
    states = made.states(rows_of([1, 2, 3, 4], [5, 6]))
    torch.testing.assert_close(states[0, 1:2], made.last_state(rows_of([1, 2])))
    torch.testing.assert_close(states[0, 3:4], made.last_state(rows_of([1, 2, 3, 4])))
    torch.testing.assert_close(states[1, 1:2], made.last_state(rows_of([5, 6])))
    # Reading items off one pass over the whole row would have leaked.
    _, leaky = made.user_and_states(rows_of([1, 2, 3, 4]))
    _, other = made.user_and_states(rows_of([1, 2, 3, 9]))
    assert (leaky[0, 1] - other[0, 1]).abs().max() > 1e-4


def test_prefixes_are_never_told_their_target() -> None:
    """Each drawn prefix of 1 2 3 ends where its target stands: the loss is that of one prefix of the three."""
    made = encoder(TOKEN).eval()
    batch = rows_of([1, 2, 3])
    objective = PrefixItems(FullSoftmaxLoss(), n_prefixes=1)
    alone = [
        functional.cross_entropy(made.scores(made.last_state(rows_of([1, 2, 3][:n]))), torch.tensor([n])).item()
        for n in (1, 2)
    ]
    found = set()
    for seed in range(8):
        loss, n = objective.loss(made, batch, drop=lambda x: x, rng=np.random.default_rng(seed))
        assert n == 1
        found.add(min(range(2), key=lambda place: abs(alone[place] - loss.item())))
        assert min(abs(value - loss.item()) for value in alone) < 1e-4
    assert found == {0, 1}
    assert objective.loss(made, rows_of([4]), drop=lambda x: x, rng=np.random.default_rng(0))[1] == 0
