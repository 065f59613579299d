"""The reason store: why users took items, to be read as of a moment, and never by the user whom a reason is about.

Three rules stand between a reason and its readers (deviations C1, C3, C4): it may be read only strictly after the
interaction that it explains; never when the pair's own user is scored; and none may be about a held-out interaction.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.errors import InvalidConfigError, InvalidDataError, UnknownIdError
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import Interaction, UserHistory, as_micros
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.store_files import read_table, require_distinct, rows_of, table_of, with_users, write_table
from whyrec.methods.curec.text_vectors import TextEncoder, TextVectors, embed_texts
from whyrec.methods.curec.timelines import NOBODY, Timelines

REASON_SCHEMA = pl.Schema(
    {
        schema.ITEM: pl.String(),
        schema.USER: pl.String(),
        schema.TIMESTAMP: schema.TIMESTAMP_TYPE,
        "text": pl.String(),
        "writer": pl.String(),
        "version": pl.Int64(),
        "verified": pl.Boolean(),
    }
)
_INTERACTION = (schema.ITEM, schema.USER, schema.TIMESTAMP)
_KEY = (*_INTERACTION, "version", "writer")
_KIND = "reasons"


@dataclass(frozen=True, slots=True)
class ReasonRequest:
    """One interaction to be explained, with what was known before it and nothing else."""

    interaction: Interaction
    history: UserHistory
    """Of the same user, strictly before the interaction; may be empty."""
    pattern: Pattern | None
    """Of the same user, from interactions strictly before; None where none is written yet."""

    def __post_init__(self) -> None:
        user_id, _, timestamp = self.interaction
        until = [("history", self.history.user_id, self.history.until)]
        if self.pattern is not None:
            until.append(("pattern", self.pattern.user_id, self.pattern.until))
        for name, owner, last in until:
            if owner != user_id:
                raise InvalidDataError(
                    f"reason for user {user_id!r}: expected a {name} of that user, got one of {owner!r}. Correct it."
                )
            if last is not None and last >= timestamp:
                raise InvalidDataError(
                    f"reason for user {user_id!r} at {timestamp.isoformat()}: expected a {name} that ends before, got "
                    f"one until {last.isoformat()}. Cut it with before()."
                )


class ReasonWriter(Protocol):
    """Whatever writes reasons: a language model, or the offline writer."""

    def write_reasons(self, requests: Sequence[ReasonRequest]) -> list[Reason]:
        """Write q_ui for each interaction (CURec Eq. (6)).

        Args:
            requests: What to explain.

        Returns:
            In their order. A writer that fails at one and has nobody to fall back on leaves it out.
        """
        ...


def reason_requests(
    interactions: Iterable[Interaction], *, histories: Mapping[str, UserHistory], patterns: PatternBook
) -> Iterator[ReasonRequest]:
    """Put to every interaction what was known strictly before it; what is asked twice comes once.

    Args:
        interactions: To be explained; training interactions only (deviation C4).
        histories: By user_id.
        patterns: Of which the latest strictly before each interaction is taken.

    Raises:
        UnknownIdError: If a user has no history.
    """
    asked = list(dict.fromkeys(interactions))
    times = np.array([as_micros(interaction.timestamp) for interaction in asked], dtype=np.int64)
    rows = patterns.rows_before(patterns.user_rows([interaction.user_id for interaction in asked]), times)
    # A pattern serves several interactions; each is made once.
    distinct = np.unique(rows[rows >= 0])
    texts = dict(zip(distinct.tolist(), patterns.patterns(distinct), strict=True))
    for interaction, row in zip(asked, rows.tolist(), strict=True):
        if interaction.user_id not in histories:
            raise UnknownIdError(f"reasons: expected a user with a history, got {interaction.user_id!r}.")
        known = histories[interaction.user_id].before(interaction.timestamp)
        yield ReasonRequest(interaction, known, texts.get(row))


def write_reasons(
    interactions: Iterable[Interaction],
    writer: ReasonWriter,
    *,
    histories: Mapping[str, UserHistory],
    patterns: PatternBook,
    version: int = 0,
    at_once: int = 10_000,
) -> Iterator[Reason]:
    """Write a reason for every interaction, from what was known strictly before it.

    Args:
        interactions: To be explained; training interactions only (deviation C4).
        writer: Who writes.
        histories: By user_id.
        patterns: Of which the latest strictly before each interaction is taken.
        version: Which pass this is.
        at_once: Interactions that a writer is handed together; their histories are what takes memory.

    Raises:
        UnknownIdError: If a user has no history.
    """
    requests = reason_requests(interactions, histories=histories, patterns=patterns)
    while some := list(islice(requests, at_once)):
        for reason in writer.write_reasons(some):
            yield reason if version == 0 else replace(reason, version=version)


@dataclass(frozen=True, eq=False)
class ReasonStore:
    """All reasons of all items. Never changed: ``append`` gives a new store whose first rows are those of this one.

    A reason may stand there in several versions; only the highest of an interaction is ever retrieved, and of equal
    ones that which was added last.
    """

    frame: pl.DataFrame
    """Columns of ``REASON_SCHEMA``; a row of the store is a row of it."""
    item_ids: pl.Series
    """The catalogue: item row r is entry r."""
    user_ids: pl.Series
    """User row r is entry r."""

    @classmethod
    def of(
        cls, reasons: Iterable[Reason] | pl.DataFrame, *, item_ids: pl.Series, user_ids: pl.Series | None = None
    ) -> Self:
        """Take reasons.

        Args:
            reasons: In any order, or a frame of ``REASON_SCHEMA``.
            item_ids: The catalogue, in the order of the model that reads the store.
            user_ids: The users' numbering; those who are missing in it follow in the order in which they occur.

        Raises:
            InvalidDataError: If two have the same item, user, time, version and writer; if one is about an item that is
                not in the catalogue; if a text is empty or no Unicode, or a time has no zone.
        """
        frame = reasons if isinstance(reasons, pl.DataFrame) else table_of(list(reasons), REASON_SCHEMA)
        require_distinct(frame, key=_KEY, where="reasons")
        store = cls(frame, item_ids.rename(schema.ITEM), with_users(user_ids, frame[schema.USER]))
        unknown = np.flatnonzero(store._items == NOBODY)
        if len(unknown):
            raise InvalidDataError(
                f"reasons: expected items of the model's catalogue ({len(item_ids):,} items), got "
                f"{frame[schema.ITEM][int(unknown[0])]!r} and {len(unknown) - 1:,} more reasons about others. Write "
                "reasons for these items, or train the model on the store's."
            )
        return store

    def __len__(self) -> int:
        return self.frame.height

    def append(self, reasons: Iterable[Reason]) -> Self:
        """A store with further reasons behind these; new users follow the known ones (CURec Eq. (15)).

        Raises:
            InvalidDataError: As ``of``, also if one stands in this store already.
        """
        grown = pl.concat([self.frame, table_of(list(reasons), REASON_SCHEMA)])
        return type(self).of(grown, item_ids=self.item_ids, user_ids=self.user_ids)

    def item_rows(self, item_ids: Sequence[str] | pl.Series) -> NDArray[np.int32]:
        """The number of each item, int32 [N]; -1 for one that is not in the catalogue."""
        return rows_of(item_ids, self.item_ids)

    def user_rows(self, user_ids: Sequence[str] | pl.Series) -> NDArray[np.int32]:
        """The number of each user, int32 [N]; -1 for one without a row."""
        return rows_of(user_ids, self.user_ids)

    def reasons(self, rows: Sequence[int] | NDArray[np.integer] | None = None) -> list[Reason]:
        """Some rows of the store, or all."""
        chosen = self.frame if rows is None else self.frame[list(rows)]
        return [Reason(**row) for row in chosen.iter_rows(named=True)]

    def as_of(self, item_id: str, *, at: datetime, without_user: str | None, k: int = 20) -> list[Reason]:
        """The reasons of an item that may be read when a user is scored at a moment.

        Args:
            item_id: Of the catalogue.
            at: The moment; only reasons for strictly earlier interactions are given (deviation C3).
            without_user: Who is scored: this user's own reasons are left out (deviation C1). None only where nobody
                is, as for somebody without an id.
            k: The most reasons.

        Returns:
            The most recent ones, newest first.

        Raises:
            UnknownIdError: If the item is not in the catalogue.
            InvalidConfigError: If ``k`` is below 1.
            InvalidDataError: If the moment has no time zone.
        """
        items = self.item_rows([item_id])
        if items[0] == NOBODY:
            raise UnknownIdError(f"reasons: expected an item of the catalogue, got {item_id!r}.")
        users = None if without_user is None else self.user_rows([without_user])
        rows = self.rows_as_of(items, at=as_micros(at), users=users, k=k)[0]
        return self.reasons(rows[rows != NOBODY])

    def rows_as_of(
        self,
        items: NDArray[np.integer],
        *,
        at: NDArray[np.int64] | int,
        users: NDArray[np.integer] | int | None,
        k: int = 20,
    ) -> NDArray[np.int32]:
        """``as_of`` for many (item, user, moment) at once: rows of the store.

        Args:
            items: int [N], by ``item_rows``; -1 has no reasons.
            at: int64 [N], or one number for all, in microseconds since 1970 UTC.
            users: int [N] by ``user_rows``, or one number for all: who is scored. None leaves nobody's reasons out, and
                is right only where own ones cannot be there: where ``at`` is before each user's first interaction
                with the item, as in batches that are contiguous in time.
            k: The most reasons of each.

        Returns:
            int32 [N, k], newest first, filled up with -1.

        Raises:
            InvalidConfigError: If ``k`` is below 1.
        """
        if k < 1:
            raise InvalidConfigError(f"reasons: expected k of at least 1, got {k}. Choose a positive number.")
        scored = NOBODY if users is None else users
        without = np.ascontiguousarray(np.broadcast_to(scored, items.shape), dtype=np.int32)
        return self._timelines.newest_before(items, at, k=k, authors=self._users, without=without)

    def require_items(self, item_ids: pl.Series) -> None:
        """Refuse to serve a model that numbers other items.

        Raises:
            InvalidDataError: If its catalogue is not this store's, in the same order.
        """
        for row, (ours, theirs) in enumerate(zip(self.item_ids, item_ids, strict=False)):
            if ours != theirs:
                raise InvalidDataError(
                    f"reasons: expected a model of the store's items, got {theirs!r} for {ours!r} at row {row:,}. Open "
                    "the store with the model's item_ids."
                )
        if len(item_ids) != len(self.item_ids):
            raise InvalidDataError(
                f"reasons: expected a model of the store's {len(self.item_ids):,} items, got one of "
                f"{len(item_ids):,}. Open the store with the model's item_ids."
            )

    def require_none_about(self, held_out: pl.DataFrame) -> None:
        """Refuse reasons about held-out interactions (deviation C4).

        Args:
            held_out: Columns ``user_id, item_id``, and ``timestamp`` where users take items again and again: then only
                a reason from that moment on is refused, without it any for the pair.

        Raises:
            InvalidDataError: Naming the first.
        """
        about = self.frame.lazy().join(held_out.lazy(), on=[schema.USER, schema.ITEM], how="inner", suffix="_held_out")
        if schema.TIMESTAMP in held_out.columns:
            about = about.filter(pl.col(schema.TIMESTAMP) >= pl.col(f"{schema.TIMESTAMP}_held_out"))
        found = about.collect()
        if found.height:
            first = found.row(0, named=True)
            raise InvalidDataError(
                f"reasons: expected none about held-out interactions, got {found.height:,}, first for user "
                f"{first[schema.USER]!r} and item {first[schema.ITEM]!r}. Write reasons for training interactions only."
            )

    def vectors(self, encoder: TextEncoder) -> TextVectors:
        """Embed all texts, each distinct one once.

        Raises:
            InvalidModelError: If the encoder's model cannot be loaded.
            OutputWriteError: If the file of kept vectors cannot be written.
        """
        return embed_texts(self.frame["text"], encoder)

    def write(self, path: Path) -> None:
        """Write one Parquet file, complete or not at all; an older one is replaced.

        Raises:
            OutputWriteError: If it cannot be written.
        """
        write_table(self.frame, path, kind=_KIND)

    @classmethod
    def read(cls, path: Path, *, item_ids: pl.Series, user_ids: pl.Series | None = None) -> Self:
        """Read what ``write`` wrote; rows keep their numbers.

        Args:
            path: The file.
            item_ids: The catalogue of the model that is to read it.
            user_ids: As in ``of``.

        Raises:
            InvalidDataError: If the file is absent, damaged, something else, of a newer whyrec, or about other items.
        """
        return cls.of(read_table(path, kind=_KIND, schema=REASON_SCHEMA), item_ids=item_ids, user_ids=user_ids)

    @cached_property
    def _items(self) -> NDArray[np.int32]:
        return self.item_rows(self.frame[schema.ITEM])

    @cached_property
    def _users(self) -> NDArray[np.int32]:
        return self.user_rows(self.frame[schema.USER])

    @cached_property
    def _timelines(self) -> Timelines:
        times = self.frame[schema.TIMESTAMP].dt.epoch("us").to_numpy()
        versions = self.frame["version"].to_numpy()
        order = np.lexsort([versions, times, self._users, self._items])
        same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
        for values in (self._items, self._users, times):
            same &= values[order[1:]] == values[order[:-1]]
        newest = order[np.append(~same, True)[: len(order)]]
        return Timelines.of(self._items, times, n_owners=len(self.item_ids), rows=newest)
