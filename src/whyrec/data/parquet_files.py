"""Write Parquet files so that a full disk reads as one, and long logs pass through in bounded memory."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

ROW_GROUP_ROWS = 1 << 19


@contextmanager
def disk_errors_as_oserror() -> Iterator[None]:
    """Raise as OSError what polars reports as a computation error though the disk is at fault."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        found = re.search(r"\(os error (\d+)\)", str(error))
        if found is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1]))) from error


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame that is in memory.

    Raises:
        OSError: If the disk is full or refuses.
    """
    with disk_errors_as_oserror():
        frame.write_parquet(path, compression="zstd")


def write_lazy(frame: pl.LazyFrame, path: Path) -> None:
    """Write a lazy frame through the streaming engine, in its order.

    Raises:
        OSError: If the disk is full or refuses.
    """
    with disk_errors_as_oserror():
        frame.sink_parquet(path, compression="zstd", row_group_size=ROW_GROUP_ROWS, maintain_order=True)


def write_frames(frames: Iterator[pl.DataFrame], path: Path, *, schema: pl.Schema) -> None:
    """Write frames one after the other into one file, holding few of them at a time.

    Raises:
        OSError: If the disk is full or refuses.
    """

    # The signature is polars': every argument comes, though this sink restricts nothing.
    def source(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        assert columns is None or columns == schema.names(), "the sink below asks for everything"
        assert predicate is None, "the sink below filters nothing"
        assert n_rows is None, "the sink below stops nowhere"
        return frames

    write_lazy(register_io_source(source, schema=schema), path)
