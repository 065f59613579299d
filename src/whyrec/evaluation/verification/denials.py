"""How texts deny what they speak of: "without", "plays no part", "anything but", "look elsewhere"; English only."""

import re

from whyrec.evaluation.verification.mentions import Stretch


def _found(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_AFFIRMS = _found(
    r"\b(?:no (?:shortage|lack|end|want|dearth|scarcity|stranger|doubt|question|denying|mistaking|mistake|wonder|"
    r"surprise|less|fewer|escaping|getting away)|"
    r"not (?:lack(?:ing)?|short|without|only|just|merely|least|to mention|for nothing)|nothing (?:but|if not|"
    r"short of)|"
    r"(?:never|not) (?:stops?|fails?|ceases?|lets? up|tires?|runs? out|lacks?|dull|a dull)|"
    r"(?:does|do|did|is|are)(?: not|n['’]t) (?:stop|fail|cease|let up|lack|hold back|disappoint|skimp|lacking|"
    r"short|only|just|without|stingy)|non[- ]?stop|without (?:doubt|question|fail|end|let-up|pause|exception|"
    r"a break)|"
    r"(?:can ?not|can['’]t|cannot) (?:get enough|have enough|say no|resist|go wrong|be denied|deny|be missed|miss)|"
    r"nothing (?:is (?:\w+ )?(?:so|as)|matters|counts|comes|beats|ranks|weighs|drives|better|nicer|so much|"
    r"quite like|finer)|"
    r"no (?:other|motive|reason|wish|want|drive)\b[^.;]{0,30}"
    r"\b(?:more|stronger|higher|than)|nobody would deny|above all else|"
    r"no(?: one|body)? (?:needs?|has|have|is going) to|nobody (?:needs?|has|is going) to|not surprisingly|"
    r"(?:can ?not|can['’]t) help|never (?:misses|says no)|no contest|(?:do|have|are|is|did|has|was)n['’]t (?:you|it|"
    r"they|he|she)(?=[?,.!])|without (?:a |any )(?:doubt|question|exception|fail)|"
    r"hard to miss|not (?:un\w+|in(?:considerable|significant|frequent\w*|different|capable))|never (?:far|"
    r"absent|missing|wanting)|no secret)\b|more than (?:anything|any)"
)
"""What denies in form only."""
_DENIED = _found(
    r"\b(?:not|no|never|none|nothing|nobody|no one|neither|nor|without|cannot|can not|hardly|scarcely|barely|absent|"
    r"absence|lacks?|lacked|lacking|missing|devoid|free of|free from|little|zero|nil|minus|sans|ain['’]?t|"
    r"anything but|far from|the last thing|last on|(?:steers?|stays?|keeps?) (?:well )?(?:clear|away)|shuns?|avoids?|"
    r"skips|spares? (?:you|"
    r"us|them)|"
    r"leaves? out|rules? out|excludes?|omits?|fails? to|unconcerned|indifferen\w+|irrelevan\w+|immaterial|"
    r"unimportant|"
    r"couldn['’]t care less|could not care less|beside the point|leaves? (?:\w+ )?cold|unmoved by|uninterested|"
    r"disinterested|"
    r"unsuitable|unsuited|unfit|inappropriate|far removed|remote from|divorced from|nothing like|foreign to|"
    r"alien to|a stranger to|neither here nor there|cannot be|wrong to|mistake to|mistaken|error to|misleading|"
    r"untrue|false to|far-fetched|in vain|look elsewhere|"
    r"elsewhere for|out of luck|bad luck|tough luck|wrong (?:film|movie|place|one|address|tree)|forget (?:about|it)|"
    r"in short supply|few and far between|thin on the ground|at a premium|scarce|conspicuous by|"
    r"(?:give|gives|giving|care|cares) (?:\w+ ){0,2}(?:hoots?|damn|fig|toss|rap|monkey['’]s)|"
    r"nowhere|neglects?|ignores?|disregard\w*|doubt(?:s|ful)?|unlikely|sorry|disappointed|can do without|"
    r"could do without|"
    r"not one for|refrains?|misses)\b|n['’]t\b"
)
_DENIES_NEXT = _found(
    r"\b(?:rather than|instead of|as opposed to|in place of|unlike|short (?:on|of)|low on|thin on)\s[^,;.]{0,24}$"
)


def without_affirmations(said: str) -> str:
    """A text with blanks for what denies in form only: "no doubt", "never tires of"."""
    return _AFFIRMS.sub(lambda hit: " " * len(hit[0]), said)


def is_denied(masked: str, stretch: Stretch, *, but: tuple[int, int]) -> bool:
    """Whether a stretch denies what stands at ``but``; words inside that do not: "little money"."""
    if _DENIES_NEXT.search(masked, max(stretch.start, but[0] - 40), but[0]):
        return True
    inside = " " * (but[1] - but[0])
    said = masked[stretch.start : but[0]] + inside + masked[but[1] : stretch.end]
    return _DENIED.search(without_affirmations(said)) is not None
