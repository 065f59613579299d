"""A text as plain as the verifiers read it: quotation marks of one kind, decimals in digits, no dateline.

All offsets stay what they are.
"""

import re

from whyrec.evaluation.verification.lexicon import SMALL_NUMBERS

_DIGITS = {word: n for word, n in SMALL_NUMBERS.items() if n <= 10}
_DECIMAL = (
    rf"(?i:\b(?P<whole>{'|'.join(_DIGITS)})\spoint\s"
    rf"(?P<tenths>{'|'.join(word for word, n in _DIGITS.items() if n < 10)})\b)"
)
_MANY = re.compile(
    r"“[^”\n]{1,300}”|\"[^\"\n]{1,300}\"|«[^»\n]{1,300}»|(?<!\w)‘(?:[^’\n]|’(?=\w)){1,300}’(?!\w)|"
    r"(?<![\w'’])'(?=[A-Z0-9¡¿(.])(?!\d\ds?\b)(?P<straight>(?:[^'\n]|'(?=\w)){1,120}?)'(?![\w'])"
    r"|„(?P<low>[^“”\"\n]{1,120})[“”\"]"
    r"|‚(?P<single_low>(?:[^‘’\n]|’(?=\w)){1,120})[‘’](?!\w)"
    r"|(?<![^\s(])»(?=\S)(?P<turned>[^«\n]{1,120})«"
    r"|‹(?P<angled>[^›\n]{1,120})›"
    r"|(?<![\w_])_(?=[A-Z0-9¡¿])(?P<underlined>[^_\n]{1,120})_(?![\w_])"
    r"|(?<![\w*])\*(?=[A-Z0-9¡¿])(?P<starred>[^*\n]{1,120})\*(?![\w*])"
    r"|``?(?=[A-Z0-9¡¿])(?P<ticked>[^`'\n]{1,120})(?:''|['`])(?!\w)"
    r"|<(?:i|em|cite|q)>(?P<tagged>[^<\n]{1,120})</(?:i|em|cite|q)>"
    rf"|{_DECIMAL}"
)
_DATELINE = re.compile(
    r"^[A-Z][A-Z .,']{2,30}(?:\s\([A-Za-z. ]{2,20}\))?"
    r"(?:,\s[A-Z][a-z]{2,8}\.?\s\d{1,2}(?:\s\([A-Za-z. ]{2,20}\))?)?\s[-–—]+\s"
)
"""Where and when a report was filed: "LONDON, Nov 1 -"."""
_HAS_ONE = re.compile(r"['„‚»‹_*`<]|\spoint\s", re.IGNORECASE)


def plainly(text: str) -> str:
    """Write a text's quotations in “curly” marks, "nine point two" in digits, its dateline in blanks.

    Args:
        text: As a writer wrote it. Marks that a reader knows anyway are left alone: “ ”, " ", ‘ ’, « ».
    """
    text = _DATELINE.sub(lambda hit: " " * len(hit[0]), text)
    return text if _HAS_ONE.search(text) is None else _MANY.sub(_plain, text)


def _in_digits(hit: re.Match[str]) -> str:
    return f"{_DIGITS[hit['whole'].casefold()]}.{_DIGITS[hit['tenths'].casefold()]}".rjust(len(hit[0]))


def _plain(hit: re.Match[str]) -> str:
    group = hit.lastgroup
    if group is None:  # within marks that are read anyway, nothing else is one
        return hit[0]
    if group == "tenths":
        return _in_digits(hit)
    before, after = hit.start(group) - hit.start(), hit.end() - hit.end(group)
    said = hit[group].translate(_INNER)
    return " " * (before - 1) + "“" + said + "”" + " " * (after - 1)


_INNER = str.maketrans("“”", "‘’")
