"""Steps of factor models by hand, what attributes bring, and what goes wrong."""

import itertools
import math

import numpy as np
import polars as pl
import pytest
import torch

from contracts.recommender import NEVER_SEEN, UNTIL, USERS, checkerboard
from whyrec.baselines.factorisation import BprConfig, BprRecommender, HybridConfig, HybridRecommender
from whyrec.baselines.factorisation_steps import fold_in, loss_weight, train_epoch
from whyrec.baselines.item_features import item_features
from whyrec.baselines.neural_cf import NeuMf, NeuralCfConfig, NeuralCfRecommender
from whyrec.errors import InvalidConfigError, TrainingError


def test_how_hard_a_pair_pulls() -> None:
    assert loss_weight(1.0, 1.0, 1, 100, False) == pytest.approx(0.5)
    assert loss_weight(2.0, 1.0, 1, 100, False) == pytest.approx(1 / (1 + math.e))
    assert loss_weight(1e9, 0.0, 1, 100, False) < 1e-12
    assert loss_weight(2.0, 1.0, 1, 101, True) == 0, "in order, with a margin of 1"
    assert loss_weight(1.9, 1.0, 1, 101, True) == pytest.approx(math.log(100))
    assert loss_weight(1.9, 1.0, 30, 101, True) == pytest.approx(math.log(3)), "found late: the rank is about 3"


def test_one_step_by_hand() -> None:
    """User 1 had item 0 (0.5), not item 1 (0.25): the weight is 1 / (1 + e^0.25), the rate 0.1, sums start at 1."""
    user, vectors, biases = np.ones((1, 1), np.float32), np.array([[0.5], [0.25]], np.float32), np.zeros(2, np.float32)
    sums = [np.ones_like(array) for array in (user, vectors, biases)]
    pair = (np.array([0]), np.array([0]), np.array([0, 1]), np.array([0]))
    ids = (np.array([0, 1, 2]), np.array([0, 1]))
    train_epoch(*pair, *ids, user, vectors, biases, *sums, False, 1, 0.1, 0.0, 7)
    weight = 1 / (1 + math.exp(0.25))
    np.testing.assert_allclose(user, [[1 + 0.1 * weight * 0.25]], rtol=1e-6)
    np.testing.assert_allclose(vectors, [[0.5 + 0.1 * weight], [0.25 - 0.1 * weight]], rtol=1e-6)
    np.testing.assert_allclose(biases, [0.1 * weight, -0.1 * weight], rtol=1e-6)
    np.testing.assert_allclose(sums[1], [[1 + weight**2], [1 + weight**2]], rtol=1e-6)


def test_a_folded_in_user_stands_where_the_loss_is_least() -> None:
    """With items at +1 and -1 and the first had, only a positive vector puts it first."""
    vectors, biases = np.array([[1.0], [-1.0]], np.float32), np.zeros(2, np.float32)
    found = fold_in(np.array([0, 1, 2]), np.array([0, 1]), vectors, biases, False, 1, 200, 0.1, 0.0, 0)
    assert found[0, 0] > 1
    assert found[1, 0] == pytest.approx(-found[0, 0])


def test_features_are_the_id_and_shared_values() -> None:
    items = pl.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "title": ["A", "B", "C"],
            "genres": [["war", "sea"], ["sea", "sea"], None],
            "maker": ["x", "y", "x"],
            "year": [1, 2, 3],
        }
    )
    offsets, features = item_features(items, columns=None)
    # genres=sea is feature 3, maker=x is 4; war and y stand once and say nothing.
    assert [features[i:j].tolist() for i, j in itertools.pairwise(offsets)] == [[0, 3, 4], [1, 3], [2, 4]]
    assert item_features(items, columns=())[1].tolist() == [0, 1, 2]
    assert item_features(items, columns=("maker",))[1].tolist() == [0, 3, 1, 2, 3]
    with pytest.raises(InvalidConfigError, match=r"text or lists of text \(genres, maker\), got 'year'"):
        item_features(items, columns=("year",))


def test_attributes_place_items_that_nobody_has_had() -> None:
    data = checkerboard()
    config = HybridConfig(embedding_dim=8, epochs=10, loss="bpr")
    fitted = HybridRecommender(config).fit(data, until=UNTIL)
    lists = fitted.recommend(data, user_ids=USERS, k=22)
    first, second = (lists.filter(item_id=item).sort("user_id")["score"].to_numpy() for item in NEVER_SEEN)
    is_camp_a = np.array([user[0] == "A" for user in sorted(USERS)])
    assert (first[is_camp_a] > second[is_camp_a]).all()
    assert (first[~is_camp_a] < second[~is_camp_a]).all()


def test_another_seed_gives_another_model_and_all_settings_count() -> None:
    data = checkerboard()

    def scores(config: BprConfig) -> np.ndarray:
        return BprRecommender(config).fit(data, until=UNTIL).recommend(data, user_ids=USERS)["score"].to_numpy()

    plain = {"embedding_dim": 4, "epochs": 5, "fold_in_steps": 50}
    first = scores(BprConfig(**plain))
    for change in ({"seed": 1}, {"weight_decay": 0.1}, {"learning_rate": 0.1}, {"fold_in_steps": 51}, {"epochs": 6}):
        assert not np.array_equal(scores(BprConfig(**{**plain, **change})), first), change


def test_hybrid_losses_differ() -> None:
    data = checkerboard()
    scores = [
        HybridRecommender(HybridConfig(embedding_dim=4, epochs=5, loss=loss))
        .fit(data, until=UNTIL)
        .recommend(data, user_ids=USERS)["score"]
        .to_list()
        for loss in ("warp", "bpr")
    ]
    assert scores[0] != scores[1]


def test_a_rate_too_high_is_said() -> None:
    with pytest.raises(TrainingError, match=r"expected finite vectors.*Lower learning_rate \(now 1e\+38\)"):
        BprRecommender(BprConfig(embedding_dim=4, epochs=9, learning_rate=1e38)).fit(checkerboard(), until=UNTIL)
    with pytest.raises(TrainingError, match=r"epoch \d+: expected a finite loss, got nan. Lower learning_rate"):
        NeuralCfRecommender(NeuralCfConfig(embedding_dim=4, epochs=9, learning_rate=1e30)).fit(
            checkerboard(), until=UNTIL
        )


def test_neumf_scores_all_items_as_it_scores_pairs() -> None:

    torch.manual_seed(0)
    network = NeuMf(7, NeuralCfConfig(embedding_dim=4, hidden=(8, 5, 3)))
    torch.nn.init.normal_(network.bias)
    users = torch.randn(2, 8)
    pairs = network(users, torch.arange(7).repeat(2, 1))
    table = network.all_items()
    for row, user in enumerate(users):
        torch.testing.assert_close(network.scores(user, table), pairs[row])
    # By hand for one pair: the product, then the network over user and item side by side.
    item = network.items[3]
    first = torch.cat([network.from_user.weight, network.from_item.weight], dim=1)
    hidden = torch.relu(first @ torch.cat([users[0, 4:], item[4:]]) + network.from_user.bias)
    for layer in network.layers:
        hidden = torch.relu(layer(hidden))
    by_hand = network.out.weight[0] @ torch.cat([users[0, :4] * item[:4], hidden]) + network.bias[3]
    torch.testing.assert_close(pairs[0, 3], by_hand)
