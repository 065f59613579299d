"""What commands print, and where: data on stdout, talk on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import typer
from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 10_000

JSON_OPTION = typer.Option(False, "--json", help="Print one JSON object per line instead of a table.")
"""The ``--json`` flag, for every command that prints a table."""


def say(message: str) -> None:
    """Tell the person at the terminal something that is not data: one line on stderr."""
    typer.echo(message, err=True)


def say_all(messages: Iterable[str]) -> None:
    """Tell several things."""
    for message in messages:
        say(message)


def print_rows(rows: Sequence[Mapping[str, object]], *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Print rows on stdout: a table for people, or JSON Lines for programs.

    Args:
        rows: Mappings with the same keys.
        as_json: Print one object per line.
        columns: Which keys a table shows, in order; None shows those of the first row. JSON holds all.
    """
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False, default=_json_value))
        return
    if not rows:
        return
    shown = list(columns) if columns is not None else list(rows[0])
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in shown:
        is_number = all(isinstance(row.get(name), int | float) for row in rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in shown))
    # A file or a pipe has no width to respect: there, a line stays one line.
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, markup=False).print(
        table
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _json_value(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
