"""Check what a text says of levels on readable scales, such as tension from 1 to 10: of an item, of a user, of both.

Four kinds of statements are looked at, all tied to a scale that is named in the same clause: a number ("tension 8.2",
"eight out of ten"), a side ("high tension", "towards extremely tense", "below the average film"), what a scale does to
the score ("moves it up", "speaks against it"), and whether user and item stand on the same side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

from whyrec.evaluation.verification import level_words as words
from whyrec.evaluation.verification.denials import is_denied
from whyrec.evaluation.verification.interest_words import decimal_number
from whyrec.evaluation.verification.mentions import Number, Stretch, find_numbers, split_sentences
from whyrec.evaluation.verification.phrases import Phrases
from whyrec.evaluation.verification.tolerance import agrees
from whyrec.interfaces import Claim

TOP = 10
"""Of every scale."""
_REACH = 110
"""Characters over which a word of comparing reaches what is compared with."""
_DENIES_WITHIN = 28
"""Characters before the end of a scale in which it is denied."""
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
    def by_key(self) -> Mapping[str, ScaleFacts]:
        """Scales by their keys."""
        return {scale.key: scale for scale in self.scales}

    @cached_property
    def phrases(self) -> Phrases:
        """Finds names and ends."""
        return _phrases(tuple((scale.key, scale.name, scale.low, scale.high) for scale in self.scales))


_NAME, _LOW, _HIGH, _LEANT = ":name", ":low", ":high", ":leant"


@lru_cache(maxsize=64)
def _phrases(scales: tuple[tuple[str, str, str, str], ...]) -> Phrases:
    said: dict[str, list[str]] = {}
    for key, name, low, high in scales:
        said[key + _NAME] = list(words.names_of(key, name))
        said[key + _LOW] = list(words.ends_of(key, low, is_high=False))
        said[key + _HIGH] = list(words.ends_of(key, high, is_high=True))
        said[key + _LEANT + _LOW] = list(words.leant_to(key, is_high=False))
        said[key + _LEANT + _HIGH] = list(words.leant_to(key, is_high=True))
    return Phrases.of(said)


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


def level_claims(masked: str, facts: LevelFacts, *, taken: Sequence[tuple[int, int]] = ()) -> Iterator[Claim]:
    """Find every claim about levels and compare it with them.

    Args:
        masked: The text with filler for what stands in quotation marks.
        facts: Levels as of the moment of the text.
        taken: Stretches that name something else, such as the genre in "a historical film".
    """
    told: list[_Mention] = []
    for sentence in split_sentences(masked):
        for stretch in _clauses(masked, sentence):
            clause = _Clause(masked, stretch, sentence, list(_mentions(masked, stretch, facts, taken=taken)))
            compared = [*_comparisons(clause), *_same_sides(clause, clause.mentions or told)]
            yield from compared
            yield from _numbers(clause)
            yield from _sides(clause, only_ends=bool(compared))
            yield from _pushes(clause, facts)
            told = clause.mentions or told
    yield from _base_claims(masked, facts)


def _clauses(masked: str, sentence: Stretch) -> list[Stretch]:
    edges = [sentence.start]
    edges += [hit.end() for hit in words.CLAUSE_END.finditer(masked, sentence.start, sentence.end)]
    ends = [*edges[1:], sentence.end]
    return [Stretch(start, end) for start, end in zip(edges, ends, strict=True) if end > start]


def scale_names(masked: str, facts: LevelFacts) -> list[tuple[int, int]]:
    """Where a text names a scale, such as "realism vs. fantasy": no genre is named there."""
    hits = facts.phrases.find(masked)
    return [(hit.start, hit.end) for hit in hits if any(value.endswith(_NAME) for value in hit.values)]


def _mentions(
    masked: str, stretch: Stretch, facts: LevelFacts, *, taken: Sequence[tuple[int, int]]
) -> Iterator[_Mention]:
    last: ScaleFacts | None = None
    for hit in facts.phrases.find(masked, stretch.start, stretch.end):
        is_taken = any(hit.start < end and start < hit.end for start, end in taken)
        is_other = words.FALLS.search(masked, max(0, hit.start - 8), hit.start) or words.NO_END.match(masked, hit.start)
        if is_taken or is_other:
            continue
        names = [value for value in hit.values if value.endswith(_NAME)]
        if names:
            last = facts.by_key[names[0].removesuffix(_NAME)]
            yield _Mention(hit.start, hit.end, last, None)
            continue
        is_sure = [value for value in hit.values if _LEANT not in value]
        if not is_sure and not words.LEANS.search(masked, max(stretch.start, hit.start - 40), hit.start):
            continue
        ends = [
            (facts.by_key[key.removesuffix(_LEANT)], side == _HIGH[1:])
            for key, _, side in (it.rpartition(":") for it in is_sure or hit.values)
        ]
        # Of several scales with such an end, the one that was just named is meant, or nobody knows which.
        meant = ends if len(ends) == 1 else [end for end in ends if last is not None and end[0].key == last.key]
        if len(meant) == 1:
            scale, is_high = meant[0]
            yield _Mention(hit.start, hit.end, scale, is_high != hit.is_denied)


def _numbers(clause: _Clause) -> Iterator[Claim]:
    """A number belongs to the scale named nearest to it, and to the user where the words beside it say so."""
    named = [mention for mention in clause.mentions if mention.is_high is None]
    for number in _figures(clause) if named else ():
        start, end = number.start, number.end
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
        yield _claim(clause, (start, end), (f"level:{whose}:{mention.scale.key}",), problem=problem)


def _figures(clause: _Clause) -> list[Number]:
    """Numbers of a clause; where there are none, one in words that is given as a mark."""
    first, last = clause.stretch.start, clause.stretch.end
    scales = [hit.span() for hit in words.FIGURES_OF_SCALE.finditer(clause.text, first, last)]
    found = [
        replace(number, start=first + number.start, end=first + number.end)
        for number in find_numbers(clause.text[first:last])
    ]
    found = [number for number in found if not any(start <= number.start < end for start, end in scales)]
    if found:
        return found
    marks = words.GIVES_MARK.finditer(clause.text, first, last)
    hit = next((it for it in marks if not any(start <= it.start("n") < end for start, end in scales)), None)
    if hit is None:
        return []
    return [Number(hit.start("n"), hit.end("n"), decimal_number(hit["n"]), 0, "", "")]


def _sides(clause: _Clause, *, only_ends: bool) -> Iterator[Claim]:
    """ "High tension", "its tension is low", "towards extremely tense": on which side of the mean item it stands."""
    for mention in clause.mentions:
        found = None if only_ends else _side_of(clause, mention)
        if found is None:
            continue
        start, end, is_high = found
        is_user = _is_of_user(clause, mention.start, end=mention.end)
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
    text, first = clause.text, clause.stretch.start
    if mention.is_high is not None:
        near = Stretch(max(first, mention.start - _DENIES_WITHIN), mention.end)
        denied = is_denied(text, near, but=(mention.start, mention.end))
        denied |= words.DENIED_BEHIND.match(text, mention.end, clause.stretch.end) is not None
        return mention.start, mention.end, mention.is_high != denied
    before = words.SIDE_BEFORE.search(text, max(first, mention.start - 60), mention.start)
    after = words.SIDE_AFTER.match(text, mention.end, min(clause.stretch.end, mention.end + 60))
    hit = before or after
    if hit is None and len({it.scale.key for it in clause.mentions}) == 1:
        return _side_anywhere(clause) or _wanted(clause, mention)
    if hit is None:
        return _wanted(clause, mention)
    denied = words.DENIED.search(text[max(first, hit.start() - 16) : hit.start("side")]) is not None
    start, end = min(hit.start("side"), mention.start), max(hit.end("side"), mention.end)
    return start, end, words.is_high(hit["side"]) != denied


def _wanted(clause: _Clause, mention: _Mention) -> tuple[int, int, bool] | None:
    """ "Leans towards suspense": who goes for a scale that has one end only goes for much of it."""
    text, first = clause.text, clause.stretch.start
    is_polar = words.VERSUS.search(text, mention.start, mention.end) is not None
    hit = words.LEANS.search(text, max(first, mention.start - 40), mention.start)
    if hit is None or is_polar or words.GIVES_FIGURE.search(text, first, clause.stretch.end):
        return None
    denied = is_denied(
        text, Stretch(max(first, hit.start() - _DENIES_WITHIN), mention.end), but=(mention.start, mention.end)
    )
    return mention.start, mention.end, not denied


def _side_anywhere(clause: _Clause) -> tuple[int, int, bool] | None:
    """The one side that a clause names, if it names just one."""
    hits = [
        hit
        for hit in words.SIDE.finditer(clause.text, clause.stretch.start, clause.stretch.end)
        if not any(hit.start() < it.end and it.start < hit.end() for it in clause.mentions)
    ]
    if len({words.is_high(hit["side"]) for hit in hits}) != 1:
        return None
    [hit, *_] = hits
    denied = words.DENIED.search(clause.text[max(clause.stretch.start, hit.start() - 16) : hit.start()]) is not None
    return *hit.span("side"), words.is_high(hit["side"]) != denied


def _comparisons(clause: _Clause) -> Iterator[Claim]:
    """ "Lower than what the user prefers", "more of it than the average film"."""
    text, (first, last) = clause.text, (clause.stretch.start, clause.stretch.end)
    ends = [it for it in clause.mentions if it.is_high is not None]
    for hit in words.COMPARATIVE.finditer(text, first, last) if clause.mentions else ():
        own = next((it for it in ends if it.start <= hit.start() and hit.end() <= it.end), None)
        if own is not None and words.IS_COMPARATIVE.search(text, own.start, own.end) is None:
            continue
        of_user = _is_beside_user(clause, hit.end(), needs_than=words.NEEDS_THAN.fullmatch(hit[0]) is not None)
        if of_user is None:
            continue
        mention = own or min(clause.mentions, key=lambda it: min(abs(it.start - hit.end()), abs(hit.start() - it.end)))
        denied = words.DENIED.search(text[max(first, hit.start() - 16) : hit.start()]) is not None
        is_more = (hit["more"] is not None) != denied
        scale = mention.scale
        other = scale.user if of_user else scale.mean
        wants_higher = is_more if mention.is_high is None else is_more == mention.is_high
        wants_higher = mention.is_high != denied if own is not None else wants_higher
        holds = scale.item is not None and other is not None and (scale.item > other) == wants_higher
        what = "the user's" if of_user else "the mean item's"
        known = f"on {scale.name} the item is at {_shown(scale.item)}, {what} level is {_shown(other)}"
        ids = (f"level:item:{scale.key}", *((f"level:user:{scale.key}",) if of_user else ()))
        yield _claim(clause, hit.span(), ids, problem="" if holds else known)
        return


def _is_beside_user(clause: _Clause, position: int, *, needs_than: bool) -> bool | None:
    """Whether words of comparison before a place are said of the user's level; None where of nothing known."""
    text, last = clause.text, clause.stretch.end
    compares = words.COMPARES.search(text, clause.stretch.start, last)
    than = words.THAN.search(text, position, last)
    if compares is not None and than is None:
        start = compares.end()
    elif needs_than and than is None:
        return None
    else:
        start = position
    hits = {
        of_user: pattern.search(text, start, last) for pattern, of_user in ((words.USERS, True), (words.MEAN, False))
    }
    found = {of_user: hit.start() for of_user, hit in hits.items() if hit is not None and hit.start() - start <= _REACH}
    return min(found, key=lambda it: found[it]) if found else None


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
    text, (first, last) = clause.text, (clause.stretch.start, clause.stretch.end)
    scales = list({mention.scale.key: mention.scale for mention in mentions}.values())
    if not scales or not words.PAIR.search(text, first, last):
        return
    for hit in words.SAME_SIDE.finditer(text, first, last):
        denied = words.DENIED.search(text[max(first, hit.start() - 16) : hit.start()]) is not None
        wants_same = words.are_apart(hit[0]) == denied
        apart = [scale for scale in scales if _are_alike(scale) is not wants_same]
        ids = tuple(f"level:{whose}:{scale.key}" for scale in scales for whose in ("item", "user"))
        yield _claim(clause, hit.span(), ids, problem=_apart(apart[0]) if apart else "")
        return


def _base_claims(masked: str, facts: LevelFacts) -> Iterator[Claim]:
    """What is said of the rest of the score: that it is the larger part, why the item is here, or speaks against it."""
    ups = sum(scale.push for scale in facts.scales if scale.push > 0)
    for hit in words.BASE.finditer(masked):
        if hit["larger"] or hit["larger_after"]:
            holds, what = facts.base_push > ups, "more than all scales"
        elif hit["against"]:
            holds, what = facts.base_push < 0, "against the item"
        elif hit["here"]:
            holds, what = facts.base_push > 0, "for the item"
        else:
            continue
        problem = "" if holds else f"it moves the score by {facts.base_push:+.3g}, which is not {what}"
        yield Claim("score", hit[0], hit.start(), hit.end(), holds, ("base",), problem)


def _claim(clause: _Clause, span: tuple[int, int], ids: tuple[str, ...], *, problem: str) -> Claim:
    return Claim("score", clause.text[span[0] : span[1]], *span, not problem, ids, problem)


def _is_of_user(clause: _Clause, position: int, *, end: int | None = None) -> bool:
    """Whether the last of item and user to be named before a place, within its sentence, is the user."""
    if words.USER_BEHIND.match(clause.text, position if end is None else end, clause.stretch.end):
        return True
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
