"""What goes wrong in a database, in this package's errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from whyrec.errors import InvalidDataError, OutputWriteError, StoreUnavailableError, WhyrecError

_FULL = ("disk is full", "disk i/o error", "readonly database", "read-only")
_AWAY = ("locked", "unable to open", "interrupted")
_DAMAGED = ("malformed", "not a database")
_PG_AWAY = ("08", "57", "53300", "40", "55P03")
"""SQLSTATE: connection lost, shut down or starting, too many connections, serialisation or deadlock, lock not given."""
_PG_FULL = ("53100", "25006", "58030", "42501")
"""SQLSTATE: disk full, read-only transaction, input or output error, no permission."""


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise this package's errors in place of the database's.

    Args:
        where: The store, as messages name it: its URL without a password.

    Raises:
        StoreUnavailableError: If the database cannot be reached or is too busy; the same may succeed later.
        OutputWriteError: If it cannot write: disk full, no permission.
        InvalidDataError: If it is damaged, or does not take what was given.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _ours(error, where=where) from error


def _ours(error: SQLAlchemyError | sqlite3.Error, *, where: str) -> WhyrecError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = " ".join(str(cause).split()).rstrip(".")
    lost = isinstance(error, PoolTimeoutError) or (isinstance(error, DBAPIError) and error.connection_invalidated)
    kind = StoreUnavailableError if lost else _kind(cause, said=said)
    if kind is StoreUnavailableError:
        return kind(f"{where}: expected a database that answers, got {said!r}. Check that it runs, and try again.")
    if kind is OutputWriteError:
        return kind(
            f"{where}: could not be written ({said}). What was there is unchanged; free space or allow writing."
        )
    return InvalidDataError(
        f"{where}: expected a whole store that takes this, got {said!r}. Restore a backup or correct it."
    )


def _kind(cause: BaseException | None, *, said: str) -> type[WhyrecError]:
    if not isinstance(cause, sqlite3.Error):
        return _kind_of_postgresql(cause)
    words = said.lower()
    if any(word in words for word in _FULL):
        return OutputWriteError
    if any(word in words for word in _AWAY):
        return StoreUnavailableError
    return InvalidDataError


def _kind_of_postgresql(cause: BaseException | None) -> type[WhyrecError]:
    state = getattr(cause, "sqlstate", None)
    if state is None:  # it could not be reached, so that there is no answer with a code
        return StoreUnavailableError
    if state.startswith(_PG_FULL):
        return OutputWriteError
    return StoreUnavailableError if state.startswith(_PG_AWAY) else InvalidDataError
