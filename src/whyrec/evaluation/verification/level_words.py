"""The words in which texts speak of levels on scales: sides, ends, whose level, what moves a score.

English only. Nothing here knows the writer whose texts are checked.
"""

import re
from collections.abc import Iterator


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
DENIED = _found(r"\b(?:not|never|no longer|neither|nor|without|far from|anything but|hardly)\b|n['’]t\b")

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
SAME_SIDE = _found(
    r"\bon (?:the )?(?:(?P<other>other|opposite|different)|same) sides?(?: of the (?:mean|average|scale))?\b"
)
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
TOP_OF_SCALE = _found(r"(?:/|\b(?:of|to|out of|scale of))\s?$")
"""Before the 10 of "8 of 10" or "1 to 10"."""
_LOWS = _found(rf"below|{_LOW}")
_BRACKETS = _found(r"\s\([^)]*\)$")
_TAIL = _found(r"\s(?:levels?|scores?|degrees?)$")


def is_high(side: str) -> bool:
    """Which side a word names."""
    return _LOWS.match(side) is None


def names_of(key: str, name: str) -> Iterator[str]:
    """Ways to name a scale, folded: as it is called, without "level" and the like, and by its key in words."""
    folded = name.casefold()
    short = _BRACKETS.sub("", folded)
    yield from (folded, short, _TAIL.sub("", short), key.casefold().replace("_", " "))
