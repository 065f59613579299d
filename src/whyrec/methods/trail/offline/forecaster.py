"""The forecaster without a language model: learns from log and catalogue, and chooses on validation windows."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.events import EventArrays, as_days, event_arrays
from whyrec.errors import InvalidDataError
from whyrec.forecasts import read_state, require_fitted, require_positive_k, write_state
from whyrec.interfaces import FORECAST_SCHEMA, Driver
from whyrec.methods.trail.offline.blending import (
    Blend,
    Choice,
    ValidationWindow,
    blended_strength,
    choose_blend,
    validation_pairs,
)
from whyrec.methods.trail.offline.calibration import Calibration, calibrate
from whyrec.methods.trail.offline.catalogue import CatalogueVectors, catalogue_vectors
from whyrec.methods.trail.offline.config import OfflineConfig
from whyrec.methods.trail.offline.drivers import drivers_of
from whyrec.methods.trail.offline.features import FeatureTable, Past, feature_table, look_back
from whyrec.methods.trail.offline.models import (
    MODELS,
    Sample,
    contributions,
    fit_models,
    learned_strength,
    predicted_users,
)
from whyrec.methods.trail.offline.targets import outcome, past_cutoffs, training_items, volume_before
from whyrec.runtime.atomic import atomic_directory
from whyrec.runtime.progress import progress_bar

_TOP_OF_LIST = 100
"""Drivers compare an item with so many items at the top of the list."""


class OfflineForecaster:
    """Boosted trees over recency, growth, age, season, ratings, attributes and words; one setting for every data set.

    Learned state: ``models_`` (boosters by aim), ``choice_`` (the blend and its validation figures), ``calibration_``,
    ``volume_`` (distinct pairs in the window before ``until_``) and ``until_``.
    """

    writer = "offline"

    def __init__(self, config: OfflineConfig | None = None) -> None:
        self.config = config or OfflineConfig()

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Learn from interactions strictly before ``until``.

        Raises:
            InvalidDataError: If the log is too short for one window with a past.
        """
        events = event_arrays(data, before=until)
        fitting = _Fitting(events, catalogue_vectors(data.items), config=self.config, until=until)
        cutoffs = fitting.validation_cutoffs()
        with progress_bar("Learning from past windows", total=len(cutoffs) + 1) as step:
            windows = []
            for cutoff in cutoffs:
                windows.append(fitting.validate(cutoff))
                step.advance()
            self.models_ = fitting.train(until=fitting.until, bags=self.config.bags)
            step.advance()
        self.choice_ = choose_blend([window for window, _, _ in windows])
        self.calibration_ = calibrate(
            [raw for _, raw, _ in windows], [came for _, _, came in windows], interval=self.config.interval
        )
        self.volume_ = volume_before(events, day=fitting.until, days=fitting.horizon)
        self.until_ = until
        return self

    def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
        """Rank all items for the window that starts at ``at``, from interactions strictly before it.

        Returns:
            Columns of ``FORECAST_SCHEMA``, best first. ``score`` is what an item adds to the list's reach: its
            strength, lowered by the audience it shares with items above it; ``expected`` is its own audience.

        Raises:
            NotFittedError: If ``fit`` was not called.
            InvalidConfigError: If ``at`` is before the moment fitted to, or ``k`` is less than 1.
        """
        require_fitted(self, at=at)
        require_positive_k(k)
        ranked = self._ranked(*self._look(data, at=at))
        return ranked if k is None else ranked.head(k)

    def forecast_with_drivers(
        self, data: Dataset, *, at: datetime, item_ids: Sequence[str] | None = None, k: int = 10
    ) -> tuple[pl.DataFrame, dict[str, tuple[Driver, ...]]]:
        """The forecast of all items, and what moves those of some against the hundred at the top of the list.

        One look at the data serves both. Drivers come from the feature contributions of the model that forecasts the
        audience, strongest first.

        Args:
            data: The dataset; only interactions strictly before ``at`` are read.
            at: Start of the window to forecast.
            item_ids: Whose drivers; None for the top ``k`` of the list.
            k: How many, where no items are named.

        Raises:
            NotFittedError: If ``fit`` was not called.
            InvalidConfigError: If ``at`` is before the moment fitted to, or ``k`` is less than 1.
        """
        require_fitted(self, at=at)
        require_positive_k(k)
        past, table = self._look(data, at=at)
        ranked = self._ranked(past, table)
        position = {item_id: row for row, item_id in enumerate(past.events.item_ids)}
        top = [position[item_id] for item_id in ranked[schema.ITEM].head(_TOP_OF_LIST)]
        chosen = list(ranked[schema.ITEM].head(k) if item_ids is None else item_ids)
        rows = [position[item_id] for item_id in chosen]
        reference = contributions(self.models_, table.values[top]).mean(axis=0)
        effects = contributions(self.models_, table.values[rows]) - reference
        drivers = {
            item_id: drivers_of(table.names, effects=effects[n], values=table.values[row])
            for n, (item_id, row) in enumerate(zip(chosen, rows, strict=True))
        }
        return ranked, drivers

    def save(self, directory: Path) -> None:
        """Write ``forecaster.json`` and one LightGBM text file per model into ``directory``."""
        require_fitted(self)
        state = {
            "until_": self.until_.isoformat(),
            "volume_": self.volume_,
            "calibration_": self.calibration_.model_dump(),
            "choice_": _choice_as_json(self.choice_),
        }
        with atomic_directory(directory) as partial:
            for name, boosters in self.models_.items():
                for bag, booster in enumerate(boosters):
                    booster.save_model(partial / f"{name}.{bag}.lightgbm.txt")
            write_state(partial, {"class": type(self).__name__, "config": self.config.model_dump(), "state": state})

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InvalidDataError: If the directory holds something else.
        """
        content = read_state(directory, expected_class=cls.__name__)
        forecaster = cls(OfflineConfig.model_validate(content["config"]))
        state = content["state"]
        forecaster.until_ = datetime.fromisoformat(state["until_"])
        forecaster.volume_ = state["volume_"]
        forecaster.calibration_ = Calibration.model_validate(state["calibration_"])
        forecaster.choice_ = Choice(
            Blend(**state["choice_"]["blend"]),
            {Blend(row["anchor"], row["penalty"]): row["HR@10"] for row in state["choice_"]["validation"]},
        )
        forecaster.models_ = {
            name: [
                lgb.Booster(model_file=directory / f"{name}.{bag}.lightgbm.txt")
                for bag in range(forecaster.config.bags)
            ]
            for name in MODELS
        }
        return forecaster

    def _look(self, data: Dataset, *, at: datetime) -> tuple[Past, FeatureTable]:
        past = look_back(event_arrays(data, before=at), catalogue_vectors(data.items), day=as_days(at))
        return past, feature_table(past)

    def _ranked(self, past: Past, table: FeatureTable) -> pl.DataFrame:
        score = blended_strength(past, learned_strength(self.models_, table), blend=self.choice_.blend)
        growth = volume_before(past.events, day=past.day, days=self._horizon_days) / self.volume_
        expected, low, high = self.calibration_.apply(predicted_users(self.models_, table) * growth)
        frame = pl.DataFrame(
            {schema.ITEM: past.events.item_ids, "score": score, "expected": expected, "low": low, "high": high}
        )
        # Equal scores: the larger audience first, then the id, so that the same data always gives the same list.
        return (
            frame.sort(["score", "expected", schema.ITEM], descending=[True, True, False])
            .with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("rank"))
            .select(list(FORECAST_SCHEMA))
            .cast(pl.Schema(FORECAST_SCHEMA))
        )

    @property
    def _horizon_days(self) -> float:
        return self.config.length.following(self.until_).days


class _Fitting:
    """One call of ``fit``: the events, and the feature tables that several models share."""

    def __init__(
        self, events: EventArrays, catalogue: CatalogueVectors, *, config: OfflineConfig, until: datetime
    ) -> None:
        self.events, self.catalogue, self.config = events, catalogue, config
        self.until = as_days(until)
        self.horizon = config.length.preceding(until).days
        self.earliest = float(events.day[0]) if events.n_events else np.inf
        self._samples: dict[float, Sample] = {}
        if not self._cutoffs(self.until):
            needed = config.warmup_days + self.horizon
            found = f"{self.until - self.earliest:.1f}" if events.n_events else "none"
            raise InvalidDataError(
                f"fit until {until.isoformat()}: expected at least {needed:g} days of interactions before it, "
                f"got {found}. Use a later date, a shorter window or fewer warmup_days."
            )

    def _cutoffs(self, until: float) -> list[float]:
        return past_cutoffs(until=until, earliest=self.earliest, horizon=self.horizon, config=self.config)

    def validation_cutoffs(self) -> list[float]:
        """Past moments with a full window after them and something to learn from before them, latest first."""
        latest = self.until - self.horizon
        moments = [latest - k * self.config.validation_step_days for k in range(self.config.validation_cutoffs)]
        return [moment for moment in moments if self._cutoffs(moment)]

    def train(self, *, until: float, bags: int) -> dict[str, list[lgb.Booster]]:
        """Models from windows that end at or before ``until``."""
        today = volume_before(self.events, day=until, days=self.horizon)
        samples = []
        for cutoff in self._cutoffs(until):
            sample = self._sample(cutoff)
            then = volume_before(self.events, day=cutoff, days=self.horizon)
            samples.append(Sample(sample.features, sample.outcome, sample.items, growth=today / then))
        return fit_models(samples, config=self.config, bags=bags)

    def validate(self, cutoff: float) -> tuple[ValidationWindow, NDArray[np.float64], NDArray[np.float64]]:
        """A validation window, its raw forecasts and the audiences that came."""
        models = self.train(until=cutoff, bags=1)
        past = look_back(self.events, self.catalogue, day=cutoff)
        table = feature_table(past)
        end = cutoff + self.horizon
        truth, seen = validation_pairs(self.events, start=cutoff, end=end)
        window = ValidationWindow(past, learned_strength(models, table), truth, seen)
        return window, predicted_users(models, table), outcome(self.events, start=cutoff, end=end).users

    def _sample(self, cutoff: float) -> Sample:
        if cutoff not in self._samples:
            past = look_back(self.events, self.catalogue, day=cutoff)
            items = training_items(past, config=self.config)
            came = outcome(self.events, start=cutoff, end=cutoff + self.horizon)
            self._samples[cutoff] = Sample(feature_table(past, rows=items).values, came, items, growth=1.0)
        return self._samples[cutoff]


def _choice_as_json(choice: Choice) -> dict[str, object]:
    return {
        "blend": {"anchor": choice.blend.anchor, "penalty": choice.blend.penalty},
        "validation": [
            {"anchor": blend.anchor, "penalty": blend.penalty, "HR@10": hit_rate}
            for blend, hit_rate in choice.hit_rates.items()
        ],
    }
