"""Check what a text says of a user's motivations, and of the traits that an item has or lacks.

A motivation is claimed with a number ("a strength of 2"), as the strongest ("above all"), or as there or not ("looks
for", "does not care about"). A trait is a phrase that the catalogue knows items by.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from whyrec.evaluation.verification.denials import is_denied
from whyrec.evaluation.verification.interest_words import decimal_number
from whyrec.evaluation.verification.lexicon import NUMBER_WORDS
from whyrec.evaluation.verification.mentions import Stretch, split_sentences
from whyrec.evaluation.verification.people_words import ITEM, PERSON
from whyrec.evaluation.verification.phrases import Hit, Phrases, word_list
from whyrec.evaluation.verification.traits import TraitHit, TraitNames
from whyrec.interfaces import Claim

_OBJECT_WITHIN = 12
TOP = 3
"""The greatest strength."""


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NUMBER = _found(rf"(?<![\w.])(?P<n>\d(?:\.\d)?|{NUMBER_WORDS})(?![\w%])(?!\s(?:of the|films?|items?)\b)")
_SOMETHING = _found(r"\b(?:this|that|the|no|any|each|every|which|good|another)\s$")
"""Before "one" where it is no number."""
_SCALE = _found(
    r"\b(?:(?:from |of )?(?:0|zero) (?:to|–|-) (?:3|three)|out of (?:3|three)|of (?:3|three)|/\s?3|(?:ends|stops|"
    r"goes up|maximum|top|out) (?:at|of|is|to) (?:3|three)|(?:3|"
    r"three)[- ]point)\b"
)
_SPEAKS_OF_STRENGTH = _found(
    r"\b(?:strength|scale|scores?|scored|rated?|rating|points?|marks?|level|put you|out of|grade|put (?:it )?at|"
    r"puts? (?:it )?at|stands? at|comes? to|assigned|"
    r"given|gets?|reach(?:es)?|valued at|is (?:a |at )?(?=\d)|top mark)\b|[:=]\s(?=\d)"
)
_OF_USER = _found(
    rf"\b(?:{PERSON}s?|people|they|them|their|he|she|him|you|your|"
    r"you['’](?:re|ve|d|ll)|choices?|profile|motives?|motivations?|history|picks?|taste)\b"
)
_OF_ITEM = _found(rf"□|\b(?:it|its|it['’]s|this (?:one|{ITEM})|(?:the|a) (?:one|{ITEM}))\b")
_COMMA = re.compile(
    r",\s|;\s|:\s|\s[—–-]\s|(?<!anything)(?<!nothing)\s(?:but|while|whereas|whilst|yet|though|"
    r"although)\s"
)
_WANTS = _found(
    r"\b(?:motives?|motivations?|want(?:s|ed)?|wish(?:es)?|looks? for|looking for|cares?|seeks?|desires?|desired|"
    r"craves?|craving|interest in|appetite|hunger|thirst|urge|sought|wanted|is your thing|matters?|after)\b"
)
_NOT_HERE = _found(r"\b(?:do not|don['’]t|never)\s(?:go )?(?:look|looking|hope|wait|count|bank|expect)\b")
_CLEFT = _found(r"\b(?:it['’]s|it is)\s(?:\w+\s)?$")
"""After "if there is one thing you want"."""
_PRESENT_ITEM = _found(rf"present (?:{ITEM}|{PERSON}|case|record|day|time|state|purpose|moment|one)\b")
"""Where "present" is no gift."""
_LOVE_OF = _found(r"(?:loves?|passion|tenderness|hoots?) (?:of|for|about)\b")
"""A liking rather than a theme."""
_PROMISES = _found(
    r"\b(?:expect|see|sees|meet|meets|witness|get|gets|find|finds|look(?:ing)? forward to|offers?|offered|"
    r"delivers?|promises?|brings?|in for|awaits?)\b"
)


@dataclass(frozen=True, slots=True)
class Motive:
    """One motivation of a user."""

    key: str
    name: str
    strength: float
    """From 0 to 3."""


@dataclass(frozen=True)
class MotiveFacts:
    """A user's motivations, and the traits of an item among all that the catalogue knows."""

    motives: tuple[Motive, ...]
    traits: frozenset[str] = frozenset()
    """Of the item."""
    known_traits: frozenset[str] = frozenset()
    """Of any item."""

    @cached_property
    def motive_names(self) -> Phrases:
        """Finds motivations."""
        return _motive_phrases(tuple(sorted((motive.key, motive.name) for motive in self.motives)))

    @cached_property
    def trait_names(self) -> TraitNames:
        """Finds traits."""
        return _trait_names(self.known_traits | self.traits)


@cache
def _motive_phrases(named: tuple[tuple[str, str], ...]) -> Phrases:
    known = word_list("motive_words")["phrases"]
    return Phrases.of(
        {
            key: [_plain(part) for part in (name, *name.split(" and "), key.replace("_", " "))] + known.get(key, [])
            for key, name in named
        }
    )


def _plain(name: str) -> str:
    """A name as a pattern that stands for itself."""
    words = re.sub(r"\W+", "_", name)
    return f"{words}!" if "_" not in words else words


@cache
def _trait_names(traits: frozenset[str]) -> TraitNames:
    return TraitNames.of(sorted(traits))


@cache
def _cues(name: str) -> Phrases:
    return Phrases.of({name: word_list("motive_words")["cues"][name]})


@dataclass(frozen=True)
class _Clause:
    """A piece of a sentence with what it names."""

    stretch: Stretch
    motives: list[Hit]
    traits: list[TraitHit]


def motive_claims(masked: str, facts: MotiveFacts, *, taken: Sequence[tuple[int, int]] = ()) -> Iterator[Claim]:
    """Find every claim about motivations and traits and compare it.

    Args:
        masked: The text with filler for what stands in quotation marks.
        facts: As of the moment of the text.
        taken: Stretches that name something else, such as genres; a theme is not looked for there.
    """
    sentences = split_sentences(masked)
    for place, sentence in enumerate(sentences):
        clauses = _clauses(masked, sentence, facts=facts, taken=taken)
        # "Into gangland feuds? Then this isn't for you" is settled by the answer.
        is_asked = masked[sentence.start : sentence.end].rstrip().endswith("?") and place + 1 < len(sentences)
        for clause in clauses:
            for hit in clause.motives:
                if _is_of_item(masked, sentence, hit):
                    continue
                answer = sentences[place + 1] if is_asked else None
                yield from _motive_claim(masked, clause, sentence, hit=hit, facts=facts, answer=answer)
            judged = sentences[place + 1] if is_asked else clause.stretch
            for trait in clause.traits:
                yield _trait_claim(masked, judged, hit=trait, facts=facts)


def _clauses(masked: str, sentence: Stretch, *, facts: MotiveFacts, taken: Sequence[tuple[int, int]]) -> list[_Clause]:
    """Pieces between commas that name a motivation or trait; others belong to the one before, or else behind."""
    motives, traits = _named(masked, sentence, facts=facts, taken=taken)
    named: list[Hit | TraitHit] = [*motives, *traits]
    cuts = [hit.end() for hit in _COMMA.finditer(masked, sentence.start, sentence.end)]
    cuts = [cut for cut in cuts if not any(hit.start < cut <= hit.end for hit in named)]
    edges = [sentence.start]
    for cut in cuts:
        behind = any(edges[-1] <= hit.start < cut for hit in named)
        ahead = any(cut <= hit.start < min([it for it in cuts if it > cut], default=sentence.end) for hit in named)
        if behind and ahead:
            edges.append(cut)
    ends = [*edges[1:], sentence.end]
    return [
        _Clause(
            Stretch(start, end),
            [hit for hit in motives if start <= hit.start < end],
            [hit for hit in traits if start <= hit.start < end],
        )
        for start, end in zip(edges, ends, strict=True)
    ]


def _named(
    masked: str, sentence: Stretch, *, facts: MotiveFacts, taken: Sequence[tuple[int, int]]
) -> tuple[list[Hit], list[TraitHit]]:
    """Motivations and traits of a sentence; of two readings the longer one, or what the subject suggests."""
    motives = facts.motive_names.find(masked, sentence.start, sentence.end)
    traits = [
        hit
        for hit in facts.trait_names.find(masked, sentence.start, sentence.end)
        if hit.is_own_phrase
        or not (any(_overlap(hit, span) for span in taken) or _LOVE_OF.match(masked[hit.start : hit.end + 7]))
    ]
    motives = [hit for hit in motives if not _is_verb(masked, hit, others=motives)]
    kept = [
        hit for hit in motives if not any(_is_rather(trait, hit, masked=masked, sentence=sentence) for trait in traits)
    ]
    return kept, [hit for hit in traits if not any(_overlap(hit, (it.start, it.end)) for it in kept)]


def _is_verb(masked: str, hit: Hit, *, others: Sequence[Hit]) -> bool:
    """Whether "value" is what somebody does with what stands behind it: "appears to value beauty"."""
    if _PRESENT_ITEM.match(masked, hit.start):
        return True
    is_word = masked[hit.start : hit.end].casefold() in ("value", "values")
    return is_word and any(0 <= other.start - hit.end <= _OBJECT_WITHIN for other in others)


def _overlap(hit: Hit | TraitHit, span: tuple[int, int]) -> bool:
    return hit.start < span[1] and span[0] < hit.end


def _is_rather(trait: TraitHit, motive: Hit, *, masked: str, sentence: Stretch) -> bool:
    """Whether a trait is meant rather than a motivation that shares its words."""
    if not _overlap(trait, (motive.start, motive.end)):
        return False
    lengths = trait.end - trait.start, motive.end - motive.start
    if trait.is_own_phrase and lengths[0] != lengths[1]:
        return lengths[0] > lengths[1]
    start, end = _between_commas(masked, sentence, (motive.start, motive.end))
    user, item = (pattern.search(masked, start, end) for pattern in (_OF_USER, _OF_ITEM))
    item_is_first = item is not None and (user is None or item.start() < user.start())
    item_is_first &= _CLEFT.search(masked, start, motive.start) is None
    if _NOT_HERE.search(masked, start, motive.start):
        return True
    if _WANTS.search(masked, start, end) or _number(masked, sentence, but=(motive.start, motive.end)):
        return False
    is_bare = not re.search(r"\w", masked[start : motive.start] + masked[motive.end : end])
    stretch = sentence if is_bare else Stretch(start, end)
    is_wanted = any(_is_cued(masked, cue, stretch, hit=motive) for cue in ("strongest", "there"))
    return item_is_first or not is_wanted or _PROMISES.search(masked, start, motive.start) is not None


def _is_of_item(masked: str, sentence: Stretch, hit: Hit) -> bool:
    """Whether words for a motivation are said of the item: "it shows the human cost of war"."""
    start, end = _between_commas(masked, sentence, (hit.start, hit.end))
    said = _CLEFT.search(masked, start, hit.start)
    is_said_of_item = _OF_ITEM.search(masked, start, hit.start) is not None and said is None
    return is_said_of_item and not (_OF_USER.search(masked, start, end) or _WANTS.search(masked, start, end))


def _between_commas(masked: str, sentence: Stretch, span: tuple[int, int]) -> tuple[int, int]:
    cuts = [hit.end() for hit in _COMMA.finditer(masked, sentence.start, sentence.end)]
    before = [cut for cut in cuts if cut <= span[0]]
    return max(before, default=sentence.start), min((cut for cut in cuts if cut >= span[1]), default=sentence.end)


def _trait_claim(masked: str, judged: Stretch, *, hit: TraitHit, facts: MotiveFacts) -> Claim:
    has = any(trait in facts.traits for trait in hit.traits)
    denied = is_denied(masked, judged, but=_within(judged, hit)) or hit.is_denied
    problem = "" if has != denied else "the item has it" if has else "the item does not have it"
    ids = tuple(f"trait:{trait}" for trait in hit.traits)
    return Claim("trait", masked[hit.start : hit.end], hit.start, hit.end, not problem, ids, problem)


def _within(stretch: Stretch, hit: TraitHit) -> tuple[int, int]:
    """The hit's span if it lies in a stretch, else nothing at its start."""
    return (hit.start, hit.end) if stretch.start <= hit.start < stretch.end else (stretch.start, stretch.start)


def _motive_claim(
    masked: str, clause: _Clause, sentence: Stretch, *, hit: Hit, facts: MotiveFacts, answer: Stretch | None
) -> Iterator[Claim]:
    strength = {motive.key: motive.strength for motive in facts.motives}
    greatest = max(strength.values(), default=0.0)
    stretch, (start, end) = clause.stretch, (hit.start, hit.end)
    number = _number(masked, sentence, but=(start, end))
    denied = is_denied(masked, stretch, but=(start, end))
    denied |= answer is not None and is_denied(masked, answer, but=(answer.start, answer.start))
    if number is not None:
        value, where = number
        start, end = min(start, where[0]), max(end, where[1])
        holds = any(abs(value - strength[key]) < 0.5 for key in hit.values)
    elif _is_cued(masked, "strongest", stretch, hit=hit):
        holds = any((strength[key] > 0 and strength[key] == greatest) != denied for key in hit.values)
    elif _is_cued(masked, "there", sentence, hit=hit) or (answer is not None and _speaks_of_motives(masked, answer)):
        holds = any((strength[key] > 0) != denied for key in hit.values)
    else:
        return
    known = ", ".join(f"{strength[key]:g}" for key in hit.values)
    problem = "" if holds else f"its strength is {known}, the greatest {greatest:g}"
    ids = tuple(f"motivation:{key}" for key in hit.values)
    yield Claim("motivation", masked[start:end], start, end, holds, ids, problem)


def _speaks_of_motives(masked: str, stretch: Stretch) -> bool:
    return bool(_cues("there").find(masked, stretch.start, stretch.end))


def _is_cued(masked: str, name: str, stretch: Stretch, *, hit: Hit) -> bool:
    cues = _cues(name)
    return bool(cues.find(masked, stretch.start, hit.start) or cues.find(masked, hit.end, stretch.end))


def _number(masked: str, stretch: Stretch, *, but: tuple[int, int]) -> tuple[float, tuple[int, int]] | None:
    """A strength from 0 to 3 and where it stands, with the scale behind it."""
    scales = [hit.span() for hit in _SCALE.finditer(masked, stretch.start, stretch.end)]
    if not scales and not _SPEAKS_OF_STRENGTH.search(masked, stretch.start, stretch.end):
        return None
    for hit in _NUMBER.finditer(masked, stretch.start, stretch.end):
        is_scale = any(first <= hit.start() < last for first, last in scales)
        if is_scale or but[0] <= hit.start() < but[1]:
            continue
        is_word = hit["n"].casefold() == "one"
        if is_word and (not scales or _SOMETHING.search(masked, max(0, hit.start() - 9), hit.start())):
            continue
        value = decimal_number(hit["n"])
        if 0 <= value <= TOP:
            ends = [last for first, last in scales if 0 <= first - hit.end() <= 1]
            return value, (hit.start(), max([hit.end(), *ends]))
    return None
