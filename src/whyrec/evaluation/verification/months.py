"""Claims about when: that a month is the item's first, the one that is forecast, or exists in the data at all."""

import re
from collections.abc import Collection, Iterator
from datetime import timedelta

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.comparisons import Passage, is_reference
from whyrec.evaluation.verification.known import Known
from whyrec.evaluation.verification.mentions import Place
from whyrec.interfaces import Claim

_NOT_ITS_FIRST = re.compile(
    r"^\s(?:to\b|of the|full|half|weeks?|days|fortnight|quarter|two|three|\d|of all|and foremost|place|,)"
)
_BARE_FIRST = ("first", "for the first time", "the very first", "initial", "opening", "earliest", "new in")
_LOGS = ("record", "records")
_EXPECTS = re.compile(
    r"\b(?:expect|predict|forecast|anticipat|project|foresee|will|should|look|aim|point|call)\w*\b"
    r"(?:(?!\b(?:than|over|from|compared|since|after|given|following|seen|against|rise|drop|and|trend|peak|record|"
    r"exceed\w*|high|low)\b)[^,;.(\d]){0,60}"
    r"\b(?:in|for|to|towards?|during)\s(?:the month of\s)?$"
)
_IS_AHEAD = re.compile(
    r"^(?:['’]s)?\s(?:is|will be|comes|lies|awaits|would be|forecast|prediction|outlook|marks)\b(?:[^.;,]{0,40}"
    r"\b(?:forecast|prediction|outlook|ahead|next|to come|predict\w*|expect\w*|window|horizon|look\w*))?\b"
)
_NONE_BEFORE = re.compile(
    r"\b(?:nobody|no[ -]one|not a (?:soul|single \w+)|no (?:users?|viewers?|people|ratings?|trace|records?|sign|one|"
    r"data)|nothing|none|"
    r"wasn['’]t|was not|hadn['’]t|had not|not)\b[^.;,]{0,44}\b(?:before|until|till|prior to)\s$"
)
_MUST = re.compile(r"\b(?:have|has|had|need|needs|must|got)\s(?:to\s)?(?:go|reach|look|turn|travel)\b")
_CALENDAR = re.compile(
    r"\bnext (?:on|in|up in) (?:the|our) (?:calendar|list|line|diary|agenda) (?:is|comes)\s$|\bwill\s$"
)
_IN_STORE = re.compile(
    r"^\s(?:has in store|will bring|holds(?! the\b)|bring\b|might bring|may bring|is (?:likely|bound|set) to bring)"
)
_APPOSED = re.compile(
    r"^,\s(?:which is )?(?:the|our)\s(?:\w+\s)?(?:month|period|window|one)\b[^.;]{0,30}\b(?:forecast|predict\w*|"
    r"ahead|to come|expect\w*|"
    r"look\w*)"
)
_IN_QUESTION = re.compile(
    r"^\s(?:is|being)\s(?:the|our)\s(?:month|period|window|one)\s(?:in question|at issue|under (?:forecast|discussion|"
    r"consideration)|concerned|we (?:mean|forecast|look at|are (?:talking|speaking) (?:about|of)))\b"
)
_TALKS_OF = re.compile(r"\b(?:we|i)(?:['’](?:re|m)|\s(?:are|am))\s(?:here\s)?(?:talking|speaking)\s(?:about|of)\s$")
_FORECAST_NOUN = re.compile(
    r"\b(?:forecast|prediction|outlook|ahead|next|to come|predict\w*|expect\w*|window|horizon|look\w*)\b"
)


def month_claims(passage: Passage, *, counted: Collection[Place], is_engaged: bool) -> Iterator[Claim]:
    """Check that months and dates exist, lie before the cut-off or in the window, and begin what they are said to.

    Args:
        passage: The clause.
        counted: Places that a number is said of.
        is_engaged: Whether the clause says something else that is checked. A month of which nothing that can be
            checked is said is no claim, unless it lies outside of all that is known.
    """
    for place in passage.places:
        said = passage.text[place.start : place.end]
        if place.span_days is not None:
            if place.span_days not in passage.known.facts.recent:
                spans = ", ".join(str(days) for days in passage.known.facts.recent)
                problem = f"users are counted over the last {spans} days only"
                yield Claim("number", said, place.start, place.end, False, (), problem)
            continue
        told = _role_problem(passage, place, is_counted=place in counted)
        if told is None:
            if place.relative:
                continue
            told = _existence_problem(passage, place, is_counted=place in counted)
            if told == ("", ()) or (not told[0] and not (is_engaged or place in counted or place.day)):
                continue
        problem, ids = told
        yield Claim("month", said, place.start, place.end, not problem, ids, problem)


_Told = tuple[str, tuple[str, ...]]
"""What is wrong with a month, if anything, and the evidence."""


def _role_problem(passage: Passage, place: Place, *, is_counted: bool) -> _Told | None:
    """Whether the month is rightly called the first, or the one that is forecast; None where it is called neither."""
    known = passage.known
    if place.day is not None:
        return None
    if _is_forecast(passage, place):
        wrong = not known.window_months & set(place.months)
        return ("the forecast is for " + known.forecast.window.label if wrong else ""), ("forecast",)
    if known.facts.first_seen and not is_counted and _is_first(passage, place):
        if known.first in place.months:
            return "", ("first_seen",)
        return f"first seen on {known.facts.first_seen:%Y-%m-%d}", ("first_seen",)
    return None


def _is_forecast(passage: Passage, place: Place) -> bool:
    before = passage.text[passage.clause.start : place.start]
    after = passage.text[place.end : place.end + 60]
    if lexicon.FORECAST_OF.search(before) or lexicon.THEN_FORECAST.match(after):
        return not is_reference(passage, place)
    if _CALENDAR.search(before) or _IN_STORE.match(after) or _IN_QUESTION.match(after) or _TALKS_OF.search(before):
        return True
    if not passage.speaks_of_forecast:
        return False
    if _APPOSED.match(after):
        return True
    if (
        _IS_AHEAD.match(after)
        and (_FORECAST_NOUN.search(after) or before.strip() == "")
        and _FORECAST_NOUN.search(after)
    ):
        return not is_reference(passage, place)
    gap = re.sub(r"□+", "x", before)
    return gap.endswith(("for ", "ahead to ", "towards ", "toward ")) or _EXPECTS.search(gap) is not None


def _is_first(passage: Passage, place: Place) -> bool:
    if _NONE_BEFORE.search(passage.text[passage.clause.start : place.start]) and not is_compared(passage):
        return True
    busy = any(
        it.name in ("up", "down", "flat", "peak", "trough", "strongest", "weakest") and it.said not in _LOGS
        for it in passage.concepts
    )
    for concept in passage.concepts if not _MUST.search(passage.words) else ():
        if concept.name != "first":
            continue
        after = passage.text[concept.end : concept.end + 20]
        is_bare = concept.said in _BARE_FIRST or concept.said.startswith(("start", "beg"))
        if is_bare and (busy or _NOT_ITS_FIRST.match(after)):
            continue
        gap = passage.text[min(concept.end, place.end) : max(concept.start, place.start)]
        if concept.end > place.start and concept.said not in _BARE_FIRST:
            gap = passage.text[place.end : concept.start]
        others = [
            it for it in passage.places if it.months and it is not place and concept.end <= it.start < place.start
        ]
        if len(gap) <= _REACH and not others and not re.search(r"\b(?:than|after|than in|followed|then)\b", gap):
            return True
    return False


def is_compared(passage: Passage) -> bool:
    """Whether the clause says that something was more or less than something else."""
    return any(it.name in ("stronger", "weaker", "up", "down", "peak", "trough") for it in passage.concepts)


_REACH = 70
"""Characters between "first" and its month."""


def _existence_problem(passage: Passage, place: Place, *, is_counted: bool) -> _Told:
    known = passage.known
    usable = [
        month for month in place.months if month in known.users or month in known.window_months or month == known.latest
    ]
    ids = tuple(
        f"month:{year:04d}-{month:02d}" if (year, month) in known.users else "forecast" for year, month in usable
    )
    if place.day is not None:
        before = passage.text[passage.clause.start : place.start]
        return _day_problem(passage, place, before=before), ids
    if usable:
        return "", ids
    if min(place.months) > known.latest:
        return "later than the cut-off and outside the forecast window", ()
    if not known.users:
        return "the item has no history", ()
    zero = {basis.value for basis in known.in_place(place)} == {0} and is_counted
    return ("" if zero else f"the history begins on {known.facts.first_seen:%Y-%m-%d}"), ()


def _day_problem(passage: Passage, place: Place, *, before: str) -> str:
    known: Known = passage.known
    window, cutoff, first = known.forecast.window, known.facts.cutoff.date(), known.facts.first_seen
    eve = cutoff - timedelta(days=1)
    if lexicon.UP_TO.search(before):
        days, said = {cutoff, eve}, f"the cut-off is {cutoff}"
    elif first is not None and not passage.speaks_of_forecast and _is_first(passage, place):
        days, said = {first}, f"first seen on {first}"
    else:
        days = {cutoff, eve, window.start.date(), window.end.date(), window.end.date() - timedelta(days=1)}
        days |= {first} if first is not None else set()
        said = "no such date in the data: neither the first user's, nor the cut-off, nor the window's"
    stated = {(*month, place.day) for month in place.months}
    return "" if stated & {(day.year, day.month, day.day) for day in days} else said
