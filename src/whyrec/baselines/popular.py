"""The same list for everybody: what a forecasting baseline says at the fit, less what each user has had."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, field_validator

from whyrec.baselines.registry import BASELINES, build_baseline
from whyrec.baselines.scoring import rows_per_block
from whyrec.data import schema
from whyrec.data.sequences import Histories
from whyrec.data.windows import WindowLength, day_after
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.runtime.strict_model import StrictModel


class PopularConfig(StrictModel):
    """Which popularity."""

    forecaster: str = "last_30_days"
    """A forecasting baseline with its default settings: ``all_time``, ``last_7_days``, ``half_life``, ``pare``, ..."""
    window: str = "30d"
    """Length of the window that it forecasts, where that matters."""

    @field_validator("forecaster")
    @classmethod
    def _is_baseline(cls, value: str) -> str:
        if value not in BASELINES:
            raise ValueError(f"expected one of {', '.join(BASELINES)}")
        return value

    @field_validator("window")
    @classmethod
    def _is_window(cls, value: str) -> str:
        return str(WindowLength.parse(value))


class PopularRecommender(ScoringRecommender):
    """Ranks by a forecast of popularity; users without a history get the same one."""

    Config: ClassVar[type[BaseModel]] = PopularConfig
    config: PopularConfig

    def learn(self, training: TrainingData) -> None:
        """Forecast, from the end of the log where the moment of the fit lies beyond it."""
        last = training.log.select(pl.col(schema.TIMESTAMP).max()).collect().item()
        at = min(training.until, day_after(last))
        forecaster = build_baseline(self.config.forecaster, window=self.config.window)
        ranking = forecaster.fit(training.data, until=at).forecast(training.data, at=at)
        catalogue = pl.DataFrame({schema.ITEM: self.item_ids_})
        self.popularity_ = (
            catalogue.join(ranking, on=schema.ITEM, how="left", maintain_order="left")["score"]
            .cast(pl.Float64)
            .to_numpy()
        )

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Give every row the forecast."""
        scores = torch.from_numpy(self.popularity_.astype(np.float32))
        size = rows_per_block(len(scores))
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            yield block, scores.repeat(len(block), 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Nothing more than the popularity, which every recommender keeps."""
        return {}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Nothing to take back."""
