"""The first stage of a fit: patterns and reasons of all users, written some users at a time.

With a directory, every part is kept as soon as it is written, and a run that is killed goes on behind the last one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from whyrec.data import schema
from whyrec.methods.curec.histories import Interaction, UserHistory
from whyrec.methods.curec.patterns import PatternBook, write_patterns
from whyrec.methods.curec.reasons import ReasonStore, write_reasons
from whyrec.methods.curec.writers import Writers
from whyrec.runtime.atomic import atomic_directory
from whyrec.runtime.progress import progress_bar

PATTERNS_FILE, REASONS_FILE = "patterns.parquet", "reasons.parquet"
USERS_AT_ONCE = 256
"""Users of one part: what a killed run writes again at most."""


@dataclass(frozen=True, eq=False)
class Texts:
    """Patterns and reasons of the same users."""

    patterns: PatternBook
    reasons: ReasonStore

    @classmethod
    def joined(cls, parts: Sequence["Texts"], *, item_ids: pl.Series, user_ids: pl.Series) -> "Texts":
        """Put texts of different users together, in their order."""
        patterns = [part.patterns.frame for part in parts]
        reasons = [part.reasons.frame for part in parts]
        return cls(
            PatternBook.of(pl.concat(patterns) if patterns else [], user_ids=user_ids),
            ReasonStore.of(pl.concat(reasons) if reasons else [], item_ids=item_ids, user_ids=user_ids),
        )

    def write(self, directory: Path) -> None:
        """Write two files; the second is complete only if the first is.

        Raises:
            OutputWriteError: If they cannot be written.
        """
        self.patterns.write(directory / PATTERNS_FILE)
        self.reasons.write(directory / REASONS_FILE)

    @classmethod
    def read(cls, directory: Path, *, item_ids: pl.Series, user_ids: pl.Series | None = None) -> "Texts":
        """Read what ``write`` wrote.

        Raises:
            InvalidDataError: If a file is absent, damaged, something else or of a newer whyrec.
        """
        return cls(
            PatternBook.read(directory / PATTERNS_FILE, user_ids=user_ids),
            ReasonStore.read(directory / REASONS_FILE, item_ids=item_ids, user_ids=user_ids),
        )


def texts_by_writer(texts: Texts) -> list[str]:
    """Of patterns and of reasons, how many each writer wrote, and how many of these were verified as they were written.

    Returns:
        One line each for the notes of a fit.
    """
    lines = []
    for name, frame in (("patterns", texts.patterns.frame), ("reasons", texts.reasons.frame)):
        counts = frame.group_by("writer").agg(pl.len().alias("n"), pl.col("verified").sum()).sort("n", descending=True)
        told = [f"{n:,} by {writer} ({verified:,} verified)" for writer, n, verified in counts.iter_rows()]
        lines.append(f"{name}: {'; '.join(told) or 'none'}")
    return lines


def write_texts(
    histories: Mapping[str, UserHistory],
    wanted: Iterable[Interaction],
    writers: Writers,
    *,
    every: int,
    item_ids: pl.Series,
    parts: Path | None = None,
) -> Texts:
    """Write the patterns of all users, and reasons of some interactions (CURec Eqs. (5) and (6)).

    Args:
        histories: By user_id.
        wanted: The interactions to be explained.
        writers: Who writes. What a user's texts say must not depend on who else is written of.
        every: Interactions between two patterns of a user.
        item_ids: The catalogue.
        parts: A directory of parts; those that are there are read, not written again. It must hold nothing of other
            histories, interactions or writers.

    Raises:
        InvalidDataError: If a part cannot be read.
        EndpointError: If a language model's server fails for good.
    """
    of_user = defaultdict[str, list[Interaction]](list)
    for interaction in wanted:
        of_user[interaction.user_id].append(interaction)
    names = list(histories)
    done: list[Texts] = []
    with progress_bar("writing patterns and reasons", total=len(names)) as bar:
        for start in range(0, len(names), USERS_AT_ONCE):
            some = {user_id: histories[user_id] for user_id in names[start : start + USERS_AT_ONCE]}
            kept = None if parts is None else parts / f"{start:08d}"
            if kept is None or not kept.is_dir():
                asked = [interaction for user_id in some for interaction in of_user[user_id]]
                done.append(_written(some, asked, writers, every=every, item_ids=item_ids))
                if kept is not None:
                    with atomic_directory(kept) as partial:
                        done[-1].write(partial)
            else:
                done.append(Texts.read(kept, item_ids=item_ids))
            bar.advance(len(some))
    return Texts.joined(done, item_ids=item_ids, user_ids=pl.Series(schema.USER, names, dtype=pl.String))


def _written(
    histories: Mapping[str, UserHistory],
    wanted: Sequence[Interaction],
    writers: Writers,
    *,
    every: int,
    item_ids: pl.Series,
) -> Texts:
    patterns = write_patterns(histories, writers.patterns, every=every, with_last=True)
    reasons = write_reasons(wanted, writers.reasons, histories=histories, patterns=patterns)
    return Texts(patterns, ReasonStore.of(reasons, item_ids=item_ids))
