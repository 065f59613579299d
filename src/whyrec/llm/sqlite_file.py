"""A SQLite file that several processes write to at once: what the completion cache and the embedding cache share.

It checks that a file is what it should be before it touches it, and turns SQLite's errors into ours. It knows nothing
of what the tables hold.

The file is in WAL mode: readers and one writer do not wait for each other, and a process that is killed leaves whole
transactions only, in the file or in its ``-wal`` sibling (which belongs to it: copy both, or none while somebody
writes). WAL needs a local disk; on a network file system use one process at a time.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from whyrec.errors import InvalidDataError, OutputWriteError, WhyrecError

Row = tuple[Any, ...]  # what a query returns depends on the query
LOCK_TIMEOUT_S = 60.0
"""How long to wait for another process that writes; a single write takes milliseconds."""
_SMALLEST = 512  # bytes; SQLite's smallest page


@dataclass(frozen=True, slots=True)
class FileFormat:
    """What a file holds."""

    name: str
    """For messages: ``completion cache``."""
    application_id: int
    """SQLite's mark of whose file it is."""
    version: int
    """Files of later versions are refused."""
    schema: tuple[str, ...]
    """The statements that make an empty file one of these."""
    synchronous: Literal["FULL", "NORMAL"]
    """FULL: what was written outlives a loss of power. NORMAL, which is faster: a kill of the process only."""
    choose_another: str
    """The end of messages, such as ``choose another --cache``."""


class SqliteFile:
    """An open file. Threads may share it; a forked process gets a connection of its own."""

    def __init__(
        self, path: Path, file_format: FileFormat, *, create: bool = True, lock_timeout_s: float = LOCK_TIMEOUT_S
    ) -> None:
        """Open a file, or create it with its parent directories.

        Args:
            path: The file.
            file_format: What it must hold.
            create: Make it if it is absent or empty, and make sure that it can be written to; else it is only read.
            lock_timeout_s: How long to wait for a process that holds it.

        Raises:
            InvalidDataError: If it is something else, damaged or of a later version, or absent and not to be created.
            OutputWriteError: If it cannot be created or written to.
        """
        self.path = path
        self._format = file_format
        self._create = create
        self._lock_timeout_s = lock_timeout_s
        self._inherited: list[sqlite3.Connection] = []
        self._open()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Everything that a query finds.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If it cannot be reached.
        """
        with self._working() as connection:
            return connection.execute(sql, parameters).fetchall()

    def write(self, sql: str, parameters: Sequence[object]) -> int:
        """Run one statement as a transaction and return how many rows it wrote.

        Raises:
            InvalidDataError: If the file is damaged or refuses the values.
            OutputWriteError: If the disk is full, the file may not be written to, or another process holds it too
                long. What was written before still is.
        """
        with self._working() as connection:
            return connection.execute(sql, parameters).rowcount

    def write_all(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for many rows as one transaction: all are written, or none.

        Raises:
            InvalidDataError: As ``write``.
            OutputWriteError: As ``write``.
        """
        with self._working() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(sql, rows)

    def size_bytes(self) -> int:
        """Bytes on disk, of the file and its ``-wal`` sibling."""
        files = (self.path, self._wal)
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Let go of the file. The last process to do so leaves a single file behind."""
        if self._process == os.getpid():
            self._connection.close()

    def _open(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        if not self._create and not self.path.is_file():
            raise InvalidDataError(
                f"{self.path}: expected a {self._format.name}, found no file. "
                f"Check the path, or {self._format.choose_another}."
            )
        with self._translated():
            if self.path.is_file() and 0 < self.path.stat().st_size < _SMALLEST:
                raise self._no_sqlite()  # SQLite would take it for an empty file and write over it
            if self._create:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
            try:
                self._prepare(self._connection)
            except (sqlite3.Error, WhyrecError):
                self._connection.close()
                raise

    def _connect(self) -> sqlite3.Connection:
        mode = "rwc" if self._create else "ro&immutable=1" if self._is_archived() else "rw"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=self._lock_timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = _decoded
        return connection

    @property
    def _wal(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    def _is_archived(self) -> bool:
        """True in a place where the lock files that SQLite reads with cannot be made, and nobody else has made them."""
        return not (os.access(self.path.parent, os.W_OK, effective_ids=True) or self._wal.exists())

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Look before touching: another program's file stays as it is, byte for byte."""
        if self._create and _is_empty(connection):
            self._fill(connection)
        self._require_format(connection)
        connection.execute(f"PRAGMA synchronous = {self._format.synchronous}")
        if self._create:
            connection.execute("PRAGMA journal_mode = WAL")
            # Now, not after the first answer was paid for, is the time to learn that nothing can be kept.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    def _fill(self, connection: sqlite3.Connection) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if not _is_empty(connection):  # another process was faster
                return
            for statement in self._format.schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {self._format.application_id}")
            connection.execute(f"PRAGMA user_version = {self._format.version}")

    def _require_format(self, connection: sqlite3.Connection) -> None:
        wanted = self._format
        if _pragma(connection, "application_id") != wanted.application_id:
            raise InvalidDataError(
                f"{self.path}: expected a {wanted.name}, got a SQLite file of something else. "
                f"Check the path, or {wanted.choose_another}."
            )
        version = _pragma(connection, "user_version")
        if version > wanted.version:
            raise InvalidDataError(
                f"{self.path}: expected a {wanted.name} of format {wanted.version} or earlier, got format {version}, "
                f"written by a newer whyrec. Upgrade whyrec, or {wanted.choose_another}."
            )

    @contextmanager
    def _working(self) -> Iterator[sqlite3.Connection]:
        if self._process != os.getpid():
            # SQLite forbids to use, and even to close, a connection that came through a fork.
            self._inherited.append(self._connection)
            self._open()
        with self._lock, self._translated():
            yield self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:  # a mistake in the calling code, such as use after close
            raise
        except sqlite3.Error as error:
            raise self._error(error) from error
        except WhyrecError:
            raise
        except OSError as error:
            raise OutputWriteError(
                f"{self.path}: could not be opened ({error.strerror}). "
                f"Check the path, or {self._format.choose_another}."
            ) from error

    def _error(self, error: sqlite3.Error) -> WhyrecError:
        where, what, last = self.path, self._format.name, self._format.choose_another
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the lowest byte is the kind of error
            case sqlite3.SQLITE_NOTADB:
                return self._no_sqlite()
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return OutputWriteError(
                    f"{where}: expected to get at it within {self._lock_timeout_s:g} s, but another process holds it. "
                    "Nothing that was kept is lost; end that process, or try again."
                )
            case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
                return OutputWriteError(
                    f"{where}: could not be written ({error}). What was kept before still is; free space and run again."
                )
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
                return OutputWriteError(
                    f"{where}: expected a file that can be written in a directory that can be, got: {error}. "
                    f"Check its permissions, or {last}."
                )
            case _:
                return InvalidDataError(f"{where}: expected a sound {what}, got: {error}. Put back a copy, or {last}.")

    def _no_sqlite(self) -> InvalidDataError:
        return InvalidDataError(
            f"{self.path}: expected a {self._format.name}, got a file that is not SQLite. "
            f"Check the path, or {self._format.choose_another}."
        )


def integrity_problems(file: SqliteFile) -> list[str]:
    """What SQLite's own check of the whole file finds wrong.

    Raises:
        OutputWriteError: If the file cannot be reached.
    """
    try:
        found = [str(row[0]) for row in file.rows("PRAGMA integrity_check")]
    except InvalidDataError as error:
        return [str(error)]
    return [] if found == ["ok"] else [line for text in found for line in text.splitlines()]


def _decoded(raw: bytes) -> str:
    """Read a text, which may hold halves of surrogate pairs. A damaged one is read too, for a check to find it."""
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def _is_empty(connection: sqlite3.Connection) -> bool:
    with closing(connection.execute("SELECT count(*) FROM sqlite_master")) as cursor:
        return bool(cursor.fetchone()[0] == 0)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    with closing(connection.execute(f"PRAGMA {name}")) as cursor:
        return int(cursor.fetchone()[0])
