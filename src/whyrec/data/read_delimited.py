"""Delimited text: CSV, TSV, and the ``::`` of MovieLens, with or without a header line.

A parallel reader does the work; where it stumbles (a row with too many fields), a slow one that can name the row takes
over from the same row on.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from whyrec.data.raw_rows import BATCH_ROWS, PROBLEM, ROW, open_bytes, require_utf8
from whyrec.errors import InvalidDataError

# Rare in ordinary text first: "::" or a tab in a header line is hardly ever anything but the delimiter.
_DELIMITERS = ("::", "\t", ";", ",", "|")
_FIRST_LINE_BYTES = 1 << 16

Batches = Callable[[Sequence[str]], Iterator[pl.DataFrame]]


def open_delimited(
    path: Path, *, delimiter: str | None, columns: Sequence[str] | None
) -> tuple[tuple[str, ...], Batches]:
    """Find the delimiter and the columns of a text file.

    Returns:
        The column names, and a function that reads some of them in batches.

    Raises:
        InvalidDataError: If the delimiter does not fit, the header is missing or repeats a name, or text is not UTF-8.
    """
    line = _first_line(path)
    delimiter = _sniffed(line, columns=columns) if delimiter is None else delimiter
    cells = _cells(line, delimiter)
    if len(cells) == 1:
        raise _wrong_delimiter(path, line, delimiter)
    names = tuple(columns) if columns is not None else tuple(cells)
    _require_names(path, names, line=line, has_header=columns is None)
    if columns is not None and len(columns) != len(cells):
        raise InvalidDataError(
            f"{path.name} row 1: expected {len(columns)} fields ({', '.join(columns)}), got {len(cells)} in {line!r}. "
            "Correct --columns or --delimiter."
        )
    reader = _split_batches if len(delimiter) > 1 else _csv_batches

    def batches(wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        return reader(path, names, wanted=wanted, delimiter=delimiter, has_header=columns is None)

    return names, batches


def _first_line(path: Path) -> str:
    try:
        with open_bytes(path) as file:
            raw = file.readline(_FIRST_LINE_BYTES)
    except (gzip.BadGzipFile, EOFError) as error:
        raise InvalidDataError(f"{path.name}: expected a gzip file, got {error}. Copy or compress it again.") from error
    try:
        line = raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        require_utf8(path)
        raise
    if not line.strip():
        raise InvalidDataError(f"{path.name}: expected a first line with column names or values, got a blank one.")
    return line


def _cells(line: str, delimiter: str) -> list[str]:
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [""])


def _sniffed(line: str, *, columns: Sequence[str] | None) -> str:
    counts = {delimiter: len(_cells(line, delimiter)) for delimiter in _DELIMITERS}
    if columns is not None:
        fitting = [delimiter for delimiter in _DELIMITERS if counts[delimiter] == len(columns)]
        if fitting:
            return fitting[0]
    for rare in ("::", "\t"):
        if counts[rare] > 1:
            return rare
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _wrong_delimiter(path: Path, line: str, delimiter: str) -> InvalidDataError:
    better = _sniffed(line, columns=None)
    n_fields = len(_cells(line, better))
    advice = (
        f"Its first line would give {n_fields} columns with --delimiter {better!r}."
        if n_fields > 1
        else "No usual delimiter fits: name it with --delimiter."
    )
    return InvalidDataError(
        f"{path.name}: expected several columns separated by {delimiter!r}, got one: {line[:80]!r}. {advice}"
    )


def _require_names(path: Path, names: Sequence[str], *, line: str, has_header: bool) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidDataError(f"{path.name}: expected distinct column names, got {repeated[0]!r} more than once.")
    if has_header and any(_is_number(name) for name in names):
        raise InvalidDataError(
            f"{path.name}: expected a header line with column names, got values: {line[:80]!r}. "
            "Name the columns in order with --columns, such as --columns user_id,item_id,rating,timestamp."
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv_batches(
    path: Path, names: Sequence[str], *, wanted: Sequence[str], delimiter: str, has_header: bool
) -> Iterator[pl.DataFrame]:
    frame = pl.scan_csv(
        path,
        separator=delimiter,
        has_header=has_header,
        schema=dict.fromkeys(names, pl.String()),
        row_index_name=ROW,
        row_index_offset=1,
        glob=False,
    )
    # A quoted nothing is a nothing: some writers put quotation marks around every field.
    fields = [pl.when(pl.col(name) != "").then(pl.col(name)) for name in wanted]
    frame = frame.select(pl.col(ROW).cast(pl.UInt64), *fields, pl.lit(None, dtype=pl.String).alias(PROBLEM))
    done = 0
    try:
        for batch in frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            yield batch
            done += batch.height
    except pl.exceptions.PolarsError:
        require_utf8(path)
        yield from _careful_csv_batches(
            path, names, wanted=wanted, delimiter=delimiter, has_header=has_header, n_done=done
        )


def _careful_csv_batches(
    path: Path, names: Sequence[str], *, wanted: Sequence[str], delimiter: str, has_header: bool, n_done: int
) -> Iterator[pl.DataFrame]:
    with io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", newline="") as file:
        rows = islice(csv.reader(file, delimiter=delimiter), n_done + int(has_header), None)
        number = n_done + 1
        try:
            while chunk := list(islice(rows, BATCH_ROWS)):
                yield _framed(chunk, names, wanted=wanted, first=number)
                number += len(chunk)
        except csv.Error as error:
            raise InvalidDataError(
                f"{path.name} after row {number - 1}: expected delimited text, got what does not parse ({error}). "
                "A quotation mark may be left open."
            ) from error


def _framed(rows: list[list[str]], names: Sequence[str], *, wanted: Sequence[str], first: int) -> pl.DataFrame:
    n = len(names)
    problems = [
        f"{n} fields, got {len(cells)}: {','.join(cells)[:120]!r}" if cells and len(cells) > n else None
        for cells in rows
    ]
    data = {
        name: [cells[at] or None if at < len(cells) else None for cells in rows]
        for at, name in enumerate(names)
        if name in wanted
    }
    frame = pl.DataFrame(data, schema=dict.fromkeys(data, pl.String()))
    return frame.select(
        pl.int_range(first, first + len(rows), dtype=pl.UInt64).alias(ROW),
        *wanted,
        pl.Series(PROBLEM, problems, dtype=pl.String),
    )


def _split_batches(
    path: Path, names: Sequence[str], *, wanted: Sequence[str], delimiter: str, has_header: bool
) -> Iterator[pl.DataFrame]:
    n = len(names)
    lines = pl.scan_lines(path, name="line", glob=False).slice(int(has_header)).with_row_index(ROW, offset=1)
    parts = pl.col("line").str.split(delimiter)
    n_parts = parts.list.len()
    fields = [parts.list.get(names.index(name), null_on_oob=True).replace("", None).alias(name) for name in wanted]
    wrong = pl.format(f"{n} fields, got {{}}: '{{}}'", n_parts, pl.col("line").str.slice(0, 120))
    is_wrong = (n_parts != n) & (pl.col("line").str.strip_chars() != "")
    frame = lines.select(
        pl.col(ROW).cast(pl.UInt64),
        *fields,
        pl.when(is_wrong).then(wrong).otherwise(pl.lit(None, dtype=pl.String)).alias(PROBLEM),
    )
    try:
        yield from frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)
    except pl.exceptions.PolarsError as error:
        require_utf8(path)
        raise InvalidDataError(f"{path.name}: expected text lines, got {error}.") from error
