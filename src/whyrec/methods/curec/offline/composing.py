"""Which thoughts a pattern or a reason puts into words, and in which order, within its length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyrec.evaluation.verification.titles import quoted
from whyrec.methods.curec.offline.aspects import Aspect, AspectKind
from whyrec.methods.curec.offline.config import OfflineTextConfig
from whyrec.methods.curec.offline.frames import LONGEST_EXAMPLE, N_FRAMES, Frames, Told
from whyrec.methods.curec.offline.phrases import Voice
from whyrec.methods.curec.offline.profile import Interest

_MOST_OF_A_KIND: dict[AspectKind, int] = {"genre": 3, "category": 4, "keyword": 2}
_MOST_OF_OTHERS = 2
_SAME_SUPPORT = 0.8
"""Overlap of the items behind two aspects above which the second says nothing new."""
_FEWEST_OF_KEYWORD = 3
"""A word of texts that turns up twice is no theme yet."""
_WITH_MORE_EXAMPLES = 2
"""Interests of a pattern that are shown by more than one title; the others must be brief."""
_MOST_PLAIN = 2
"""Items named one by one where a history shows no interests."""
_TELLING: tuple[AspectKind, ...] = (
    "genre",
    "category",
    "brand",
    "director",
    "era",
    "keyword",
    "attribute",
    "cast",
    "price",
)
"""Kinds in the order in which they say what is new about an item."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of one user before a moment."""

    user_id: str
    items: NDArray[np.int32]
    """Item numbers, oldest first."""
    target: int = 0
    """Item number of the item in question; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes texts about one catalogue; what is said rests on the history that is given alone."""

    frames: Frames
    config: OfflineTextConfig
    aspects: Sequence[frozenset[int]]
    """Aspect numbers, by item number."""

    def pattern(self, past: Past, interests: Sequence[Interest]) -> str:
        """Write what a history shows an interest in; honestly less where it shows little.

        Args:
            past: The history.
            interests: Its aspects, the most telling first.
        """
        if not len(past.items):
            return self.plain(past)
        voice = Voice(self.config.seed, past.user_id, len(past.items))
        order = voice.order(N_FRAMES)
        sentences: list[str] = []
        used: set[int] = set()
        for place, interest in enumerate(self._different(past, interests)):
            at_most = self.frames.n_examples if place < _WITH_MORE_EXAMPLES else 1
            told = self._told(interest, past, used=used, at_most=at_most)
            sentences.append(self.frames.interest(told, frame=order[place % N_FRAMES], is_first=place == 0))
        if len(sentences) < 2:
            sentences += self._little(past, interests, voice=voice, is_all=not sentences)
        return _within(sentences, most_words=self.config.max_pattern_words)

    def reason(self, past: Past, interests: Sequence[Interest]) -> str:
        """Write what a target shares with a history, and a fact of it; honestly so where it shares nothing.

        Args:
            past: History and target.
            interests: Aspects that both have, the most telling first.
        """
        sentences = self._reason(past, interests, voice=Voice(self.config.seed, past.user_id, past.target))
        return _within(list(sentences), most_words=self.config.max_reason_words)

    def plain(self, past: Past) -> str:
        """Say the least: the title, and how long the history is."""
        n = len(past.items)
        if not n:
            return self.frames.no_history(target=past.target or None, voice=Voice(self.config.seed, past.user_id))
        if past.target:
            return self.frames.unknown_target(target=past.target, n=n)
        return self.frames.history_only(n, self._titles(past.items[:-3:-1].tolist()))

    def supporters(self, past: Past, aspect: int) -> list[int]:
        """The counted items of a history that have an aspect, the most recent first, each once."""
        newest = reversed(past.items[-self.config.newest :].tolist())
        return list(dict.fromkeys(item for item in newest if aspect in self.aspects[item]))

    def _reason(self, past: Past, interests: Sequence[Interest], *, voice: Voice) -> Iterator[str]:
        frames, target, total = self.frames, past.target, len(past.items)
        if not total or not self.aspects[target]:
            yield self.plain(past)
            return
        if not interests:
            history = (min(total, self.config.newest), total)
            yield from frames.new_ground(self._most_telling(target), target=target, history=history, voice=voice)
            return
        used = {target}
        first = self._lead(interests)
        if first is None:
            told = self._told(interests[0], past, used=used)
            yield from frames.seldom(told, target=target, voice=voice)
            return
        told, second = self._told(first, past, used=used), self._second(interests, first=first)
        without = () if second is None else (self._aspect(second),)
        if first.is_interest:
            yield from frames.lead(told, target=target, frame=voice.order(N_FRAMES)[0], without=without)
        else:
            yield from frames.link(told, target=target, voice=voice, without=without)
        if second is not None:
            yield frames.also(self._told(second, past, used=used), voice=voice)

    def _lead(self, interests: Sequence[Interest]) -> Interest | None:
        """The most telling shared aspect that the history has more of than others."""
        more = [interest for interest in interests if interest.is_more]
        strong = [interest for interest in more if interest.is_interest and self._is_firm(interest)]
        return next(iter(strong or more), None)

    def _second(self, interests: Sequence[Interest], *, first: Interest) -> Interest | None:
        """Another aspect of another kind, of which the history has more than others too."""
        kind = self._aspect(first).kind
        others = (interest for interest in interests if interest.is_more and self._is_firm(interest))
        return next((interest for interest in others if self._aspect(interest).kind != kind), None)

    def _different(self, past: Past, interests: Sequence[Interest]) -> list[Interest]:
        """The most telling interests that differ from each other."""
        chosen: list[Interest] = []
        supports: list[set[int]] = []
        for interest in interests:
            if len(chosen) == self.config.max_aspects:
                break
            kind = self._aspect(interest).kind
            n_of_kind = sum(self._aspect(other).kind == kind for other in chosen)
            is_one_too_many = n_of_kind >= _MOST_OF_A_KIND.get(kind, _MOST_OF_OTHERS)
            if is_one_too_many or not interest.is_interest or not self._is_firm(interest):
                continue
            support = set(self.supporters(past, interest.aspect))
            if all(len(support & other) < _SAME_SUPPORT * len(support | other) for other in supports):
                chosen.append(interest)
                supports.append(support)
        return chosen

    def _little(self, past: Past, interests: Sequence[Interest], *, voice: Voice, is_all: bool) -> Iterator[str]:
        """What can be said of a history in which little stands out."""
        latest = int(past.items[-1])
        yield self.frames.latest(latest, n=len(past.items), is_all=is_all)
        used = {latest}
        for interest in interests:
            if len(used) > _MOST_PLAIN:
                return
            is_single = interest.is_more and not interest.is_interest and self._aspect(interest).kind != "keyword"
            if is_single and not used & set(self.supporters(past, interest.aspect)):
                yield self.frames.single(self._told(interest, past, used=used), voice=voice)

    def _told(self, interest: Interest, past: Past, *, used: set[int], at_most: int | None = None) -> Told:
        """An interest with examples, those first that were not named before; the target is never one."""
        having = [item for item in self.supporters(past, interest.aspect) if item != past.target]
        fresh = [item for item in having if item not in used] or having
        chosen = fresh[: self.frames.n_examples if at_most is None else at_most]
        used.update(chosen)
        return self.frames.told(interest, self._titles(chosen), total=len(past.items))

    def _titles(self, items: Sequence[int]) -> list[str]:
        titles = (quoted(self.frames.table.titles[item], longest=LONGEST_EXAMPLE) for item in items)
        return list(dict.fromkeys(titles))

    def _is_firm(self, interest: Interest) -> bool:
        return self._aspect(interest).kind != "keyword" or interest.count >= _FEWEST_OF_KEYWORD

    def _aspect(self, interest: Interest) -> Aspect:
        return self.frames.table.aspects[interest.aspect]

    def _most_telling(self, target: int) -> Aspect:
        aspects = [self.frames.table.aspects[number] for number in sorted(self.aspects[target])]
        return min(aspects, key=lambda aspect: _TELLING.index(aspect.kind))


def _within(sentences: Sequence[str], *, most_words: int) -> str:
    """As many sentences as fit, at least one."""
    kept: list[str] = []
    n_words = 0
    for text in sentences:
        n_words += len(text.split())
        if kept and n_words > most_words:
            break
        kept.append(text)
    return " ".join(kept)
