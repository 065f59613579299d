"""One kept answer: its table, its digest, its line in an export, and what can be wrong with it.

Pure functions of values; what reads and writes them is ``cache.py``.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from operator import attrgetter

from whyrec.errors import InvalidDataError
from whyrec.llm.base import Answer, Request, key_of


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the cache: what was asked and what came back, for good.

    The long texts stand last: SQLite then reads the numbers of a row without reading through its texts.
    """

    key: str
    """Hash of ``request``."""
    created_at: str
    """UTC, ISO 8601."""
    finish: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    attempts: int
    cost: float | None
    """None where nobody gave a price."""
    failure: str | None
    """Why the answer does not obey its schema."""
    note: str
    digest: str
    """Hash of all columns but ``request``, which ``key`` is the hash of."""
    text: str
    request: str
    """Canonical JSON."""

    @classmethod
    def of(cls, request: Request, answer: Answer, *, failure: str | None, cost: float | None) -> "Record":
        """Make the row of an answer that has just come."""
        canonical = request.canonical()
        unsealed = cls(
            key=key_of(canonical),
            created_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            finish=answer.finish,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            seconds=float(answer.seconds),
            attempts=answer.attempts,
            cost=None if cost is None else float(cost),
            failure=failure,
            note=answer.note,
            digest="",
            text=answer.text,
            request=canonical,
        )
        return replace(unsealed, digest=_digest_of(unsealed))

    @classmethod
    def read(cls, row: Sequence[object]) -> "Record":
        """Take a row whose columns stand in the order of ``COLUMNS``."""
        return cls(*row)  # type: ignore[arg-type]  # ``problems`` checks the values

    def row(self) -> tuple[object, ...]:
        """The values in the order of ``COLUMNS``; texts as UTF-8 that lets halves of surrogate pairs pass."""
        return tuple(
            value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value for value in _values(self)
        )

    def json_line(self) -> str:
        """The record as one line of JSON; its request is an object there, not a text.

        Raises:
            InvalidDataError: If the request is no JSON any more.
        """
        try:
            request = json.loads(self.request)
        except ValueError as error:
            raise InvalidDataError(
                f"{self.key}: expected the request as JSON, got {error}. Run: whyrec cache verify."
            ) from error
        content = {name: getattr(self, name) for name in COLUMNS} | {"request": request}
        line = json.dumps(content, ensure_ascii=False)
        # Half a surrogate pair, which a model may well write, is no UTF-8: such a line is escaped.
        return line if _is_utf8(line) else json.dumps(content)

    def problems(self) -> list[str]:
        """What is not as it was when the answer came."""
        if not all(isinstance(getattr(self, name), str | None) for name in _TEXTS):
            return ["a text is stored as something else"]
        found = []
        if key_of(self.request) != self.key:
            found.append("the key is not the hash of the request")
        if _digest_of(self) != self.digest:
            found.append("the digest is not the hash of the answer")
        return found


_TYPES = {
    "key": "TEXT NOT NULL UNIQUE",
    "created_at": "TEXT NOT NULL",
    "finish": "TEXT NOT NULL",
    "prompt_tokens": "INTEGER NOT NULL",
    "completion_tokens": "INTEGER NOT NULL",
    "seconds": "REAL NOT NULL",
    "attempts": "INTEGER NOT NULL",
    "cost": "REAL",
    "failure": "TEXT",
    "note": "TEXT NOT NULL",
    "digest": "TEXT NOT NULL",
    "text": "TEXT NOT NULL",
    "request": "TEXT NOT NULL",
}
COLUMNS = tuple(field.name for field in fields(Record))
MODEL = ", ".join(f"json_extract(request, '$.{name}')" for name in ("backend", "model", "revision", "adapter"))
"""SQL: the model that answered, from the request, which is the only place that says so."""
SCHEMA = (
    f"CREATE TABLE completions (id INTEGER PRIMARY KEY, {', '.join(f'{name} {_TYPES[name]}' for name in COLUMNS)})",
    f"CREATE INDEX by_model ON completions ({MODEL})",
    "CREATE TRIGGER no_update BEFORE UPDATE ON completions BEGIN SELECT RAISE(ABORT, 'answers are never changed'); END",
    "CREATE TRIGGER no_delete BEFORE DELETE ON completions BEGIN SELECT RAISE(ABORT, 'answers are never removed'); END",
    # INSERT OR REPLACE would remove a row without asking the trigger above.
    "CREATE TRIGGER first_stays BEFORE INSERT ON completions "
    "WHEN EXISTS (SELECT 1 FROM completions WHERE key = NEW.key) BEGIN SELECT RAISE(IGNORE); END",
)
"""The statements that make an empty SQLite file a completion cache."""

_TEXTS = frozenset(name for name in COLUMNS if _TYPES[name].startswith("TEXT"))
# A cast of bytes lets halves of surrogate pairs in, which the sqlite3 module refuses in a str.
_places = ", ".join("CAST(? AS TEXT)" if name in _TEXTS else "?" for name in COLUMNS)
INSERT = f"INSERT INTO completions ({', '.join(COLUMNS)}) VALUES ({_places}) ON CONFLICT (key) DO NOTHING"
"""SQL for the values of ``Record.row``; a key that is there already keeps its row."""
_SEALED = tuple(name for name in COLUMNS if name not in ("digest", "request"))
_values = attrgetter(*COLUMNS)
_sealed = attrgetter(*_SEALED)


def _digest_of(record: Record) -> str:
    text = json.dumps(_sealed(record), ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
