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
FRACTIONS = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}

_ANY_NUMBER_WORD = "|".join(sorted((*SMALL_NUMBERS, *TENS), key=len, reverse=True))
_SCALE = "|".join(SCALES)
NUMBER_WORDS = (
    rf"(?:(?:{_ANY_NUMBER_WORD})\b|\ba(?=\s(?:{_SCALE})\b))(?:(?:\s|-|\sand\s)(?:{_ANY_NUMBER_WORD}|{_SCALE})\b)*"
)

NUMBER = re.compile(
    r"(?<![\w.,/])(?P<currency>[$£€]\s?)?"
    r"(?:(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<ordinal>st|nd|rd|th)?(?![\w])"
    r"|(?P<share>\b(?:(?:a|one|two|three|four)[\s-])?(?:half|thirds?|quarters?|fifths?|tenths?)(?=\s(?:of|that|"
    r"the|as|its)\b))"
    rf"|(?P<words>\b{NUMBER_WORDS})"
    r"|(?P<none>\b(?:nobody|no[\s-]one|not a single|no|none(?=\s(?:in|came|during|over|at)\b))\b))"
    r"(?P<suffix>\s?%|\s?per\s?cent\b|[x×](?!\w)|-?\s?fold\b|\s(?:times|percentage points)\b)?",
    re.IGNORECASE,
)

_NAMES = "|".join(sorted(MONTH_NUMBERS, key=len, reverse=True))
MONTH = re.compile(
    r"(?<![\d/-])(?P<iso_year>(?:19|20)\d\d)[-/](?P<iso_month>0[1-9]|1[0-2])(?:-(?P<iso_day>\d\d))?(?!\d)"
    r"|(?<![\d/])(?P<us_month>0?[1-9]|1[0-2])/(?P<us_year>(?:19|20)\d\d)(?!\d)"
    rf"|(?:(?<![\d,.])(?P<day_before>[12]?\d|3[01])(?:st|nd|rd|th)?\s(?:of\s)?)?\b(?P<name>{_NAMES})\b\.?(?![\w])"
    r"(?:\s(?:(?P<day_after>[12]?\d|3[01])(?:st|nd|rd|th)(?:,\s(?P<year_a>(?:19|20)\d\d))?"
    r"|(?P<day_us>[12]?\d|3[01]),\s(?P<year_b>(?:19|20)\d\d))|,?\s(?:of\s)?(?P<year>(?:19|20)\d\d)(?![\d,]*\d))?"
)
RELATIVE_MONTH = re.compile(
    r"\b(?:the\s)?(?P<which>(?:previous|prior|preceding)\smonth|month\sbefore|(?:last|latest|(?:most\s)?recent)\s"
    r"(?:full\s|complete\s)?month|(?:this|current)\smonth|first\smonth)\b(?!s)",
    re.IGNORECASE,
)
SPAN = re.compile(
    rf"\b(?:the\s|its\s|these\s)?(?:last|past|latest|final|previous|most recent|preceding|closing)\s(?:(?P<n>\d+|"
    rf"{NUMBER_WORDS})[\s-])?(?P<unit>days?|weeks?|fortnight)\b",
    re.IGNORECASE,
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
    "interactions",
    "interaction",
    "purchases",
    "purchase",
    "hits",
    "views",
    "visitors",
    "members",
    "fans",
    "orders",
    "readers",
    "listeners",
    "accounts",
    "watchers",
    "viewings",
    "newcomers",
    "individuals",
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
    r"complete|calendar|whole|consecutive|straight|active|of (?:the|its|those|them)|such|less)\s)*(?P<noun>[a-z]+)",
    re.IGNORECASE,
)

LEADS_TO_COUNT = re.compile(
    r"(?:\b(?:to|from|by|at|of|and|with|than|saw|seen|brought|drew|had|has|counted|reached|only|just|was|were|"
    r"about|around|then|"
    r"roughly|nearly|almost|over)|[:(=,□])\s*$",
    re.IGNORECASE,
)
APPROXIMATE = re.compile(
    r"(?P<about>\b(?:about|around|roughly|approximately|some|close to|near|circa|an estimated|or so)|[~≈])\s*$"
    r"|(?P<nearly>\b(?:nearly|almost|just under|just short of|not quite))\s*$"
    r"|(?P<over>\b(?:over|more than|above|at least|upwards of|just over|exceeding))\s*$"
    r"|(?P<under>\b(?:under|below|fewer than|less than|up to|at most|no more than))\s*(?:a\s)?$",
    re.IGNORECASE,
)

_UP_VERBS = (
    "rose|rise|rises|risen|rising|grew|grow|grows|grown|growing|growth|climb(?:s|ed|ing)?|increas(?:e|es|ed|ing)|gain(?:s|ed|ing)?|"
    "surg(?:e|es|ed|ing)|jump(?:s|ed|ing)?|soar(?:s|ed|ing)?|accelerat(?:e|es|ed|ing)|upward|upswing|uptick|"
    "pick(?:s|ed|ing) up|picked up|mount(?:ed|ing)|expand(?:s|ed|ing)|rebound(?:s|ed|ing)?|recover(?:s|ed|ing)|"
    "higher|gather(?:s|ed|ing) pace|warming"
)
_DOWN_VERBS = (
    "fell|fall|falls|fallen|falling|declin(?:e|es|ed|ing)|drop(?:s|ped|ping)?|decreas(?:e|es|ed|ing)|fad(?:e|es|ed|ing)|"
    "cool(?:s|ed|ing)(?: off| down)?|slip(?:s|ped|ping)?|shr(?:ink|inks|ank|unk|inking)|slid|slides?|sliding|"
    "eas(?:ed|es|ing)|"
    "wan(?:ed|es|ing)|downward|downturn|tail(?:ed|ing) off|dwindl(?:e|es|ed|ing)|sank|sinks?|sinking|ebb(?:ed|ing)|"
    "slow(?:s|ed|ing)(?: down)?|lower|plung(?:e|ed|es|ing)|contract(?:ed|ing)|slump(?:ed|ing|s)?|subsid(?:ed|ing)"
)
_FLAT_WORDS = (
    "steady|stable|flat|unchanged|plateau(?:ed|ing|s)?|constant|level(?:l?ed)? (?:off|out)|held its level|hardly moved|"
    "barely moved|little changed|much the same|hold(?:s|ing)? (?:level|firm)|held (?:level|firm)"
)
DIRECTION = re.compile(
    rf"\b(?:(?P<up>{_UP_VERBS})|(?P<down>{_DOWN_VERBS})|(?P<flat>{_FLAT_WORDS})"
    r"|(?P<double>doubl(?:ed|ing|es?)|twice)|(?P<triple>tripl(?:ed|ing|es?)|three times as)|(?P<half>halv(?:ed|"
    r"ing|es?))"
    r"|(?P<more>more(?=(?:\s\w+)?\sthan\s(?:in|during|last|the\s(?:last|past|month|previous|prior))))|"
    r"(?P<fewer>(?:fewer|less)(?=(?:\s\w+)?\sthan\s(?:in|during|last|the\s(?:last|past|month|previous|prior))))"
    r"|(?P<above>(?:above|ahead of|beyond)(?=\s(?:the|last|its|what|that of)))"
    r"|(?P<below>(?:below|short of|behind)(?=\s(?:the|last|its|what|that of)))"
    r"|(?P<up_word>up(?=\s(?:from|by|on|against|\d|about|roughly|some|sharply|slightly)))"
    r"|(?P<down_word>down(?=\s(?:from|by|on|against|\d|about|roughly|some|sharply|slightly))))\b",
    re.IGNORECASE,
)
NEGATION = re.compile(r"\b(?:not|no|never|without|neither|nor|hardly|didn['’]t|hasn['’]t|isn['’]t)\b[^,;.]{0,18}$")

PEAK = re.compile(
    r"\b(?:(?P<high>peak(?:s|ed|ing)?|at (?:its|their) (?:highest|strongest|busiest|best)|record|all-time high|"
    r"high point|high[- ]water mark|(?:busiest|best|"
    r"strongest|highest|biggest|top) "
    r"(?:month|count|level|monthly)|maximum|(?:was|were|is) (?:the|its) (?:highest|busiest|"
    r"strongest)(?!(?:\s\w+){0,5}?\ssince))"
    r"|(?P<low>trough|at (?:its|their) (?:lowest|weakest|quietest)|low point|(?:quietest|weakest|lowest|slowest|"
    r"worst) (?:month|count|level|monthly|point)|"
    r"bottomed out|"
    r"minimum)|(?P<since>(?P<extreme>highest|best|strongest|lowest|weakest|most|fewest)(?:\s\w+){0,5}?\ssince))\b",
    re.IGNORECASE,
)

FORECAST_CUE = re.compile(
    r"\b(?:forecast\w*|expect\w*|predict\w*|project(?:s|ed|ion)|estimat\w*|anticipat\w*|should|likely|interval|"
    r"will|would|"
    r"outlook|justif\w*|reasonable|plausible|next (?:month|window)|coming|upcoming)\b"
)
POINTS_BACK = re.compile(r"^\s*(?:that|this|which|the number|the figure|it sits|it lies)\b")
UP_TO = re.compile(r"\b(?:before|up to|until|by|as of|through)\s(?:the\s)?$")
FORECAST_OF = re.compile(
    r"\b(?:forecast|prediction|outlook|expectation|estimate|expected|projected|predicted)\s(?:for|in)\s(?:all of\s)?$"
)
THEN_FORECAST = re.compile(
    r"^,?\s(?:the\s|we\s|our\s|it\s|model\s|is\s)*(?:forecast|expect|predict|anticipat|project|estimate)"
)
RANGE_CUE = re.compile(r"\b(?:interval|range|between|from|band|bounds?|anywhere|low(?:er)? end|span)\b")
TOTAL_CUE = re.compile(
    r"\b(?:in total|overall|all told|altogether|in all|total|to date|so far altogether|since (?:its )?(?:release|"
    r"launch|debut)|"
    r"all[- ]time|lifetime|ever|cumulative|audience of|entire history|whole history|across its history)\b"
)
AVERAGE_CUE = re.compile(r"\b(?:averag\w*|mean|a month|per month|monthly mean)\b")
DELTA_VERB = re.compile(r"\b(?:lost|shed|gain\w*)\s")
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
STREAK_CUE = re.compile(r"\b(?:in a row|running|straight|consecutive|successive)\b")
FIRST_CUE = re.compile(
    r"\b(?:first(?!\s(?:month|time|half|week|\w+\sdays))|debut\w*|arriv\w*|(?:began|begins?|beginning|start\w*|"
    r"launch\w*)(?!\sof)|"
    r"released?|appear\w*|enter\w*|joined|premier\w*|new in)\b(?:(?!\b(?:since|than|from|after|to)\b)[^.;]){0,34}$"
)
PAST_TENSE = re.compile(r"\b(?:saw|brought|drew|had|has|counted|was|were|came|rose|fell|grew|\w+ed)\b")
INTERVAL = re.compile(r"\b(?:interval|range|band|bounds)\b")
LEVEL_CUE = re.compile(
    r"\b(?:\d+%|80 ?%|interval|chances?|likely|confiden\w*|probab\w*|range|out of|times in|in ten|in five)\b"
)
RANK_BEFORE = re.compile(
    r"(?:\b(?:rank(?:s|ed|ing)?|place[sd]?|position|spot|number|no\.?|placing)\b(?:\s(?:it|is|of|at|in|as|"
    r"the item|no\.?|number|the|place|position))*\s?#?|#)\s?$",
    re.IGNORECASE,
)
RANK_AFTER = re.compile(
    r"^(?:[\s-](?:place|position|spot|rank|on the list|in the (?:list|ranking)|of the (?:list|ranking)|overall))\b"
)
TOP_BEFORE = re.compile(r"\btop\s?-?$", re.IGNORECASE)
RATING_BEFORE = re.compile(r"\b(?:rated|(?<!\d\s)(?<!one\s)rating|stars|marks?)\b[^.;\d]{0,28}$", re.IGNORECASE)
SPAN_OF_MONTHS = re.compile(
    r"\b(?:over|within|in|during|for|past|last|across)\s(?:the\s)?(?:last\s|past\s|previous\s)?$"
)
BEFOREHAND = re.compile(r"\b(?:before|only to|and then|then)\s(?:\w+\s)?$")
SCALE_BEFORE = re.compile(r"\d\s?(?:/\s?|out of\s)$")
FACTOR_BEFORE = re.compile(
    r"\b(?:multipl\w+|divid\w+|scal\w+)\b[^,.;\d]{0,34}\bby\s(?:about\s|roughly\s|around\s)?$|"
    r"\bfactor of\s(?:about\s)?$",
    re.IGNORECASE,
)
PRICE_BEFORE = re.compile(
    r"\b(?:pric(?:e|ed|es)|costs?|sells? (?:for|at)|sold (?:for|at))\b[^.;\d]{0,24}$", re.IGNORECASE
)
RELEASE_BEFORE = re.compile(
    r"(?:\b(?:released?|release|made|produced|production|dates? from|dated|year|vintage|from|premier\w*|of|"
    r"published)\b"
    r"(?:\s(?:in|of|is|back|to|year|the|a|:))*\s?|\(|\b(?:a|an|this|the|its)\s)$",
    re.IGNORECASE,
)
RELEASE_AFTER = re.compile(
    r"^(?:[\s-](?:film|movie|title|release|production|picture|drama|comedy|book|album|edition|model|product)|\))"
)

PUSH = re.compile(
    r"\b(?:(?P<up>lift(?:s|ed|ing)?|rais(?:es?|ed|ing)|push(?:es|ed|ing)?(?: it| the forecast|"
    r" the number)? up(?:wards?)?|push(?:es|ed|ing)?(?! (?:it |the forecast |the number )?down)|"
    r"boost(?:s|ed|ing)?|add(?:s|ed|ing)?|multipl(?:y|ies|ied)|help(?:s|ed)?|tailwind|in (?:its|"
    r"the film's) favou?r|strengthen(?:s|ed)?)"
    r"|(?P<down>lower(?:s|ed|ing)?|cut(?:s|ting)?|trim(?:s|med|ming)?|pull(?:s|ed|ing)?(?: it| the forecast|"
    r" the number)? (?:down|back)|"
    r"drag(?:s|ged|ging)?|hold(?:s|ing)? (?:it )?back|held (?:it )?back|weigh(?:s|ed|ing)?|reduc(?:es?|ed|ing)|"
    r"shav(?:es?|ed|ing)|"
    r"tak(?:es?|ing)|took|push(?:es|ed|ing)?(?: it| the forecast| the number)? down|headwind|against it|"
    r"weaken(?:s|ed)?|divid(?:es?|ed)|dampen(?:s|ed)?))\b",
    re.IGNORECASE,
)
DRIVER_OBJECT = re.compile(r"\b(?:forecast|estimate|expectation|prediction|number|figure|it|score)\b")

VALUE_CUE_BEFORE = re.compile(
    r"\b(?:genres?|categor(?:y|ies)|filed|listed|catalogu?ed|tagged|labell?ed|classed|classified|shelved|under|"
    r"directed by|starring|brand|made by|department|section)\b[^.;\d]{0,60}$",
    re.IGNORECASE,
)
VALUE_CUE_AFTER = re.compile(
    r"^[\s-](?:\w+[\s-])?(?:films?|movies?|titles?|pictures?|productions?|genres?|categor(?:y|ies)|products?|"
    r"items?|shelf|"
    r"audiences?|fans?|label|tag|stor(?:y|ies)|range|releases?)\b",
    re.IGNORECASE,
)
VALUE_LINK = re.compile(r"^\s?(?:,|/|&|>|and|or|-|–|,\s?and|mixed with|meets|with)\s?$")
CREDIT = re.compile(
    r"\b(?:[Dd]irected by|[Ss]tarring|[Dd]irector|[Bb]rand)\s(?P<name>[A-Z][\w.'’-]+(?:\s(?:[A-Z][\w.'’-]+|de|van|"
    r"von|del|la))*)"
)

SENTENCE_END = re.compile(
    r"(?<!\bNo)(?<!\bvs)(?<!\b[A-Z])[.!?][”\"')\]]*\s+(?=[A-Z“\"‘'\[(\d□])|\n+|\[(?:Trend|Feature|Integration)\]:?"
)
CLAUSE_BREAK = re.compile(
    r";|,\s(?=(?:and\s)?then\b)|,\s(?=(?:while|whereas|but|although|though|yet)\b)|\s[—–]\s|\bwhereas\b|"
    r":(?=\s[a-z])(?!\s(?:[a-z]+\s){0,2}(?:\d|one\b))"
)
DENIES_VALUE = re.compile(
    r"(?:\b(?:not|never|no|neither|nor|anything but|far from|hardly|without)|n['’]t)\s(?!only\b|just\b|merely\b)"
    r"(?:(?!and\b|but\b)[\w'’-]+\s){0,4}$",
    re.I,
)
"""Before a value that the item is said not to have."""
