"""Writing a version: rows that nobody sees in short transactions, then one small transaction that shows them all."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, select
from sqlalchemy.exc import IntegrityError

from whyrec.errors import InvalidDataError, OutputWriteError
from whyrec.serving.documents import (
    Board,
    Document,
    ExplanationDocument,
    ItemPage,
    PersonalList,
    RunRecord,
    UserPage,
    VersionRecord,
)
from whyrec.serving.store.database import Database
from whyrec.serving.store.erasure import Erasures, Forgotten
from whyrec.serving.store.keys import required_key
from whyrec.serving.store.moments import now, to_number
from whyrec.serving.store.schema import (
    BUILDING,
    boards,
    explanations,
    items,
    lists,
    title_words,
    titles,
    users,
    versions,
)
from whyrec.serving.store.titles import MOST_WORDS, folded_words
from whyrec.serving.store.versions import next_id, switch

_ROWS_AT_ONCE = 1000
_BYTES_AT_ONCE = 4 * 2**20
"""Of rows and documents in one transaction, so that interactions wait for tens of milliseconds at most."""

Row = dict[str, object]


class Publication:
    """A version that is being written. Documents may come in any order and any number of calls, each key once."""

    def __init__(
        self, database: Database, erasures: Erasures, *, at: datetime, dataset: str, runs: Sequence[RunRecord]
    ):
        self._database = database
        self._forgotten = Forgotten(erasures)
        self._at, self._dataset, self._runs = at, dataset, tuple(runs)
        self._places = {method: place for place, method in enumerate(dict.fromkeys(run.method for run in runs))}
        self._waiting: dict[Table, list[tuple[Row, bool]]] = {}
        self._n_rows = self._n_bytes = self._n_unverified = 0
        self._counts: Counter[str] = Counter()
        self._user_ids: set[str] = set()
        self._windows: list[str] = []
        self.id = 0

    def begin(self, *, taken_until: int) -> None:
        """Take an id; the caller holds the lock of publishing."""
        with self._database.writing() as connection:
            self.id = next_id(connection)
            row = {"id": self.id, "state": BUILDING, "started": to_number(now()), "taken_until": taken_until}
            connection.execute(versions.insert(), row)

    def add_boards(self, documents: Iterable[Board]) -> None:
        """Add boards; the order of windows is that of adding."""
        for document in documents:
            self._windows.append(required_key(document.window, where="board, window"))
            self._add(boards, document, window=document.window)

    def add_lists(self, documents: Iterable[PersonalList]) -> None:
        """Add users' lists, one at most by user and method. Those of erased users are left out."""
        for document in documents:
            user_id = required_key(document.user_id, where="list, user_id")
            self._add(lists, document, user_id=user_id, **self._by(document.method))

    def add_explanations(self, documents: Iterable[ExplanationDocument]) -> None:
        """Add explanations, one at most by item, user and method. Those for erased users are left out."""
        for document in documents:
            user_id = document.user_id
            key = {
                "user_id": "" if user_id is None else required_key(user_id, where="explanation, user_id"),
                "item_id": required_key(document.item_id, where="explanation, item_id"),
            }
            self._add(explanations, document, **key, **self._by(document.method))

    def add_items(self, documents: Iterable[ItemPage]) -> None:
        """Add items and their titles to search."""
        for document in documents:
            item_id = required_key(document.item_id, where="item, item_id")
            self._add(items, document, item_id=item_id)
            self._add_title(item_id, document)

    def add_users(self, documents: Iterable[UserPage]) -> None:
        """Add users' pages. Those of erased users are left out."""
        for document in documents:
            self._add(users, document, user_id=required_key(document.user_id, where="user, user_id"))

    def finish(self, tell: Callable[[Connection], object]) -> VersionRecord:
        """Show the version to everybody.

        Args:
            tell: Is told in the same transaction.

        Raises:
            OutputWriteError: If it was removed meanwhile, by somebody who took it for abandoned.
        """
        self._flush()
        record = self._record()
        with self._database.writing() as connection:
            if not switch(connection, self.id, record):
                raise self._gone()
            tell(connection)
        return record

    def _by(self, method: str) -> Row:
        place = self._places.setdefault(required_key(method, where="method"), len(self._places))
        return {"place": place, "method": method}

    def _add_title(self, item_id: str, document: ItemPage) -> None:
        words = folded_words(document.title)[:MOST_WORDS]
        title = document.title.replace("\0", " ")
        row: Row = {"title": title, "folded": " ".join(words), "users": document.total_users}
        self._wait(titles, {"item_id": item_id, **row})
        for word in dict.fromkeys(words):
            self._wait(title_words, {"item_id": item_id, "word": word})

    def _add(self, table: Table, document: Document, **key: object) -> None:
        stored = document.model_dump_json().encode()
        self._n_bytes += len(stored)
        is_unverified = isinstance(document, ExplanationDocument) and not document.verified
        self._wait(table, {**key, "document": stored}, is_unverified=is_unverified)
        if self._n_rows >= _ROWS_AT_ONCE or self._n_bytes >= _BYTES_AT_ONCE:
            self._flush()

    def _wait(self, table: Table, row: Row, *, is_unverified: bool = False) -> None:
        self._waiting.setdefault(table, []).append(({"version": self.id, **row}, is_unverified))
        self._n_rows += 1

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self._n_rows = self._n_bytes = 0
        with self._database.writing() as connection:
            self._require_building(connection)
            self._forgotten.refresh(connection)
            for table, rows in waiting.items():
                kept = [row for row in rows if row[0].get("user_id", "") not in self._forgotten]
                self._insert(connection, table, [row for row, _ in kept])
                self._count(table, kept)

    def _insert(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        try:
            if rows:
                connection.execute(table.insert(), rows)
        except IntegrityError as error:
            keys = ", ".join(column.name for column in table.primary_key if column.name != "version")
            raise InvalidDataError(
                f"version {self.id}, {table.name}: expected every {keys} once, got one twice. Add each document once."
            ) from error

    def _count(self, table: Table, rows: Sequence[tuple[Row, bool]]) -> None:
        self._counts[table.name] += len(rows)
        self._n_unverified += sum(is_unverified for _, is_unverified in rows)
        if table in (lists, users):
            self._user_ids.update(str(row["user_id"]) for row, _ in rows)

    def _require_building(self, connection: Connection) -> None:
        state = connection.execute(select(versions.c.state).where(versions.c.id == self.id)).scalar()
        if state != BUILDING:
            raise self._gone()

    def _gone(self) -> OutputWriteError:
        return OutputWriteError(
            f"{self._database.name}: could not be written (version {self.id} was removed while it was built). "
            "What was served before still is; publish again."
        )

    def _record(self) -> VersionRecord:
        return VersionRecord(
            id=self.id,
            created=now(),
            dataset=self._dataset,
            at=self._at,
            runs=self._runs,
            windows=tuple(self._windows),
            n_users=len(self._user_ids),
            n_items=self._counts[items.name],
            n_explanations=self._counts[explanations.name],
            n_unverified=self._n_unverified,
        )
