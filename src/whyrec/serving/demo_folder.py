"""The directory that a demo writes, and its replacement by the next demo: complete or not at all."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whyrec.errors import OutputExistsError
from whyrec.runtime.atomic import atomic_directory

REPORT, FORECAST, EXPLANATIONS, EVALUATION = "report.html", "forecast.parquet", "explanations.jsonl", "evaluation.json"
PERSONAL = "personal.jsonl"
MARKER = "demo.json"
"""Says that a directory was written by a demo, so that the next one may replace it."""
RUNS, STORE = "runs", "store.sqlite"
"""What a demo that is served adds: fitted runs, and what they say."""
_OF_STORE = {f"{STORE}{ending}" for ending in ("", "-wal", "-shm", ".publishing")}
_FILES = {REPORT, FORECAST, EXPLANATIONS, EVALUATION, PERSONAL, MARKER, RUNS, *_OF_STORE}
_WRITTEN_BY = {"written_by": "whyrec demo", "format_version": 1}


def require_replaceable(directory: Path) -> None:
    """Refuse a place that holds anything but what a demo wrote.

    Raises:
        OutputExistsError: If ``directory`` is a file, or a directory with anything else in it.
    """
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    if not _is_marked(directory):
        raise OutputExistsError(
            f"{directory}: expected a new directory or one that a demo wrote, found something else. "
            "Choose another --out."
        )
    added = sorted({path.name for path in directory.iterdir()} - _FILES)
    if added:
        raise OutputExistsError(
            f"{directory}: expected nothing but what the last demo wrote, found {added[0]!r} beside it. "
            "Move that away, or choose another --out."
        )


@contextmanager
def replacing(directory: Path) -> Iterator[Path]:
    """Yield a hidden directory to fill; it takes the place of ``directory`` when the block ends without an error.

    Raises:
        OutputExistsError: If ``directory`` holds anything but what a demo wrote.
        OutputWriteError: If anything cannot be written; what was there before still is.
    """
    require_replaceable(directory)
    if not _is_marked(directory):
        with atomic_directory(directory) as partial:
            yield partial
            _mark(partial)
        return
    staged = directory.with_name(f".{directory.name}.next")
    shutil.rmtree(staged, ignore_errors=True)
    with atomic_directory(staged) as partial:
        yield partial
        _mark(partial)
    # No file system call of Python's swaps two directories, so the name is free for an instant between these two.
    previous = directory.with_name(f".{directory.name}.{os.getpid()}.partial")
    directory.rename(previous)
    staged.rename(directory)
    shutil.rmtree(previous, ignore_errors=True)


def is_complete(directory: Path) -> bool:
    """Whether a demo was written there, to the end."""
    return directory.is_dir() and _is_marked(directory)


def _is_marked(directory: Path) -> bool:
    marker = directory / MARKER
    try:
        return marker.is_file() and json.loads(marker.read_text(encoding="utf-8")) == _WRITTEN_BY
    except ValueError:
        return False


def _mark(directory: Path) -> None:
    (directory / MARKER).write_text(json.dumps(_WRITTEN_BY) + "\n", encoding="utf-8")
