"""Open a table whatever format it is in: delimited text, JSON Lines or Parquet, as batches of bounded size.

Readers neither judge nor convert values: text stays text. They number the rows, and say of a row that it does not
parse (too many fields, broken JSON) in the column ``PROBLEM`` instead of losing it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from whyrec.data import read_delimited, read_json
from whyrec.data.raw_rows import BATCH_ROWS, PROBLEM, ROW
from whyrec.errors import InvalidConfigError, InvalidDataError

Format = Literal["auto", "csv", "jsonl", "parquet"]
_FORMAT_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".dat": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A file that can be read in batches, as often as wanted."""

    path: Path
    columns: tuple[str, ...]
    batches: Callable[[Sequence[str]], Iterator[pl.DataFrame]]
    """Yields the asked columns with ``ROW`` (1-based, header not counted) and ``PROBLEM`` (null, or what is wrong)."""
    n_rows: int | None = None
    """Known beforehand for Parquet only."""

    @property
    def name(self) -> str:
        """The file's name, as messages call it."""
        return self.path.name

    def read(self) -> pl.DataFrame:
        """Read the whole table into memory; for catalogues, not for logs.

        Raises:
            InvalidDataError: If there is not one row.
        """
        batches = [batch for batch in self.batches(self.columns) if batch.height]
        if not batches:
            raise InvalidDataError(f"{self.name}: expected at least one row, got a header alone.")
        return pl.concat(batches, how="diagonal_relaxed")


def open_table(
    path: Path, *, format: Format = "auto", delimiter: str | None = None, columns: Sequence[str] | None = None
) -> Table:
    r"""Open a file and find its columns.

    Args:
        path: The file; ``.gz`` is read through for text formats.
        format: ``auto`` goes by the suffix.
        delimiter: Of delimited text, such as ``,`` or ``\t`` or ``::``; None sniffs it from the first line.
        columns: Names for a text file without a header line; None reads them from the first line.

    Raises:
        InvalidDataError: If the file is missing, empty, truncated, not UTF-8, or separated by another delimiter.
        InvalidConfigError: If the format cannot be told from the suffix.
    """
    if not path.is_file():
        raise InvalidDataError(f"{path}: expected a file, found {'a directory' if path.is_dir() else 'nothing'}.")
    if path.stat().st_size == 0:
        raise InvalidDataError(f"{path.name}: expected rows, got an empty file (0 bytes).")
    kind = _format_of(path) if format == "auto" else format
    if kind == "parquet":
        return _open_parquet(path)
    if kind == "jsonl":
        names, batches = read_json.open_json_lines(path)
    else:
        names, batches = read_delimited.open_delimited(path, delimiter=delimiter, columns=columns)
    return Table(path, names, batches)


def _format_of(path: Path) -> Format:
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    suffix = suffixes[-1].lower() if suffixes else ""
    if suffix not in _FORMAT_BY_SUFFIX:
        raise InvalidConfigError(
            f"{path.name}: expected a suffix among {', '.join(_FORMAT_BY_SUFFIX)}, got {suffix!r}. "
            "Say which with --format csv, jsonl or parquet."
        )
    return _FORMAT_BY_SUFFIX[suffix]


def _open_parquet(path: Path) -> Table:
    try:
        frame = pl.scan_parquet(path, glob=False)
        columns = tuple(frame.collect_schema().names())
        n_rows = frame.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise _broken_parquet(path, error) from error

    def batches(wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        numbered = frame.select(*wanted).with_row_index(ROW, offset=1)
        complete = numbered.with_columns(pl.col(ROW).cast(pl.UInt64), pl.lit(None, dtype=pl.String).alias(PROBLEM))
        try:
            yield from complete.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)
        except pl.exceptions.PolarsError as error:
            raise _broken_parquet(path, error) from error

    return Table(path, columns, batches, n_rows=n_rows)


def _broken_parquet(path: Path, error: Exception) -> InvalidDataError:
    return InvalidDataError(
        f"{path.name}: expected a complete Parquet file, got one that does not parse ({str(error).splitlines()[0]}). "
        "It may be truncated: copy or export it again."
    )
