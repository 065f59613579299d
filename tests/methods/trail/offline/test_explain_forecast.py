from datetime import timedelta

import pytest

from contracts.forecaster import CUTOFF, small_world, with_events
from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset
from whyrec.data.facts import item_facts
from whyrec.errors import UnknownIdError
from whyrec.interfaces import Explanation, ForecastPoint, Verdict
from whyrec.methods.trail import writer as module
from whyrec.methods.trail.explained import ExplainedItem, explanation_record
from whyrec.methods.trail.offline import OfflineConfig, OfflineForecaster
from whyrec.methods.trail.offline.explain import explain_forecast
from whyrec.methods.trail.writer import ATTEMPTS, write_explanation

QUICK = OfflineConfig(rounds=5, training_cutoffs=4, validation_cutoffs=1, bags=1)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small_world()


@pytest.fixture(scope="module")
def fitted(data: Dataset) -> OfflineForecaster:
    return OfflineForecaster(QUICK).fit(data, until=CUTOFF)


def test_one_look_says_what_forecast_and_drivers_say(data: Dataset, fitted: OfflineForecaster) -> None:
    explained = explain_forecast(fitted, data, at=CUTOFF, k=3)
    assert explained.ranking.equals(fitted.forecast(data, at=CUTOFF))
    ids = [item.point.item_id for item in explained.items]
    assert ids == explained.ranking["item_id"].head(3).to_list()
    _, drivers = fitted.forecast_with_drivers(data, item_ids=ids, at=CUTOFF)
    assert {item.point.item_id: item.drivers for item in explained.items} == drivers
    row = explained.ranking.row(2, named=True)
    assert explained.items[2].point == ForecastPoint(
        ids[2], explained.window, 3, row["expected"], row["low"], row["high"]
    )
    assert explained.window.start == CUTOFF
    assert explained.window.days == 30


def test_the_future_changes_no_word(data: Dataset, fitted: OfflineForecaster) -> None:
    users = [f"u{n:02}" for n in range(40)]
    changed = with_events(data, user_ids=users, item_id="p00", at=CUTOFF + timedelta(hours=1))
    earlier = with_events(data, user_ids=users, item_id="p00", at=CUTOFF - timedelta(hours=1))
    texts = [
        explanation_record(explain_forecast(fitted, version, at=CUTOFF, item_ids=["p00"]).items[0])
        for version in (data, changed, earlier)
    ]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2], "the same events an hour before the cut-off are seen"


def test_items_are_explained_in_the_order_asked_for(data: Dataset, fitted: OfflineForecaster) -> None:
    explained = explain_forecast(fitted, data, at=CUTOFF, item_ids=["n1", "p03"])
    assert [item.facts.item_id for item in explained.items] == ["n1", "p03"]
    with pytest.raises(UnknownIdError, match="small world: expected an item_id of the catalogue, got 'zz'"):
        explain_forecast(fitted, data, at=CUTOFF, item_ids=["p03", "zz"])


@pytest.mark.parametrize("n_failures", [0, 2, 99])
def test_what_fails_verification_is_written_again_and_never_called_verified(
    n_failures: int, data: Dataset, fitted: OfflineForecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def write(*arguments: object, seed: int = 0, **keywords: object) -> Explanation:
        seeds.append(seed)
        honest = write_explanation(*arguments, seed=seed, **keywords)  # type: ignore[arg-type]
        if len(seeds) > n_failures:
            return honest
        return Explanation(honest.item_id, "", honest.sections, honest.evidence, Verdict(()), honest.writer)

    monkeypatch.setattr(module, "write_explanation", write)
    (item,) = explain_forecast(fitted, data, at=CUTOFF, item_ids=["p03"]).items
    assert seeds == list(range(min(n_failures + 1, ATTEMPTS)))
    assert explanation_record(item)["verified"] is (n_failures < ATTEMPTS)


def test_the_reason_is_one_whole_sentence_whatever_the_title() -> None:
    data = bundled_dataset()
    cutoff = data.time_range[1]
    stopped = data.items.filter(data.items["title"].str.contains(r"[.!?] "))
    ids = stopped["item_id"].head(200).to_list()
    assert len(ids) > 20
    window = OfflineConfig().length.following(cutoff)
    for item_id, facts in item_facts(data, item_ids=ids, cutoff=cutoff).items():
        point = ForecastPoint(item_id, window, 1, 5.0, 1.0, 9.0)
        item = ExplainedItem(facts, point, (), write_explanation(facts, point))
        assert item.reason.endswith((".", ".”", "”."))
        assert item.reason.count("“") == item.reason.count("”")
