"""The list of facts that an explanation may rest on, each under an id that a report can point at."""

from collections.abc import Sequence
from datetime import date

from whyrec.data.attributes import AttributeValue
from whyrec.data.facts import ItemFacts, MonthCount
from whyrec.evaluation.verification.lexicon import FULL_MONTH_NAMES
from whyrec.interfaces import Driver, Evidence, ForecastPoint

YearMonth = tuple[int, int]


def month_label(month: YearMonth) -> str:
    """Spell a month: ``October 2013``."""
    return f"{FULL_MONTH_NAMES[month[1] - 1]} {month[0]}"


def month_id(month: YearMonth) -> str:
    """Name a month's evidence: ``month:2013-10``."""
    return f"month:{month[0]:04d}-{month[1]:02d}"


def evidence_of(facts: ItemFacts, forecast: ForecastPoint, drivers: Sequence[Driver] = ()) -> tuple[Evidence, ...]:
    """List everything known about an item and its forecast, one addressable fact each.

    Args:
        facts: History and catalogue entry at the cut-off.
        forecast: The item's row of the forecast.
        drivers: What moved the forecast.

    Returns:
        Evidence with unique ids: ``title``, ``month:2013-10``, ``recent:7d``, ``total``, ``first_seen``, ``rating``,
        ``attribute:genres``, ``forecast``, ``forecast:low``, ``forecast:high``, ``rank``, ``driver:recency``.
    """
    return (
        Evidence("title", "title", "title", facts.title),
        *(_month_evidence(month) for month in facts.months),
        *(
            Evidence(f"recent:{days}d", "recent", f"the last {days} days", float(users), "users")
            for days, users in facts.recent.items()
        ),
        Evidence("total", "recent", "all users so far", float(facts.total_users), "users"),
        *_first_seen(facts.first_seen),
        *_rating(facts.mean_rating),
        *(
            Evidence(f"attribute:{name}", "attribute", name.replace("_", " "), _plain(value))
            for name, value in facts.attributes.items()
        ),
        Evidence("forecast", "forecast", f"forecast for {forecast.window.label}", forecast.expected, "users"),
        Evidence("forecast:low", "forecast", "lower end of the 80% interval", forecast.low, "users"),
        Evidence("forecast:high", "forecast", "upper end of the 80% interval", forecast.high, "users"),
        Evidence("rank", "forecast", "rank in the forecast", float(forecast.rank)),
        *(Evidence(f"driver:{driver.id}", "driver", driver.label, driver.effect) for driver in drivers),
    )


def _month_evidence(month: MonthCount) -> Evidence:
    key = (month.window.start.year, month.window.start.month)
    label = month_label(key) if month.complete else f"{month_label(key)} (in part)"
    return Evidence(month_id(key), "series", label, float(month.users), "users")


def _first_seen(first_seen: date | None) -> tuple[Evidence, ...]:
    if first_seen is None:
        return ()
    return (Evidence("first_seen", "series", "first seen", first_seen.isoformat()),)


def _rating(mean_rating: float | None) -> tuple[Evidence, ...]:
    return () if mean_rating is None else (Evidence("rating", "attribute", "mean rating", mean_rating),)


def _plain(value: AttributeValue) -> str | float:
    return ", ".join(value) if isinstance(value, tuple) else value
