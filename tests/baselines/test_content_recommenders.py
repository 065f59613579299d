"""Recommenders that read texts, and the popular list."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from contracts.recommender import UNTIL, USERS, checkerboard
from whyrec.baselines.content import Bm25Recommender, ContentConfig, TextKnnRecommender
from whyrec.baselines.popular import PopularConfig, PopularRecommender
from whyrec.baselines.registry import BASELINES, build_baseline
from whyrec.data.dataset import Dataset
from whyrec.data.whole_texts import whole_texts
from whyrec.recommending.base import ScoringRecommender
from whyrec.runtime.config import validated

START = datetime(2020, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=50)


def world(titles: dict[str, str], had: str) -> Dataset:
    """One user, who had some items a day after each other."""
    log = pl.DataFrame(
        {"user_id": "u", "item_id": list(had), "timestamp": [START + timedelta(days=n) for n in range(len(had))]},
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return Dataset.from_frames(log, pl.DataFrame({"item_id": list(titles), "title": list(titles.values())}))


def ranked(recommender: ScoringRecommender, data: Dataset) -> list[str]:
    lists = recommender.fit(data, until=LATER).recommend(data, user_ids=["u"], unknown="raise")
    return lists["item_id"].to_list()


def test_rare_words_in_common_count_most() -> None:
    titles = {"a": "the glass harbour", "b": "the glass", "c": "the harbour wall", "d": "the hill", "e": "a glass"}
    assert ranked(Bm25Recommender(), world(titles, "a"))[:3] == ["c", "b", "e"]


def test_newer_items_ask_louder() -> None:
    titles = {"a": "glass", "b": "stone", "c": "glass bead", "d": "stone wall"}
    config = ContentConfig(half_life=1)
    assert ranked(Bm25Recommender(config), world(titles, "ab")) == ["d", "c"]
    assert ranked(Bm25Recommender(config), world(titles, "ba")) == ["c", "d"]


def test_texts_without_a_word_leave_the_popular_items() -> None:
    data = world({"a": "!", "b": "?", "c": "..."}, "a")
    fitted = Bm25Recommender().fit(data, until=LATER)
    assert ranked(Bm25Recommender(), data) == ["b", "c"]
    assert fitted.arrays()["n_words"].tolist() == [1]


def test_meaning_is_enough_for_embeddings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    titles = {"a": "a cat", "b": "gearbox for trucks", "c": "kitten", "d": "diesel engine"}
    assert ranked(TextKnnRecommender(), world(titles, "a"))[0] == "c"


def test_an_items_text_is_all_that_the_catalogue_says() -> None:
    items = pl.DataFrame(
        {
            "item_id": ["a", "b"],
            "maker": ["North", None],
            "title": ["Rope", "Sail"],
            "genres": [["long", "thin"], []],
            "year": [1990, 2000],
        }
    )
    assert whole_texts(items) == ["Rope. North. long thin", "Sail. "]


@pytest.mark.parametrize("name", ["all_time", "last_7_days", "half_life", "pare_history"])
def test_the_popular_list_is_the_forecast(name: str) -> None:
    data = checkerboard()
    fitted = PopularRecommender(PopularConfig(forecaster=name)).fit(data, until=UNTIL)
    last = data.before(UNTIL).select(pl.col("timestamp").max()).collect().item()
    at = min(UNTIL, datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1))
    forecast = build_baseline(name, window="30d").fit(data, until=at).forecast(data, at=at)
    for user in ("nobody", USERS[0]):
        lists = fitted.recommend(data, user_ids=[user], k=22, filter_seen=False)
        # Forecasts are ranked in double precision, lists in single: near ties may change places.
        assert lists["score"].to_list() == pytest.approx(forecast["score"].to_list(), rel=1e-6)


def test_popularity_is_that_at_the_end_of_the_log_however_late_the_fit() -> None:
    data = checkerboard()
    late = PopularRecommender().fit(data, until=datetime(2100, 1, 1, tzinfo=UTC))
    assert late.recommend(data, user_ids=["nobody"])["score"][0] > 0


def test_a_popularity_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=f"expected one of {', '.join(BASELINES)}, got 'luck'"):
        validated(PopularConfig, {"forecaster": "luck"}, where="popular")
    with pytest.raises(ValueError, match=r"expected 'month' or a number of days such as '30d', got '3w'"):
        validated(PopularConfig, {"window": "3w"}, where="popular")
