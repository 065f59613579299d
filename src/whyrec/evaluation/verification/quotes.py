"""Quotation marks of many kinds, read as one: 'Title', „Title“, _Title_, *Title*, ``Title'' and the like."""

import re

_MANY = re.compile(
    r"(?<![\w'’])'(?=[A-Z0-9¡¿(.])(?!\d\ds?\b)(?P<straight>(?:[^'\n]|'(?=\w)){1,120}?)'(?![\w'])"
    r"|„(?P<low>[^“”\"\n]{1,120})[“”\"]"
    r"|‚(?P<single_low>(?:[^‘’\n]|’(?=\w)){1,120})[‘’](?!\w)"
    r"|(?<![^\s(])»(?=\S)(?P<turned>[^«\n]{1,120})«"
    r"|‹(?P<angled>[^›\n]{1,120})›"
    r"|(?<![\w_])_(?=[A-Z0-9¡¿])(?P<underlined>[^_\n]{1,120})_(?![\w_])"
    r"|(?<![\w*])\*(?=[A-Z0-9¡¿])(?P<starred>[^*\n]{1,120})\*(?![\w*])"
    r"|``?(?=[A-Z0-9¡¿])(?P<ticked>[^`'\n]{1,120})(?:''|['`])(?!\w)"
    r"|<(?:i|em|cite|q)>(?P<tagged>[^<\n]{1,120})</(?:i|em|cite|q)>"
)
_DATELINE = re.compile(
    r"^[A-Z][A-Z .,']{2,30}(?:\s\([A-Za-z. ]{2,20}\))?"
    r"(?:,\s[A-Z][a-z]{2,8}\.?\s\d{1,2}(?:\s\([A-Za-z. ]{2,20}\))?)?\s[-–—]+\s"
)
"""Where and when a report was filed: "LONDON, Nov 1 -"."""
_HAS_ONE = re.compile(r"['„‚»‹_*`<]")


def in_curly_quotes(text: str) -> str:
    """Write a text's quotations in “curly” marks, its dateline in blanks; all offsets stay what they are.

    Args:
        text: As a writer wrote it. Marks that a reader knows anyway are left alone: “ ”, " ", ‘ ’, « ».
    """
    text = _DATELINE.sub(lambda hit: " " * len(hit[0]), text)
    if _HAS_ONE.search(text) is None:
        return text
    return _MANY.sub(_curly, text)


def _curly(hit: re.Match[str]) -> str:
    group = hit.lastgroup or ""
    before, after = hit.start(group) - hit.start(), hit.end() - hit.end(group)
    said = hit[group].translate(_INNER)
    return " " * (before - 1) + "“" + said + "”" + " " * (after - 1)


_INNER = str.maketrans("“”", "‘’")
