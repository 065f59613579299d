"""Claims about catalogue attributes: genres and other values, decades, credits such as "directed by"."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification.genres import genre_names
from whyrec.evaluation.verification.lexicon import DENIES_VALUE
from whyrec.evaluation.verification.mentions import folded
from whyrec.evaluation.verification.names import blank
from whyrec.evaluation.verification.value_words import (
    CREDIT,
    DECADE,
    DECADE_OF_LIFE,
    DENIED_AFTER,
    DENIES_CALLING,
    DOUBLE_DENIAL,
    VALUE_CUE_AFTER,
    VALUE_CUE_BEFORE,
    VALUE_LINK,
    decade_of,
)
from whyrec.evaluation.verification.vocabulary import WORD, Vocabulary, attribute_values, value_name
from whyrec.interfaces import Claim

_DECADE = re.compile(DECADE.pattern)
"""For small letters: ignoring the case takes several times as long."""
_EDGE = re.compile(r"[.!?;:][”\"’)\]]*\s|\n")
_ASCRIBED = re.compile(
    r"\b(?:an?|no|not|this|any|another|some|the|of|as|is|it['’]s|that['’]s|was|pure|full-blown|for|into|among(?:st)?|"
    r"like|one|"
    r"after|called|fancy|under|proper|genuine|classic|true|real|good|great|and|or|with|between|isn['’]t|wasn['’]t|"
    r"tagged|filed|"
    r"part|half|nor|neither|both|straight|label(?:led)?|to)\s(?:[\w'’-]+\s){0,2}$",
    re.IGNORECASE,
)
_OTHER_SENSE = re.compile(r"^\s(?:why|how|behind|whether|to (?:me|us|everyone)|surrounding|around)\b")
_GENRE_AFTER = re.compile(
    r"^[\s-](?:comed(?:y|ies)|dramas?|thrillers?|romances?|adventures?|musicals?|westerns?|myster(?:y|ies)|"
    r"fantas(?:y|ies)|"
    r"documentar(?:y|ies)|cartoons?|chillers?|biopics?|epics?|sagas?|tales?|yarns?|flicks?|fare|fests?|capers?|"
    r"romps?)\b",
    re.IGNORECASE,
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
    claims += decade_claims(blank(text, claims), facts=facts)
    return claims + list(_credits(blank(text, claims), facts=facts))


class _Hit(NamedTuple):
    start: int
    end: int
    words: tuple[str, ...]
    """The catalogue's own, folded."""
    attribute: str
    is_noun: bool = False
    """Whether the words name a genre of works: "a western"."""


def _value_hits(text: str, *, vocabulary: Vocabulary, own_names: tuple[tuple[str, ...], ...]) -> list[_Hit]:
    found = list(WORD.finditer(text))
    words = tuple(word[0].casefold() for word in found)
    own: dict[str, list[tuple[str, ...]]] = {}
    for name in own_names:
        if name:
            own.setdefault(name[0], []).append(name)
    hits: list[_Hit] = []
    genres = genre_names()
    position = 0
    while position < len(words):
        first = words[position]
        if first in vocabulary.values or first in own or first in genres:
            candidates = _candidates(words, position, vocabulary=vocabulary, own=own)
            if candidates:
                said, value, attribute, is_noun = min(candidates, key=lambda it: (-len(it[0]), not it[3]))
                start, position = found[position].start(), position + len(said) - 1
                hits.append(_Hit(start, found[position].end(), value, attribute, is_noun))
        position += 1
    return hits


def _candidates(
    words: tuple[str, ...], position: int, *, vocabulary: Vocabulary, own: Mapping[str, Sequence[tuple[str, ...]]]
) -> list[tuple[tuple[str, ...], tuple[str, ...], str, bool]]:
    """Values that stand at a position: as said, as the catalogue has it, their attribute, whether that is a noun."""

    def stands(said: tuple[str, ...]) -> bool:
        return words[position : position + len(said)] == said

    first = words[position]
    values = [it for it in vocabulary.values.get(first, ()) if stands(it.words)]
    genres = [it for it in genre_names().get(first, ()) if stands(it.words)]
    return [
        *((it.words, it.words, it.attribute, False) for it in values),
        *((name, name, "", False) for name in own.get(first, ()) if stands(name)),
        *(
            (it.words, it.value, attribute, it.is_noun)
            for it in genres
            if (attribute := _attribute_of(it.value, vocabulary, own)) is not None
        ),
    ]


def _attribute_of(
    value: tuple[str, ...], vocabulary: Vocabulary, own: Mapping[str, Sequence[tuple[str, ...]]]
) -> str | None:
    known = next((name.attribute for name in vocabulary.values.get(value[0], ()) if name.words == value), None)
    return "" if known is None and value in own.get(value[0], ()) else known


def _accepted(text: str, hits: list[_Hit]) -> list[_Hit]:
    """Keep the hits that are meant as values; then those listed together with one that is."""
    sure = [_is_meant(text, hit) for hit in hits]
    for order in (range(1, len(hits)), range(len(hits) - 2, -1, -1)):
        for index in order:
            other = index - 1 if order.step > 0 else index + 1
            low, high = sorted((index, other))
            if sure[other] and VALUE_LINK.match(text[hits[low].end : hits[high].start]):
                sure[index] = True
    return [hit for hit, is_sure in zip(hits, sure, strict=True) if is_sure]


def _is_meant(text: str, hit: _Hit) -> bool:
    start, end = hit.start, hit.end
    before, after = text[max(0, start - 70) : start], text[end : end + 40]
    if VALUE_CUE_AFTER.match(after) or VALUE_CUE_BEFORE.search(before):
        return True
    if hit.is_noun and _ASCRIBED.search(before) and not _OTHER_SENSE.match(after):
        return True
    if hit.is_noun and DENIED_AFTER.match(text, end):
        return True
    if _GENRE_AFTER.match(after) and hit.attribute in ("", "genres", "categories"):
        return True
    if not text[start].isupper():
        return False
    close = before[-3:]
    opens_sentence = not close.strip() or close.rstrip()[-1] in ".!?]:"
    return len(hit.words) > 1 or not opens_sentence


def _value_claim(text: str, hit: _Hit, *, own: dict[tuple[str, ...], tuple[str, str]], facts: ItemFacts) -> Claim:
    start, end, words, attribute, _ = hit
    if is_denied(text, start, end):
        problem = f"the catalogue's {own[words][0]} says so" if words in own else ""
        key = own[words][0] if words in own else attribute
        return Claim("attribute", text[start:end], start, end, not problem, (f"attribute:{key}",), problem)
    if words in own:
        return Claim("attribute", text[start:end], start, end, True, (f"attribute:{own[words][0]}",))
    said = ", ".join(part for part in attribute_values(facts.attributes.get(attribute, ""))) or "nothing of the kind"
    ids = (f"attribute:{attribute}",) if attribute in facts.attributes else ()
    return Claim("attribute", text[start:end], start, end, False, ids, f"the catalogue's {attribute} says {said}")


def is_denied(text: str, start: int, end: int) -> bool:
    """Whether a value is said not to be the item's: "not a western", "a western it is not"."""
    edge = max((hit.end() for hit in _EDGE.finditer(text, max(0, start - 90), start)), default=0)
    opening = re.sub(r"□+", "x", text[max(edge, start - 90) : start])
    if DENIES_VALUE.search(opening) or DENIES_CALLING.search(opening):
        return DOUBLE_DENIAL.search(opening) is None
    return DENIED_AFTER.match(text, end) is not None


def decade_claims(text: str, *, facts: ItemFacts) -> list[Claim]:
    """Find the decades that a text dates the item to, and compare them with the item's year."""
    found = [
        (name, value) for name, value in facts.attributes.items() if re.search("year|released?$", name, re.IGNORECASE)
    ]
    years = [(name, float(value)) for name, value in found if isinstance(value, int | float)]
    claims = []
    for hit in _DECADE.finditer(folded(text)) if years else ():
        if DECADE_OF_LIFE.search(text[max(0, hit.start() - 24) : hit.start()]):
            continue
        name, year = years[0]
        decade, said = decade_of(hit), text[hit.start() : hit.end()]
        holds = any(start <= year < start + 10 for start in decade) != is_denied(text, hit.start(), hit.end())
        problem = "" if holds else f"{name.replace('_', ' ')}: {year:g}"
        claims.append(Claim("attribute", said, hit.start(), hit.end(), holds, (f"attribute:{name}",), problem))
    return claims


def _credits(text: str, *, facts: ItemFacts) -> Iterator[Claim]:
    for hit in CREDIT.finditer(text):
        name, start = hit["name"].rstrip("."), hit.start("name")
        attribute = next(
            (key for key, value in facts.attributes.items() if name.casefold() in str(value).casefold()), None
        )
        ids = () if attribute is None else (f"attribute:{attribute}",)
        problem = "" if ids else "the catalogue entry does not mention this name"
        yield Claim("attribute", name, start, start + len(name), bool(ids), ids, problem)
