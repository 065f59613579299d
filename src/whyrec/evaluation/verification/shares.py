"""Percentages, fractions and factors: what each is said of, and whether it is right."""

import re
from collections.abc import Callable, Iterable

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.comparisons import Pair, Passage, compared
from whyrec.evaluation.verification.drivers import driver_of_clause
from whyrec.evaluation.verification.events import DOWN, FACTORS, UP, events_of, is_denied
from whyrec.evaluation.verification.known import Basis
from whyrec.evaluation.verification.mentions import Number
from whyrec.evaluation.verification.tolerance import agrees, percent_agrees, ratio_agrees
from whyrec.interfaces import Driver

_LEVEL_AFTER = re.compile(r"\s(?:\w+\s)?(?:interval|range|band|confidence|chance|likel|probab|sure|prediction)")
_SOURCE = re.compile(r"^[^,.;\d]{0,40}\b(?:from|due to|thanks to|through|via|by)\s*$")
_INTERVAL_LEVEL = 80.0
_HALF = 50.0

Checked = tuple[bool, Iterable[Basis]]
"""Whether a number is right, and what it rests on."""


def matching(number: Number, bases: Iterable[Basis], agree: Callable[[Number, float], bool] = agrees) -> Checked:
    """Whether a number agrees with one of the values it may rest on, and those it agrees with, else all of them."""
    listed = list(bases)
    fitting = [basis for basis in listed if agree(number, basis.value)]
    return bool(fitting), fitting or listed


def percent(number: Number, passage: Passage) -> Checked | None:
    """Check a percentage or a fraction in words: of a change, of a driver's effect, of the interval, of other users."""
    known = passage.known
    drivers = driver_of_clause(passage)
    if drivers:
        nearest = _nearest_driver(number, passage) or drivers
        bases = [Basis(abs(d.effect) * 100, (f"driver:{d.id}",), f"effect of {d.label}, %") for d in nearest]
        return matching(number, bases, percent_agrees)
    after = passage.text[number.end : number.end + 30]
    before = passage.text[max(0, number.start - 12) : number.start]
    if number.is_share and number.value == _HALF and re.match(r"\sas\s(?:many|much|big|large|strong|busy)\b", after):
        return None  # Read as a factor: "half as many".
    if _LEVEL_AFTER.match(after) or (re.search(r"\b(?:at|with)\s$", before) and lexicon.INTERVAL.search(passage.words)):
        return number.value == _INTERVAL_LEVEL, [
            Basis(_INTERVAL_LEVEL, ("forecast:low", "forecast:high"), "level of the interval, %")
        ]
    if _is_ratio(number, passage):
        ratios = [_ratio(pair) for pair in compared(passage, number.start) if pair[0].value]
        if ratios:
            return matching(number, ratios, percent_agrees)
    is_change = re.search(
        r"\b(?:lost|shed|los\w+|gain\w*|add\w*|won)\s(?:\w+\s)?$", before + " " if before[-1:] != " " else before
    )
    if re.match(r"\s?(?:of|that)\b", after) and not re.match(r"\s?of what\b", after) and not is_change:
        return matching(number, _shares(passage), percent_agrees)
    if re.search(
        r"\b(?:below|short of|off|under|down from) (?:its|the) (?:\w+ )?(?:peak|best|record|high)", passage.words
    ):
        peak = max(known.months, key=lambda basis: basis.value)
        tails = [b for m in (*known.complete[-1:], known.latest) if (b := known.in_month(m))]
        tails += known.forecasts[:1] if passage.speaks_of_forecast else []
        return matching(number, [_change((peak, tail)) for tail in tails if peak.value], percent_agrees)
    sign = _sign_of(number, passage)
    changes = [_change(pair) for pair in compared(passage, number.start) if pair[0].value and _fits(pair, sign)]
    return matching(number, changes, percent_agrees)


_RATIO_AFTER = re.compile(
    r"^\s(?:(?:of\s)?(?:that|those|what|the (?:number|figure|level|count|size|audience|crowd|total|viewers|users))\b|"
    r"as\s(?:many|much|"
    r"big|large|strong|busy|high|popular)|of\s(?:its|the)\s(?:former|earlier|previous|old)|of□|the (?:size|level|"
    r"number|figure))"
)


def _is_ratio(number: Number, passage: Passage) -> bool:
    """Whether a share is said of one month's users in another's: "fell to a third", "half as many as in June"."""
    if not number.is_share and not re.match(r"\s(?:of|as)\b", passage.text[number.end : number.end + 4]):
        return False
    months = [place for place in passage.places if place.months]
    before = passage.text[max(passage.clause.start, number.start - 20) : number.start]
    after = passage.text[number.end : min(number.end + 40, passage.clause.end)]
    goes_to = re.search(r"\bto\s(?:about\s|just\s|only\s|roughly\s|around\s|nearly\s|less than\s)*$", before)
    return len(months) > 0 and bool(goes_to or (_RATIO_AFTER.match(after) and len(months) > 1))


def _ratio(pair: Pair) -> Basis:
    older, newer = pair
    ids = tuple(dict.fromkeys((*older.evidence_ids, *newer.evidence_ids)))
    return Basis(100 * newer.value / older.value, ids, f"{newer.label} in {older.label}, %")


def _sign_of(number: Number, passage: Passage) -> str:
    """Which way a percentage is said to go: the word of change nearest to it; empty where none stands near."""
    signed = _SIGNED.search(passage.text, max(passage.clause.start, number.start - 8), number.start)
    if signed:
        return UP if signed["plus"] else DOWN
    events = [
        it for it in events_of(passage) if it.kind not in FACTORS and _distance(it.start, it.end, number) <= _SIGN_REACH
    ]
    if not events:
        return ""
    event = min(events, key=lambda it: (_distance(it.start, it.end, number), -it.start))
    kind = {UP: DOWN, DOWN: UP}.get(event.kind, "") if is_denied(passage, event.start, event.end) else event.kind
    return kind if kind in (UP, DOWN) else ""


_SIGNED = re.compile(r"(?:(?P<plus>\bplus\s|(?<!\w)\+)|\bminus\s|(?<!\w)[-−])$")
_SIGN_REACH = 60


def _distance(start: int, end: int, number: Number) -> int:
    # "A third below" binds more closely than "the rise ... a third".
    return start - number.end if start >= number.end else number.start - end + 1


def _fits(pair: Pair, sign: str) -> bool:
    older, newer = pair
    return sign == "" or (newer.value >= older.value if sign == UP else newer.value <= older.value)


def _change(pair: tuple[Basis, Basis]) -> Basis:
    older, newer = pair
    ids = tuple(dict.fromkeys((*older.evidence_ids, *newer.evidence_ids)))
    label = f"change from {older.label} to {newer.label}, %"
    return Basis(100 * abs(newer.value / older.value - 1), ids, label)


def _shares(passage: Passage) -> list[Basis]:
    """Shares of the users of one place in those of another, the clause's own two where it names two."""
    known = passage.known
    named = [basis for place in passage.places for basis in known.in_place(place)]
    thirty = [basis for basis in known.recents if basis.evidence_ids == ("recent:30d",)]
    parts = named or known.recents
    wholes = named if len(named) > 1 else [*thirty, known.total]
    return [
        Basis(
            100 * part.value / whole.value,
            (*part.evidence_ids, *whole.evidence_ids),
            f"{part.label} in {whole.label}, %",
        )
        for part in parts
        for whole in wholes
        if part != whole and part.value <= whole.value > 0
    ]


def _nearest_driver(number: Number, passage: Passage) -> list[Driver]:
    """The driver that an effect is said of: "34% from LABEL", else the last one named before it, else the next."""
    text, clause = passage.text, passage.clause
    found = [
        (at, at + len(driver.label), driver)
        for driver, label in passage.known.driver_labels
        if (at := text.find(label, clause.start, clause.end)) >= 0
    ]
    before = [(end, driver) for _, end, driver in found if end <= number.start]
    after = [(start, driver) for start, _, driver in found if start >= number.end]
    if after:
        start, driver = min(after, key=lambda entry: entry[0])
        if not before or _SOURCE.match(text[number.end : start]):
            return [driver]
    return [max(before, key=lambda entry: entry[0])[1]] if before else []


def times(number: Number, passage: Passage) -> Checked | None:
    """Check a factor: "1.7 times as many users as in September"."""
    drivers = driver_of_clause(passage)
    if drivers:
        named = _nearest_driver(number, passage) or drivers
        bases = [Basis(1 + d.effect, (f"driver:{d.id}",), f"factor of {d.label}") for d in named]
        bases += [
            Basis(1 / (1 + d.effect), (f"driver:{d.id}",), f"divisor of {d.label}") for d in named if d.effect > -1
        ]
        return matching(number, bases, ratio_agrees)
    pairs = [pair for pair in compared(passage, number.start) if pair[0].value and pair[1].value]
    bases = []
    for older, newer in pairs:
        ids = (*older.evidence_ids, *newer.evidence_ids)
        bases.append(Basis(newer.value / older.value, ids, f"{newer.label} over {older.label}"))
        bases.append(Basis(older.value / newer.value, ids, f"{older.label} over {newer.label}"))
    return matching(number, bases, ratio_agrees)
