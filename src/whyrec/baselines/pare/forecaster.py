"""PARE as a forecaster: fit with validation, forecast, save and load.

The published description has four modules; what the published code leaves open or gets wrong is settled here as
follows. Settings are chosen on the window before ``until``, never on a test window. Means leave padding out. The fusion
weights are a softmax. A month that training never saw takes the newest month's embedding. An item's release is read
from windows before the target. Items and months that were not trained are zero vectors, not random ones.
"""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from whyrec.baselines.pare.attributes import Vocabulary, learn_vocabulary
from whyrec.baselines.pare.config import PareConfig
from whyrec.baselines.pare.model import PareNetwork, Sizes
from whyrec.baselines.pare.panel import Grid, Panel, count_panel, indexed, training_rows
from whyrec.baselines.pare.train import Choice, Judge, choose, first_choice, predict, train
from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window
from whyrec.errors import InvalidDataError
from whyrec.evaluation.rolling import per_user_metrics, window_truth
from whyrec.forecasts import forecast_frame, read_state, require_fitted, write_state
from whyrec.runtime.atomic import atomic_directory
from whyrec.runtime.threads import one_thread

_WEIGHTS = "network.safetensors"
_ITEMS = "items.parquet"
_MIN_WINDOWS = 3
"""Two to learn from and one to choose on; with fewer, the first candidates are taken as they are."""
_METRIC = "NDCG@10"


class PareForecaster:
    """Forecasts users per item from history, time since release, season and attributes.

    ``score`` is expm1 of the fused log count. Training sees as many busy windows as quiet ones, so scores are far too
    high for the quiet majority; ``expected`` is the score times ``scale_``, users in the last window before ``until``
    over the scores that the trained network gives them. Equal scores are ranked by item_id, ascending; no interval is
    stated.
    """

    config: PareConfig
    until_: datetime
    choice_: Choice
    grid_: Grid
    vocabulary_: Vocabulary
    network_: PareNetwork
    scale_: float

    def __init__(self, config: PareConfig) -> None:
        self.config = config

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Choose settings on the last window before ``until``, then train on all windows before it.

        Raises:
            InvalidDataError: If no catalogue item has an interaction before ``until``.
            InvalidConfigError: If a configured column is not in the catalogue.
        """
        panel = count_panel(data, at=until, length=self.config.length)
        if not panel.users.any():
            raise InvalidDataError(
                f"{data.name}: expected interactions with catalogue items before {until.isoformat()}, got none. "
                "Fit with a later until."
            )
        with one_thread():
            choice = self._choose(data, panel=panel, until=until)
            grid, vocabulary = self._tables(data, panel, until=until, n_windows=panel.n_windows)
            filled = indexed(panel, data, at=until, grid=grid, vocabulary=vocabulary)
            sizes = _sizes(grid, vocabulary)
            network = train(filled, sizes=sizes, config=self.config, choice=choice, n_windows=panel.n_windows)
        self.until_, self.choice_, self.grid_ = until, choice, grid
        self.vocabulary_, self.network_ = vocabulary, network
        self.scale_ = self._scale(filled)
        return self

    def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
        """Rank the catalogue for the window that starts at ``at``; see ``Forecaster.forecast``.

        Raises:
            NotFittedError: If ``fit`` or ``load`` has not been called.
            InvalidConfigError: If ``at`` lies before the moment up to which it was fitted.
        """
        require_fitted(self, at=at)
        panel = count_panel(data, at=at, length=self.config.length)
        filled = indexed(panel, data, at=at, grid=self.grid_, vocabulary=self.vocabulary_)
        users = predict(self.network_, filled, target=panel.n_windows, max_history=self.config.max_history)
        scores = pl.DataFrame({schema.ITEM: panel.item_ids, "users": users})
        ranking = forecast_frame(data.items[schema.ITEM], expected=scores, k=k)
        return ranking.with_columns(pl.col("expected") * self.scale_)

    def save(self, directory: Path) -> None:
        """Write settings as JSON, weights as safetensors, and the item table's rows as Parquet.

        Raises:
            NotFittedError: If there is no state yet.
        """
        require_fitted(self)
        state = {
            "until_": self.until_.isoformat(),
            "scale_": self.scale_,
            "choice_": asdict(self.choice_),
            "grid_": {name: getattr(self.grid_, name) for name in ("window_days", "n_windows", "last_trained")},
            "vocabulary_": asdict(self.vocabulary_),
        }
        rows = pl.DataFrame(
            {schema.ITEM: list(self.grid_.items), "row": list(self.grid_.items.values())},
            schema={schema.ITEM: pl.String, "row": pl.Int64},
        )
        with atomic_directory(directory) as partial:
            content: dict[str, object] = {
                "class": type(self).__name__,
                "config": self.config.model_dump(),
                "state": state,
            }
            write_state(partial, content)
            save_file(self.network_.state_dict(), partial / _WEIGHTS)
            rows.write_parquet(partial / _ITEMS)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InvalidDataError: If the directory holds something else.
        """
        content = read_state(directory, expected_class=cls.__name__)
        forecaster = cls(PareConfig.model_validate(content["config"]))
        state = content["state"]
        forecaster.until_ = datetime.fromisoformat(state["until_"])
        forecaster.scale_ = state["scale_"]
        forecaster.choice_ = Choice(**state["choice_"])
        rows = dict(pl.read_parquet(directory / _ITEMS).iter_rows())
        forecaster.grid_ = Grid(until=forecaster.until_, items=rows, **state["grid_"])
        columns = tuple(state["vocabulary_"].pop("side_columns"))
        forecaster.vocabulary_ = Vocabulary(side_columns=columns, **state["vocabulary_"])
        forecaster.network_ = PareNetwork(
            _sizes(forecaster.grid_, forecaster.vocabulary_),
            embedding_dim=forecaster.choice_.embedding_dim,
            smoothing=forecaster.choice_.smoothing,
            modules=forecaster.config.modules,
            fusion=forecaster.choice_.fusion,
        )
        forecaster.network_.load_state_dict(load_file(directory / _WEIGHTS))
        return forecaster

    def _choose(self, data: Dataset, *, panel: Panel, until: datetime) -> Choice:
        """Settings by the newest window, with tables that know nothing of it."""
        config = self.config
        newest = self.config.length.preceding(until)
        n_train = panel.n_windows - 1
        if n_train + 1 < _MIN_WINDOWS or not panel.users[:, -1].any() or not panel.users[:, :-1].any():
            return first_choice(config, smoothing=config.smoothing[0])
        grid, vocabulary = self._tables(data, panel, until=until, n_windows=n_train)
        filled = indexed(panel, data, at=until, grid=grid, vocabulary=vocabulary)
        judge = _judge(data, window=newest, item_ids=panel.item_ids)
        return choose(filled, sizes=_sizes(grid, vocabulary), config=config, judge=judge)

    def _scale(self, panel: Panel) -> float:
        newest = panel.n_windows - 1
        scores = predict(self.network_, panel, target=newest, max_history=self.config.max_history).sum()
        came = float(panel.users[:, newest].sum())
        return float(came / scores) if came and scores else 1.0

    def _tables(self, data: Dataset, panel: Panel, *, until: datetime, n_windows: int) -> tuple[Grid, Vocabulary]:
        """Rows of the tables, from items that are training targets in the oldest ``n_windows`` windows."""
        rng = np.random.default_rng(self.config.seed)
        item, _ = training_rows(panel, n_windows=n_windows, min_target=self.config.min_target, rng=rng)
        trained = [panel.item_ids[row] for row in np.unique(item)]
        vocabulary = learn_vocabulary(
            data.items.filter(pl.col(schema.ITEM).is_in(trained)).sort(schema.ITEM),
            genre_column=self.config.genre_column,
            side_columns=self.config.side_columns,
            max_values=self.config.max_values,
        )
        rows = {item_id: row for row, item_id in enumerate(trained, start=1)}
        days = self.config.length.preceding(until).days
        return Grid(until, days, panel.n_windows, n_windows - 1, rows), vocabulary


def _sizes(grid: Grid, vocabulary: Vocabulary) -> Sizes:
    return Sizes(
        n_items=len(grid.items) + 1,
        n_windows=grid.last_trained + 2,
        attributes={column: vocabulary.size(column) for column in vocabulary.values},
        genre_column=vocabulary.genre_column,
        side_columns=vocabulary.side_columns,
    )


def _judge(data: Dataset, *, window: Window, item_ids: list[str]) -> Judge:
    truth = window_truth(data, window=window)

    def ndcg(scores: NDArray[np.float64]) -> float:
        ranking = pl.DataFrame({schema.ITEM: item_ids, "score": scores})
        values = per_user_metrics(ranking, truth=truth, metrics=[_METRIC])[_METRIC]
        return float(values.to_numpy().mean())

    return ndcg
