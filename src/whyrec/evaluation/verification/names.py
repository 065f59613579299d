"""Claims about titles: the item's own, and those of other items."""

import re
from collections.abc import Iterator

from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification.lexicon import (
    MONTH_NUMBERS,
    SMALL_NUMBERS,
    TENS,
)
from whyrec.evaluation.verification.titles import quoted, within_quotes
from whyrec.evaluation.verification.value_words import VALUE_CUE_AFTER, VALUE_CUE_BEFORE
from whyrec.evaluation.verification.vocabulary import WORD, Name, Vocabulary, attribute_values
from whyrec.interfaces import Claim

FILLER = "□"
"""Stands for characters that belong to a name already checked, so that no number or month is read into them."""

_QUOTED = re.compile(r"“([^”\n]{1,300})”|\"([^\"\n]{1,300})\"|‘(?<!\w‘)([^’\n]{2,300})’(?!\w)|«([^»\n]{1,300})»")
_CUT_OFF = re.compile(r"[….\s]+$")
_COMMON = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "and",
        "in",
        "on",
        "to",
        "for",
        "with",
        "at",
        "by",
        "from",
        "its",
        "it",
        "is",
        "no",
        "or",
        "as",
        "that",
        "this",
    ]
)


_LEAST_SHOUTED = 3
_NUMBERS = frozenset((*SMALL_NUMBERS, *TENS))
_OPENS_TITLE = re.compile(r"\b[^\W_a-z]\w*")
"""A word with a capital, or a number."""
_PART_OF_NAME = re.compile(r"^\s[A-Z][a-z]")
"""After the first word of a longer name: "Greta Yardley" is not the film "Greta"."""


def blank(text: str, claims: list[Claim]) -> str:
    """Overwrite the claims' characters with filler; all offsets stay what they are."""
    for claim in claims:
        text = text[: claim.start] + FILLER * (claim.end - claim.start) + text[claim.end :]
    return text


def title_claims(text: str, *, facts: ItemFacts, vocabulary: Vocabulary) -> list[Claim]:
    """Find the titles that a text names and say which are this item's."""
    claims = list(_quoted_titles(text, facts=facts, vocabulary=vocabulary))
    rest = blank(text, claims)
    own = _own_title(rest, within_quotes(facts.title))
    claims += own
    rest = blank(rest, own)
    return claims + list(_other_titles(rest, facts=facts, vocabulary=vocabulary, item_is_named=bool(claims)))


def _own_title(text: str, title: str) -> list[Claim]:
    if len(title) < 2 or title in MONTH_NUMBERS or title.casefold() in _COMMON:
        return []
    shouted = f"|{re.escape(title.upper())}" if len(title) > _LEAST_SHOUTED else ""
    pattern = re.compile(rf"(?<!\w)(?:{re.escape(title)}{shouted})(?!\w)")
    return [Claim("title", title, hit.start(), hit.end(), True, ("title",)) for hit in pattern.finditer(text)]


def _quoted_titles(text: str, *, facts: ItemFacts, vocabulary: Vocabulary) -> Iterator[Claim]:
    title = within_quotes(facts.title).casefold()
    for hit in _QUOTED.finditer(text):
        group = next(index for index in range(1, 5) if hit.group(index) is not None)
        # A comma or full stop inside the closing quote is the sentence's, not the title's.
        said = hit.group(group)
        start = hit.start(group)
        plain = said if said.casefold() == title else said.rstrip(",.")
        key = plain.casefold()
        if key == title or (len(key) > 20 and title.startswith(_CUT_OFF.sub("", key))):
            yield Claim("title", plain, start, start + len(plain), True, ("title",))
        elif key in vocabulary.quoted_titles or (said[0].isupper() and not _is_own_text(key, facts)):
            yield _wrong_title(plain, start, facts=facts)


def _is_own_text(phrase: str, facts: ItemFacts) -> bool:
    texts = [facts.title, *(part for value in facts.attributes.values() for part in attribute_values(value))]
    return any(phrase in text.casefold() for text in texts)


def _wrong_title(found: str, start: int, *, facts: ItemFacts) -> Claim:
    return Claim("title", found, start, start + len(found), False, ("title",), f"the item is {quoted(facts.title)}")


def _other_titles(text: str, *, facts: ItemFacts, vocabulary: Vocabulary, item_is_named: bool) -> Iterator[Claim]:
    taken = 0
    own_values = {part for value in facts.attributes.values() for part in attribute_values(value)}
    for word in _OPENS_TITLE.finditer(text):
        if word[0] not in vocabulary.title_openings or word.start() < taken:
            continue
        if not (word[0][0].isupper() or word[0][0].isdigit()):
            continue
        following = WORD.search(text, word.end())
        longer = () if following is None else vocabulary.titles.get(f"{word[0]} {following[0]}", ())
        for name in (*longer, *vocabulary.titles.get(word[0], ())):
            start, end = word.start(), word.start() + len(name.text)
            if text[start:end] != name.text or (end < len(text) and text[end].isalnum()) or name.text in own_values:
                continue
            if name.text == facts.title or not _reads_as_title(text, name, start=start, item_is_named=item_is_named):
                continue
            yield _wrong_title(name.text, start, facts=facts)
            taken = end
            break


def _reads_as_title(text: str, name: Name, *, start: int, item_is_named: bool) -> bool:
    """Tell a title from ordinary words that a film happens to share ("It", "October", "The Forecast")."""
    end = start + len(name.text)
    if re.match(r"\s\((?:18|19|20)\d\d\)", text[end : end + 8]):
        return True
    if name.text in MONTH_NUMBERS or name.text.isdigit() or name.text.casefold() in _COMMON | _NUMBERS:
        return False
    if len(name.words) == 1 and _PART_OF_NAME.match(text[end : end + 3]):
        return False
    opens_sentence = not re.search(r"[\w,;□]\s[“\"(]?$", text[max(0, start - 4) : start])
    if not item_is_named and len(name.words) > 1 and not {word.casefold() for word in name.words} <= _COMMON:
        return True
    capitals = sum(word[0].isupper() or word[0].isdigit() for word in name.words)
    if len(name.words) == 1:
        return (not opens_sentence or not item_is_named) and len(name.text) > 3 and not _is_value(text, start, end)
    return capitals >= 2 and (
        not opens_sentence or not item_is_named or capitals >= 3 or not _COMMON & {name.words[0].casefold()}
    )


def _is_value(text: str, start: int, end: int) -> bool:
    """A one-word title next to commas or cue words ("Drama, Crime") is a genre, and judged as such."""
    return bool(
        VALUE_CUE_AFTER.match(text[end : end + 40]) or VALUE_CUE_BEFORE.search(text[max(0, start - 70) : start])
    )
