"""What a run says at a moment: its list, and why an item stands where it does."""

from collections.abc import Sequence
from datetime import datetime

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window
from whyrec.errors import InvalidConfigError
from whyrec.methods.trail.offline import OfflineForecaster
from whyrec.methods.trail.offline.explain import explain_forecast, explanation_record
from whyrec.runs.methods import METHODS
from whyrec.runs.run import Run, require_known_moment


def forecast_run(
    run: Run, data: Dataset, *, at: datetime | None = None, k: int = 10
) -> tuple[Window, list[dict[str, object]]]:
    """Rank the items for the window that starts at ``at``; None for the moment that the run was fitted until.

    Returns:
        The window, and ``rank, item_id, title, expected, low, high, score`` of the first ``k`` items.

    Raises:
        InvalidConfigError: If ``at`` is before the moment fitted until or beyond the log, or ``k`` is less than 1.
    """
    moment = _moment(run, data, at)
    titles = data.items.select(schema.ITEM, schema.TITLE)
    ranked = run.load().forecast(data, at=moment, k=k).join(titles, on=schema.ITEM, how="left", maintain_order="left")
    rows = ranked.select("rank", schema.ITEM, schema.TITLE, "expected", "low", "high", "score").to_dicts()
    return run.window_at(moment), rows


def explain_run(
    run: Run, data: Dataset, *, item_ids: Sequence[str], at: datetime | None = None
) -> list[dict[str, object]]:
    """Explain items at a moment; None for the one that the run was fitted until.

    Returns:
        A record per item as ``explanation_record`` makes it, in the order asked for.

    Raises:
        UnknownIdError: If an item is not in the catalogue.
        InvalidConfigError: If the run's method states no reasons, or ``at`` is not valid.
    """
    forecaster = run.load()
    if not isinstance(forecaster, OfflineForecaster):
        able = [name for name, method in METHODS.items() if issubclass(method.forecaster, OfflineForecaster)]
        raise InvalidConfigError(
            f"{run.directory}: expected a run of {', '.join(able)}, got one of {run.method.name}, which states no "
            "reasons. Fit another."
        )
    explained = explain_forecast(forecaster, data, at=_moment(run, data, at), item_ids=list(dict.fromkeys(item_ids)))
    return [explanation_record(item) for item in explained.items]


def _moment(run: Run, data: Dataset, at: datetime | None) -> datetime:
    if at is None:
        return run.until
    require_known_moment(data, at, what="--at")
    return at
