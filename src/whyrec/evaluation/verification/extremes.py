"""Claims about the best and the worst month: "peaked in June", "never busier than in June", "highest since June"."""

import re
from collections.abc import Iterator

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.comparisons import Passage
from whyrec.evaluation.verification.concepts import Concept
from whyrec.evaluation.verification.events import is_denied
from whyrec.evaluation.verification.known import Basis, Known
from whyrec.evaluation.verification.mentions import Number, Place
from whyrec.interfaces import Claim

_SINCE = re.compile(
    r"\bsince\s(?:the\s|way\sback\sin\s|back\sin\s|as\sfar\sback\sas\s|those\s(?:of|in)\s|that\s(?:of|in)\s|early\s|late\s|"
    r"mid-|the\sdays\sof\s)?$"
)
_AMOUNT = re.compile(
    r"\b(?:(?P<low>(?:as|so|that|this) (?:few|little|badly|poorly)|fewest|least|(?:fewer|less)\b)|(?P<high>(?:as|so|that|this) "
    r"(?:many|much|well)|most|more|(?:numbers?|figures?|anything|nothing|crowds?|turnouts?|one|it|(?:a )?month|totals?) (?:quite )?"
    r"(?:like|to match|to equal|to rival|to touch|to compare)|such|(?:match|beat|equal|top|surpass|better|exceed|rival|"
    r"outdo|outstrip)(?:ed|s|es|en|led)?))\b"
)
_NEVER = re.compile(
    r"\b(?:never|at no (?:time|point|stage|moment)|no (?:other |single )?(?:month|period|time|stretch|point)|not once|nothing|"
    r"not (?:a|one|any)(?: single)?(?: other)? month|none|nowhere|in no (?:other )?month|hasn['’]t|hadn['’]t|has not|had not|"
    r"not been|wasn['’]t|was not)\b"
)
_THAN = re.compile(
    r"^(?:[^,;.]{0,40}?)\b(?:than|as)\s(?:it\s(?:was|did|had|has)\s|they\s(?:were|did)\s|what it (?:was|did)\s)?"
    r"(?:back\s)?(?:in\s|during\s|for\s|at\s)?(?:the month of\s)?$"
)
_BEATS = re.compile(
    r"\b(?:(?P<high>exceed|surpass|beat|top|match|outd[oi]d?|outdo|equal|better|bett|outstrip|outperform|eclips|rival|overtak|"
    r"overtook|touch|come close to|came close to|get near|got near|climb\w* above|r[io]se\w* above|go above|went above|got "
    r"above|rise beyond|grew beyond)|(?P<low>fall below|fell below|dip\w* below|drop\w* below|s[ia]nk below|go below|went below|"
    r"undercut|undershot|(?:fall|fell|sink|sank|drop\w*|dip\w*|go|went|s[ia]nk) (?:any )?(?:lower|further|deeper) than))"
    r"\w*\s(?:(?:that|those|what it did|the \w+) (?:of|in|for)\s|in\s)?$"
)
_UNBEATEN = re.compile(
    r"['’]?s?\s(?:\w+\s){0,3}?(?:(?:was|were|has|is|have|had)\s)?(?:never|not|yet to)\s(?:since |again |yet |once )*(?:been|be)\s(?:since |again |yet |once )*"
    r"(?:better|beat|top|match|surpass|exceed|equal|outd|eclips|rival|repeat|overtak|outstrip)\w*"
)
_OTHER_MONTHS = re.compile(
    r"\b(?:every|all|any|each)(?: the| of the)? (?:other|remaining) months?\b|\bthe other months\b|\bthe rest\b"
)
_SCOPE = re.compile(
    r"\b(?:local|second|third|fourth|next|minor|previous|another|secondary|one of (?:its|the|their)|among (?:its|the)|"
    r"near|close to|toward|towards|almost|nearly)(?:[\s-]\w+)?\s?-?$"
)
_NOT_COUNT = re.compile(
    r"^[\s-](?:end|bound|limit|edge|side|bracket|estimate|case|rise|fall|drop|decline|increase|jump|gain|loss|"
    r"change|swing|surge|dip|leap|slump|genre|fans?|known|sellers?|films?|picture|movie|of all likelihood|part|"
    r"ranked|rated|recent)\b"
)
_AT = re.compile(r"\b(?:at|does its|do its|did its|all the|for the)\s$")
_RECORD_IDIOM = re.compile(r"\b(?:on|track|off the|for the|a matter of|user|broken|watch|whole|entire)\s$")
_PAST = re.compile(
    r"\b(?P<past>past|beyond|over|well past|behind)\s(?:its|the|that|their)\s?(?:own |monthly |former |earlier )?$|"
    r"\b(?P<below>off|below|beneath|under|short of|shy of|down (?:on|from)|a shadow of|nowhere near|far from|away from|lower than|"
    r"behind|adrift of|not at|no longer at|out of reach of)\s(?:its|the|that|their|an|a)?\s?(?:own |former |earlier |previous |"
    r"all-time |monthly |old )?$"
)
_AS_OF = re.compile(r"\b(?:as of|come|by|until|up to|so far|to date|at the end of|with|through)\b")
_EVER = re.compile(
    r"^\s(?:an? \w+\s|a month\s)?(?:as|than)\s(?:(?:it|they|the \w+|anything)(?:['’](?:s|d)|\s(?:has|had|have|was))?\s)?(?:\w+\s)?"
    r"(?P<ever>ever\b|at any (?:time|point|stage)|any(?:thing)? before|before\b)"
)
_ONCE = re.compile(
    r"^\s(?:an? \w+\s)?(?:as|than)\s(?:it|they)(?:['’](?:s|d))?\s?(?:has|had|have|was|were)?\s?(?:once|previously|formerly|earlier|"
    r"used to|at (?:one|its)|been)\b"
)
_WAS_MORE = re.compile(
    r"\b(?:had|has|have|['’]d|once|used to|did)\s(?:already |once |previously |even )*(?:been|be|seen|known|enjoyed)\s(?:\w+\s)?$"
)
_BEHIND = re.compile(
    r"\b(?:had seen|has seen|seen|known) (?:better|busier|bigger) (?:days|months|times)|\b(?:best|biggest|busiest|glory|peak|great)\w* "
    r"(?:days?|months?|times?|weeks)? ?(?:were|was|is|are|lay|lies|had been|already)(?: already| now| well)? (?:over|behind|gone|past)|"
    r"\bpeak (?:was|is|had|has|lay|lies)(?: already| now| been| long)* (?:over|behind|gone|past|passed|come and gone)|\bover the hill\b|\b(?:not|n['’]t) what it (?:had been|once was|used to be|was before|had once been)|\bpeak (?:was|had been|is|has been) (?:already |long )?passed|"
    r"\bhad (?:already )?(?:peaked|had its (?:peak|day|moment|heyday))|\balready (?:peaked|had its (?:peak|day|moment))|\bhad its day\b|"
    r"\bno longer (?:at|on) (?:its|the) (?:peak|height|maximum|best|top|summit|high)"
)


def extreme_claims(passage: Passage, numbers: list[Number]) -> Iterator[Claim]:
    """Check peaks, troughs and "highest since" against the whole monthly history.

    Args:
        passage: The clause.
        numbers: Those of its sentence.
    """
    if not passage.known.users:
        return
    claims = [*_since_claims(passage)]
    if not claims:
        claims += _denied_claims(passage)
    if not claims:
        claims += _standing_claims(passage)
    yield from claims
    taken = [(claim.start, claim.end) for claim in claims]
    for concept in passage.concepts:
        if concept.name in _LOWEST and not any(start < concept.end and concept.start < end for start, end in taken):
            claim = _extreme_claim(passage, concept, numbers)
            if claim is not None:
                yield claim


_LOWEST = {"peak": False, "strongest": False, "trough": True, "weakest": True}
"""Names of concepts, and whether the lowest month is meant."""


_BACK_TO = re.compile(r"\b(?:have|has|had|need|needs|must|got)\s(?:to\s)?(?:go|reach|look|turn|travel)\s(?:\w+\s){0,4}?back\s(?:to|as far as)\s$")
"""One must "go back to June" for a month as good: the like has not been seen since."""


def _since_claims(passage: Passage) -> Iterator[Claim]:
    text, known = passage.text, passage.known
    for place in passage.places:
        opening = _SINCE.search(text, passage.clause.start, place.start)
        opening = opening or _BACK_TO.search(text, passage.clause.start, place.start)
        if not place.months or opening is None or opening.end() != place.start or not known.in_place(place):
            continue
        size = _size_word(passage, opening.start())
        if size is None:
            continue
        start, end, lowest = size
        since = known.in_place(place)[0]
        others = [it for it in passage.places if it is not place and it.months]
        other = min(others, key=lambda it: abs(it.start - start), default=None)
        subjects = known.in_place(other) if other else _present(known)
        holds = any(_is_extreme_since(known, subject, since, lowest=lowest) for subject in subjects)
        problem = "" if holds else f"the months since {since.label} say otherwise"
        first, last = min(start, opening.start()), max(end, place.end)
        if other is not None and other.start > last:
            last = other.end
        ids = (*since.evidence_ids, *(subjects[0].evidence_ids if subjects else ()))
        yield Claim("peak", text[first:last], first, last, holds, ids, problem)


def _present(known: Known) -> list[Basis]:
    """The last full month, and the one that the cut-off falls into."""
    return [basis for month in (*known.complete[-1:], known.latest) if (basis := known.in_month(month))]


def _size_word(passage: Passage, since: int) -> tuple[int, int, bool] | None:
    """The superlative, or the denied comparison, that a "since" belongs to: where it stands, and whether it means low."""
    words = passage.words
    denied = _NEVER.search(words) or lexicon.NEGATOR.search(words) or " back " in words
    sizes = [
        (concept.start, concept.end, concept.name in ("weak", "weaker", "weakest", "trough"))
        for concept in passage.concepts
        if concept.name in (("strongest", "weakest", "peak", "trough") if not denied else _SIZES)
    ]
    if not sizes:
        for hit in _AMOUNT.finditer(passage.text, passage.clause.start, passage.clause.end):
            if denied or hit[0] in ("most", "fewest", "least"):
                sizes.append((hit.start(), hit.end(), hit["low"] is not None))
    return min(sizes, key=lambda size: abs(size[0] - since), default=None)


_SIZES = ("strong", "stronger", "strongest", "weak", "weaker", "weakest", "peak", "trough")


def _is_extreme_since(known: Known, subject: Basis, since: Basis, *, lowest: bool) -> bool:
    between = [b.value for b in known.months if since.evidence_ids < b.evidence_ids < subject.evidence_ids]
    if subject.evidence_ids <= since.evidence_ids:
        return False
    if lowest:
        return all(value >= subject.value for value in between) and since.value <= subject.value
    return all(value <= subject.value for value in between) and since.value >= subject.value


def _denied_claims(passage: Passage) -> Iterator[Claim]:
    """ "Never busier than in June", "no month beat June", "June was never bettered", "all other months were quieter"."""
    text, clause = passage.text, passage.clause
    never = _NEVER.search(text, clause.start, clause.end)
    others = _OTHER_MONTHS.search(text, clause.start, clause.end)
    months = [place for place in passage.places if place.months]
    for place in months:
        unbeaten = _UNBEATEN.match(text, place.end, min(place.end + 60, clause.end))
        if unbeaten:
            yield _month_claim(passage, place, span=(place.start, unbeaten.end()), lowest=False)
            return
        before = text[clause.start : place.start]
        beats = _BEATS.search(before) if never and never.start() < place.start else None
        if never and beats:
            yield _month_claim(passage, place, span=(never.start(), place.end), lowest=beats["low"] is not None)
            return
    for start, end, is_low in _comparatives(passage):
        if others and not never and months and months[0].end <= start < others.start():
            yield _month_claim(passage, months[0], span=(months[0].start, others.end()), lowest=is_low)
            return
        if never and never.start() < start:
            place = next((it for it in months if it.start >= end and _THAN.match(text[end : it.start])), None)
            if place is not None:
                yield _month_claim(passage, place, span=(never.start(), place.end), lowest=is_low)
                return
        if others and months and others.start() < start:
            place = months[0]
            span = (min(place.start, others.start()), max(place.end, end))
            yield _month_claim(passage, place, span=span, lowest=not is_low)
            return


_PLAIN = re.compile(r"\b(?:(?P<high>more|greater|so many|as many)|(?P<low>fewer|less|so few|as few))\b")


def _comparatives(passage: Passage) -> list[tuple[int, int, bool]]:
    found = [
        (concept.start, concept.end, concept.name in ("weak", "weaker", "down"))
        for concept in passage.concepts
        if concept.name in ("strong", "stronger", "weak", "weaker", "up", "down")
    ]
    hits = _PLAIN.finditer(passage.text, passage.clause.start, passage.clause.end)
    return sorted([*found, *((hit.start(), hit.end(), hit["low"] is not None) for hit in hits)])


def _month_claim(passage: Passage, place: Place, *, span: tuple[int, int], lowest: bool, denied: bool = False) -> Claim:
    known = passage.known
    months = _extreme_months(known, lowest=lowest)
    stated = [basis.evidence_ids for basis in known.in_place(place)]
    holds = any(basis.evidence_ids in stated for basis in months) != denied
    problem = f"the {'lowest' if lowest else 'highest'} month is {months[0].label} with {months[0].value:g}"
    ids = months[0].evidence_ids
    return Claim("peak", passage.text[span[0] : span[1]], *span, holds, ids, "" if holds else problem)


def _standing_claims(passage: Passage) -> Iterator[Claim]:
    """Whether a month was the highest up to then: "past its peak", "as big as it had ever been", "bigger than ever"."""
    text = passage.text
    behind = _BEHIND.search(text, passage.clause.start, passage.clause.end)
    if behind:
        yield from _standing(passage, span=behind.span(), at_peak=False, lowest=False)
        return
    for concept in passage.concepts:
        after = text[concept.end : min(concept.end + 60, passage.clause.end)]
        before = text[max(passage.clause.start, concept.start - 44) : concept.start]
        if concept.name in ("peak", "strongest", "trough", "weakest"):
            lowest = concept.name in ("trough", "weakest")
            gone = _PAST.search(before)
            if gone is None or (
                gone["below"] and _month_after(passage, concept) is not None and not _months_before(passage, concept)
            ):
                continue
            start = _opening(passage, concept.start - len(before) + gone.start())
            denied = is_denied(passage, start, concept.end)
            yield from _standing(passage, span=(start, concept.end), at_peak=denied, lowest=lowest)
            return
        if concept.name not in ("strong", "stronger", "weak", "weaker"):
            continue
        ever, once = _EVER.match(after), _ONCE.match(after)
        lowest = concept.name.startswith("weak")
        denied = is_denied(passage, concept.start, concept.end)
        hit_end = concept.end + max(it.end() for it in (ever, once) if it) if ever or once else 0
        if any(place.start < hit_end and place.end > concept.end for place in passage.places):
            continue
        if ever or once:
            is_more = concept.name.endswith("er")
            span = (_opening(passage, concept.start), hit_end)
            if once and not ever and is_more:
                continue
            yield from _standing(passage, span=span, at_peak=not denied, lowest=lowest)
            return
        if concept.name.endswith("er") and _WAS_MORE.search(before):
            is_never = denied or _NEVER.search(before) is not None
            yield from _standing(passage, span=(concept.start, concept.end), at_peak=is_never, lowest=lowest)
            return


def _months_before(passage: Passage, concept: Concept) -> list[Place]:
    return [place for place in passage.places if place.months and place.end <= concept.start]


def _month_after(passage: Passage, concept: Concept) -> Place | None:
    return next((place for place in passage.places if place.months and place.start >= concept.end), None)


def _standing(passage: Passage, *, span: tuple[int, int], at_peak: bool, lowest: bool) -> Iterator[Claim]:
    known = passage.known
    places = sorted((place for place in passage.places if place.months), key=lambda place: abs(place.start - span[0]))
    subjects = known.in_place(places[0]) if places else _present(known)
    if not subjects:
        return
    holds = any(_is_extreme_so_far(known, subject, lowest=lowest) == at_peak for subject in subjects)
    best = _extreme_months(known, lowest=lowest)[0]
    problem = "" if holds else f"the {'lowest' if lowest else 'highest'} month is {best.label} with {best.value:g}"
    ids = (*subjects[0].evidence_ids, *best.evidence_ids)
    yield Claim("peak", passage.text[span[0] : span[1]], *span, holds, ids, problem)


def _is_extreme_so_far(known: Known, subject: Basis, *, lowest: bool) -> bool:
    partial = _partial_ids(known)
    so_far = [basis.value for basis in known.months if basis.evidence_ids <= subject.evidence_ids]
    if lowest:
        whole = [
            b.value for b in known.months if b.evidence_ids <= subject.evidence_ids and b.evidence_ids[0] not in partial
        ]
        return subject.value <= min(whole, default=subject.value)
    return subject.value >= max(so_far, default=subject.value)


def _extreme_claim(passage: Passage, concept: Concept, numbers: list[Number]) -> Claim | None:
    text, known = passage.text, passage.known
    if not _is_meant(passage, concept):
        return None
    lowest = _is_lowest(passage, concept)
    denied = is_denied(passage, concept.start, concept.end)
    place = _month_of(passage, concept)
    if place is not None:
        span = (min(_opening(passage, concept.start), place.start), max(concept.end, place.end))
        claim = _month_claim(passage, place, span=span, lowest=lowest, denied=denied)
        until = _AS_OF.search(text, passage.clause.start, place.start)
        if until and not claim.supported and not denied:
            subjects = known.in_place(place)
            if any(_is_extreme_so_far(known, subject, lowest=lowest) for subject in subjects):
                return Claim("peak", claim.text, *span, True, subjects[0].evidence_ids, "")
        return claim
    months = _extreme_months(known, lowest=lowest)
    number = next((n for n in numbers if concept.end <= n.start <= concept.end + 24 and n.unit in ("", "users")), None)
    if number is None:
        return None
    near = abs(number.value - months[0].value) <= 0.05 * months[0].value
    holds = near if number.approximate else number.value == months[0].value
    problem = f"the {'lowest' if lowest else 'highest'} month is {months[0].label} with {months[0].value:g}"
    span = (concept.start, concept.end)
    return Claim("peak", text[span[0] : span[1]], *span, holds, months[0].evidence_ids, "" if holds else problem)


_OPENING = re.compile(
    r"(?:\b(?:was|is|were|stands|stood|had|has|reached|hit|saw|sat|sits|wasn['’]t|isn['’]t)\s)?(?:(?:already|now|not|well|long)\s)*"
    r"(?:(?:at|on|in|as|so)\s)?(?:(?:its|the|their|a)\s)?$"
)


def _opening(passage: Passage, start: int) -> int:
    """Where a statement begins that has its main word at ``start``: "was at its peak"."""
    begin = max(passage.clause.start, start - 30)
    hit = _OPENING.search(passage.text, begin, start)
    return hit.start() if hit else start


def _is_lowest(passage: Passage, concept: Concept) -> bool:
    if concept.said.startswith("than "):
        before = [it for it in passage.concepts if it.end <= concept.start and it.name in ("stronger", "weaker")]
        fewer = re.search(r"\b(?:fewer|less)\b[^,;.]{0,24}$", passage.text[passage.clause.start : concept.start])
        return bool(fewer) or (bool(before) and before[-1].name == "weaker")
    return _LOWEST[concept.name]


def _is_meant(passage: Passage, concept: Concept) -> bool:
    """Tell the best month from "at best", "one of its best months", "the lower bound", "on record"."""
    text = passage.text
    before, after = text[max(0, concept.start - 28) : concept.start], text[concept.end : concept.end + 24]
    if _SCOPE.search(before) or _NOT_COUNT.match(after):
        return False
    if concept.said in ("best", "worst", "its best") and _AT.search(before):
        return False
    if concept.said in ("record", "records"):
        return (
            concept.said == "record"
            and not _RECORD_IDIOM.search(before)
            and not re.match(r"\s(?:of (?!\d)|start|beg|show|hold|s\b)", after)
        )
    return True


def _month_of(passage: Passage, concept: Concept) -> Place | None:
    """The month that a peak word speaks of: the next one after it ("peaked in June"), or the subject before it."""
    text = passage.text
    months = [place for place in passage.places if place.span_days is None]
    after = [place for place in months if place.start >= concept.end and place.start - concept.end <= 60]
    rivals = [it for it in passage.concepts if it.name in _LOWEST and it.start >= concept.end]
    if after and any(it.start < after[0].start for it in rivals):
        return None
    gap = re.sub(r"\bfrom its\b", "", text[concept.end : after[0].start]) if after else ""
    if after and not re.search(r"\b(?:since|before|after|from|to|than)\b", gap):
        return after[0]
    before = [place for place in months if place.end <= concept.start and concept.start - place.end <= 80]
    return before[-1] if before else None


def _extreme_months(known: Known, *, lowest: bool) -> list[Basis]:
    months = [basis for basis in known.months if not lowest or basis.evidence_ids[0] not in _partial_ids(known)]
    months = months or known.months
    extreme = (min if lowest else max)(basis.value for basis in months)
    return [basis for basis in months if basis.value == extreme]


def _partial_ids(known: Known) -> set[str]:
    return {f"month:{year:04d}-{month:02d}" for year, month in known.partial}
