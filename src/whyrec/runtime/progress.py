"""Progress bars on stderr, for anything that may take longer than two seconds."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Step:
    """A running progress bar; ``advance`` it once per finished unit."""

    def __init__(self, progress: Progress, description: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total)

    def advance(self, n: int = 1) -> None:
        """Count ``n`` more units as done."""
        self._progress.advance(self._task, n)

    def describe(self, description: str) -> None:
        """Change what the bar says it is doing."""
        self._progress.update(self._task, description=description)

    def remove(self) -> None:
        """Take the bar off the display."""
        self._progress.remove_task(self._task)


_display: ContextVar[Progress | None] = ContextVar("progress display", default=None)


@contextmanager
def progress_bar(description: str, *, total: int | None) -> Iterator[Step]:
    """Show a bar on stderr while the block runs; silent where stderr is no terminal.

    A bar inside another's block is drawn below it and leaves when it is done.

    Args:
        description: What is being done, as a short phrase.
        total: Number of units, or None where unknown.
    """
    outer = _display.get()
    if outer is not None:
        step = Step(outer, description, total)
        try:
            yield step
        finally:
            step.remove()
        return
    with Progress(
        *_columns(), console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as display:
        token = _display.set(display)
        try:
            yield Step(display, description, total)
        finally:
            _display.reset(token)


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
