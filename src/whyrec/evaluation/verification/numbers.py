"""Claims about numbers: what each one counts is read off its unit, its month and the words around it, then compared."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import time

from whyrec.evaluation.verification import lexicon, number_words
from whyrec.evaluation.verification.comparisons import Passage, compared
from whyrec.evaluation.verification.events import events_of
from whyrec.evaluation.verification.known import DAYS_PER_MONTH, Basis
from whyrec.evaluation.verification.mentions import Number, Place
from whyrec.evaluation.verification.shares import Checked, matching, percent, times
from whyrec.evaluation.verification.tolerance import agrees
from whyrec.evaluation.verification.values import is_denied as is_denied_value
from whyrec.interfaces import Claim

_RANGE_LINK = re.compile(r"^\s?(?:users |people )?(?:to|and|–|-|up to)\s?$")
_MORE = re.compile(r"^\s(?:\w+\s)?(?:more|fewer|less)\b")
_END_CUE = re.compile(
    r"\b(?:as (?:few|low|little|many|high|much) as|at (?:least|most|worst|best)|up to|lower|upper|low|high|floor|"
    r"ceiling|not? (?:more|fewer|less))\b"
)
_SO_FAR = re.compile(r"\b(?:so far|into|first|after|has run|old|elapsed|of the month|through|seen|in part|only)\b")
_WINDOW_AFTER = re.compile(r"^[\s-]\w+\s(?:from|starting|beginning|ahead|to come)\b")
_OF_YEAR = re.compile("^attribute:.*(?:year|released?$)", re.IGNORECASE | re.DOTALL)
_SCALE = re.compile(r"(?:/\s?|\bout of\s)$")
_BEFORE_MONTH = re.compile(r"[^.;,]{0,44}\b(?:before|until|till|prior to)\s")
"""After "nobody", of a time before the item was first seen."""
_OF_LOG = re.compile(
    r"\b(?:users?|viewers?|people|ratings?|rated|raters?|months?|since|forecast\w*|data|log|first|watched|seen|"
    r"history|window|"
    r"audience|interest|demand|numbers?|expect\w*|cut-?off|rose|fell|grew|popular\w*)\b"
)
"""Where a year may be one of the history's rather than the item's own."""
_CURRENT = re.compile(
    r"\b(?:against|from|(?<!more )(?<!fewer )(?<!less )than|compared with|compared to|"
    r"versus|above|below|(?<!wager )(?<!bet )(?<!reckon )(?<!count )(?<!bank )on)\b[^,:\d]{0,24}$"
)


def number_claim(
    number: Number, *, passage: Passage, bound: dict[Number, Place], numbers: list[Number]
) -> Claim | None:
    """Check one number.

    Returns:
        The claim, or None for a number that says nothing about the data ("two reasons").
    """
    before = passage.text[max(passage.clause.start, number.start - 14) : number.start]
    is_unranked = number.unit == "" and all(other.unit != "rank" for other in numbers)
    if is_unranked and number_words.RANK_CUE.search(passage.words) and number_words.RANK_LEAD.search(before):
        number = replace(number, unit="rank")
    if number.value == 0 and _BEFORE_MONTH.match(passage.text[number.end : number.end + 60]):
        return None
    checked = _from_texts(number, passage) or _named_attribute(number, passage)
    if not checked:
        check = _CHECKS.get(number.unit)
        checked = check(number, passage) if check else _count(number, passage, bound=bound, numbers=numbers)
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


def _count(number: Number, passage: Passage, *, bound: dict[Number, Place], numbers: list[Number]) -> Checked:
    known = passage.known
    before = passage.text[max(passage.clause.start, number.start - 44) : number.start]
    after = passage.text[number.end : number.end + 30]
    if number.noun in ("history", "record", "recorded", "past", "activity"):
        return matching(number, [known.total])
    if passage.speaks_of_forecast and (end := _interval_end(number, passage, numbers)) is not None:
        return matching(number, [known.forecasts[1 + end]])
    if _MORE.match(after) or (lexicon.DELTA_CUE.search(before) and _is_change(number, passage, before)):
        return matching(number, [_difference(pair) for pair in compared(passage, number.start)])
    if number in bound:
        return matching(number, _in_bound_place(bound[number], passage))
    if re.search(r"\b(?:peak\w*|record|(?<!as )high(?! end))\b[^,.;\d]{0,20}$", before):
        return matching(number, sorted(known.months, key=lambda basis: -basis.value)[:1])
    if passage.speaks_of_forecast and not _CURRENT.search(before):
        return matching(number, known.forecasts[1:] if _END_CUE.search(before + after) else known.forecasts[:1])
    if lexicon.AVERAGE_CUE.search(before) or lexicon.AVERAGE_CUE.search(after.partition(",")[0]):
        rating = known.facts.mean_rating if number.decimals else None
        ratings = [] if rating is None else [Basis(rating, ("rating",), "mean rating")]
        return matching(number, [*_averages(passage), *ratings])
    if lexicon.TOTAL_CUE.search(passage.words):
        return matching(number, [known.total])
    rating = known.facts.mean_rating if number.decimals else None
    ratings = [] if rating is None else [Basis(rating, ("rating",), "mean rating")]
    return matching(number, [*known.months, *known.recents, known.total, *ratings])


def _is_change(number: Number, passage: Passage, before: str) -> bool:
    """Whether a word of change stands before a number."""
    return bool(lexicon.DELTA_VERB.search(before)) or any(it.start < number.start for it in events_of(passage))


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


def _rank(number: Number, passage: Passage) -> Checked:
    rank = Basis(passage.known.forecast.rank, ("rank",), "rank")
    if number_words.TOP_BEFORE.search(passage.text[max(0, number.start - 8) : number.start]):
        return rank.value <= number.value, [rank]
    return matching(number, [rank])


def _rating(number: Number, passage: Passage) -> Checked | None:
    mean = passage.known.facts.mean_rating
    if _SCALE.search(passage.text[max(0, number.start - 8) : number.start]):
        return number.value in (5, 10, 100) and (mean is None or mean <= number.value), []
    return matching(number, [] if mean is None else [Basis(mean, ("rating",), "mean rating")])


def _numeric_attribute(number: Number, passage: Passage) -> Checked:
    return matching(number, passage.known.numeric_attributes)


def _named_attribute(number: Number, passage: Passage) -> Checked | None:
    """A number next to the name of a numeric attribute: "a runtime of 120"."""
    if number.unit != "":
        return None
    nearby = passage.text[max(passage.clause.start, number.start - 26) : number.start]
    named = [basis for basis in passage.known.numeric_attributes if basis.label.casefold() in nearby]
    return matching(number, named) if named else None


def _year(number: Number, passage: Passage) -> Checked:
    known = passage.known
    years = [basis for basis in known.numeric_attributes if _OF_YEAR.search(basis.evidence_ids[0])]
    before = passage.text[max(0, number.start - 30) : number.start]
    after = passage.text[number.end : number.end + 16]
    is_release = lexicon.RELEASE_BEFORE.search(before) or lexicon.RELEASE_AFTER.match(after)
    if years and (is_release or not _OF_LOG.search(passage.words)):
        holds, bases = matching(number, years)
        return holds != is_denied_value(passage.text, number.start, number.end), bases
    spoken = {year for year, _ in (*known.users, *known.window_months)}
    of_log = [Basis(year, (), "a year of the history or window") for year in sorted(spoken)]
    if is_release and known.facts.first_seen:
        return matching(number, [Basis(known.facts.first_seen.year, ("first_seen",), "year first seen")])
    return matching(number, [*years, *of_log])


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
        return matching(number, [Basis(known.forecast.window.days / in_unit, ("forecast",), "forecast window")])
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
    return matching(number, bases)


def _from_texts(number: Number, passage: Passage) -> Checked | None:
    """A number quoted from the title or a catalogue text with the word that follows it there: "10 Pack"."""
    if number.unit in ("percent", "times", "rank", "year") or not number.noun:
        return None
    quoted = rf"(?<![\d.,]){number.value:g}[\s-]{re.escape(number.noun)}\b"
    for evidence_id, text in passage.known.texts:
        if number.noun in text and re.search(quoted, text):
            return True, [Basis(number.value, (evidence_id,), "quoted")]
    return None


_CHECKS: dict[str, Callable[[Number, Passage], Checked | None]] = {
    "percent": percent,
    "times": times,
    "rank": _rank,
    "rating": _rating,
    "price": _numeric_attribute,
    "year": _year,
    **dict.fromkeys(("days", "weeks", "months", "years"), _duration),
}
"""What a number is checked as, by its unit; all others are counts."""
