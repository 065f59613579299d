"""Patterns and reasons without a language model: what is counted is told, and every text is checked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Self

import numpy as np
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import Sequences, read_histories
from whyrec.errors import InvalidDataError, NotFittedError, UnknownIdError
from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import verify_interests
from whyrec.interfaces import Verdict
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import UserHistory
from whyrec.methods.curec.offline.aspects import Aspect, AspectKind, AspectTable, read_aspects
from whyrec.methods.curec.offline.composing import Composer, Past
from whyrec.methods.curec.offline.config import OfflineTextConfig
from whyrec.methods.curec.offline.frames import Frames
from whyrec.methods.curec.offline.phrases import NOUNS, phrase_of, reader_of
from whyrec.methods.curec.offline.profile import Interest, aspect_counts, average_shares, rank_aspects
from whyrec.methods.curec.reasons import ReasonRequest

WRITER = "offline"
_ROWS = 4096
_SALIENCE: dict[AspectKind, float] = {
    "genre": 1.0,
    "director": 1.0,
    "cast": 0.8,
    "keyword": 0.5,
    "era": 0.6,
    "category": 1.0,
    "brand": 1.0,
    "price": 0.4,
    "attribute": 0.6,
}
"""How telling a kind of aspect is beside a genre. Chosen by reading texts."""
_KEPT = 24
"""Best aspects of a history or pair that are looked at for a text."""


@dataclass(frozen=True, slots=True)
class SharedAspect:
    """An aspect that an item has in common with a history; the evidence of an offline reason."""

    aspect: Aspect
    label: str
    """As a person would say it: "films by Carol Reed"."""
    count: int
    """Interactions that have it, of the last ``n``."""
    n: int
    average: float
    """The average user's share."""
    weight: float
    """Smoothed log-lift; above 0 where the history has more of it than the average user's."""
    item_ids: tuple[str, ...]
    """The history's items that have it, the most recent first, each once."""


@dataclass
class OfflineWriter:
    """Writes patterns and reasons from the catalogue and counts alone.

    ``fit`` learns what is usual; afterwards every text rests on the history that it is given and on nothing else.
    """

    config: OfflineTextConfig = field(default_factory=OfflineTextConfig)
    table_: AspectTable | None = field(default=None, init=False)
    shares_: NDArray[np.float64] | None = field(default=None, init=False)
    item_ids_: tuple[str, ...] = field(default=(), init=False)
    catalogue_: InterestCatalogue | None = field(default=None, init=False)
    _numbers: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _salience: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False, repr=False)
    _composer: Composer | None = field(default=None, init=False, repr=False)

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Read the catalogue's aspects, and the average user's shares from interactions strictly before ``until``.

        Raises:
            InvalidDataError: If the catalogue is empty.
        """
        items = data.items.sort(schema.ITEM)
        if not items.height:
            raise InvalidDataError(f"{data.name}: expected a catalogue with items, got none. Import items first.")
        histories = read_histories(data, item_ids=items[schema.ITEM], cutoff=until)
        self.table_ = read_aspects(items, config=self.config)
        self.shares_ = average_shares(histories.sequences, self.table_.matrix)
        self.item_ids_ = ("", *items[schema.ITEM].to_list())
        self.catalogue_ = InterestCatalogue.of(
            items, interactions=data.before(until), text_columns=self.table_.text_columns
        )
        self._numbers = {item_id: number for number, item_id in enumerate(self.item_ids_) if number}
        self._salience = np.array([_SALIENCE[aspect.kind] for aspect in self.table_.aspects])
        frames = Frames(self.table_, reader_of(self.config.address, NOUNS[self.table_.domain]))
        aspects = [frozenset(self.table_.of(item).tolist()) for item in range(len(self.item_ids_))]
        self._composer = Composer(frames, self.config, aspects)
        return self

    def write_patterns(self, histories: Sequence[UserHistory]) -> list[Pattern]:
        """Write p_u from each history and nothing else (CURec Eq. (5)); implements ``PatternWriter``.

        Args:
            histories: Beginnings of users' histories, whole, for the text may say "so far"; none of them empty.
                Interactions with items outside the fitted catalogue do not count.

        Raises:
            NotFittedError: Before ``fit``.
            InvalidDataError: If a history is empty.
        """
        written: list[Pattern] = []
        for history, (text, verified) in zip(histories, self._texts(map(self._past, histories)), strict=True):
            user_id, until = history.user_id, history.until
            if until is None:
                raise InvalidDataError(
                    f"pattern of user {user_id!r}: expected a history, got an empty one. Leave it out."
                )
            written.append(Pattern(user_id, len(history), until, text, writer=WRITER, verified=verified))
        return written

    def write_reasons(self, requests: Sequence[ReasonRequest]) -> list[Reason]:
        """Write q_ui for each interaction (CURec Eq. (6)); implements ``ReasonWriter``.

        Args:
            requests: What to explain; only the histories count, whole, for a text may say "so far".

        Raises:
            NotFittedError: Before ``fit``.
            UnknownIdError: If an item is not in the fitted catalogue.
        """
        pasts = (self._past(request.history, target=request.interaction.item_id) for request in requests)
        written: list[Reason] = []
        for request, (text, verified) in zip(requests, self._texts(pasts), strict=True):
            user_id, item_id, timestamp = request.interaction
            written.append(Reason(item_id, user_id, timestamp, text, writer=WRITER, verified=verified))
        return written

    def aspects_of(self, history: Sequence[str], item_id: str) -> list[SharedAspect]:
        """What an item has in common with a history, the most telling first.

        Args:
            history: Items, oldest first, all strictly before the moment in question.
            item_id: The item.

        Raises:
            NotFittedError: Before ``fit``.
            UnknownIdError: If the item is not in the fitted catalogue.
        """
        table = self._fitted()
        assert self._composer is not None, "set by fit"
        past = Past("", self._numbered(history), self._number(item_id))
        [interests] = self._interests([past])
        found = []
        for interest in interests:
            supporters = self._composer.supporters(past, interest.aspect)
            aspect = table.aspects[interest.aspect]
            label = phrase_of(aspect, table).many
            ids = tuple(self.item_ids_[number] for number in supporters)
            found.append(SharedAspect(aspect, label, interest.count, interest.n, interest.share, interest.weight, ids))
        return found

    def verify(self, text: str, *, history: Sequence[str], item_id: str | None = None) -> Verdict:
        """Check a pattern or reason, whoever wrote it, against a history and an item.

        Args:
            text: With titles in quotation marks.
            history: Items, oldest first, all strictly before the moment in question.
            item_id: What a reason explains; None for a pattern.

        Raises:
            NotFittedError: Before ``fit``.
            UnknownIdError: If the item is not in the fitted catalogue.
        """
        return verify_interests(text, facts=self.facts(history, item_id=item_id))

    def facts(self, history: Sequence[str], *, item_id: str | None = None) -> InterestFacts:
        """What such a text is checked against; items of the history outside the fitted catalogue do not count.

        Raises:
            NotFittedError: Before ``fit``.
            UnknownIdError: If the item is not in the fitted catalogue.
        """
        self._fitted()
        assert self.catalogue_ is not None, "set by fit"
        if item_id is not None:
            self._number(item_id)
        return InterestFacts(self.catalogue_, tuple(known for known in history if known in self._numbers), item_id)

    # Inside

    def _texts(self, pasts: Iterable[Past]) -> Iterator[tuple[str, bool]]:
        waiting = iter(pasts)
        while batch := list(islice(waiting, _ROWS)):
            for past, interests in zip(batch, self._interests(batch), strict=True):
                yield self._text(past, interests)

    def _text(self, past: Past, interests: list[Interest]) -> tuple[str, bool]:
        composer = self._composer
        assert composer is not None, "set by fit"
        text = (composer.reason if past.target else composer.pattern)(past, interests)
        if not self.config.check:
            return text, False
        target = self.item_ids_[past.target] if past.target else None
        facts = self.facts([self.item_ids_[number] for number in past.items.tolist()], item_id=target)
        if verify_interests(text, facts=facts).verified:
            return text, True
        # A title or value that reads as something else: say less, and say so if even that does not check.
        text = composer.plain(past)
        return text, verify_interests(text, facts=facts).verified

    def _interests(self, pasts: Sequence[Past]) -> Iterator[list[Interest]]:
        """What each history, or each pair of history and target, has: the most telling first."""
        table, shares = self._fitted(), self.shares_
        assert shares is not None, "set by fit"
        newest = [past.items[-self.config.newest :] for past in pasts]
        lengths = np.array([len(items) for items in newest], dtype=np.int64)
        flat = np.concatenate(newest) if newest else np.zeros(0, dtype=np.int32)
        counts = aspect_counts(Sequences.with_lengths(flat, lengths), table.matrix)
        if pasts[0].target:
            counts = counts.multiply(table.matrix[[past.target for past in pasts]]).tocsr()
        ranked = rank_aspects(
            counts,
            lengths=lengths,
            shares=shares,
            salience=self._salience,
            prior=self.config.prior_interactions,
            at_most=_KEPT,
        )
        for row, n in enumerate(lengths.tolist()):
            yield ranked.row(row, n=n, shares=shares)

    def _past(self, history: UserHistory, *, target: str | None = None) -> Past:
        self._fitted()
        return Past(history.user_id, self._numbered(history.item_ids), 0 if target is None else self._number(target))

    def _numbered(self, item_ids: Sequence[str]) -> NDArray[np.int32]:
        found = (self._numbers.get(item_id, 0) for item_id in item_ids)
        return np.array([number for number in found if number], dtype=np.int32)

    def _number(self, item_id: str) -> int:
        number = self._numbers.get(item_id)
        if number is None:
            raise UnknownIdError(
                f"offline writer: expected an item of the fitted catalogue, got {item_id!r}. Fit again with it."
            )
        return number

    def _fitted(self) -> AspectTable:
        if self.table_ is None:
            raise NotFittedError("offline writer: expected a fitted one, got a new one. Call fit first.")
        return self.table_
