"""How texts say that a month was the best or the worst: "never busier than", "past its peak", "as big as ever"."""

import re

SINCE = re.compile(
    r"\bsince\s(?:the\s|way\sback\sin\s|back\sin\s|as\sfar\sback\sas\s|those\s(?:of|in)\s|that\s(?:of|in)\s|early\s|"
    r"late\s|"
    r"mid-|the\sdays\sof\s)?$"
)
AMOUNT = re.compile(
    r"\b(?:(?P<low>(?:as|so|that|this) (?:few|little|badly|poorly)|fewest|least|(?:fewer|less)\b)|(?P<high>(?:as|so|"
    r"that|this) "
    r"(?:many|much|well)|most|more|(?:numbers?|figures?|anything|nothing|crowds?|turnouts?|one|it|(?:a )?month|"
    r"totals?) (?:quite )?"
    r"(?:like|to match|to equal|to rival|to touch|to compare)|such|(?:match|beat|equal|top|surpass|better|exceed|rival|"
    r"outdo|outstrip)(?:ed|s|es|en|led)?))\b"
)
NEVER = re.compile(
    r"\b(?:never|at no (?:time|point|stage|moment)|no (?:other |single )?(?:month|period|time|stretch|point)|"
    r"not once|nothing|"
    r"not (?:a|one|any)(?: single)?(?: other)? month|none|nowhere|in no (?:other )?month|hasn['’]t|hadn['’]t|has not|"
    r"had not)\b"
)
THAN = re.compile(
    r"^(?:[^,;.]{0,40}?)\b(?:than|as)\s(?:it\s(?:was|did|had|has)\s|they\s(?:were|did)\s|what it (?:was|did)\s)?"
    r"(?:back\s)?(?:in\s|during\s|for\s|at\s)?(?:the month of\s)?$"
)
BEATS = re.compile(
    r"\b(?:(?P<high>exceed|surpass|beat|top|match|outd[oi]d?|outdo|equal|better|bett|outstrip|outperform|eclips|"
    r"rival|overtak|"
    r"overtook|touch|comes? close to|came close to|comes? near|came near|get near|got near|climb\w* above|"
    r"r[io]se\w* above|go above|"
    r"went above|got "
    r"above|rise beyond|grew beyond)|(?P<low>fall below|fell below|dip\w* below|drop\w* below|s[ia]nk below|go below|"
    r"went below|"
    r"undercut|undershot|(?:fall|fell|sink|sank|drop\w*|dip\w*|go|went|s[ia]nk) (?:any )?(?:lower|further|"
    r"deeper) than))"
    r"\w*\s(?:(?:that|those|what it did|the \w+) (?:of|in|for)\s|in\s)?$"
)
UNBEATEN = re.compile(
    r"['’]?s?\s(?:\w+\s){0,3}?(?:(?:was|were|has|is|have|had)\s)?(?:never|not|yet to)\s(?:since |again |yet |"
    r"once )*(?:been|be)\s(?:since |again |yet |once )*"
    r"(?:better|beat|top|match|surpass|exceed|equal|outd|eclips|rival|repeat|overtak|outstrip)\w*"
)
OTHER_MONTHS = re.compile(
    r"\b(?:every|all|any|each)(?: the| of the)? (?:other|remaining) months?\b|\bthe other months\b|\bthe rest\b"
)
SCOPE = re.compile(
    r"\b(?:local|second|third|fourth|next|minor|previous|another|secondary|one of (?:its|the|their)|among (?:its|the)|"
    r"near|close to|toward|towards|almost|nearly)(?:[\s-]\w+)?\s?-?$"
)
NOT_COUNT = re.compile(
    r"^[\s-](?:end|bound|limit|edge|side|bracket|estimate|case|rise|fall|drop|decline|increase|jump|gain|loss|"
    r"change|swing|surge|dip|leap|slump|genre|fans?|known|sellers?|films?|picture|movie|of all likelihood|part|"
    r"ranked|rated|recent)\b"
)
AT = re.compile(r"\b(?:at|does its|do its|did its|all the|for the)\s$")
RECORD_IDIOM = re.compile(r"\b(?:on|track|off the|for the|a matter of|user|broken|watch|whole|entire)\s$")
PAST = re.compile(
    r"\b(?P<past>past|passed|beyond|over|well past|behind)(?:\s(?:its|the|that|their))?\s(?:own |monthly |former |"
    r"earlier )?$|"
    r"\b(?P<below>off|below|beneath|under|short of|shy of|down (?:on|from)|a shadow of|nowhere near|far from|"
    r"away from|lower than|"
    r"behind|adrift of|not at|no longer at|out of reach of)\s(?:its|the|that|their|an|a)?\s?(?:own |former |earlier |"
    r"previous |"
    r"all-time |monthly |old )?$"
)
AS_OF = re.compile(r"\b(?:as of|come|by|until|up to|so far|to date|at the end of|with|through)\b")
EVER = re.compile(
    r"^\s(?:an? \w+\s|a month\s)?(?:as|than)\s(?:(?:it|they|the \w+|anything)(?:['’](?:s|d)|\s(?:has|had|have|"
    r"was))?\s)?(?:\w+\s)?"
    r"(?P<ever>ever\b|at any (?:time|point|stage)|any(?:thing)? before|before\b)"
)
ONCE = re.compile(
    r"^\s(?:an? \w+\s)?(?:as|than)\s(?:it|they)(?:['’](?:s|d))?\s?(?:has|had|have|was|were)?\s?(?:once|previously|"
    r"formerly|earlier|"
    r"used to|at (?:one|its)|been)\b"
)
WAS_MORE = re.compile(
    r"\b(?:had|has|have|['’]d|once|used to|did)\s(?:already |once |previously |even )*(?:been|be|seen|known|"
    r"enjoyed)\s(?:\w+\s)?$"
)
BEHIND = re.compile(
    r"\b(?:(?:had seen|has seen|seen|known) (?:better|busier|bigger) (?:days|months|times)|"
    r"(?:best|biggest|busiest|glory|peak|great)\w* (?:days?|months?|times?|weeks)? ?"
    r"(?:were|was|is|are|lay|lies|had been|already)(?: already| now| well)? (?:over|behind|gone|past)|"
    r"peak (?:was|is|had|has|lay|lies)(?: already| now| been| long)* (?:over|behind|gone|past|passed|come and gone)|"
    r"over the hill\b|(?:not|n['’]t) what it (?:had been|once was|used to be|was before|had once been)|"
    r"peak (?:was|had been|is|has been) (?:already |long )?passed|"
    r"had (?:already )?(?:peaked|had its (?:peak|day|moment|heyday))|already (?:peaked|had its (?:peak|day|moment))|"
    r"had its day\b(?! in)|no longer (?:at|on) (?:its|the) (?:peak|height|maximum|best|top|summit|high))"
)
