"""The words in which texts speak of levels on scales: sides, ends, whose level, what moves a score.

English only. Nothing here knows the writer whose texts are checked.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files


def _any(*parts: str) -> str:
    return f"(?:{'|'.join(parts)})"


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_HIGH = _any(
    r"high(?:er|est)?|strong(?:er|est|ly)?|great(?:er|est)?|intense|extreme(?:ly)?|very|much|plenty of|lots of",
    r"a lot of|full of|more|above[- ]average|considerable|pronounced|elevated|big|large|heavy|rich in|marked(?:ly)?",
)
_LOW = _any(
    r"low(?:er|est)?|weak(?:er|est|ly)?|little|less|hardly any|scarcely any|barely any|few|no|lacking in|short on",
    r"below[- ]average|faint|slight|modest|mild|small|minimal|light on|reduced|limited",
)
_GAP = r"(?:\s(?:in|on|of|its|the|their|a|an|levels? of|degree of|amount of|share of)){0,3}[\s-]?"
SIDE_BEFORE = _found(rf"\b(?P<side>{_HIGH}|{_LOW}){_GAP}$")
"""Right before a scale's name."""
_IS = _any(r"is|are|was|stands?|sits?|lies|runs?|comes? out|scores?|ranks?|rated|reads?")
_QUITE = _any(
    r"quite|rather|fairly|pretty|unusually|comparatively|clearly|well|far|at the|on the|not|isn['’]t|towards the"
)
_AVERAGE = r"(?:[- ](?:the )?(?:average|mean|usual))?"
SIDE_AFTER = _found(
    rf"(?:\s(?:levels?|scores?|sides?))?(?:\s{_IS})?(?:\s{_QUITE})*\s\(?"
    rf"(?P<side>above{_AVERAGE}|below{_AVERAGE}|{_HIGH}|{_LOW})\b"
)
"""Right behind it."""
DENIED = _found(r"\b(?:not|never|no longer|neither|nor|without|far from|anything but|hardly(?!\sany\b))\b|n['’]t\b")

_THING = r"(?:\s(?:it|this one|this|(?:the|its) (?:film|movie|item|product|title|score)|□+))?"
_UPS = _any(
    r"(?:moves?|moved|push(?:es|ed)?|lifts?|lifted|raise[sd]?|pull(?:s|ed)?|carr(?:y|ies|ied)|brings?|brought|puts?)"
    rf"{_THING}\s(?:further\s)?up(?:wards?)?\b",
    rf"(?:lifts?|lifted|raise[sd]?|boost(?:s|ed)?|helps?){_THING}",
    r"ranks? higher|speaks? (?:up )?for(?! itself)|spoke for|counts? (?:in its favou?r|for it)",
    r"adds? to (?:its|the) score",
    r"(?:works?|tells?|weighs?|is|are) in (?:its|the \w+['’]s) favou?r",
)
_DOWNS = _any(
    r"(?:moves?|moved|push(?:es|ed)?|pull(?:s|ed)?|drag(?:s|ged)?|brings?|brought|holds?|held|weigh(?:s|ed)?|takes?)"
    rf"{_THING}\s(?:further\s)?(?:down(?:wards?)?|back)\b",
    rf"(?:lowers?|lowered|hurts?|reduces?|cuts?){_THING}",
    r"ranks? lower|(?:speaks?|spoke|counts?|counted|works?|tells?|weighs?) against|costs? it",
)
PUSH = _found(rf"\b(?:(?P<down>{_DOWNS})|(?P<up>{_UPS}))")
NO_SCALE = _found(r"\b(?:no|not one|none of the|not a single|not any)\s(?:aspects?|scales?|of them)\b")

_USER = _any(
    r"(?:this |the |that |our )?(?:user|viewer|customer|reader|shopper|buyer|listener|player)s?(?:['’]s?)?",
    r"they|their|them|you|your|he|his|she|her|tastes?|preferences?|prefers?|preferred|liked|likes|wants?|looks? for",
)
_ITEM = _any(
    r"□+|its?|(?:this|the) (?:film|movie|item|product|title|game|book)(?:['’]s)?|this one",
    r"(?:film|movie|item|product)['’]s",
)
SUBJECT = _found(rf"(?<!\w)(?:(?P<user>{_USER})|(?P<item>{_ITEM}))(?!\w)")
_MIDDLE = r"(?:the )?(?:catalogue['’]?s? |overall )?(?:middle|average|mean|usual|norm|ordinary)"
_END = r"(?:ends?|sides?|halves|half|range|part|third)"
SIDE = _found(
    rf"\b(?P<side>above {_MIDDLE}|below {_MIDDLE}|under {_MIDDLE}|over {_MIDDLE}|(?:upper|top|higher|high) {_END}"
    rf"|(?:lower|bottom|low) {_END}|(?:is|are|was|runs?|stays?|ranks?|comes out) (?:very |rather |quite |fairly )?"
    r"(?:high|low))\b"
)
"""Anywhere in a clause that names one scale."""
_MORE = r"more|higher|greater|stronger|faster|exceeds|tops"
_LESS = r"less|lower|weaker|smaller|fewer"
THAN_MEAN = _found(
    rf"\b(?P<side>{_MORE}|{_LESS})\b[^.;]{{0,110}}?\bthan (?:your |the |an? |most )?"
    r"(?:average|mean|usual|ordinary|typical|other|most|catalogue)\b"
)
_OWN = _any(
    r"(?:this |the )?(?:user|viewer|reader|customer)s?['’]?s? (?:own )?"
    r"(?:preferred|preference|prefers?|usual|likes?|wants?|taste|goes? for)",
    r"you (?:usually |normally |tend to )?(?:go for|like|prefer|want|take)",
    r"your (?:usual|taste|preference|liking|preferred|own level)",
)
THAN_USER = _found(
    rf"\b(?P<side>{_MORE}|above|over|beyond|outdoes|{_LESS}|below|under|short of|falls short of)\b[^.;]{{0,110}}?"
    rf"(?:\bthan )?(?:what |how |the level that |the level |a level )?{_OWN}"
)
"""An item compared with its user."""
_SIDES = _any(
    r"on (?:the )?(?:other|opposite|different|same) sides?(?: of the (?:mean|average|scale))?|(?:opposite|same) sides?",
    r"(?:dis)?agrees?|see eye to eye|are (?:far |poles |worlds )?apart|differs?|part ways|clash(?:es)?|are alike",
    r"(?:do not|don['’]t|does not|doesn['’]t) (?:agree|match|meet)|pull in (?:different|opposite) directions",
    r"go together|are in line|point the same way",
)
SAME_SIDE = _found(rf"\b{_SIDES}\b")
_APART = _found(r"other|opposite|different|disagree|apart|not|n['’]t|differ|part ways|clash")
_LARGER = r"(?:larger|greater|bigger|main|most|better)"
_LEARNT = _any(
    r"what (?:was|is|has been) learn(?:t|ed) (?:of|from|about) who took what|who took what",
    r"what (?:people|others|users) (?:took|choose|chose|bought) together",
)
BASE = _found(
    rf"(?:\b(?P<larger>the {_LARGER} part of (?:its|the) score|most of (?:its|the) score)\b[^.;]{{0,40}}?)?"
    rf"\b{_LEARNT}\b(?:[^.;]{{0,30}}?(?P<against>(?:speaks?|counts?|works?|tells?|pulls?) against)"
    rf"|[^.;]{{0,30}}?(?P<larger_after>(?:is|makes up|gives) (?:the {_LARGER} part|most)))?"
)
CLAUSE_END = _found(
    r"[;:]\s|\s[—–]\s|,\s(?:but|while|whereas|yet|though|although|and (?=(?:its?|this|the|they|their|you|your)\b))"
    r"|\s(?:but|while|whereas|although|though)\s"
)
OUT_OF = _found(r"\s?(?:/\s?10|(?:points? )?(?:out )?of (?:10|ten)|points?(?: of ten)?|on a (?:ten|10)-point scale)\b")
FALLS = _found(r"\bfalls?\s$")
TOP_OF_SCALE = _found(r"(?:/|\b(?:of|to|out of|scale of))\s?$")
"""Before the 10 of "8 of 10" or "1 to 10"."""
_LOWS = _found(rf"(?:is|are|was|runs?|stays?|ranks?|comes out) (?:\w+ )?low|below|under|bottom|short|falls|{_LOW}")
_EXTREME = _found(r"^(?:very|highly|extremely|completely|pure(?:ly)?|all|fully|mostly|deeply)\s")
_NOUNS = {
    "emotional_intensity": ("emotion", "emotions", "feeling"),
    "visual_auditory_intensity": ("visual intensity", "visuals", "spectacle", "sight and sound"),
    "tension": ("suspense",),
    "pace": ("tempo", "speed", "pacing"),
    "realism_fantasy": ("fantasy",),
    "historical_contemporary": ("era", "period"),
    "length": ("length", "running time", "duration", "runtime"),
}
"""Everyday words for scales that come with whyrec, by their keys; other scales are known by their own names."""
_BRACKETS = _found(r"\s\([^)]*\)$")
_TAIL = _found(r"\s(?:levels?|scores?|degrees?)$")


def is_high(side: str) -> bool:
    """Which side a word names."""
    return _LOWS.match(side) is None


def compares(clause: str) -> bool:
    """Whether a clause compares an item with its user or with the mean."""
    return any(pattern.search(clause) for pattern in (THAN_USER, THAN_MEAN))


def are_apart(said: str) -> bool:
    """Whether words for two sides say that they differ."""
    return _APART.search(said) is not None


def names_of(key: str, name: str) -> Iterator[str]:
    """Ways to name a scale, folded: as it is called, turned round, without "level" and the like, by its key."""
    folded = name.casefold()
    short = _BRACKETS.sub("", folded)
    for plain in dict.fromkeys((folded, short, _TAIL.sub("", short), key.casefold().replace("_", " "))):
        for same in (plain, plain.replace("&", "and"), plain.replace("complexity", "sophistication")):
            yield same
            first, _, last = same.rpartition(" ")
            if first and " vs" not in same:
                yield from (f"{last} of {first}", f"{last} of the {first}")
    yield from _NOUNS.get(key, ())


@cache
def _end_words() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """What stands for the low and the high end of scales that come with whyrec, by their keys."""
    return tomllib.loads(files(__package__).joinpath("levels.toml").read_text(encoding="utf-8"))


def ends_of(key: str, means: str, *, is_high: bool) -> Iterator[str]:
    """Ways to name an end, folded: as it is described, without the word that makes it extreme, in adjectives."""
    folded = means.casefold()
    yield folded
    yield _EXTREME.sub("", folded)
    yield from _end_words().get(key, {}).get("high" if is_high else "low", ())
