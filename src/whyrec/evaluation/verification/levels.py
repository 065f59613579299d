"""Check what a text says of levels on readable scales, such as tension from 1 to 10: of an item, of a user, of both.

Four kinds of statements are looked at, all tied to a scale that is named in the same clause: a number ("tension 8.2",
"eight out of ten"), a side ("high tension", "towards extremely tense", "below the average film"), what a scale does to
the score ("moves it up", "speaks against it"), and whether user and item stand on the same side.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from whyrec.evaluation.verification import level_words as words
from whyrec.evaluation.verification.mentions import Stretch, find_numbers, split_sentences
from whyrec.evaluation.verification.tolerance import agrees
from whyrec.interfaces import Claim

TOP = 10
"""Of every scale."""
_NEAR_MEAN = 0.25
"""Points; so near to the mean, an item is on neither side and on both."""


@dataclass(frozen=True, slots=True)
class ScaleFacts:
    """One scale: where item and user stand, and what it does to the score."""

    key: str
    name: str
    low: str
    """What the low end stands for, as texts say it."""
    high: str
    item: float | None
    """From 1 to 10; None where unknown."""
    user: float | None
    """The level that the user prefers."""
    mean: float
    """Of all items."""
    push: float
    """What the scale adds to the item's score beyond what it adds to the mean item's."""


@dataclass(frozen=True)
class LevelFacts:
    """All scales for one user and one item."""

    scales: tuple[ScaleFacts, ...]
    base_push: float
    """What everything but the scales adds beyond the mean item's."""

    @cached_property
    def by_name(self) -> Mapping[str, ScaleFacts]:
        """Scales by the ways to name them, folded."""
        found: dict[str, ScaleFacts] = {}
        for scale in self.scales:
            for name in words.names_of(scale.key, scale.name):
                found.setdefault(name, scale)
        return found

    @cached_property
    def ends(self) -> Mapping[str, tuple[tuple[ScaleFacts, bool], ...]]:
        """Ends of scales by what they stand for, folded; True for the high one. Of "simple" there may be several."""
        found: dict[str, tuple[tuple[ScaleFacts, bool], ...]] = {}
        for scale in self.scales:
            for is_high, means in ((False, scale.low), (True, scale.high)):
                for said in words.ends_of(scale.key, means, is_high=is_high):
                    others = found.get(said, ())
                    found[said] = others if (scale, is_high) in others else (*others, (scale, is_high))
        return {said: ends for said, ends in found.items() if said not in self.by_name}

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds names and ends, the longest first."""
        known = sorted((*self.by_name, *self.ends), key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known)) or '(?!)'})(?!\w)", re.IGNORECASE)


class _Mention(NamedTuple):
    start: int
    end: int
    scale: ScaleFacts
    is_high: bool | None
    """Which end is named; None where the scale is."""


class _Clause(NamedTuple):
    text: str
    """Of the whole explanation, quotations masked."""
    stretch: Stretch
    sentence: Stretch
    mentions: list[_Mention]


def level_claims(masked: str, facts: LevelFacts) -> Iterator[Claim]:
    """Find every claim about levels and compare it with them.

    Args:
        masked: The text with filler for what stands in quotation marks.
        facts: Levels as of the moment of the text.
    """
    told: list[_Mention] = []
    for sentence in split_sentences(masked):
        for stretch in _clauses(masked, sentence):
            clause = _Clause(masked, stretch, sentence, list(_mentions(masked, stretch, facts)))
            yield from _numbers(clause)
            yield from _comparisons(clause)
            yield from _sides(clause)
            yield from _pushes(clause, facts)
            yield from _same_sides(clause, clause.mentions or told)
            told = clause.mentions or told
    yield from _base_claims(masked, facts)


def _clauses(masked: str, sentence: Stretch) -> list[Stretch]:
    edges = [sentence.start]
    edges += [hit.end() for hit in words.CLAUSE_END.finditer(masked, sentence.start, sentence.end)]
    ends = [*edges[1:], sentence.end]
    return [Stretch(start, end) for start, end in zip(edges, ends, strict=True) if end > start]


def _mentions(masked: str, stretch: Stretch, facts: LevelFacts) -> Iterator[_Mention]:
    last: ScaleFacts | None = None
    for hit in facts.pattern.finditer(masked, stretch.start, stretch.end):
        said = hit[0].casefold()
        if words.FALLS.search(masked, max(0, hit.start() - 8), hit.start()):
            continue
        if said in facts.by_name:
            last = facts.by_name[said]
            yield _Mention(hit.start(), hit.end(), last, None)
            continue
        ends = facts.ends[said]
        # Of several scales with such an end, the one that was just named is meant, or nobody knows which.
        meant = ends if len(ends) == 1 else [end for end in ends if last is not None and end[0].key == last.key]
        if len(meant) == 1:
            yield _Mention(hit.start(), hit.end(), *meant[0])


def _numbers(clause: _Clause) -> Iterator[Claim]:
    """A number belongs to the scale named nearest to it, and to the user where the words beside it say so."""
    named = [mention for mention in clause.mentions if mention.is_high is None]
    for number in find_numbers(clause.text[clause.stretch.start : clause.stretch.end]) if named else ():
        start, end = (clause.stretch.start + offset for offset in (number.start, number.end))
        if number.value == TOP and words.TOP_OF_SCALE.search(clause.text[max(clause.stretch.start, start - 8) : start]):
            continue
        if not 0 <= number.value <= TOP or number.unit not in ("", "rating", "rank"):
            continue
        mention = min(named, key=lambda it: it.start - end if it.start >= end else start - it.end)
        is_user = _is_of_user(clause, start)
        level = mention.scale.user if is_user else mention.scale.item
        whose = "user" if is_user else "item"
        holds = level is not None and agrees(number, level)
        problem = "" if holds else f"the {whose}'s level on {mention.scale.name} is {_shown(level)}"
        scale_end = words.OUT_OF.match(clause.text, end, clause.stretch.end)
        span = (start, end if scale_end is None else scale_end.end())
        yield _claim(clause, span, (f"level:{whose}:{mention.scale.key}",), problem=problem)


def _sides(clause: _Clause) -> Iterator[Claim]:
    """ "High tension", "its tension is low", "towards extremely tense": on which side of the mean item it stands."""
    if words.compares(clause.text[clause.stretch.start : clause.stretch.end]):
        return
    for mention in clause.mentions:
        found = _side_of(clause, mention)
        if found is None:
            continue
        start, end, is_high = found
        is_user = _is_of_user(clause, mention.start)
        level = mention.scale.user if is_user else mention.scale.item
        whose = "user" if is_user else "item"
        holds = level is not None and (
            level >= mention.scale.mean - _NEAR_MEAN if is_high else level <= mention.scale.mean + _NEAR_MEAN
        )
        told = f"{_shown(level)}, the mean item's {mention.scale.mean:.1f}"
        problem = "" if holds else f"the {whose}'s level on {mention.scale.name} is {told}"
        yield _claim(clause, (start, end), (f"level:{whose}:{mention.scale.key}",), problem=problem)


def _side_of(clause: _Clause, mention: _Mention) -> tuple[int, int, bool] | None:
    """Where a side is named and which: by the end of the scale itself, or by words right beside the scale's name."""
    text = clause.text
    if mention.is_high is not None:
        is_denied = words.DENIED.search(text[max(clause.stretch.start, mention.start - 24) : mention.start]) is not None
        return mention.start, mention.end, mention.is_high != is_denied
    before = words.SIDE_BEFORE.search(text, max(clause.stretch.start, mention.start - 60), mention.start)
    after = words.SIDE_AFTER.match(text, mention.end, min(clause.stretch.end, mention.end + 60))
    hit = before or after
    if hit is None and len({it.scale.key for it in clause.mentions}) == 1:
        return _side_anywhere(clause)
    if hit is None:
        return None
    is_denied = words.DENIED.search(text[max(clause.stretch.start, hit.start() - 16) : hit.end()]) is not None
    start, end = min(hit.start("side"), mention.start), max(hit.end("side"), mention.end)
    return start, end, words.is_high(hit["side"]) != is_denied


def _side_anywhere(clause: _Clause) -> tuple[int, int, bool] | None:
    hit = words.SIDE.search(clause.text, clause.stretch.start, clause.stretch.end)
    if hit is None:
        return None
    is_denied = words.DENIED.search(clause.text[max(clause.stretch.start, hit.start() - 16) : hit.start()]) is not None
    return *hit.span("side"), words.is_high(hit["side"]) != is_denied


def _comparisons(clause: _Clause) -> Iterator[Claim]:
    """ "Lower than what the user prefers", "more of it than the average film"."""
    for pattern in (words.THAN_USER, words.THAN_MEAN):
        hit = pattern.search(clause.text, clause.stretch.start, clause.stretch.end)
        if hit is None or not clause.mentions:
            continue
        scale = min(clause.mentions, key=lambda it: abs(it.start - hit.start("side"))).scale
        of_user = pattern is words.THAN_USER
        other = scale.user if of_user else scale.mean
        is_more = words.is_high(hit["side"])
        holds = scale.item is not None and other is not None and (scale.item > other) == is_more
        what = "the user's" if of_user else "the mean item's"
        problem = (
            "" if holds else f"on {scale.name} the item is at {_shown(scale.item)}, {what} level is {_shown(other)}"
        )
        ids = (f"level:item:{scale.key}", *((f"level:user:{scale.key}",) if of_user else ()))
        yield _claim(clause, hit.span("side"), ids, problem=problem)
        return


def _pushes(clause: _Clause, facts: LevelFacts) -> Iterator[Claim]:
    """ "Moves it up for its tension", "its pace counts against it"; all scales that the clause names share the verb."""
    named = {mention.scale.key: mention for mention in reversed(clause.mentions)}
    for hit in words.PUSH.finditer(clause.text, clause.stretch.start, clause.stretch.end):
        is_up = hit["up"] is not None
        is_denied = words.DENIED.search(clause.text[max(clause.stretch.start, hit.start() - 16) : hit.start()])
        wants_up = is_up != (is_denied is not None)
        if not named and words.NO_SCALE.search(clause.text, clause.stretch.start, hit.start()):
            wrong = [scale for scale in facts.scales if (scale.push > 0) == is_up and abs(scale.push) > _share(facts)]
            problem = "" if not wrong else f"{wrong[0].name} does"
            yield _claim(clause, hit.span(), tuple(f"push:{scale.key}" for scale in wrong[:1]), problem=problem)
        for mention in named.values():
            holds = (mention.scale.push > 0) == wants_up and mention.scale.push != 0
            problem = "" if holds else f"{mention.scale.name} moves the score by {mention.scale.push:+.3g}"
            yield _claim(clause, (mention.start, mention.end), (f"push:{mention.scale.key}",), problem=problem)


def _same_sides(clause: _Clause, mentions: Sequence[_Mention]) -> Iterator[Claim]:
    for hit in words.SAME_SIDE.finditer(clause.text, clause.stretch.start, clause.stretch.end):
        scales = list({mention.scale.key: mention.scale for mention in mentions}.values())
        wants_same = not words.are_apart(hit[0])
        apart = [scale for scale in scales if _are_alike(scale) is not wants_same]
        problem = "" if scales and not apart else "no scale is named" if not scales else _apart(apart[0])
        ids = tuple(f"level:{whose}:{scale.key}" for scale in scales for whose in ("item", "user"))
        yield _claim(clause, hit.span(), ids, problem=problem)


def _base_claims(masked: str, facts: LevelFacts) -> Iterator[Claim]:
    """What is said of the rest of the score: that it is the larger part, or speaks against the item."""
    ups = sum(scale.push for scale in facts.scales if scale.push > 0)
    for hit in words.BASE.finditer(masked):
        if hit["larger"] or hit["larger_after"]:
            holds, what = facts.base_push > ups, "more than all scales"
        elif hit["against"]:
            holds, what = facts.base_push < 0, "against the item"
        else:
            continue
        problem = "" if holds else f"it moves the score by {facts.base_push:+.3g}, which is not {what}"
        yield Claim("score", hit[0], hit.start(), hit.end(), holds, ("base",), problem)


def _claim(clause: _Clause, span: tuple[int, int], ids: tuple[str, ...], *, problem: str) -> Claim:
    return Claim("score", clause.text[span[0] : span[1]], *span, not problem, ids, problem)


def _is_of_user(clause: _Clause, position: int) -> bool:
    """Whether the last of item and user to be named before a place, within its sentence, is the user."""
    named = list(words.SUBJECT.finditer(clause.text, clause.sentence.start, position))
    # "A tension of 4 is what this user likes" names the user behind.
    nearest = named[-1] if named else words.SUBJECT.search(clause.text, position, clause.stretch.end)
    return nearest is not None and nearest["user"] is not None


def _are_alike(scale: ScaleFacts) -> bool:
    if scale.item is None or scale.user is None:
        return False
    return (scale.user - scale.mean) * (scale.item - scale.mean) > 0


def _apart(scale: ScaleFacts) -> str:
    return f"on {scale.name} the user is at {_shown(scale.user)}, the item at {_shown(scale.item)}"


def _share(facts: LevelFacts) -> float:
    return 0.1 * sum(abs(scale.push) for scale in facts.scales)


def _shown(level: float | None) -> str:
    return "not known" if level is None else f"{level:.1f}"
