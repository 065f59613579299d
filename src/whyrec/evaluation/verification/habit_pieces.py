"""What a sentence falls into where it speaks of a history: pieces that each make one statement."""

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from whyrec.evaluation.verification import habit_words as words
from whyrec.evaluation.verification import quantity_words
from whyrec.evaluation.verification.denials import is_denied
from whyrec.evaluation.verification.interest_facts import InterestFacts
from whyrec.evaluation.verification.interest_mentions import Mention, Reading, Span, is_person
from whyrec.evaluation.verification.mentions import Stretch

_STATES = (words.LIKES, words.DISLIKES, words.NEVER, words.MOST, words.EVER, quantity_words.WINDOW, words.HALF)
"""Words of which a piece that makes a statement has one."""


class Piece(NamedTuple):
    """A piece of a sentence that speaks of a history."""

    reading: Reading
    span: Span
    mentions: Sequence[Mention]
    facts: InterestFacts

    @property
    def said(self) -> str:
        """Its words; quotations and values masked, so that no "love" is read into "love stories"."""
        said = self.reading.masked[self.span[0] : self.span[1]]
        for start, end, _ in self.mentions:
            first, last = start - self.span[0], end - self.span[0]
            said = said[:first] + "x" * (last - first) + said[last:]
        return said

    def denies(self, hit: re.Match[str]) -> bool:
        """Whether a hit is denied by the words right before it."""
        return words.DENIED_BEFORE.search(self.said[: hit.start()]) is not None

    def denies_around(self, hit: re.Match[str]) -> bool:
        """Whether it is denied right before or behind: "the bulk of your history isn't comedies"."""
        return self.denies(hit) != (words.DENIED_BEHIND.match(self.said, hit.end()) is not None)

    def is_without(self, hit: re.Match[str]) -> bool:
        """Whether the piece as a whole denies a hit."""
        start, end = self.span[0] + hit.start(), self.span[0] + hit.end()
        return is_denied(self.reading.masked, Stretch(*self.span), but=(start, end))


def pieces(reading: Reading, sentence: Span) -> list[Span]:
    """What a sentence falls into where both the item and the history are spoken of."""
    cuts = [hit.end() for hit in words.PIECE_END.finditer(reading.masked, *sentence)]
    cuts = [cut for cut in cuts if sentence[0] < cut < sentence[1]]
    whole = reading.masked[sentence[0] : sentence[1]]
    if words.OF_ITEM.search(whole) is None:
        joints = [hit.end() for hit in words.JOINT.finditer(reading.masked, *sentence)]
        edges = sorted({sentence[0], *joints, *cuts, sentence[1]})
        cuts = []
        for start, end in itertools.pairwise(edges):
            last = cuts[-1] if cuts else sentence[0]
            if start > last and _stands_alone(reading, (start, end)) and _stands_alone(reading, (last, start)):
                cuts.append(start)
    return list(itertools.pairwise([sentence[0], *cuts, sentence[1]]))


def _stands_alone(reading: Reading, piece: Span) -> bool:
    """Whether a piece makes a statement of its own on a history: it names a value and says how often.

    The length of a history is a statement without a value.
    """
    said = reading.masked[piece[0] : piece[1]]
    if reading.mentions_in(piece):
        return any(cue.search(said) for cue in _STATES)
    return quantity_words.HOLDS.search(said) is not None and quantity_words.LENGTH.search(said) is not None


def speaks_of_habits(reading: Reading, sentence: Span) -> bool:
    """Whether a stretch is about the user or the history, and no item or earlier title stands in it."""
    masked = _without_dummies(reading.masked[sentence[0] : sentence[1]])
    if words.OF_ITEM.search(masked) is not None:
        return False
    cues = (
        words.OF_USER,
        words.OF_HISTORY,
        quantity_words.WINDOW,
        quantity_words.OF_ALL,
        words.NAMES_OTHERS,
        quantity_words.TELLS_SHARE,
    )
    if any(cue.search(masked) is not None for cue in cues):
        return True
    # One item is a western; westerns are of a history.
    names = (reading.masked[it.start : it.end] for it in reading.mentions_in(sentence))
    return any(words.PLURAL.search(name) is not None for name in names)


def _without_dummies(said: str) -> str:
    said = words.ASIDE.sub(lambda hit: " " * len(hit[0]), said)
    cleft = words.CLEFT.search(said)
    if cleft is not None and words.OF_USER.search(said, cleft.end()) is not None:
        said = " " * cleft.end() + said[cleft.end() :]
    hit = words.DUMMY_IT.search(said)
    is_about_user = hit is not None and words.OF_USER.search(said, 0, hit.start()) is not None
    return words.DUMMY_IT.sub(" ", said) if is_about_user else said


def is_about_user(reading: Reading, sentence: Span) -> bool:
    """Whether a stretch names the user or the history by a word that leaves no doubt."""
    masked = _without_dummies(reading.masked[sentence[0] : sentence[1]])
    return words.OF_ITEM.search(masked) is None and words.OF_USER.search(masked) is not None


def is_credit(reading: Reading, piece: Span, mention: Mention) -> bool:
    """Whether a name is given a part in the item rather than in the history: "you get Leo Hart in the main role"."""
    return is_person(mention) and words.SEEN.search(reading.masked, *piece) is None
