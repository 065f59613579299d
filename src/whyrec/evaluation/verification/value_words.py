"""How texts ascribe values of the catalogue to an item, or deny them, and how they name decades."""

import re

from whyrec.evaluation.verification.lexicon import TENS

VALUE_CUE_BEFORE = re.compile(
    r"\b(?:genres?|categor(?:y|ies)|filed|listed|catalogu?ed|tagged|labell?ed|classed|classified|shelved|under|"
    r"directed by|starring|brand|made by|department|section|heading|subject|type|kind of|belongs? to|falls? (?:into|"
    r"under)|counts? (?:as|among)|described as|"
    r"billed as|sold as|known as|qualif\w+ as|passes (?:for|as)|classif\w+|pigeonholed|bracketed)\b[^.;\d]{0,60}$",
    re.IGNORECASE,
)
VALUE_CUE_AFTER = re.compile(
    r"^[\s-](?:\w+[\s-])?(?:films?|flicks?|features?|fare|tales?|yarns?|epics?|works?|pieces?|cinema|romps?|capers?|"
    r"watch|viewing|"
    r"sagas?|entertainment|movies?|titles?|pictures?|productions?|genres?|categor(?:y|ies)|products?|"
    r"items?|shelf|"
    r"audiences?|fans?|label|tag|stor(?:y|ies)|range|releases?)\b",
    re.IGNORECASE,
)
VALUE_LINK = re.compile(r"^\s?(?:,|/|&|>|and|or|-|–|,\s?and|mixed with|meets|with)\s?$")
CREDIT = re.compile(
    r"\b(?:[Dd]irected by|[Ss]tarring|[Dd]irector|[Bb]rand)\s(?:(?:Mrs?|Ms|Miss|Sir|Dame|"
    r"Dr)\.?\s)?(?P<name>[A-Z][\w.'’-]+(?:\s(?:[A-Z][\w.'’-]+|de|van|"
    r"von|del|la))*)"
)
DENIES_CALLING = re.compile(
    r"(?:\b(?:not|never|cannot|hardly|scarcely|nobody|no[ -]one|wrong to|mistake to|error to|misleading to)|"
    r"n['’]t)\b[^.;!?:,]{0,40}\b"
    r"(?:mistak\w+|confus\w+|call(?:s|ed)?|label\w*|fil(?:e|ed)|class\w*|count\w*|list\w*|shelv\w*|describ\w+|"
    r"belong\w*|"
    r"pass\w*|take\w*|taken|look for|find|expect|under|among|to do with|of the)\s(?:[\w'’-]+\s){0,5}$",
    re.IGNORECASE,
)
DOUBLE_DENIAL = re.compile(
    r"\b(?:not only|no doubt|nothing but|none other than|not un\w+|can['’]t deny|no denying)\b[^.;]*$", re.IGNORECASE
)
DENIED_AFTER = re.compile(
    r"[,”\"’)]?\s?(?:[\w-]+\s)?(?:films?\s|movies?\s)?(?:(?:it|this|that|this one|□+|this film|the film)\s(?:is|was|"
    r"will be|does)"
    r"(?:\s(?:certainly|definitely|most certainly|surely|emphatically))?(?:\snot|n['’]t|\snever)|(?:it|this|"
    r"that)\s?ain['’]t|(?:plays?|has|have|is given) no (?:role|part|place)|(?:is|are) (?:nowhere|absent|missing)|"
    r"is (?:something|the last thing|one thing|what) (?:it|this|□+) (?:is not|isn['’]t)|"
    r"[^.;?]{0,24}\b(?:look elsewhere|isn['’]t one|"
    r"is not one|isn['’]t for you|is not for you|isn['’]t (?:it|that)|won['’]t do))",
    re.IGNORECASE,
)
"""After a value that the item is said not to have: "a western it is not", "after a western? look elsewhere"."""

_PLURAL_TENS = {f"{word[:-1]}ies": value for word, value in TENS.items()}
_WORDS = "|".join(_PLURAL_TENS)
DECADE = re.compile(
    r"(?<![\w$£€.])(?:(?:the|that|of)\s)?(?:decade\s(?:of|that was)\s(?:the\s)?)?(?:(?:early|mid|late|middle|"
    r"swinging|roaring)[\s-])?"
    rf"(?:(?P<year>(?:18|19|20)\d0)['’]?s|['’‘]?(?P<short>[0-9]0)['’]?s|(?P<century>nineteen[\s-])?(?P<word>{_WORDS})|"
    r"(?P<noughties>noughties|two[\s-]thousands|two thousand['’]?s|aughts|naughties|zeros|zeroes|2000s)|"
    r"(?P<tens>twenty[\s-]tens|(?:the|our)\s(?:tens|teens)(?=[,.;]|\s(?:and|of this century)|$)|tenties))(?!\w)",
    re.IGNORECASE,
)
DECADE_OF_LIFE = re.compile(
    r"\b(?:in|into|their|his|her|its|your|my|people|aged?|low|high|lower|upper|mid|by the)\s(?:their\s|his\s|her\s|"
    r"your\s)$",
    re.IGNORECASE,
)


def decade_of(hit: re.Match[str]) -> tuple[int, ...]:
    """The first years of the decades that a text may mean; both centuries' where it leaves that out."""
    if hit["year"]:
        return (int(hit["year"]),)
    if hit["noughties"]:
        return (2000,)
    if hit["tens"]:
        return (2010,)
    if hit["word"]:
        value = _PLURAL_TENS[hit["word"].lower()]
        return (1900 + value,)
    value = int(hit["short"])
    return (2000 + value,) if value <= 10 else (1900 + value,)
