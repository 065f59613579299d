"""Neighbourhood methods against arithmetic by hand and against dense reference computations."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from whyrec.baselines import scoring
from whyrec.baselines.neighbours import (
    ItemKnnConfig,
    ItemKnnRecommender,
    NeighbourConfig,
    NeighbourTable,
    UserKnnRecommender,
    nearest,
)
from whyrec.baselines.weighting import ColumnWeights, Weighting, recency_weights, user_item_counts
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Sequences

START = datetime(2020, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=400)


def world(histories: dict[str, str]) -> Dataset:
    """Every letter of a history is an item, a day after the one before."""
    rows = [
        (user, item, START + timedelta(days=day)) for user, items in histories.items() for day, item in enumerate(items)
    ]
    log = pl.DataFrame(
        rows,
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")},
        orient="row",
    )
    ids = log["item_id"].unique().sort()
    return Dataset.from_frames(log, pl.DataFrame({"item_id": ids, "title": ids}))


def random_histories(n_users: int, n_items: int) -> Sequences:
    rng = np.random.default_rng(3)
    return Sequences.of([rng.integers(1, n_items + 1, size=rng.integers(1, 9)).tolist() for _ in range(n_users)])


def dense_cosine(weighted: NDArray[np.float64], asked: NDArray[np.float64], shrinkage: float) -> NDArray[np.float64]:
    lengths = np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(weighted, axis=1)[None]
    return np.asarray(asked @ weighted.T / (lengths + shrinkage + 1e-12))


def cut(likeness: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    kept = np.zeros_like(likeness)
    for row, values in enumerate(likeness):
        best = np.argsort(-values, kind="stable")[:k]
        kept[row, best] = values[best].clip(min=0)
    return kept


def test_likeness_of_items_by_hand() -> None:
    """Items 1 and 2 share both their users; 1 and 3 share one of two: cosines 2/2 and 1/2, shrunk by 2: 2/4 and 1/4."""
    by_item = user_item_counts(Sequences.of([[1, 2], [1, 2, 3], [3]]), n_items=3).T.tocsr()
    plain = nearest(by_item, NeighbourTable.of(by_item), config=NeighbourConfig(), is_same=True).toarray()
    np.testing.assert_allclose(plain, [[0, 1, 0.5], [1, 0, 0.5], [0.5, 0.5, 0]], rtol=1e-6)
    shrunk = nearest(by_item, NeighbourTable.of(by_item), config=NeighbourConfig(shrinkage=2), is_same=True).toarray()
    np.testing.assert_allclose(shrunk, [[0, 0.5, 0.25], [0.5, 0, 0.25], [0.25, 0.25, 0]], rtol=1e-6)
    one = nearest(by_item, NeighbourTable.of(by_item), config=NeighbourConfig(n_neighbours=1), is_same=True).toarray()
    np.testing.assert_allclose(one, [[0, 1, 0], [1, 0, 0], [0.5, 0, 0]], rtol=1e-6)


def test_scores_are_sums_of_votes_and_the_rest_follows_by_popularity() -> None:
    data = world({"u": "ab", "v": "abc", "w": "c", "x": "de", "y": "de", "z": "e", "n": "a"})
    lists = ItemKnnRecommender().fit(data, until=LATER).recommend(data, user_ids=["n"], unknown="raise")
    # a is had by u, v, n; b by u, v; c by v, w: cosines 2/sqrt(6) and 1/sqrt(6).
    assert lists["item_id"].to_list() == ["b", "c", "e", "d"]
    np.testing.assert_allclose(lists["score"][:2].to_numpy(), [2 / 6**0.5, 1 / 6**0.5], rtol=1e-6)
    assert (lists["score"][2:] < 0).all(), "nobody votes for these"


@pytest.mark.parametrize("weighting", ["binary", "tfidf", "bm25"])
def test_item_votes_equal_a_dense_computation(weighting: Weighting) -> None:
    sequences = random_histories(30, 12)
    counts = user_item_counts(sequences, n_items=12)
    weighted = ColumnWeights.learn(counts, weighting).weigh(counts)
    config = ItemKnnConfig(weighting=weighting, n_neighbours=4, shrinkage=0.5)
    by_item = weighted.T.tocsr()
    likeness = dense_cosine(by_item.toarray(), by_item.toarray(), 0.5)
    np.fill_diagonal(likeness, 0)
    found = nearest(by_item, NeighbourTable.of(by_item), config=config, is_same=True).toarray()
    np.testing.assert_allclose(found, cut(likeness, 4), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("weighting", ["binary", "tfidf", "bm25"])
def test_users_votes_equal_a_dense_computation(weighting: Weighting, monkeypatch: pytest.MonkeyPatch) -> None:
    histories = {f"u{n:02}": "".join("abcdefghij"[i - 1] for i in row) for n, row in enumerate(_rows(10))}
    data = world(histories)
    # Plain counts make many users equally near, up to rounding: there, everybody is a neighbour.
    n_neighbours = 26 if weighting == "binary" else 5
    config = NeighbourConfig(weighting=weighting, n_neighbours=n_neighbours)
    lists = (
        UserKnnRecommender(config)
        .fit(data, until=LATER)
        .recommend(data, user_ids=sorted(histories), k=10, filter_seen=False)
    )
    counts = user_item_counts(Sequences.of(_rows(10)), n_items=10)
    weighted = ColumnWeights.learn(counts, weighting).weigh(counts).toarray().astype(np.float64)
    expected = cut(dense_cosine(weighted, weighted, 0), n_neighbours) @ (counts.toarray() > 0)
    for row, user in enumerate(sorted(histories)):
        mine = lists.filter(user_id=user).sort("item_id")["score"].to_numpy()
        voted = expected[row] > 0
        np.testing.assert_allclose(mine[voted], expected[row][voted], rtol=1e-5)
        assert (mine[~voted] < 0).all()
    # Blocks of one row give the very same.
    monkeypatch.setattr(scoring, "_BLOCK_VALUES", 1)
    again = UserKnnRecommender(config).fit(data, until=LATER)
    assert again.recommend(data, user_ids=sorted(histories), k=10, filter_seen=False).equals(lists)


def _rows(n_items: int) -> list[list[int]]:
    sequences = random_histories(25, n_items)
    covered = [list(range(1, n_items + 1))]
    return covered + [sequences.row(user).tolist() for user in range(len(sequences))]


def test_bm25_by_hand() -> None:
    """Two rows, 4 and 2 counts, mean 3; column 0 stands in both, so that log(1 + 0.5/2.5) weighs it."""
    counts = user_item_counts(Sequences.of([[1, 1, 1, 2], [1, 3]]), n_items=3)
    found = ColumnWeights.learn(counts, "bm25").weigh(counts).toarray()
    inverse = np.log(1 + 0.5 / 2.5)
    assert found[0, 0] == pytest.approx(inverse * 3 * 2.2 / (3 + 1.2 * (0.25 + 0.75 * 4 / 3)), rel=1e-6)
    assert found[1, 0] == pytest.approx(inverse * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 3)), rel=1e-6)
    rare = np.log(1 + 1.5 / 1.5)
    assert found[1, 2] == pytest.approx(rare * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 3)), rel=1e-6)


def test_tfidf_by_hand() -> None:
    counts = user_item_counts(Sequences.of([[1, 1, 1, 1, 2], [1]]), n_items=2)
    found = ColumnWeights.learn(counts, "tfidf").weigh(counts).toarray()
    np.testing.assert_allclose(found, [[2 * 1, np.log(2) + 1], [1, 0]], rtol=1e-6)


def test_older_items_count_less() -> None:
    sequences = Sequences.of([[1, 2, 3], [], [4]])
    np.testing.assert_allclose(recency_weights(sequences, half_life=1), [0.25, 0.5, 1, 1])
    np.testing.assert_allclose(recency_weights(sequences, half_life=None), np.ones(4))
    data = world({"u": "ax", "v": "by", "n": "ab", "m": "ba"})
    fitted = ItemKnnRecommender(ItemKnnConfig(half_life=0.5)).fit(data, until=LATER)
    lists = fitted.recommend(data, user_ids=["n", "m"], k=1)
    assert lists["item_id"].to_list() == ["y", "x"], "what goes with the newer item"
