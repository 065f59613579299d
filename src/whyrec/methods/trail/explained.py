"""Forecasts with their reasons, whoever wrote them: facts, forecast, drivers and a verified explanation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.facts import ItemFacts
from whyrec.data.windows import Window
from whyrec.errors import UnknownIdError
from whyrec.evaluation.verification.mentions import leading_sentences
from whyrec.interfaces import Driver, Explanation, ForecastPoint


@dataclass(frozen=True, slots=True)
class ExplainedItem:
    """One item of a forecast with everything that its explanation rests on."""

    facts: ItemFacts
    point: ForecastPoint
    drivers: tuple[Driver, ...]
    """Strongest first."""
    explanation: Explanation

    @property
    def reason(self) -> str:
        """The explanation in one sentence: its first, which tells what has happened to the item lately."""
        return leading_sentences(self.explanation.sections["Trend"])


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedForecast:
    """A whole forecast, and some of its items explained."""

    window: Window
    ranking: pl.DataFrame
    """All items, columns of ``FORECAST_SCHEMA``, best first."""
    items: tuple[ExplainedItem, ...]
    """In the order asked for, or best first."""


def explanation_record(item: ExplainedItem) -> dict[str, object]:
    """An explained item as JSON holds it: forecast, text, every claim with its verdict, the evidence, the drivers."""
    point = item.point
    return {
        "item_id": point.item_id,
        "title": item.facts.title,
        "window": {"start": point.window.start.isoformat(), "end": point.window.end.isoformat()},
        "rank": point.rank,
        "expected": point.expected,
        "low": point.low,
        "high": point.high,
        **item.explanation.record(),
        "drivers": [asdict(driver) for driver in item.drivers],
    }


def require_known(data: Dataset, item_ids: Sequence[str]) -> None:
    """Refuse items that the catalogue does not hold.

    Raises:
        UnknownIdError: Naming the first.
    """
    catalogue = set(data.items[schema.ITEM]) if item_ids else set()
    for item_id in item_ids:
        if item_id not in catalogue:
            raise UnknownIdError(
                f"{data.name}: expected an item_id of the catalogue, got {item_id!r}. "
                "The catalogue's ids stand in its items.parquet."
            )


def points_of(ranking: pl.DataFrame, *, item_ids: Sequence[str], window: Window) -> dict[str, ForecastPoint]:
    """Some rows of a forecast, by item."""
    rows = ranking.filter(pl.col(schema.ITEM).is_in(item_ids)).drop("score").to_dicts()
    return {row[schema.ITEM]: ForecastPoint(window=window, **row) for row in rows}
