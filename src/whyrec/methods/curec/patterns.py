"""Interest patterns over time: for which beginnings of a history one is written, and which may be read at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.errors import InvalidConfigError
from whyrec.methods.curec.artefacts import Pattern
from whyrec.methods.curec.histories import UserHistory, as_micros
from whyrec.methods.curec.store_files import read_table, require_distinct, rows_of, table_of, with_users, write_table
from whyrec.methods.curec.text_vectors import TextEncoder, TextVectors, embed_texts
from whyrec.methods.curec.timelines import Timelines

PATTERN_SCHEMA = pl.Schema(
    {
        schema.USER: pl.String(),
        "n_items": pl.Int64(),
        "until": schema.TIMESTAMP_TYPE,
        "text": pl.String(),
        "writer": pl.String(),
        "version": pl.Int64(),
        "verified": pl.Boolean(),
    }
)
_KEY = (schema.USER, "n_items", "until", "version", "writer")
_KIND = "patterns"


class PatternWriter(Protocol):
    """Whatever writes interest patterns: a language model, or the offline writer."""

    def write_patterns(self, histories: Sequence[UserHistory]) -> list[Pattern]:
        """Write p_u from each history and nothing else (CURec Eq. (5)).

        Args:
            histories: Beginnings of users' histories, none of them empty.

        Returns:
            In their order. A writer that fails at one and has nobody to fall back on leaves it out.
        """
        ...


def pattern_prefixes(history: UserHistory, *, every: int = 5, with_last: bool = False) -> list[UserHistory]:
    """The beginnings of a history from which a pattern is written (deviation C2: one per prefix, not one for all).

    A beginning ends where a group of equal times ends, as no pattern may be read within it: the first group, then the
    first one after ``every`` more interactions, and so on.

    Args:
        history: Of training interactions only.
        every: Interactions between two patterns; 1 writes one for each moment.
        with_last: Also the whole history, for serving, however few interactions were added since.

    Returns:
        Shortest first; none for an empty history.

    Raises:
        InvalidConfigError: If ``every`` is below 1.
    """
    if every < 1:
        raise InvalidConfigError(f"patterns: expected every of at least 1, got {every}. Choose a positive number.")
    times = history.timestamps
    ends = [n for n in range(1, len(history) + 1) if n == len(history) or times[n] > times[n - 1]]
    chosen: list[int] = []
    for n in ends:
        if not chosen or n - chosen[-1] >= every or (with_last and n == len(history)):
            chosen.append(n)
    return [history.first(n) for n in chosen]


@dataclass(frozen=True, eq=False)
class PatternBook:
    """All patterns of all users. Never changed: ``append`` gives a new book whose first rows are those of this one."""

    frame: pl.DataFrame
    """Columns of ``PATTERN_SCHEMA``; a row of the book is a row of it."""
    user_ids: pl.Series
    """User row r is entry r."""

    @classmethod
    def of(cls, patterns: Iterable[Pattern] | pl.DataFrame, *, user_ids: pl.Series | None = None) -> Self:
        """Take patterns.

        Args:
            patterns: In any order, or a frame of ``PATTERN_SCHEMA``.
            user_ids: The users' numbering; those who are missing in it follow in the order in which they occur.

        Raises:
            InvalidDataError: If two have the same user, prefix, version and writer, a text is empty or no Unicode, or a
                time has no zone.
        """
        frame = patterns if isinstance(patterns, pl.DataFrame) else table_of(list(patterns), PATTERN_SCHEMA)
        require_distinct(frame, key=_KEY, where="patterns")
        return cls(frame, with_users(user_ids, frame[schema.USER]))

    def __len__(self) -> int:
        return self.frame.height

    def append(self, patterns: Iterable[Pattern]) -> Self:
        """A book with further patterns behind these; new users follow the known ones.

        Raises:
            InvalidDataError: As ``of``, also if one stands in this book already.
        """
        return type(self).of(pl.concat([self.frame, table_of(list(patterns), PATTERN_SCHEMA)]), user_ids=self.user_ids)

    def user_rows(self, user_ids: Sequence[str] | pl.Series) -> NDArray[np.int32]:
        """The number of each user, int32 [N]; -1 for one without a row."""
        return rows_of(user_ids, self.user_ids)

    def patterns(self, rows: Sequence[int] | NDArray[np.integer] | None = None) -> list[Pattern]:
        """Some rows of the book, or all."""
        chosen = self.frame if rows is None else self.frame[list(rows)]
        return [Pattern(**row) for row in chosen.iter_rows(named=True)]

    def latest(self, user_id: str, *, before: datetime) -> Pattern | None:
        """The pattern that may be read at a moment: the newest whose last interaction is strictly before it.

        Args:
            user_id: Whose; None is the answer for somebody unknown too.
            before: The moment t (deviation C2).

        Raises:
            InvalidDataError: If the moment has no time zone.
        """
        row = int(self.rows_before(self.user_rows([user_id]), as_micros(before))[0])
        return None if row < 0 else self.patterns([row])[0]

    def rows_before(self, user_rows: NDArray[np.integer], times: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """``latest`` for many: rows of the book.

        Of several that end at one moment, the one of the longest prefix is taken, then of the highest version, then
        the one that was added last.

        Args:
            user_rows: int [B], by ``user_rows``; -1 for nobody.
            times: int64 [B], or one number for all, in microseconds since 1970 UTC.

        Returns:
            int64 [B]; -1 where there is none.
        """
        return self._timelines.latest_before(user_rows, times)

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
    def read(cls, path: Path, *, user_ids: pl.Series | None = None) -> Self:
        """Read what ``write`` wrote; rows keep their numbers.

        Raises:
            InvalidDataError: If the file is absent, damaged, something else or of a newer whyrec.
        """
        return cls.of(read_table(path, kind=_KIND, schema=PATTERN_SCHEMA), user_ids=user_ids)

    @cached_property
    def _timelines(self) -> Timelines:
        return Timelines.of(
            self.user_rows(self.frame[schema.USER]),
            self.frame["until"].dt.epoch("us").to_numpy(),
            n_owners=len(self.user_ids),
            tie_breakers=[self.frame[name].to_numpy() for name in ("n_items", "version")],
        )


def write_patterns(
    histories: Mapping[str, UserHistory],
    writer: PatternWriter,
    *,
    every: int = 5,
    with_last: bool = False,
    version: int = 0,
) -> PatternBook:
    """Write the patterns of all users, each from a beginning of the history alone.

    Args:
        histories: Training interactions by user_id.
        writer: Who writes.
        every: See ``pattern_prefixes``.
        with_last: See ``pattern_prefixes``.
        version: Which pass this is.
    """
    prefixes = [
        prefix
        for history in histories.values()
        for prefix in pattern_prefixes(history, every=every, with_last=with_last)
    ]
    written = writer.write_patterns(prefixes)
    patterns = written if version == 0 else [replace(pattern, version=version) for pattern in written]
    return PatternBook.of(patterns, user_ids=pl.Series(schema.USER, list(histories), dtype=pl.String()))
