"""Copies of a store, and the manifests beside them that learn of every later erasure.

A copy holds users who are erased afterwards. So the manifest in its directory is told of each erasure, and restoring
erases them again before anybody reads what was restored.
"""

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Connection, delete, func, select

from whyrec.errors import InvalidConfigError, InvalidDataError, OutputExistsError, OutputWriteError
from whyrec.runtime.atomic import atomic_file
from whyrec.serving.documents import Document
from whyrec.serving.store.database import SQLITE, Database
from whyrec.serving.store.failures import translated
from whyrec.serving.store.moments import now, to_moment, to_number
from whyrec.serving.store.schema import REMOVED, backups, erasures, settings, versions

MANIFEST = "manifest.json"
STORE_ID = "store_id"
FORMAT = 1
_PATHS = select(backups.c.path).order_by(backups.c.made)


class BackupEntry(Document):
    """One copy."""

    file: str
    made: datetime


class ErasureEntry(Document):
    """One erasure."""

    hash: str
    """Of the user's id, with the key that the copies hold."""
    erased: datetime


class BackupManifest(Document):
    """What lies in a directory of backups, and what restoring them has to erase."""

    format: int = FORMAT
    store: str
    """Which store they were copied from."""
    last_version: int
    """The highest id of a version so far, so that none is used twice after restoring."""
    backups: tuple[BackupEntry, ...]
    erasures: tuple[ErasureEntry, ...]


def read_manifest(path: Path) -> BackupManifest:
    """Read a manifest.

    Raises:
        InvalidDataError: If it is not there or says something else.
    """
    try:
        return BackupManifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidDataError(
            f"{path}: expected the manifest of the backups, got none that can be read ({error.strerror}). "
            "It says who was erased since: put it beside the backup."
        ) from error
    except ValidationError as error:
        raise InvalidDataError(
            f"{path}: expected a manifest of backups, got something else ({error.errors()[0]['msg']}). "
            "Take the one that whyrec wrote."
        ) from error


class Backups:
    """The copies of a store that are known to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def paths(self) -> list[Path]:
        """Where the copies lie."""
        return [Path(path) for (path,) in self._database.rows(_PATHS)]

    def make(self, path: Path) -> Path:
        """Copy a SQLite store while it is in use.

        Returns:
            The manifest beside the copy.

        Raises:
            InvalidConfigError: If the store is a PostgreSQL database.
            OutputExistsError: If ``path`` exists.
            OutputWriteError: If it cannot be written.
        """
        if self._database.dialect != SQLITE:
            raise InvalidConfigError(
                f"{self._database.name}: expected a SQLite store to copy, got PostgreSQL. Run pg_dump into a file and "
                "record it with record_backup(FILE); after pg_restore, call apply_erasures(manifest.json)."
            )
        if path.exists():
            raise OutputExistsError(f"{path}: expected a new file, found an existing one. Choose another name.")
        with atomic_file(path) as partial:
            self._database.copy_to(partial)
        return self.record(path)

    def record(self, path: Path) -> Path:
        """Remember a copy, so that its manifest learns of erasures.

        Raises:
            InvalidDataError: If the directory holds the manifest of another store.
            OutputWriteError: If the manifest cannot be written.
        """
        place = path.resolve()
        manifest = place.parent / MANIFEST
        with self._database.writing() as connection:
            self._require_ours(connection, manifest)
            connection.execute(delete(backups).where(backups.c.path == str(place)))
            connection.execute(backups.insert(), {"path": str(place), "made": to_number(now())})
            self._write(connection, place.parent)
        return manifest

    def forget(self, path: Path) -> None:
        """Do not keep the manifest of a copy any more, because the copy was destroyed."""
        with self._database.writing() as connection:
            connection.execute(delete(backups).where(backups.c.path == str(path.resolve())))

    def tell(self, connection: Connection) -> list[Path]:
        """Bring every manifest up to date, within a transaction: so that two processes do not undo each other's.

        Returns:
            Directories whose manifest could not be written.
        """
        failed = []
        for directory in sorted({Path(path).parent for path in connection.execute(select(backups.c.path)).scalars()}):
            try:
                self._write(connection, directory)
            except (OutputWriteError, InvalidDataError):
                failed.append(directory)
        return failed

    def _write(self, connection: Connection, directory: Path) -> None:
        if not directory.is_dir():  # it is not made anew: a disk that is not mounted would seem to be up to date
            raise OutputWriteError(f"{directory}: could not be written (no such directory). Mount it, and try again.")
        rows = connection.execute(select(backups).order_by(backups.c.made)).all()
        here = [row for row in rows if Path(row.path).parent == directory]
        place = directory / MANIFEST
        before = read_manifest(place) if place.exists() else None
        # A store that was restored and the one that it was copied from may both be in use: neither undoes the other's.
        gone = {entry.hash: entry.erased for entry in (before.erasures if before else ())}
        for row in connection.execute(select(erasures).order_by(erasures.c.number)):
            gone.setdefault(row.hash, to_moment(row.erased))
        last = connection.execute(select(func.max(versions.c.id))).scalar() or 0
        manifest = BackupManifest(
            store=_store_id(connection),
            last_version=max(last, before.last_version if before else 0),
            backups=tuple(BackupEntry(file=Path(row.path).name, made=to_moment(row.made)) for row in here),
            erasures=tuple(ErasureEntry(hash=found, erased=erased) for found, erased in gone.items()),
        )
        with atomic_file(place) as partial:
            partial.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")

    def _require_ours(self, connection: Connection, manifest: Path) -> None:
        if manifest.exists() and (found := read_manifest(manifest).store) != _store_id(connection):
            raise InvalidDataError(
                f"{manifest}: expected the manifest of this store, got that of store {found}. Choose another directory."
            )


def take_over(connection: Connection, manifest: BackupManifest, *, where: Path) -> None:
    """Know, in a store that was restored, what was known when the last copy was made.

    No version's id is used again, and the copies go on learning of erasures.

    Raises:
        InvalidDataError: If the manifest is another store's.
    """
    ours = _store_id(connection)
    if manifest.store != ours:
        raise InvalidDataError(
            f"{where}: expected a manifest of store {ours}, got that of {manifest.store}. Take its own."
        )
    last = connection.execute(select(func.max(versions.c.id))).scalar() or 0
    if manifest.last_version > last:
        row = {"id": manifest.last_version, "state": REMOVED, "started": to_number(now()), "taken_until": 0}
        connection.execute(versions.insert(), row)
    known = set(connection.execute(select(backups.c.path)).scalars())
    for entry in manifest.backups:
        path = str(where.resolve().parent / entry.file)
        if path not in known:
            connection.execute(backups.insert(), {"path": path, "made": to_number(entry.made)})


def copy_back(backup: Path, partial: Path) -> None:
    """Copy a backup and check that it is whole.

    Raises:
        InvalidDataError: If it cannot be read or is damaged.
    """
    try:
        shutil.copyfile(backup, partial)
    except FileNotFoundError as error:
        raise InvalidDataError(f"{backup}: expected a backup, found none. Check the path.") from error
    with translated(str(backup)), closing(sqlite3.connect(partial)) as connection:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise InvalidDataError(f"{backup}: expected a whole backup, got a damaged one ({said}). Take another.")


def _store_id(connection: Connection) -> str:
    return str(connection.execute(select(settings.c.value).where(settings.c.name == STORE_ID)).scalar())
