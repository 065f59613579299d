"""The words that explanations make claims with: numbers, months, units, directions, peaks, cues.

English only. Nothing here knows the writer whose texts are checked; the lists hold what people and language models
commonly write about monthly counts.
"""

import re

MONTH_NUMBERS = {
    name: number
    for number, names in enumerate(
        (
            ("January", "Jan"),
            ("February", "Feb"),
            ("March", "Mar"),
            ("April", "Apr"),
            ("May",),
            ("June", "Jun"),
            ("July", "Jul"),
            ("August", "Aug"),
            ("September", "Sept", "Sep"),
            ("October", "Oct"),
            ("November", "Nov"),
            ("December", "Dec"),
        ),
        start=1,
    )
    for name in names
}
FULL_MONTH_NAMES = tuple(next(name for name, number in MONTH_NUMBERS.items() if number == n) for n in range(1, 13))

SMALL_NUMBERS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
FRACTIONS = {
    name: 100 / n
    for n, name in enumerate(
        ("half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), start=2
    )
}

_ANY_NUMBER_WORD = "|".join(sorted((*SMALL_NUMBERS, *TENS), key=len, reverse=True))
_SCALE = "|".join(SCALES)
NUMBER_WORDS = (
    rf"(?:(?:{_ANY_NUMBER_WORD})\b|\ba(?=\s(?:{_SCALE})\b))(?:(?:\s|-|\sand\s)(?:{_ANY_NUMBER_WORD}|{_SCALE})\b)*"
)

NEGATOR = re.compile(
    r"(?:\b(?:not|no|never|without|neither|nor|hardly|scarcely|nothing|none|nobody|nowhere|stopped|ceased|fail(?:s|"
    r"ed)?|"
    r"refus(?:es?|ed)|cannot|far from|anything but|yet to|instead of|rather than|wrong to say|untrue|false that)|"
    r"n['’]t)\b"
    r"(?!\s(?:only|just|merely|simply|surprising|doubt|wonder|surprise|fewer|less|more than|later|sooner|matter|"
    r"longer))"
    r"(?!\sto mention)",
)
NEGATION_REACH = re.compile(r"(?:^|[,;:]|\b(?:and|(?<!anything )but|or|although|though|while|because|when|if|than)\b)")
"""What ends a denial's reach."""

FORECAST_CUE = re.compile(
    r"\b(?:forecast\w*|expect\w*|predict\w*|project(?:s|ed|ion)|estimat\w*|anticipat\w*|should|likely|interval|"
    r"will|would|"
    r"outlook|(?:figure|plan) on|ceiling|(?:high|top|bottom) end|not (?:below|under)|ranges? (?:runs|goes|extends|"
    r"stretches|lies) (?:from|between)|"
    r"justif\w*|reasonable|plausible|next (?:month|window)|coming (?!from|in|to|off|out|back|along)|upcoming|"
    r"(?:lower|upper) (?:bound|end|limit|edge)|bounds|as (?:few|low|little) as\b[^.;]{0,30}\bas (?:many|high|much) as|"
    r"could(?! not|n['’]t)|might|may (?:be|well|see|draw|come|bring|reach)|ought|wager|stake|ranges? (?:of|from|"
    r"between|is|runs) (?:about )?\d+|guess\w*|foreca\w*|['’]ll)\b"
)
POINTS_BACK = re.compile(
    r"^\s*(?:that|this|which|the number|the figure|it sits|it lies)\b(?!\s(?:film|movie|one|title|item|picture)\b)"
)
UP_TO = re.compile(r"\b(?:before|up to|until|by|as of|through)\s(?:the\s)?$")
FORECAST_OF = re.compile(
    r"\b(?:forecasts?|predictions?|outlook|expectations?|estimates?|expected|projected|predicted|projections?|"
    r"prognosis|"
    r"guess|call|window|look(?:ing)? ahead|ahead|to come|(?:coming|next|upcoming) month|in question|under forecast|"
    r"horizon|period|tip|view|bet)(?:\s(?:ahead|window|period|horizon))?"
    r"(?:\s(?:of|for)\s□+)?\s(?:for|in|is|to|covers|concerns|spans|of|as|at|through|runs through|runs until|runs to|"
    r"goes to|refers to|applies to|relates to|is made for|"
    r"is for|runs for|looks (?:at|to)|points to|falls (?:in|on)|comes in|opens in|begins in|was made for|"
    r"has been made for|"
    r"regards|stands for|aims at|speaks of|is about|was drawn up for|extends over|extends to|stretches over|takes in)\s"
    r"(?:all of\s|the month of\s|the whole of\s)?$"
)
THEN_FORECAST = re.compile(
    r"^,?\s(?:the\s|we\s|our\s|it\s|model\s|is\s)*(?:forecast|expect|predict|anticipat|project|estimate)"
)
RANGE_CUE = re.compile(r"\b(?:interval|range|between|from|band|bounds?|anywhere|low(?:er)? end|span)\b")
TOTAL_CUE = re.compile(
    r"\b(?:in total|overall|all told|altogether|in all|(?<!\ba )total|to date|so far altogether|since (?:its )?"
    r"(?:release|launch|debut)|"
    r"all[- ]time(?! (?:high|low|best|peak|record))|lifetime|cumulative\w*|audience of|entire history|whole history|"
    r"across its history|so far|up to now|until now|up till now|by now|thus far|as yet|taken together|put together|"
    r"since (?:the )?(?:records?|log|data|history|it)\b[^.;]{0,20}|since it (?:came|appeared|arrived|launched)|"
    r"from (?:first to last|the (?:start|outset|beginning))|over its (?:whole |entire )?(?:life|history|run)|"
    r"over the years|as a whole|the sum of|adds up to|sums? to|tally|tot(?:al)?led|combined|running total)\b"
)
AVERAGE_CUE = re.compile(r"\b(?:averag\w*|mean|a month|per month|monthly mean)\b")
DELTA_VERB = re.compile(r"\b(?:lost|shed|gain\w*)\s")
DELTA_CUE = re.compile(
    r"(?:\b(?:by|gain(?:ed)? of|drop of|rise of|fall of|increase of|decline of|decrease of|jump of|lost|shed|"
    r"added|gained|"
    r"gaining|losing|up|down)\s+"
    r"(?:about |around |roughly |nearly |almost |some )?)$"
)
AGE_CUE = re.compile(
    r"\b(?:since|after|ago|old|age\w*|for|released?|release|out|first|history|spans?|span|over|around|has been|into|"
    r"covers?|on record|young|debut\w*)\b"
)
RUN_CUE = re.compile(
    r"\b(?:(?:every|each) (?:single |passing |following |subsequent )?(?:full )?(?:month|time)|month (?:after|by|"
    r"upon) month|"
    r"without (?:a |any )?(?:break|pause|interruption|let-?up|exception|fail|respite)|unbroken|uninterrupted(?:ly)?|"
    r"not once|never(?: once)?|once since|not a single|no month|not one month|on the trot|on end|unceasing(?:ly)?|"
    r"continual(?:ly)?|relentless(?:ly)?|non-?stop)\b"
)
"""The change is said of every single month."""
STREAK_CUE = re.compile(r"\b(?:in a row|running|straight|consecutive|successive)\b")
PAST_TENSE = re.compile(r"\b(?:saw|brought|drew|had|has|counted|was|were|came|rose|fell|grew|\w+ed)\b")
INTERVAL = re.compile(r"\b(?:interval|range|band|bounds)\b")
LEVEL_CUE = re.compile(
    r"\b(?:\d+%|80 ?%|interval|chances?|likely|confiden\w*|probab\w*|range|out of|times in|in ten|in five)\b"
)
SPAN_OF_MONTHS = re.compile(
    r"\b(?:over|within|in|during|for|past|last|across)\s(?:the\s)?(?:last\s|past\s|previous\s)?$"
)
BEFOREHAND = re.compile(r"\b(?:before|only to|and then|then)\s(?:\w+\s)?$")
RELEASE_BEFORE = re.compile(
    r"(?:\b(?:released?|release|made|produced|production|dates? from|dated|year|vintage|from|premier\w*|of|"
    r"published)\b"
    r"(?:\s(?:in|of|is|back|to|year|the|a|:))*\s?|\(|\b(?:a|an|this|the|its)\s)$",
)
RELEASE_AFTER = re.compile(
    r"^(?:[\s-](?:film|movie|title|release|production|picture|drama|comedy|book|album|edition|model|product)|\))"
)

_LIFTS = (
    r"lift(?:s|ed|ing)?|rais(?:es?|ed|ing)|push(?:es|ed|ing)?(?: it| the forecast| the number)? up(?:wards?)?|"
    r"push(?:es|ed|ing)?(?! (?:it |the forecast |the number )?down)|boost(?:s|ed|ing)?|add(?:s|ed|ing)?|"
    r"multipl(?:y|ies|ied)|help(?:s|ed)?|tailwind|in (?:its|the film's) favou?r|strengthen(?:s|ed)?"
)
_LOWERS = (
    r"lower(?:s|ed|ing)?|cut(?:s|ting)?|trim(?:s|med|ming)?|"
    r"pull(?:s|ed|ing)?(?: it| the forecast| the number)? (?:down|back)|drag(?:s|ged|ging)?|"
    r"hold(?:s|ing)? (?:it )?back|held (?:it )?back|weigh(?:s|ed|ing)?|reduc(?:es?|ed|ing)|shav(?:es?|ed|ing)|"
    r"tak(?:es?|ing)|took|push(?:es|ed|ing)?(?: it| the forecast| the number)? down|headwind|against it|"
    r"weaken(?:s|ed)?|divid(?:es?|ed)|dampen(?:s|ed)?"
)
PUSH = re.compile(rf"\b(?:(?P<up>{_LIFTS})|(?P<down>{_LOWERS}))\b")
PUSHES = re.compile(rf"\b(?:{_LIFTS}|{_LOWERS})\b")
"""The same where the direction does not matter: without groups it is much faster."""
DRIVER_OBJECT = re.compile(r"\b(?:forecast|estimate|expectation|prediction|number|figure|it|score)\b")

SENTENCE_END = re.compile(
    r"[.!?](?<!\bNo.)(?<!\bvs.)(?<!\bca.)(?<!\bapprox.)(?<!\b[A-Z].)(?<!□\?)[”\"')\]]*\s+(?=[A-Z“\"‘'\[(\d□])|\n+|"
    r"\[(?:Trend|Feature|Integration)\]:?"
)
CLAUSE_BREAK = re.compile(
    r";|,\s(?=(?:and\s)?then\b)|,\s(?=(?:while|whereas|but|although|though|yet)\b)|\s[—–]\s|\bwhereas\b|"
    r":(?=\s[a-z])(?!\s(?:[a-z]+\s){0,2}(?:\d|one\b))"
)
DENIES_VALUE = re.compile(
    r"(?:\b(?:not|never|no|neither|nor|nothing|anything but|far from|hardly|scarcely|without|cannot)|n['’]t)\s"
    r"(?!only\b|just\b|merely\b|worry\b|fret\b|miss\b)(?:(?!and\b|but\b)[\w'’-]+\s){0,5}$",
    re.I,
)
"""Before a value that the item is said not to have."""
