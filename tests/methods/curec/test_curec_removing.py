"""CURec: a reason that is taken away is not read any more, and only those that the text tells are cited."""

from dataclasses import replace

import numpy as np
import pytest
from curec_camps import fitted

from contracts.recommender import STRANGER, UNTIL, checkerboard
from whyrec.data.dataset import Dataset
from whyrec.evaluation.faithfulness import removal_of
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.removing import evidence_pools

ME = "A00"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def shared() -> CURecRecommender:
    return fitted()


def test_reasons_told_are_cited_and_their_removal_is_the_score_without_them(
    shared: CURecRecommender, data: Dataset
) -> None:
    [entry] = shared.explain(data, user_id=ME, k=1, at=UNTIL)
    rows = [read.row for read in entry.reasons]
    assert len(rows) == 3
    told = replace(entry, reasons=(entry.reasons[0], *(replace(it, verified=False) for it in entry.reasons[1:])))
    [pool] = evidence_pools(shared, data, told, at=UNTIL)
    assert pool.cited == (str(rows[0]),)
    assert pool.others == (str(rows[1]), str(rows[2]))
    ask = {"user_id": ME, "item_id": entry.explanation.item_id, "at": UNTIL}
    assert pool.score_without(()) == shared.score(data, **ask)
    assert pool.score_without(pool.cited) == shared.score(data, without=rows[:1], **ask) != shared.score(data, **ask)
    found = removal_of(pool, rng=np.random.default_rng(0))
    assert found is not None
    assert sorted(found.without_random) == sorted(shared.score(data, without=[row], **ask) for row in rows[1:])


def test_what_is_told_of_all_leaves_nothing_to_compare_with(shared: CURecRecommender, data: Dataset) -> None:
    [entry] = shared.explain(data, user_id=ME, k=1, at=UNTIL)
    assert len(entry.told) == 3
    [pool] = evidence_pools(shared, data, entry, at=UNTIL)
    assert pool.others == ()
    assert removal_of(pool, rng=np.random.default_rng(0)) is None


def test_somebody_unknown_has_no_reasons(shared: CURecRecommender, data: Dataset) -> None:
    [entry] = shared.explain(data, user_id=STRANGER, k=1, at=UNTIL)
    assert evidence_pools(shared, data, entry, at=UNTIL) == []
