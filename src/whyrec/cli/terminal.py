"""The terminal that stdout may be."""

import sys

from rich.console import Console

_WIDEST = 100
"""Lines longer than this are hard to read, however wide the window."""


def stdout_console() -> Console:
    """Stdout for people: 100 columns, fewer in a narrower terminal; colours only where they are wanted."""
    console = Console(file=sys.stdout, highlight=False, markup=False)
    console.width = min(console.width, _WIDEST) if console.is_terminal else _WIDEST
    return console
