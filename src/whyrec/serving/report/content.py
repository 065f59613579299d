"""What a report is made of. Knows neither HTML nor where the numbers came from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from whyrec.data.facts import ItemFacts
from whyrec.data.windows import Window
from whyrec.errors import InvalidDataError
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.interfaces import Driver, Explanation, ForecastPoint
from whyrec.methods.curec.explaining import ExplainedRecommendation

DEFAULT_METRICS = ("HR@10", "HR@10/oracle", "NDCG@10", "HR@5")


@dataclass(frozen=True, slots=True)
class ReportItem:
    """One place of the ranked list."""

    facts: ItemFacts
    point: ForecastPoint
    explanation: Explanation
    drivers: tuple[Driver, ...] = ()

    def __post_init__(self) -> None:
        ids = (self.facts.item_id, self.point.item_id, self.explanation.item_id)
        if len(set(ids)) != 1:
            raise InvalidDataError(
                "report item: expected facts, forecast and explanation of one item, "
                f"got {', '.join(map(repr, ids))}. Pair them by item_id."
            )
        numbers = (self.point.low, self.point.expected, self.point.high)
        if not all(math.isfinite(number) and number >= 0 for number in numbers):
            raise InvalidDataError(
                f"report item {self.facts.item_id!r}: expected numbers of users for forecast and interval, "
                f"got {', '.join(map(str, numbers))}. Use a forecaster that states its interval."
            )


@dataclass(frozen=True, slots=True)
class ReportPerson:
    """Somebody with a list of their own."""

    user_id: str
    n_items: int
    """Interactions so far."""
    newest: tuple[str, ...]
    """Titles of the last ones, the most recent first."""
    items: tuple[ExplainedRecommendation, ...]
    """Best first; at least one."""

    def __post_init__(self) -> None:
        owners = {item.explanation.user_id for item in self.items}
        if owners != {self.user_id}:
            raise InvalidDataError(
                f"report person {self.user_id!r}: expected a list of that user's, got one of "
                f"{', '.join(map(repr, sorted(map(str, owners)))) or 'nobody'}. Pair them by user_id."
            )


@dataclass(frozen=True, slots=True, eq=False)
class ReportContent:
    """Everything that one page shows."""

    title: str
    dataset: Mapping[str, object]
    """What ``Dataset.describe`` says: name, counts, time range, fingerprint."""
    window: Window
    """The window forecast; it begins at the cut-off."""
    forecaster: str
    """The method's name, spelled as in ``evaluation``."""
    items: tuple[ReportItem, ...]
    """Best first."""
    evaluation: pl.DataFrame
    """Columns of ``ROW_SCHEMA``; the last protocol in it is shown first. May be empty."""
    metrics: tuple[str, ...] = DEFAULT_METRICS
    """Columns of the evaluation table, the leading one first; those that ``evaluation`` lacks are left out."""
    people: tuple[ReportPerson, ...] = ()
    """Some people with lists of their own; may be none."""

    def __post_init__(self) -> None:
        missing = [column for column in ROW_SCHEMA if column not in self.evaluation.columns]
        if missing:
            raise InvalidDataError(
                f"report evaluation: expected the columns of ROW_SCHEMA, got none of the name {missing[0]!r}. "
                "Pass rows as whyrec.evaluation.rolling makes them."
            )
        for item in self.items:
            if item.facts.cutoff > self.cutoff:
                raise InvalidDataError(
                    f"report item {item.facts.item_id!r}: expected facts from before {self.cutoff.isoformat()}, "
                    f"got a cut-off of {item.facts.cutoff.isoformat()}. Gather the facts at the start of the window."
                )
            if item.point.window != self.window:
                raise InvalidDataError(
                    f"report item {item.facts.item_id!r}: expected a forecast for {self.window.label}, "
                    f"got one for {item.point.window.label}. Show one window per report."
                )

    @property
    def cutoff(self) -> datetime:
        """Nothing on the page but the evaluation was known later than this."""
        return self.window.start
