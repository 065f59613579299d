"""Progress bars on stderr, for anything that may take longer than two seconds."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


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


@contextmanager
def progress_bar(description: str, *, total: int | None) -> Iterator[Step]:
    """Show a bar on stderr while the block runs; silent where stderr is no terminal.

    Args:
        description: What is being done, as a short phrase.
        total: Number of units, or None where unknown.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        yield Step(progress, description, total)
