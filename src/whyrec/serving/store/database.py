"""A connection to SQLite or PostgreSQL that reads quickly and writes one at a time."""

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Select, column, create_engine, event, make_url, select, table
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from whyrec.errors import InvalidConfigError, InvalidDataError, OutputWriteError, StoreUnavailableError
from whyrec.serving.store.failures import translated

SQLITE, POSTGRESQL = "sqlite", "postgresql"

_NAMED = {SQLITE: SQLiteDialect_pysqlite, POSTGRESQL: PGDialect_psycopg}
_PARAMSTYLE: dict[str, Literal["named", "pyformat"]] = {SQLITE: "named", POSTGRESQL: "pyformat"}

_BUSY_TIMEOUT_S = 15.0
_PRAGMAS = (
    # Documents are a few kilobytes: a page that holds some of them was measured faster than SQLite's 4096 bytes.
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -8192",
    "PRAGMA mmap_size = 1073741824",
)
_ONE_WRITER = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 7239))"
_DURABLE = """SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"""
_POOL_SIZE, _POOL_OVERFLOW = 4, 6
_PATIENCE: dict[str, Any] = {"pool_timeout": 5, "connect_args": {"connect_timeout": 5}}

_PING = select(table("whyrec_settings", column("name"))).limit(1)

Row = tuple[Any, ...]

_open: "weakref.WeakSet[Database]" = weakref.WeakSet()
_inherited: list[object] = []
"""Connections of a parent process, kept so that nothing closes them: they are not ours."""


class _Reading(sqlite3.Connection):
    """A connection that closes with the last who holds it: the thread that it belongs to."""

    def __del__(self) -> None:
        self.close()


class Database:
    """Reads by statements compiled once; writes in transactions of which there is one at a time.

    Threads may share it. A process that was forked opens connections of its own.
    """

    def __init__(self, url: str) -> None:
        """Parse the URL; nothing is opened yet.

        Raises:
            InvalidConfigError: If it is no URL of a SQLite file or a PostgreSQL database.
        """
        self.url = _parsed(url)
        self.name = self.url.render_as_string(hide_password=True)
        self.dialect = self.url.get_backend_name()
        self._engine = _engine(self.url)
        self._pool = self._engine if self.dialect == SQLITE else _reading_engine(self.url)
        self._compiled: dict[Select[Any], tuple[str, dict[str, object]]] = {}
        self._local = threading.local()
        self._readers: weakref.WeakSet[_Reading] = weakref.WeakSet()
        _open.add(self)

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database."""
        return Path(str(self.url.database)) if self.dialect == SQLITE else None

    def require_there(self) -> None:
        """Refuse a SQLite file that does not exist.

        Raises:
            InvalidDataError: If there is none.
        """
        if self.path is not None and not self.path.is_file():
            raise InvalidDataError(f"{self.path}: expected a store, found none. Publish one with whyrec publish.")

    def make_directory(self) -> None:
        """Create the directory of a SQLite file.

        Raises:
            OutputWriteError: If it cannot be created.
        """
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputWriteError(
                f"{self.path.parent}: could not be created ({error.strerror}). Choose another place for the store."
            ) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed durably when the block ends well; nobody else writes meanwhile.

        Raises:
            StoreUnavailableError: If the database is not there, or others have been writing for too long.
            OutputWriteError: If it cannot be written; nothing of the transaction is kept.
        """
        with translated(self.name), self._engine.begin() as connection:
            yield connection

    def rows(self, statement: Select[Any], **values: object) -> list[Row]:
        """Read.

        Args:
            statement: The query with named parameters; compiled when it is first seen, so build it once.
            values: Of its parameters.

        Raises:
            StoreUnavailableError: If the database is not there.
        """
        sql, fixed = self._compiled.get(statement) or self._compile(statement)
        values = fixed | values
        if self.dialect == SQLITE:
            try:
                return self._reader().execute(sql, values).fetchall()
            except (sqlite3.Error, UnicodeEncodeError):
                with translated(self.name):  # most often the same again: a fault is rare, so it may take its time
                    return self._reader().execute(sql, _encodable(values)).fetchall()
        values = _encodable(values)
        with translated(self.name):
            try:
                return self._pooled_rows(sql, values)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return self._pooled_rows(sql, values)  # the server was restarted since the last time

    def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            StoreUnavailableError: If it gives none, or its file is gone.
        """
        if self.path is not None and not self.path.is_file():
            raise StoreUnavailableError(f"{self.path}: expected the store's file, found none. Restore it.")
        self.rows(_PING)

    def session(self) -> Connection:
        """A connection of its own without transaction, for locks that are held as long as it is open; close it."""
        with translated(self.name):
            return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def copy_to(self, path: Path) -> None:
        """Copy a SQLite database, as it is at this moment, while others read and write."""
        with translated(self.name):
            target = sqlite3.connect(path)
            try:
                self._reader().backup(target)
            finally:
                target.close()

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self._readers):
            connection.close()
        self._local = threading.local()
        self._engine.dispose()
        self._pool.dispose()

    def leave_to_parent(self) -> None:
        """Forget the connections that a forked process shares with its parent, without closing them."""
        _inherited.extend((self._engine.pool, self._pool.pool, list(self._readers), self._local))
        self._readers, self._local = weakref.WeakSet(), threading.local()
        self._engine.dispose(close=False)
        self._pool.dispose(close=False)

    def _pooled_rows(self, sql: str, values: dict[str, object]) -> list[Row]:
        with self._pool.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql, values)]

    def _compile(self, statement: Select[Any]) -> tuple[str, dict[str, object]]:
        """The statement as the driver takes it, and the values that stand in it already."""
        named = _NAMED[self.dialect](paramstyle=_PARAMSTYLE[self.dialect])
        compiled = statement.compile(dialect=named)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return self._compiled.setdefault(statement, (str(compiled), fixed))

    def _reader(self) -> sqlite3.Connection:
        """This thread's own connection to SQLite for reading: taking one from a pool lasts longer than most reads."""
        found: _Reading | None = getattr(self._local, "connection", None)
        if found is None:
            # Not only its own thread closes it: so does whoever closes the store.
            found = _Reading(
                str(self.url.database), timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            for pragma in (*_PRAGMAS[3:], "PRAGMA query_only = ON"):
                found.execute(pragma)
            self._local.connection = found
            self._readers.add(found)
        return found


def _leave_all_to_parent() -> None:
    for database in list(_open):
        database.leave_to_parent()


os.register_at_fork(after_in_child=_leave_all_to_parent)


def _encodable(values: Mapping[str, object]) -> dict[str, object]:
    """Values that a database takes; a text that none can hold becomes one that nothing is stored under."""
    return {
        name: None if isinstance(value, str) and not is_storable(value) else value for name, value in values.items()
    }


def is_storable(text: str) -> bool:
    """Whether databases can hold a text: PostgreSQL has no place for a zero, and half a surrogate pair is no text."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    name = url.drivername if url is not None else ""
    if url is not None and name in ("sqlite", "sqlite+pysqlite") and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    if url is not None and name in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    shown = url.render_as_string(hide_password=True) if url is not None else text
    raise InvalidConfigError(
        f"store: expected sqlite:///PATH or postgresql://HOST/DATABASE, got {shown!r}. Correct the URL."
    )


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == SQLITE:
        engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S, "isolation_level": None})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine
    engine = create_engine(url, pool_pre_ping=True, pool_size=_POOL_SIZE, max_overflow=_POOL_OVERFLOW, **_PATIENCE)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _reading_engine(url: URL) -> Engine:
    """Of PostgreSQL, without transactions and tests of the connection: those were two of three round trips."""
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        **_PATIENCE,
    )


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    # A server may be set to answer before its log is on the disk; what is acknowledged here must be.
    connection.exec_driver_sql(_DURABLE)
    connection.exec_driver_sql(_ONE_WRITER)
