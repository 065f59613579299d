"""Users who asked to be forgotten: known by a keyed hash, so that nobody reads from the store who they were."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, func, select

from whyrec.errors import OutputWriteError
from whyrec.serving.documents import Erased
from whyrec.serving.store.backups import BackupManifest, Backups, take_over
from whyrec.serving.store.database import SQLITE, Database
from whyrec.serving.store.moments import now, to_number
from whyrec.serving.store.schema import (
    OF_USERS,
    REMOVED,
    erasures,
    explanations,
    interactions,
    lists,
    settings,
    users,
    versions,
)

ERASURE_KEY = "erasure_key"
_KEY = select(settings.c.value).where(settings.c.name == ERASURE_KEY)
_HASHES = select(erasures.c.number, erasures.c.hash).where(erasures.c.number > bindparam("after"))
_IS_ERASED = select(erasures.c.number).where(erasures.c.hash == bindparam("hash"))
_LATEST = select(func.coalesce(func.max(erasures.c.number), 0))
_MANY = 50
"""Of so many users, all erasures are read at once."""


def new_key() -> str:
    """A random key for a new store."""
    return secrets.token_hex(32)


class Erasures:
    """The users that were erased from a store."""

    def __init__(self, database: Database, copies: Backups) -> None:
        self._database = database
        self._copies = copies

    def hashed(self, user_id: str) -> str:
        """HMAC-SHA256 of a user's id with the store's key."""
        return hmac.new(self._key, user_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def among(self, user_ids: Iterable[str]) -> set[str]:
        """Those of the users that were erased."""
        asked = set(user_ids)
        if len(asked) < _MANY:
            return {user_id for user_id in asked if self._database.rows(_IS_ERASED, hash=self.hashed(user_id))}
        made = {found for _, found in self._database.rows(_HASHES, after=0)}
        return {user_id for user_id in asked if self.hashed(user_id) in made} if made else set()

    def latest(self) -> int:
        """The number of the last erasure, 0 before the first; it only grows."""
        return int(self._database.rows(_LATEST)[0][0])

    def erase(self, user_id: str) -> Erased:
        """Remove everything about a user, in every version and in what was taken in, and remember the erasure.

        Raises:
            OutputWriteError: If the manifest of a backup could not be told. The user is erased here all the same.
        """
        made = {self.hashed(user_id): to_number(now())}
        with self._database.writing() as connection, self._overwriting(connection):
            _remember(connection, made)
            counts = _remove(connection, user_id)
            untold = self._copies.tell(connection)
        if untold:
            raise OutputWriteError(
                f"{untold[0]}: could not be written (manifest of backups). The user is erased from the store; make the "
                "directory writable and erase the user again, or forget its backups if they were destroyed."
            )
        return Erased(
            user_id=user_id,
            interactions=counts[interactions.name],
            lists=counts[lists.name],
            explanations=counts[explanations.name],
            profiles=counts[users.name],
        )

    def apply(self, manifest: BackupManifest, *, where: Path) -> int:
        """Remove users that were erased after this store's state was copied.

        Returns:
            How many users there was something of.

        Raises:
            InvalidDataError: If the manifest is another store's.
        """
        made = {entry.hash: to_number(entry.erased) for entry in manifest.erasures}
        with self._database.writing() as connection, self._overwriting(connection):
            take_over(connection, manifest, where=where)
            _remember(connection, made)
            found = [user_id for user_id in _everybody(connection) if self.hashed(user_id) in made]
            for user_id in found:
                _remove(connection, user_id)
        return len(found)

    @cached_property
    def _key(self) -> bytes:
        return bytes.fromhex(self._database.rows(_KEY)[0][0])

    @contextmanager
    def _overwriting(self, connection: Connection) -> Iterator[None]:
        """SQLite leaves deleted rows readable in its file unless told to overwrite them: slow, so only told here."""
        if self._database.dialect != SQLITE:
            yield
            return
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")


class Forgotten:
    """Whether a user was erased, asked about many users: reads only what is new."""

    def __init__(self, erasures_made: Erasures) -> None:
        self._erasures = erasures_made
        self._hashes: set[str] = set()
        self._last = 0

    def refresh(self, connection: Connection) -> None:
        """Read the erasures since the last time, within a transaction."""
        for number, found in connection.execute(_HASHES, {"after": self._last}):
            self._hashes.add(found)
            self._last = max(self._last, number)

    def __contains__(self, user_id: object) -> bool:
        return bool(self._hashes) and self._erasures.hashed(str(user_id)) in self._hashes


def _remember(connection: Connection, made: Mapping[str, int]) -> None:
    """Record erasures by hash; those that are known keep their first moment."""
    known = set(connection.execute(select(erasures.c.hash)).scalars())
    rows = [{"hash": found, "erased": erased} for found, erased in made.items() if found not in known]
    if rows:
        connection.execute(erasures.insert(), rows)


def _everybody(connection: Connection) -> set[str]:
    tables = (*OF_USERS, interactions)
    found = (connection.execute(select(table.c.user_id).distinct()).scalars() for table in tables)
    return {user_id for user_ids in found for user_id in user_ids} - {""}


def _remove(connection: Connection, user_id: str) -> dict[str, int]:
    kept = list(connection.execute(select(versions.c.id).where(versions.c.state != REMOVED)).scalars())
    counts = {}
    for table in (*OF_USERS, interactions):
        mine = delete(table).where(table.c.user_id == user_id)
        which = mine.where(table.c.version.in_(kept)) if table in OF_USERS else mine
        counts[table.name] = connection.execute(which).rowcount
    return counts
