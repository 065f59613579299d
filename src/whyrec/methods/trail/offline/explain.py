"""Forecasts with their reasons: facts, forecast, drivers and a verified explanation, for many items at once."""

from collections.abc import Sequence
from datetime import datetime

from whyrec.data.dataset import Dataset
from whyrec.data.facts import item_facts
from whyrec.evaluation.verification import Vocabulary
from whyrec.methods.trail.explained import ExplainedForecast, ExplainedItem, points_of, require_known
from whyrec.methods.trail.offline.forecaster import OfflineForecaster
from whyrec.methods.trail.writer import write_verified


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
    require_known(data, item_ids or ())
    ranking, drivers = forecaster.forecast_with_drivers(data, at=at, item_ids=item_ids, k=k)
    window = forecaster.config.length.following(at)
    points = points_of(ranking, item_ids=list(drivers), window=window)
    facts = item_facts(data, item_ids=list(drivers), cutoff=at)
    vocabulary = Vocabulary.of(data.items)
    items = [
        ExplainedItem(
            facts=facts[item_id],
            point=points[item_id],
            drivers=its_drivers,
            explanation=write_verified(facts[item_id], points[item_id], its_drivers, vocabulary=vocabulary),
        )
        for item_id, its_drivers in drivers.items()
    ]
    return ExplainedForecast(window=window, ranking=ranking, items=tuple(items))
