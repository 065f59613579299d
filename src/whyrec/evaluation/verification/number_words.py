"""How texts write numbers: digits, words, fractions, what is counted, and how exact a figure is meant to be.

All in small letters: patterns that ignore the case take several times as long.
"""

import re
from collections.abc import Mapping, Sequence

from whyrec.evaluation.verification.lexicon import NUMBER_WORDS, SCALES, SMALL_NUMBERS, TENS

_SCALE = "|".join(SCALES)
_ANY = "|".join(sorted((*SMALL_NUMBERS, *TENS), key=len, reverse=True))
_COUNTED = "|".join(list(SMALL_NUMBERS)[1:10])

NUMBER = re.compile(
    r"(?<![\w.,/])(?P<currency>[$£€]\s?)?"
    r"(?:(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?:(?P<ordinal>st|nd|rd|th)|(?P<kilo>k)|"
    rf"\s(?P<scale>{_SCALE}))?(?![\w])"
    r"|(?P<dozen>\bhalf(?:\sa)?\sdozen\b)"
    rf"|(?P<share>\b(?:(?:a|one|another|{_COUNTED})[\s-](?:full\s|good\s|whole\s|mere\s)?)?(?:hal(?:f|ves)|thirds?|"
    r"quarters?|fifths?|sixths?|sevenths?|eighths?|ninths?|tenths?)\b)"
    rf"|(?P<words>\b{NUMBER_WORDS}|(?:(?<=good\s)|(?<=round\s)|(?<=full\s)|(?<=solid\s))(?:{_SCALE})\b"
    rf"(?:(?:\s|-|\sand\s)(?:{_ANY}|{_SCALE})\b)*)"
    r"|(?P<none>\b(?:nobody|no[\s-]one|not a (?:single|solitary)|no|zero|nil|none(?=\s(?:in|came|during|over|"
    r"at)\b))\b))"
    r"(?P<suffix>\s?%|\s?per\s?cent\b|\s?pct\b|[x×](?!\w)|-?\s?fold\b|\s(?:times|percentage points)\b)?",
)
SHARE_BEFORE = re.compile(
    r"(?:\b(?:by|to|up|down|off|at|lost|shed|gained|added|about|around|roughly|nearly|almost|over|under|than|only|just|"
    r"some|of|was|were|is|an?)|[~≈(=])\s*$",
)
SHARE_AFTER = re.compile(
    r"^\s(?:of|that|the|as|its|more|less|fewer|up|down|above|below|off|again|than|on|over|under|larger|smaller|better|"
    r"worse|what|in size|[a-z]+er)\b",
)
NO_SHARE_BEFORE = re.compile(
    r"\b(?:first|second|latter|other|former|early|late|last|next|financial|better)\s$",
)

USER_NOUNS = [
    "users",
    "user",
    "people",
    "person",
    "persons",
    "viewers",
    "viewer",
    "raters",
    "rater",
    "ratings",
    "rating",
    "buyers",
    "buyer",
    "customers",
    "customer",
    "shoppers",
    "shopper",
    "reviewers",
    "reviewer",
    "reviews",
    "review",
    "interactions",
    "interaction",
    "purchases",
    "purchase",
    "hits",
    "views",
    "view",
    "visitors",
    "visitor",
    "members",
    "fans",
    "fan",
    "orders",
    "readers",
    "listeners",
    "accounts",
    "watchers",
    "viewings",
    "watches",
    "newcomers",
    "individuals",
    "folks",
    "folk",
    "souls",
    "soul",
    "patrons",
    "moviegoers",
    "filmgoers",
    "cinemagoers",
    "spectators",
    "subscribers",
    "picks",
    "votes",
    "plays",
    "downloads",
    "streams",
    "tickets",
    "admissions",
    "heads",
    "punters",
    "takers",
    "takings",
    "households",
    "consumers",
    "clients",
    "attendees",
    "others",
    "adults",
    "men",
    "women",
    "cinephiles",
    "onlookers",
    "participants",
    "guests",
    "voters",
    "respondents",
    "players",
    "critics",
    "enthusiasts",
    "followers",
    "devotees",
    "ticket",
    "admirers",
    "comers",
    "attendances",
    "selections",
    "choices",
    "clicks",
    "screenings",
    "sittings",
    "bums",
    "strangers",
    "friends",
    "lookers",
    "students",
]
UNIT_OF_NOUN = {
    **dict.fromkeys(USER_NOUNS, "users"),
    **dict.fromkeys(("day", "days"), "days"),
    **dict.fromkeys(("week", "weeks"), "weeks"),
    **dict.fromkeys(("month", "months"), "months"),
    **dict.fromkeys(("year", "years"), "years"),
    **dict.fromkeys(("star", "stars"), "rating"),
    **dict.fromkeys(("dollar", "dollars", "pounds", "euros"), "price"),
}
UNIT_AFTER = re.compile(
    r"\s?-?(?:(?:more|fewer|further|new|distinct|different|unique|additional|monthly|other|individual|separate|full|"
    r"complete|calendar|whole|consecutive|straight|active|of (?:the|its|those|them)|such|less|registered|recorded|film|"
    r"movie|cinema|paying|single|odd|successive|actual)\s)*(?P<noun>[a-z]+)",
)
LEADS_TO_COUNT = re.compile(
    r"(?:\b(?:to|from|by|at|of|and|with|than|saw|seen|brought|drew|had|has|counted|reached|only|just|was|were|"
    r"about|around|then|some|exactly|precisely|fully|totalled|totaled|hit|is|attracted|won|pulled in|racked up|but|"
    r"roughly|nearly|almost|over)|[:(=,□–—-])\s*$",
)
TAKES_COUNT = re.compile(
    r"^\s(?:came|come|turned|showed|watched|saw|gave|went|took|picked|chose|rated|tuned|sat|bought|have|had|did|tried|"
    r"dropped in|signed|joined|opted|were|was|in (?:all|total)|altogether)\b",
)
_SLIGHTLY = (
    "just",
    "a little",
    "a bit",
    "a touch",
    "a shade",
    "a whisker",
    "a hair",
    "a fraction",
    "a tad",
    "slightly",
    "marginally",
    "somewhat",
    "only just",
)
_APPROXIMATE = {
    "nearly": (
        *("nearly", "almost", "not quite", "nigh on", "well nigh", "well-nigh", "practically", "virtually", "all but"),
        *("approaching", "pushing", "nudging", "knocking on", "getting on for", "going on", "coming up on", "close on"),
        *(
            f"{slightly} {below}"
            for slightly in _SLIGHTLY
            for below in ("under", "below", "short of", "shy of", "less than", "fewer than", "south of")
        ),
    ),
    "close": (
        *("close to", "near", "near to", "bordering on", "verging on", "next to", "barely", "scarcely"),
        *("in the region of", "next door to"),
    ),
    "over": (
        *("over", "more than", "above", "at least", "upward of", "upwards of", "exceeding", "north of", "beyond"),
        *(f"{article} {full}" for article in ("a", "an") for full in ("good", "full", "solid")),
        *("no fewer than", "no less than", "not fewer than", "not less than", "in excess of", "better than", "topping"),
        *("past", "a minimum of"),
        *(
            f"{slightly} {above}"
            for slightly in (*_SLIGHTLY, "well", "comfortably", "easily")
            for above in ("over", "above", "more than", "past", "upwards of", "north of", "beyond", "better than")
        ),
    ),
    "under": (
        *("under", "below", "fewer than", "less than", "up to", "at most", "no more than", "not more than"),
        *("no higher than", "not even", "south of", "shy of", "short of", "a maximum of", "at best", "within"),
    ),
    "about": (
        *("about", "around", "round", "roughly", "approximately", "approx", "approx.", "some", "circa", "ca", "ca."),
        *("an estimated", "or so", "something like", "more or less", "of the order of", "on the order of", "say"),
        *(f"in the {where} of" for where in ("neighbourhood", "neighborhood", "vicinity", "order", "area", "ballpark")),
        *("give or take", "somewhere around", "somewhere near", "somewhere about", "a rough", "loosely", "thereabouts"),
    ),
}


def _by_ending() -> Mapping[str, Sequence[tuple[str, str]]]:
    """The phrases with their meanings by their last two letters, longest first."""
    found: dict[str, list[tuple[str, str]]] = {}
    pairs = [(phrase, meaning) for meaning, phrases in _APPROXIMATE.items() for phrase in phrases]
    for phrase, meaning in sorted(pairs, key=lambda pair: -len(pair[0])):
        found.setdefault(phrase[-2:], []).append((phrase, meaning))
    return found


_BY_ENDING = _by_ending()


def approximation(before: str) -> str:
    """How exact a number is meant to be by what stands before it: ``about nearly close over under``, or empty."""
    if before.endswith((" a ", "\na ", " a\n", "\na\n")):
        told = before[:-2].rstrip()
        under = (phrase for phrase in _APPROXIMATE["under"] if told.endswith(phrase))
        return "under" if any(_is_whole(told, phrase) for phrase in under) else ""
    told = before.rstrip()
    if told.endswith(("~", "≈")):
        return "about"
    for phrase, meaning in _BY_ENDING.get(told[-2:], ()):
        if told.endswith(phrase) and _is_whole(told, phrase):
            return meaning
    return ""


def _is_whole(told: str, phrase: str) -> bool:
    """Whether the phrase at a text's end is more than the end of a longer word."""
    before = told[-len(phrase) - 1 : -len(phrase)]
    return not (before.isalnum() or before == "_")


APPROXIMATE_AFTER = re.compile(
    r"^(?P<noun_first>\s(?!or\b|and\b|at\b|plus\b|give\b|tops\b|odd\b|in\b)[a-z]+)?"
    r"(?:(?P<about>[\s-]odd|[\s-]ish|\sor\s(?:so|thereabouts|near enough|near as)|,?\sgive or take(?:\sa few)?|"
    r"\splus or minus|"
    r"\s(?:approximately|roughly)(?=[,.;)]))|"
    r"(?P<over>\+|[\s-]plus(?!\w|\sor)|\sor (?:more|better|above)|\sand (?:more|counting|then some|change|up)|"
    r"\sat (?:the )?"
    r"(?:very )?least|\sand upwards?|\supwards?(?=[,.;\s]))|"
    r"(?P<under>\sor (?:fewer|less|under|below)|\sat (?:the )?(?:very )?(?:most|outside)|\stops\b|"
    r"\smax(?:imum)?\b))(?!\w)",
)
RANK_BEFORE = re.compile(
    r"(?:\b(?:rank(?:s|ed|ing)?|place[sd]?|position|spot|number|no\.?|placing|slot)\b(?:\s(?:it|is|of|at|in|as|"
    r"the item|no\.?|number|the|place|position|spot|a|list|ranking|forecast))*:?\s?#?|#|№)\s?$",
)
RANK_AFTER = re.compile(
    r"^(?:[\s-](?:place|position|spot|slot|rank|on (?:the|our|this) (?:list|chart|table|ranking|ladder)|in line|"
    r"in (?:the|our|this) "
    r"(?:list|ranking|forecast|table|charts?|queue|order)|of the (?:list|ranking)|overall|from the top))\b"
)
TOP_BEFORE = re.compile(r"\btop\s?-?$")
RATING_BEFORE = re.compile(
    r"\b(?:rated|(?<!\d\s)(?<!one\s)rating|stars|marks?|grades?|averages?|scores?)\b[^.;\d]{0,28}$",
)
SCALE_BEFORE = re.compile(r"\d\s?(?:/\s?|out of\s)$")
FACTOR_BEFORE = re.compile(
    r"\b(?:multipl\w+|divid\w+|scal\w+)\b[^,.;\d]{0,34}\bby\s(?:about\s|roughly\s|around\s)?$|"
    r"\bfactor of\s(?:about\s)?$",
)
PRICE_BEFORE = re.compile(
    r"\b(?:pric(?:e|ed|es)|costs?|sells? (?:for|at)|sold (?:for|at))\b[^.;\d]{0,24}$",
)
_UNITS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
_TEENS = [
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = {
    **{word: n for n, word in enumerate(_UNITS + _TEENS, start=1)},
    **{f"{ten[:-1]}ieth": 10 * n for n, ten in enumerate(_TENS, start=2)},
    **{f"{ten}-{unit}": 10 * n + k for n, ten in enumerate(_TENS, start=2) for k, unit in enumerate(_UNITS, start=1)},
    **{f"{ten} {unit}": 10 * n + k for n, ten in enumerate(_TENS, start=2) for k, unit in enumerate(_UNITS, start=1)},
}
_ORDINAL = (
    rf"(?:{'|'.join(_TENS)})[ -](?:{'|'.join(_UNITS)})|(?:{'|'.join(ten[:-1] for ten in _TENS)})ieth|"
    + "|".join([*_TEENS, *_UNITS])
)
RANK_IN_WORDS = re.compile(
    rf"\b(?:rank(?:s|ed|ing)?|placed|places|plac(?:es?|ed|ing) it|puts? it|com(?:es?|ing)(?: in)?|came in|good for|"
    rf"good enough for|worth|sits?|stands?|lies|"
    rf"lands?|finish\w*|slots? in|lines up|position(?:ed)?|spot)\b(?:\s(?:it|in|at|as|is|only|just|a|the|□+))*\s"
    rf"(?P<a>{_ORDINAL})\b(?!\s(?:of|weeks?|months?|days?|years?|time|quarter|half))"
    rf"|\b(?:has|have|had|puts?|with|sees?|rates?|places?|ranks?) (?:it|this one|this film|the film|"
    rf"□+) (?:\w+ )?(?:in|at|as) (?P<c>{_ORDINAL})"
    r"(?=[.,;)]|$)"
    rf"|\b(?P<b>{_ORDINAL})(?=(?:[\s-](?:place|position|spot|slot|rank|strongest|highest|best)\b|\sin line|\s(?:on|"
    rf"in|of|from) "
    r"(?:the|our|this|its) (?:\w+ )?(?:list|ranking|chart|charts|table|forecast|queue|ladder|standings|pecking order|"
    r"top)\b))"
)
TIMES_TAKEN = re.compile(
    r"\b(?:rated|watched|seen|viewed|picked|chosen|bought|played|read|taken|reviewed|ordered|selected|visited|"
    r"clicked|used)\s"
    r"(?:[\w]+\s){0,3}?$"
)
"""Before "573 times", where it counts users."""
RANKED_ABOVE = re.compile(
    rf"\b(?P<n>\d{{1,3}}|{'|'.join(SMALL_NUMBERS)})\s(?:other\s)?(?:films?|titles?|movies?|items?|others|pictures?|"
    rf"products?|books?)\s(?:\w+\s)?"
    r"(?:ranks?|stands?|are|is|lies?|sits?|comes?|places?|ranked|placed)\s(?:\w+\s)?(?:above|ahead|higher|before|"
    r"better)\b"
)
RANK_HINT = re.compile(
    r"(?:(?P<ordinal>first|second|third|th)|above|ahead|higher|before|better|list|ranking|charts?|table|forecast)\b"
)
"""What any of ``RANK_IN_WORDS``, ``RANKED_ABOVE`` and ``TOPS_LIST`` holds: ordinals end so."""
RANK_CUE = re.compile(r"\b(?:rank\w*|standings|pecking order|league table|chart|charts|hit parade)\b")
RANK_LEAD = re.compile(r"\b(?:at|comes|stands|sits|lies|spot|slot|position)\s$")
TOPS_LIST = re.compile(
    r"\b(?:tops|heads|leads|topping|heading|leading) (?:the|our|this) (?:list|ranking|charts?|table|forecast)\b"
)
