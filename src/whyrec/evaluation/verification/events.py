"""Words that say something moved, or was more or less than something else, where a clause uses them so."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from whyrec.evaluation.verification import lexicon
from whyrec.evaluation.verification.comparisons import Passage
from whyrec.evaluation.verification.concepts import Concept

UP, DOWN, FLAT = "up", "down", "flat"
FACTORS = {"double": 2.0, "triple": 3.0, "quadruple": 4.0, "quintuple": 5.0, "half": 0.5}


class Event(NamedTuple):
    """A word of change or comparison."""

    start: int
    end: int
    kind: str
    """``up down flat``, or a factor: ``double triple quadruple quintuple half``."""
    compares: bool
    """True for "more", "busier", "above": the subject against something; false for "rose"."""


_PLAIN_KINDS = {
    "twice": "double",
    "thrice": "triple",
    **dict.fromkeys(("more", "greater"), UP),
    **dict.fromkeys(("fewer", "less", "lesser"), DOWN),
    **dict.fromkeys(("lost", "loses", "lose", "losing"), "lost"),
    **dict.fromkeys(("above", "ahead of", "beyond", "over and above", "on top of"), "above"),
    **dict.fromkeys(("below", "beneath", "short of", "behind", "shy of", "under"), "below"),
    "up": "up_word",
    "down": "down_word",
}
_PLAIN = re.compile(rf"\b(?:{'|'.join(_PLAIN_KINDS)})(?!\w)")
_LOSES = re.compile(
    r"\s(?:about\s|some\s|around\s|nearly\s|roughly\s|over\s|almost\s|another\s)?"
    r"(?:\d|a\s(?:third|quarter|fifth|tenth)|half|two|three|four|[a-z]+ty\b)"
)
_OTHER_UP = re.compile(
    r"\b(?:turned|showed|ended|made|taken|took|signed|popped|came|come|adds|put|picked|sums|signing|turning|showing) $"
)
_OTHER_DOWN = re.compile(r"\b(?:sat|sit|broken|set|laid|settled) $")
_STEP = (
    r"from|by|on|against|versus|over|since|compared|\d+|about|roughly|some|sharply|slightly|again|strongly|a|one|two|"
    "nearly|almost|in|month|markedly|steeply|noticeably|considerably"
)
_GOES_UP = re.compile(rf"\s(?:{_STEP})\b|[.,;:]|\s(?:and|but|every|each)\b|$")
_GOES_DOWN = re.compile(rf"\s(?:{_STEP}|to)\b|[.,;:]|\s(?:and|but|every|each)\b|$")
_IS_STATE = re.compile(
    r"(?:\b(?:is|was|were|are|be|been|being|percent|cent|pct|%|third|quarter|half|fifth|thirds|and|well|much)\s?|,\s|%\s)$"
)
_NEEDS_STATE = re.compile(r"\s(?:in|a|one|two|some|about|roughly|nearly|almost|and|but|\d+)\b|[.,;:]|$")
_MEASURE = re.compile(r"\s(?:the|last|its|what|that|those|□|a)\b|\s□")
_MORE_USERS = re.compile(r"\s(?:\w+\s)?(?:users|viewers|people|folks|raters|ratings|visitors|customers|fans)\b")
_IDIOM = re.compile(r"\b(?:no|once|any|or|what is|what's|not|nothing|never|little|much|all the|one|even)\s$")
_BARE_NUMBER = re.compile(
    r"^\s(?:□|\w+\s)?than\s(?:\d|half\b|twice|a\s(?:third|quarter|hundred|dozen|few)|one\b|doubl|tripl|halv|[a-z]+ty\b)"
)
_BASIS = re.compile(r"\b(?:than|compared|relative|versus|vs|against|beside|since|comparison)\b[^,;.]{0,30}$")
_COMES_TO = re.compile(r"^\s(?:in|on|within|inside|between|into|somewhere|anywhere|under|outside)\b")
_RECEIVES = re.compile(r"\b(?:was|were|been|being|is|are|get|gets|got)\s$")
_NOT_HISTORY = re.compile(r"^\s(?:end|bound|limit|edge|side|bracket|quartile|estimate|half|than expected|point|mark)\b")


def events_of(passage: Passage) -> list[Event]:
    """All words of change and comparison in a clause, in order."""
    basis = _has_basis(passage)
    return sorted([*_motions(passage, basis=basis), *_plain(passage, basis=basis)])


_TOPS = ("top", "tops", "topped", "topping", "trump", "lag", "lags")
_BEATS = re.compile(
    r"^(?:beat|out|exceed|surpass|eclips|overt|outstrip|outp|outsh|top|trump|dwarf|overshadow|leave|left|edg|towe)"
)
_AS_AS = re.compile(r"\b(?:as|so)\s(?:an?\s)?$")
_UNMATCHED = re.compile(
    r"\b(?:match|matched|equal|equalled|equaled|rival|rivalled|keep (?:up|pace) with|kept (?:up|pace) with|"
    r"live up to|lived up to|"
    r"come close to|came close to|come near|came near|hold a candle to|compete with|measure up to|touch|get near)\b"
)


def _motions(passage: Passage, *, basis: bool) -> Iterator[Event]:
    text = passage.text
    for concept in passage.concepts:
        if concept.name in ("stronger", "weaker"):
            if (
                basis
                and not _BARE_NUMBER.match(text[concept.end : concept.end + 20])
                and not _is_bound(passage, concept)
            ):
                yield Event(concept.start, concept.end, UP if concept.name == "stronger" else DOWN, True)
        elif (concept.name in (UP, DOWN, FLAT) or concept.name in FACTORS) and _moves(passage, concept):
            is_beaten = (
                concept.name == UP
                and _BEATS.match(concept.said)
                and re.match(r"\sby\b", text[concept.end : concept.end + 4])
            )
            yield Event(concept.start, concept.end, DOWN if is_beaten else concept.name, False)
        elif (
            concept.name in ("strong", "weak")
            and basis
            and _AS_AS.search(text[: concept.start])
            and " as " in text[concept.end :]
            and is_denied(passage, concept.start, concept.end)
        ):
            # "Not as busy as in July"; what is said to be as busy makes no claim of more or less.
            yield Event(concept.start, concept.end, UP if concept.name == "strong" else DOWN, True)
    for hit in _UNMATCHED.finditer(text, passage.clause.start, passage.clause.end) if basis else ():
        # "July could not match June": as a denied rise, which it is not.
        if is_denied(passage, hit.start(), hit.end()):
            yield Event(hit.start(), hit.end(), UP, True)


def _is_bound(passage: Passage, concept: Concept) -> bool:
    return _NOT_HISTORY.match(passage.text[concept.end : concept.end + 14]) is not None


def _moves(passage: Passage, concept: Concept) -> bool:
    """Tell "fell in June" from "the peak falls in June" and "should fall between 20 and 30"."""
    text = passage.text
    after, before = text[concept.end : concept.end + 40], text[max(0, concept.start - 24) : concept.start]
    if _is_bound(passage, concept) or re.match(r"-[a-z]", after):
        return False
    if concept.said in ("fall", "falls", "fell", "falling") and _COMES_TO.match(after):
        told = any(other.name in ("peak", "trough", "strongest", "weakest") for other in passage.concepts)
        return not told and not (
            passage.speaks_of_forecast and re.match(r"\s(?:between|within|inside|somewhere|any)", after)
        )
    if concept.name == FLAT and (
        re.match(r"\s(?:pace|rate|clip|stream|trickle|flow|footing)\b", after)
        or any(other.start == concept.end + 1 and other.name in (UP, DOWN) for other in passage.concepts)
    ):
        return False
    if concept.said in _TOPS and not (_has_basis(passage) or passage.places):
        return False
    if concept.said.startswith("pick") and _RECEIVES.search(before):
        return False
    if concept.said in ("fall", "spring") and re.search(r"\b(?:in|this|last|early|late)\s(?:the\s)?$", before):
        return re.search(r"\bthe\s$", before) is not None
    return not (concept.said.startswith(("drop", "slip")) and re.match(r"\s(?:in on|by to)\b", after))


_SHARE_BEFORE = re.compile(r"(?:%|percent|cent|pct|\d|third|thirds|quarter|quarters|half|fifth|fifths)\s$")


def _plain(passage: Passage, *, basis: bool) -> Iterator[Event]:
    for hit in _PLAIN.finditer(passage.text, passage.clause.start, passage.clause.end):
        start, end = hit.span()
        if any(concept.start <= start < concept.end for concept in passage.concepts):
            continue
        name = _PLAIN_KINDS[hit[0]]
        if name in ("double", "triple"):
            yield Event(start, end, name, True)
        elif name == "lost" and _LOSES.match(passage.text, end, passage.clause.end):
            yield Event(start, end, DOWN, False)
        elif name in ("above", "below") and _is_measure(passage, end):
            yield Event(start, end, UP if name == "above" else DOWN, True)
        elif name in (UP, DOWN) and _is_comparison(passage, hit, basis=basis):
            yield Event(start, end, name, True)
        elif name in ("up_word", "down_word") and _is_step(passage, hit, is_up=name == "up_word"):
            yield Event(start, end, UP if name == "up_word" else DOWN, False)


def _is_comparison(passage: Passage, hit: re.Match[str], *, basis: bool) -> bool:
    """Tell "more than in June" and "30% more" from "more than 30" and "no more"."""
    text = passage.text
    before, after = text[max(0, hit.start() - 24) : hit.start()], text[hit.end() : hit.end() + 24]
    share_before = _SHARE_BEFORE.search(before)
    if _BARE_NUMBER.match(after) or (not share_before and _IDIOM.search(before)):
        return False
    alone = bool(passage.places) and " than " not in passage.words and _MORE_USERS.match(after)
    return bool(basis or share_before or alone)


def _is_step(passage: Passage, hit: re.Match[str], *, is_up: bool) -> bool:
    """Tell "up from 72" and "30% down" from "turned up" and "set down"."""
    text = passage.text
    before, after = text[max(0, hit.start() - 24) : hit.start()], text[hit.end() : hit.end() + 24]
    goes, other = (_GOES_UP, _OTHER_UP) if is_up else (_GOES_DOWN, _OTHER_DOWN)
    if not goes.match(text, hit.end(), passage.clause.end) or other.search(before):
        return False
    return bool(not _NEEDS_STATE.match(after) or _IS_STATE.search(before) or not before.strip(" □"))


def _is_measure(passage: Passage, end: int) -> bool:
    """Whether "above" and "below" are followed by what something is measured against."""
    if not (passage.places or passage.speaks_of_forecast):
        return False
    return bool(_MEASURE.match(passage.text, end)) or any(place.start == end + 1 for place in passage.places)


def _has_basis(passage: Passage) -> bool:
    """Whether the clause says what month or span something is compared with."""
    places = [place for place in passage.places if place.months or place.span_days]
    start = passage.clause.start
    return len(places) > 1 or any(_BASIS.search(passage.text[start : place.start]) for place in places)


def is_denied(passage: Passage, start: int, end: int) -> bool:
    """Whether a word is said not to hold: "did not fall", "no rise", "a drop it was not"; two denials cancel out."""
    return (
        _denials(passage.text[passage.clause.start : start]) % 2 == 1
        or _DENIED_AFTER.match(passage.text, end) is not None
    )


_DENIED_AFTER = re.compile(
    r"\s(?:(?:it|that|this|there)\s)?(?:was|is|were|has|had|did)(?:\snot|n['’]t|\snever)\b(?=[.,;]|\s(?:seen|"
    r"observed|to be seen|been|happen|come|the case))"
)


@lru_cache(maxsize=4096)
def _denials(words: str) -> int:
    edges = [hit.end() for hit in lexicon.NEGATION_REACH.finditer(words)]
    near = re.sub(r"□+", "x", words[edges[-1] if edges else 0 :]).split()
    return len(lexicon.NEGATOR.findall(" ".join(near[-_REACH:]) + " "))


_REACH = 7
"""Words over which a denial reaches."""
