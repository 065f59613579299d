"""All-or-nothing output: a file or directory appears complete under its name, or not at all.

A kill at any moment leaves at most a hidden ``.NAME.PID.partial`` sibling, which no reader ever opens and the
next write of the same name removes.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whyrec.errors import OutputExistsError, OutputWriteError


def _partial_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """Remove partial siblings whose writer has died; a live writer's are left alone."""
    for sibling in path.parent.glob(f".{path.name}.*.partial"):
        pid = sibling.name.split(".")[-2]
        if pid.isdigit() and not _is_running(int(pid)):
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
        try:
            yield partial
            _fsync(partial)
            partial.replace(path)
            _fsync(path.parent)
        finally:
            partial.unlink(missing_ok=True)
