"""The words in which texts speak of a user's history: how much of it, more than others, lately, most, never, liking.

English only. Nothing here knows the writer whose texts are checked.
"""

import re

from whyrec.evaluation.verification import people_words
from whyrec.evaluation.verification.lexicon import NUMBER_WORDS


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


PERSON = rf"(?:{people_words.PERSON}s?)"
TOOK = (
    r"(?:watch(?:es|ed|ing)?|seen?|sees|saw|takes?|took|taken|chooses?|chose|chosen|pick(?:s|ed)?|buys?|bought|"
    r"view(?:s|ed)?|rent(?:s|ed)?|consumed?|enjoyed|sat (?:through|down)|borrow(?:s|ed)?|sampled|touched|tried|"
    r"tasted|logged|rated|recorded|put on|played|ordered|read|purchased|selected|reached for|gone (?:for|through|to)|"
    r"dipped into|ventured into|come across|got(?:ten)? through|been through|met|loaned|devoured|streamed|caught|"
    r"clocked|racked|notched|checked out|taken out|had|opted|turned)"
)
OF_USER = _found(
    rf"\b(?:(?:that|(?:this|the|our|these|said|same)(?:\s\w+)?)\s(?:{PERSON}|{people_words.FELLOW})|{PERSON}['’]s|"
    rf"(?-i:Viewer|User|"
    rf"Customer|Client|Subject|Patron|Borrower|Reader)|users?|minority|majority|you|yours?|"
    r"you['’](?:ve|re|d|ll)|they|they['’](?:ve|re)|their|he|she|his|her|history|interactions?|overrepresented|"
    r"underrepresented|on record|most people|others do|history['’]s|diet|log|track record|this name)\b"
)
OF_HISTORY = _found(
    rf"\b(?:histor(?:y|ies)|records?|files?|ledger|dossier|register|archives?|card|books|picks?|picked|choices?|"
    rf"chosen|chooses?|choose|chose|selections?|selected|watched|"
    rf"watches|watching|watch|seen|seeing|viewings?|viewed|taken|interactions?|log|diet|share|proportion|taste|"
    rf"tastes|"
    rf"fondness|liking|love for|appetite|preference|penchant|weakness|favou?rites?|lately|of late|recent(?:ly)?|past|"
    rf"so far|to date|up to now|until now|by now|entries|holdings?|account(?:s|ing)? for|make up|makes up|habit|"
    rf"habits|interest in|rate|"
    rf"partiality|leaning|soft spot|drawn|turned|turning|turns|goes for|go for|opted|opts|touched|tried|sampled|"
    rf"average {PERSON}|usual|rents?|rented|sat through|gone for|been through|got through|loved|enjoyed|liked|"
    rf"favou?red|preferred|likes?|"
    rf"loves?|"
    r"untried|prefers?|enjoys?|adores?|fancies|avoids?|shuns?|dislikes?|hates?|frequent|often|represented|attention|"
    r"(?:top|favou?rite|commonest|leading|number one|main|first|chief|most[ -]\w+) (?:genre|category|kind|type|class|"
    r"sort)|"
    r"affinity|inclination|predilection|loans?|shelf|repertoire|holdings?|cup of tea|on file|collection|"
    rf"(?:has|have|had|were|are|been|ever|never) (?:\w+ )?{TOOK}(?! by\b))\b"
)
OF_ITEM = _found(
    r"\b(?:it(?! (?:comes (?:down )?to|is (?:\w+ )?(?:clear|plain|obvious|evident|safe|no|recorded|noted|known|said|"
    r"true|fair|seen|told|reported|understood|"
    r"apparent|worth|stated|written|certain|sure|common knowledge)|turns out|seems|appears|"
    r"would))|its|it['’]s|this one(?! (?:watches|likes|prefers|picks|chooses|loves|has (?:watched|seen|picked|"
    r"taken)|goes for))|this (?:film|movie|item|product|title|book|game|picture|work)|this(?= is)|here is|"
    r"the (?:recommended |suggested |proposed |new )?(?:film|movie|item|product|candidate|picture|suggestion|"
    r"recommendation|offer)(?! (?:watched|taken|seen|chosen|picked)))\b|□"
)
PIECE_END = _found(
    r";\s|:\s|\s[—–]\s|,\s(?:and|but|while|whereas|yet|so|though|although|which|because|since|as)\s|"
    r"(?<!anything)(?<!nothing)\sbut\s"
)

ASIDE = _found(
    r"\b(?:you know|mind you|you see|let me tell you|i(?:['’]ll)? tell you|if you ask me|thank you|"
    r"you['’]d be surprised|"
    r"believe you me|(?:would|can) you believe(?: it)?|as you know|you bet|between you and me)\b,?|"
    r"\b(?:according to|as) the (?:records?|files?|register|catalogue|log|data|books)(?: (?:shows?|says?|has it|"
    r"goes?))?\b,?"
)
"""Said to whoever reads, or of where it is said: nothing about a user."""
JOINT = _found(r"\s(?:and|but|while|whereas|yet|though|although)\s|;\s")
"""Between two statements on a history, where both sides are one."""

OTHERS = (
    rf"(?:(?:the |an? |your |our )?(?:average|mean|avg\.?|typical|usual|ordinary|normal|common|median|general|"
    rf"regular|run-of-the-mill|everyday|casual)"
    rf"(?:\s{PERSON}|\speople|\sperson|\sone|\sfolks?|\spublic|\saudiences?|\spopulation|\s(?:movie|film|"
    rf"cinema)-?goers?|\sspectators?|\sconsumers?|\swatchers?|\sman|\swoman|\sjoe|\srate|\sshare|"
    rf"\slevel|\samount|\smeasure|\sfigure|\snorm)?(?:['’]s)?|most (?:people|{PERSON}|others|folks?|of us|"
    rf"audiences|everyone|everybody)|others|(?:your|their|his|her) (?:peers|fellows|neighbou?rs)|"
    rf"(?:other|fellow) (?:people|{PERSON}|folks?|audiences?|(?:movie|film|cinema)-?goers?|households)|every(?:body|"
    rf"one)(?: else)?|any(?:body|one) else|the (?:rest|"
    rf"norm|crowd|public|"
    rf"majority of {PERSON}|next (?:man|person|{PERSON}|one)|common run)|people in general|(?<=in )most|"
    rf"(?<=than )most|(?<=for )most|avg|(?<=as )most|most(?=\W*$)|(?:national|overall|general) (?:average|mean|rate)|"
    rf"elsewhere|people everywhere|people at large|average|usual|"
    rf"the norm|the baseline|the benchmark|the population|is customary|one would expect|expected|the next)"
)
NAMES_OTHERS = _found(
    rf"\b(?:{OTHERS}|overrepresented|underrepresented|unusually|uncommonly|disproportionate(?:ly)?)\b"
)
MORE_THAN_OTHERS = _found(
    r"\b(?:(?P<less>less|lesser|fewer|lower|below|underrepresented|smaller|rarer|rarely|weaker|under|beneath|seldom|"
    r"infrequent(?:ly)?|short of|behind|lag(?:s|ged)?|trail(?:s|ed)?|(?:not|(?<=n['’]t)) (?:\w+ ){0,3}?(?:as|"
    r"so) (?:much|many|"
    r"often|strong|fond|keen|frequent|frequently|regularly)|more (?:rarely|seldom|sparingly|infrequently)|lighter|"
    r"scarcer|thinner|cooler|poorer|undershoots?|a fraction of|half as (?:much|many|often)|"
    r"falls? short|uncommonly few|unusually few|unusually (?:rarely|seldom)|milder|fainter|minor|"
    r"under-?represented|slighter)|"
    r"(?P<more>more|higher|above|overrepresented|larger|greater|stronger|over|exceed(?:s|ed|ing)?|beyond|"
    r"outstrip(?:s|ped)?|"
    r"surpass(?:es|ed)?|"
    r"bigger|tops?|outdoes|ahead of|beats?|keener|fonder|heavier|oftener|disproportionate(?:ly)?|unusually|"
    r"uncommonly|"
    r"over-?represented|outpace[sd]?|in excess of|dwarf(?:s|ed)?|eclipse[sd]?|better|deeper|livelier|steeper|further|"
    r"well up on|outnumbers?|outweighs?|overshoots?|richer|warmer|hotter|leads|higher up|a lot of|plenty of))\b"
)
HALF = _found(
    r"\b(?:(?P<more>(?:over|more than|above|at least|upwards of|better than|well over|beyond) (?:a )?half|"
    r"the (?:\w+ )?majority|"
    r"a (?:\w+ )?majority|most of (?=the|their|your|what|his|her|this)|most (?=films|movies|picks|choices)|"
    r"(?:nearly|almost) (?:all|every\w*)|the (?:bulk|lion['’]s share|better part|greater part|larger part|main part|"
    r"best part)|mostly|predominantly|"
    r"preponderan(?:ce|tly)|predominate|outnumber everything|more often than not|largely|mainly|in the main|"
    r"dominate[sd]?)|"
    r"(?P<less>(?:under|less than|below|fewer than|not even|well under|short of|shy of|no more than) (?:a |"
    r"the )?(?:half|majority)|"
    r"(?:the|a) (?:\w+ )?minority|the (?:lesser|smaller) part))\b"
)
MOST = _found(
    r"\b(?:most of all|more than anything(?: else)?|above all(?: else)?|most (?:frequent|common|watched|taken|"
    r"chosen|often|picked|"
    r"viewed|popular|seen|represented|sought|selected|numerous|of the time|regularly|frequently|loved|favou?red|"
    r"liked)(?:ly)?|"
    r"(?:watch(?:es|ed)?|picks?|picked|chooses?|chosen|seen|taken|go(?:es)? for|turns? to|viewed|likes?|loves?|"
    r"prefers?) (?:the )?most(?! recent)|"
    r"(?<!one of your )(?<!one of their )(?<!one of his )(?<!one of her )(?<!one of the )(?<!among your )"
    r"(?<!among their )(?<!among the )favou?rites?(?! of\b)|favou?rites? of (?:all|this|the|your|them all)|"
    r"(?:nothing|no one|none|nobody)(?: else)? (?:\w+ )?(?:close|near|compares|beats|tops|rivals|matches|touches)|"
    r"number one|no\. ?1|can(?:['’]?t|not| not) get enough|before all else|dominat(?:es?|ed|ing)|predominat\w+|"
    r"prevails?|most prominent(?:ly)?|at the (?:top|head) of|top of the (?:\w+ )?(?:list|table|heap|pile|tree|charts?|"
    r"bill|pack|ranking)|nothing (?:(?:is|gets|was|has been) \w+ )?(?:so|as) (?:often|much|frequently|keenly)|(?:led|"
    r"headed|topped|dominated) by|"
    r"no(?: other)? (?:kind|genre|sort|type|category|class|variety)\b[^.;]{0,40}\b(?:so|as) (?:often|much)|"
    r"first and foremost|"
    r"the (?:main|top|leading|commonest|dominant|chief|principal|primary|biggest|largest|first|prime|number one|"
    r"top-ranking|"
    r"go-to|staple|default|mainstay)|go-to|first choice|first love|top (?:pick|choice|genre|category|of the list|"
    r"spot)|"
    r"(?:tops?|heads?|leads?|crowns?) (?:the |your |their |his |her )?(?:\w+['’]s )?(?:[\w-]+ )?"
    r"(?:lists?|tables?|bill|charts?|fields?|way|packs?|rankings?|league|poll|roll|tally|count|log|record|history|"
    r"diet)|"
    r"over (?:all|any|every|everything)(?: other| else)?|most(?=[.,;!?]|$)|ranks? first|"
    r"comes? (?:first|top|out on top|out ahead)|takes? (?:first place|pride of place|the top spot|the lead|"
    r"the crown|the biscuit)|"
    r"pride of place|(?:first|top|number one|pole|prime|leading) (?:place|position|spot|rank)|ahead of (?:all|"
    r"everything|every other|any other|anything)|"
    r"more (?:[\w-]+ ){0,3}?than (?:any(?:thing|one|body)?|every(?:thing)?|all)\b"
    r"(?: other\w*)?(?: thing| kind| genre| sort| type| category)?|"
    r"no (?:other )?(?:kind|genre|sort|type|category|class|brand)\b[^.;]{0,40}\b(?:more|oftener|higher|than|but)|"
    r"(?<!love )(?<!like )(?<!loves )(?<!likes )nothing\b[^.;]{0,40}\b(?:more|oftener|than|but)|second to none|"
    r"unrivalled|unmatched|uppermost|outnumbers? (?:all|every|any)\w*|"
    r"bread and butter|daily bread|top billing|(?:true|great|big|real|one) (?:love|passion)|beats everything|"
    r"beyond (?:all|any) others?|"
    r"the (?:most|greatest number)|of choice|greatest share|largest share|biggest share|lion['’]s share)\b"
)
NEVER = _found(
    r"\b(?:never(?: (?:once|yet|ever|before))?|not (?:once|one|a single|any|yet|ever|even one|so much as)|"
    r"not a (?:single )?one|"
    r"no(?! (?:doubt|question|less|more|fewer|wonder|stranger|surprise|kind|other|sort|type))|none|nothing|"
    r"nobody|zero|nil|"
    r"without (?:a single|any|one|ever)|"
    r"(?:do|does|did) not|(?:haven|hasn|has|have|didn|did|had|hadn|isn|aren|wasn|weren|don|doesn)(?:['’]t| not|"
    r"n['’]t)|a stranger to|"
    r"(?:['’]ve|has|have|had|was|were|is|are) not|not (?:watched|seen|picked|chosen|taken|tried|touched|sat|gone|"
    r"been|had|met|come|turned|featured|appeared|figured|found)|"
    r"strangers? to|foreign to|unknown to|absent|silent (?:on|about|as to)|knows? nothing|no mention|missing|"
    r"untouched|unexplored|unseen|unwatched|unfamiliar|"
    r"yet to \w+|still (?:to|waiting)|"
    r"not on record|passed (?:\w+ )?by|given (?:\w+ )?a (?:miss|wide berth)|blank|virgin territory|new to|lacks?|"
    r"lacking|"
    r"devoid|free of|void of|not to be found|nowhere|left (?:\w+ )?out|skipped|ignored|neglected|overlooked|"
    r"bypassed|spurned|avoided altogether|ain['’]t|a first|first[- ]ever|uncharted|terra incognita|wanting|"
    r"unheard of|untried|unsampled|unrepresented|unrecorded|conspicuous by|unknown (?:territory|ground|quantity)|"
    r"left (?:\w+ )?alone|passed over|no experience of|terra nova|"
    r"no place (?:in|on)|stayed (?:well )?(?:away|clear)|steered (?:well )?clear)\b"
)
EVER = _found(
    r"\b(?:before|on record|ever|a taste of|has watched|have watched|has seen|have seen|already|"
    r"in the (?:history|record|log)|"
    r"so far|touched|tried|to date|at least (?:one|once)|(?:some|a few|one or two|several|once or twice)|sampled|"
    rf"contains?|includes?|comprises?|holds?|been known|(?:has|have|['’]ve|['’]s) (?:\w+ )?{TOOK}|"
    r"has (?:picked|chosen|taken|had|enjoyed|met|tried)|have (?:picked|chosen|taken|had|enjoyed|met|tried)|"
    r"'ve (?:had|seen|watched)|"
    r"no stranger|familiar with|acquainted with|up to now|until now|among (?:the|your|their)|figures? in|"
    r"features? in|"
    r"appears? in|crops? up|turns? up|found in|present in|represented)\b"
)
LIKES = _found(
    r"\b(?:likes?|liked|loves?|loved|enjoys?|enjoyed|adores?|prefers?|preference|fond of|fondness|fan|fans|"
    r"keen on|keenness|"
    r"drawn to|partial to|partiality|liking|taste(?! of)|tastes|weakness|soft spot|appetite|passion|passionate|"
    r"penchant|devoted|devotee|"
    r"devotion|enthusias\w+|aficionado|lover|affection|affinity|predilection|inclination|inclined|leaning|"
    r"leans? (?:to|towards?)|"
    r"into|mad about|crazy about|nuts about|potty about|daft about|sucker for|big on|hooked on|sold on|crush on|"
    r"a thing for|"
    r"right up (?:your|their|his|her) (?:street|alley)|cup of tea|hard to resist|can['’]t resist|cannot resist|bias|"
    r"gravitates?|goes? for|go for|turns? to|takes? to|taken to|(?:goes?|comes?|keeps? coming|returns?) back to|"
    r"returns? to|"
    r"favou?rs?|cherish(?:es)?|treasures?|relish(?:es)?|savou?rs?|appreciates?|dear to|attached to|attachment|"
    r"interest(?:ed)? in|"
    r"hunger for|thirst for|addict(?:ed)?|never tires? of|has a (?:nose|eye) for|sweet tooth|warm(?:s)? to|bent|"
    r"proclivity|zeal|"
    r"sweet on|admirer|delights? in|revels?|thrives? on|feeds? on|(?:close|dear|near) to|staple|predisposition|"
    r"(?:can(?:no|['’])t|never) (?:say|says) no|all about|buff|admir(?:es?|ers?)|devotees|friends? of|lovers of|"
    r"fanc(?:y|ies)|craving|crav(?:es?)|hunger|eye for|"
    r"thing for|given to|attracted to|wild about|crazy for|mad (?:for|on)|keen|can['’]?t get enough|goes to|"
    r"tends? (?:to|towards?)|(?:one of|among) (?:\w+ )?favou?rites?|favou?rites?|(?:your|their|his|her) thing|"
    r"up (?:your|their|his|her) (?:street|alley)|smitten|mad keen|soft on|aficionados?|connoisseur|nut|junkie|"
    r"freak|buffs|fiend|champion|loyal|loyalty|habitu[eé])\b"
)
_LIKING = (
    r"(?:keen|fond|into|like|love|enjoy|care|interested|partial|drawn|big on|warm to|go in for|go for|bothered|"
    r"fussed|crazy about|mad about|sold on|taken with|impressed|attracted|one for|much of|"
    r"(?:a |an |much of a |the )?(?:\w+ )?(?:fan|friend|lover|admirer|devotee|enthusiast)|"
    r"(?:(?:your|their|his|her) )?(?:thing|cup of tea|bag|scene|style))"
)
DISLIKES = _found(
    rf"\b(?:(?:not|(?<=n['’]t)) (?:\w+ ){{0,2}}?{_LIKING}|no (?:\w+ )?(?:fan|friend|lover|admirer|devotee|enthusiast|"
    r"fondness|liking|taste|appetite|love|interest|enthusiasm|time|use|patience|affection)|"
    r"little (?:\w+ )?(?:time|love|interest|taste|appetite|use|patience|enthusiasm|fondness|liking|affection)|"
    r"scarcely|barely|hardly|(?:can['’]?t|cannot|can not) (?:stand|abide|bear|be (?:bothered|doing)|stomach|"
    r"be persuaded|be tempted)|put off by|once in a blue moon|cool (?:on|towards?)|wide berth|keeps? clear|"
    r"leaves? [^.;]{1,30}? cold|gives? [^.;]{1,30}? (?:a miss|short shrift|the cold shoulder)|shies? away|"
    r"turns? (?:\w+ ){0,2}(?:nose|back)|lacks? (?:interest|enthusiasm)|bores?|put(?:s)? [^.;]{1,30}? off|"
    r"scorns?|spurns?|disdains?|despises?|abhors?|dislik(?:es?|ed|ing)|hate[sd]?|loathe[sd]?|detest(?:s|ed)?|"
    r"avoid(?:s|ed|ing)?|shun(?:s|ned)?|averse|aversion|allergic|no great|steer(?:s|ed)? (?:well )?(?:clear|away)|"
    r"stay(?:s|ed)? (?:well )?(?:away|clear)|(?:keeps?|kept) (?:well )?away|fights? shy|fought shy|wary of|cold on|"
    r"cold towards|rarely|seldom|unmoved|indifferen(?:t|ce)|distaste|antipathy|reluctan(?:t|ce)|unenthusiastic|"
    r"lukewarm|unimpressed)\b"
)
TOWARDS = _found(
    r"\b(?:towards?|increas(?:e|es|ed|ing|ingly)|grow(?:s|n|ing)?|grew|ris(?:e|es|en|ing)|rose|climb(?:s|ed|"
    r"ing)?|up|upwards?|"
    r"more(?: and more)?|warm(?:s|ed|ing)? to|tak(?:en|ing) to|took to|discover(?:s|ed|ing)?|swell(?:s|ed|ing)?|"
    r"swollen|"
    r"gain(?:s|ed|ing)?|gathers?|mount(?:s|ed|ing)?|picked up|picking up|come to the fore|into|higher|larger|"
    r"greater|bigger|"
    r"stronger|oftener|on the (?:rise|up|increase|ascent)|surg(?:e|es|ed|ing)|expand(?:s|ed|ing)?|blossom(?:s|ed|"
    r"ing)?|"
    r"deepen(?:s|ed|ing)?|spread(?:s|ing)?|acquired|develop(?:s|ed|ing)?|hooked|embrac(?:e|es|ed|ing)|catch(?:es|"
    r"ing)? on|order of the day|all the rage|in fashion|in vogue|kick|spree|binge|jag|roll|craze|gaining ground|"
    r"gained ground|making headway|"
    r"jump(?:s|ed)?|boom(?:s|ed|ing)?|doubled|intensif\w+|flock\w*|come round to|coming round to|gone over to|"
    r"going over to|"
    r"drawn to|leaning to|keener|fonder|soar(?:s|ed|ing)?|(?:loads|lots|plenty|heaps|tons|a lot|a good many|"
    r"a great many) of|nothing but|many|"
    r"(?:drift|edg|gravitat|head|lean|mov|shift|swing|swung|turn|"
    r"veer|com)\w* (?:in|a?round|back|over|increasingly|more)?\s?(?:to|towards?)|jumping|snowball\w*|tak(?:ing|es) to|"
    r"tak(?:en|ing) up|strengthen(?:s|ed|ing)?|(?:com|mov)\w+ to the fore|getting into|got into|more of a)\b"
)
AWAY = _found(
    r"\b(?:away from|(?:not|(?<=n['’]t)) (?:\w+ ){0,4}?(?:as|so) (?:many|much|often)|gone (?:\w+ ){1,2}off|g(?:ives?|"
    r"iven|iving|ave) way|"
    r"hardly any|scarcely any|barely any|few|decreas(?:e|es|ed|ing|ingly)|declin(?:e|es|ed|ing)|fall(?:s|en|ing)?|"
    r"fell|drop(?:s|ped|"
    r"ping)?|down|"
    r"downwards?|fewer(?: and fewer)?|less(?: and less)?|lower|smaller|cool(?:s|ed|ing)? (?:on|off|towards)|"
    r"gone off|going off|"
    r"went off|tir(?:es?|ed|ing) of|shr(?:ink|inks|ank|unk|inking)|wan(?:e|es|ed|ing)|fad(?:e|es|ed|ing)|"
    r"dwindl(?:e|es|ed|ing)|"
    r"dip(?:s|ped|ping)?|slip(?:s|ped|ping)?|sink(?:s|ing)?|sank|sunk|ebb(?:s|ed|ing)?|cut(?:ting)? (?:back|"
    r"down)|drift(?:s|ed|ing)? off|"
    r"losing ground|lost ground|lost (?:interest|its|the|touch|appetite|patience|favou?r)|losing (?:interest|its|"
    r"touch|patience|favou?r)|turned (?:his|her|their|your) back|"
    r"backs? on|weaker|rarer|more rarely|on the (?:wane|decline|way out|slide)|abandon(?:s|ed|ing)?|dropp?ed|"
    r"given up|giving up|"
    r"diminish(?:es|ed|ing)?|lessen(?:s|ed|ing)?|thinn?ed|thinning|taper(?:s|ed|ing)?|recede[sd]?|receding|"
    r"retreat(?:s|ed|ing)?|"
    r"left behind|leaving behind|out of favou?r|weary|wear(?:y|ied) of|had (?:his|her|their|your) fill|"
    r"had enough of|grown tired|cool(?:s|ed|ing)?|"
    r"halved|plummet\w*|slump\w*|subsid\w+|neglect\w*|reduc(?:es?|ed|ing)|scarcer|los(?:t|ing) (?:\w+ )?taste|"
    r"(?:turn|mov|drift|shift|shy|"
    r"shied|stray|swing|swung|lean|walk|veer|wander|steer|back|pull|edg)\w*(?: \w+)? away|tail(?:s|ed|ing)? off|"
    r"petered out|dr(?:y|ied|ying) up|fizzl\w+|weaken(?:s|ed|ing)?|moved on from|moving on from|grown out of|"
    r"back from|off)\b"
)
OF_LATE = _found(
    r"\b(?:lately|of late|recent(?:ly)?|these days|nowadays|latterly|now(?:adays)?|in (?:the )?(?:last|"
    r"past(?! (?:choices|picks|films|movies|viewings))|"
    r"recent) (?:few |couple of |\w+ )?"
    r"(?:weeks|months|days|picks|choices|films|movies|viewings|times?)|(?:last|past|recent) (?:few )?(?:weeks|"
    r"months|days)|(?:last|past|recent) few \w+|(?:latest|recent) (?:picks|choices)|"
    r"than (?:before|earlier|previously|in the past|formerly|once|(?:you|they|he|she) (?:used to|did|once did)|"
    r"used to be)|"
    r"has (?:turned|moved|shifted|drifted|swung|grown|been (?:turning|moving|shifting|drifting|growing|falling))|"
    r"have (?:turned|moved|shifted|drifted|swung|grown|been (?:turning|moving|shifting|drifting|growing|falling))|"
    r"['’]ve been|increasingly|more and more|less and less|fewer and fewer|newly|new-?found|latest|at the moment|"
    r"currently|"
    r"in the (?:most )?recent|(?:is|are|keeps?(?: on)?) (?:fall|ris|grow|shrink|wan|declin|increas|decreas|climb|"
    r"dropp|swell|"
    r"dwindl|fad|slipp|gain|los|mount|ebb|cool|warm|surg|slid|sink)ing|turning|shift(?:ing|ed)?|trend|as of late|"
    r"this (?:past )?(?:month|autumn|summer|season|year)|used to|(?:a|the) (?:turn|drift|move|swing|tilt|slide)|"
    r"on the (?:rise|increase|up|up and up|ascent|wane|decline|slide|ebb|way (?:up|down|out|in)|turn)|"
    r"ever (?:more|less|fewer)|than (?:it|they) used to|(?:the|your|their|his|her) (?:last|latest|newest|most recent) "
    r"\w+|this past \w+|in the (?:near|recent) past|(?:the|your|their|his|her) (?:closing|final) \w+|"
    r"(?:is|are) on the \w+|no longer|any ?more|(?<!never )(?<!not )(?<!at )(?<!all at )once|formerly|going (?:up|"
    r"down)|(?:went|gone) (?:\w+ ){0,2}(?:up|down|off)|"
    r"losing ground|gaining ground|lost ground|gained ground|since then|as time (?:went|goes) on|over time|"
    r"with time|toward the end|towards the end)\b"
)
IN_THE_PAST = _found(r"\b(?:used to|once|formerly|in the past|earlier on|at first|in the beginning)\b")
"""Before words of more or less: what was so then is so no longer."""
RATIO_BEHIND = _found(
    r"\s(?:as|more|less|fewer|the|that|what|over|higher|above|greater|larger|stronger|their|your|his|her|those)\b"
)
TIMES = _found(
    r"\b(?:(?P<bound>more than|over|at least|well over|upwards of)\s)?"
    rf"(?:(?P<word>twice|double|triple|treble|thrice|two-?fold|three-?fold|doubly|triply)(?=\s(?:as|the|that|"
    rf"what|of|an?|more|times)\b)|half(?=\sas\s)|"
    rf"(?P<n>\d+(?:\.\d+)?|{NUMBER_WORDS})(?:\s|-)?(?:times|fold|x)\b|(?P<x>\d+(?:\.\d+)?)[x×](?!\w))"
)
TIMES_OF_WORD = {
    **dict.fromkeys(("twice", "double", "two-fold", "twofold", "doubly"), 2.0),
    **dict.fromkeys(("triple", "treble", "thrice", "three-fold", "threefold", "triply"), 3.0),
    "half": 0.5,
}
RANK = _found(
    r"(?P<less>fewer|less frequent|less often|less common|rarer|less|outnumbered by|behind|trails?|fall short of|"
    r"scarcer|lag)\b|"
    r"(?P<more>more frequent|more often|more common|more|outnumbers?|ahead of|commoner|exceeds?|outweighs?|"
    r"outrank|beats?|prevail|come before|goes? before|precedes?|over|rather|sooner|in preference to|prefers?|"
    r"preferred|favou?rs?|instead of)\b"
)

VALUE_END = re.compile(
    r"[\s-](?:films?|movies?|pictures?|titles?|stor(?:y|ies)|genres?|items?|products?|flicks?|fare)\b", re.I
)
DENIED_BEFORE = _found(
    r"(?:\b(?:not|never|no longer|hardly|scarcely|far from|anything but|cannot|nor|neither)|"
    r"n['’]t)\s(?:[\w'’]+\s){0,2}$"
)
SEEN = _found(
    r"\b(?:seen|watched|watches|taken|picked|chosen|viewed|before|histor(?:y|ies)|records?|borrowed|already|"
    r"earlier|past|fan|"
    r"likes?|loves?|fond|enjoys?|favou?rite|taste|never|so far|last|on file|in the (?:file|log|register|dossier|"
    r"archive|holdings|list)|films (?:by|of|with)|works (?:by|of)|"
    r"anything (?:by|of)|"
    r"something (?:by|of)|turns? to|choices|picks|viewings?|loans?|entered|acquainted|among (?:your|their)|met|"
    r"previously|remember)\b"
)
"""Without one of these a person's name beside a role is the item's."""
DUMMY_IT = _found(r"(?<=,)\s(?:it['’]s|it is|that['’]s)\s")
"""After what a user likes: "if there is one thing you love, it's comedies"."""
COMPARED = _found(
    r"\b(?:compared|in comparison|by comparison|next to|beside|set against|measured against|unlike|"
    r"relative to)\b"
)
MUCH = _found(
    r"\b(?:(?P<less>few|little|hardly any|scarcely any|rarely|seldom|not many|not much|a handful)|"
    r"(?P<more>a lot|lots|plenty|many|much|a great deal|a good deal|heaps|loads|often|frequently|a great many|"
    r"heavily))\b"
)
"""How much, where a piece compares."""
CLEFT = _found(r"^\W*(?:it is|it['’]s|it was)\s(?=[^.;]{2,50}?\s(?:that|which)\s)")
"""Before what a user is said to like: "it is comedies that the viewer picks"."""
PLURAL = re.compile(r"(?:\w{2,}[^s\W]s|\w+ies)$", re.I)
DENIED_BEHIND = _found(r"\s?(?:[\w'’]+\s){0,3}?(?:(?:is|are|was|were|do|does|did|has|have)(?:n['’]t|\snot)|never)\b")
THAN_THE_USER = _found(
    rf"\bthan (?:you|they|he|she|this \w+|the {PERSON}|our \w+)\b(?! (?:did|used))|\bthan (?:your|their|his|her)s?\b"
)
"""What others are compared with: "other people watch more dramas than you do"."""
GIVES_WAY = _found(r"\b(?:g(?:ives?|iven|iving|ave)|ma(?:kes?|king|de)) (?:way|room|place) (?:to|for)\b")
"""Between what wanes and what takes its place."""
ANSWERS = _found(
    r"^\W*(?:no|not|never|none|nope|nah|hardly|rarely|seldom|yes|aye|yep|often|always|plenty|lots|zero|loads|"
    r"all the time|"
    r"once|twice|now and then)\b"
)
