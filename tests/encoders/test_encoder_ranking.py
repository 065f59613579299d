"""Where held-out items stand, against sorting by hand."""

import math

import numpy as np
import pytest
import torch
from small_encoders import drawn_histories, made

from whyrec.data.sequences import Sequences
from whyrec.encoders.ranking import HeldOut, hit_rate, ndcg, target_ranks
from whyrec.encoders.sequences import rectangle


def test_held_out_are_the_last_items_of_users_with_two() -> None:
    held_out = HeldOut.last_items(Sequences.of([[1, 2, 3], [4], [], [5, 6]]))
    assert held_out.targets.tolist() == [3, 6]
    assert [held_out.histories.row(row).tolist() for row in range(2)] == [[1, 2], [5]]


@pytest.mark.parametrize("kind", ["sasrec", "gru4rec", "caser"])
def test_ranks_are_counted_among_unseen_items(kind: str) -> None:
    encoder, held_out = made(kind), HeldOut.last_items(drawn_histories(shortest=2))
    found = target_ranks(encoder, held_out)
    for row in range(0, len(held_out.histories), 5):
        history = held_out.histories.row(row)
        with torch.inference_mode():
            batch = rectangle(held_out.histories, np.array([row]), max_history=encoder.max_history)
            scores = encoder.scores(encoder.last_state(batch))[0].numpy().copy()
        scores[history - 1] = -np.inf
        assert found[row] == 1 + (scores > scores[held_out.targets[row] - 1]).sum()


def test_equal_scores_share_their_average_rank_and_a_seen_target_is_never_found() -> None:
    encoder = made("sasrec")
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
    held_out = HeldOut(Sequences.of([[1, 2], [1, 2, 3]]), np.array([9, 2], dtype=np.int32))
    assert target_ranks(encoder, held_out).tolist() == [1 + 37 / 2, math.inf]


def test_hit_rate_and_ndcg_by_hand() -> None:
    ranks = np.array([1.0, 3.0, 10.0, 11.0, math.inf])
    assert hit_rate(ranks, k=10) == pytest.approx(3 / 5)
    assert ndcg(ranks, k=10) == pytest.approx((1 + 1 / 2 + 1 / math.log2(11)) / 5)
