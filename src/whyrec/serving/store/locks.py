"""The right to publish and to remove versions: one process at a time has it, and loses it when it dies."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from whyrec.errors import OutputWriteError
from whyrec.serving.store.database import Database
from whyrec.serving.store.failures import translated

_TRY = "SELECT pg_try_advisory_lock(hashtextextended(current_schema(), 7240))"
_GIVE_BACK = "SELECT pg_advisory_unlock_all()"


@contextmanager
def publishing(database: Database) -> Iterator[None]:
    """Have the right while the block runs.

    Raises:
        OutputWriteError: If somebody else has it, or the lock file cannot be written.
        StoreUnavailableError: If the database is not there.
    """
    if database.path is not None:
        with _file_locked(database.path.with_name(f"{database.path.name}.publishing"), name=database.name):
            yield
        return
    connection = database.session()
    try:
        with translated(database.name):
            has_it = connection.exec_driver_sql(_TRY).scalar()
        if not has_it:
            raise _taken(database.name)
        yield
    finally:
        # The server would drop the lock some time after the connection; the next may ask at once.
        with contextlib.suppress(SQLAlchemyError):
            connection.exec_driver_sql(_GIVE_BACK)
        connection.invalidate()
        connection.close()


@contextmanager
def _file_locked(path: Path, *, name: str) -> Iterator[None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputWriteError(
            f"{path}: could not be opened ({error.strerror}). Allow writing beside the store, or choose another place."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _taken(name) from error
        yield
    finally:
        os.close(descriptor)


def _taken(name: str) -> OutputWriteError:
    return OutputWriteError(
        f"{name}: could not be published to (somebody else is publishing or removing versions). "
        "What was served before still is; wait until that is done and try again."
    )
