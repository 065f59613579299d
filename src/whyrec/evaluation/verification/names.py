"""Claims about names: the item's title, other items' titles, and values of catalogue attributes."""

import re
from collections.abc import Iterator
from itertools import zip_longest

from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification.lexicon import (
    CREDIT,
    DENIES_VALUE,
    MONTH_NUMBERS,
    VALUE_CUE_AFTER,
    VALUE_CUE_BEFORE,
    VALUE_LINK,
)
from whyrec.evaluation.verification.titles import quoted, within_quotes
from whyrec.evaluation.verification.vocabulary import WORD, Name, Vocabulary, attribute_values, value_name
from whyrec.interfaces import Claim

FILLER = "□"
"""Stands for characters that belong to a name already checked, so that no number or month is read into them."""

_QUOTED = re.compile(r"“([^”\n]{1,300})”|\"([^\"\n]{1,300})\"|(?<!\w)‘([^’\n]{2,300})’(?!\w)|«([^»\n]{1,300})»")
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
    pattern = re.compile(rf"(?<!\w){re.escape(title)}(?!\w)")
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
    words = list(WORD.finditer(text))
    for word, following in zip_longest(words, words[1:]):
        if word.start() < taken or not (word[0][0].isupper() or word[0][0].isdigit()):
            continue
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
    if name.text in MONTH_NUMBERS or name.text.isdigit() or name.text.casefold() in _COMMON:
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


def attribute_claims(text: str, *, facts: ItemFacts, vocabulary: Vocabulary) -> list[Claim]:
    """Find the catalogue values that a text ascribes to the item, and credits such as "directed by"."""
    own = {
        value_name(part, attribute).words: (attribute, part)
        for attribute, value in facts.attributes.items()
        for part in attribute_values(value)
        if len(part) <= 200
    }
    found = _value_hits(text, vocabulary=vocabulary, own_names=tuple(own))
    accepted = _accepted(text, found)
    claims = [_value_claim(text, hit, own=own, facts=facts) for hit in accepted]
    return claims + list(_credits(blank(text, claims), facts=facts))


_Hit = tuple[int, int, tuple[str, ...], str]
"""Start, end, folded words, attribute."""


def _value_hits(text: str, *, vocabulary: Vocabulary, own_names: tuple[tuple[str, ...], ...]) -> list[_Hit]:
    words = [(word[0].casefold(), word.start(), word.end()) for word in WORD.finditer(text)]
    own_by_word: dict[str, list[tuple[str, ...]]] = {}
    for name in own_names:
        if name:
            own_by_word.setdefault(name[0], []).append(name)
    hits: list[_Hit] = []
    position = 0
    while position < len(words):
        first = words[position][0]
        candidates = [(name.words, name.attribute) for name in vocabulary.values.get(first, ())]
        candidates += [(name, "") for name in own_by_word.get(first, ())]
        for names, attribute in sorted(candidates, key=lambda pair: -len(pair[0])):
            last = position + len(names) - 1
            if last < len(words) and all(words[position + step][0] == name for step, name in enumerate(names)):
                hits.append((words[position][1], words[last][2], names, attribute))
                position = last
                break
        position += 1
    return hits


def _accepted(text: str, hits: list[_Hit]) -> list[_Hit]:
    """Keep the hits that are meant as values; then those listed together with one that is."""
    sure = [_is_meant(text, start, end, n_words=len(words)) for start, end, words, _ in hits]
    for order in (range(1, len(hits)), range(len(hits) - 2, -1, -1)):
        for index in order:
            other = index - 1 if order.step > 0 else index + 1
            low, high = sorted((index, other))
            if sure[other] and VALUE_LINK.match(text[hits[low][1] : hits[high][0]]):
                sure[index] = True
    return [hit for hit, is_sure in zip(hits, sure, strict=True) if is_sure]


def _is_meant(text: str, start: int, end: int, *, n_words: int) -> bool:
    if VALUE_CUE_AFTER.match(text[end : end + 40]) or VALUE_CUE_BEFORE.search(text[max(0, start - 70) : start]):
        return True
    if not text[start].isupper():
        return False
    before = text[max(0, start - 3) : start]
    opens_sentence = not before.strip() or before.rstrip()[-1] in ".!?]:"
    return n_words > 1 or not opens_sentence


def _value_claim(text: str, hit: _Hit, *, own: dict[tuple[str, ...], tuple[str, str]], facts: ItemFacts) -> Claim:
    start, end, words, attribute = hit
    if DENIES_VALUE.search(text, max(0, start - 40), start):
        problem = f"the catalogue's {own[words][0]} says so" if words in own else ""
        key = own[words][0] if words in own else attribute
        return Claim("attribute", text[start:end], start, end, not problem, (f"attribute:{key}",), problem)
    if words in own:
        return Claim("attribute", text[start:end], start, end, True, (f"attribute:{own[words][0]}",))
    said = ", ".join(part for part in attribute_values(facts.attributes.get(attribute, ""))) or "nothing of the kind"
    ids = (f"attribute:{attribute}",) if attribute in facts.attributes else ()
    return Claim("attribute", text[start:end], start, end, False, ids, f"the catalogue's {attribute} says {said}")


def _credits(text: str, *, facts: ItemFacts) -> Iterator[Claim]:
    for hit in CREDIT.finditer(text):
        name, start = hit["name"].rstrip("."), hit.start("name")
        attribute = next(
            (key for key, value in facts.attributes.items() if name.casefold() in str(value).casefold()), None
        )
        ids = () if attribute is None else (f"attribute:{attribute}",)
        problem = "" if ids else "the catalogue entry does not mention this name"
        yield Claim("attribute", name, start, start + len(name), bool(ids), ids, problem)
