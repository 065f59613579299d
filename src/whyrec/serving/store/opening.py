"""A store's tables: created in an empty database, checked in one that has them."""

import uuid

from sqlalchemy import Connection, inspect, select

from whyrec.errors import InvalidDataError
from whyrec.serving.store.backups import STORE_ID
from whyrec.serving.store.database import Database
from whyrec.serving.store.erasure import ERASURE_KEY, new_key
from whyrec.serving.store.schema import FORMAT, create_tables, settings

_FORMAT = "format"


def prepare(database: Database, *, create: bool) -> None:
    """Make a database ready for use.

    Raises:
        InvalidDataError: If there is no store and none may be created, or it was written by a later whyrec.
        OutputWriteError: If it cannot be written.
        StoreUnavailableError: If the database is not there.
    """
    if create:
        database.make_directory()
    else:
        database.require_there()
    with database.writing() as connection:
        if not inspect(connection).has_table(settings.name):
            if not create:
                raise InvalidDataError(
                    f"{database.name}: expected a store, found none. Publish one with whyrec publish."
                )
            _create(connection)
        _require_known_format(connection, name=database.name)


def _create(connection: Connection) -> None:
    create_tables(connection)
    values = {_FORMAT: str(FORMAT), ERASURE_KEY: new_key(), STORE_ID: uuid.uuid4().hex}
    connection.execute(settings.insert(), [{"name": name, "value": value} for name, value in values.items()])


def _require_known_format(connection: Connection, *, name: str) -> None:
    found = connection.execute(select(settings.c.value).where(settings.c.name == _FORMAT)).scalar()
    if found is None or not found.isdecimal() or int(found) > FORMAT:
        raise InvalidDataError(
            f"{name}: expected a store of format {FORMAT} or earlier, got {found!r}. Open it with a later whyrec."
        )
