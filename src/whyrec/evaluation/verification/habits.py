"""Check what a text says of a user's habits, value by value: how often, more than others, most of all, ever, never.

Only sentences that speak of the user or the history and name no item are read here: in others a value is the item's.
"""

import re
from collections.abc import Iterator, Sequence

from whyrec.evaluation.verification import habit_words as words
from whyrec.evaluation.verification.interest_facts import InterestFacts, Trait
from whyrec.evaluation.verification.interest_mentions import Mention, Reading, Span, said_in_full
from whyrec.evaluation.verification.interest_numbers import aspect_ids
from whyrec.interfaces import Claim

_TIMES = re.compile(r"\b(?:twice|double|triple|half as|times|fold)\b", re.IGNORECASE)
_COUNTED = re.compile(
    r"\d|\b(?:(?<!not )(?<!single )one|two|three|four|five|six|seven|eight|nine|ten|half a dozen) (?:of|"
    r"out of)\b|\bthird|\bquarter",
    re.IGNORECASE,
)
_RANK = re.compile(
    r"(?P<less>fewer|less frequent|less often|rarer|less)\b|(?P<more>more frequent|more often|more common|more)\b",
    re.IGNORECASE,
)


def speaks_of_habits(reading: Reading, sentence: tuple[int, int]) -> bool:
    """Whether a sentence is about the user or the history, and no item or earlier title stands in it."""
    masked = reading.masked[sentence[0] : sentence[1]]
    has_title = any(sentence[0] <= claim.start < sentence[1] for claim in reading.titles)
    is_of_item = words.OF_ITEM.search(words.DUMMY_IT.sub("", masked)) is not None
    return not has_title and not is_of_item and _is_of_user(masked)


def _is_of_user(masked: str) -> bool:
    if words.OF_USER.search(masked):
        return True
    is_compared = words.NAMES_OTHERS.search(masked) and words.MORE_THAN_OTHERS.search(masked)
    return bool(is_compared or (words.LATELY.search(masked) and words.TURN.search(masked)))


def habit_claims(
    reading: Reading, sentence: tuple[int, int], *, mentions: Sequence[Mention], facts: InterestFacts
) -> Iterator[tuple[Claim, tuple[Mention, ...]]]:
    """Find what a sentence says of the user's habits; with each claim come the values that it settles.

    Args:
        reading: The text.
        sentence: Of it; one that ``speaks_of_habits``.
        mentions: The values that it names.
        facts: The history.
    """
    masked = reading.masked[sentence[0] : sentence[1]]
    if not mentions or _TIMES.search(masked) or _COUNTED.search(masked):
        return
    if len(mentions) == 2 and (hit := _RANK.search(masked)) and not words.NAMES_OTHERS.search(masked):
        yield _ranked(masked, sentence, hit, mentions=mentions, facts=facts)
        return
    for mention in mentions:
        (first, last), problem = _judged(masked, mention, facts=facts, at=sentence[0])
        start = min(mention.start, sentence[0] + first)
        end = max(said_in_full(reading.masked, mention), sentence[0] + last)
        yield _claim(reading, (start, end), [mention], problem=problem), (mention,)


def _judged(masked: str, mention: Mention, *, facts: InterestFacts, at: int) -> tuple[Span, str]:
    """Where a sentence, which begins at an offset, speaks of how often, and what is wrong with that for a value."""
    is_denied = words.DENIED.search(words.NO_DENIAL.sub("", masked)) is not None
    count = max(facts.count(trait) for trait in mention.traits)
    lift = max(facts.lift(trait) for trait in mention.traits)
    of_average = f"the share of this is {lift:.2g} times the average user's"
    if hit := words.HALF.search(masked):
        share = count / max(len(facts.history), 1)
        is_more = (hit["more"] is not None) != is_denied
        return hit.span(), "" if (
            share > 0.5 if is_more else share < 0.5
        ) else f"{count} of {len(facts.history)} are so"
    if (hit := words.MORE_THAN_OTHERS.search(masked)) and words.NAMES_OTHERS.search(masked):
        is_more = (hit["more"] is not None) != (is_denied and not words.DENIED.search(hit[0]))
        return hit.span(), "" if (lift > 1 if is_more else lift < 1) else of_average
    if hit := words.MOST.search(masked):
        most = _most(mention, facts)
        holds = (count > 0 and count == most) != is_denied
        return hit.span(), "" if holds else f"{count} in the history are so, of another value {most}"
    if hit := words.DISLIKES.search(masked):
        return hit.span(), "" if lift < 1 else of_average
    if hit := words.NEVER.search(masked) or words.EVER.search(masked):
        denial = words.DENIED.search(masked)
        start = min(hit.start(), denial.start()) if denial and is_denied else hit.start()
        is_denied ^= hit.re is words.NEVER
        return (start, hit.end()), "" if (count > 0) != is_denied else f"{count} in the history are so"
    if hit := words.LIKES.search(masked):
        return hit.span(), "" if (lift < 1 if is_denied else lift > 1) else of_average
    # Whatever else it says, it is only accepted where most readings of it would be true.
    place = mention.start - at, mention.end - at
    return place, "" if (count == 0 if is_denied else lift > 1) else of_average


def _ranked(
    masked: str, sentence: tuple[int, int], hit: re.Match[str], *, mentions: Sequence[Mention], facts: InterestFacts
) -> tuple[Claim, tuple[Mention, ...]]:
    one, other = (max(facts.count(trait) for trait in mention.traits) for mention in mentions)
    is_more = (hit["more"] is not None) != (words.DENIED.search(masked) is not None)
    holds = one > other if is_more else one < other
    problem = "" if holds else f"{one} against {other} in the history"
    start = min(mentions[0].start, sentence[0] + hit.start())
    end = max(mentions[-1].end, sentence[0] + hit.end())
    said = masked[start - sentence[0] : end - sentence[0]]
    return Claim("aspect", said, start, end, holds, _ids(mentions), problem), tuple(mentions)


def _most(mention: Mention, facts: InterestFacts) -> int:
    """The count of the commonest value of the same attribute."""
    attributes = {attribute for attribute, _ in mention.traits}
    values: set[Trait] = {trait for item in facts.past for trait in item.traits if trait[0] in attributes}
    return max((facts.count(trait) for trait in values), default=0)


def _claim(reading: Reading, span: tuple[int, int], mentions: Sequence[Mention], *, problem: str) -> Claim:
    return Claim("aspect", reading.text[span[0] : span[1]], *span, not problem, _ids(mentions), problem)


def _ids(mentions: Sequence[Mention]) -> tuple[str, ...]:
    return tuple(name for mention in mentions for name in aspect_ids(mention))
