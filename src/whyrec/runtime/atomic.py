"""All-or-nothing output: a file or directory appears complete under its name, or not at all.

A kill at any moment leaves at most a hidden ``.NAME.PID.partial`` sibling, which no reader ever opens and the
next write of the same name removes.
"""

import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whyrec.errors import OutputExistsError, OutputWriteError


def _partial_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


@contextmanager
def _claimed(partial: Path) -> Iterator[None]:
    """Hold a lock on a partial file or directory while it is written; the system drops it when the writer dies."""
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_abandoned(partial: Path) -> bool:
    """True when nobody holds the lock; a process id would not tell, it may be a zombie's or somebody else's by now."""
    try:
        descriptor = os.open(partial, os.O_RDONLY)
    except FileNotFoundError:  # its writer has just finished
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """Remove partial siblings whose writer has died; a live writer's are left alone."""
    for sibling in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        if _is_abandoned(sibling):
            _remove(sibling)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_absent(path: Path) -> None:
    """Refuse an output path that holds something already.

    Raises:
        OutputExistsError: If ``path`` is a file or a non-empty directory.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise OutputExistsError(f"{path}: expected a new directory, found an existing one. Choose another --out.")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, OutputExistsError | OutputWriteError):
            raise
        reason = error.strerror or str(error)
        raise OutputWriteError(
            f"{path}: could not be written ({reason}). Nothing was changed; free space or choose another place."
        ) from error


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield a hidden directory to fill; rename it to ``path`` when the block ends without an error.

    Args:
        path: The directory to create. It must not exist, or be empty.

    Raises:
        OutputExistsError: If ``path`` holds something already.
        OutputWriteError: If anything cannot be written; nothing is left behind.
    """
    require_absent(path)
    partial = _partial_path(path)
    with _translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        _remove(partial)
        partial.mkdir()
        try:
            with _claimed(partial):
                yield partial
                for file in partial.rglob("*"):
                    if file.is_file():
                        _fsync(file)
                if path.is_dir():
                    path.rmdir()
                partial.rename(path)
            _fsync(path.parent)
        finally:
            if partial.exists():
                _remove(partial)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a hidden file path to write; move it over ``path`` when the block ends without an error.

    Raises:
        OutputWriteError: If it cannot be written; a file that stood at ``path`` before still does.
    """
    partial = _partial_path(path)
    with _translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        partial.touch()
        try:
            with _claimed(partial):
                yield partial
                _fsync(partial)
                partial.replace(path)
            _fsync(path.parent)
        finally:
            partial.unlink(missing_ok=True)
