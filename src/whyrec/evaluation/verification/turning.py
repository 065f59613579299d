"""Check what a text says of how a user's taste turns: "lately fewer comedies than before"."""

import re
from collections.abc import Iterator, Sequence

from whyrec.evaluation.verification import habit_words as words
from whyrec.evaluation.verification.interest_facts import InterestFacts
from whyrec.evaluation.verification.interest_mentions import Mention, Reading, Span, said_in_full
from whyrec.evaluation.verification.interest_numbers import aspect_ids
from whyrec.interfaces import Claim

_LATELY = 10
"""Interactions that "lately" means, or half of a history that is not longer."""


def turning_claims(
    reading: Reading, sentence: Span, *, mentions: Sequence[Mention], facts: InterestFacts
) -> Iterator[tuple[Claim, tuple[Mention, ...]]]:
    """Compare a value's share of the last interactions with its share of those before.

    Args:
        reading: The text.
        sentence: Of it; one that speaks of the user.
        mentions: The values that it names; a sentence that names several is not judged.
        facts: The history.
    """
    masked = reading.masked[sentence[0] : sentence[1]]
    lately = words.LATELY.search(masked)
    if len(mentions) != 1 or lately is None or words.NAMES_OTHERS.search(masked):
        return
    mention = mentions[0]
    turns = [hit for hit in words.TURN.finditer(masked) if not _within(hit, lately)]
    if not turns:
        return
    turn = min(turns, key=lambda hit: abs(sentence[0] + hit.start() - mention.start))
    change = max((_change(facts, trait) for trait in mention.traits), key=abs)
    is_up = (turn["up"] is not None) != _is_denied(masked)
    is_up ^= words.IN_THE_PAST.search(masked, 0, turn.start()) is not None
    holds = change > 0 if is_up else change < 0
    start = min(mention.start, sentence[0] + turn.start())
    end = max(said_in_full(reading.masked, mention), sentence[0] + turn.end())
    problem = "" if holds else f"its share of the last interactions is {100 * change:+.0f} points off that before"
    yield Claim("aspect", reading.text[start:end], start, end, holds, aspect_ids(mention), problem), (mention,)


def _within(hit: re.Match[str], other: re.Match[str]) -> bool:
    return other.start() <= hit.start() and hit.end() <= other.end() and hit.end() - hit.start() < 4


def _is_denied(masked: str) -> bool:
    return words.DENIED.search(words.NO_DENIAL.sub("", masked)) is not None


def _change(facts: InterestFacts, trait: tuple[str, str]) -> float:
    n = len(facts.past)
    last = _LATELY if n > _LATELY else n // 2
    if not 0 < last < n:
        return 0.0
    recent, all_in_all = facts.count(trait, last=last), facts.count(trait)
    return recent / last - (all_in_all - recent) / (n - last)
