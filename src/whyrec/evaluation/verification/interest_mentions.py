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
from whyrec.evaluation.verification.titles import spoken_title
from whyrec.evaluation.verification.value_words import DECADE as DECADE_WORDS
from whyrec.evaluation.verification.value_words import DECADE_OF_LIFE, decade_of
from whyrec.evaluation.verification.vocabulary import WORD
from whyrec.interfaces import Claim

Span = tuple[int, int]

_LEAST_OF_CUT_TITLE = 8
_LEAST_OF_WORD = 4
_WORDS_OF_TITLE = 9
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
    unsure: list[Mention]
    """Words that are values in a statement on a history only: "goes for action"."""
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
    for found in unquoted_titles(masked, facts=facts):
        titles.append(found)
        masked = masked[: found.start] + FILLER * (found.end - found.start) + masked[found.end :]
        if found.evidence_ids and found.evidence_ids != ("title",):
            ids = tuple(name.partition(":")[2] for name in found.evidence_ids)
            items = tuple(facts.catalogue.items[item_id] for item_id in ids)
            examples.append(Example(found.start, found.end, ids, items))
    plain, unsure = _plain_mentions(masked, facts=facts)
    mentions += plain
    counts = list(words.COUNT.finditer(masked))
    return Reading(text, masked, _sentences(masked), titles, examples, sorted(mentions), unsure, counts)


def _mask(text: str) -> str:
    for hit in words.QUOTED.finditer(text):
        text = text[: hit.start()] + FILLER * (hit.end() - hit.start()) + text[hit.end() :]
    return text


def _sentences(masked: str) -> list[Span]:
    ends = [hit.end() for hit in words.SENTENCE_END.finditer(masked)]
    edges = [0, *(end for end in ends if end < len(masked)), len(masked)]
    return list(itertools.pairwise(edges))


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


def unquoted_titles(masked: str, *, facts: InterestFacts) -> Iterator[Claim]:
    """Titles that stand without quotation marks, in capitals as the catalogue spells them."""
    tokens = [hit.span() for hit in WORD.finditer(masked)]
    place = 0
    while place < len(tokens):
        start, last = tokens[place][0], place
        if masked[start].isupper() or masked[start].isdigit():
            for end_place in range(min(place + _WORDS_OF_TITLE, len(tokens)) - 1, place - 1, -1):
                found = _unquoted_title(masked, start, tokens[end_place][1], facts=facts, is_word=end_place == place)
                if found is not None:
                    yield found
                    last = end_place
                    break
        place = last + 1


def _unquoted_title(masked: str, start: int, end: int, *, facts: InterestFacts, is_word: bool) -> Claim | None:
    said = masked[start:end]
    name = said.casefold()
    if name not in facts.catalogue.by_title or (name in facts.catalogue.by_name and not is_word):
        return None
    opens = words.OPENS.search(masked, max(0, start - 4), start) is not None
    if is_word and (len(said) < _LEAST_OF_WORD or name in facts.catalogue.by_name):
        return None
    if is_word and opens and words.GOES_ON.match(masked, end) is None:
        return None
    known = [facts.item, *facts.past] if not is_word else []
    is_exact = any(item is not None and said in (item.title, spoken_title(item.title)) for item in known)
    if (
        not is_word
        and not is_exact
        and not all(word[0].isupper() or len(word) < _LEAST_OF_WORD for word in WORD.findall(said))
    ):
        return None
    if facts.item is not None and name in facts.item.names:
        return Claim("title", said, start, end, True, ("title",))
    if item_ids := _earlier(name, facts):
        return Claim("title", said, start, end, True, tuple(f"interaction:{item_id}" for item_id in item_ids))
    if is_word or (opens and len(said.split()) == 2):
        return None
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


def _plain_mentions(masked: str, *, facts: InterestFacts) -> tuple[list[Mention], list[Mention]]:
    """Values that are meant, and words that would be values in a statement on a history."""
    found, unsure = _value_mentions(masked, facts=facts)
    for hit in DECADE_WORDS.finditer(masked):
        if not DECADE_OF_LIFE.search(masked, max(0, hit.start() - 24), hit.start()):
            traits = tuple((DECADE, f"{year}s") for year in decade_of(hit))
            found.append(Mention(hit.start(), hit.end(), traits))
    for hit in words.QUARTER.finditer(masked):
        end = "cheapest" if hit["end"].casefold().startswith(words.CHEAP) else "dearest"
        found.append(Mention(hit.start(), hit.end(), ((QUARTER, end),)))
    return found, unsure


def _value_mentions(masked: str, *, facts: InterestFacts) -> tuple[list[Mention], list[Mention]]:
    """Longest values first, word by word; then those that are meant, and those listed together with one that is."""
    tokens = [(hit[0].casefold(), hit.start(), hit.end()) for hit in WORD.finditer(masked) if FILLER not in hit[0]]
    hits: list[Mention] = []
    place = 0
    while place < len(tokens):
        step, traits = _longest_value(masked, tokens, place, facts=facts)
        if step:
            hits.append(Mention(tokens[place][1], tokens[place + step - 1][2], traits))
        place += max(step, 1)
    sure = [_is_meant(masked, hit) for hit in hits]
    for order in (range(1, len(hits)), range(len(hits) - 2, -1, -1)):
        for place in order:
            low, high = (place - 1, place) if order.step > 0 else (place, place + 1)
            if sure[low + high - place] and words.LINK.match(masked[hits[low].end : hits[high].start]):
                sure[place] = True
    meant = [_in_role(masked, hit, others=hits) for hit, is_sure in zip(hits, sure, strict=True) if is_sure]
    return meant, [hit for hit, is_sure in zip(hits, sure, strict=True) if not is_sure and _is_genre(masked, hit)]


def _is_genre(masked: str, hit: Mention) -> bool:
    said = fold(masked[hit.start : hit.end])
    return said in words.GENRE_NAMES


def _longest_value(
    masked: str, tokens: list[tuple[str, int, int]], place: int, *, facts: InterestFacts
) -> tuple[int, tuple[Trait, ...]]:
    names, first = facts.catalogue.by_name, tokens[place][0]
    most = min(facts.catalogue.most_words.get(first, 0), len(tokens) - place)
    for length in range(most, 0, -1):
        traits = names.get(first if length == 1 else " ".join([token[0] for token in tokens[place : place + length]]))
        said = "" if length == 1 or not traits else masked[tokens[place][1] : tokens[place + length - 1][2]]
        if traits and not (fold(said) in words.GENRE_NAMES and words.BREAK.search(said)):
            return length, traits
    return 0, ()


def _is_meant(masked: str, hit: Mention) -> bool:
    """Tell a value from an ordinary word that a catalogue happens to hold ("history", "short", "now")."""
    said = masked[hit.start : hit.end]
    if said.casefold() == "history" and words.A_USERS.search(masked[max(0, hit.start - 12) : hit.start]):
        return False
    if words.OTHER_SENSE.match(masked[hit.end : hit.end + 24]):
        return False
    if words.VALUE_NOUN.match(masked[hit.end : hit.end + 40]) or fold(said) in words.NOUN_VALUES:
        return True
    if words.LABEL.search(masked, max(0, hit.start - 40), hit.start):
        return True
    is_one = words.A_WORK.search(masked, max(0, hit.start - 4), hit.start) and words.WORK_ENDS.match(masked, hit.end)
    if is_one and _is_genre(masked, hit):
        return True
    if not said[0].isupper():
        return False
    before = masked[max(0, hit.start - 3) : hit.start].rstrip()
    opens = not before or before[-1] in ".!?]:"
    return not opens or len(said.split()) > 1


def is_person(mention: Mention) -> bool:
    """Whether a value is the name of somebody who makes or plays."""
    return any(_has_role(trait, role) for trait in mention.traits for role in _ROLES)


def _in_role(masked: str, hit: Mention, *, others: Sequence[Mention]) -> Mention:
    """Let the words around a person's name decide between director and actor; a role nobody knows is nobody's."""
    roles = {role: [it for it in hit.traits if _has_role(it, role)] for role in _ROLES}
    if not any(roles.values()):
        return hit
    role = _role(masked, hit, others=others)
    if role is None:
        return hit
    kept = tuple(roles[role])
    return hit._replace(traits=kept or ((_ROLES[role][0], fold(masked[hit.start : hit.end])),))


_ROLES = {"directs": ("director", "direct"), "acts": ("cast", "act", "cast", "star")}
"""By role the attribute of a name that has none of the kind, then pieces of the names of those of the kind."""
_ROLE_WITHIN = 45


def _has_role(trait: Trait, role: str) -> bool:
    return any(part in trait[0].casefold() for part in _ROLES[role][1:])


def _role(masked: str, hit: Mention, *, others: Sequence[Mention]) -> str | None:
    """The role that the nearest telling word gives a name: before it, else behind it, else by "by" and "with"."""
    people = [
        it for it in others if it is not hit and any(_has_role(trait, role) for trait in it.traits for role in _ROLES)
    ]
    first = max([hit.start - _ROLE_WITHIN, 0, *(it.end for it in people if it.end <= hit.start)])
    last = min([hit.end + _ROLE_WITHIN, len(masked), *(it.start for it in people if it.start >= hit.end)])
    ends = [it.start() for it in words.SENTENCE_END.finditer(masked, hit.end, last)]
    starts = [it.end() for it in words.SENTENCE_END.finditer(masked, first, hit.start)]
    cues = {"directs": words.DIRECTS, "acts": words.ACTS}
    beside = [role for role, cue in cues.items() if cue.match(masked, min(hit.end + 1, len(masked)), last)]
    if beside:
        return beside[0]
    before = {
        role: found[-1].end()
        for role, cue in cues.items()
        if (found := list(cue.finditer(masked, max([first, *starts]), hit.start)))
    }
    if before:
        return max(before, key=lambda it: before[it])
    behind = {
        role: next_one.start()
        for role, cue in cues.items()
        if (next_one := cue.search(masked, hit.end, min([last, *ends]))) is not None
    }
    if behind:
        return min(behind, key=lambda it: behind[it])
    near = masked[max(0, hit.start - 8) : hit.start]
    return "directs" if words.BY.search(near) else "acts" if words.WITH.search(near) else None
