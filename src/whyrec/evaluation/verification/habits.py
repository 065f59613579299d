"""Check what a text says of the user's habits, value by value: how often, more than others, most of all, ever, never.

Only pieces of sentences that speak of the user or the history and name no item are read here: in others a value is the
item's. Each piece makes one statement, the first of these that its words fit: a number, a ratio to the average user,
more or less than others, a turn of late, one value against another, over or under half, most of all, never or ever,
liking or not.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from whyrec.evaluation.verification import habit_words as words
from whyrec.evaluation.verification import quantity_words
from whyrec.evaluation.verification.denials import is_denied, without_affirmations
from whyrec.evaluation.verification.habit_pieces import Piece, is_about_user
from whyrec.evaluation.verification.interest_facts import InterestFacts, Trait
from whyrec.evaluation.verification.interest_mentions import Mention, Reading, Span
from whyrec.evaluation.verification.interest_numbers import aspect_ids
from whyrec.evaluation.verification.interest_words import decimal_number
from whyrec.evaluation.verification.mentions import Stretch
from whyrec.evaluation.verification.names import FILLER
from whyrec.evaluation.verification.quantities import quantities
from whyrec.interfaces import Claim

_TIMES_WITHIN = 0.25
"""How far a ratio stated without "more than" may lie from the true one, as a share of it."""
_RECENT = 10
"""Interactions that count as recent where a text does not say how many; at most half of the history."""

HabitClaim = tuple[Claim, tuple[Mention, ...]]


def habit_claims(
    reading: Reading, sentence: Span, *, mentions: Sequence[Mention], facts: InterestFacts
) -> Iterator[HabitClaim]:
    """Find what a stretch says of the user's habits; with each claim come the values that it settles.

    Args:
        reading: The text.
        sentence: A stretch of it that ``speaks_of_habits``.
        mentions: The values that it names.
        facts: The history.
    """
    piece = Piece(reading, sentence, mentions, facts)
    for rule in _RULES:
        found = list(rule(piece))
        if found:
            yield from found
            if rule is _numbers and mentions and not any(values for _, values in found):
                continue  # the length of the history, beside something else
            if rule in _BESIDE_NUMBERS:
                yield from _numbers(piece)
            return


def _numbers(piece: Piece) -> Iterator[HabitClaim]:
    start = piece.span[0]
    firsts = [(start + hit.start(), start + hit.end()) for hit in words.MOST.finditer(piece.said)]
    ratios = [
        (start + hit.start(), start + hit.end()) for hit in words.TIMES.finditer(piece.said) if _is_ratio(piece, hit)
    ]
    masked, facts = piece.reading.masked, piece.facts
    for found in quantities(masked, piece.span, mentions=piece.mentions, facts=facts, ratios=[*ratios, *firsts]):
        settled = () if found.mention is None else (found.mention,)
        ids = ("history", *_ids(settled))
        for start, end in _hull(piece, (found.start, found.end), settled):
            said = piece.reading.text[start:end]
            values = tuple(piece.mentions) if settled else ()
            yield Claim("number", said, start, end, not found.problem, ids, found.problem), values


def _times(piece: Piece) -> Iterator[HabitClaim]:
    hit = words.TIMES.search(piece.said)
    others = words.NAMES_OTHERS.search(piece.said)
    if hit is None or others is None:
        return
    told = hit["n"] or hit["x"]
    said = decimal_number(told) if told else words.TIMES_OF_WORD[hit["word"].casefold()]
    for mention in piece.mentions:
        lifts = _lifts(piece, mention)
        holds = any(
            lift > said if _is_bound(piece, hit) else abs(lift - said) <= _TIMES_WITHIN * said for lift in lifts
        )
        yield from _claims(piece, hit, mention, problem="" if holds else f"it is {max(lifts):.3g} times", also=others)


def _is_bound(piece: Piece, hit: re.Match[str]) -> bool:
    return hit["bound"] is not None or quantity_words.OR_MORE.search(piece.said, hit.end()) is not None


def _ratios_of_two(piece: Piece) -> Iterator[HabitClaim]:
    """ "Comedies twice as often as thrillers"."""
    hit = words.TIMES.search(piece.said)
    if hit is None or len(piece.mentions) != 2 or words.RATIO_BEHIND.match(piece.said, hit.end()) is None:
        return
    one, other = (_count(piece.facts, mention) for mention in piece.mentions)
    told = hit["n"] or hit["x"]
    said = decimal_number(told) if told else words.TIMES_OF_WORD[hit["word"].casefold()]
    ratio = one / other if other else 0.0
    holds = ratio > said if _is_bound(piece, hit) else abs(ratio - said) <= _TIMES_WITHIN * said
    problem = "" if holds else f"{one} against {other} in the history"
    span = piece.span[0] + hit.start(), piece.span[0] + hit.end()
    for start, end in _hull(piece, span, piece.mentions):
        said_so = piece.reading.text[start:end]
        yield Claim("aspect", said_so, start, end, not problem, _ids(piece.mentions), problem), tuple(piece.mentions)


def _unclear(piece: Piece) -> Iterator[HabitClaim]:
    """What else is said of the user is accepted only where most readings of it are true."""
    if not is_about_user(piece.reading, piece.span):
        return
    for mention in piece.mentions:
        start, end = mention.start, _noun_end(piece, mention)
        is_none = is_denied(piece.reading.masked, Stretch(*piece.span), but=(start, end))
        count, lift = _count(piece.facts, mention), max(_lifts(piece, mention))
        problem = "" if (count == 0 if is_none else lift > 1) else f"{count} in the history are so"
        yield (
            Claim("aspect", piece.reading.text[start:end], start, end, not problem, _ids((mention,)), problem),
            (mention,),
        )


def _is_ratio(piece: Piece, hit: re.Match[str]) -> bool:
    """Whether "six times" compares rather than counts."""
    return (
        words.RATIO_BEHIND.match(piece.said, hit.end()) is not None or words.NAMES_OTHERS.search(piece.said) is not None
    )


def _ranks(piece: Piece) -> Iterator[HabitClaim]:
    hit = words.RANK.search(piece.said)
    if len(piece.mentions) != 2 or hit is None or words.NAMES_OTHERS.search(piece.said):
        return
    one, other = (_count(piece.facts, mention) for mention in piece.mentions)
    is_more = (hit["more"] is not None) != piece.denies(hit)
    holds = one > other if is_more else one < other
    problem = "" if holds else f"{one} against {other} in the history"
    start = min(piece.mentions[0].start, piece.span[0] + hit.start())
    end = max(_noun_end(piece, piece.mentions[-1]), piece.span[0] + hit.end())
    said = piece.reading.text[start:end]
    yield Claim("aspect", said, start, end, holds, _ids(piece.mentions), problem), tuple(piece.mentions)


def _turns(piece: Piece) -> Iterator[HabitClaim]:
    if not piece.mentions or not words.OF_LATE.search(piece.said) or words.NAMES_OTHERS.search(piece.said):
        return
    away, towards = words.AWAY.search(piece.said), words.TOWARDS.search(piece.said)
    hit = away or towards
    n = min(_RECENT, len(piece.facts.history) // 2)
    if hit is None or not n:
        return
    for mention in piece.mentions:
        steps = [_step(piece.facts, trait, last=n) for trait in mention.traits]
        was_so = words.IN_THE_PAST.search(piece.said, 0, hit.start()) is not None
        is_heir = words.GIVES_WAY.search(piece.said, 0, mention.start - piece.span[0]) is not None
        wants_up = is_heir or (away is None) != (piece.denies(hit) != was_so)
        holds = any(step > 0 if wants_up else step < 0 for step in steps)
        problem = "" if holds else f"the share of this changed by {max(steps, key=abs):+.0%} in the last {n}"
        yield from _claims(piece, hit, mention, problem=problem)


def _step(facts: InterestFacts, trait: Trait, *, last: int) -> float:
    recent = facts.count(trait, last=last)
    return recent / last - (facts.count(trait) - recent) / (len(facts.history) - last)


def _against_others(piece: Piece) -> Iterator[HabitClaim]:
    hit, others = (pattern.search(piece.said) for pattern in (words.MORE_THAN_OTHERS, words.NAMES_OTHERS))
    if hit is None and words.COMPARED.search(piece.said):
        hit = words.MUCH.search(piece.said)
    if hit is None or others is None:
        return
    is_turned = others.end() <= hit.start() and words.THAN_THE_USER.search(piece.said, hit.end()) is not None
    is_more = ((hit["more"] is not None) != piece.denies(hit)) != is_turned
    for mention in piece.mentions:
        lifts = _lifts(piece, mention)
        holds = max(lifts) > 1 if is_more else min(lifts) < 1
        problem = f"the share of this is {max(lifts):.2g} times the average user's"
        yield from _claims(piece, hit, mention, problem="" if holds else problem, also=others)


def _halves(piece: Piece) -> Iterator[HabitClaim]:
    hit = words.HALF.search(piece.said)
    if hit is None:
        return
    for mention in piece.mentions:
        count, n = _count(piece.facts, mention), len(piece.facts.history)
        is_more = (hit["more"] is not None) != piece.denies_around(hit)
        holds = 2 * count > n if is_more else 2 * count < n
        yield from _claims(piece, hit, mention, problem="" if holds else f"{count} of {n} in the history are so")


def _mosts(piece: Piece) -> Iterator[HabitClaim]:
    hit = words.MOST.search(piece.said)
    if hit is None:
        return
    for mention in piece.mentions:
        count, most = _count(piece.facts, mention), _most(mention, piece.facts)
        holds = (count > 0 and count == most) != piece.denies_around(hit)
        problem = f"{count} in the history are so, of another value {most}"
        yield from _claims(piece, hit, mention, problem="" if holds else problem)


def _dislikes(piece: Piece) -> Iterator[HabitClaim]:
    hit = words.DISLIKES.search(piece.said)
    if hit is None:
        return
    for mention in piece.mentions:
        lift = max(_lifts(piece, mention))
        problem = "" if lift < 1 else f"the share of this is {lift:.2g} times the average user's"
        yield from _claims(piece, hit, mention, problem=problem)


def _nevers(piece: Piece) -> Iterator[HabitClaim]:
    hit = words.NEVER.search(without_affirmations(piece.said))
    if hit is None:
        return
    for mention in piece.mentions:
        count = _count(piece.facts, mention)
        yield from _claims(piece, hit, mention, problem=f"{count} in the history are so" if count else "")


def _likes(piece: Piece) -> Iterator[HabitClaim]:
    hit = words.LIKES.search(piece.said)
    if hit is None:
        return
    for mention in piece.mentions:
        lift = max(_lifts(piece, mention))
        holds = (lift > 1) != piece.is_without(hit)
        problem = f"the share of this is {lift:.2g} times the average user's"
        yield from _claims(piece, hit, mention, problem="" if holds else problem)


def _evers(piece: Piece) -> Iterator[HabitClaim]:
    hit = words.EVER.search(piece.said)
    if hit is None:
        return
    for mention in piece.mentions:
        count = _count(piece.facts, mention)
        yield from _claims(piece, hit, mention, problem="" if count else "nothing in the history is so")


_RULES: tuple[Callable[[Piece], Iterator[HabitClaim]], ...] = (
    _times,
    _ratios_of_two,
    _turns,
    _ranks,
    _against_others,
    _halves,
    _mosts,
    _numbers,
    _dislikes,
    _nevers,
    _likes,
    _evers,
    _unclear,
)


def _lifts(piece: Piece, mention: Mention) -> list[float]:
    """Over the last so many where the sentence says of how many it speaks."""
    last = piece.reading.window_of(mention)
    return [piece.facts.lift(trait, last=last) for trait in mention.traits]


_BESIDE_NUMBERS = (_times, _turns, _against_others, _mosts, _likes)
"""Rules beside which a piece may say how many: "more often than the average viewer: three of the last ten"."""


def _count(facts: InterestFacts, mention: Mention) -> int:
    return max(facts.count(trait) for trait in mention.traits)


def _most(mention: Mention, facts: InterestFacts) -> int:
    """The count of the commonest value of the same attribute."""
    attributes = {attribute for attribute, _ in mention.traits}
    values: set[Trait] = {trait for item in facts.past for trait in item.traits if trait[0] in attributes}
    return max((facts.count(trait) for trait in values), default=0)


def _claims(
    piece: Piece, hit: re.Match[str], mention: Mention, *, problem: str, also: re.Match[str] | None = None
) -> Iterator[HabitClaim]:
    hits = [it for it in (hit, also) if it is not None]
    span = piece.span[0] + min(it.start() for it in hits), piece.span[0] + max(it.end() for it in hits)
    for start, end in _hull(piece, span, (mention,)):
        said = piece.reading.text[start:end]
        yield Claim("aspect", said, start, end, not problem, _ids((mention,)), problem), (mention,)


def _hull(piece: Piece, span: Span, mentions: Sequence[Mention]) -> list[Span]:
    """From a word to the value that it is said of; both apart where a title stands between them."""
    spans = [span, *((it.start, _noun_end(piece, it)) for it in mentions)]
    start, end = min(first for first, _ in spans), max(last for _, last in spans)
    return spans if FILLER in piece.reading.masked[start:end] else [(start, end)]


def _noun_end(piece: Piece, mention: Mention) -> int:
    """Where a value ends, with the "films" behind it."""
    hit = words.VALUE_END.match(piece.reading.masked, mention.end)
    return mention.end if hit is None else hit.end()


def _ids(mentions: Sequence[Mention]) -> tuple[str, ...]:
    return tuple(name for mention in mentions for name in aspect_ids(mention))
