"""What the benchmark says that columns add to a trained base: found where it was planted, and nowhere else."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from guided_camps import camp_config
from numpy.typing import NDArray

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.ranking import HeldOut, target_ranks
from whyrec.methods.guided.encoding import new_encoder

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
reranking = importlib.import_module("guided_reranking")

N_ITEMS, N_CAMPS, N_USERS = 40, 4, 80
CAMP = np.arange(N_ITEMS) % N_CAMPS
POPULARITY = np.ones(N_ITEMS, dtype=np.int64)


def held_out(seed: int) -> HeldOut:
    """Users who stay in one camp, which nothing but the items' columns tells."""
    rng = np.random.default_rng(seed)
    taken = [rng.permutation(np.flatnonzero(user % N_CAMPS == CAMP))[:6] + 1 for user in range(N_USERS)]
    return HeldOut(Sequences.of([row[:-1].tolist() for row in taken]), np.array([row[-1] for row in taken], np.int32))


def columns(camps: NDArray[np.int64]) -> torch.Tensor:
    return torch.from_numpy((np.eye(N_CAMPS, dtype=np.float32)[camps] - 1 / N_CAMPS) * 2)


def untrained() -> SequenceEncoder:
    torch.manual_seed(0)
    return new_encoder(camp_config(), N_ITEMS, embedding_dim=16)


CONTENTS = {"camps": columns(CAMP), "noise": columns(np.random.default_rng(5).permutation(CAMP))}


def test_columns_that_tell_the_next_item_gain_and_noise_does_not() -> None:
    found = reranking.reranked(untrained(), CONTENTS, validation=held_out(1), test=held_out(2), popularity=POPULARITY)
    base = found.base["NDCG@10"].mean()
    assert found.by_content["camps"]["NDCG@10"].mean() > base + 0.2
    assert found.chosen["camps"] is not None
    assert found.by_content["noise"]["NDCG@10"].mean() < base + 0.05
    # Five of a user's camp are seen, which "closer" does not hide: the test item ties with nine others of forty.
    assert found.closer["camps"].mean() == pytest.approx(1 - 10 / N_ITEMS / 2)
    assert abs(found.closer["noise"].mean() - 0.5) < 0.1
    assert abs(found.closer["base"].mean() - 0.5) < 0.1


def test_where_validation_sees_no_gain_the_base_stays_as_it_is() -> None:
    """The test would gain by the camps, and must not choose."""
    elsewhere = held_out(1)
    wrong = HeldOut(elsewhere.histories, elsewhere.targets % N_ITEMS + 1)
    contents = {"camps": CONTENTS["camps"]}
    found = reranking.reranked(untrained(), contents, validation=wrong, test=held_out(2), popularity=POPULARITY)
    assert found.chosen == {"camps": None}
    np.testing.assert_array_equal(found.by_content["camps"]["NDCG@10"], found.base["NDCG@10"])


def test_ranks_without_content_are_the_encoders() -> None:
    test = held_out(2)
    found = reranking.ranks_of(untrained(), test, CONTENTS, settings={})
    np.testing.assert_array_equal(found["base"][None], target_ranks(untrained(), test))


def test_a_profile_leans_to_recent_items() -> None:
    histories = Sequences.of([[1, 2]])
    close = reranking.closeness(histories, CONTENTS["camps"], users=np.array([0]), half_life=1.0)[0]
    assert close[1] > close[0] > close[2]
    assert close.mean().item() == pytest.approx(0, abs=1e-6)
    assert close.std().item() == pytest.approx(1, abs=1e-5)
