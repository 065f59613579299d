"""How texts name months, dates and spans of days: "2013-10", "Oct. '13", "the month before last", "two months on"."""

import re

from whyrec.evaluation.verification.lexicon import MONTH_NUMBERS, NUMBER_WORDS

_FULL = "|".join(sorted((name for name in MONTH_NUMBERS if len(name) > 4 or name in ("May", "June", "July")), key=len))
_SHORT = "|".join(name for name in MONTH_NUMBERS if len(name) <= 4 and name not in ("May", "June", "July"))
_DAY = r"(?:[12]?\d|3[01])"
_YEAR = r"(?:19|20)\d\d"

MONTH = re.compile(
    r"(?=[\dA-Zltp])"  # what a month begins with: looked at first, for speed
    rf"(?:(?<![\d/-])(?P<iso_year>{_YEAR})[-/](?P<iso_month>0[1-9]|1[0-2])(?:-(?P<iso_day>\d\d))?(?!\d)"
    rf"|(?<![\d/.])(?P<us_month>0?[1-9]|1[0-2])[/.](?P<us_year>{_YEAR})(?!\d)"
    rf"|(?:(?<![\d,.])(?P<day_before>{_DAY})(?:st|nd|rd|th)?\s(?:of\s)?)?\b"
    rf"(?:(?:[Ll]ast|[Tt]h(?:is(?: past| year[’']s)?|at|e month of)|[Pp]ast|"
    rf"[Ll]ast year[’']s)\s)?(?P<name>(?:{_FULL})\b|"
    rf"(?:{_SHORT})\b(?:\.(?=\s(?:\d|of\b|[a-z’'])|[’',;)]))?)(?!\w)"
    rf"(?:\s(?P<day_after>{_DAY})(?:st|nd|rd|th)(?:,\s(?P<year_a>{_YEAR}))?"
    rf"|\s(?P<day_us>{_DAY}),\s(?P<year_b>{_YEAR})"
    rf"|(?:,?\s(?:of\s)?(?:the year\s)?|-|\s?\()(?P<year>{_YEAR})(?![\d,]*\d)\)?"
    rf"|(?:\s(?:of\s)?)?[’'‘](?P<year_short>\d\d)(?!\d)|-(?P<year_dash>\d\d)(?![\d-])|\s(?:of|in)\s(?:that|the\ssame|"
    rf"this)\syear\b)?)"
)
"""Case counts: "May", not "may"."""
_ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)
ORDINAL_MONTHS = {word: n for n, word in enumerate(_ORDINALS, start=1)}
ORDINAL_MONTH = re.compile(
    rf"\b(?:the\s)?(?P<nth>{'|'.join(_ORDINALS)}|last)\smonth\sof\s(?:the\syear\s)?(?P<year>{_YEAR})\b"
)
_MONTHS = rf"(?P<n>\d{{1,2}}|{NUMBER_WORDS}|an?|a single)\s(?:full\s|whole\s|calendar\s|short\s)?months?"
RELATIVE_MONTH = re.compile(
    r"\b(?:the\s|that\s)?(?P<which>month\sbefore\slast|last\smonth\sbut\sone|penultimate\s(?:full\s)?month|"
    r"(?:previous|prior|preceding)\s(?:full\s|calendar\s)?month|"
    r"month\s(?:before|earlier|prior|previously)|month\s(?:after|later|afterwards|that\sfollowed)|"
    r"(?:following|subsequent|ensuing|next)\smonth|"
    r"(?:last|latest|(?:most\s)?recent|past)\s(?:full\s|complete\s|whole\s|calendar\s)?month|month\sjust\s(?:gone|past|"
    r"ended|over|behind\sus)|(?:this|current|running)\smonth|first\smonth)\b(?!s)",
)
OFFSET = re.compile(
    rf"\b{_MONTHS}(?:(?P<from>\s(?:after|later\sthan|on\sfrom|from|past|following|further\son\sfrom)\s)"
    r"|(?P<until>\s(?:before|prior\sto|ahead\sof|earlier\sthan)\s)"
    r"|(?P<later>\s(?:later|on|afterwards?|after\sthat|further\son|down\sthe\s(?:line|road))\b(?!\s(?:record|file|"
    r"the)\b))"
    r"|(?P<earlier>\s(?:earlier|before(?:\sthat|hand)?|previously|prior)\b))",
)
"""So many months from a month named beside it, or before."""
SPAN = re.compile(
    rf"\b(?:the\s|its\s|these\s|this\s)?(?:last|past|latest|final|previous|most recent|preceding|closing|recent)\s"
    rf"(?:(?P<n>\d+|{NUMBER_WORDS})[\s-])?(?P<unit>days?|weeks?|fortnight)\b|"
    r"\bthe\s(?P<just>week|fortnight)\s(?:just\s)?(?:past|gone(?:\sby)?|ended|before the cut-?off|to the cut-?off)\b",
)
