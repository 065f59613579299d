"""The words in which texts speak of levels on scales: sides, ends, whose level, what moves a score.

English only. Nothing here knows the writer whose texts are checked.
"""

import re
from collections.abc import Iterator

from whyrec.evaluation.verification.people_words import FELLOW, ITEM, PERSON
from whyrec.evaluation.verification.phrases import word_list


def _any(*parts: str) -> str:
    return f"(?:{'|'.join(parts)})"


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_HIGH = _any(
    r"high(?:er|est)?|strong(?:er|est|ly)?|great(?:er|est)?|intense|extreme(?:ly)?|very|much|plenty of|lots of",
    r"no (?:shortage|lack|end|want|dearth|scarcity) of|a lot of|full of|more|above[- ]average|considerable|"
    r"pronounced|elevated|big|large|heavy|rich in|marked(?:ly)?",
)
_LOW = _any(
    r"low(?:er|est)?|weak(?:er|est|ly)?|little|less|hardly any|scarcely any|barely any|few|no|lacking in|short on",
    r"(?:a )?(?:shortage|lack|dearth|scarcity|absence|want|deficit|paucity) of|below[- ]average|faint|slight|"
    r"modest|mild|small|minimal|light on|reduced|limited",
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
    rf"(?:lowers|lowered|hurts?|reduces?|(?<!-)cuts?){_THING}|lower (?:it|its|the score)",
    r"ranks? lower|(?:speaks?|spoke|counts?|counted|works?|tells?|weighs?) against|costs? it",
)
PUSH = _found(rf"\b(?:(?P<down>{_DOWNS})|(?P<up>{_UPS}))")
NO_SCALE = _found(r"\b(?:no|not one|none of the|not a single|not any)\s(?:aspects?|scales?|of them)\b")

_USER = _any(
    rf"(?:this |the |that |our )?{PERSON}s?(?:['’]s?)?|(?:this|the|that|our) {FELLOW}(?:['’]s)?",
    r"they|their|them|you|your|you['’](?:ve|re|d|ll)|he|his|she|her|tastes?|preferences?|prefers?|preferred|"
    r"liked|likes",
    r"wants?|looks? for|liking|fondness|appetite|penchant|inclination|history|profile|choices|picks|habits?|weakness",
    r"leanings?|soft spot|love of|love for|partiality",
)
_OFFERED = _any(
    rf"(?:you|viewers?|one|they|(?:the|this) {PERSON}|anyone|whoever watches it)(?:['’]ll)? (?:will |can |"
    r"should |may |might )?"
    r"(?:get|gets|find|finds|expect|are in for|is in for|be in for|be met|meet|be treated|are treated|be given|"
    r"encounter)",
    r"you(?:['’]ll| will| can| could| may| might| need(?: to)?| have to| must| won['’]t| needn['’]t| can['’]t| cannot|"
    r" (?:don['’]t|do not) (?:need|have) to)(?! (?:like|love|enjoy|prefer))",
    r"you['’]re in for|in store for you|waiting for you|treats you|gives you|offers you|takes you|serves you|"
    r"awaits you",
    r"(?:watch|see|take|choose|try) (?:it|this)|expect|awaits?|is offered|on offer",
)
_ITEM = _any(
    rf"□+|its?|it['’]s|(?:this|the) (?:{ITEM}|one)(?:['’]s)?",
    r"(?:film|movie|item|product)['’]s|here|this(?= (?:is|has|was|offers|comes|takes|moves|gives|keeps|will))",
)
SUBJECT = _found(rf"(?<!\w)(?:(?P<item>{_OFFERED}|{_ITEM})|(?P<user>{_USER}))(?!\w)")
USER_BEHIND = _found(
    r"[\s,]*(?:(?:is|are|was|were)\s)?(?:just |exactly |precisely )?(?:what|that|which|the sort of thing|"
    r"the kind of thing|how)\s"
    rf"(?:this |the |that )?(?:{PERSON}s?|you|they|he|she)\b(?!\s(?:get|find|see|will))"
)
"""Right behind a level that is the user's: "a slow pace is what you like"."""
_MIDDLE = r"(?:the )?(?:catalogue['’]?s? |overall )?(?:middle|midpoint|average|mean|usual|norm|ordinary|par|standard)"
_END = (
    r"(?:ends?|sides?|halves|half|range|part|third|reaches|region|regions|quarter|scores?|levels?|degree|notes?|"
    r"marks?|of the (?:scale|range|table|spectrum|ladder|league))"
)
_AMOUNT = _any(
    r"a lot|lots|plenty|loads|heaps|bags|tons|oodles|a great deal|a good deal|abundant|abundance|ample|aplenty|"
    r"galore",
    r"strong(?:ly)?|great(?:ly)?|intense(?:ly)?|pronounced|considerable|considerably|rich(?:ly)?|heavy|heavily|"
    r"marked",
    r"high(?:ly)?|maximum|elevated|up in the \w+|sky[- ]high|to the (?:full|brim|fore)|large doses?|by the bucketful",
)
_LITTLE = _any(
    r"hardly any|scarcely any|barely any|little|scant|scarce|meagre|minimal|minimum|slight(?:ly)?|modest(?:ly)?|"
    r"faint",
    r"weak(?:ly)?|poor|sparse|thin|low|next to no(?:ne|thing)?|not much|absent|negligible|in short supply|"
    r"a trace|a touch",
)
SIDE = _found(
    rf"\b(?P<side>above(?= {_MIDDLE})|below(?= {_MIDDLE})|under(?= {_MIDDLE})|over(?= {_MIDDLE})"
    rf"|(?:upper|top|higher|high|strong|far|plus|positive)(?= {_END})|(?:lower|bottom|low|weak|minus|"
    rf"negative)(?= {_END})"
    rf"|{_AMOUNT}|{_LITTLE})\b"
)
"""Anywhere in a clause that names one scale."""
_MORE = _any(
    r"more|higher|greater|stronger|faster|quicker|brisker|speedier|swifter|tenser|calmer|longer|shorter|larger|"
    r"bigger|richer|above|over|beyond|past|exceed(?:s|ed|ing)?|tops?|topped",
    r"outscores?|overshoots?|goes? further|surpass(?:es|ed)?|outdo(?:es)?|outstrips?|outweighs?|outranks?|outpaces?|"
    r"beats?|ahead of|in excess of|north of",
    r"upwards of|better|overtakes?|trumps?|eclipses?|up on|a cut above|a notch above|leaves? behind|extra|too much",
)
_LESS = _any(
    r"less|lower|weaker|smaller|fewer|slower|milder|poorer|below|under|beneath|(?:falls? )?short of|trails?|"
    r"lags?|behind",
    r"shy of|south of|down on|not up to|worse|a notch below|not reach|fails? to reach|undercuts?|undershoots?|"
    r"underscores?|stays? short|inferior to|"
    r"too little",
    r"not as (?:much|high|strong|great)|not so (?:much|high|strong)|lighter|fainter",
)
COMPARATIVE = _found(rf"\b(?:(?P<less>{_LESS})|(?P<more>{_MORE}))\b")
NEEDS_THAN = _found(
    r"more|higher|greater|stronger|faster|quicker|brisker|speedier|swifter|tenser|calmer|longer|shorter|larger|"
    r"bigger|richer|better|extra|less|lower|weaker|smaller|fewer|slower|milder|"
    r"poorer|worse|lighter|fainter|too much|too little|past|not (?:as|so) \w+"
)
DENIED_BEHIND = _found(
    r"[\s,]*(?:it|this|they|the \w+|□+)?\s?(?:is|are|was|were|does|do|has|have)(?:\snot|n['’]t|\snever|\sout)\b|"
    r"\s(?:is|are) (?:missing|absent|lacking|nowhere|avoided|the last thing)"
)
VERSUS = _found(r"\b(?:vs|versus|or|against)\b|/")
LEANS = _found(
    r"\b(?:(?:stands?|goes?|looks?|looking|opts?|made|known|taste|liking|fondness|love|weakness|preference|"
    r"appetite|penchant|"
    r"craving|longing|care|cares|longs?|fall|falls|soft spot|after) for|after|leans? (?:to|towards?)|"
    r"tends? (?:to|towards?)|"
    r"inclin\w+ (?:to|towards?)|points? (?:to|towards?)|marked by|defined by|characteri[sz]ed by|driven by|"
    r"expect|prefers?|likes?|"
    r"loves?|enjoys?|wants?|seeks?|favou?rs?|craves?|fond of|fan of|keen on|drawn to|partial to|full of|offers?|"
    r"promises?|"
    r"delivers?|provides?|brings?|serves up|you get|comes with|counts? on|lives? on|thrives? on|relies on|"
    r"rich in|strong on|"
    r"thing is|tastes? run|runs to|one for|has|have|gets?|notable for|known for|distinguished by|hallmark is|chooses?|"
    r"chose|picks?|marked out by|with it|comes|consists of|all about|fancies|"
    r"big on|goes in for|go in for|there is|there['’]s|is all about|what you get is|with □+ is)\s(?:\w+\s){0,2}$"
)
"""Before a scale that is said to be much there, or much liked."""
GIVES_FIGURE = _found(r"\d|\b(?:score|scale|rating|mark|points?)\b")
IS_COMPARATIVE = _found(r"\b(?:slower|faster|quicker|brisker|speedier|swifter|tenser|calmer|longer|shorter)$")
GIVES_MARK = _found(
    r"(?:\b|(?<=it)['’])(?:s(?= an? )|scor(?:es?|ed|ing)|gets?|got|given|gave|give|awarded|earn(?:s|ed)|rates?|rated|"
    r"marks?|marked|at|of|is|"
    r"reach(?:es|ed)|"
    r"puts?|stands?|takes?|receiv(?:es|ed)|comes? out)\s(?:it\s|at\s|an?\s|as\s|in at\s|a mark of\s|a solid\s|"
    r"a good\s){0,2}"
    r"(?P<n>one|two|three|four|five|six|seven|eight|nine|ten)\b(?!\s(?:of the|in the|films?|movies?|people|or|"
    r"ways?|hours?))"
)
"""Before a level in words: "scores nine for suspense"."""
THAN = _found(rf"\b(?:than|as|for (?:you|them|him|her|(?:this|the) {PERSON}))\b")
COMPARES = _found(
    r"\b(?:compared|in comparison|by comparison|relative|next|measured|set|put|held|weighed) (?:with|to|against|"
    r"beside)\b|"
    r"\bagainst\b|\bbeside\b"
)
PAIR = _found(
    rf"\b(?:you|your|yours|{PERSON}s?|they|their|his|her|tastes?|preferences?|two|both|"
    r"each other|"
    r"together|liking)\b"
)
_OTHERS = _any(
    r"(?:average|avg|mean|usual|ordinary|typical|normal|common|median|run-of-the-mill|standard|middling|general|"
    r"customary)"
    r"(?: \w+)?",
    r"most(?: (?:others?|films?|movies?|of (?:them|the rest)|titles?|items?|pictures?))?|the (?:rest|others|norm|"
    r"middle)",
    r"(?:the )?(?:catalogue|others|other films|other movies|other titles|par|midpoint)|(?:the )?(?:next|"
    r"other) (?:film|movie|one)",
    r"what is (?:usual|common|normal)|usual",
)
MEAN = _found(rf"\b(?:the |an? |your |that of the |its )?(?:{_OTHERS})\b")
"""What an item is compared with where that is no user."""
_TAKES = _any(
    r"likes?|prefers?|preferred|wants?|goes for|go for|takes?|chooses?|choose|enjoys?|loves?|picks?|favou?rs?|seeks?",
    r"looks? for|is (?:used|accustomed) to|are (?:used|accustomed) to|opts? for|has|have|tends?|asks? for|needs?|"
    r"leans?",
    r"watch(?:es)?|see|sees|view(?:s)?|expects?|used to|accustomed to|is happy|are happy|feels?|cares?|would|"
    r"wish(?:es)?|is after|are after|drawn to|"
    r"['’](?:re|s|d) \w+",
)
_WHO = _any(
    rf"(?:this |the |that |our |said )?{PERSON}|(?:this|the|that|our) {FELLOW}",
    r"you|they|he|she|one",
)
_WHOSE = _any(
    rf"(?:this |the |that |our )?{PERSON}s?['’]s?|(?:this|the|that|our) {FELLOW}['’]s",
    r"your|their|his|her",
)
_LIKED = _any(
    r"own|usual|taste|tastes|preference|preferences|preferred|liking|level|score|mark|comfort|choice|choices|history",
    r"habits?|profile|favou?rite|average|wishes|ideal|picks|standard|norm|past",
)
USERS = _found(
    rf"\b(?:{_WHOSE} (?:\w+ )?{_LIKED}\b(?! (?:film|movie|title|picture|item|one)\b)"
    rf"|(?:what|how|as|than|where|that|level|levels|which|one|amount|"
    rf"degree) (?:much )?(?:of it )?{_WHO}(?:['’](?:re|s|ve|d))? "
    rf"(?:\w+ ){{0,2}}?(?:{_TAKES})|(?:the )?(?:{PERSON}|preference|taste)s?(?! is| are|['’])\b"
    rf"|(?:suits|to|for) (?:you|them|him|her|(?:the|this) {PERSON})\b|than you\b)"
)
"""A user's own level, with which an item is compared."""
_SIDES = _any(
    r"(?:on |to |from |at |in |of )?(?:the |a |one |two )?(?:same|other|opposite|opposing|different|contrary) "
    r"(?:sides?|ways?|directions?|ends?|half|halves|poles?|camps?|corners?|page|wavelength|league|mind|line|boat|"
    r"tack)"
    r"(?: of the (?:mean|average|scale|middle))?",
    r"(?:dis)?agree(?:s|d|ing|ment)?|see eye to eye|(?:far |poles |worlds |miles )apart|differs?|part (?:ways|"
    r"company)",
    r"(?:go|goes|pull|pulls|lean|leans|point|points|drift|tend) (?:their |its )?(?:in )?"
    r"(?:separate|different|opposite|opposing|contrary) (?:ways|directions)",
    r"clash(?:es)?|are alike|alike|at odds|in step|out of step|at loggerheads|in accord|in agreement|in harmony|"
    r"in tune",
    r"out of tune|at one|of one mind|like[- ]minded|(?:do |does |don['’]t |doesn['’]t )?match(?:es|ed)?|"
    r"mismatch(?:ed)?",
    r"coincides?|diverges?|converges?|side by side|two of a kind|hit it off|(?:well|badly|ill|poorly)[- ]matched",
    r"opposed|opposites|like-for-like|tall(?:y|ies)|chimes?|fall out|at variance|conflicts?|contradicts?",
    r"(?:do not|don['’]t|does not|doesn['’]t) (?:agree|match|meet)|pull in (?:different|opposite) directions",
    r"(?:stand|go|pull|hang) (?:together|apart)|are aligned|aligned|concurs?|go together|are in line|in line with|"
    r"point the same way|pull together|hand in hand|fits?|get on|get along",
    r"(?:have|has|having) (?:\w+ ){0,3}?in common|in common|(?:a |the )?perfect (?:match|pair)|two peas in a pod|"
    r"chalk and cheese|cut from the same cloth|suited|think (?:alike|differently)|a (?:good|"
    r"poor|bad) match|near each other|close together|far from each other|meet|akin|kindred",
)
SAME_SIDE = _found(rf"\b{_SIDES}\b")
_APART = _found(
    r"chalk|other|opposite|opposing|opposed|different|contrary|separate|disagree|apart|\bnot\b|n['’]t|differ|"
    r"part (?:ways|company)|"
    r"clash|odds|out of|loggerheads|mismatch|diverge|badly|ill-|poor|bad match|fall out|variance|conflict|contradict|"
    r"far from"
)
_LARGER = r"(?:larger|greater|bigger|main|most|better)"
_LEARNT = _any(
    r"what (?:was|is|has been) learn(?:t|ed) (?:of|from|about) who took what|who took what",
    r"what (?:people|others|users) (?:took|choose|chose|bought) together",
)
BASE = _found(
    rf"(?:\b(?P<larger>the {_LARGER} part of (?:its|the) score|most of (?:its|the) score)\b[^.;]{{0,40}}?)?"
    rf"(?P<here>\b(?:is |stands |was )?(?:here|listed) (?:for|because of) )?"
    rf"\b{_LEARNT}\b(?:[^.;]{{0,30}}?(?P<against>(?:speaks?|counts?|works?|tells?|pulls?) against)"
    rf"|[^.;]{{0,30}}?(?P<larger_after>(?:is|makes up|gives) (?:the {_LARGER} part|most)))?"
)
CLAUSE_END = _found(
    r";\s|\s[—–]\s|,\s(?:but|while|whereas|yet|though|although|and (?=(?:its?|this|the|they|their|you|your)\b))"
    r"|(?<!anything)(?<!nothing)\s(?:but|while|whereas|although|though)\s"
)
FIGURES_OF_SCALE = _found(
    r"(?:/\s?(?:10|3)\b|\bout of (?:10|3|ten|three)\b|\bof (?:10|ten)\b|(?<=\d\s)of 3\b|\b(?:10|3|ten)[- ]point\b"
    r"|\b(?:0|1|zero|one)\s?(?:to|-|–|and)\s?(?:10|3|ten|three)\b)(?!\.\d)"
)
"""What is a scale's own, not a claim: "out of 10", "from 1 to 10"."""
NO_END = _found(
    r"measured (?:against|at|by|as|in|on|beside)\b|composed of\b|short of\b|long (?:been|since|list|record|history)\b|"
    r"period (?:of|in question|under)\b|deep (?:down|in)\b|grounded on\b|quick (?:look|word)\b"
)
"""Words for an end that name none there."""
FALLS = _found(r"\bfalls?\s$")
TOP_OF_SCALE = _found(r"(?:/|\b(?:of|to|out of|scale of))\s?$")
"""Before the 10 of "8 of 10" or "1 to 10"."""
_LOWS = _found(rf"below|under|bottom|minus|negative|{_LITTLE}|{_LOW}")
_EXTREME = _found(r"^(?:very|highly|extremely|completely|pure(?:ly)?|all|fully|mostly|deeply)\s")
_BRACKETS = _found(r"\s\([^)]*\)$")
_TAIL = _found(r"\s(?:levels?|scores?|degrees?)$")


def is_high(side: str) -> bool:
    """Which side a word names."""
    return _LOWS.match(side) is None


def are_apart(said: str) -> bool:
    """Whether words for two sides say that they differ."""
    return _APART.search(said) is not None


def names_of(key: str, name: str) -> Iterator[str]:
    """Patterns that name a scale: as it is called, turned round, without "level" and the like, by its key."""
    folded = name.casefold()
    short = _BRACKETS.sub("", folded)
    for plain in dict.fromkeys((folded, short, _TAIL.sub("", short), key.casefold().replace("_", " "))):
        for same in (plain, plain.replace("&", "and"), plain.replace("complexity", "sophistication")):
            yield as_pattern(same)
            first, _, last = same.rpartition(" ")
            if first and " vs" not in same:
                yield as_pattern(f"{last} of {first}")
        low, versus, high = plain.partition(" vs. ")
        if versus:
            either = _BETWEEN.format(low=as_pattern(low), high=as_pattern(high))
            yield from (either, _BETWEEN.format(low=as_pattern(high), high=as_pattern(low)))
    yield from word_list("aspect_words").get(key, {}).get("names", ())


_BETWEEN = "{low} versus|vs|or|against|and|to {high}"


def ends_of(key: str, means: str, *, is_high: bool) -> Iterator[str]:
    """Patterns for an end: as it is described, without the word that makes it extreme, in other words."""
    folded = means.casefold()
    yield as_pattern(folded)
    yield as_pattern(_EXTREME.sub("", folded))
    yield from word_list("aspect_words").get(key, {}).get("high" if is_high else "low", ())


def leant_to(key: str, *, is_high: bool) -> Iterator[str]:
    """Patterns for an end in everyday words, which mean it only where somebody leans to it: "a taste for magic"."""
    yield from word_list("aspect_words").get(key, {}).get("high_if_leant_to" if is_high else "low_if_leant_to", ())


def as_pattern(said: str) -> str:
    """A phrase as a pattern that stands for itself."""
    return re.sub(r"[\W_]+", "_", said).strip("_")
