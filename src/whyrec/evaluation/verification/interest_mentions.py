"""What a text about interests speaks of: titles in quotation marks, and values of attributes wherever they stand."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from re import Match
from typing import NamedTuple

from whyrec.evaluation.verification import interest_words as words
from whyrec.evaluation.verification.interest_facts import (
    DECADE,
    IN_TEXT,
    QUARTER,
    InterestFacts,
    ItemTraits,
    Trait,
    fold,
)
from whyrec.evaluation.verification.names import FILLER
from whyrec.evaluation.verification.vocabulary import WORD
from whyrec.interfaces import Claim

Span = tuple[int, int]

_LEAST_OF_CUT_TITLE = 8
_CLAUSE_COST = 200
"""Characters that the end of a clause counts for when the nearest value is looked for."""


class Mention(NamedTuple):
    """A value as a text names it, and the traits that it may stand for."""

    start: int
    end: int
    traits: tuple[Trait, ...]


class Example(NamedTuple):
    """A title of the history; of several where they share a name."""

    start: int
    end: int
    item_ids: tuple[str, ...]
    items: tuple[ItemTraits, ...]


@dataclass(frozen=True)
class Reading:
    """A text with what was found in it."""

    text: str
    masked: str
    """The text with filler for what stands in quotation marks; all offsets stay."""
    sentences: list[Span]
    titles: list[Claim]
    examples: list[Example]
    mentions: list[Mention]
    counts: list[Match[str]]
    """Whatever may be a count of the history."""

    def counts_in(self, sentence: Span) -> list[Match[str]]:
        """What may be a count in a sentence."""
        return [hit for hit in self.counts if sentence[0] <= hit.start() < sentence[1]]

    def mentions_in(self, sentence: Span) -> list[Mention]:
        """The values named in a sentence."""
        return [mention for mention in self.mentions if sentence[0] <= mention.start < sentence[1]]

    def sentence_of(self, position: int) -> Span:
        """The sentence that an offset lies in."""
        return next(span for span in self.sentences if position < span[1])

    def window_of(self, mention: Mention) -> int | None:
        """The "last M" that the mention's sentence speaks of, if it does."""
        for hit in self.counts_in(self.sentence_of(mention.start)):
            if hit["last"] and hit["of"]:
                return words.whole_number(hit["of"])
        return None

    def nearest(self, mentions: Sequence[Mention], start: int, end: int, *, forward: bool = False) -> Mention | None:
        """The value that a word or number between two offsets is said of; with ``forward`` one that follows."""
        behind = [mention for mention in mentions if not forward or mention.start >= end]
        return min(behind, key=lambda mention: self._distance(mention, start, end), default=None)

    def _distance(self, mention: Mention, start: int, end: int) -> int:
        low, high = (mention.end, start) if mention.end <= start else (end, mention.start)
        gap = self.masked[low:high] if low < high else ""
        return len(gap) + _CLAUSE_COST * sum(1 for _ in words.CLAUSE_END.finditer(self.masked, low, max(low, high)))


def said_in_full(masked: str, mention: Mention) -> int:
    """The end of a value together with the noun that it stands before: "horror films"."""
    hit = words.VALUE_NOUN.match(masked[mention.end : mention.end + 40])
    return mention.end + (hit.end() if hit and len(hit[0].split()) == 1 else 0)


def read(text: str, *, facts: InterestFacts) -> Reading:
    """Find titles, values and sentences."""
    masked = _mask(text)
    titles: list[Claim] = []
    examples: list[Example] = []
    mentions: list[Mention] = []
    for hit in words.QUOTED.finditer(text):
        group = hit.lastindex or 1
        found = _quoted(text, hit.span(group), facts=facts)
        if isinstance(found, Mention):
            mentions.append(found)
            continue
        if isinstance(found, Example):
            examples.append(found)
            ids = tuple(f"interaction:{item_id}" for item_id in found.item_ids)
            found = Claim("title", "", found.start, found.end, True, ids)
        titles.append(found)
    mentions += _plain_mentions(masked, facts=facts)
    counts = list(words.COUNT.finditer(masked))
    return Reading(text, masked, _sentences(masked), titles, examples, sorted(mentions), counts)


def _mask(text: str) -> str:
    for hit in words.QUOTED.finditer(text):
        text = text[: hit.start()] + FILLER * (hit.end() - hit.start()) + text[hit.end() :]
    return text


def _sentences(masked: str) -> list[Span]:
    ends = [hit.end() for hit in words.SENTENCE_END.finditer(masked)]
    edges = [0, *(end for end in ends if end < len(masked)), len(masked)]
    spans: list[Span] = []
    for start, end in itertools.pairwise(edges):
        # "Horror films? You go for them less" is one statement.
        if spans and words.TOPIC.fullmatch(masked[slice(*spans[-1])]) and words.OF_TOPIC.search(masked[start:end]):
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _quoted(text: str, span: Span, *, facts: InterestFacts) -> Claim | Example | Mention:
    start, end = span
    said = (
        text[start:end].rstrip(",.") if text[start:end].casefold() not in facts.catalogue.by_title else text[start:end]
    )
    end = start + len(said)
    name = said.casefold()
    is_word = WORD.fullmatch(said) is not None and (
        words.SPEAKS_OF_TEXT.match(text[span[1] + 1 : span[1] + 30]) is not None
        or words.MENTIONS.search(text[max(0, span[0] - 16) : span[0] - 1]) is not None
    )
    if is_word:
        # A catalogue entry mentions what its labels say, too.
        return Mention(start, end, ((IN_TEXT, name), *facts.catalogue.by_name.get(fold(said), ())))
    if facts.item is not None and _is_title(name, facts.item):
        return Claim("title", said, start, end, True, ("title",))
    if item_ids := _earlier(name, facts):
        return Example(start, end, item_ids, tuple(facts.catalogue.items[item_id] for item_id in item_ids))
    if traits := facts.catalogue.by_name.get(fold(said)):
        return Mention(start, end, traits)
    return Claim("title", said, start, end, False, (), "it is neither the item's title nor one of the history")


def _is_title(name: str, item: ItemTraits) -> bool:
    return name in item.names or any(full.startswith(head) for head in _heads(name) for full in item.names)


def _earlier(name: str, facts: InterestFacts) -> tuple[str, ...]:
    """Items of the history with a title, in full or cut short."""
    exact = tuple(item_id for item_id in facts.catalogue.by_title.get(name, ()) if item_id in facts.seen)
    if exact or not _heads(name):
        return exact
    return tuple(
        dict.fromkeys(id_ for id_, item in zip(facts.history, facts.past, strict=True) if _is_title(name, item))
    )


def _heads(name: str) -> tuple[str, ...]:
    """What stands of a title that was cut short; nothing for a full one."""
    head = name.rstrip("…. ")
    return (head,) if name.endswith("…") and len(head) >= _LEAST_OF_CUT_TITLE else ()


def _plain_mentions(masked: str, *, facts: InterestFacts) -> list[Mention]:
    found = list(_value_mentions(masked, facts=facts))
    found += [Mention(hit.start(), hit.end(), ((DECADE, hit[0]),)) for hit in words.DECADE.finditer(masked)]
    for hit in words.QUARTER.finditer(masked):
        end = "cheapest" if hit["end"].casefold().startswith(words.CHEAP) else "dearest"
        found.append(Mention(hit.start(), hit.end(), ((QUARTER, end),)))
    return found


def _value_mentions(masked: str, *, facts: InterestFacts) -> Iterator[Mention]:
    """Longest values first, word by word; then those that are meant, and those listed together with one that is."""
    tokens = [(hit[0].casefold(), hit.start(), hit.end()) for hit in WORD.finditer(masked) if FILLER not in hit[0]]
    hits: list[Mention] = []
    place = 0
    while place < len(tokens):
        step, traits = _longest_value(tokens, place, facts=facts)
        if step:
            hits.append(Mention(tokens[place][1], tokens[place + step - 1][2], traits))
        place += max(step, 1)
    sure = [_is_meant(masked, hit) for hit in hits]
    for order in (range(1, len(hits)), range(len(hits) - 2, -1, -1)):
        for place in order:
            low, high = (place - 1, place) if order.step > 0 else (place, place + 1)
            if sure[low + high - place] and words.LINK.match(masked[hits[low].end : hits[high].start]):
                sure[place] = True
    for hit, is_sure in zip(hits, sure, strict=True):
        if is_sure:
            yield _in_role(masked, hit)


def _longest_value(
    tokens: list[tuple[str, int, int]], place: int, *, facts: InterestFacts
) -> tuple[int, tuple[Trait, ...]]:
    names, first = facts.catalogue.by_name, tokens[place][0]
    most = min(facts.catalogue.most_words.get(first, 0), len(tokens) - place)
    for length in range(most, 0, -1):
        traits = names.get(first if length == 1 else " ".join([token[0] for token in tokens[place : place + length]]))
        if traits:
            return length, traits
    return 0, ()


def _is_meant(masked: str, hit: Mention) -> bool:
    """Tell a value from an ordinary word that a catalogue happens to hold ("history", "short", "now")."""
    said = masked[hit.start : hit.end]
    if said.casefold() == "history" and words.A_USERS.search(masked[max(0, hit.start - 12) : hit.start]):
        return False
    if words.VALUE_NOUN.match(masked[hit.end : hit.end + 40]) or fold(said) in words.NOUN_VALUES:
        return True
    if not said[0].isupper():
        return False
    before = masked[max(0, hit.start - 3) : hit.start].rstrip()
    opens = not before or before[-1] in ".!?]:"
    return not opens or len(said.split()) > 1


def _in_role(masked: str, hit: Mention) -> Mention:
    """Where a name may be a director's or an actor's, let the words before it decide."""
    if len(hit.traits) < 2:
        return hit
    before = masked[max(0, hit.start - 40) : hit.start]
    for cue, parts in ((words.DIRECTS, ("direct",)), (words.ACTS, ("act", "cast", "star"))):
        if cue.search(before):
            kept = tuple(trait for trait in hit.traits if any(part in trait[0].casefold() for part in parts))
            return hit._replace(traits=kept or hit.traits)
    return hit
