"""Search of titles by the beginnings of words; case and accents do not count."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, intersect, select

from whyrec.serving.store.schema import title_words, titles

LONGEST_WORD = 64
"""Characters of a word that are compared."""
MOST_WORDS = 64
"""Of a title that are searched."""
MOST_SOUGHT = 8
"""Words of a query that count; later ones are left out."""
_WORD = re.compile(r"\w+")
_APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´")
# Letters that Unicode does not take apart into a plain one and an accent.
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})


def folded_words(text: str) -> list[str]:
    """Words of a text, without case, accents and apostrophes: ``["schindlers", "list"]`` of "Schindler’s List"."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_APOSTROPHES))
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign)).translate(_PLAIN)
    return [word[:LONGEST_WORD] for word in _WORD.findall(plain)]


@lru_cache(maxsize=MOST_SOUGHT + 1)
def matching(n_words: int) -> Select[Any]:
    """The query for ``item_id, title`` of titles in which each of ``n_words`` words begins a word.

    Parameters: those of ``sought``. The title that was typed comes first, then those that begin with it, then those
    with more users.
    """
    found = intersect(*(_beginning(n) for n in range(n_words))).subquery()
    folded = titles.c.folded
    nearness = case(
        (folded == bindparam("phrase"), 0),
        (and_(folded >= bindparam("phrase_whole"), folded < bindparam("phrase_next")), 1),
        (and_(folded >= bindparam("phrase"), folded < bindparam("phrase_end")), 2),
        else_=3,
    )
    return (
        select(titles.c.item_id, titles.c.title)
        .join(found, found.c.item_id == titles.c.item_id)
        .where(titles.c.version == bindparam("version"))
        .order_by(nearness, titles.c.users.desc(), folded, titles.c.item_id)
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )


def sought(words: list[str]) -> dict[str, object]:
    """Values of the parameters of ``matching`` that the words give."""
    phrase = " ".join(words)
    values: dict[str, object] = {f"from_{n}": word for n, word in enumerate(words)}
    values |= {f"to_{n}": _end(word) for n, word in enumerate(words)}
    whole = f"{phrase} "
    return values | {"phrase": phrase, "phrase_whole": whole, "phrase_next": _end(whole), "phrase_end": _end(phrase)}


def _beginning(n: int) -> Select[Any]:
    word = title_words.c.word
    return (
        select(title_words.c.item_id)
        .distinct()
        .where(
            title_words.c.version == bindparam("version"), word >= bindparam(f"from_{n}"), word < bindparam(f"to_{n}")
        )
    )


def _end(prefix: str) -> str:
    """The text that follows, in the order of code points, every text with this beginning."""
    return prefix + chr(0x10FFFF)
