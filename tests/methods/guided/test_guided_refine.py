"""Guided columns inside encoders: their scale, that training leaves them alone, user sides, and scores taken apart."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.bert4rec import Bert4Rec, Bert4RecConfig
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.gru4rec import Gru4Rec, Gru4RecConfig
from whyrec.encoders.item_losses import SharedNegativesLoss
from whyrec.encoders.masked import MaskedItems
from whyrec.encoders.negatives import ItemDistribution
from whyrec.encoders.objectives import FullSoftmaxLoss, NextItem, Objective
from whyrec.encoders.ranking import HeldOut, score_blocks, target_ranks
from whyrec.encoders.sasrec import SasRec, SasRecConfig
from whyrec.encoders.sequences import rectangle
from whyrec.encoders.train import TrainingConfig, train
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.control import mean_level, shifted_scores
from whyrec.methods.guided.decomposing import parts_of_pairs
from whyrec.methods.guided.normalising import Normalisation
from whyrec.methods.guided.preferences import HistoryPreferences, Preferences, WrittenPreferences
from whyrec.methods.guided.refine import GuidedEncoder, Matching, UserSide

N_ITEMS, N_USERS, DIM, N_ASPECTS = 30, 40, 15, 3
ASPECTS = ("tension", "pace", "era")
ITEM_IDS = pl.Series("item_id", [f"i{n:02}" for n in range(N_ITEMS)])


def levels(*, seed: int = 0) -> AspectScores:
    drawn = np.random.default_rng(seed).uniform(1, 10, (N_ITEMS, N_ASPECTS))
    return AspectScores.of("items", ITEM_IDS, drawn, aspects=ASPECTS, writer="offline")


def learnt(scores: AspectScores | None = None, *, weight: float = 1.0) -> Normalisation:
    is_training = np.arange(N_ITEMS) < 20
    return Normalisation.learn(scores or levels(), ITEM_IDS, is_training=is_training, embedding_dim=DIM, weight=weight)


def sasrec(columns: Tensor) -> SequenceEncoder:
    return SasRec(N_ITEMS, SasRecConfig(embedding_dim=DIM, n_layers=1, n_heads=3, max_history=12), frozen=columns)


def bert4rec(columns: Tensor) -> SequenceEncoder:
    config = Bert4RecConfig(embedding_dim=DIM, n_layers=1, n_heads=3, inner_dim=20, max_history=12)
    return Bert4Rec(N_ITEMS, config, frozen=columns)


def gru4rec(columns: Tensor) -> SequenceEncoder:
    return Gru4Rec(N_ITEMS, Gru4RecConfig(embedding_dim=DIM, hidden_dim=20, max_history=12), frozen=columns)


def gru4rec_plus(columns: Tensor) -> SequenceEncoder:
    return gru4rec(columns)


ENCODERS: dict[str, Callable[[Tensor], SequenceEncoder]] = {
    build.__name__: build for build in (gru4rec, gru4rec_plus, sasrec, bert4rec)
}
SIDES: list[tuple[UserSide, Matching]] = [
    ("item", "dot"),
    ("logit", "dot"),
    ("concat", "dot"),
    ("logit", "distance"),
    ("concat", "distance"),
]


def objective_of(name: str, sequences: Sequences) -> Objective:
    if name == "bert4rec":
        return MaskedItems(FullSoftmaxLoss(), mask_ratio=0.3)
    if name == "gru4rec_plus":
        distribution = ItemDistribution.from_counts(sequences, n_items=N_ITEMS, exponent=0.5)
        return NextItem(SharedNegativesLoss("bpr_max", distribution, n_negatives=20, score_weight=1.0, elu=0.5))
    return NextItem(FullSoftmaxLoss())


def histories(*, seed: int = 0) -> Sequences:
    rng = np.random.default_rng(seed)
    rows = [(rng.permutation(N_ITEMS)[: rng.integers(2, 13)] + 1).tolist() for _ in range(N_USERS)]
    return replace(Sequences.of(rows), owners=np.arange(1, N_USERS + 1))


HISTORIES = histories()


def guided(
    name: str, *, side: UserSide = "item", matching: Matching = "dot", weight: float = 1.0, written: bool = False
) -> GuidedEncoder:
    """An untrained encoder; columns are large, so that what they do shows."""
    columns = learnt(weight=weight).columns(levels(), ITEM_IDS) * 5
    preferences: Preferences | None = None
    if side != "item":
        drawn = torch.randn(N_USERS, N_ASPECTS, generator=torch.Generator().manual_seed(1))
        preferences = WrittenPreferences(drawn) if written else HistoryPreferences()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return GuidedEncoder(ENCODERS[name](columns), preferences=preferences, user_side=side, matching=matching)


def all_scores(encoder: SequenceEncoder) -> Tensor:
    found = torch.zeros(N_USERS, N_ITEMS)
    for rows, scores in score_blocks(encoder, HISTORIES, np.arange(N_USERS)):
        found[rows] = scores
    return found


# --- the scale of columns --------------------------------------------------------------------------------------------


def test_training_items_have_mean_0_and_the_deviation_of_the_table_at_hand() -> None:
    """sqrt(2 / (30 + 15)) times alpha; each aspect for itself (G7, G8)."""
    columns = learnt(weight=2).columns(levels(), ITEM_IDS)
    torch.testing.assert_close(columns[:20].mean(dim=0), torch.zeros(N_ASPECTS), atol=1e-6, rtol=0)
    torch.testing.assert_close(columns[:20].std(dim=0, correction=0), torch.full((3,), 2 * (2 / 45) ** 0.5))
    assert columns[20:].mean(dim=0).abs().min() > 1e-3, (
        "the others have the statistics of training items, not their own"
    )


def test_users_are_on_the_items_scale() -> None:
    """A user at an item's levels has the item's columns; at the mean, or unknown, nothing."""
    scale = learnt()
    mine = np.stack([levels().values[3], np.array(scale.mean, dtype=np.float32)])
    users = AspectScores.of("users", ["u", "v"], mine, aspects=ASPECTS, writer="m")
    found = scale.columns(users, ["w", "v", "u"])
    torch.testing.assert_close(found[2], scale.columns(levels(), ITEM_IDS)[3])
    torch.testing.assert_close(found[:2], torch.zeros(2, N_ASPECTS), atol=1e-6, rtol=0)


def test_an_aspect_without_deviation_is_silent_and_said_so() -> None:
    values = levels().values.copy()
    values[:20, 1] = 7.3
    scores = AspectScores.of("items", ITEM_IDS, values, aspects=ASPECTS, writer="m")
    scale = learnt(scores)
    assert scale.silent == ("pace",)
    columns = scale.columns(scores, ITEM_IDS)
    assert not columns[:, 1].any(), "the others too: there is no scale to measure them by"
    assert columns[:, 0].any()
    assert learnt().silent == ()


def test_too_few_items_other_aspects_and_a_negative_weight_are_refused() -> None:
    one = AspectScores.of("items", ["i00", "i25"], levels().values[:2], aspects=ASPECTS, writer="m")
    with pytest.raises(InvalidDataError, match="expected scores of at least 2 training items, got 1"):
        learnt(one)
    with pytest.raises(InvalidDataError, match="expected aspects tension, pace, era, got era, pace"):
        learnt().columns(levels().chosen(["era", "pace"]), ITEM_IDS)
    with pytest.raises(InvalidConfigError, match="a weight of at least 0, got -1"):
        learnt(weight=-1)


def test_a_normalisation_is_kept_as_json() -> None:
    assert Normalisation.from_json(learnt().as_json()) == learnt()


# --- training --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize(("side", "matching"), SIDES)
def test_training_leaves_guided_columns_alone_to_the_bit(name: str, side: UserSide, matching: Matching) -> None:
    encoder = guided(name, side=side, matching=matching)
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    train(encoder, HISTORIES, objective=objective_of(name, HISTORIES), config=TrainingConfig(epochs=2, threads=1))
    table = encoder.item_table()
    assert torch.equal(table.frozen[1:], learnt().columns(levels(), ITEM_IDS) * 5)
    assert not table.weight()[0].any(), "the padding has a row of zeros"
    moved = {key for key, value in encoder.state_dict().items() if not torch.equal(value, before[key])}
    assert "base.items.trainable" in moved
    assert moved == {key for key, _ in encoder.named_parameters()}, "all that can be trained is, and nothing else"


@pytest.mark.parametrize("name", ENCODERS)
def test_a_learnt_pattern_of_levels_is_found_again(name: str) -> None:
    """Everybody's next item has the user's own level of tension: guided columns tell it, random ones cannot.

    Items are in two camps of tension; a user stays in one. Held-out items were never taken in training.
    """
    values = np.full((N_ITEMS, 1), 2.0)
    values[1::2] = 9.0
    scores = AspectScores.of("items", ITEM_IDS, values, aspects=("tension",), writer="m")
    is_training = np.arange(N_ITEMS) < 24
    scale = Normalisation.learn(scores, ITEM_IDS, is_training=is_training, embedding_dim=8)
    rng = np.random.default_rng(0)
    camps = [np.arange(24)[camp::2] for camp in (0, 1)]
    rows = [(rng.permutation(camps[user % 2])[:8] + 1).tolist() for user in range(60)]
    columns = scale.columns(scores, ITEM_IDS) * 5
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        base = _small(name, columns)
    encoder = GuidedEncoder(base, preferences=HistoryPreferences(), user_side="logit")
    encoder.item_table().add_gate()
    sequences = Sequences.of(rows)
    config = TrainingConfig(epochs=12, threads=1, batch_size=20, learning_rate=0.03)
    train(encoder, sequences, objective=objective_of(name, sequences), config=config)
    found = torch.cat([block for _, block in score_blocks(encoder, sequences, np.arange(60))])
    new = found[:, 24:] - (0 if encoder.output_bias() is None else encoder.output_bias()[24:])  # type: ignore[index]
    order = np.concatenate([rows for rows, _ in score_blocks(encoder, sequences, np.arange(60))])
    right = new[:, 0::2].mean(dim=1) - new[:, 1::2].mean(dim=1)
    agrees = (right > 0).numpy() == (order % 2 == 0)
    assert agrees.mean() > 0.9


def _small(name: str, columns: Tensor) -> SequenceEncoder:
    if name == "sasrec":
        return SasRec(N_ITEMS, SasRecConfig(embedding_dim=8, n_layers=1, max_history=10, dropout=0), frozen=columns)
    if name == "bert4rec":
        config = Bert4RecConfig(embedding_dim=8, n_layers=1, inner_dim=16, max_history=10, dropout=0)
        return Bert4Rec(N_ITEMS, config, frozen=columns)
    return Gru4Rec(N_ITEMS, Gru4RecConfig(embedding_dim=8, hidden_dim=8, max_history=10, dropout=0), frozen=columns)


def test_validation_ranks_come_from_the_guided_encoder() -> None:
    ranks = target_ranks(guided("sasrec", side="logit"), HeldOut.last_items(HISTORIES))
    assert len(ranks) == N_USERS
    assert np.isfinite(ranks).all()


def test_a_gate_scales_items_and_users_and_is_trained() -> None:
    encoder = guided("sasrec", side="logit", written=True)
    table = encoder.item_table()
    plain = table.frozen_columns().clone()
    table.add_gate()
    assert torch.equal(table.frozen_columns(), plain), "it starts at 1"
    train(encoder, HISTORIES, objective=objective_of("sasrec", HISTORIES), config=TrainingConfig(epochs=2, threads=1))
    assert table.gate is not None
    assert table.gate.item() != 0
    torch.testing.assert_close(table.frozen_columns(), plain * table.gate.exp())
    assert torch.equal(table.frozen, plain)
    batch = rectangle(HISTORIES, np.arange(3), max_history=12)
    assert encoder.preferences is not None
    written = encoder.preferences(batch, table)[:, 0]
    torch.testing.assert_close(written, encoder.preferences.rows[1:4] * table.gate.exp())  # type: ignore[index, operator]


# --- user sides ------------------------------------------------------------------------------------------------------


def test_logit_adds_the_product_of_levels_to_the_score_of_items_alone() -> None:
    """G6 (i): nothing is replaced; alpha twice, once on each side."""
    preferred = guided("sasrec", side="logit", written=True).preferences
    assert isinstance(preferred, WrittenPreferences)
    item, logit = guided("sasrec"), guided("sasrec", side="logit", written=True)
    added = preferred.rows[1:] @ item.guided_columns().T
    torch.testing.assert_close(all_scores(logit), all_scores(item) + added, atol=1e-5, rtol=1e-5)


def test_concat_puts_preferences_in_place_of_the_last_columns_of_the_state() -> None:
    encoder = guided("sasrec", side="concat", written=True)
    batch = rectangle(HISTORIES, np.arange(5), max_history=12)
    assert isinstance(encoder.preferences, WrittenPreferences)
    state, inner = encoder.last_state(batch), encoder.base.last_state(batch)
    assert torch.equal(state[:, -N_ASPECTS:], encoder.preferences.rows[1:6])
    assert torch.equal(state[:, :-N_ASPECTS], inner[:, :-N_ASPECTS])


def test_by_distance_the_item_at_the_users_own_levels_is_best() -> None:
    """G10: among the guided parts; by product it would be the item that goes furthest in the user's direction."""
    encoder = guided("sasrec", side="concat", matching="distance")
    columns = encoder.guided_columns()
    by_distance = columns @ columns.T - 0.5 * (columns**2).sum(dim=1)
    assert torch.equal(by_distance.argmax(dim=1), torch.arange(N_ITEMS))
    assert not torch.equal((columns @ columns.T).argmax(dim=1), torch.arange(N_ITEMS))
    torch.testing.assert_close(encoder.output_bias(), -0.5 * (columns**2).sum(dim=1))


def test_history_preferences_by_hand() -> None:
    """Half-life one: after the second item (1/2 a + b) / (3/2); a masked item is left out."""
    columns = torch.tensor([[1.0], [4.0], [7.0]])
    table = ItemTable(3, 2, frozen=columns)
    batch = rectangle(Sequences.of([[1, 2, 3], [2]]), np.arange(2), max_history=3)
    found = HistoryPreferences(half_life_items=1)(batch, table)[:, :, 0]
    torch.testing.assert_close(found[0], torch.tensor([1.0, 4.5 / 1.5, (0.25 + 2 + 7) / 1.75]))
    torch.testing.assert_close(found[1], torch.full((3,), 4.0))
    masked = replace(batch, items=torch.tensor([[1, 0, 3], [0, 0, 0]]))
    found = HistoryPreferences(half_life_items=1)(masked, table)[:, :, 0]
    torch.testing.assert_close(found[0], torch.tensor([1.0, 1, (0.25 + 7) / 1.25]))
    assert not found[1].any()


def test_no_later_item_changes_a_preference() -> None:
    """The item that a position predicts is planted behind it: an extreme one, which must not be felt."""
    table = ItemTable(3, 2, frozen=torch.tensor([[0.0], [0.0], [1000.0]]))
    for half_life in (0.5, 10.0, float("inf")):
        batch = rectangle(Sequences.of([[1, 2, 3]]), np.arange(1), max_history=3)
        found = HistoryPreferences(half_life_items=half_life)(batch, table)[0, :, 0]
        assert found[:2].tolist() == [0, 0]
        assert found[2] > 100


def test_strangers_prefer_the_mean_and_nameless_histories_are_refused() -> None:
    preferences = WrittenPreferences(torch.ones(2, 1))
    table = ItemTable(3, 2, frozen=torch.ones(3, 1))
    batch = rectangle(replace(Sequences.of([[1], [2]]), owners=np.array([0, 2])), np.arange(2), max_history=3)
    assert preferences(batch, table)[:, 0, 0].tolist() == [0, 1]
    with pytest.raises(InvalidDataError, match="expected histories that name their owners"):
        preferences(replace(batch, owners=None), table)
    with pytest.raises(InvalidConfigError, match="half_life_items above 0, got 0"):
        HistoryPreferences(half_life_items=0)


def test_a_learnt_match_adds_the_mean_product_of_deviations_and_is_trained() -> None:
    """Strength 3: 3 / 3 aspects times the sum of the products, a column's deviation being the unit."""
    plain = guided("sasrec", side="logit")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        base = sasrec(plain.guided_columns())
        matched = GuidedEncoder(base, preferences=HistoryPreferences(), user_side="logit", match_strength=3.0)
    alone = guided("sasrec")
    columns = plain.guided_columns()
    deviations = columns / columns.square().mean(dim=0).sqrt()
    preferred = HistoryPreferences()(rectangle(HISTORIES, np.arange(N_USERS), max_history=12), plain.item_table())
    last = preferred[np.arange(N_USERS), HISTORIES.lengths.clip(max=12) - 1] / columns.square().mean(dim=0).sqrt()
    torch.testing.assert_close(all_scores(matched), all_scores(alone) + last @ deviations.T, atol=1e-4, rtol=1e-4)
    before = matched.match.detach().clone() if matched.match is not None else None
    train(matched, HISTORIES, objective=objective_of("sasrec", HISTORIES), config=TrainingConfig(epochs=2, threads=1))
    assert before is not None
    assert matched.match is not None
    assert (matched.match != before).all()
    again = GuidedEncoder(sasrec(columns), preferences=HistoryPreferences(), user_side="logit", match_strength=1.0)
    again.load_state_dict(matched.state_dict())
    torch.testing.assert_close(all_scores(again), all_scores(matched), atol=0, rtol=0)


def test_a_silent_aspect_matches_nothing() -> None:
    columns = torch.randn(N_ITEMS, N_ASPECTS) * torch.tensor([1.0, 0.0, 1.0])
    encoder = GuidedEncoder(sasrec(columns), preferences=HistoryPreferences(), user_side="logit", match_strength=1.0)
    assert encoder.match_unit[1] == 0
    assert torch.isfinite(all_scores(encoder)).all()


def test_what_cannot_be_refined_is_refused() -> None:
    columns = torch.ones(N_ITEMS, 2)
    untied = Gru4Rec(N_ITEMS, Gru4RecConfig(embedding_dim=8, tied=False), frozen=columns)
    with pytest.raises(InvalidConfigError, match="expected scores by the table that is read"):
        GuidedEncoder(untied)
    with pytest.raises(InvalidConfigError, match="an item table with frozen columns, got none"):
        GuidedEncoder(SasRec(N_ITEMS, SasRecConfig(embedding_dim=8)))
    with pytest.raises(InvalidConfigError, match="user side 'logit': expected preferences, got none"):
        GuidedEncoder(sasrec(columns), user_side="logit")
    with pytest.raises(InvalidConfigError, match="user side 'item': expected no preferences, got some"):
        GuidedEncoder(sasrec(columns), preferences=HistoryPreferences())
    with pytest.raises(InvalidConfigError, match="expected matching dot, got distance"):
        GuidedEncoder(sasrec(columns), matching="distance")
    with pytest.raises(InvalidConfigError, match="match strength: expected user side 'logit' and matching 'dot'"):
        GuidedEncoder(sasrec(columns), match_strength=1.0)


@pytest.mark.parametrize("config", [SasRecConfig, Bert4RecConfig])
def test_sixty_columns_and_seven_heads_are_refused(config: type[SasRecConfig] | type[Bert4RecConfig]) -> None:
    """G17."""
    with pytest.raises(ValidationError, match="embedding_dim must be a multiple of n_heads, got 60 and 7"):
        config(embedding_dim=60, n_heads=7)
    assert config(embedding_dim=60, n_heads=2).n_heads == 2


# --- scores taken apart, and moved -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize(("side", "matching"), SIDES)
def test_parts_add_up_to_the_score(name: str, side: UserSide, matching: Matching) -> None:
    """1,000 pairs of a trained encoder, within 1e-4."""
    encoder = guided(name, side=side, matching=matching)
    train(encoder, HISTORIES, objective=objective_of(name, HISTORIES), config=TrainingConfig(epochs=1, threads=1))
    rng = torch.Generator().manual_seed(0)
    users = torch.randint(N_USERS, (1000,), generator=rng)
    items = torch.randint(N_ITEMS, (1000,), generator=rng)
    parts = parts_of_pairs(encoder, HISTORIES, rows=users, items=items)
    assert parts.aspects.shape == (1000, N_ASPECTS)
    assert parts.aspects.abs().mean() > 1e-3, "the test could not fail if aspects gave nothing"
    assert (parts.total - all_scores(encoder)[users, items]).abs().max() < 1e-4


def test_an_aspects_part_is_all_that_changes_with_its_column() -> None:
    """With written preferences, taking an item's column of pace away takes exactly its part from the logit term."""
    encoder = guided("sasrec", side="concat", written=True)
    users = torch.arange(N_USERS)
    items = torch.full((N_USERS,), 7)
    states = encoder.last_state(rectangle(HISTORIES, users.numpy(), max_history=12))
    parts = parts_of_pairs(encoder, HISTORIES, rows=users, items=items)
    with torch.no_grad():
        encoder.item_table().frozen[8, 1] = 0
    without = (states * encoder.output_table()[items]).sum(dim=1)
    torch.testing.assert_close(parts.total - without, parts.aspects[:, 1], atol=1e-5, rtol=1e-4)


finite = st.floats(-100, 100)


@given(
    scores=st.lists(finite, min_size=8, max_size=8),
    points=st.lists(st.integers(2, 20), min_size=8, max_size=8).filter(lambda found: len(set(found)) > 1),
    amounts=st.lists(st.integers(-12, 12), min_size=2, max_size=5, unique=True),
    k=st.integers(1, 8),
)
def test_less_of_an_aspect_never_raises_it(scores: list[float], points: list[int], amounts: list[int], k: int) -> None:
    """Whatever scores and levels: the mean level of the list follows the shift, for every length of the list."""
    levels = np.array(points) / 2
    by_amount = [
        mean_level(shifted_scores(np.array(scores), levels, amount=amount / 4), levels, k=k)
        for amount in sorted(amounts)
    ]
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(by_amount))


@pytest.mark.parametrize("name", ENCODERS)
def test_less_tension_gives_a_calmer_list_step_by_step(name: str) -> None:
    encoder = guided(name)
    tension = levels().values[:, 0].astype(np.float64)
    fallen = []
    for scores in all_scores(encoder).numpy().astype(np.float64)[:10]:
        steps = [mean_level(shifted_scores(scores, tension, amount=-step), tension, k=5) for step in (0, 0.5, 1, 2, 99)]
        assert steps == sorted(steps, reverse=True)
        assert steps[-1] == pytest.approx(np.sort(tension)[:5].mean()), "in the end, the calmest of all"
        fallen.append(steps[0] - steps[1])
    assert max(fallen) > 0.1, "half a deviation is felt"


def test_a_shift_by_hand() -> None:
    """Scores of deviation 2, levels of deviation 3 around 5: an item at 8 gains 2 for each unit; -inf stays."""
    scores = np.array([0.0, 4, -np.inf])
    found = shifted_scores(scores, np.array([8.0, 2, np.nan]), amount=1.5)
    assert found.tolist() == [3, 1, -np.inf]
    both = shifted_scores(np.array([[-np.inf, -np.inf], [0, 4]]), np.array([8.0, 2]), amount=1.5)
    assert both.tolist() == [[-np.inf, -np.inf], [3, 1]], "somebody who may be shown nothing is shown nothing"
    assert np.isnan(mean_level(both[0], np.array([8.0, 2]), k=2))


def test_a_shift_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match="got one of level 5 for all"):
        shifted_scores(np.zeros(2), np.array([5.0, 5]), amount=1)
    with pytest.raises(InvalidConfigError, match="got an aspect on which no item has a level"):
        shifted_scores(np.zeros(2), np.full(2, np.nan), amount=1)
    for amount, told in ((math.nan, "nan"), (-math.inf, "-inf"), (1e308, r"1e\+308"), (-100.5, "-100.5")):
        with pytest.raises(InvalidConfigError, match=f"expected an amount from -100 to 100, got {told}"):
            shifted_scores(np.zeros(2), np.array([5.0, 6]), amount=amount)
    assert np.isfinite(shifted_scores(np.array([0.0, 1]), np.array([5.0, 6]), amount=-100)).all()
    with pytest.raises(InvalidConfigError, match="k of at least 1, got 0"):
        mean_level(np.zeros(2), np.array([5.0, 6]), k=0)
