"""TRAIL offline: what is taken out of log or catalogue is not forecast from; drivers become the top list's."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from contracts.forecaster import CUTOFF, small_world, with_events
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError
from whyrec.evaluation.faithfulness import EvidencePool
from whyrec.methods.trail.explained import ExplainedItem
from whyrec.methods.trail.offline import OfflineConfig, OfflineForecaster
from whyrec.methods.trail.offline.explain import explain_forecast
from whyrec.methods.trail.offline.removing import DRIVERS, FIELDS, MONTHS, ForecastRemovals

ITEM = "p04"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small_world()


@pytest.fixture(scope="module")
def fitted(data: Dataset) -> OfflineForecaster:
    # So many cut-offs that there is something to split by: a leaf holds 30 rows.
    settings = OfflineConfig(rounds=40, training_cutoffs=20, cutoff_step_days=5, validation_cutoffs=1, bags=1)
    return OfflineForecaster(settings).fit(data, until=CUTOFF)


@pytest.fixture(scope="module")
def item(data: Dataset, fitted: OfflineForecaster) -> ExplainedItem:
    [found] = explain_forecast(fitted, data, at=CUTOFF, item_ids=[ITEM]).items
    return found


@pytest.fixture(scope="module")
def pools(data: Dataset, fitted: OfflineForecaster, item: ExplainedItem) -> dict[str, EvidencePool]:
    return {pool.kind: pool for pool in ForecastRemovals(fitted, data, CUTOFF).evidence_pools(item)}


def expected(fitted: OfflineForecaster, data: Dataset) -> float:
    """The public forecast's."""
    return float(np.log1p(fitted.forecast(data, at=CUTOFF).filter(item_id=ITEM)["expected"].item()))


def test_months_are_those_with_users_and_cited_are_those_of_the_claims(
    pools: dict[str, EvidencePool], item: ExplainedItem
) -> None:
    pool = pools[MONTHS]
    cited = {name for claim in item.explanation.verdict.claims for name in claim.evidence_ids}
    with_users = {f"month:{it.window.start:%Y-%m}" for it in item.facts.months if it.users}
    assert {*pool.cited, *pool.others} == with_users
    assert "month:2020-02" not in with_users, "a month without users cannot be taken away"
    assert set(pool.cited) == {name for name in cited if name.startswith("month:")} != set()


def test_a_month_that_is_taken_away_is_not_in_the_log(
    pools: dict[str, EvidencePool], fitted: OfflineForecaster, data: Dataset
) -> None:
    pool = pools[MONTHS]
    assert pool.score_without(()) == pytest.approx(expected(fitted, data), abs=1e-9)
    moved = []
    for month in (1, 5, 6):
        in_month = pl.col("timestamp").dt.month() == month
        log = data.interactions.filter(~((pl.col("item_id") == ITEM) & in_month))
        less = expected(fitted, replace(data, interactions=log))
        assert pool.score_without([f"month:2020-{month:02}"]) == pytest.approx(less, abs=1e-9)
        moved.append(less)
    assert len({pool.score_without(()), *moved}) > 1, "else the test proves nothing"


def test_a_field_that_is_taken_away_is_not_in_the_catalogue(
    pools: dict[str, EvidencePool], fitted: OfflineForecaster, data: Dataset
) -> None:
    pool = pools[FIELDS]
    assert {*pool.cited, *pool.others} == {"title", "attribute:genres", "attribute:maker"}
    assert pool.score_without(()) == pytest.approx(expected(fitted, data), abs=1e-9)
    blank = pl.when(pl.col("item_id") == ITEM).then(None).otherwise(pl.col("genres")).alias("genres")
    less = replace(data, items=data.items.with_columns(blank))
    assert pool.score_without(["attribute:genres"]) == pytest.approx(expected(fitted, less), abs=1e-9)


def test_a_driver_that_is_taken_away_is_that_of_the_top_of_the_list(
    pools: dict[str, EvidencePool], item: ExplainedItem
) -> None:
    pool = pools[DRIVERS]
    assert {*pool.cited, *pool.others} == {f"driver:{driver.id}" for driver in item.drivers}
    whole, nothing_left = pool.score_without(()), pool.score_without((*pool.cited, *pool.others))
    assert whole != pytest.approx(nothing_left, abs=1e-3)
    # With all groups gone every item is the mean of the references.
    assert pool.score_without(()) == whole


def test_all_items_without_any_driver_are_alike(data: Dataset, fitted: OfflineForecaster) -> None:
    removals = ForecastRemovals(fitted, data, CUTOFF)
    found = [
        {pool.kind: pool for pool in removals.evidence_pools(it)}[DRIVERS]
        for it in explain_forecast(fitted, data, at=CUTOFF, k=3).items
    ]
    empty = [pool.score_without((*pool.cited, *pool.others)) for pool in found]
    assert empty == pytest.approx([empty[0]] * 3, abs=1e-9)
    assert len({pool.score_without(()) for pool in found}) > 1


def test_the_future_changes_nothing(data: Dataset, fitted: OfflineForecaster, item: ExplainedItem) -> None:
    users = [f"u{n:02}" for n in range(40)]
    later, earlier = (
        with_events(data, user_ids=users, item_id=ITEM, at=CUTOFF + timedelta(hours=hours)) for hours in (0, -1)
    )
    found = []
    for version in (data, later, earlier):
        removals = ForecastRemovals(fitted, version, CUTOFF)
        ids = ((DRIVERS, ["driver:recency"]), (MONTHS, ["month:2020-05"]), (FIELDS, ["attribute:genres"]))
        pools = {pool.kind: pool for pool in removals.evidence_pools(item)}
        found.append([pools[kind].score_without(names) for kind, names in ids])
    assert found[0] == found[1]
    assert found[0] != found[2], "an hour earlier they are seen"


def test_a_moment_before_the_fit_is_refused(data: Dataset, fitted: OfflineForecaster) -> None:
    with pytest.raises(InvalidConfigError, match="expected"):
        ForecastRemovals(fitted, data, CUTOFF - timedelta(days=1))
