"""References: names of facts that stand in an explanation for the facts themselves.

A small model copies numbers badly. It may write ``{people:-1}`` for "152 people", the users of the last complete
month, and ``fill`` puts in what the item's history says: a number is then right whenever its reference is. What the
words around a reference claim (rose, steady, its peak) is still for the verification to check.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from whyrec.data.attributes import AttributeValue
from whyrec.data.facts import RECENT_SPANS_DAYS, ItemFacts, MonthCount
from whyrec.errors import InvalidDataError
from whyrec.evaluation.verification.evidence import month_id
from whyrec.evaluation.verification.titles import quoted
from whyrec.evaluation.verification.vocabulary import LONGEST_VALUE, attribute_values
from whyrec.interfaces import ForecastPoint
from whyrec.methods.trail.wording import (
    counted,
    counted_forecast,
    day,
    listing,
    month,
    small,
    whole,
    window_phrase,
)

MONTHS_BACK = 6
"""Complete months that have names of their own; the last one is -1."""
LISTED_VALUES = 3
"""Values of an attribute that are listed, as the offline writer lists them, or named one by one."""

REFERENCE = re.compile(r"\{[^{}]+\}")
_MONTHS = ("0", *(str(-back) for back in range(1, MONTHS_BACK + 1)), "peak")
_COUNTS = (*_MONTHS, "total", *(f"{days}d" for days in RECENT_SPANS_DAYS), "forecast")
# The last value first: of a path with two steps, the second is told as the category, which is its last.
_VALUES = ("-1", *(str(index) for index in range(LISTED_VALUES)))
_OPENS_SENTENCE = re.compile(r"(?:^|[.!?]\s|\])\s*$")


@dataclass(frozen=True, slots=True)
class Filling:
    """What a reference says of one item, and the evidence that this is."""

    text: str
    evidence_id: str


def vocabulary(attributes: Iterable[str] = ()) -> tuple[str, ...]:
    """Every reference that may occur.

    ``people``, ``users`` and ``count`` are a number with its noun or without; ``0`` is the month in progress, ``-1``
    the last complete one, ``7d`` the last seven days. ``attr`` lists up to three values, or names one by its place.

    Args:
        attributes: Names of the catalogue's attributes.
    """
    return (
        *("{title}", "{window}", "{rank}", "{rating}", "{has:total}", "{days:0}"),
        *("{day:first}", "{day:cutoff}", "{month:first}", "{month_year:first}"),
        *(f"{{{form}:{which}}}" for which in _MONTHS for form in ("month", "month_year")),
        *(f"{{{form}:{which}}}" for which in _COUNTS for form in ("people", "users", "count")),
        *("{count:low}", "{count:high}"),
        *(f"{{attr:{name}{part}}}" for name in attributes for part in ("", *(f":{place}" for place in _VALUES))),
    )


def reference_texts(facts: ItemFacts, point: ForecastPoint) -> dict[str, str]:
    """What every reference says of one item: ``{"{people:-1}": "152 people", ...}``.

    References that say nothing of it are left out: an item one month old has no ``{people:-2}``.

    Args:
        facts: The item at the cut-off.
        point: Its forecast.
    """
    return {reference: filling.text for reference, filling in fillings_of(facts, point).items()}


def fill(text: str, *, facts: ItemFacts, point: ForecastPoint) -> str:
    """Put in what an item's facts say; a reference that opens a sentence gets a capital letter.

    Args:
        text: With references.
        facts: The item at the cut-off.
        point: Its forecast.

    Raises:
        InvalidDataError: If a reference is unknown, or says nothing of this item.
    """
    texts = reference_texts(facts, point)
    for hit in REFERENCE.finditer(text):
        if hit[0] not in texts:
            is_known = hit[0] in vocabulary(facts.attributes)
            raise InvalidDataError(
                f"explanation of item {facts.item_id!r}: expected references that its facts can fill in, got {hit[0]}, "
                f"{'of which they say nothing' if is_known else 'which is none'}. Leave the sentence out."
            )
    return put_in(text, texts)


def fillings_of(facts: ItemFacts, point: ForecastPoint) -> dict[str, Filling]:
    """What every reference says of one item, with the evidence; ``reference_texts`` is the texts alone."""
    return dict(
        [
            *_single_fillings(facts, point),
            *_month_fillings(facts),
            *_count_fillings(facts, point),
            *_attribute_fillings(facts.attributes),
        ]
    )


def _single_fillings(facts: ItemFacts, point: ForecastPoint) -> Iterator[tuple[str, Filling]]:
    yield "{title}", Filling(quoted(facts.title), "title")
    yield "{window}", Filling(window_phrase(point.window), "forecast")
    yield "{rank}", Filling(f"{point.rank:,}", "rank")
    yield "{count:low}", Filling(whole(point.low), "forecast:low")
    yield "{count:high}", Filling(whole(point.high), "forecast:high")
    yield "{has:total}", Filling("has" if facts.total_users == 1 else "have", "total")
    yield "{day:cutoff}", Filling(day(facts.cutoff), "cutoff")
    if facts.mean_rating is not None:
        yield "{rating}", Filling(f"{facts.mean_rating:.1f}", "rating")
    if facts.first_seen is not None:
        yield "{day:first}", Filling(day(facts.first_seen), "first_seen")
        yield "{month:first}", Filling(month(facts.first_seen, with_year=False), "first_seen")
        yield "{month_year:first}", Filling(month(facts.first_seen), "first_seen")


def _months(facts: ItemFacts) -> dict[str, MonthCount]:
    """The months that have names, as far as the item has them."""
    if not facts.months:
        return {}
    latest = facts.months[-1]
    found = {"0": latest} if latest.window.end > facts.cutoff else {}
    complete = [count for count in facts.months if count.complete]
    found |= {str(-back): complete[-back] for back in range(1, min(MONTHS_BACK, len(complete)) + 1)}
    return found | {"peak": max(facts.months, key=lambda count: count.users)}


def _month_fillings(facts: ItemFacts) -> Iterator[tuple[str, Filling]]:
    for which, count in _months(facts).items():
        start = count.window.start
        evidence_id = month_id((start.year, start.month))
        yield f"{{month:{which}}}", Filling(month(start, with_year=False), evidence_id)
        yield f"{{month_year:{which}}}", Filling(month(start), evidence_id)
        if which == "0":
            yield "{days:0}", Filling(small((facts.cutoff - start).days), "cutoff")


def _count_fillings(facts: ItemFacts, point: ForecastPoint) -> Iterator[tuple[str, Filling]]:
    counts = {
        which: (count.users, month_id((count.window.start.year, count.window.start.month)))
        for which, count in _months(facts).items()
    }
    counts["total"] = facts.total_users, "total"
    counts |= {f"{days}d": (users, f"recent:{days}d") for days, users in facts.recent.items()}
    for which, (users, evidence_id) in counts.items():
        for plural in ("people", "users"):
            yield f"{{{plural}:{which}}}", Filling(counted(users, plural=plural), evidence_id)
        yield f"{{count:{which}}}", Filling(whole(users), evidence_id)
    for plural in ("people", "users"):
        yield f"{{{plural}:forecast}}", Filling(counted_forecast(point.expected, plural=plural), "forecast")
    yield "{count:forecast}", Filling(whole(point.expected), "forecast")


def _attribute_fillings(attributes: Mapping[str, AttributeValue]) -> Iterator[tuple[str, Filling]]:
    for name, value in attributes.items():
        for part, text in _value_texts(name, value):
            if 0 < len(text) <= LONGEST_VALUE:
                yield f"{{attr:{name}{part}}}", Filling(text, f"attribute:{name}")


def _value_texts(name: str, value: AttributeValue) -> Iterator[tuple[str, str]]:
    if isinstance(value, float | int):
        yield "", _figure(name.casefold(), float(value))
        return
    listed = [part for part in value if part] if isinstance(value, tuple) else [value]
    if listed:
        yield "", listing(listed[:LISTED_VALUES])
    single = attribute_values(value)
    for place in _VALUES:
        if -len(single) <= int(place) < len(single):
            yield f":{place}", single[int(place)]


def _figure(name: str, value: float) -> str:
    if "year" in name:
        return f"{value:.0f}"
    return f"{value:,.2f}" if "price" in name else f"{value:,.10g}"


def put_in(text: str, texts: Mapping[str, str]) -> str:
    """Replace references; one that opens a sentence gets a capital letter.

    Raises:
        KeyError: If one is not among ``texts``.
    """
    told, position = "", 0
    for hit in REFERENCE.finditer(text):
        told += text[position : hit.start()]
        value = texts[hit[0]]
        told += value[0].upper() + value[1:] if _OPENS_SENTENCE.search(told) else value
        position = hit.end()
    return told + text[position:]
