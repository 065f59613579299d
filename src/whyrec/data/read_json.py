"""JSON Lines: one object per line, plain or gzip-compressed."""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from whyrec.data.raw_rows import PROBLEM, ROW, open_bytes, require_utf8
from whyrec.errors import InvalidDataError

_CHUNK_BYTES = 16 << 20

Batches = Callable[[Sequence[str]], Iterator[pl.DataFrame]]


def open_json_lines(path: Path) -> tuple[tuple[str, ...], Batches]:
    """Find the keys of a JSON Lines file from its first megabytes.

    Returns:
        The keys, and a function that reads some of them in batches.

    Raises:
        InvalidDataError: If the file is no JSON Lines, or not UTF-8.
    """
    first = next(_chunks(path), [])
    if first and first[0].lstrip().startswith(b"["):
        raise InvalidDataError(
            f"{path.name}: expected one JSON object per line, got a JSON array. Convert it with: jq -c '.[]'."
        )
    columns = tuple(name for name in _parsed(first, first_line=1).columns if name not in (ROW, PROBLEM))
    if not columns:
        raise InvalidDataError(
            f"{path.name} line 1: expected a JSON object, got {first[0][:80].decode(errors='replace').strip()!r}."
        )

    def batches(wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        line = 1
        for lines in _chunks(path):
            frame = _parsed(lines, first_line=line)
            line += len(lines)
            missing = [pl.lit(None).alias(name) for name in wanted if name not in frame.columns]
            yield frame.with_columns(missing).select(ROW, *wanted, PROBLEM)

    return columns, batches


def _chunks(path: Path) -> Iterator[list[bytes]]:
    try:
        with open_bytes(path) as file:
            while lines := file.readlines(_CHUNK_BYTES):
                yield lines
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidDataError(
            f"{path.name}: expected a complete gzip file, got an error ({error}). Copy or compress it again."
        ) from error
    except UnicodeDecodeError:
        require_utf8(path)
        raise


def _parsed(lines: list[bytes], *, first_line: int) -> pl.DataFrame:
    """Parse lines into a frame with their numbers; blank lines are left out, broken ones carry a problem."""
    numbers = [first_line + at for at, line in enumerate(lines) if line.strip()]
    filled = [line for line in lines if line.strip()]
    try:
        frame = pl.read_ndjson(io.BytesIO(b"".join(filled)), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        frame = None
    if frame is None or frame.height != len(filled):
        return _parsed_one_by_one(filled, numbers)
    return frame.with_columns(
        pl.Series(ROW, numbers, dtype=pl.UInt64), pl.Series(PROBLEM, [None] * len(filled), dtype=pl.String)
    )


def _parsed_one_by_one(lines: list[bytes], numbers: list[int]) -> pl.DataFrame:
    objects: list[dict[str, object]] = []
    problems: list[str | None] = []
    for line in lines:
        value, problem = _object_of(line)
        objects.append({key: _plain(part) for key, part in value.items()})
        problems.append(problem)
    keys = list(dict.fromkeys(key for value in objects for key in value))
    series = [pl.Series(key, [value.get(key) for value in objects], strict=False) for key in keys]
    return pl.DataFrame(
        [*series, pl.Series(ROW, numbers, dtype=pl.UInt64), pl.Series(PROBLEM, problems, dtype=pl.String)]
    )


def _object_of(line: bytes) -> tuple[dict[str, object], str | None]:
    shown = line[:120].decode(errors="replace").strip()
    try:
        value = json.loads(line)
    except UnicodeDecodeError as error:
        return {}, f"UTF-8 text, got byte 0x{line[error.start]:02x} in {shown!r}"
    except json.JSONDecodeError as error:
        return {}, f"one JSON object, got {shown!r} ({error.msg} at character {error.colno})"
    if not isinstance(value, dict):
        return {}, f"one JSON object, got {shown!r}"
    return value, None


def _plain(value: object) -> object:
    """Numbers as text, so that a key may hold numbers on one line and text on the next; lists stay lists."""
    if isinstance(value, list):
        return [str(part) for part in value]
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
