"""The sentences of patterns and reasons: several frames for each thought, chosen by the writer's voice."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whyrec.evaluation.verification.titles import quoted
from whyrec.methods.curec.offline.aspects import Aspect, AspectTable
from whyrec.methods.curec.offline.phrases import (
    NOUNS,
    Nouns,
    Phrase,
    Reader,
    Voice,
    also,
    counted,
    genre_words,
    how_often,
    is_clearly_less,
    listing,
    phrase_of,
    sentence,
    small,
    what_share,
    with_article,
)
from whyrec.methods.curec.offline.profile import Interest

LONGEST_TARGET = 60
LONGEST_EXAMPLE = 45
USUAL = "usual"
N_FRAMES = 5
"""Wordings of an interest, and of the opening of a reason."""


@dataclass(frozen=True, slots=True)
class Told:
    """An aspect of a history as it is about to be told."""

    interest: Interest
    aspect: Aspect
    phrase: Phrase
    examples: tuple[str, ...]
    """Titles of the history that have it, the most recent first."""
    total: int
    """Length of the whole history."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Builds sentences for one catalogue."""

    table: AspectTable
    reader: Reader

    @property
    def nouns(self) -> Nouns:
        """What the domain calls its items."""
        return NOUNS[self.table.domain]

    @property
    def n_examples(self) -> int:
        """Titles to name beside an interest: those of products are long."""
        return 2 if self.table.domain == "film" else 1

    def told(self, interest: Interest, examples: Sequence[str], *, total: int) -> Told:
        """Prepare an interest for telling."""
        aspect = self.table.aspects[interest.aspect]
        return Told(interest, aspect, phrase_of(aspect, self.table), tuple(examples), total)

    def count(self, told: Told, *, brief: bool = False) -> str:
        """ "Nine of the last 50 films"."""
        interest = told.interest
        return counted(interest.count, n=interest.n, total=told.total, nouns=self.nouns, brief=brief)

    def average(self, *, is_first: bool) -> str:
        """Whom a share is compared with: named the first time, "usual" after that."""
        return f"the average {self.nouns.person}" if is_first else USUAL

    def title(self, item: int) -> str:
        """An item's title in quotes."""
        return quoted(self.table.titles[item], longest=LONGEST_TARGET)

    # Patterns

    def interest(self, told: Told, *, frame: int, is_first: bool) -> str:
        """One sentence about an interest."""
        reference = self.average(is_first=is_first)
        often = how_often(told.interest, reference=reference)
        share = what_share(told.interest, reference=reference)
        many = told.phrase.many
        # "Films by Carol Reed make up two of the last 50": no second "films".
        count = self.count(told, brief=not is_first or many.startswith(self.nouns.many))
        examples = listing(told.examples)
        among = f", {examples} among them" if examples else ""
        such = f", such as {examples}" if examples else ""
        subject, s, _ = self.reader
        frames: list[Callable[[], str]] = [
            lambda: f"{many} come up again and again: {count}, {share}{among}",
            lambda: f"{subject} turn{s} to {many} {often}: {count}{such}",
            lambda: f"{many} make up {count}, {share}{among}",
            lambda: f"with {count}, {many} weigh more here than {self._with_whom(is_first=is_first)}{such}",
            lambda: f"a taste for {many} shows in {examples}: {count}, {share}" if examples
            else f"{many} stand out: {count}, {share}",
        ]  # fmt: skip
        return sentence(frames[frame % len(frames)]())

    def _with_whom(self, *, is_first: bool) -> str:
        return f"with the average {self.nouns.person}" if is_first else USUAL

    def latest(self, item: int, *, n: int, is_all: bool) -> str:
        """A sentence about the most recent item, for histories in which little stands out, or nothing (``is_all``)."""
        title, identity = self.title(item), self.identity(item, without=())
        opening = f"the only {self.nouns.one} so far" if n == 1 else f"the latest {self.nouns.one}"
        if is_all and n > 1:
            opening = f"no interest stands out yet; {opening}"
        return sentence(f"{opening} is {title}{'' if identity is None else f', {identity}'}")

    def single(self, told: Told, *, voice: Voice) -> str:
        """A sentence about an aspect of a single item of a history."""
        [example, *_] = told.examples
        is_one = told.phrase.is_one
        return sentence(voice.pick(f"{example} {is_one}", f"there is also {example}, which {is_one}"))

    def history_only(self, n: int, titles: Sequence[str]) -> str:
        """A sentence about a history of which the catalogue says nothing."""
        if n == 1:
            return sentence(f"the only {self.nouns.one} so far is {titles[0]}")
        latest = f"the latest {'are' if len(titles) > 1 else 'is'} {listing(titles)}"
        return sentence(f"of the {small(n)} {self.nouns.many} so far, {latest}")

    # Reasons

    def lead(self, told: Told, *, target: int, frame: int, without: Sequence[Aspect]) -> list[str]:
        """Say that the target has what the history shows an interest in; one or two sentences.

        Args:
            told: The interest.
            target: Item number.
            frame: Which wording.
            without: What the rest of the text says of the target, not to be said here.
        """
        title = self.title(target)
        person = self.average(is_first=True)
        often, share = how_often(told.interest, reference=person), what_share(told.interest, reference=person)
        many, is_one = told.phrase.many, told.phrase.is_one
        count, brief = self.count(told), self.count(told, brief=many.startswith(self.nouns.many))
        subject, s, _ = self.reader
        examples = listing(told.examples)
        among = f", {examples} among them" if examples else ""
        such = f", such as {examples}" if examples else ""
        identity = self.identity(target, without=(told.aspect, *without))
        tail = "" if identity is None else f", {identity}"
        it_is = self._it_is(identity)
        as_before = f", as {self._do(told)} {examples} before it" if examples else ""
        such_nouns = self.nouns.many
        like = f"like {examples}, " if examples else ""
        frames: list[Callable[[], list[str]]] = [
            lambda: [f"{many} make up {brief}, {share}{among}", f"{title} is another{tail}"],
            lambda: [f"{subject} turn{s} to {many} {often}: {brief}{such}", f"{title} adds one more{tail}"],
            lambda: [f"{title} {is_one}{as_before}: {count} {told.phrase.do[told.interest.n > 1]}, {share}", *it_is],
            lambda: [f"{like}{title} {is_one}, and {subject} choose{s} such {such_nouns} {often}: {count}", *it_is],
            lambda: [f"{many} account for {brief}, {share}, so {title} is a natural next step", *it_is],
        ]  # fmt: skip
        return [sentence(text) for text in frames[frame % len(frames)]()]

    def link(self, told: Told, *, target: int, voice: Voice, without: Sequence[Aspect]) -> list[str]:
        """Say that the target shares something with single items of the history."""
        title, examples, is_one = self.title(target), listing(told.examples), told.phrase.is_one
        identity = self.identity(target, without=(told.aspect, *without))
        it_is = map(sentence, self._it_is(identity))
        if not examples:
            # The target was taken before, and nothing else of its kind was.
            return [sentence(f"{title} was chosen before; it {is_one}"), *it_is]
        frames = [
            f"{title} {is_one}, as {self._do(told)} {examples}, chosen earlier",
            f"like {examples}, {title} {is_one}",
        ]
        if len(told.examples) == 1:
            frames.append(f"{examples}, chosen earlier, {is_one}; so {told.phrase.do[0]} {title}")
        return [sentence(voice.pick(*frames)), *it_is]

    def also(self, told: Told, *, voice: Voice) -> str:
        """A second thing that the target shares with the history."""
        examples, it_also = listing(told.examples), f"it {also(told.phrase.is_one)}"
        if told.interest.is_interest and told.interest.count > len(told.examples):
            return sentence(f"{it_also}, as {told.phrase.do[1]} {self.count(told, brief=True)}")
        if not examples:
            return sentence(it_also)
        return sentence(voice.pick(f"{it_also}, as {self._do(told)} {examples}", f"like {examples}, {it_also}"))

    def seldom(self, told: Told, *, target: int, voice: Voice) -> list[str]:
        """Say honestly that the target shares only what the history has no more of than others."""
        identity = self.identity(target, without=(told.aspect,))
        it_is = map(sentence, self._it_is(identity))
        less = ", fewer than usual" if is_clearly_less(told.interest) and told.interest.n > 1 else ""
        verb = told.phrase.do[told.interest.count > 1]
        end = voice.pick("a change of pace", "a step to the side", "a change from the usual run") if less else ""
        text = f"{self.title(target)} {told.phrase.is_one}, as {verb} {self.count(told)}{less}"
        return [sentence(f"{text}{f': {end}' if end else ''}"), *it_is]

    def new_ground(self, aspect: Aspect, *, target: int, history: tuple[int, int], voice: Voice) -> list[str]:
        """Say honestly that nothing of the history is like the target.

        Args:
            aspect: What the target is.
            target: Item number.
            history: Interactions that were counted, and all there are.
            voice: The writer's.
        """
        phrase, identity = phrase_of(aspect, self.table), self.identity(target, without=(aspect,))
        it_is = map(sentence, self._it_is(identity))
        n, total = history
        does = phrase.do[0]
        if total == 1:
            none = f"the only {self.nouns.one} so far {does} not"
        else:
            none = f"{counted(0, n=n, total=total, nouns=self.nouns)} {does}"
        end = voice.pick("new ground", f"new ground for {self.reader.subject}", "something new")
        return [sentence(f"{self.title(target)} {phrase.is_one}, but {none}: {end}"), *it_is]

    def unknown_target(self, *, target: int, n: int) -> str:
        """Say honestly that the catalogue gives nothing to compare."""
        history = f"the only {self.nouns.one} so far" if n == 1 else f"the {small(n)} {self.nouns.many} so far"
        return sentence(f"the catalogue says nothing of {self.title(target)} that would tie it to {history}")

    def no_history(self, *, target: int | None, voice: Voice) -> str:
        """Say honestly that there is nothing to go by."""
        whose = f"{self.reader.subject}’s" if self.reader.s else self.reader.possessive
        text = voice.pick(
            f"there are no {self.nouns.many} so far to tell {whose} interests by",
            f"with no {self.nouns.many} so far, {whose} interests are still open",
        )
        if target is None:
            return sentence(text)
        identity = self.identity(target, without=())
        return sentence(f"{text}; {self.title(target)} {'makes a start' if identity is None else f'is {identity}'}")

    # Parts

    def identity(self, item: int, *, without: Sequence[Aspect]) -> str | None:
        """What an item is, as a noun with its article: "a 1949 thriller by Carol Reed"; None if nothing is known."""
        numbers = self.table.of(item).tolist()
        left = [(number, self.table.aspects[number]) for number in numbers if self.table.aspects[number] not in without]
        kinds = {aspect.kind: aspect for _, aspect in reversed(left)}
        year = self.table.years[item] if all(aspect.kind != "era" for aspect in without) else None
        if self.table.domain == "film":
            return self._film(year, genre=kinds.get("genre"), director=kinds.get("director"))
        return self._product(item, kinds.get("brand"), self._deepest(left), without=without)

    def _film(self, year: int | None, *, genre: Aspect | None, director: Aspect | None) -> str | None:
        if year is None and genre is None and director is None:
            return None
        noun = self.nouns.one if genre is None else genre_words(genre.value, self.nouns)[0]
        dated = noun if year is None else f"{year} {noun}"
        return f"{with_article(dated)}{'' if director is None else f' by {director.value}'}"

    def _product(
        self, item: int, brand: Aspect | None, category: Aspect | None, *, without: Sequence[Aspect]
    ) -> str | None:
        price = self.table.prices[item]
        by = "" if brand is None else f" by {brand.value}"
        under = "" if category is None else f" {phrase_of(category, self.table).many.split(' ', 1)[1]}"
        cost = "" if price is None or any(aspect.kind == "price" for aspect in without) else f" priced at {price:,.2f}"
        return f"{with_article(self.nouns.one)}{by}{under}{cost}" if by or under or cost else None

    def _deepest(self, numbered: Sequence[tuple[int, Aspect]]) -> Aspect | None:
        """The category that fewest items share."""
        found = [(self.table.n_items[number], aspect) for number, aspect in numbered if aspect.kind == "category"]
        return min(found)[1] if found else None

    def _do(self, told: Told) -> str:
        return told.phrase.do[len(told.examples) > 1]

    def _it_is(self, identity: str | None) -> list[str]:
        if identity is None:
            return []
        dated = re.fullmatch(rf"an? (\d{{4}}) {self.nouns.one}", identity)
        filed = identity.removeprefix(f"{with_article(self.nouns.one)} ")
        return [f"it dates from {dated[1]}" if dated else f"it is {filed if filed.startswith('filed') else identity}"]
