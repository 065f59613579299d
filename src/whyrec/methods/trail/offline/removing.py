"""What of an offline TRAIL explanation can be taken away: drivers, months of the item's log, fields of its entry."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.events import as_days, event_arrays
from whyrec.evaluation.faithfulness import EvidencePool
from whyrec.forecasts import require_fitted
from whyrec.interfaces import Explanation
from whyrec.methods.trail.explained import ExplainedItem
from whyrec.methods.trail.offline.catalogue import CatalogueVectors, catalogue_vectors
from whyrec.methods.trail.offline.features import FeatureTable, feature_groups, feature_table, look_back
from whyrec.methods.trail.offline.forecaster import OfflineForecaster
from whyrec.methods.trail.offline.models import predicted_users
from whyrec.methods.trail.offline.targets import volume_before

DRIVERS, MONTHS, FIELDS = "drivers", "months", "fields"
_DRIVER, _MONTH, _ATTRIBUTE = "driver:", "month:", "attribute:"
_N_REFERENCES = 100
"""Drivers are told against so many items at the top of the list."""


@dataclass(frozen=True)
class ForecastRemovals:
    """Forecasts of single items from a log and a catalogue that lack something, by a fitted forecaster.

    Scores are logarithms of one more than the expected users: large and small audiences change by comparable amounts.
    """

    forecaster: OfflineForecaster
    data: Dataset
    """Only interactions strictly before ``at`` are read."""
    at: datetime

    def __post_init__(self) -> None:
        require_fitted(self.forecaster, at=self.at)

    def evidence_pools(self, item: ExplainedItem) -> list[EvidencePool]:
        """The drivers, the months with users and the fields of the entry that a text's claims rest on, among all.

        A driver is taken away by giving the item the features of that group which each of the list's first hundred
        has, and taking the mean. A month is taken out of the log, a field out of the catalogue, for this item alone,
        and the item is forecast anew.

        Args:
            item: Explained at the moment ``at``.
        """
        item_id, told = item.point.item_id, item.explanation
        drivers = [evidence.id for evidence in told.evidence if evidence.id.startswith(_DRIVER)]
        months = [
            it.id for it in told.evidence if it.id.startswith(_MONTH) and isinstance(it.value, float) and it.value > 0
        ]
        fields = ["title", *(f"{_ATTRIBUTE}{name}" for name in item.facts.attributes)]
        return [
            _pool(DRIVERS, drivers, lambda ids: self.log_users_without_drivers(item_id, ids), told=told),
            _pool(
                MONTHS, months, lambda ids: self.log_expected(item_id, self._without_months(item_id, ids)), told=told
            ),
            _pool(
                FIELDS, fields, lambda ids: self.log_expected(item_id, self._without_fields(item_id, ids)), told=told
            ),
        ]

    def log_expected(self, item_id: str, data: Dataset) -> float:
        """An item's forecast from other data, as ``OfflineForecaster.forecast`` has it."""
        catalogue = self._catalogue if data.items is self.data.items else catalogue_vectors(data.items)
        events, day = event_arrays(data, before=self.at), as_days(self.at)
        past = look_back(events, catalogue, day=day)
        table = feature_table(past, rows=np.array([self._row(item_id)]))
        days = self.forecaster.config.length.following(self.forecaster.until_).days
        growth = volume_before(events, day=day, days=days) / self.forecaster.volume_
        expected, _, _ = self.forecaster.calibration_.apply(predicted_users(self.forecaster.models_, table) * growth)
        return float(np.log1p(expected[0]))

    def log_users_without_drivers(self, item_id: str, ids: Collection[str]) -> float:
        """The model's output for an item whose groups of features are those of the list's first hundred, on average."""
        table, references = self._table
        groups = feature_groups(table.names)
        values = np.repeat(table.values[[self._row(item_id)]], len(references), axis=0)
        columns = [column for it in ids for column in groups[it.removeprefix(_DRIVER)]]
        values[:, columns] = table.values[references][:, columns]
        users = predicted_users(self.forecaster.models_, FeatureTable(table.names, values))
        return float(np.log1p(users).mean())

    @cached_property
    def _catalogue(self) -> CatalogueVectors:
        return catalogue_vectors(self.data.items)

    @cached_property
    def _log(self) -> pl.DataFrame:
        return self.data.before(self.at).collect()

    @cached_property
    def _table(self) -> tuple[FeatureTable, list[int]]:
        """Features of all items, and the rows of the references."""
        past = look_back(event_arrays(self.data, before=self.at), self._catalogue, day=as_days(self.at))
        ranked = self.forecaster.forecast(self.data, at=self.at, k=_N_REFERENCES)
        return feature_table(past), [self._row(item_id) for item_id in ranked[schema.ITEM]]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {item_id: row for row, item_id in enumerate(self.data.items[schema.ITEM].sort())}

    def _row(self, item_id: str) -> int:
        return self._rows[item_id]

    def _without_months(self, item_id: str, ids: Collection[str]) -> Dataset:
        months = [it.removeprefix(_MONTH) for it in ids]
        month = pl.col(schema.TIMESTAMP).dt.strftime("%Y-%m")
        kept = self._log.filter(~((pl.col(schema.ITEM) == item_id) & month.is_in(months)))
        return replace(self.data, interactions=kept.lazy())

    def _without_fields(self, item_id: str, ids: Collection[str]) -> Dataset:
        log = self._log.lazy()
        if not ids:
            return replace(self.data, interactions=log)
        names = [it.removeprefix(_ATTRIBUTE) for it in ids]
        blank = pl.when(pl.col(schema.ITEM) != item_id)
        items = self.data.items.with_columns(blank.then(pl.col(name)).alias(name) for name in names)
        return replace(self.data, items=items, interactions=log)


def _pool(
    kind: str, ids: list[str], score_without: Callable[[Collection[str]], float], *, told: Explanation
) -> EvidencePool:
    rested_on = {name for claim in told.verdict.claims for name in claim.evidence_ids}
    cited = tuple(name for name in ids if name in rested_on)
    return EvidencePool(kind, cited, tuple(name for name in ids if name not in rested_on), score_without)
