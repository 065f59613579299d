"""Whose absence costs an item most, against scoring again from a log that lacks one thing."""

from dataclasses import replace

import polars as pl
import pytest

from contracts.recommender import UNTIL, checkerboard
from whyrec.baselines.recommenders import RECOMMENDERS
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Histories, read_histories
from whyrec.evaluation.history_removal import history_pool
from whyrec.recommending.base import ScoringRecommender
from whyrec.recommending.influence import carriers

USER = "A00"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def fitted(data: Dataset) -> ScoringRecommender:
    chosen = RECOMMENDERS["item_knn"]
    return chosen(chosen.Config()).fit(data, until=UNTIL)


def history_of(data: Dataset, fitted: ScoringRecommender, user_id: str = USER) -> Histories:
    asked = pl.Series("user_id", [user_id])
    return read_histories(data, item_ids=fitted.item_ids_, cutoff=UNTIL, user_ids=asked)


def test_the_same_as_scoring_again_without_each(fitted: ScoringRecommender, data: Dataset) -> None:
    histories = history_of(data, fitted)
    found = carriers(fitted, histories, rows=range(len(fitted.item_ids_)))
    assert any(it is not None for it in found)
    for row, carrier in enumerate(found):
        item_id = fitted.item_ids_[row]
        pool = history_pool(fitted, data, user_id=USER, item_id=item_id, cited=[], at=UNTIL)
        whole = pool.score_without(())
        losses = {other: whole - pool.score_without([other]) for other in pool.others}
        most = max(losses.values())
        if carrier is None:
            assert most <= 1e-6
        else:
            assert losses[fitted.item_ids_[carrier.row]] == pytest.approx(most, abs=1e-6)
            assert carrier.loss == pytest.approx(most, abs=1e-6)


def test_an_item_taken_before_does_not_carry_itself(fitted: ScoringRecommender, data: Dataset) -> None:
    histories = history_of(data, fitted)
    taken = sorted({int(number) - 1 for number in histories.sequences.row(0)})
    for row, carrier in zip(taken, carriers(fitted, histories, rows=taken), strict=True):
        assert carrier is None or carrier.row != row


def test_only_the_newest_are_tried(fitted: ScoringRecommender, data: Dataset) -> None:
    histories = history_of(data, fitted)
    newest = list(dict.fromkeys(int(number) - 1 for number in histories.sequences.row(0)[::-1]))[:2]
    found = carriers(fitted, histories, rows=range(len(fitted.item_ids_)), most=2)
    assert {it.row for it in found if it is not None} <= set(newest)


def test_a_history_of_one_item_has_nothing_to_compare(fitted: ScoringRecommender, data: Dataset) -> None:
    log = data.interactions.filter(pl.col("user_id") == USER).collect()
    first = replace(data, interactions=log.head(1).lazy())
    assert carriers(fitted, history_of(first, fitted), rows=[0, 1]) == [None, None]
    assert carriers(fitted, history_of(data, fitted), rows=[]) == []


def test_nothing_later_is_read(fitted: ScoringRecommender, data: Dataset) -> None:
    """A planted later interaction is not among what carries an item."""
    later = data.interactions.filter(pl.col("user_id") == USER).tail(1).collect()
    planted = later.with_columns(
        pl.lit(fitted.item_ids_[-1]).alias("item_id"), pl.lit(UNTIL).alias("timestamp").cast(later.schema["timestamp"])
    )
    leaky = replace(data, interactions=pl.concat([data.interactions.collect(), planted]).lazy())
    rows = range(len(fitted.item_ids_))
    assert carriers(fitted, history_of(leaky, fitted), rows=rows) == carriers(
        fitted, history_of(data, fitted), rows=rows
    )
