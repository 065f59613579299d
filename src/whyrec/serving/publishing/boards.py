"""What is trending: as forecast for the coming window, and as counted over the last days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.baselines.registry import build_baseline
from whyrec.data import schema
from whyrec.data.events import EventArrays, as_days, event_arrays
from whyrec.data.item_histories import distinct_users, history_table
from whyrec.data.windows import Window, WindowLength
from whyrec.methods.trail.explained import ExplainedItem
from whyrec.methods.trail.wording import counted, window_phrase
from whyrec.runs.answers import explained_forecast
from whyrec.serving.documents import NEXT, Board, BoardEntry, Forecast, Reason
from whyrec.serving.publishing.catalogue import Described
from whyrec.serving.publishing.explanations import short_reason
from whyrec.serving.publishing.settings import PublishSettings
from whyrec.serving.publishing.sources import Sources

COUNTS = "counts"
COUNTED_DAYS = (7, 30)
"""Windows of the past that have boards."""
_SPARK_DAYS = 30
_STAND_IN, _STAND_IN_WINDOW = "last_7_days", "30d"
"""What forecasts where no run does."""
_OFFLINE = "offline"


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """All items in the order of a forecast."""

    frame: pl.DataFrame
    """Columns of ``FORECAST_SCHEMA``, best first."""
    window: Window
    method: str
    explained: Mapping[str, ExplainedItem]
    """By item_id: the first ones, where the forecaster says why."""

    def forecasts(self) -> dict[str, Forecast]:
        """Of every item, by its id."""
        names = (schema.ITEM, "rank", "expected", "low", "high")
        return {
            item_id: Forecast(
                start=self.window.start,
                end=self.window.end,
                rank=rank,
                expected=expected,
                low=low,
                high=high,
                method=self.method,
            )
            for item_id, rank, expected, low, high in self.frame.select(names).iter_rows()
        }


def forecast(sources: Sources, *, settings: PublishSettings) -> Ranking:
    """Rank the items for the coming window, by the forecaster's run or, without one, by the last seven days.

    Args:
        sources: Data, moment, forecaster.
        settings: How many are explained.
    """
    run, data, at = sources.forecaster, sources.data, sources.at
    if run is None:
        forecaster = build_baseline(_STAND_IN, window=_STAND_IN_WINDOW).fit(data, until=at)
        window = WindowLength.parse(_STAND_IN_WINDOW).following(at)
        return Ranking(forecaster.forecast(data, at=at), window, _STAND_IN, {})
    k = min(settings.explained_items, data.items.height)
    if run.method.explains_forecasts and k:
        found, _ = explained_forecast(run, data, at=at, k=k)
        told = {item.point.item_id: item for item in found.items}
        return Ranking(found.ranking, found.window, run.method.label, told)
    return Ranking(run.load_forecaster().forecast(data, at=at), run.window_at(at), run.method.label, {})


def make_boards(sources: Sources, ranking: Ranking, catalogue: Mapping[str, Described], *, depth: int) -> list[Board]:
    """The board of the coming window, and those of the last days.

    Args:
        sources: Data and moment.
        ranking: Of the coming window.
        catalogue: Titles and attributes.
        depth: Places of each.
    """
    events = event_arrays(sources.data, before=sources.at)
    maker = _Maker(events, sources.at, catalogue, _daily(events, sources.at))
    counted_boards = [maker.counted(days, depth=depth) for days in COUNTED_DAYS]
    return [maker.coming(ranking, depth=depth), *counted_boards]


@dataclass(frozen=True, slots=True, eq=False)
class _Maker:
    events: EventArrays
    at: datetime
    catalogue: Mapping[str, Described]
    recent: Mapping[str, tuple[int, ...]]
    """Users a day, by item_id; those of whom there are none are left out."""

    def coming(self, ranking: Ranking, *, depth: int) -> Board:
        last = self._users(7)
        entries = [
            self._entry(row, reason=self._reason(row[schema.ITEM], ranking, last))
            for row in ranking.frame.head(depth).to_dicts()
        ]
        return _board(NEXT, ranking.window, method=ranking.method, entries=entries)

    def counted(self, days: int, *, depth: int) -> Board:
        users = self._users(days)
        taken = sorted((item for item in users.items() if item[1]), key=lambda item: (-item[1], item[0]))[:depth]
        entries = [
            self._entry(
                {
                    schema.ITEM: item_id,
                    "rank": rank,
                    "score": float(n),
                    "expected": float(n),
                    "low": None,
                    "high": None,
                },
                reason=_counted_reason(n, days),
            )
            for rank, (item_id, n) in enumerate(taken, start=1)
        ]
        window = Window(self.at - timedelta(days=days), self.at)
        return _board(f"{days}d", window, method=COUNTS, entries=entries)

    def _users(self, days: int) -> dict[str, int]:
        start, end = as_days(self.at - timedelta(days=days)), as_days(self.at)
        counts = distinct_users(self.events, start=start, end=end).tolist()
        return dict(zip(self.events.item_ids, counts, strict=True))

    def _reason(self, item_id: str, ranking: Ranking, last: Mapping[str, int]) -> Reason:
        told = ranking.explained.get(item_id)
        if told is None:
            return _counted_reason(last[item_id], 7)
        return short_reason(told.explanation, basis="trending", text=told.reason)

    def _entry(self, row: Mapping[str, object], *, reason: Reason) -> BoardEntry:
        described = self.catalogue[str(row[schema.ITEM])]
        values = {name: row[name] for name in ("rank", "score", "expected", "low", "high")}
        return BoardEntry.model_validate(
            {
                **values,
                "item_id": described.item_id,
                "title": described.title,
                "attributes": described.attributes,
                "reason": reason,
                "recent": self.recent.get(described.item_id, (0,) * _SPARK_DAYS),
            }
        )


def _board(name: str, window: Window, *, method: str, entries: Sequence[BoardEntry]) -> Board:
    return Board(
        window=name,
        label=window_phrase(window),
        start=window.start,
        end=window.end,
        method=method,
        entries=tuple(entries),
    )


def _counted_reason(users: int, days: int) -> Reason:
    """A count said as it is: true by how it was made."""
    text = f"Taken by {counted(users, plural='people')} in the last {days} days."
    return Reason(text=text, writer=_OFFLINE, verified=True, n_claims=1, n_supported=1, basis="trending")


def _daily(events: EventArrays, at: datetime) -> dict[str, tuple[int, ...]]:
    table = history_table(events, cutoff=at, length=WindowLength(_SPARK_DAYS), max_windows=0, n_days=_SPARK_DAYS)
    taken: NDArray[np.int64] = np.flatnonzero(table.daily.any(axis=1))
    return {table.item_ids[int(row)]: tuple(table.daily[row].tolist()) for row in taken}
