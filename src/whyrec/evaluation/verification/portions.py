"""Check what a text says of parts of a history: counts and fractions of its whole or its end, and its length."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whyrec.evaluation.verification import portion_words as words
from whyrec.evaluation.verification.interest_facts import InterestFacts
from whyrec.evaluation.verification.interest_mentions import Mention, Reading, Span
from whyrec.evaluation.verification.interest_numbers import aspect_ids
from whyrec.evaluation.verification.interest_words import decimal_number
from whyrec.interfaces import Claim

_NEAR = 0.05
"""How far a share said as a fraction may lie from the true one."""
_OVER = re.compile(r"over|more|at least|no fewer", re.IGNORECASE)
_UNDER = re.compile(r"under|less|fewer|at most|not quite|nearly|almost|getting on", re.IGNORECASE)
_LOOSE = re.compile(r"about|around|rough|approx|some|circa|close|estimat|like|more or less", re.IGNORECASE)
_BOUND = re.compile(r"at least|at most|more than|less than|fewer than|^(?:well )?over$|^under$", re.IGNORECASE)


class Portion(NamedTuple):
    """A judged part of the history: the figure, and the value that it is of with the value's own claim."""

    claims: tuple[Claim, ...]
    mention: Mention | None


def portion_claims(
    reading: Reading, sentence: Span, *, mentions: Sequence[Mention], facts: InterestFacts
) -> Iterator[Portion]:
    """Judge "six of your last ten picks were westerns", "a third of the history are dramas", "17 films so far".

    Args:
        reading: The text.
        sentence: Of it.
        mentions: The values that it names.
        facts: The history.
    """
    taken: list[Span] = []
    for value in mentions:
        if portion := _counted_value(reading, sentence, value, facts=facts):
            taken.append((portion.claims[0].start, portion.claims[0].end))
            yield portion
    for pattern in (*words.TIMES_IN, words.OF, words.FIRST_BASE, words.HOLDS):
        for hit in pattern.finditer(reading.masked, *sentence):
            if any(hit.start() < end and start < hit.end() for start, end in taken):
                continue
            mention = reading.nearest(mentions, *hit.span("amount"))
            if mention is None or (pattern not in words.TIMES_IN and hit.start() <= mention.start < hit.end()):
                continue
            taken.append(hit.span())
            yield _portion(reading, hit, mention, facts=facts)
    for pattern in words.TOTALS:
        for hit in pattern.finditer(reading.masked, *sentence):
            if not any(hit.start() < end and start < hit.end() for start, end in taken):
                taken.append(hit.span())
                yield _total(hit, facts=facts)


def _counted_value(reading: Reading, sentence: Span, mention: Mention, *, facts: InterestFacts) -> Portion | None:
    """Judge "six westerns in your last ten", "you have watched six westerns"."""
    before = reading.masked[sentence[0] : mention.start]
    behind = words.IN_BASE.match(reading.masked, mention.end, sentence[1])
    hit = (words.COUNTED_BEFORE if behind else words.TOOK_BEFORE).search(before)
    if hit is None:
        return None
    problem = _problem(hit, mention, facts=facts, base_hit=behind)
    start, end = sentence[0] + hit.start("amount"), behind.end() if behind else mention.end
    ids = ("history", *aspect_ids(mention))
    return Portion((Claim("number", reading.text[start:end], start, end, not problem, ids, problem),), mention)


def _portion(reading: Reading, hit: re.Match[str], mention: Mention, *, facts: InterestFacts) -> Portion:
    problem = _problem(hit, mention, facts=facts)
    ids = ("history", *aspect_ids(mention))
    start, end = hit.span()
    value = reading.text[mention.start : mention.end]
    number = Claim("number", hit[0], start, end, not problem, ids, problem)
    aspect = Claim("aspect", value, mention.start, mention.end, not problem, ids[1:], problem)
    return Portion((number, aspect), mention)


def _total(hit: re.Match[str], *, facts: InterestFacts) -> Portion:
    n, said, hedge = len(facts.past), decimal_number(hit["said"]), hit["hedge"] or ("about" if "~" in hit[0] else "")
    problem = "" if _compare(hedge, n, said, near=_near(hedge, said)) else f"the history has {n}"
    return Portion((Claim("number", hit[0], *hit.span(), not problem, ("history",), problem),), None)


def _problem(
    hit: re.Match[str], mention: Mention, *, facts: InterestFacts, base_hit: re.Match[str] | None = None
) -> str:
    """What is wrong with a part; empty where it is right."""
    n = len(facts.past)
    said_all, said_last = (find(base_hit or hit) for find in (words.of_all, words.of_last))
    if said_all and decimal_number(said_all) != n:
        return f"the history has {n}"
    base = round(decimal_number(said_last)) if said_last else n
    if not 0 < base <= n:
        return f"the history has {n}"
    counts = [facts.count(trait, last=base) for trait in mention.traits]
    holds = any(_holds(hit, count, base=base) for count in counts)
    return "" if holds else f"it is {max(counts, default=0)} of {base}"


def _holds(hit: re.Match[str], count: int, *, base: int) -> bool:
    groups = hit.groupdict()
    hedge = groups.get("hedge") or ""
    if groups.get("none"):
        return count == 0
    if every := groups.get("every"):
        return count == base and (every.casefold() != "both" or base == 2)
    if groups.get("count") or groups.get("times_said"):
        said = decimal_number(hit["count"]) if hit["count"] else words.TIMES[hit["times_said"].casefold()]
        return _compare(hedge, count, said, near=_near(hedge, said))
    return _compare(hedge, count / base, _share(hit), near=_NEAR)


def _compare(hedge: str, true: float, said: float, *, near: float) -> bool:
    if _BOUND.search(hedge):
        return true > said - 1e-9 if _OVER.search(hedge) else true < said + 1e-9
    if _OVER.search(hedge):
        return said < true <= said + max(2 * near, 0.1 * said)
    if _UNDER.search(hedge):
        return said - max(2 * near, 0.1 * said) <= true < said
    return abs(true - said) <= near + 1e-9


def _share(hit: re.Match[str]) -> float:
    if hit["percent"]:
        return decimal_number(hit["percent"]) / 100
    if hit["in"]:
        return decimal_number(hit["one"]) / max(decimal_number(hit["in"]), 1.0)
    times = (hit["times"] or "a").casefold()
    return (1.0 if times in ("a", "an") else decimal_number(times)) * words.PARTS[hit["part"].casefold()]


def _near(hedge: str, said: float) -> float:
    return 0.1 * said if _LOOSE.search(hedge) else 0.0
