"""Check what a text says of a user's habits, value by value: how often, more than others, most of all, ever, never.

Only sentences that speak of the user or the history and name no item are read here: in others a value is the item's.
"""

import re
from collections.abc import Iterator, Sequence

from whyrec.evaluation.verification.interest_facts import InterestFacts, Trait
from whyrec.evaluation.verification.interest_mentions import Mention, Reading
from whyrec.evaluation.verification.interest_numbers import aspect_ids
from whyrec.interfaces import Claim


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_OF_USER = _found(
    r"\b(?:users?|viewers?|customers?|readers?|shoppers?|history|interactions?|share|minority|majority|you|you['’]ve|"
    r"you['’]re|they|they['’]ve|overrepresented|underrepresented|on record|most people|others do|choices|picks|"
    r"watched|fondness|liking for)\b"
)
_OF_ITEM = _found(
    r"\b(?:it|its|it['’]s|this (?:one|film|movie|item|product|title|book|game)|the (?:film|movie|item|product))\b"
)
_OTHERS = (
    r"(?:the )?(?:average|mean|typical|usual|other|ordinary) (?:users?|viewers?|customers?|people|person|one)|"
    r"most (?:people|users|viewers)|others|everybody else|everyone else|the rest|average|usual"
)
_MORE_THAN_OTHERS = _found(
    rf"\b(?P<less>less|fewer|lower|below|underrepresented|smaller|rarer)\b(?:[^.;?]{{0,60}}?\b(?:{_OTHERS})\b)?"
    rf"|\b(?P<more>more|higher|above|overrepresented|larger|greater)\b(?:[^.;?]{{0,60}}?\b(?:{_OTHERS})\b)?"
)
_NAMES_OTHERS = _found(rf"\b(?:{_OTHERS}|overrepresented|underrepresented)\b")
_HALF = _found(
    r"\b(?:(?P<more>(?:over|more than|above|at least) half|the majority|most of (?=the|their|your|what))|"
    r"(?P<less>(?:under|less than|below|fewer than) half|(?:the|a) minority))\b"
)
_MOST = _found(
    r"\b(?:most of all|more than anything|above all|most (?:frequent|common|watched|taken|chosen|often)|favou?rite|"
    r"nothing else comes close|number one|can['’]t get enough|first and foremost|the main)\b"
)
_EVER = _found(
    r"\b(?:before|on record|ever|a taste of|has watched|have watched|has seen|have seen|never|not once|already|"
    r"in the history|so far|touched|tried)\b"
)
_DENIED = _found(r"\b(?:never|not|no|none|without|not once|hardly ever)\b|n['’]t\b")
_TIMES = _found(r"\b(?:twice|double|triple|half as|times|fold)\b")
_COUNTED = _found(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half a dozen) (?:of|out of)\b|\bthird|\bquarter"
)
_RANK = _found(
    r"(?P<less>fewer|less frequent|less often|rarer|less)\b|(?P<more>more frequent|more often|more common|more)\b"
)


def speaks_of_habits(reading: Reading, sentence: tuple[int, int]) -> bool:
    """Whether a sentence is about the user or the history, and no item or earlier title stands in it."""
    masked = reading.masked[sentence[0] : sentence[1]]
    has_title = any(sentence[0] <= claim.start < sentence[1] for claim in reading.titles)
    return not has_title and _OF_ITEM.search(masked) is None and _OF_USER.search(masked) is not None


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
    if len(mentions) == 2 and (hit := _RANK.search(masked)) and not _NAMES_OTHERS.search(masked):
        yield _ranked(masked, sentence, hit, mentions=mentions, facts=facts)
        return
    is_denied = _DENIED.search(masked) is not None
    for mention in mentions:
        count = max(facts.count(trait) for trait in mention.traits)
        share = count / max(len(facts.history), 1)
        if hit := _HALF.search(masked):
            is_more = (hit["more"] is not None) != is_denied
            holds = share > 0.5 if is_more else share < 0.5
            problem = f"{count} of {len(facts.history)} in the history are so"
        elif hit := _MOST.search(masked):
            holds = count > 0 and count == _most(mention, facts)
            problem = f"{count} in the history are so, of another value {_most(mention, facts)}"
        elif (hit := _MORE_THAN_OTHERS.search(masked)) and _NAMES_OTHERS.search(masked):
            is_more = (hit["more"] is not None) != is_denied
            lift = max(facts.lift(trait) for trait in mention.traits)
            holds = lift > 1 if is_more else lift < 1
            problem = f"the share of this is {lift:.2g} times the average user's"
        elif hit := _EVER.search(masked):
            holds = (count > 0) != is_denied
            problem = f"{count} in the history are so"
        else:
            continue
        start = min(mention.start, sentence[0] + hit.start())
        end = max(mention.end, sentence[0] + hit.end())
        yield _claim(reading, (start, end), [mention], problem="" if holds else problem), (mention,)


def _ranked(
    masked: str, sentence: tuple[int, int], hit: re.Match[str], *, mentions: Sequence[Mention], facts: InterestFacts
) -> tuple[Claim, tuple[Mention, ...]]:
    one, other = (max(facts.count(trait) for trait in mention.traits) for mention in mentions)
    is_more = (hit["more"] is not None) != (_DENIED.search(masked) is not None)
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
