"""What every forecaster must do, as tests: subclass ``ForecasterContract``, give ``make``, and get them all."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.errors import InvalidDataError, NotFittedError
from whyrec.interfaces import FORECAST_SCHEMA, Forecaster

START = datetime(2020, 1, 1, tzinfo=UTC)
CUTOFF = START + timedelta(days=180)
NEVER_SEEN = ("n0", "n1")


def small_world() -> Dataset:
    """Forty users and twelve items over 240 days, popularity that rises, falls or stays; two items nobody takes.

    Item p00 falls, p01 rises, and so on in turn; p10 and p11 appear only in the last 70 and the last 40 days.
    """
    rng = np.random.default_rng(11)
    rows = []
    for day in range(240):
        for number in range(12):
            rate = (0.9 - day / 300, 0.1 + day / 300, 0.4)[number % 3] * (1 + number % 4) / 3
            if number >= 10 and day < 240 - 70 + 30 * (number - 10):
                continue
            users = rng.choice(40, size=rng.poisson(rate), replace=False)
            hours = rng.integers(24, size=len(users)).tolist()
            rows += [
                (f"u{user:02}", f"p{number:02}", START + timedelta(days=day, hours=hour))
                for user, hour in zip(users, hours, strict=True)
            ]
    log = pl.DataFrame(
        rows, schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}, orient="row"
    )
    ids = [f"p{number:02}" for number in range(12)] + list(NEVER_SEEN)
    genres = [["drama"], ["comedy"], ["drama", "war"], ["comedy", "war"]]
    items = pl.DataFrame(
        {
            "item_id": ids,
            "title": [f"Title {item_id}" for item_id in ids],
            "genres": [genres[n % 4] for n in range(len(ids))],
            "maker": [("north", "south", "east")[n % 3] for n in range(len(ids))],
        }
    )
    return Dataset.from_frames(log.with_columns(pl.lit(8.0).alias("rating")), items, name="small world")


def with_events(data: Dataset, *, user_ids: list[str], item_id: str, at: datetime) -> Dataset:
    """The same data with one more interaction per user."""
    more = pl.DataFrame(
        {"user_id": user_ids, "item_id": item_id, "timestamp": at, "rating": 10.0},
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE, "rating": pl.Float64},
    )
    return Dataset.from_frames(pl.concat([data.interactions.collect(), more]), data.items, name=data.name)


class ForecasterContract(ABC):
    """Subclass, give ``make``; say ``needs_history = True`` if it cannot be fitted on an empty past."""

    needs_history: ClassVar[bool] = False

    @abstractmethod
    def make(self) -> Forecaster:
        """A new, unfitted forecaster for 30-day windows, quick enough to be fitted a dozen times."""

    @pytest.fixture
    def data(self) -> Dataset:
        return small_world()

    @pytest.fixture
    def fitted(self, data: Dataset) -> Forecaster:
        return self.make().fit(data, until=CUTOFF)

    def test_follows_the_protocol(self) -> None:
        assert isinstance(self.make(), Forecaster)

    def test_fit_returns_itself(self, data: Dataset) -> None:
        forecaster = self.make()
        assert forecaster.fit(data, until=CUTOFF) is forecaster

    def test_not_fitted_is_refused(self, data: Dataset, tmp_path: Path) -> None:
        with pytest.raises(NotFittedError, match="Call fit or load first"):
            self.make().forecast(data, at=CUTOFF)
        with pytest.raises(NotFittedError, match="Call fit or load first"):
            self.make().save(tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_list_has_the_schema_and_every_catalogue_item_once(self, data: Dataset, fitted: Forecaster) -> None:
        ranking = fitted.forecast(data, at=CUTOFF)
        assert dict(ranking.schema) == FORECAST_SCHEMA
        assert sorted(ranking["item_id"]) == sorted(data.items["item_id"])
        assert set(NEVER_SEEN) <= set(ranking["item_id"])

    def test_ranks_are_dense_from_one_and_follow_the_score(self, data: Dataset, fitted: Forecaster) -> None:
        ranking = fitted.forecast(data, at=CUTOFF)
        assert ranking["rank"].to_list() == list(range(1, data.items.height + 1))
        assert ranking["score"].is_finite().all()
        assert ranking["score"].is_sorted(descending=True)

    def test_expected_users_and_interval_are_possible(self, data: Dataset, fitted: Forecaster) -> None:
        ranking = fitted.forecast(data, at=CUTOFF)
        assert ranking["expected"].is_finite().all()
        assert (ranking["expected"] >= 0).all()
        stated = ranking.drop_nulls(["low", "high"])
        assert stated.height in (0, ranking.height)
        assert ((stated["low"] >= 0) & (stated["low"] <= stated["high"])).all()

    def test_expected_users_are_on_the_scale_of_the_window(self, data: Dataset, fitted: Forecaster) -> None:
        """Not 7-day counts, not logarithms: the total is within a factor of three of what came the window before."""
        before = (
            data.between(CUTOFF - timedelta(days=30), CUTOFF).select("user_id", "item_id").unique().collect().height
        )
        assert before / 3 < fitted.forecast(data, at=CUTOFF)["expected"].sum() < before * 3

    def test_k_cuts_the_same_list(self, data: Dataset, fitted: Forecaster) -> None:
        whole = fitted.forecast(data, at=CUTOFF)
        assert_frame_equal(fitted.forecast(data, at=CUTOFF, k=5), whole.head(5))
        assert_frame_equal(fitted.forecast(data, at=CUTOFF, k=10_000), whole)

    def test_same_seed_same_list(self, data: Dataset, fitted: Forecaster) -> None:
        again = self.make().fit(small_world(), until=CUTOFF)
        assert_frame_equal(again.forecast(data, at=CUTOFF), fitted.forecast(data, at=CUTOFF), check_exact=True)

    def test_saved_and_loaded_forecasts_the_same(self, data: Dataset, fitted: Forecaster, tmp_path: Path) -> None:
        fitted.save(tmp_path / "run")
        loaded = type(fitted).load(tmp_path / "run")
        later = CUTOFF + timedelta(days=30)
        for at in (CUTOFF, later):
            assert_frame_equal(loaded.forecast(data, at=at), fitted.forecast(data, at=at), check_exact=True)
        files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
        assert files
        assert {path.suffix for path in files} <= {".json", ".safetensors", ".parquet", ".txt"}

    def test_loading_something_else_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidDataError, match="expected"):
            type(self.make()).load(tmp_path)

    def test_nothing_from_the_future(self, data: Dataset) -> None:
        """Forty users take a never-seen item from the cut-off on: the list must not move by a hair."""
        crowd = [f"u{n:02}" for n in range(40)]
        leaked = with_events(data, user_ids=crowd, item_id=NEVER_SEEN[0], at=CUTOFF)
        honest = self.make().fit(data, until=CUTOFF).forecast(data, at=CUTOFF)
        planted = self.make().fit(leaked, until=CUTOFF).forecast(leaked, at=CUTOFF)
        assert_frame_equal(planted, honest, check_exact=True)

    def test_whole_future_removed_changes_nothing(self, data: Dataset, fitted: Forecaster) -> None:
        past = Dataset.from_frames(data.before(CUTOFF).collect(), data.items, name=data.name)
        alone = self.make().fit(past, until=CUTOFF).forecast(past, at=CUTOFF)
        assert_frame_equal(alone, fitted.forecast(data, at=CUTOFF), check_exact=True)

    def test_the_past_does_count(self, data: Dataset) -> None:
        """The same crowd one day before the cut-off must move the item up: else the two tests above prove nothing."""
        crowd = [f"u{n:02}" for n in range(40)]
        early = with_events(data, user_ids=crowd, item_id=NEVER_SEEN[0], at=CUTOFF - timedelta(days=1))
        ranks = [
            self.make().fit(world, until=CUTOFF).forecast(world, at=CUTOFF).filter(item_id=NEVER_SEEN[0])["rank"].item()
            for world in (data, early)
        ]
        assert ranks[1] < ranks[0]

    def test_an_empty_past_gives_a_full_list_or_a_clear_error(self, data: Dataset) -> None:
        if self.needs_history:
            with pytest.raises(InvalidDataError, match="got none"):
                self.make().fit(data, until=START)
            return
        ranking = self.make().fit(data, until=START).forecast(data, at=START)
        assert ranking.height == data.items.height
        assert ranking["score"].n_unique() == 1

    def test_an_item_that_fit_did_not_know_can_be_forecast(self, data: Dataset, fitted: Forecaster) -> None:
        newcomer = pl.DataFrame({"item_id": ["new"], "title": ["New"], "genres": [["opera"]], "maker": ["nobody"]})
        grown = Dataset.from_frames(data.interactions, pl.concat([data.items, newcomer]), name=data.name)
        ranking = fitted.forecast(grown, at=CUTOFF)
        assert ranking.filter(item_id="new")["expected"].is_finite().item()

    def test_order_of_catalogue_rows_does_not_matter(self, data: Dataset, fitted: Forecaster) -> None:
        turned = Dataset.from_frames(data.interactions, data.items.reverse(), name=data.name)
        ranking = self.make().fit(turned, until=CUTOFF).forecast(turned, at=CUTOFF)
        assert_frame_equal(ranking, fitted.forecast(data, at=CUTOFF), check_exact=True)

    def test_fitting_does_not_change_the_data(self, data: Dataset) -> None:
        before = data.interactions.collect()
        self.make().fit(data, until=CUTOFF).forecast(data, at=CUTOFF)
        assert_frame_equal(data.interactions.collect(), before)
