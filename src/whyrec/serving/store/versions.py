"""Versions: which one is served, going back to an earlier one, and removing old ones a little at a time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, select, tuple_, update

from whyrec.errors import InvalidConfigError
from whyrec.serving.documents import VersionRecord
from whyrec.serving.store.database import Database
from whyrec.serving.store.schema import BUILDING, PUBLISHED, REMOVED, VERSIONED, pointer, versions

_ROWS_AT_ONCE = 2000
"""Deleted in one transaction, so that others can write in between."""
_CURRENT = select(pointer.c.version)
_RECORD = select(versions.c.record).where(versions.c.id == bindparam("version"))
_CURRENT_RECORD = select(versions.c.record).join(pointer, pointer.c.version == versions.c.id)
_PUBLISHED = select(versions.c.record).where(versions.c.state == PUBLISHED).order_by(versions.c.id.desc())


class Versions:
    """The published versions of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest: VersionRecord | None = None

    def current(self) -> VersionRecord | None:
        """The version that is served; None before the first. Records never change, so each is read once."""
        found = self._database.rows(_CURRENT)
        if not found:
            return None
        record = self._latest
        if record is None or record.id != found[0][0]:
            record = self._latest = VersionRecord.model_validate_json(self._database.rows(_CURRENT_RECORD)[0][0])
        return record

    def kept(self) -> list[VersionRecord]:
        """Published versions that are kept, the newest first."""
        return [VersionRecord.model_validate_json(record) for (record,) in self._database.rows(_PUBLISHED)]

    def roll_back(self, to: int | None) -> VersionRecord:
        """Serve an earlier version again.

        Args:
            to: Its id; None for the one that was current before the current one was published.

        Raises:
            InvalidConfigError: If there is no such version.
        """
        with self._database.writing() as connection:
            states = _states(connection)
            target = to if to is not None else _before(connection, states=states)
            if target is None or states.get(target) != PUBLISHED:
                kept = ", ".join(str(version) for version, state in states.items() if state == PUBLISHED) or "none"
                wanted = "the one before the current" if to is None else f"version {to}"
                raise InvalidConfigError(
                    f"{self._database.name}: expected a version that is kept ({kept}), got {wanted}. Choose one."
                )
            connection.execute(update(pointer).values(version=target))
        return VersionRecord.model_validate_json(self._database.rows(_RECORD, version=target)[0][0])

    def retain(self, n: int) -> list[int]:
        """Remove old versions; the caller holds the lock of publishing.

        Args:
            n: How many of the newest to keep, beside the current one and the one that was served before it, which
                readers may still be at.

        Returns:
            The ids of those removed.

        Raises:
            InvalidConfigError: If ``n`` is not positive.
        """
        if n < 1:
            raise InvalidConfigError(f"keep: expected at least 1 version to keep, got {n}. Keep more.")
        with self._database.writing() as connection:
            states = _states(connection)
            published = [version for version, state in states.items() if state == PUBLISHED]
            kept = {*published[-n:], _current(connection), _before(connection, states=states)}
            removed = [version for version in published if version not in kept]
            mark_removed(connection, removed)
        return removed

    def clear(self) -> None:
        """Delete the rows of versions that are not served; the caller holds the lock of publishing.

        Whoever is publishing holds that lock, so that a version that is still being built was abandoned.
        """
        with self._database.writing() as connection:
            states = _states(connection)
            mark_removed(connection, [version for version, state in states.items() if state == BUILDING])
            alive = [version for version, state in states.items() if state == PUBLISHED]
        for table in VERSIONED:
            for version in self._leftovers(table, alive=alive):
                while self._delete_some(table, version=version):
                    pass

    def _leftovers(self, table: Table, *, alive: Sequence[int]) -> list[int]:
        """Ids of versions that have rows but are not published, found by hops through the index."""
        newest = select(func.max(table.c.version))
        found: list[int] = []
        with self._database.writing() as connection:
            version = connection.execute(newest).scalar()
            while version is not None:
                if version not in alive:
                    found.append(version)
                version = connection.execute(newest.where(table.c.version < version)).scalar()
        return found

    def _delete_some(self, table: Table, *, version: int) -> int:
        keys = [column for column in table.primary_key if column.name != "version"]
        some = select(*keys).where(table.c.version == version).limit(_ROWS_AT_ONCE)
        with self._database.writing() as connection:
            return connection.execute(delete(table).where(table.c.version == version, tuple_(*keys).in_(some))).rowcount


def mark_removed(connection: Connection, ids: Sequence[int]) -> None:
    """Take versions out of the list of those that can be served."""
    connection.execute(update(versions).where(versions.c.id.in_(ids)).values(state=REMOVED, record=None))


def next_id(connection: Connection) -> int:
    """An id that no version ever had."""
    last: int | None = connection.execute(select(func.max(versions.c.id))).scalar()
    return (last or 0) + 1


def switch(connection: Connection, version: int, record: VersionRecord) -> bool:
    """Serve a version that was built; False if it was removed meanwhile."""
    current = _current(connection)
    built = (versions.c.id == version) & (versions.c.state == BUILDING)
    values: dict[str, Any] = {
        "state": PUBLISHED,
        "parent": current,
        "record": record.model_dump_json().encode(),
    }
    if connection.execute(update(versions).where(built).values(values)).rowcount != 1:
        return False
    if current is None:
        connection.execute(pointer.insert().values(place=0, version=version))
    else:
        connection.execute(update(pointer).values(version=version))
    return True


def _states(connection: Connection) -> dict[int, str]:
    """State by id, the oldest first."""
    rows = connection.execute(select(versions.c.id, versions.c.state).order_by(versions.c.id))
    return {row.id: row.state for row in rows}


def _current(connection: Connection) -> int | None:
    version: int | None = connection.execute(_CURRENT).scalar()
    return version


def _before(connection: Connection, *, states: dict[int, str]) -> int | None:
    """The version that is kept and was current before the current one was published."""
    version = _current(connection)
    parents = {row.id: row.parent for row in connection.execute(select(versions.c.id, versions.c.parent))}
    while version is not None and (version := parents[version]) is not None:
        if states[version] == PUBLISHED:
            break
    return version
