"""Figures in a text about interests: counts of the history, ratios to the average user, years, prices."""

from collections.abc import Iterator, Sequence
from re import Match
from typing import NamedTuple

from whyrec.evaluation.verification import interest_words as words
from whyrec.evaluation.verification.interest_facts import InterestFacts
from whyrec.evaluation.verification.interest_mentions import Mention, Reading, Span
from whyrec.evaluation.verification.level_words import FIGURES_OF_SCALE
from whyrec.interfaces import Claim

_NEAR = 0.25
"""How far a ratio stated without "more than" may lie from the true one, as a share of it."""


class Counted(NamedTuple):
    """A judged count of the history."""

    claim: Claim
    mention: Mention | None
    """What is counted; None where the count is of the whole history."""
    is_none: bool = False
    """Whether the text says that there is none of it."""


def count_claims(
    reading: Reading, sentence: Span, *, mentions: Sequence[Mention], facts: InterestFacts
) -> list[Counted]:
    """Judge "four of the last ten films", "12 films so far", "no films so far", "was chosen before"."""
    found = list(_parts_of_history(reading, sentence, mentions=mentions, facts=facts))
    taken = [counted.claim for counted in found]
    n = len(facts.past)
    for pattern in (words.TOTAL, words.ONLY, words.EMPTY):
        for hit in pattern.finditer(reading.masked, *sentence):
            if any(claim.start < hit.end() and hit.start() < claim.end for claim in taken):
                continue
            said = words.whole_number(hit["of"]) if pattern is words.TOTAL else int(pattern is words.ONLY)
            found.append(Counted(_claim(hit, "" if said == n else f"the history has {n}", ("history",)), None))
    if facts.target is not None:
        problem = "" if facts.target in facts.seen else "the item is not in the history"
        hits = words.BEFORE.finditer(reading.masked, *sentence)
        found += [Counted(_claim(hit, problem, ("history",)), None) for hit in hits]
    return found


def _parts_of_history(
    reading: Reading, sentence: Span, *, mentions: Sequence[Mention], facts: InterestFacts
) -> Iterator[Counted]:
    for hit in reading.counts_in(sentence):
        says_how_many = hit["of"] is not None or (hit["far"] and hit["hits"].casefold() in ("all", "both", "none"))
        if says_how_many:
            mention = reading.nearest(mentions, hit.start(), hit.end())
            problem = _count_problem(hit, mention, facts=facts)
            claim = _claim(hit, problem, ("history", *(aspect_ids(mention) if mention else ())))
            yield Counted(claim, mention, hit["hits"].casefold() in ("none", "not one"))


def _claim(hit: Match[str], problem: str, ids: tuple[str, ...]) -> Claim:
    said = hit[0].rstrip(" ,")
    return Claim("number", said, hit.start(), hit.start() + len(said), not problem, ids, problem)


def aspect_ids(mention: Mention) -> tuple[str, ...]:
    """Evidence ids of the traits that a mention may stand for."""
    return tuple(f"aspect:{attribute}={value}" for attribute, value in mention.traits)


def _count_problem(hit: Match[str], mention: Mention | None, *, facts: InterestFacts) -> str:
    """What is wrong with a count; empty where it is right."""
    n = len(facts.past)
    said_of = (
        2
        if hit["of"] is None and hit["hits"].casefold() == "both"
        else words.whole_number(hit["of"])
        if hit["of"]
        else n
    )
    if said_of > n or (not hit["last"] and said_of != n):
        return f"the history has {n}"
    if mention is None:
        return "it does not say of what"
    counts = {facts.count(trait, last=said_of) for trait in mention.traits}
    said = hit["hits"].casefold()
    if said == "half":
        return "" if any(2 * count == said_of for count in counts) else f"it is {max(counts)} of {said_of}"
    number = {"none": 0, "not one": 0, "all": said_of, "both": 2}.get(said)
    number = words.whole_number(said) if number is None else number
    return "" if number in counts else f"it is {max(counts, default=0)} of {said_of}"


def times_claims(
    reading: Reading, sentence: Span, *, mentions: Sequence[Mention], facts: InterestFacts
) -> Iterator[Claim]:
    """Judge "more than three times as often as the average viewer"."""
    for hit in words.TIMES.finditer(reading.masked, *sentence):
        mention = reading.nearest(mentions, hit.start(), hit.end())
        if mention is None:
            yield Claim("number", hit[0], hit.start(), hit.end(), False, (), "it does not say of what")
            continue
        said = words.decimal_number(hit["n"]) if hit["n"] else 3.0 if hit["word"].casefold() == "triple" else 2.0
        last = reading.window_of(mention)
        lifts = [facts.lift(trait, last=last) for trait in mention.traits]
        holds = any(lift > said if hit["bound"] else abs(lift - said) <= _NEAR * said for lift in lifts)
        ids = aspect_ids(mention)
        problem = "" if holds else f"it is {max(lifts, default=0):.3g} times"
        yield Claim("number", hit[0], hit.start(), hit.end(), holds, ids, problem)


def figure_claims(
    reading: Reading, *, claims: Sequence[Claim], facts: InterestFacts, has_scales: bool = False
) -> list[Claim]:
    """Judge years and prices, and refuse every other figure that nothing accounts for.

    Args:
        reading: The text.
        claims: Those found by others; their figures are accounted for.
        facts: The history and the item.
        has_scales: Whether the text may speak of scales, whose ends are no claims: "out of 10".
    """
    found: list[Claim] = []
    scales = [hit.span() for hit in FIGURES_OF_SCALE.finditer(reading.masked)] if has_scales else []

    def is_free(start: int, end: int) -> bool:
        spans = [(claim.start, claim.end) for claim in (*claims, *found)]
        return not any(first < end and start < last for first, last in (*spans, *scales))

    for hit in words.PRICE.finditer(reading.masked):
        price = float(hit["price"].replace(",", ""))
        holds = facts.item is not None and facts.item.price is not None and abs(price - facts.item.price) < 0.005
        problem = "" if holds else "the catalogue's price is another"
        found.append(Claim("number", "", hit.start("price"), hit.end("price"), holds, ("attribute:price",), problem))
    for hit in words.YEAR.finditer(reading.masked):
        if is_free(hit.start(), hit.end()):
            years = _years_beside(reading, hit.start(), facts=facts)
            problem = (
                "" if int(hit[0]) in years else f"the year is {' or '.join(map(str, sorted(years))) or 'not known'}"
            )
            found.append(Claim("attribute", "", hit.start(), hit.end(), not problem, ("attribute:year",), problem))
    found += [
        Claim("number", "", hit.start(), hit.end(), False, (), "nothing accounts for this figure")
        for hit in words.ANY_FIGURE.finditer(reading.masked)
        if is_free(hit.start(), hit.end())
    ]
    return found


def _years_beside(reading: Reading, position: int, *, facts: InterestFacts) -> set[int]:
    """Years that may be meant: of the earlier titles in the same sentence, and of the item."""
    start, end = reading.sentence_of(position)
    near = [example for example in reading.examples if start <= example.start < end]
    years = {item.year for example in near for item in example.items}
    if facts.item is not None:
        years.add(facts.item.year)
    return {year for year in years if year is not None}
