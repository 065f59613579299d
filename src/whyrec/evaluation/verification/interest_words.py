"""The words in which texts speak of interests: counts of a history, more or less than the average, liking, values.

English only. Nothing here knows the writer whose texts are checked.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from whyrec.evaluation.verification.genres import genre_names
from whyrec.evaluation.verification.lexicon import NUMBER_WORDS, SCALES, SMALL_NUMBERS, TENS


class Cue:
    """A pattern that is only looked for where one of its pieces stands: most sentences have none."""

    def __init__(self, *parts: str, pieces: Sequence[str]) -> None:
        """Join the parts of a pattern; ``pieces`` are small letters, at least one of which every hit holds."""
        self._pattern = re.compile("".join(parts), re.IGNORECASE)
        self._pieces = tuple(pieces)

    def finditer(self, text: str, start: int = 0, end: int | None = None) -> Iterator[re.Match[str]]:
        """All hits within a stretch of a text."""
        stop = len(text) if end is None else end
        stretch = text[start:stop].casefold()
        if any(piece in stretch for piece in self._pieces):
            yield from self._pattern.finditer(text, start, stop)


NOUN = (
    r"(?:films?|movies?|pictures?|products?|items?|articles?|purchases?|choices?|titles?|books?|albums?|"
    r"games?|picks?)"
)
_N = rf"(?:\d[\d,]*|{NUMBER_WORDS})"
_WHOSE = r"(?:the|their|his|her|its|your|this \w+['’]s|these)"
_SO_FAR = r"(?:so far|to date|in (?:this|the|their|your) history)"
_FAR_PIECES = ("so far", "to date", "history")

QUOTED = re.compile(
    r"“([^”\n]{1,300})”|\"([^\"\n]{1,300})\"|«([^»\n]{1,300})»|(?<!\w)‘((?:[^’\n]|’(?=\w)){1,300})’(?!\w)"
)
SENTENCE_END = re.compile(
    r"[.!?](?<!\b[A-Z]\.)(?<!\b[JS]r\.)(?<!\b[DM]r\.)(?<!\bMrs\.)(?<!\bSt\.)(?<!\bvs\.)(?<!\bNo\.)"
    r"[.!?]*[”\")\]]*(?:\s+(?=[A-Z“\"(□\d])|\s*$)|\n+"
)
CLAUSE_END = re.compile(r"[;:]\s|\s[—–]\s|,\s(?:and|but|while|whereas|yet)\s(?=this|the|they|he|she|it|you|□)")

COUNT = Cue(
    rf"(?<![\d.,])\b(?P<hits>{_N}|none|not one|all|both|half)\s(?:(?:out\s)?of\s)?(?:{_WHOSE}\s)?",
    rf"(?P<last>(?:last|latest|most recent|past|"
    rf"previous)\s)?(?P<of>{_N})?\s?(?P<noun>{NOUN}\b)?(?P<far>\s?{_SO_FAR})?",
    pieces=(*_FAR_PIECES, "last", "latest", "recent", "past", "previous", " of the", " of their", " of your", "out of"),
)
"""Judged only where it names a total, or is of all "so far"."""
ONLY = Cue(rf"\b(?:the only|a single|the one)\s{NOUN}\s{_SO_FAR}", pieces=_FAR_PIECES)
EMPTY = Cue(
    rf"\b(?:no|not a single)\s{NOUN}\s(?:{_SO_FAR}|yet)|\bnothing (?:is|has been) (?:known|chosen)\b",
    pieces=(*_FAR_PIECES, "yet", "nothing"),
)
TOTAL = Cue(rf"\b(?P<of>{_N})\s{NOUN}\s{_SO_FAR}", pieces=_FAR_PIECES)
BEFORE = Cue(r"\b(?:was|were|has been) (?:chosen|taken|bought|watched|seen) before\b", pieces=(" before",))
TIMES = Cue(
    r"\b(?P<bound>(?:more than|over|at least)\s)?(?:(?P<word>twice|double|triple)|",
    rf"(?P<n>\d+(?:\.\d+)?|{NUMBER_WORDS})\s(?:times|fold))\b",
    pieces=("times", "fold", "twice", "double", "triple"),
)
MORE = Cue(
    r"\b(?:(?:far )?more (?:of |often |frequently |here )*than|more than (?:usual|most|average)|",
    r"(?:larger|bigger|higher|greater) (?:share|part) than|above (?:the )?(?:usual|average)|as often as|",
    r"(?:the|an?) (?:average|usual) \w+['’]s share|(?:the|their) usual share|unusually (?:often|many)|"
    r"overrepresented|",
    r"weigh(?:s|ed)? (?:far |much )?more)\b",
    pieces=("more", "share", "above", "often", "unusual", "overrep"),
)
LESS = Cue(
    r"\b(?:less (?:often )?than|fewer than|more rarely than|below (?:the )?(?:usual|average)|",
    r"(?:smaller|lower) share than|rarely|seldom|hardly ever|avoids?|dislikes?)\b",
    pieces=("less", "fewer", "rarely", "below", "share", "seldom", "hardly", "avoid", "dislike"),
)
LIKING = Cue(
    r"\b(?:likes|(?:they|you|who) (?:like|love)|loves|enjoys?|prefers?|fond of|fan of|keen on|(?:drawn|partial) to|",
    r"(?:liking|love|fondness|taste|weakness|eye|soft spot|preference|appetite|passion) for|favou?rites?|turns? to|",
    r"(?:comes?|goes|keeps? coming|returns?) (?:back )?to|interest(?:ed)? in|devoted to)\b",
    pieces=("like", "love", "enjoy", "prefer", "fond", "fan of", "keen on", " to", " for", "favo", "interest"),
)
DENIES = re.compile(
    r"\b(?:nothing (?:to do with|of|like|in the way of)|lacks?|lacking|devoid of|free of|absence of|no (?:trace|"
    r"hint|sign|touch|"
    r"whiff) of|(?:stays?|steers?|keeps?) (?:well )?(?:clear of|away from)|avoids|shuns|eschews|short on|"
    r"a far cry from|poles apart from|the opposite of|miles from|unlike)\s(?:[\w'’]+\s){0,2}$",
    re.I,
)
"""Before a value that the item is said not to have, beside plain denials."""
OTHER_SENSE = re.compile(
    r"^\s(?:numbers?\b|interludes?\b|of (?:war|battle|combat)\b|to|why|how|behind|whether|surrounding|about (?:who|"
    r"what|how)|that (?:needs|wants|must|has|is to)|(?:is|"
    r"gets|was) (?:\w+ )?(?:solved|unravel\w*|revealed|explained))\b",
    re.I,
)
"""Behind a word that names no genre there: "a mystery to be solved"."""
CONTRAST = re.compile(r"\b(?:unlike|instead of|rather than|otherwise|departure from|normally|different from)\b", re.I)

SPEAKS_OF_TEXT = re.compile(
    r"^\s(?:in|within)\s(?:the|its|their)\s(?:plots?|stor(?:y|ies)|names?|titles?|descriptions?|synops[ie]s)\b", re.I
)
MENTIONS = re.compile(r"\b(?:mention(?:s|ed|ing)?|the words?)\s$", re.I)
YEAR = re.compile(r"(?<![\d.,])(?:18|19|20)\d\d(?![\d.,]\d|\w)")
QUARTER = Cue(
    r"\b(?P<end>cheapest|least expensive|lowest[- ]priced|dearest|most expensive|highest[- ]priced)\squarter\b",
    pieces=("quarter",),
)
CHEAP = ("cheapest", "least expensive", "lowest")
PRICE = Cue(
    r"\b(?:priced at|costs?|price of|for)\s[$£€]?\s?(?P<price>\d[\d,]*\.\d\d)(?!\d)", pieces=("price", "cost", "for ")
)
ANY_FIGURE = re.compile(r"\d[\d,.]*\d|\d")

VALUE_NOUN = re.compile(
    r"^[\s-](?:(?!(?:in|of|for|to|with|this|the|that|an?|and|or|is|are|was|were|by|from|on|at|as|than|which|but|when|"
    r"has|have|you|it)\b)\w+[\s-]){0,2}(?:films?|movies?|pictures?|titles?|stor(?:y|ies)|genres?|products?|items?|"
    r"flicks?|"
    r"tales?|yarns?|"
    r"categor(?:y|ies)|shel(?:f|ves)|department|range|brand|dramas?|comed(?:y|ies)|thrillers?|romances?|adventures?|"
    r"series)\b",
    re.I,
)
A_USERS = re.compile(r"(?:\b(?:the|this|that|their|your|his|her|whole)|['’]s)\s$", re.I)
"""Before "history" where it is the user's, not a genre."""
LABEL = re.compile(
    r"\b(?:genres?|class(?:ed|ified|ification|es)?|categor(?:y|ies|ised|ized)|filed|shelved|shelf ?mark|catalogued|"
    r"listed|subjects?(?: headings?)?|type|kind|heading|section|entered|indexed|tagged|label(?:s|led)?)\b"
    r"(?: (?:under|as|is|in|with))?\s?[:=–—-]?\s(?:a |an )?$",
    re.I,
)
"""Before a genre that stands alone: "Genre: crime", "filed under crime"."""
OPENS = re.compile(r"(?:^|[.!?:;]\s|\n)\s*$")
"""Before the first word of a sentence."""
BREAK = re.compile(r"[,;:!?]")
GOES_ON = re.compile(r"\s[a-z]|[.,;!?]|$")
A_WORK = re.compile(r"\b(?:an?|no)\s$", re.I)
WORK_ENDS = re.compile(r"\s?(?:[.,;:!?]|$|(?:and|by|with|from|of|starring|directed)\b)", re.I)
"""Around a genre that stands for a work: "an animation from 1994"."""
LINK = re.compile(r"^\s?(?:,|/|&|and|or|-|–|,\s?and)\s?$")
"""Between two values of one list."""
DIRECTS = re.compile(
    r"\b(?:direct(?:s|ed|ing|ion|or|ors|orial)?|filmmakers?|film-?maker|helm(?:s|ed|ing)?|(?:behind|"
    r"operates?) the camera|"
    r"call(?:s|ed|ing)? the shots|director['’]s chair|megaphone|(?:made|makes|making|shot|shoots)(?! up| out)|"
    r"brought to the screen|in charge|"
    r"masterminded|staged|oversaw|at the reins|creator|auteur|man behind|woman behind|signs? (?:for|as)|hand of|"
    r"took the reins|holds? the reins|responsible for)\b",
    re.I,
)
ACTS = re.compile(
    r"\b(?:starr?(?:s|ed|ing)?|cast|featur(?:e|es|ed|ing)|actors?|actress|acts?|acted|acting|plays?|played|"
    r"playing|leads?|"
    r"led by|leading|roles?|part in|parts?|appear(?:s|ed|ing|ance)?|front of the camera|on[- ]screen|"
    r"performances?|performers?|"
    r"performs?|headlin\w+|top-?lin\w+|billed|billing|portray\w*|embod\w+|turn by|characters?|watch out for|"
    r"look out for|is in it|in it|among the players|players?|credits|takes? the stage|turns up|crops up|pops up)\b",
    re.I,
)
BY = re.compile(r"\b(?:by|from|of)\s$", re.I)
WITH = re.compile(r"\b(?:with|has|have|and)\s$", re.I)
"""What leaves the role open but for what is usual."""
EXAMPLES = re.compile(
    r"\b(?:such as|like(?=\s□)|including|among|for example|for instance|e\.g\.|as (?:are|is|was|were)|namely|"
    r"witness|say)\b|:\s□",
    re.I,
)
"""Before titles that are given as examples of a value."""

_NOUNS = (
    "fantasy comedy drama western thriller musical documentary mystery romance adventure biography cartoon biopic "
    "tragedy"
)
_PHRASES = ["film noir", "film noirs", "love story", "love stories", "sci fi", "science fiction"]
_PLURALS = [re.sub("ys$", "ies", f"{noun}s") for noun in _NOUNS.split()]
_NEEDS_MORE = frozenset(["action", "crime", "horror", "animation", "noir", "doc", "docu", "sf", "anime", "toon"])
_EVERYDAY = frozenset(["drawn", "fright", "period", "costume", "concert", "criminal", "love", "mob", "military"])
"""Adjectives for genres that mostly mean something else."""
_GENRE_NOUNS = [
    " ".join(name.words) for names in genre_names().values() for name in names if name.is_noun and name.words
]
NOUN_VALUES = frozenset(
    [*_PHRASES, *_NOUNS.split(), *_PLURALS, *(name for name in _GENRE_NOUNS if name not in _NEEDS_MORE)]
)
"""Genres that are nouns for a work: "a western", "comedies"; others need "film" behind them."""
GENRE_NAMES = frozenset([*NOUN_VALUES, *_GENRE_NOUNS])
"""All nouns for genres, those among them that are everyday words too."""
SYNONYMS = {
    "animated": "animation",
    "cartoon": "animation",
    "science fiction": "sci fi",
    "biopic": "biography",
    "biographical": "biography",
    "historical": "history",
    "sports": "sport",
    "romantic": "romance",
    "noir": "film noir",
    "love story": "romance",
    "funny": "comedy",
    "scary": "horror",
}
"""Other words for a value, folded."""


def other_spellings(value: str) -> Iterator[str]:
    """Other ways to write a folded value: its plural, and words that mean the same, with theirs."""
    same = [other for other, name in SYNONYMS.items() if name == value]
    yield from same
    yield from (name for name in _genre_spellings().get(value, ()) if name not in _EVERYDAY)
    for name in (value, *same):
        yield f"{name[:-1]}ies" if re.search(r"[^aeiou]y$", name) else f"{name}s"


@cache
def _genre_spellings() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for names in genre_names().values():
        for name in names:
            found.setdefault(" ".join(name.value), []).append(" ".join(name.words))
    return {value: tuple(same) for value, same in found.items()}


def whole_number(said: str) -> int:
    """Read "12", "1,204" or "fifty-one"."""
    return round(decimal_number(said))


def decimal_number(said: str) -> float:
    """Read a number in digits or words."""
    digits = said.replace(",", "")
    if digits.replace(".", "", 1).isdigit():
        return float(digits)
    total = 0
    for word in re.findall(r"[a-z]+", said.casefold()):
        if word in SCALES:
            total = max(total, 1) * SCALES[word]
        else:
            total += SMALL_NUMBERS.get(word, TENS.get(word, 0))
    return float(total)
