"""The completion cache: every answer of a language model, kept for good in one SQLite file. None is paid for twice.

An answer is keyed by a hash of everything that affects it. The first one to come under a key stays: rows are never
changed or removed, by an upgrade neither. It is on disk before anybody sees it: what was kept outlives a kill of the
process and, as far as the disk keeps its word, a loss of power. Several processes may work on one file. What it is
not: a queue. Two processes that ask the same thing in the same moment both pay; the first answer is kept, and both
are given it.

It holds prompts and answers as they are, and no key or password, because no request holds one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import platformdirs

from whyrec.llm.base import Answer, ModelIdentity, Request
from whyrec.llm.cache_check import Verification, verify
from whyrec.llm.records import COLUMNS, INSERT, MODEL, SCHEMA, Record
from whyrec.llm.sqlite_file import LOCK_TIMEOUT_S, FileFormat, Row, SqliteFile
from whyrec.runtime.atomic import atomic_file, require_absent
from whyrec.runtime.progress import progress_bar

_KEYS_PER_QUERY = 500
_RECORDS_PER_QUERY = 500
_RECENT = 1000

_FORMAT = FileFormat(
    name="completion cache",
    application_id=0x77687943,  # "whyC"
    version=1,
    schema=SCHEMA,
    synchronous="FULL",
    choose_another="choose another --cache",
)

_ANSWER = ("text", "finish", "prompt_tokens", "completion_tokens", "seconds", "attempts", "note")
_FIND = f"SELECT key, {', '.join(_ANSWER)} FROM completions WHERE key IN "
_READ = f"SELECT id, {', '.join(COLUMNS)} FROM completions WHERE id > ? ORDER BY id LIMIT {_RECORDS_PER_QUERY}"
_RATES = f"""
SELECT avg(completion_tokens), avg(seconds) FROM (
  SELECT completion_tokens, seconds FROM completions WHERE ({MODEL}) IS (?, ?, ?, ?) ORDER BY id DESC LIMIT {_RECENT}
)
"""
_STATISTICS = f"""
SELECT {MODEL}, count(*), count(failure), sum(attempts > 1), sum(prompt_tokens), sum(completion_tokens),
  sum(cost), count(*) - count(cost), min(created_at), max(created_at)
FROM completions GROUP BY {MODEL} ORDER BY {MODEL}
"""


@dataclass(frozen=True, slots=True)
class ModelRates:
    """How a model did in its most recent answers."""

    completion_tokens: float
    """Mean length of an answer, in tokens."""
    seconds: float
    """Mean time spent on an answer. Where a server answers several prompts at a time, a whole run is faster."""


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """What the cache holds of one model."""

    backend: str
    model: str
    revision: str
    adapter: str | None
    answers: int
    failed: int
    """Answers that do not obey their schema."""
    retried: int
    """Answers that took more than one attempt."""
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """Of the answers whose price was known; None if it was of none."""
    unpriced: int
    """Answers without a price."""
    first: datetime
    last: datetime


class CompletionCache:
    """Keeps answers by the hash of their request; see ``open_cache``."""

    def __init__(self, file: SqliteFile) -> None:
        """Work on an open file."""
        self._file = file

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def __enter__(self) -> "CompletionCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def find(self, keys: Sequence[str]) -> Mapping[str, Answer]:
        """The answers that are kept, by key.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If the file cannot be reached.
        """
        found: dict[str, Answer] = {}
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            some = keys[start : start + _KEYS_PER_QUERY]
            places = ", ".join("?" * len(some))
            found.update((key, Answer(*rest)) for key, *rest in self._file.rows(f"{_FIND}({places})", some))
        return found

    def keep(self, request: Request, answer: Answer, *, failure: str | None, cost: float | None) -> Answer:
        """Keep an answer for good and return what is kept now: the first answer, if another process was faster.

        Raises:
            InvalidDataError: If the file is damaged or the answer holds numbers that are none.
            OutputWriteError: If it cannot be written; what was kept before still is.
        """
        record = Record.of(request, answer, failure=failure, cost=cost)
        self._file.write(INSERT, record.row())
        return self.find([record.key])[record.key]

    def rates(self, identity: ModelIdentity) -> ModelRates | None:
        """How this model did in its last 1,000 answers, or None if there are none.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If the file cannot be reached.
        """
        model = (identity.backend, identity.model, identity.revision, identity.adapter)
        tokens, seconds = self._file.rows(_RATES, model)[0]
        return None if tokens is None else ModelRates(tokens, seconds)

    def statistics(self) -> list[ModelStatistics]:
        """What is kept of each model.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If the file cannot be reached.
        """
        return [_statistics(row) for row in self._file.rows(_STATISTICS)]

    def size_bytes(self) -> int:
        """Bytes on disk."""
        return self._file.size_bytes()

    def count(self) -> int:
        """How many answers are kept.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If the file cannot be reached.
        """
        return int(self._file.rows("SELECT count(*) FROM completions")[0][0])

    def records(self) -> Iterator[Record]:
        """Every kept answer, the oldest first, read a few at a time; writers need not wait.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If the file cannot be reached.
        """
        return (record for _, record in self._numbered())

    def export(self, path: Path) -> int:
        """Write every answer to a new file, one JSON object per line, the oldest first.

        Returns:
            How many were written.

        Raises:
            OutputExistsError: If ``path`` holds something already.
            OutputWriteError: If it cannot be written; nothing is left behind.
            InvalidDataError: If the cache is damaged.
        """
        require_absent(path)
        written = 0
        with (
            progress_bar("exporting answers", total=self.count()) as step,
            atomic_file(path) as partial,
            partial.open("w", encoding="utf-8") as lines,
        ):
            for record in self.records():
                lines.write(f"{record.json_line()}\n")
                written += 1
                step.advance()
        return written

    def verify(self) -> Verification:
        """Check the whole file: SQLite's own check, every key against its request, every digest, gaps between answers.

        Raises:
            OutputWriteError: If the file cannot be reached.
        """
        return verify(self._file, self._numbered())

    def _numbered(self) -> Iterator[tuple[int, Record]]:
        last = 0
        while rows := self._file.rows(_READ, (last,)):
            for number, *values in rows:
                yield number, Record.read(values)
            last = rows[-1][0]


def default_cache_path() -> Path:
    """Where answers are kept unless told otherwise: with the user's data, because they were paid for."""
    return platformdirs.user_data_path("whyrec") / "completions.sqlite"


def open_cache(path: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> CompletionCache:
    """Open a cache to keep answers in; it is created, with its parent directories, if absent.

    Args:
        path: The file.
        lock_timeout_s: How long to wait for another process that writes.

    Raises:
        InvalidDataError: If the file is something else, damaged, or written by a newer whyrec.
        OutputWriteError: If it cannot be created or written to.
    """
    return CompletionCache(SqliteFile(path, _FORMAT, lock_timeout_s=lock_timeout_s))


def read_cache(path: Path) -> CompletionCache:
    """Open a cache that exists, to look at it.

    Raises:
        InvalidDataError: If the file is absent, something else, damaged, or written by a newer whyrec.
        OutputWriteError: If it cannot be opened.
    """
    return CompletionCache(SqliteFile(path, _FORMAT, create=False))


def _statistics(row: Row) -> ModelStatistics:
    *values, first, last = row
    times: list[Any] = [datetime.fromisoformat(first), datetime.fromisoformat(last)]
    return ModelStatistics(*values, *times)
