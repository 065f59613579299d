"""How texts say what part of a history is so: "four of the last ten", "a quarter of what you watch", "one in three".

English only. Patterns are joined from lists of words; every list holds the ways of many kinds of writers.
"""

import re
from collections.abc import Iterable

from whyrec.evaluation.verification.lexicon import NUMBER_WORDS


def _any(*phrases: str) -> str:
    return "(?:" + "|".join(sorted(phrases, key=len, reverse=True)) + ")"


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


PARTS = {
    name: 1 / n
    for n, name in enumerate(
        ("half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), start=2
    )
}
"""Fractions by the name of one of them."""
_N = rf"(?:\d[\d,]*(?:\.\d+)?|{NUMBER_WORDS})"
THINGS = _any(
    *("films?", "movies?", "pictures?", "flicks?", "titles?", "works?", "features?", "items?", "things?", "products?"),
    *(
        "articles?",
        "loans?",
        "goes",
        "slots",
        "holdings",
        "views?",
        "sittings?",
        "showings?",
        "purchases?",
        "orders?",
        "choices?",
        "picks?",
        "selections?",
        "books?",
        "albums?",
        "games?",
    ),
    *("interactions?", "entries", "entry", "records?", "viewings?", "views", "ratings?", "watches", "outings?"),
    *("screenings?", "trips? to the (?:cinema|pictures|movies)", "nights? at the (?:cinema|movies)"),
)
_WHO = _any(
    *(
        "the borrower",
        "this borrower",
        "the patron",
        "this patron",
        "the member",
        "our man",
        "you",
        "they",
        "he",
        "she",
        "we",
        "the user",
        "this user",
        "the viewer",
        "this viewer",
        "the customer",
    ),
    *("this customer", "the reader", "this person", "the patron", "our viewer", "the shopper", "the subject"),
)
_HAVE = r"(?:\s(?:have|has|had)|[’'](?:ve|s|d))?"
_TOOK = _any(
    *("watch(?:es|ed|ing)?", "see", "sees", "saw", "seen", "take", "takes", "took", "taken", "choose", "chooses"),
    *("chose", "chosen", "pick(?:s|ed)?", "buy", "buys", "bought", "view(?:s|ed)?", "rent(?:s|ed)?", "consumed?"),
    *("enjoyed", "sat through", "go for", "goes for", "went for", "gone for", "logged", "rated", "recorded", "viewed"),
    *(
        "got through",
        "borrow(?:s|ed)?",
        "loaned",
        "clocked up",
        "racked up",
        "notched up",
        "devoured",
        "gotten through",
        "been through",
        "put on",
        "played",
        "ordered",
        "read",
        "purchased",
    ),
)
_HISTORY = _any(
    *("history", "record", "log", "logbook", "diary", "list", "viewing", "watching", "watch ?list", "total", "tally"),
    *(
        "back catalogue",
        "holdings",
        "shelf",
        "books",
        "name",
        "notebook",
        "card",
        "dossier",
        "file",
        "archive",
        "ledger",
        "collection",
        "account",
        "repertoire",
        "past",
    ),
)
_WHOSE = _any(
    *("the", "their", "his", "her", "your", "this", "these", "those", "our", "that"),
    *(r"(?:the|this|our) (?:user|viewer|borrower|member|customer|patron|reader|person)[’']s",),
)
RECENT = _any("last", "latest", "most recent", "past", "previous", "newest", "recent", "final")
_LAST = (
    rf"(?:(?:{_WHOSE}\s)?{RECENT}\s(?P<last>{_N})|"
    rf"(?:{_WHOSE}\s)?(?P<last_too>{_N})\s{RECENT})(?:\s(?:\w+\s)?{THINGS}\b)?"
)
_WHOLE = (
    rf"(?:(?:all|everything|anything|what|whatever)\s(?:of\s)?(?:that\s)?(?:{_WHO}){_HAVE}\s(?:\w+\s)?{_TOOK}\b"
    rf"|(?:all\s)?(?:of\s)?(?:{_WHOSE}\s)?(?:all\s)?(?:(?P<all>{_N})\s)?(?:\w+ing\s)?{THINGS}\s"
    rf"(?:{_TOOK}|so far|to date|up to now|on (?:record|file|the books)|in (?:{_WHOSE}\s)?(?:\w+ing\s)?{_HISTORY}"
    rf"|(?:that\s|which\s)?{_WHO}{_HAVE}\s(?:\w+\s)?{_TOOK})\b"
    rf"|(?:all\s(?:of\s)?)?{_WHOSE}\s(?:(?:entire|whole|full|complete)\s)?(?:\w+ing\s)?{_HISTORY}\b"
    rf"|(?:all\s|{_WHOSE}\s)+(?:(?P<all_too>{_N})\s)?(?:\w+ing\s)?{THINGS}\b"
    rf"|all\s(?P<all_bare>{_N})\b"
    rf"|{_WHOSE}\s(?P<all_alone>{_N})(?=\s(?:are|were|is|was|have|had|so far)\b|[.,;?!])"
    r"|(?:viewings|interactions|choices|picks|loans|selections|purchases|holdings|entries)\b)"
)
_SO_FAR = _any(
    "so far",
    "to date",
    "up to now",
    "until now",
    "by now",
    "thus far",
    "before now",
    "in all",
    "all told",
    "altogether",
)
BASE = rf"(?:{_LAST}|{_WHOLE})(?:\s{_SO_FAR})?"
"""The stretch of the history that a part is of."""

_HEDGE = _any(
    *("about", "around", "roughly", "approximately", "some", "circa", "close to", "nearly", "almost", "just under"),
    *("just over", "a little over", "a little under", "more or less", "an estimated", "something like", "fully"),
    *("exactly", "precisely", "no fewer than", "as many as", "a good", "a full", "only", "just", "well over", "over"),
    *("more than", "under", "less than", "fewer than", "at least", "at most", "not quite", "getting on for"),
)
_FRACTION = (
    rf"(?:(?P<times>an?|one|two|three|four|five|six|seven|eight|nine)[\s-])?(?P<part>{'|'.join(PARTS)})s?"
    rf"|(?P<percent>{_N})\s?(?:%|per\s?cent\b)"
    rf"|(?P<one>{_N})(?:\sout\sof|\sin)\s(?:every\s)?(?P<in>{_N})"
)
_NONE = r"none|not one|not a single one|not a one|zero|nothing"
AMOUNT = (
    rf"(?:(?P<hedge>{_HEDGE})\s)?(?P<amount>{_FRACTION}|(?P<count>{_N})|(?P<none>{_NONE})|(?P<every>all|"
    rf"every one|both|each))"
)

OF = _found(rf"(?<![\w.,]){AMOUNT}\s(?:out\s)?(?:of|in|among|from)\s(?:all\s(?:of\s)?)?{BASE}")
""""A quarter of what you watch", "6 of your last 10 picks"."""
FIRST_BASE = _found(
    rf"\b(?:(?:out\s)?of|among|amongst|from|in|within)\s(?:all\s(?:of\s)?)?{BASE},?\s(?:(?:just|there\s(?:are|"
    rf"were)|we\s(?:find|count))\s)?"
    rf"{AMOUNT}\b(?!\s(?:(?:out\s)?of|times|fold|per|percent)\b|[-\s]?fold|\s?[%x×])"
)
""""Of the last ten items, two are comedies"."""
HOLDS = _found(
    rf"\b{BASE}\s(?:holds?|contains?|includes?|counts?|comprises?|features?|has|have|shows?|lists?|numbers?|boasts?|"
    rf"brought|yields?|runs? to|amounts? to|consists? of|stands? at|records?)\s{AMOUNT}\b(?!\s(?:(?:out\s)?of|"
    rf"times|fold|per|percent)\b|[-\s]?fold|\s?[%x×])"
)
""""The history holds five thrillers"."""

TIMES = {"once": 1, "twice": 2, "thrice": 3}
_TIMES_SAID = (
    rf"(?:on\s)?(?P<amount>(?P<times_said>once|twice|thrice)|(?P<count>{_N})\s(?:times|"
    rf"occasions))(?!\s(?:as|more|less|the)\b)"
)
TIMES_IN = (
    _found(
        rf"\b(?:(?P<hedge>{_HEDGE})\s)?{_TIMES_SAID}\s(?:in|among|amongst|of|over|across|within|out of|from)\s{BASE}"
    ),
    _found(rf"\b(?:in|among|amongst|of|over|across|within)\s{BASE},?\s[^.;:?!]{{0,40}}?\b{_TIMES_SAID}"),
    _found(
        rf"\b(?:{_WHO}){_HAVE}\s(?:\w+\s)?{_TOOK}\s[^.;:?!,]{{1,30}}?\s{_TIMES_SAID}(?=[.,;!?]|$|\s(?:so far|"
        rf"already|before)\b)"
    ),
)
""""Westerns appear six times among the last ten"."""
COUNTED_BEFORE = _found(rf"(?<![\w.,])(?:(?P<hedge>{_HEDGE})\s)?(?P<amount>(?P<count>{_N})|(?P<none>no|zero))\s$")
IN_BASE = _found(
    rf"(?:\s{THINGS})?\s(?:(?:are|were|is|was|appear(?:s|ed)?|figured?s?|stand|feature)\s)?(?:in|among|amongst|"
    rf"from|of|over|out of|on|to)\s(?:all\s)?{BASE}|(?:\s{THINGS})?\s(?:(?:are|were|is|was)\s)?on (?:record|file)\b"
)
TOOK_BEFORE = _found(
    rf"\b(?:{_WHO}){_HAVE}\s(?:\w+\s)?{_TOOK}\s(?:(?P<hedge>{_HEDGE})\s)?(?P<amount>(?P<count>{_N})|(?P<none>no|"
    rf"zero))\s$"
)
""""Six westerns in your last ten": what stands before the value, and what behind it; "you have watched six "."""

TOTALS = (
    _found(
        rf"(?<![\w.,])(?<!all )(?<!both )(?<!of )(?<!the )(?<!th[eo]se )(?<!last )(?:(?P<hedge>{_HEDGE})\s|"
        rf"~)?(?P<said>{_N})\s{THINGS}\s(?:(?:have|has|had|were|was|are|is)\s(?:now\s|already\s)?(?:been\s)?"
        rf"(?:{_TOOK}|on (?:record|file)|known|noted|counted|listed|in (?:{_WHOSE}\s)(?:\w+ing\s)?{_HISTORY})"
        rf"(?:\s(?:{_SO_FAR}|already))?"
        rf"|{_SO_FAR}|on (?:record|file)|in (?:{_WHOSE}\s)(?:\w+ing\s)?{_HISTORY})(?!\s\w+\sof\b)"
    ),
    _found(
        rf"\b(?:{_WHO}){_HAVE}\s(?:now\s|already\s|by now\s)?{_TOOK}\s(?:a total of\s|"
        rf"all of\s)?(?:(?P<hedge>{_HEDGE})\s|~)?(?P<said>{_N})\s"
        rf"(?:different\s)?{THINGS}\b(?!\s(?:of|by|with|from|about))"
    ),
    _found(
        rf"\b{_WHOSE}\s(?:(?:entire|whole|full|complete)\s)?(?:\w+ing\s)?{_HISTORY}\s(?:of (?:this|"
        rf"the) \w+\s)?(?:now\s|so far\s)?(?:holds?|contains?|"
        rf"counts?|comprises?|has|numbers?|lists?|runs? to|amounts? to|consists? of|stands? at|records?|shows?|is)\s"
        rf"(?:a total of\s)?(?:(?P<hedge>{_HEDGE})\s|~)?(?P<said>{_N})\s(?:\w+ed\s)?{THINGS}\b"
    ),
    _found(
        rf"\b(?:history|record|log|diary|viewing|total|tally)\sof\s(?:(?P<hedge>{_HEDGE})\s|"
        rf"~)?(?P<said>{_N})\s{THINGS}\b"
    ),
)
"""How long the whole history is."""


def of_last(hit: re.Match[str]) -> str | None:
    """What a hit says of how many were the last."""
    return _first(hit, ("last", "last_too"))


def of_all(hit: re.Match[str]) -> str | None:
    """What a hit says of how many there are in all."""
    return _first(hit, ("all", "all_too", "all_bare", "all_alone"))


def _first(hit: re.Match[str], names: Iterable[str]) -> str | None:
    groups = hit.groupdict()
    return next((groups[name] for name in names if groups.get(name)), None)
