"""The store: versions of everything that is served, and what is taken in and erased while serving."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from whyrec.errors import InvalidConfigError, OutputExistsError, WhyrecError
from whyrec.runtime.atomic import atomic_file
from whyrec.serving.documents import Erased, Match, NewInteraction, Receipt, RunRecord, VersionRecord
from whyrec.serving.store.backups import MANIFEST, Backups, copy_back, read_manifest
from whyrec.serving.store.database import Database
from whyrec.serving.store.erasure import Erasures
from whyrec.serving.store.intake import Intake, TakenIn
from whyrec.serving.store.locks import publishing
from whyrec.serving.store.opening import prepare
from whyrec.serving.store.publication import Publication
from whyrec.serving.store.reading import Reading
from whyrec.serving.store.versions import Versions


class Store:
    """A database of published versions, in SQLite (``sqlite:///PATH``) or PostgreSQL (``postgresql://HOST/DATABASE``).

    Threads may share a store; a forked process opens connections of its own. Every method may raise
    StoreUnavailableError when the database is not there; the same call may succeed later.
    """

    def __init__(self, database: Database) -> None:
        """Use a database that was made ready; see ``open``."""
        self._database = database
        self._versions = Versions(database)
        self._backups = Backups(database)
        self._erasures = Erasures(database, self._backups)
        self._intake = Intake(database, self._erasures)
        self._reading = Reading(database)

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """Open a store.

        Args:
            url: Of the database.
            create: Whether to create the store where there is none.

        Raises:
            InvalidConfigError: If the URL names neither a SQLite file nor a PostgreSQL database.
            InvalidDataError: If what is there is no store, or there is none and ``create`` is False.
            OutputWriteError: If it cannot be created.
            StoreUnavailableError: If the database does not answer.
        """
        database = Database(url)
        try:
            prepare(database, create=create)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def dialect(self) -> str:
        """``sqlite``, which reads in microseconds without a wait, or ``postgresql``, which waits for the network."""
        return self._database.dialect

    @property
    def name(self) -> str:
        """The URL, without a password."""
        return self._database.name

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ping(self) -> None:
        """Ask whether the database is there.

        Raises:
            StoreUnavailableError: If it is not.
        """
        self._database.ping()

    # Versions

    @contextmanager
    def publish(
        self, *, at: datetime, dataset: str, runs: Sequence[RunRecord], taken_until: int = 0
    ) -> Iterator[Publication]:
        """Write a version; it is served when the block ends well, and leaves nothing when it does not.

        Args:
            at: Only interactions strictly before it were read.
            dataset: The name of the data.
            runs: What makes the lists, in the order of preference.
            taken_until: The number of the last interaction taken in (``taken_in``) that the documents know of.

        Raises:
            InvalidDataError: If a document comes twice, or a key is too long.
            OutputWriteError: If somebody else is publishing, or it cannot be written; what was served still is.
        """
        with publishing(self._database):
            self._versions.clear()
            publication = Publication(self._database, self._erasures, at=at, dataset=dataset, runs=runs)
            publication.begin(taken_until=taken_until)
            try:
                yield publication
                publication.finish(self._backups.tell)
            except BaseException:
                # What cannot be removed now, the next publication removes; the first error is the one to tell.
                with contextlib.suppress(WhyrecError):
                    self._versions.clear()
                raise

    def current(self) -> VersionRecord | None:
        """The version that is served; None before the first."""
        return self._versions.current()

    def versions(self) -> list[VersionRecord]:
        """Published versions that are kept, the newest first."""
        return self._versions.kept()

    def roll_back(self, to: int | None = None) -> VersionRecord:
        """Serve an earlier version again.

        Args:
            to: Its id; None for the one that was current before the current one was published.

        Raises:
            InvalidConfigError: If there is no such version.
        """
        return self._versions.roll_back(to)

    def retain(self, n: int) -> list[int]:
        """Remove old versions, and what killed publications left.

        Args:
            n: How many of the newest to keep, beside the current one and the one before it.

        Returns:
            The ids of those removed.

        Raises:
            InvalidConfigError: If ``n`` is not positive.
            OutputWriteError: If somebody is publishing.
        """
        with publishing(self._database):
            removed = self._versions.retain(n)
            self._versions.clear()
        return removed

    # Documents

    def board(self, version: int, window: str) -> bytes | None:
        """A ``Board`` as JSON; None where there is none."""
        return self._reading.board(version, window)

    def list_of(self, version: int, user_id: str, method: str | None = None) -> bytes | None:
        """A ``PersonalList`` as JSON; without a method, that of the first run that has one for the user."""
        return self._reading.list_of(version, user_id, method)

    def explanation(
        self, version: int, item_id: str, user_id: str | None = None, *, method: str | None = None
    ) -> bytes | None:
        """An ``ExplanationDocument`` as JSON: for a user, or without one the explanation for everybody."""
        return self._reading.explanation(version, item_id, user_id=user_id, method=method)

    def item(self, version: int, item_id: str) -> bytes | None:
        """An ``ItemPage`` as JSON."""
        return self._reading.item(version, item_id)

    def user(self, version: int, user_id: str) -> bytes | None:
        """A ``UserPage`` as JSON."""
        return self._reading.user(version, user_id)

    def search(self, version: int, words: str, *, limit: int = 20, offset: int = 0) -> list[Match]:
        """Titles in which every one of the words begins a word; case and accents do not count, the best first."""
        return self._reading.search(version, words, limit=limit, offset=offset)

    # Interactions and erasure

    def take_in(self, interactions: Sequence[NewInteraction], key: str) -> Receipt:
        """Keep a batch of interactions; it is on the disk when this returns.

        Args:
            interactions: The batch. Those of erased users are left out and not counted.
            key: Names the batch, so that it can be sent again where the answer was lost.

        Raises:
            InvalidDataError: If another batch had this key, a time has no offset, or an id cannot be kept.
            OutputWriteError: If it cannot be written; nothing of it is kept.
        """
        return self._intake.take_in(interactions, key)

    def taken_by(self, user_id: str) -> list[str]:
        """Ids of items that a user took and the current version does not know of."""
        return self._intake.taken_by(user_id)

    def taken_in(self, after: int = 0, limit: int | None = None) -> Iterator[TakenIn]:
        """What was taken in, in the order of arrival, from the number after ``after``."""
        return self._intake.taken_in(after=after, limit=limit)

    def erase_user(self, user_id: str) -> Erased:
        """Remove everything about a user from every version, and keep them out of those to come."""
        return self._erasures.erase(user_id)

    def is_erased(self, user_ids: Iterable[str]) -> set[str]:
        """Those of the users that were erased."""
        return self._erasures.among(user_ids)

    def latest_erasure(self) -> int:
        """A number that changes with every erasure, 0 before the first."""
        return self._erasures.latest()

    # Backups

    def backup(self, path: Path) -> Path:
        """Copy a SQLite store while it is in use.

        Returns:
            The manifest beside the copy, which learns of every later erasure.

        Raises:
            InvalidConfigError: If the store is a PostgreSQL database; the message says how it is done there.
            InvalidDataError: If the directory holds the backups of another store.
            OutputExistsError: If ``path`` exists.
            OutputWriteError: If it cannot be written.
        """
        return self._backups.make(path)

    def record_backup(self, path: Path) -> Path:
        """Keep a manifest beside a copy that another program made, such as pg_dump, and give its path."""
        return self._backups.record(path)

    def forget_backup(self, path: Path) -> None:
        """Keep no manifest for a copy that was destroyed."""
        self._backups.forget(path)

    def backups(self) -> list[Path]:
        """Where the known copies lie, the oldest first."""
        return self._backups.paths()

    def apply_erasures(self, manifest: Path) -> int:
        """Erase again, in a restored store, the users that were erased after the copy was made.

        Returns:
            How many users there was something of.

        Raises:
            InvalidDataError: If there is no manifest, or it is another store's.
        """
        return self._erasures.apply(read_manifest(manifest), where=manifest)

    @classmethod
    def restore(cls, backup: Path, url: str) -> int:
        """Make a SQLite store from a copy, without the users that were erased since.

        Args:
            backup: The copy; its manifest lies beside it.
            url: Of the new store.

        Returns:
            How many users were erased from it.

        Raises:
            InvalidConfigError: If ``url`` is no SQLite file.
            InvalidDataError: If copy or manifest are absent or damaged.
            OutputExistsError: If there is a store already.
            OutputWriteError: If it cannot be written.
        """
        path = Database(url).path
        if path is None:
            raise InvalidConfigError(
                f"{url}: expected sqlite:///PATH, got a PostgreSQL database. Run pg_restore, then apply_erasures."
            )
        if path.exists():
            raise OutputExistsError(
                f"{path}: expected no store there, found one. Move it away, or choose another name."
            )
        manifest = backup.parent / MANIFEST
        read_manifest(manifest)
        for leftover in ("-wal", "-shm"):  # of a store that was moved away: they would be taken for this one's
            path.with_name(path.name + leftover).unlink(missing_ok=True)
        with atomic_file(path) as partial:
            copy_back(backup, partial)
            with cls.open(f"sqlite:///{partial}", create=False) as restored:
                return restored.apply_erasures(manifest)
