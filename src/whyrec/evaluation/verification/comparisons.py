"""What a statement of change compares with what: "up from 72 in August", "fell in October", "than last month"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.concepts import Concept
from whyrec.evaluation.verification.known import Basis, Known
from whyrec.evaluation.verification.mentions import Place, Stretch
from whyrec.evaluation.verification.places import month_before

Pair = tuple[Basis, Basis]
"""Before and after."""

_ROLE = re.compile(
    r"\b(?P<ref>from|since|between|than|against|compar\w+ (?:\w+ )?(?:with|to)|versus|vs|after|following|"
    r"above|below|ahead of|beyond|short of|behind|on|as(?! of)|relative to|set against|next to|measured against|"
    r"opposite|"
    r"up from|down from|exceed\w*|surpass\w*|beat\w*|out(?:d|str|perf|p|sh|cl|sc|r(?!ight)|sold|sel|gun)\w+|eclips\w*|"
    r"overtook|dwarf\w*|trail\w*|lagg?\w* behind|undersh\w*|top(?:s|ped)(?! out)|better(?:s|ed)|"
    r"match\w*|equal\w*|rival\w*|pace with|up with|up to|close to|near|candle to|trump\w*|past|"
    r"behind|beside|tower\w* over|(?:that|those|what it (?:was|drew|had|got)) (?:of|for|in|from|back in)|unlike)\b|"
    r"\b(?P<to>to|until|till|and|into|through|by|in|during|for)\b"
)
_PACE = re.compile(r"\b(?:pace|per day|a day|daily|weeks?|weekly|days|recent(?:ly)?|lately|momentum|tempo|of late)\b")
_MONTHS_SPAN = re.compile(rf"\b(?P<n>\d{{1,2}}|{'|'.join(list(lexicon.SMALL_NUMBERS)[2:])})\s(?:\w+\s)?months\b")
_WEAK_ROLES = ("and", "in", "during", "for", "by")
_ON_TO = re.compile(r"^[^,;.]{0,24}\b(?:to|at)\s(?:about\s|some\s|just\s|only\s|a\s)*(?:\d|□|[a-z]+)")
_LONGEST = 30
"""The longest of the spans of days that are counted."""


@dataclass(frozen=True)
class Passage:
    """A clause with what was found in it."""

    text: str
    """The whole explanation, lower case, names blanked."""
    sentence: Stretch
    clause: Stretch
    places: list[Place]
    """Months and spans of the clause."""
    known: Known
    concepts: Sequence[Concept] = ()
    """Words of change, size and time in the clause."""
    around: Sequence[Place] = ()
    """Months and spans of the whole sentence."""
    carries_forecast: bool = False
    """Whether the sentence before was about the forecast and this one points back at it ("That is above ...")."""

    @cached_property
    def words(self) -> str:
        """The clause's own text."""
        return self.text[self.clause.start : self.clause.end]

    @cached_property
    def has_driver_object(self) -> bool:
        """Whether the clause names what drivers push: the forecast, a number."""
        return bool(lexicon.DRIVER_OBJECT.search(self.words))

    @cached_property
    def speaks_of_push(self) -> bool:
        """Whether the clause says that something lifts the forecast or holds it back."""
        return self.has_driver_object and bool(lexicon.PUSHES.search(self.words))

    @cached_property
    def speaks_of_forecast(self) -> bool:
        """Whether the clause is about what is to come."""
        return (
            self.carries_forecast
            or any(concept.name == "ahead" for concept in self.concepts)
            or bool(lexicon.FORECAST_CUE.search(self.words))
        )


def is_reference(passage: Passage, place: Place) -> bool:
    """Whether a place is what something is compared with ("than in August"), not where it happened ("in August")."""
    index = passage.places.index(place)
    start = passage.places[index - 1].end if index else passage.clause.start
    segment = passage.text[start : place.start]
    roles = [hit for hit in _ROLE.finditer(segment) if hit["ref"] or hit["to"] not in _WEAK_ROLES]
    if not roles:
        return False
    last = roles[-1]
    rest = segment[last.end() :].lstrip()
    if last["ref"] in ("on", "as") and not re.fullmatch(r"(?:in\s|of\s|the\s|that\s|it was\s)*", rest):
        return False
    return last["ref"] is not None


def compared(passage: Passage, position: int) -> list[Pair]:
    """List the comparisons that a word of change at ``position`` may rest on; one of them must bear it out."""
    known = passage.known
    if turned := _turning_point(passage, position):
        return turned
    nearest = sorted(passage.places, key=lambda place: abs(place.start - position))
    refs = [place for place in nearest if is_reference(passage, place)]
    targets = [place for place in nearest if place not in refs]
    past_targets = [place for place in targets if place.span_days or any(m in known.users for m in place.months)]
    if passage.speaks_of_forecast and not (refs and past_targets):
        return _with_forecast(known, refs or past_targets)
    if refs and targets:
        return [
            (before, after)
            for before in known.in_place(refs[0])
            for after in known.in_place(targets[0])
            if refs[0].span_days is None or targets[0].span_days is None
        ] or _span_pace(known, targets[0])
    if refs:
        return _elaborated(passage, refs[0]) or _since(known, refs[0])
    months = sorted((place for place in past_targets if place.months), key=lambda place: place.months[0])
    if len(months) > 1:
        return [(before, after) for before in known.in_place(months[0]) for after in known.in_place(months[-1])]
    if targets:
        return _continued(passage, targets[0], position) or _within(passage, targets[0])
    return _at_large(passage)


def _elaborated(passage: Passage, ref: Place) -> list[Pair]:
    """ "It took off after July: 16 people then, 40 in August": the sentence goes on to say what is compared."""
    later = [place for place in passage.around if place.start >= passage.clause.end and place.months]
    known = passage.known
    return [(b, a) for place in later[:1] for b in known.in_place(ref) for a in known.in_place(place) if a != b]


def _continued(passage: Passage, target: Place, position: int) -> list[Pair]:
    """ "Sixteen came in March; by August the count had slipped to twelve": since the month of the clause before."""
    before = [place for place in passage.around if place.end <= passage.clause.start and place.months]
    is_on = re.search(r"\bby\s(?:the\s(?:end|middle|start)\sof\s)?$", passage.text[passage.clause.start : target.start])
    if not before or not target.months or not (is_on or _ON_TO.match(passage.text[position : passage.clause.end])):
        return []
    known = passage.known
    pairs = [(b, a) for b in known.in_place(before[-1]) for a in known.in_place(target)]
    return pairs if max(before[-1].months) < max(target.months) else []


def _with_forecast(known: Known, refs: list[Place]) -> list[Pair]:
    expected = known.forecasts[0]
    if refs:
        return [(before, expected) for before in known.in_place(refs[0])]
    before = [basis for month in (*known.complete[-1:], known.latest) if (basis := known.in_month(month))]
    before += [basis for basis in known.recents if basis.evidence_ids == ("recent:30d",)]
    return [(basis, expected) for basis in before]


def _since(known: Known, ref: Place) -> list[Pair]:
    after = [basis for month in (*known.complete[-1:], known.latest) if (basis := known.in_month(month))]
    return [(before, basis) for before in known.in_place(ref) for basis in after if before != basis]


def _within(passage: Passage, target: Place) -> list[Pair]:
    known = passage.known
    if target.span_days is not None:
        spans = [
            place.span_days for place in passage.places if place.span_days is not None and place.span_days < _LONGEST
        ]
        return _pace(known, min(spans, default=7 if _PACE.search(passage.words) else target.span_days))
    return [
        (before, after)
        for month in target.months
        if (after := known.in_month(month)) and (before := known.in_month(month_before(month)))
    ]


def _turning_point(passage: Passage, position: int) -> list[Pair]:
    """ "Until August before picking up": the change comes after the month named last."""
    earlier = [place for place in passage.places if place.end <= position and place.months]
    if not earlier or not lexicon.BEFOREHAND.search(passage.text[max(passage.clause.start, position - 24) : position]):
        return []
    later = [place for place in passage.places if place.start >= position and place.months]
    if not later:
        return _since(passage.known, earlier[-1])
    return [
        (before, after) for before in passage.known.in_place(earlier[-1]) for after in passage.known.in_place(later[0])
    ]


def _at_large(passage: Passage) -> list[Pair]:
    known = passage.known
    if span := _MONTHS_SPAN.search(passage.words):
        return _over_months(known, lexicon.SMALL_NUMBERS.get(span["n"]) or int(span["n"]))
    pair = known.latest_pair()
    if _PACE.search(passage.words) or pair is None:
        return _pace(known, 7)
    return [pair]


def _over_months(known: Known, n: int) -> list[Pair]:
    """From the month before the last ``n``, or from the first of them, to the last complete one."""
    months = [basis for month in known.complete if (basis := known.in_month(month))]
    starts = [months[-k] for k in (n + 1, n) if 1 < k <= len(months)]
    return [(start, months[-1]) for start in starts]


def _span_pace(known: Known, place: Place) -> list[Pair]:
    return [] if place.span_days is None else _pace(known, place.span_days)


def _pace(known: Known, days: int) -> list[Pair]:
    """Users a day within the last ``days``, against those before, up to the next longer span that is counted."""
    recent = known.facts.recent
    longer = _LONGEST if days < _LONGEST else 0
    if days not in recent or longer not in recent or recent[longer] == 0:
        return []
    ids = (f"recent:{days}d", f"recent:{longer}d")
    rest = max(recent[longer] - recent[days], 0)
    return [
        (
            Basis(rest / (longer - days), ids, f"the {longer - days} days before (users a day)"),
            Basis(recent[days] / days, ids, f"the last {days} days (users a day)"),
        )
    ]
