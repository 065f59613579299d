"""Aspects in English: "film noirs", "was directed by Carol Reed", "as were ..."; counts, ratios, lists, titles."""

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from whyrec.methods.curec.offline.aspects import Aspect, AspectTable, Domain
from whyrec.methods.curec.offline.config import Address
from whyrec.methods.curec.offline.profile import CLEARLY_MORE, Interest

_SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_GENRES = {
    "comedy": ("comedy", "comedies"),
    "drama": ("drama", "dramas"),
    "western": ("western", "westerns"),
    "thriller": ("thriller", "thrillers"),
    "musical": ("musical", "musicals"),
    "documentary": ("documentary", "documentaries"),
    "mystery": ("mystery", "mysteries"),
    "romance": ("romance", "romances"),
    "biography": ("biography", "biographies"),
    "film-noir": ("film noir", "film noirs"),
    "animation": ("animated film", "animated films"),
    "sci-fi": ("science fiction film", "science fiction films"),
    "sport": ("sports film", "sports films"),
    "history": ("historical film", "historical films"),
    "imax": ("IMAX film", "IMAX films"),
}
_MOST_TIMES = 20
_SURE = 0.05
_COLUMN_NAMES = {"rated": "certificate"}


class Nouns(NamedTuple):
    """What a domain calls its items and its people."""

    one: str
    many: str
    person: str


NOUNS: dict[Domain, Nouns] = {
    "film": Nouns("film", "films", "viewer"),
    "product": Nouns("product", "products", "shopper"),
    "item": Nouns("item", "items", "user"),
}


class Reader(NamedTuple):
    """How the user is spoken of."""

    subject: str
    s: str
    """Ending of a verb that follows the subject."""
    possessive: str


def reader_of(address: Address, nouns: Nouns) -> Reader:
    """Speak of "this viewer" or to "you"."""
    return Reader("you", "", "your") if address == "second" else Reader(f"this {nouns.person}", "s", "their")


class Voice:
    """Chooses among phrasings, the same way every time for the same user, item and seed."""

    def __init__(self, *key: object) -> None:
        self._random = random.Random(":".join(map(str, key)))

    def pick(self, *phrases: str) -> str:
        """Choose one phrasing."""
        return phrases[int(self._random.random() * len(phrases))]

    def order(self, n: int) -> list[int]:
        """The numbers from 0 to n - 1 in an order of this voice's own."""
        numbers = list(range(n))
        self._random.shuffle(numbers)
        return numbers


class Phrase(NamedTuple):
    """An aspect in words."""

    many: str
    """``films by Carol Reed``."""
    is_one: str
    """``was directed by Carol Reed``."""
    do: tuple[str, str]
    """The verb that takes up ``is_one`` again, for one and for many: ``was, were``."""


def phrase_of(aspect: Aspect, table: AspectTable) -> Phrase:
    """Put an aspect in words; names stay as the catalogue spells them, so that they can be looked up."""
    nouns, value = NOUNS[table.domain], aspect.value
    match aspect.kind:
        case "genre":
            one, many = genre_words(value, nouns)
            return Phrase(many, f"is {with_article(one)}", ("is", "are"))
        case "director":
            return Phrase(f"{nouns.many} by {value}", f"was directed by {value}", ("was", "were"))
        case "cast":
            return Phrase(f"{nouns.many} with {value}", f"has {value} in its cast", ("does", "do"))
        case "keyword":
            place = "plot" if table.domain == "film" else "name" if "title" in aspect.column else "description"
            return Phrase(
                f"{nouns.many} with “{value}” in the {place}", f"has “{value}” in its {place}", ("does", "do")
            )
        case "era":
            return Phrase(f"{nouns.many} of the {value}", f"dates from the {value}", ("does", "do"))
        case "category":
            name = category_name(value)
            return Phrase(f"{nouns.many} filed under {name}", f"is filed under {name}", ("is", "are"))
        case "brand":
            return Phrase(f"{nouns.many} by {value}", f"is made by {value}", ("is", "are"))
        case "price":
            band = f"in the {value} quarter of the catalogue"
            return Phrase(f"{nouns.many} {band}", f"is {band}", ("is", "are"))
        case _:
            name = _COLUMN_NAMES.get(aspect.column.casefold(), aspect.column.replace("_", " "))
            # A column of tags holds several; one of glass, status or basis holds one.
            of = "among" if re.search("[^sui]s$", name.casefold()) else "as"
            return Phrase(
                f"{nouns.many} with “{value}” {of} their {name}", f"has “{value}” {of} its {name}", ("does", "do")
            )


def genre_words(value: str, nouns: Nouns) -> tuple[str, str]:
    """A genre as a noun for one work and for several: ``war film, war films``."""
    lower = value.lower()
    return _GENRES.get(lower, (f"{lower} {nouns.one}", f"{lower} {nouns.many}"))


def category_name(value: str) -> str:
    """A category as it stands in a sentence: quoted where it is a path or holds a comma."""
    return f"“{value}”" if " > " in value or "," in value or not value[0].isupper() else value


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun or a year."""
    sounds_like_vowel = noun[0].casefold() in "aeio" or noun.startswith(("18", "8", "un", "up", "IM"))
    return f"{'an' if sounds_like_vowel else 'a'} {noun}"


def also(predicate: str) -> str:
    """Put "also" where it belongs: "is also a western", "also has ..."."""
    verb, rest = predicate.split(" ", 1)
    return f"{verb} also {rest}" if verb in ("is", "was") else f"also {predicate}"


def small(count: int) -> str:
    """Spell out up to twelve; digits above."""
    return _SMALL[count] if count < len(_SMALL) else f"{count:,}"


def listing(parts: Sequence[str]) -> str:
    """Join with commas and "and"; nothing gives nothing."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def sentence(text: str) -> str:
    """Begin with a capital and end with one full stop."""
    return f"{text[0].upper()}{text[1:]}".rstrip(".") + "."


def counted(count: int, *, n: int, total: int, nouns: Nouns, brief: bool = False) -> str:
    """A count of a history: "nine of the last 50 films", "both films so far", "none of the twelve films so far".

    Args:
        count: How many have an aspect.
        n: Interactions that were counted.
        total: Interactions that there are; if more than ``n``, the last ``n`` are meant.
        nouns: The domain's.
        brief: Leave the noun out where the sentence is clear without.
    """
    if n == 1 and total == 1:
        return f"the only {nouns.one} so far"
    noun = "" if brief else f" {nouns.many}"
    hits = "none" if count == 0 else small(count)
    if total > n:
        return f"{'all' if count == n else hits} of the last {small(n)}{noun}" if n > 1 else f"the last {nouns.one}"
    if count == n:
        return f"both{noun} so far" if n == 2 else f"all {small(n)}{noun} so far"
    return f"{hits} of the {small(n)}{noun} so far"


def how_often(interest: Interest, *, reference: str) -> str:
    """Compare as an adverb: "more than three times as often as the average viewer"."""
    times = _times(interest)
    if times is None:
        return f"far more often than {reference}"
    return f"more often than {reference}" if times < 2 else f"more than {_worded(times)} as often as {reference}"


def what_share(interest: Interest, *, reference: str) -> str:
    """Compare as a noun: "more than three times the average viewer's share", "a larger share than usual"."""
    times = _times(interest)
    usual = reference == "usual"
    if times is not None and times >= 2:
        return f"more than {_worded(times)} {'the usual share' if usual else f'{reference}’s share'}"
    much = "far " if times is None else ""
    return f"a {much}larger share than {reference}{'' if usual else '’s'}"


def is_clearly_less(interest: Interest) -> bool:
    """Whether the share lies clearly below the average user's."""
    return interest.lift * CLEARLY_MORE <= 1


def _times(interest: Interest) -> int | None:
    """The whole number of times that the share surely exceeds the average; None where it is beyond telling."""
    if interest.lift > _MOST_TIMES + 1:
        return None
    return max(int(interest.lift - _SURE), 1)


def _worded(times: int) -> str:
    return "twice" if times == 2 else f"{small(times)} times"
