"""The words in which texts say how much of a history is so: "three of the last ten", "a quarter of all", "17 films".

English only. Nothing here knows the writer whose texts are checked.
"""

import re

from whyrec.evaluation.verification.lexicon import NUMBER_WORDS


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


NOUN = (
    r"(?:films?|movies?|pictures?|products?|items?|articles?|purchases?|choices?|titles?|books?|albums?|games?|"
    r"picks?|selections?|viewings?|watches|features?|interactions?|entries|entry|records?|sittings?|orders?|ones|"
    r"flicks?|evenings?|things|works|goes|outings?|loans?|slots|holdings|views?|showings?|ratings?|screenings?|"
    r"visits|listings?|trips? to the (?:cinema|pictures|movies)|nights? (?:at the (?:cinema|movies)|in|out))"
)
_N = (
    rf"(?:\d[\d,]*|{NUMBER_WORDS}|half a dozen|(?:a|two|three|four) score|a couple|a brace|a trio|"
    rf"a pair)"
)
WINDOW = _found(
    rf"\b(?:(?:last|latest|most recent|past|previous|recent|final|newest|closing|preceding)\s(?P<a>{_N})(?![\w%])|"
    rf"(?P<b>{_N})\s(?:most recent|latest|last|newest|recent|previous|past|most recently \w+|"
    rf"{NOUN}\s(?:\w+\s)?(?:last|latest|most recently)\b))(?:\s{NOUN}\b)?"
)
_ALL_THE = (
    r"(?:all\s|(?:a|the) total of\s|the\s|your\s|their\s|his\s|her\s|these\s|this \w+['’]s\s|every\s|exactly\s|"
    r"precisely\s)*"
)
TOTAL = _found(
    rf"(?:\b(?:out of|(?<!total )of|among)\s{_ALL_THE}|/\s?|\bin\s(?:all|the|your|their|his|"
    rf"her)\s(?=[^.;]{{1,16}}\s{NOUN}\b))(?P<n>{_N})(?![\w%]|\.\d)"
    rf"(?:\s{NOUN}\b)?(?:\s(?:so far|to date))?"
)
SHARE = _found(
    r"(?<![\w.,])(?:(?P<percent>\d+(?:\.\d+)?)(?:\s?%|\sper\s?cent\b)|"
    rf"(?P<words>{NUMBER_WORDS})\s(?:per\s?cent\b|%)|"
    r"(?P<part>(?:(?:a|an|one|two|three|four|five|six|seven|eight|nine)[\s-])?(?:half|halves|thirds?|quarters?|"
    r"fourths?|fifths?|"
    r"sixths?|sevenths?|"
    r"eighths?|ninths?|tenths?))(?! (?:time|film|movie|pick|one|choice|as|dozen|place)\b)|"
    rf"(?P<one>{_N}|every)(?:\s{NOUN})?\s(?:in|out of|of)\s(?:every\s)?(?P<of>two|three|four|five|six|seven|eight|"
    rf"nine|ten|"
    rf"\d\d?|twenty|hundred)"
    rf"(?![\w%])(?!\s(?:most|last|latest|recent))|"
    r"every\s(?P<other>other|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)(?:\s(?:one|film|movie|"
    r"pick|choice|viewing|time))?)"
)
PARTS = {
    "half": 2,
    "halve": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "other": 2,
    "second": 2,
}
NUMBER_OF_TIMES = _found(
    rf"\b(?P<n>once|twice|thrice|{_N}(?=\s(?:times|occasions)\b))(?:\s(?:times|occasions))?"
    r"(?!\s(?:as|more|less|the|that|what|over|higher|a|upon)\b)"
)
""""Westerns appear six times among the last ten": how often; only where the stretch of the history is told."""
NUMBER = _found(
    rf"(?<![\w.,$£€/-])(?P<n>{_N}|none|nil|no|not (?:one|a single one|a single)|both|all|every one|every single one)"
    r"(?![\w%]|\.\d|-(?:\w))(?!\s(?:other|more|doubt|question|less|longer|kind|matter|wonder|sort))"
)
NUMBERS = {
    "half a dozen": 6,
    "a couple": 2,
    "a brace": 2,
    "a pair": 2,
    "a trio": 3,
    "once": 1,
    "twice": 2,
    "thrice": 3,
    "a score": 20,
    "two score": 40,
    "three score": 60,
    "four score": 80,
}
NONE = frozenset(["none", "nil", "no", "not one", "not a single", "not a single one", "zero", "nobody"])
ALL = frozenset(["all", "every one", "every single one"])
NEARLY = _found(
    r"\b(?:nearly|almost|just under|just short of|not quite|close to|close on|approaching|shy of|getting on for|"
    r"coming up to)\s(?:a\s)?$"
)
OVER = _found(
    r"\b(?:over|above|upwards of|exceeding|north of|in excess of|better than|a good|past|a little more than|"
    r"slightly more than)\s(?:a\s)?$"
)
UNDER = _found(r"\b(?:under|below|up to|south of|slightly (?:less|fewer) than|a little (?:less|fewer) than)\s(?:a\s)?$")
AT_LEAST = _found(r"(?<!no )(?<!not )\b(?:more than|no fewer than|no less than|not less than|at least)\s(?:a\s)?$")
AT_MOST = _found(r"\b(?:fewer than|less than|no more than|not more than|at most)\s(?:a\s)?$")
"""However far away the true number is."""
ABOUT = _found(
    r"\b(?:about|around|roughly|approximately|some|circa|an estimated|or so|in the region of|something like|"
    r"give or take|or thereabouts|approx\.?)\s(?:a\s)?$|[~≈]\s?$"
)
NO_COUNT = _found(
    r"\b(?:single|you|us|we|them|this|that|any|each|another|which|every|the|rated|scores?|scale|strength|level|"
    r"rank(?:ed)?|"
    r"priced|costs?|aged?|year|(?:at|is|the|a) number|part|volume|chapter)\s(?:of\s|at\s|from\s)?$"
)
HOLDS = _found(
    r"\b(?:histor(?:y|ies)|records?|so far|to date|up to now|until now|by now|watched|seen|viewed|picked|chosen|"
    r"taken|been through|"
    r"got through|gone through|sat through|in total|all told|altogether|in all|comprises?|holds?|contains?|"
    r"covers?|runs? to|"
    r"amounts? to|counts?|counted|numbers?|logged|on record|interactions?|under (?:your|their|his|her) belt|"
    r"to (?:your|their|his|her) name|"
    r"notched up|clocked up|racked up|behind (?:you|them|him|her)|consists? of|spans?|tally|made up of|"
    r"on the books|on file|rented|"
    r"bought|stands? at|stood at|known|long|counts?|lists?|passed before|issued|lent|loaned|borrowed|entered|tried|"
    r"(?:is|are|['’]re) (?:now )?(?:up to|at|on)(?= \w+)|got to|reached|reaches|taken out|checked out|devoured|enjoyed|"
    r"been lent|takes in|passed|put (?:away|behind)|"
    r"total(?:s|led|ed)?|comes? to|came to)\b"
)
OF_ALL = _found(
    rf"\b(?:of|out of|among)\s(?:all|(?:a|the) total of|the|these|your|their|his|"
    rf"her)\s{_N}(?:\s{NOUN}\b|(?=\s?[.,;?!]))"
)
COUNTS_ONE = _found(rf"\s(?:of|in|out|{NOUN})\b")
ALONE = _found(rf"\s(?:\w+\s)?{NOUN}\s?[,;]")
"""Behind the length of a history that has nothing to do with the value behind it: "20 films, likes comedies"."""
TELLS_SHARE = _found(
    rf"\b(?:one|two|three|four|five|six|seven|eight|nine|\d)(?:\s{NOUN})?\sin\s(?:every\s)?(?:two|three|four|five|six|"
    rf"seven|eight|nine|ten|\d\d?)\b|\bevery\s(?:second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\s{NOUN}"
)
OR_MORE = _found(r"\b(?:or (?:more|over|better|above)|and more|at the (?:very )?least)\b")
LENGTH = _found(rf"(?<![\w.,]){_N}\s(?:\w+\s)?{NOUN}\b")
