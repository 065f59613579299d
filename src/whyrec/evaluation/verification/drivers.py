"""What pushes a forecast, and the claims that a driver lifts it or holds it back."""

import re
from collections.abc import Iterator

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.comparisons import Passage
from whyrec.interfaces import Claim, Driver

_FORECAST = re.compile(r"\b(?:forecast|estimate|expectation|prediction|score)\b")


def driver_of_clause(passage: Passage) -> list[Driver]:
    """The drivers that a clause names, where it speaks of what pushes the forecast; all of them if it names none."""
    words = passage.words
    if not passage.known.drivers or not passage.speaks_of_push:
        return []
    named = [driver for driver, label in passage.known.driver_labels if label in words]
    if named or (_FORECAST.search(words) and not any(place.months for place in passage.places)):
        return named or list(passage.known.drivers)
    return []


def push_claims(passage: Passage) -> Iterator[Claim]:
    """Check "lifts the forecast" and "holds it back" against the sign of the driver that the clause names."""
    if not passage.has_driver_object:
        return
    for driver, label in passage.known.driver_labels:
        at = passage.words.find(label)
        if at < 0:
            continue
        after = passage.clause.start + at + len(driver.label)
        hit = lexicon.PUSH.search(passage.text, after, min(after + 40, passage.clause.end))
        if hit is None:
            continue
        holds = driver.effect != 0 and (hit.lastgroup == "up") == (driver.effect > 0)
        problem = "" if holds else f"{driver.label} changes the forecast by {driver.effect:+.0%}"
        yield Claim("direction", hit[0], hit.start(), hit.end(), holds, (f"driver:{driver.id}",), problem)
