"""Tables of patterns or reasons: checked when they are made; on disk, one Parquet file that says what it is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.data import schema
from whyrec.data.parquet_files import disk_errors_as_oserror
from whyrec.errors import InvalidDataError
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import as_micros
from whyrec.methods.curec.timelines import NOBODY
from whyrec.runtime.atomic import atomic_file

FORMAT_VERSION = 1
"""Of the files; readers refuse a higher one."""
_KIND, _VERSION = "whyrec.kind", "whyrec.format_version"


def table_of(texts: Sequence[Pattern] | Sequence[Reason], columns: pl.Schema) -> pl.DataFrame:
    """Turn texts into a table, a row each.

    Args:
        texts: Patterns or reasons.
        columns: Names of their fields, with types.

    Raises:
        InvalidDataError: If a text is empty or no Unicode, or a time has no zone.
    """
    for text in texts:
        _require_words(text)
    series = []
    for name, kind in columns.items():
        values = [getattr(text, name) for text in texts]
        if kind == schema.TIMESTAMP_TYPE:
            series.append(pl.Series(name, [as_micros(moment) for moment in values], dtype=pl.Int64()).cast(kind))
        else:
            series.append(pl.Series(name, values, dtype=kind))
    return pl.DataFrame(series, schema=columns)


def require_distinct(frame: pl.DataFrame, *, key: Sequence[str], where: str) -> None:
    """Refuse a table in which a key stands twice.

    Raises:
        InvalidDataError: Naming the first.
    """
    repeated = frame.filter(pl.struct(key).is_duplicated())
    if repeated.height:
        first = ", ".join(f"{name} {value}" for name, value in zip(key, repeated.select(key).row(0), strict=True))
        raise InvalidDataError(
            f"{where}: expected each once, got two of {first}. Leave one out, or give the new one a higher version."
        )


def with_users(user_ids: pl.Series | None, found: pl.Series) -> pl.Series:
    """The numbering of users: those given, then whoever else is found, in the order in which they occur."""
    known = pl.Series(schema.USER, [], dtype=pl.String()) if user_ids is None else user_ids.rename(schema.USER)
    return pl.concat([known, found.filter(~found.is_in(known.implode())).unique(maintain_order=True)])


def rows_of(ids: Sequence[str] | pl.Series, numbering: pl.Series) -> NDArray[np.int32]:
    """The place of each id in a numbering, int32 [N]; ``NOBODY`` for one that is not in it."""
    places = pl.DataFrame({"id": numbering, "row": np.arange(len(numbering), dtype=np.int32)})
    asked = pl.DataFrame({"id": pl.Series(ids, dtype=pl.String())})
    found = asked.join(places, on="id", how="left", maintain_order="left")["row"]
    return found.fill_null(NOBODY).to_numpy()


def _require_words(text: Pattern | Reason) -> None:
    is_unicode = not any("\ud800" <= character <= "\udfff" for character in text.text)
    if not text.text.strip() or not is_unicode:
        raise InvalidDataError(f"text for user {text.user_id!r}: expected words, got {text.text[:40]!r}. Leave it out.")


def write_table(frame: pl.DataFrame, path: Path, *, kind: str) -> None:
    """Write a table, complete or not at all; what stood at ``path`` before stays until then.

    Args:
        frame: The table.
        path: The file.
        kind: What the table is, such as ``reasons``.

    Raises:
        OutputWriteError: If it cannot be written.
    """
    with atomic_file(path) as partial, disk_errors_as_oserror():
        frame.write_parquet(partial, compression="zstd", metadata={_KIND: kind, _VERSION: str(FORMAT_VERSION)})


def read_table(path: Path, *, kind: str, schema: pl.Schema) -> pl.DataFrame:
    """Read what ``write_table`` wrote.

    Args:
        path: The file.
        kind: What it must be.
        schema: Its columns.

    Raises:
        InvalidDataError: If there is no such file, or it is damaged, something else or of a newer whyrec.
    """
    try:
        said = pl.read_parquet_metadata(path)
        _require_kind(said, path=path, kind=kind)
        frame = pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidDataError(
            f"{path}: expected a file of {kind}, got one that cannot be read ({reason}). Write it again."
        ) from error
    if frame.schema != schema:
        raise InvalidDataError(
            f"{path}: expected the columns {', '.join(schema)}, got {', '.join(frame.columns)} of other names or "
            "types. Write it again."
        )
    return frame


def _require_kind(said: dict[str, str], *, path: Path, kind: str) -> None:
    if said.get(_KIND) != kind:
        found = said.get(_KIND, "a Parquet file of another origin")
        raise InvalidDataError(f"{path}: expected a file of {kind}, got {found}. Choose another file.")
    version = said.get(_VERSION, "")
    if not version.isdigit() or int(version) > FORMAT_VERSION:
        raise InvalidDataError(
            f"{path}: expected format_version at most {FORMAT_VERSION}, got {version!r}. Upgrade whyrec."
        )
