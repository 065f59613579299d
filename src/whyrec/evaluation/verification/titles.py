"""Titles as they are said: "The Matrix" for "Matrix, The (1999)", small letters for a shop's capitals."""

import re
from functools import lru_cache

LONGEST_QUOTED = 70
"""Longer titles are quoted by their beginning."""
_SINGLE = str.maketrans("“”„‟«»", "‘’‚‛‹›")
_YEAR = re.compile(r"\s*\(((?:18|19|20)\d\d)\)\s*$")
_OTHER_NAME = re.compile(r"(?<=\S)\s+\([^()]*\)\s*$")
_ARTICLE = re.compile(r"^(?P<rest>.+), (?P<article>The|A|An|Le|La|Les|L'|Il|El|Los|Las|Der|Die|Das)$")


def within_quotes(title: str) -> str:
    """A title as it stands in quotation marks: with single ones of its own, so that it cannot close them.

    Else a catalogue's title could go on behind its quotation as if the writer said it.
    """
    return " ".join(title.split()).translate(_SINGLE)


def quoted(title: str, *, longest: int = LONGEST_QUOTED) -> str:
    """Put a title in quotation marks, cut at a word's end where it is longer than ``longest`` characters."""
    told = within_quotes(title)
    if len(told) > longest:
        told = told[:longest].rsplit(" ", 1)[0].rstrip(" ,;:-+&(") + "…"
    return f"“{told}”"


@lru_cache(maxsize=65536)
def spoken_title(title: str) -> str:
    """Say a catalogue's title: no year or other name in brackets behind it, the article first, no shouting.

    Args:
        title: As the catalogue spells it; comes back as it is where nothing would be left.
    """
    name = " ".join(title.split())
    if _YEAR.search(name):
        name = _OTHER_NAME.sub("", _YEAR.sub("", name))
    if turned := _ARTICLE.match(name):
        article = turned["article"]
        name = f"{article}{'' if article.endswith(chr(39)) else ' '}{turned['rest']}"
    if name.isupper() and " " in name:
        name = name.capitalize()
    return name or title


def year_in_title(title: str) -> int | None:
    """The year in brackets at a title's end, if there is one."""
    found = _YEAR.search(title)
    return int(found[1]) if found else None
