"""Check how much of a history a text says is so: "three of the last ten", "a quarter of all", "17 films by now"."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whyrec.evaluation.verification import quantity_words as words
from whyrec.evaluation.verification.interest_facts import InterestFacts
from whyrec.evaluation.verification.interest_mentions import Mention, Span
from whyrec.evaluation.verification.interest_words import decimal_number

_SHARE_WITHIN = 0.045
"""How far a share stated as a fraction or in round per cents may be from the true one."""
_ABOUT, _BEYOND = 0.1, 0.1
_BESIDE = 2
"""Characters between a number and the value right behind it: "eight comedies"."""
_ROUND_OF = (10, 100)
"""What shares are told out of, beside the size of the history: "three out of ten"."""


class Quantity(NamedTuple):
    """A judged number of a history, with the value that it counts."""

    start: int
    end: int
    mention: Mention | None
    problem: str


def quantities(
    masked: str, piece: Span, *, mentions: Sequence[Mention], facts: InterestFacts, ratios: Sequence[Span] = ()
) -> Iterator[Quantity]:
    """Judge the numbers of a piece of text that speaks of a history.

    Args:
        masked: The text with filler for what stands in quotation marks.
        piece: Of it; it speaks of a history.
        mentions: The values named in it.
        facts: The history.
        ratios: Figures that are none of these: "three times as often".
    """
    window = words.WINDOW.search(masked, *piece)
    size = None if window is None else _whole(window["a"] or window["b"])
    n = len(facts.history)
    if window is not None and size is not None and size > n:
        counted = _number(masked, piece, taken=[window.span()])
        ends = [window.span(), *([] if counted is None else [counted.span("n")])]
        yield Quantity(min(it[0] for it in ends), max(it[1] for it in ends), None, f"the history has {n}")
        return
    taken = [window.span()] if window is not None else []
    share = _share(masked, piece, taken=[*ratios, *taken], n=n)
    if share is not None and mentions:
        yield _of_share(masked, share, piece, mentions=mentions, facts=facts, last=size)
        return
    total = None if window is not None else _total(masked, piece)
    if total is not None:
        taken.append(total.span())
        said = _whole(total["n"])
        if said != n:
            yield Quantity(*total.span(), None, f"the history has {n}")
            return
    named = [(it.start, it.end) for it in mentions]
    number = _number(masked, piece, taken=[*ratios, *taken, *named], may_be_none=bool(named and taken))
    is_whole = words.HOLDS.search(masked, *piece) is not None
    if number is None:
        is_alone = not mentions and _number(masked, piece, taken=taken, may_be_none=True) is None
        if total is not None and is_alone:
            yield Quantity(*total.span(), None, "")
        return
    if total is None and window is None and is_whole and words.ALONE.match(masked, number.end("n"), piece[1]):
        holds = _fits(masked, number, float(n), piece=piece)
        yield Quantity(*number.span("n"), None, "" if holds else f"the history has {n}")
        return
    is_beside = any(0 < it.start - number.end("n") <= _BESIDE for it in mentions)
    if mentions and (window is not None or total is not None or is_whole or is_beside):
        found = _of_count(masked, number, mentions=mentions, facts=facts, last=size)
        yield found._replace(
            start=min([found.start, *(first for first, _ in taken)]), end=max([found.end, *(last for _, last in taken)])
        )
        yield from _more_counts(masked, (number.end(), piece[1]), mentions=mentions, facts=facts, last=size, but=taken)
    elif not mentions and is_whole and window is None and total is None:
        holds = _fits(masked, number, float(n), piece=piece)
        yield Quantity(*number.span("n"), None, "" if holds else f"the history has {n}")


def _whole(said: str) -> int:
    small = said.casefold()
    return words.NUMBERS[small] if small in words.NUMBERS else round(decimal_number(small))


def _total(masked: str, piece: Span) -> re.Match[str] | None:
    return next(iter(words.TOTAL.finditer(masked, *piece)), None)


class _Share(NamedTuple):
    start: int
    end: int
    part: float


def _share(masked: str, piece: Span, *, taken: Sequence[Span], n: int) -> _Share | None:
    for hit in words.SHARE.finditer(masked, *piece):
        if any(first < hit.end() and hit.start() < last for first, last in taken):
            continue
        part = _part_of(hit, n=n)
        if part is not None:
            return _Share(hit.start(), hit.end(), part)
    return None


def _part_of(hit: re.Match[str], *, n: int) -> float | None:
    if hit["percent"]:
        return float(hit["percent"]) / 100
    if hit["words"]:
        return decimal_number(hit["words"]) / 100
    if hit["other"]:
        return 1 / words.PARTS[hit["other"].casefold()]
    if hit["of"]:
        of = _whole(hit["of"])
        one = 1 if hit["one"].casefold() == "every" else _whole(hit["one"])
        return None if of == n or one > of or of not in (*range(2, 10), *_ROUND_OF) else one / of
    *counts, name = hit["part"].casefold().replace("-", " ").split()
    count = 1.0 if not counts or counts[0] in ("a", "an") else decimal_number(counts[0])
    return count / words.PARTS[name if name in words.PARTS else name.removesuffix("s")]


def _of_share(
    masked: str,
    share: _Share,
    piece: Span,
    *,
    mentions: Sequence[Mention],
    facts: InterestFacts,
    last: int | None,
) -> Quantity:
    mention = _nearest(mentions, share.start, share.end)
    size = max(len(facts.history) if last is None else last, 1)
    shares = [facts.count(trait, last=last) / size for trait in mention.traits]
    before = masked[max(piece[0], share.start - 24) : share.start]
    bound = _bound(before)
    if bound:
        holds = any(true >= share.part if bound > 0 else true <= share.part for true in shares)
    else:
        holds = any(abs(true - share.part) <= _SHARE_WITHIN for true in shares)
    problem = "" if holds else f"the share of this is {max(shares, default=0):.0%}"
    return Quantity(share.start, share.end, mention, problem)


def _number(masked: str, piece: Span, *, taken: Sequence[Span], may_be_none: bool = False) -> re.Match[str] | None:
    """The first number that counts; "no" and "all" only where no figure does: "all in all, 17 films"."""
    hits = [
        hit
        for hit in words.NUMBER.finditer(masked, *piece)
        if not any(first < hit.end() and hit.start() < last for first, last in taken)
        and not (
            hit["n"].casefold() == "one"
            and words.COUNTS_ONE.match(masked, hit.end()) is None
            and not (may_be_none and any(first - hit.end("n") == 1 for first, _ in taken))
        )
        and not words.NO_COUNT.search(masked, max(piece[0], hit.start() - 20), hit.start())
    ]
    figures = [hit for hit in hits if hit["n"].casefold() not in words.NONE | words.ALL | {"both"}]
    if may_be_none and not figures:
        figures = [
            hit
            for hit in words.NUMBER_OF_TIMES.finditer(masked, *piece)
            if not any(first < hit.end() and hit.start() < last for first, last in taken)
        ]
    chosen = figures or (hits if may_be_none else [])
    return chosen[0] if chosen else None


def _of_count(
    masked: str, number: re.Match[str], *, mentions: Sequence[Mention], facts: InterestFacts, last: int | None
) -> Quantity:
    mention = _nearest(mentions, *number.span("n"))
    size = len(facts.history) if last is None else last
    counts = [facts.count(trait, last=last) for trait in mention.traits]
    said = number["n"].casefold()
    if said in words.NONE:
        holds = all(count == 0 for count in counts)
    elif said in words.ALL:
        holds = size in counts
    elif said == "both":
        holds = size == 2 and size in counts
    else:
        holds = any(_fits(masked, number, float(count), piece=(0, number.start())) for count in counts)
    problem = "" if holds else f"it is {max(counts, default=0)} of {size}"
    return Quantity(*number.span("n"), mention, problem)


def _more_counts(
    masked: str,
    rest: Span,
    *,
    mentions: Sequence[Mention],
    facts: InterestFacts,
    last: int | None,
    but: Sequence[Span],
) -> Iterator[Quantity]:
    """Further numbers with a value right behind: "eight comedies and two dramas"."""
    for hit in words.NUMBER.finditer(masked, *rest):
        beside = [it for it in mentions if 0 < it.start - hit.end("n") <= _BESIDE]
        if beside and not any(first < hit.end() and hit.start() < end for first, end in but):
            yield _of_count(masked, hit, mentions=beside, facts=facts, last=last)


def _fits(masked: str, number: re.Match[str], true: float, *, piece: Span) -> bool:
    said = float(1 if number["n"].casefold() == "a single" else _whole(number["n"]))
    before = masked[max(piece[0], number.start() - 24) : number.start()]
    if bound := _bound(before):
        return true >= said if bound > 0 else true <= said
    if words.NEARLY.search(before):
        return true <= said <= true * (1 + _BEYOND) + 1
    if words.OVER.search(before):
        return true >= said and true - said <= _BEYOND * true + 1
    if words.UNDER.search(before):
        return true <= said and said - true <= _BEYOND * true + 1
    if words.ABOUT.search(before):
        return abs(said - true) <= max(_ABOUT * true, 0.5)
    return said == true


def _bound(before: str) -> int:
    """Which side of a number words before it leave open, however far: 1 above, -1 below, 0 neither."""
    return 1 if words.AT_LEAST.search(before) else -1 if words.AT_MOST.search(before) else 0


def _nearest(mentions: Sequence[Mention], start: int, end: int) -> Mention:
    return min(mentions, key=lambda it: it.start - end if it.start >= end else start - it.end)
