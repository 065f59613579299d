"""Forecasts with their reasons: facts, forecast, drivers and a verified explanation, for many items at once."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.facts import ItemFacts, item_facts
from whyrec.data.windows import Window
from whyrec.errors import UnknownIdError
from whyrec.evaluation.verification import Vocabulary
from whyrec.evaluation.verification.mentions import split_sentences
from whyrec.interfaces import Driver, Explanation, ForecastPoint
from whyrec.methods.trail.offline.forecaster import OfflineForecaster
from whyrec.methods.trail.writer import write_explanation

ATTEMPTS = 3
"""Phrasings tried until one passes the verification; the last is kept with its failing verdict, never as verified."""
_QUOTED = re.compile("“[^”]*”")


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
        trend = self.explanation.sections["Trend"]
        # A title may hold full stops of its own; written over, it ends no sentence.
        first = split_sentences(_QUOTED.sub(lambda title: "x" * len(title[0]), trend))[0]
        return trend[first.start : first.end].strip()


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedForecast:
    """A whole forecast, and some of its items explained."""

    window: Window
    ranking: pl.DataFrame
    """All items, columns of ``FORECAST_SCHEMA``, best first."""
    items: tuple[ExplainedItem, ...]
    """In the order asked for, or best first."""


def explain_forecast(
    forecaster: OfflineForecaster, data: Dataset, *, at: datetime, item_ids: Sequence[str] | None = None, k: int = 10
) -> ExplainedForecast:
    """Forecast the window that starts at ``at`` and explain some of its items, with one look at the data.

    Args:
        forecaster: A fitted forecaster.
        data: The dataset; only interactions strictly before ``at`` are read.
        at: Start of the window.
        item_ids: The items to explain; None for the top ``k``.
        k: How many, where no items are named.

    Raises:
        UnknownIdError: If an item is not in the catalogue.
        InvalidConfigError: If ``at`` is before the moment fitted to, or ``k`` is less than 1.
    """
    _require_known(data, item_ids or ())
    ranking, drivers = forecaster.forecast_with_drivers(data, at=at, item_ids=item_ids, k=k)
    window = forecaster.config.length.following(at)
    points = _points(ranking, item_ids=list(drivers), window=window)
    facts = item_facts(data, item_ids=list(drivers), cutoff=at)
    vocabulary = Vocabulary.of(data.items)
    items = [
        ExplainedItem(
            facts=facts[item_id],
            point=points[item_id],
            drivers=its_drivers,
            explanation=_explain(facts[item_id], points[item_id], drivers=its_drivers, vocabulary=vocabulary),
        )
        for item_id, its_drivers in drivers.items()
    ]
    return ExplainedForecast(window=window, ranking=ranking, items=tuple(items))


def explanation_record(item: ExplainedItem) -> dict[str, object]:
    """An explained item as JSON holds it: forecast, text, every claim with its verdict, the evidence, the drivers."""
    explanation, point = item.explanation, item.point
    return {
        "item_id": point.item_id,
        "title": item.facts.title,
        "window": {"start": point.window.start.isoformat(), "end": point.window.end.isoformat()},
        "rank": point.rank,
        "expected": point.expected,
        "low": point.low,
        "high": point.high,
        "writer": explanation.writer,
        "verified": explanation.verdict.verified,
        "text": explanation.text,
        "sections": dict(explanation.sections),
        "claims": [asdict(claim) for claim in explanation.verdict.claims],
        "evidence": [asdict(evidence) for evidence in explanation.evidence],
        "drivers": [asdict(driver) for driver in item.drivers],
    }


def _require_known(data: Dataset, item_ids: Sequence[str]) -> None:
    catalogue = set(data.items[schema.ITEM]) if item_ids else set()
    for item_id in item_ids:
        if item_id not in catalogue:
            raise UnknownIdError(
                f"{data.name}: expected an item_id of the catalogue, got {item_id!r}. "
                "The catalogue's ids stand in its items.parquet."
            )


def _points(ranking: pl.DataFrame, *, item_ids: Sequence[str], window: Window) -> dict[str, ForecastPoint]:
    rows = ranking.filter(pl.col(schema.ITEM).is_in(item_ids)).drop("score").to_dicts()
    return {row[schema.ITEM]: ForecastPoint(window=window, **row) for row in rows}


def _explain(
    facts: ItemFacts, point: ForecastPoint, *, drivers: Sequence[Driver], vocabulary: Vocabulary
) -> Explanation:
    explanation = write_explanation(facts, point, drivers, vocabulary=vocabulary)
    for seed in range(1, ATTEMPTS):
        if explanation.verdict.verified:
            break
        explanation = write_explanation(facts, point, drivers, seed=seed, vocabulary=vocabulary)
    return explanation
