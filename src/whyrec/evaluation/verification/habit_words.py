"""The words in which texts speak of a user's habits: others to compare with, most of all, ever, lately, liking.

English only. Every list holds the ways of many kinds of writers: the catalogue's, the press's, a friend's.
"""

import re


def any_of(*phrases: str) -> str:
    """A group of alternatives, longest first."""
    return "(?:" + "|".join(sorted(phrases, key=len, reverse=True)) + ")"


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


TOOK = any_of(
    *("watch(?:es|ed|ing)?", "seen?", "sees", "saw", "takes?", "took", "taken", "chooses?", "chose", "chosen"),
    *("pick(?:s|ed)?", "buys?", "bought", "view(?:s|ed)?", "rent(?:s|ed)?", "consumed?", "enjoyed", "sat through"),
    *(
        "borrow(?:s|ed)?",
        "sampled",
        "touched",
        "tried",
        "tasted",
        "logged",
        "rated",
        "recorded",
        "put on",
        "played",
        "ordered",
        "read",
    ),
    *("purchased", "selected", "reached for", "gone for", "dipped into", "ventured into", "come across"),
)
OF_USER = _found(
    r"\b(?:the (?:record|log|diary|files?|books|ledger)|borrowers?|punters?|watchers?|entries|loans?|"
    r"interest in|attention|users?|viewers?|customers?|readers?|shoppers?|patrons?|subscribers?|members?|"
    r"persons?|history|interactions?|"
    r"share|minority|majority|you|your (?:own |all-time |absolute )?(?:favou?rites?|tastes?|habits?|diet|shelf|"
    r"viewing|"
    r"evenings?|first choice|thing|cup of tea)|they|we|overrepresented|underrepresented|on record|on file|"
    r"most people|others do|choices|picks|selections|viewings?|fondness|liking for|predilection|preferences?|"
    r"inclination|affinity|appetite|tastes?|weakness for|soft spot|passion for|partiality|penchant|leanings?|"
    r"bent for|"
    rf"habits?|(?:has|have|had|was|were|is|are|been|being|ever) (?:\w+ )?{TOOK}(?! by\b))\b"
)
OF_ITEM = _found(
    r"\b(?:it|its|it['’]s|this (?:one|film|movie|item|product|title|book|game)|the (?:film|movie|item|product))\b"
)
DUMMY_IT = _found(
    r"\b(?:(?:when|where|if|as) it comes to|it(?: is|['’]s| was) (?:\w+ )?(?:clear|plain|evident|obvious|"
    r"no secret|fair|"
    r"safe|true|known|apparent|easy|striking|noticeable|worth|no wonder|no accident)|it (?:seems|appears|"
    r"turns out|looks|"
    r"must be said|shows)|as it (?:were|happens)|the (?:film|movie)s? (?:history|diary|log|viewed|watched|seen|"
    r"chosen))\b"
)
"""An "it" that stands for no item."""

OTHERS = any_of(
    r"(?:the )?(?:average|mean|typical|usual|other|ordinary|normal|common|general|regular) "
    r"(?:users?|viewers?|customers?|readers?|shoppers?|people|persons?|one|audiences?|movie-?goers?|film-?goers?|"
    r"cinema-?goers?|public|population|subscribers?|members?|watchers?|folks?|man|patrons?|spectators?|consumers?)",
    r"most (?:people|users|viewers|customers|readers|folks?|others|audiences|patrons|of us)",
    *("others", "everybody", "everyone", "anybody else", "anyone else", "the rest", "average", "usual", "the norm"),
    *("the crowd", "the public", "the population", "(?:their|your|his|her) peers", "the next (?:person|man|viewer)"),
    *("the benchmark", "the baseline", "the mean", "normal", "is customary", "is common", "one would expect"),
)
_LESS = any_of(
    *(
        "less",
        "fewer",
        "lower",
        "below",
        "under-?represented",
        "smaller",
        "rarer",
        "weaker",
        "falls? short of",
        "lags?",
    ),
    *("trails?", "behind", "beneath", "slighter", "lighter", "thinner", "cooler", "fainter", "poorer", "shorter of"),
    *("more (?:rarely|seldom|sparingly|infrequently)", "not (?:nearly |half )?(?:as|so) (?:much|often|many|keen|fond)"),
    *(r"n['’]t (?:\w+ ){0,3}(?:as|so) (?:much|often|many|keen|fond)", "undershoots?", "scarcer"),
)
_MORE = any_of(
    *("more", "higher", "above", "over-?represented", "larger", "greater", "stronger", "bigger", "keener", "oftener"),
    *("exceeds?", "outstrips?", "outpaces?", "beats?", "tops", "ahead of", "surpass(?:es)?", "outweighs?", "fonder"),
    *("in excess of", "heavier", "richer", "warmer", "deeper", "livelier", "overshoots?", "outnumbers?", "beyond"),
)
_TO_OTHERS = rf"(?:[^.;?]{{0,60}}?\b(?:{OTHERS})\b)?"
MORE_THAN_OTHERS = _found(rf"(?:(?<!\w)|(?=n['’]t))(?:(?P<less>{_LESS})|(?P<more>{_MORE}))\b{_TO_OTHERS}")
NAMES_OTHERS = _found(rf"\b(?:{OTHERS}|over-?represented|under-?represented)\b")
HALF = _found(
    r"\b(?:(?P<more>(?:over|more than|above|at least|better than|upwards of) half|the (?:\w+ )?majority|"
    r"most of (?=the|"
    r"their|your|what)|the (?:greater|better|larger|bigger) part)|"
    r"(?P<less>(?:under|less than|below|fewer than|not even|short of) half|(?:the|a) (?:\w+ )?minority|"
    r"the (?:lesser|smaller) part))\b"
)
MOST = _found(
    r"\b(?:most of all|more (?:often )?than any(?:thing|\s)|above all|before all else|"
    r"most (?:frequent|common|watched|taken|chosen|often|viewed|popular|favou?red|picked|seen|numerous|loved|"
    r"prominent)|"
    r"(?<!one of the )(?<!one of your )(?<!one of their )(?<!one of his )(?<!one of her )(?<!among the )favou?rites?|"
    r"nothing (?:is|gets|was|has been) \w+ (?:more|so) (?:often|much)|(?:nothing|no one|"
    r"none)(?: else)? (?:comes close|compares|beats|tops|rivals|matches)|number one|"
    r"no\.? ?1|first and foremost|the (?:main|chief|principal|leading|top|biggest|largest|commonest)|top of the|"
    r"can['’]t get enough|cannot get enough|"
    r"no(?: other)? (?:kind|sort|type|genre|category|class|variety)\b[^.;?]{0,40}\b(?:more|as|so|often(?:er)?) often|"
    r"no(?: other)? (?:kind|sort|type|genre|category|class|variety)\b[^.;?]{0,40}\bmore\b|"
    r"(?:leads?|heads?|tops?) the (?:list|field|pack|table|ranking|chart)s?|at the (?:top|head) of|"
    r"dominat(?:e|es|ed|ing)|ranks? first|(?:in|takes?) first place|prevails?|predominat(?:e|es)|"
    r"lion['’]s share|go-to|first choice|second to none|bread and butter|outnumber every)\b"
)
"""As often as no other value."""
EVER = _found(
    r"\b(?:before|on record|on file|ever|a taste of|never|not once|already|in the history|so far|until now|to date|"
    r"touched|tried|a single (?:one|film|movie)?|at all|at least one|at least once|some|"
    rf"(?:has|have|had|['’]ve|['’]s|haven['’]t|hasn['’]t|hadn['’]t|been|being) (?:\w+ )?{TOOK})\b"
)
NEVER = _found(
    r"\b(?:new to|unfamiliar|unknown to|strangers? to|untouched|absent|missing|lacks?|devoid of|no trace of|free of|"
    r"a first|first ever|first-ever|yet to|still to|uncharted|terra incognita|nowhere)\b"
)
DENIED = _found(r"\b(?:never|not|no|none|without|not once|hardly ever|neither|nor|nobody|zero|cannot)\b|n['’]t\b")
NO_DENIAL = _found(
    r"\b(?:no (?:doubt|question|secret|wonder|surprise|mistake|mistaking|denying|less|fewer|end|contest)|"
    r"not (?:only|just|merely|least|to mention|for nothing|surprisingly)|nothing (?:else|beats)|"
    r"can['’]t (?:get enough|resist|help)|cannot (?:get enough|resist|help)|never (?:tires?|misses|says no|fails?)|"
    r"no(?: other)? (?:kind|sort|type|genre|category|class|variety)|don['’]t you|haven['’]t you|aren['’]t you|"
    r"isn['’]t it|nobody (?:needs|has|is going) to|no(?: one)? needs? to|without (?:a |any )?(?:doubt|question|"
    r"fail|exception))\b"
)
"""Words of denial that deny nothing of the value."""
DISLIKES = _found(
    r"\b(?:rarely|seldom|hardly(?: ever)?|scarcely|barely|avoids?|avoided|dislikes?|shuns?|hates?|detests?|loathes?|"
    r"not (?:a |much of a |an? \w+ )?(?:fan|friend|lover|admirer)|no (?:great |big |particular |real )?"
    r"(?:fan|friend|lover|admirer|fondness|liking|taste|appetite|love|interest|enthusiasm)|"
    r"(?:not|n['’]t) (?:\w+ )?(?:keen|fond|care|like|love|enjoy|interested|into|partial|big on|warm to|go in for)|"
    r"little (?:\w+ )?(?:time|love|interest|taste|appetite|use|patience|enthusiasm|fondness|liking)|cold on|cool on|"
    r"indifferent|wide berth|steers? clear|keeps? (?:away|clear)|stays? (?:away|clear)|once in a blue moon|"
    r"turns? (?:\w+ )?(?:nose|back)|not (?:really )?(?:\w+ )?(?:thing|cup of tea)|averse|aversion|"
    r"leaves? [^.;]{1,30} cold|can(?:no|['’])t (?:stand|abide|bear|be bothered)|put off by)\b"
)
LIKES = _found(
    r"\b(?:likes?|loves?|adores?|enjoys?|prefers?|favou?rs|cherishes|relishes|fanc(?:y|ies)|appreciates?|admires?|"
    r"fond of|fans? of|lovers? of|admirers? of|devotees? of|friends? of|enthusiasts?|keen on|(?:drawn|partial|given|"
    r"devoted|inclined|attracted|addicted|hooked) (?:to|on)|big on|sweet on|mad (?:about|for|on)|crazy (?:about|for)|"
    r"nuts about|wild about|a sucker for|"
    r"(?:liking|love|fondness|taste|weakness|eye|soft spot|preference|appetite|passion|penchant|predilection|thing|"
    r"inclination|affinity|bent|hunger|partiality|enthusiasm|leaning|craving) (?:\w+ )?(?:for|to|towards?)|"
    r"one of (?:\w+ )?favou?rites?|among (?:\w+ )?favou?rites?|favou?rites?|lean(?:s|ing)? (?:to|towards)|"
    r"gravitates? (?:to|towards)|tends? towards?|(?:comes?|goes|keeps? coming|returns?) (?:back )?to|go(?:es)? for|"
    r"turns? to|can['’]t (?:resist|get enough)|never tires? of|interest(?:ed)? in|into|(?:right )?up (?:your|"
    r"their|his|her) (?:street|alley)|cup of tea|(?:your|their|his|her) thing)\b"
)

LATELY = _found(
    r"\b(?:lately|recently|of late|latterly|nowadays|these days|now|in recent \w+|in the (?:recent|near) past|"
    r"(?:as of|just) recently|of recent|(?:the|their|your|his|her) (?:last|latest|most recent|newest) (?:\w+ )?\w+|"
    r"this past \w+|increasingly|more and more|less and less|fewer and fewer|ever more|ever (?:fewer|less)|"
    r"than (?:before|earlier|formerly|in the past|previously|once|(?:they|you|he|she|it) used to)|"
    r"on the (?:wane|decline|slide|ebb|way out|rise|increase|up|ascent|way up|up and up)|used to|"
    r"(?:the|a) (?:trend|turn|shift|drift|swing|move))\b"
)
TURN_DOWN = (
    r"fewer|less|decreas(?:e|es|ed|ing)|declin(?:e|es|ed|ing)|dropp?(?:s|ed|ing)?|f(?:a|e)ll(?:s|en|ing)?|"
    r"shr(?:i|u)nk(?:s|ing)?|"
    r"dwindl(?:e|es|ed|ing)|wan(?:e|es|ed|ing)|cool(?:s|ed|ing)|lessen(?:s|ed|ing)?|diminish(?:es|ed|ing)?|"
    r"reduc(?:e|es|ed|ing)|slipp?(?:s|ed|ing)?|fad(?:e|es|ed|ing)|tail(?:s|ed|ing)? off|sunk|sank|sinking|"
    r"(?:turn|mov|drift|shift|shy|stray|swing|swung|lean|walk|veer|wander|steer)\w*(?: \w+)? away(?: from)?|"
    r"away from|"
    r"(?:gone|going|went) off|los(?:t|ing) (?:interest|taste|touch)|cut(?:ting)? (?:down|back)|eas(?:ed|ing) off|"
    r"(?:grown|grew|got|become) (?:\w+ )?(?:tired|weary) of|giv(?:en|ing) up|rarer|scarcer|lower|smaller|down|"
    r"on the (?:wane|decline|slide|ebb|way out)|thinn(?:ed|ing)"
)
TURN_UP = (
    r"more|increas(?:e|es|ed|ing|ingly)|gr(?:ow|owing|own|ew|ows)|r(?:i|o)s(?:e|es|en|ing)|climb(?:s|ed|ing)?|"
    r"gain(?:s|ed|ing)?|swell(?:s|ing)?|swollen|soar(?:s|ed|ing)?|jump(?:s|ed|ing)?|expand(?:s|ed|ing)?|"
    r"(?:turn|mov|drift|shift|swing|swung|lean|veer|warm|gravitat|head|edg)\w* (?:in\w* )?(?:towards?|to)|towards?|"
    r"taken to|taking to|took to|(?:got|getting|gotten) into|com(?:e|ing) (?:a)?round to|picked up|picking up|"
    r"on the (?:rise|increase|up|ascent|way up|up and up)|up|higher|larger|bigger|greater|stronger|"
    r"discover(?:ed|ing)|taken up|com(?:e|ing) to the fore"
)
TURN = _found(rf"\b(?:(?P<down>{TURN_DOWN})|(?P<up>{TURN_UP}))\b")

IN_THE_PAST = _found(r"\b(?:used to|once|formerly|in the past|earlier on)\b")
"""Before words of more or less: what was so then is so no longer."""
