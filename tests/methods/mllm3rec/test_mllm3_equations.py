"""M-LLM3REC's equations by hand, and the published rows that cannot be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import InvalidConfigError
from whyrec.evaluation.consistency import consistency_bounds
from whyrec.methods.mllm3rec.equations import coherence, mean_ranks, semantic_context, top_k
from whyrec.paper_index import Paper, SourceTree, read_papers


def test_eq2_joins_what_was_taken_with_what_was_said_of_it() -> None:
    assert semantic_context(["Soap | mild", "Pen"], ["rated 5", ""]) == "H1. Soap | mild | rated 5\nH2. Pen"
    assert semantic_context([], []) == ""


def test_eq5_is_the_mean_over_pairs_of_different_profiles() -> None:
    """Pairs of .2, .4 and .9: (.2 + .4 + .9) / 3 = .5; the paper's form (3 + 2 * 1.5) / 9 = 2 / 3."""
    similarity = np.array([[1, 0.2, 0.4], [0.2, 1, 0.9], [0.4, 0.9, 1]])
    assert coherence(similarity) == pytest.approx((0.2 + 0.4 + 0.9) / 3)
    assert coherence(similarity, with_itself=True) == pytest.approx((3 + 2 * 1.5) / 9)


@given(k=st.integers(2, 8))
def test_eq5_with_itself_never_falls_below_one_over_k(k: int) -> None:
    """Profiles with nothing in common: M8 says 0, the paper's form 1 / k."""
    assert coherence(np.eye(k)) == 0
    assert coherence(np.eye(k), with_itself=True) == pytest.approx(1 / k)


def test_eq5_of_fewer_than_two_profiles_is_unknown() -> None:
    assert math.isnan(coherence(np.ones((1, 1))))
    assert math.isnan(coherence(np.zeros((0, 0)), with_itself=True))


def test_eq9_takes_the_best_and_leaves_ties_in_their_order() -> None:
    scores = np.array([1.0, 3.0, 2.0, 3.0])
    assert top_k(scores, k=3).tolist() == [1, 3, 2]
    assert top_k(scores, k=9).tolist() == [1, 3, 2, 0]
    with pytest.raises(InvalidConfigError, match="expected k of at least 1, got 0"):
        top_k(scores, k=0)


def test_ranks_are_averaged() -> None:
    assert mean_ranks(np.array([[1, 2, 3], [3, 2, 1], [1, 3, 2]])).tolist() == [5 / 3, 7 / 3, 2]


def paper() -> Paper:
    (found,) = [it for it in read_papers(SourceTree.installed()) if it.key == "M-LLM3REC"]
    return found


def test_all_nine_equations_and_fourteen_deviations_are_listed() -> None:
    found = paper()
    assert [it.number for it in found.equations] == [str(n) for n in range(1, 10)]
    assert [it.id for it in found.deviations] == [f"M{n}" for n in range(1, 15)]
    assert [it.number for it in found.equations if it.status == "implemented"] == ["2", "5", "9"]


def test_published_rows_are_flagged_where_their_metrics_contradict_each_other() -> None:
    rows = paper().published
    assert len(rows) == 42
    for row in rows:
        kept = all(bound.is_kept for bound in consistency_bounds(row.values, rounding=row.rounding))
        assert kept == row.possible, f"{row.table}, {row.data}, {row.method}"
    impossible = {(row.data, row.method) for row in rows if not row.possible}
    assert impossible >= {
        *((data, "A-LLMRec") for data in ("Beauty", "Sports", "Toys")),
        *((data, "LLM-only") for data in ("Beauty", "Toys")),
        *((data, "M-LLM3REC") for data in ("Beauty", "Sports")),
        *((data, "LightFM") for data in ("Sports", "Toys")),
        *((data, "TALLRec") for data in ("Beauty", "Sports")),
        *((data, "BERT4Rec") for data in ("Beauty", "Toys")),
        ("Beauty", "SASRec"),
    }
    assert not {(data, "BPR") for data in ("Beauty", "Sports", "Toys")} & impossible
