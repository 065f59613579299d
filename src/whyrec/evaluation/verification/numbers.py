"""Claims about numbers: what each one counts is read off its unit, its month and the words around it, then compared."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import time

from whyrec.evaluation.verification import lexicon, number_words
from whyrec.evaluation.verification.comparisons import Pair, Passage, compared
from whyrec.evaluation.verification.drivers import driver_of_clause
from whyrec.evaluation.verification.events import DOWN, FACTORS, UP, events_of, is_denied
from whyrec.evaluation.verification.known import DAYS_PER_MONTH, Basis
from whyrec.evaluation.verification.mentions import Number, Place
from whyrec.evaluation.verification.tolerance import agrees, percent_agrees, ratio_agrees
from whyrec.interfaces import Claim, Driver

_RANGE_LINK = re.compile(r"^\s?(?:users |people )?(?:to|and|–|-|up to)\s?$")
_MORE = re.compile(r"^\s(?:\w+\s)?(?:more|fewer|less)\b")
_END_CUE = re.compile(
    r"\b(?:as (?:few|low|little|many|high|much) as|at (?:least|most|worst|best)|up to|lower|upper|low|high|floor|"
    r"ceiling|no (?:more|fewer))\b"
)
_SO_FAR = re.compile(r"\b(?:so far|into|first|after|has run|old|elapsed|of the month|through|seen|in part|only)\b")
_LEVEL_AFTER = re.compile(r"\s(?:\w+\s)?(?:interval|range|band|confidence|chance|likel|probab|sure|prediction)")
_SOURCE = re.compile(r"^[^,.;\d]{0,40}\b(?:from|due to|thanks to|through|via|by)\s*$")
_WINDOW_AFTER = re.compile(r"^[\s-]\w+\s(?:from|starting|beginning|ahead|to come)\b")
_SCALE = re.compile(r"(?:/\s?|\bout of\s)$")
_INTERVAL_LEVEL = 80.0
_HALF = 50.0
_BEFORE_MONTH = re.compile(r"[^.;,]{0,44}\b(?:before|until|till|prior to)\s")
"""After "nobody", of a time before the item was first seen."""
_CURRENT = r"against|from|(?<!more )(?<!fewer )(?<!less )than|compared with|compared to|versus|above|below|on"

Checked = tuple[bool, Iterable[Basis]]


def number_claim(
    number: Number, *, passage: Passage, bound: dict[Number, Place], numbers: list[Number]
) -> Claim | None:
    """Check one number.

    Returns:
        The claim, or None for a number that says nothing about the data ("two reasons").
    """
    checks: dict[str, Callable[[], Checked | None]] = {
        "percent": lambda: _percent(number, passage),
        "times": lambda: _times(number, passage),
        "rank": lambda: _rank(number, passage),
        "rating": lambda: _rating(number, passage),
        "price": lambda: _numeric_attribute(number, passage),
        "year": lambda: _year(number, passage),
        **dict.fromkeys(("days", "weeks", "months", "years"), lambda: _duration(number, passage)),
    }
    before = passage.text[max(passage.clause.start, number.start - 14) : number.start]
    is_unranked = number.unit == "" and all(other.unit != "rank" for other in numbers)
    if is_unranked and number_words.RANK_CUE.search(passage.words) and number_words.RANK_LEAD.search(before):
        number = replace(number, unit="rank")
    if number.value == 0 and _BEFORE_MONTH.match(passage.text[number.end : number.end + 60]):
        return None
    checked = _from_texts(number, passage) or _named_attribute(number, passage)
    checked = checked or checks.get(number.unit, lambda: _count(number, passage, bound=bound, numbers=numbers))()
    if checked is None:
        return None
    holds, bases = checked
    listed = list(bases)
    ids = tuple(dict.fromkeys(evidence_id for basis in listed[:1] for evidence_id in basis.evidence_ids))
    problem = "" if holds else _problem(listed)
    kind = "attribute" if ids and ids[0].startswith("attribute:") else "number"
    said = passage.text[number.start : number.end]
    return Claim("attribute" if kind == "attribute" else "number", said, number.start, number.end, holds, ids, problem)


def _problem(bases: list[Basis]) -> str:
    if not bases:
        return "nothing in the evidence gives this number"
    return "; ".join(f"{basis.label}: {basis.value:.5g}" for basis in bases[:3])


def _matching(number: Number, bases: Iterable[Basis], agree: Callable[[Number, float], bool] = agrees) -> Checked:
    listed = list(bases)
    fitting = [basis for basis in listed if agree(number, basis.value)]
    return bool(fitting), fitting or listed


def _count(number: Number, passage: Passage, *, bound: dict[Number, Place], numbers: list[Number]) -> Checked:
    known = passage.known
    before = passage.text[max(passage.clause.start, number.start - 44) : number.start]
    after = passage.text[number.end : number.end + 30]
    if number.noun in ("history", "record", "recorded", "past", "activity"):
        return _matching(number, [known.total])
    if passage.speaks_of_forecast and (end := _interval_end(number, passage, numbers)) is not None:
        return _matching(number, [known.forecasts[1 + end]])
    changes = any(event.start < number.start for event in events_of(passage))
    changes = changes or lexicon.DELTA_VERB.search(before)
    if (changes and lexicon.DELTA_CUE.search(before)) or _MORE.match(after):
        return _matching(number, [_difference(pair) for pair in compared(passage, number.start)])
    if number in bound:
        return _matching(number, _in_bound_place(bound[number], passage))
    if re.search(r"\b(?:peak\w*|record|high)\b[^,.;\d]{0,20}$", before):
        return _matching(number, sorted(known.months, key=lambda basis: -basis.value)[:1])
    if passage.speaks_of_forecast and not re.search(rf"\b(?:{_CURRENT})\b[^,:\d]{{0,24}}$", before):
        return _matching(number, known.forecasts[1:] if _END_CUE.search(before + after) else known.forecasts[:1])
    if lexicon.AVERAGE_CUE.search(before) or lexicon.AVERAGE_CUE.search(after.partition(",")[0]):
        rating = known.facts.mean_rating if number.decimals else None
        ratings = [] if rating is None else [Basis(rating, ("rating",), "mean rating")]
        return _matching(number, [*_averages(passage), *ratings])
    if lexicon.TOTAL_CUE.search(passage.words):
        return _matching(number, [known.total])
    return _matching(number, [*known.months, *known.recents, known.total])


def _in_bound_place(place: Place, passage: Passage) -> list[Basis]:
    known = passage.known
    past = known.in_place(place)
    # A number said of a month to come can only be the forecast, unless the sentence tells it as a thing of the past.
    is_ahead = not past and not lexicon.PAST_TENSE.search(passage.words)
    if (passage.speaks_of_forecast or is_ahead) and known.window_months & set(place.months):
        return [*past, *known.forecasts[:1]]
    return past


def _interval_end(number: Number, passage: Passage, numbers: list[Number]) -> int | None:
    """0 for the lower number of a stated range, 1 for the upper one, None for a number by itself."""
    if not (lexicon.RANGE_CUE.search(passage.words) or lexicon.LEVEL_CUE.search(passage.words)):
        return None
    index = numbers.index(number)
    if index + 1 < len(numbers) and _RANGE_LINK.match(passage.text[number.end : numbers[index + 1].start]):
        return 0
    if index and _RANGE_LINK.match(passage.text[numbers[index - 1].end : number.start]):
        return 1
    return None


def _difference(pair: tuple[Basis, Basis]) -> Basis:
    older, newer = pair
    ids = tuple(dict.fromkeys((*older.evidence_ids, *newer.evidence_ids)))
    return Basis(abs(newer.value - older.value), ids, f"difference between {older.label} and {newer.label}")


def _averages(passage: Passage) -> list[Basis]:
    complete = [basis for month in passage.known.complete if (basis := passage.known.in_month(month))]
    spans = [complete[-n:] for n in (3, 6, 12) if n < len(complete)]
    spans += [complete, passage.known.months]
    return [
        Basis(
            sum(b.value for b in span) / len(span),
            tuple(b.evidence_ids[0] for b in span),
            f"mean of {len(span)} months",
        )
        for span in spans
        if span
    ]


def _percent(number: Number, passage: Passage) -> Checked | None:
    known = passage.known
    drivers = driver_of_clause(passage)
    if drivers:
        nearest = _nearest_driver(number, passage) or drivers
        bases = [Basis(abs(d.effect) * 100, (f"driver:{d.id}",), f"effect of {d.label}, %") for d in nearest]
        return _matching(number, bases, percent_agrees)
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
            return _matching(number, ratios, percent_agrees)
    is_change = re.search(r"\b(?:lost|shed|los\w+|gain\w*|add\w*|won)\s(?:\w+\s)?$", before + " " if before[-1:] != " " else before)
    if re.match(r"\s?(?:of|that)\b", after) and not re.match(r"\s?of what\b", after) and not is_change:
        return _matching(number, _shares(passage), percent_agrees)
    if re.search(
        r"\b(?:below|short of|off|under|down from) (?:its|the) (?:\w+ )?(?:peak|best|record|high)", passage.words
    ):
        peak = max(known.months, key=lambda basis: basis.value)
        tails = [b for m in (*known.complete[-1:], known.latest) if (b := known.in_month(m))]
        tails += known.forecasts[:1] if passage.speaks_of_forecast else []
        return _matching(number, [_change((peak, tail)) for tail in tails if peak.value], percent_agrees)
    sign = _sign_of(number, passage)
    changes = [_change(pair) for pair in compared(passage, number.start) if pair[0].value and _fits(pair, sign)]
    return _matching(number, changes, percent_agrees)


_RATIO_BEFORE = re.compile(
    r"\b(?:to|at|only|just|was|is|were|drew|had)\s(?:about\s|just\s|only\s|roughly\s|around\s|nearly\s)*$"
)
_RATIO_AFTER = re.compile(
    r"^\s(?:(?:of\s)?(?:that|those|what|the (?:number|figure|level|count|size|audience|crowd|total|viewers|users))\b|as\s(?:many|much|"
    r"big|large|strong|busy|high|popular)|of\s(?:its|the)\s(?:former|earlier|previous|old)|of□|the (?:size|level|number|figure))"
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
    events = [
        it for it in events_of(passage) if it.kind not in FACTORS and _distance(it.start, it.end, number) <= _SIGN_REACH
    ]
    if not events:
        return ""
    event = min(events, key=lambda it: (_distance(it.start, it.end, number), -it.start))
    kind = {UP: DOWN, DOWN: UP}.get(event.kind, "") if is_denied(passage, event.start, event.end) else event.kind
    return kind if kind in (UP, DOWN) else ""


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
        for driver in passage.known.drivers
        if (at := text.find(driver.label.casefold(), clause.start, clause.end)) >= 0
    ]
    before = [(end, driver) for _, end, driver in found if end <= number.start]
    after = [(start, driver) for start, _, driver in found if start >= number.end]
    if after:
        start, driver = min(after, key=lambda entry: entry[0])
        if not before or _SOURCE.match(text[number.end : start]):
            return [driver]
    return [max(before, key=lambda entry: entry[0])[1]] if before else []


def _times(number: Number, passage: Passage) -> Checked | None:
    drivers = driver_of_clause(passage)
    if drivers:
        named = _nearest_driver(number, passage) or drivers
        bases = [Basis(1 + d.effect, (f"driver:{d.id}",), f"factor of {d.label}") for d in named]
        bases += [
            Basis(1 / (1 + d.effect), (f"driver:{d.id}",), f"divisor of {d.label}") for d in named if d.effect > -1
        ]
        return _matching(number, bases, ratio_agrees)
    pairs = [pair for pair in compared(passage, number.start) if pair[0].value and pair[1].value]
    bases = []
    for older, newer in pairs:
        ids = (*older.evidence_ids, *newer.evidence_ids)
        bases.append(Basis(newer.value / older.value, ids, f"{newer.label} over {older.label}"))
        bases.append(Basis(older.value / newer.value, ids, f"{older.label} over {newer.label}"))
    return _matching(number, bases, ratio_agrees)


def _rank(number: Number, passage: Passage) -> Checked:
    rank = Basis(passage.known.forecast.rank, ("rank",), "rank")
    if number_words.TOP_BEFORE.search(passage.text[max(0, number.start - 8) : number.start]):
        return rank.value <= number.value, [rank]
    return _matching(number, [rank])


def _rating(number: Number, passage: Passage) -> Checked | None:
    mean = passage.known.facts.mean_rating
    if _SCALE.search(passage.text[max(0, number.start - 8) : number.start]):
        return number.value in (5, 10, 100) and (mean is None or mean <= number.value), []
    return _matching(number, [] if mean is None else [Basis(mean, ("rating",), "mean rating")])


def _attributes(passage: Passage, pattern: str = "") -> list[Basis]:
    return [
        Basis(float(value), (f"attribute:{name}",), name.replace("_", " "))
        for name, value in passage.known.facts.attributes.items()
        if isinstance(value, int | float) and re.search(pattern, name, re.IGNORECASE)
    ]


def _numeric_attribute(number: Number, passage: Passage) -> Checked:
    return _matching(number, _attributes(passage))


def _named_attribute(number: Number, passage: Passage) -> Checked | None:
    """A number next to the name of a numeric attribute: "a runtime of 120"."""
    nearby = passage.text[max(passage.clause.start, number.start - 26) : number.start]
    named = [basis for basis in _attributes(passage) if number.unit == "" and basis.label.casefold() in nearby]
    return _matching(number, named) if named else None


def _year(number: Number, passage: Passage) -> Checked:
    known = passage.known
    years = _attributes(passage, "year|released?$")
    before = passage.text[max(0, number.start - 30) : number.start]
    after = passage.text[number.end : number.end + 16]
    is_release = lexicon.RELEASE_BEFORE.search(before) or lexicon.RELEASE_AFTER.match(after)
    if is_release and years:
        return _matching(number, years)
    spoken = {year for year, _ in (*known.users, *known.window_months)}
    of_log = [Basis(year, (), "a year of the history or window") for year in sorted(spoken)]
    if is_release and known.facts.first_seen:
        return _matching(number, [Basis(known.facts.first_seen.year, ("first_seen",), "year first seen")])
    return _matching(number, [*years, *of_log])


def _duration(number: Number, passage: Passage) -> Checked | None:
    known, words = passage.known, passage.words
    in_unit = {"days": 1.0, "weeks": 7.0, "months": DAYS_PER_MONTH, "years": 365.2425}[number.unit]
    bases: list[Basis] = []
    if lexicon.STREAK_CUE.search(words):
        return None
    before = passage.text[max(passage.clause.start, number.start - 24) : number.start]
    if number.unit == "months" and number.value < len(known.users) and lexicon.SPAN_OF_MONTHS.search(before):
        # "Over the last three months": a scope for the direction beside it, which is checked over just that scope.
        return None
    if passage.speaks_of_forecast and _WINDOW_AFTER.match(passage.text[number.end : number.end + 24]):
        return _matching(number, [Basis(known.forecast.window.days / in_unit, ("forecast",), "forecast window")])
    if known.age is not None and lexicon.AGE_CUE.search(words):
        age = known.age.days / in_unit
        if agrees(number, age) or abs(age - number.value) < 1:
            return True, [Basis(age, ("first_seen",), "time since first seen")]
        bases.append(Basis(age, ("first_seen",), f"time since first seen, {number.unit}"))
    if passage.speaks_of_forecast:
        bases.append(Basis(known.forecast.window.days / in_unit, ("forecast",), f"forecast window, {number.unit}"))
    if number.unit == "months":
        bases += [
            Basis(len(known.users), (), "months of history"),
            Basis(len(known.complete), (), "full months of history"),
        ]
    if number.unit == "days":
        if known.latest in known.partial and _SO_FAR.search(words):
            # At 14:00 on the 30th, 29 days are over and 30 have begun; people say either.
            full = known.facts.cutoff.day - 1
            begun = full + (known.facts.cutoff.time() > time.min)
            evidence = (f"month:{known.latest[0]:04d}-{known.latest[1]:02d}",)
            bases += [Basis(elapsed, evidence, "days of the month so far") for elapsed in sorted({full, begun})]
        bases += [Basis(days, (f"recent:{days}d",), "span counted") for days in known.facts.recent]
    return _matching(number, bases)


def _from_texts(number: Number, passage: Passage) -> Checked | None:
    """A number quoted from the title or a catalogue text with the word that follows it there: "10 Pack"."""
    if number.unit in ("percent", "times", "rank", "year") or not number.noun:
        return None
    phrase = re.compile(rf"(?<![\d.,]){number.value:g}[\s-]{re.escape(number.noun)}\b")
    facts = passage.known.facts
    texts = {"title": facts.title, **{f"attribute:{name}": str(value) for name, value in facts.attributes.items()}}
    for evidence_id, text in texts.items():
        if phrase.search(text.casefold()):
            return True, [Basis(number.value, (evidence_id,), "quoted")]
    return None
