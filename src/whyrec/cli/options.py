"""Options that several commands share, and how their words are read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from whyrec.errors import InvalidConfigError

RunDirectory = Annotated[Path, typer.Option("--run", metavar="DIR", help="A directory that whyrec fit wrote.")]
RunData = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Where the run's data lie now; by default where it was fitted."),
]
At = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Start of the window to forecast; only what came before it is used. By default the moment that the run "
        "was fitted until.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="One setting of the method, such as rounds=200 or training.epochs=5. Repeatable.",
    ),
]

WantOption = Annotated[
    str | None,
    typer.Option(
        "--want",
        metavar="WORDS",
        help="In place of --user: what somebody says they want, such as 'gifts that are eco-friendly'; for a run of "
        "mllm3rec.",
    ),
]


def require_one_of(command: str, *, users: object, want: str | None) -> None:
    """Refuse both a user and a wish, or neither.

    Raises:
        InvalidConfigError: If so.
    """
    if bool(users) == (want is not None):
        got = "both" if users else "neither"
        raise InvalidConfigError(
            f"{command}: expected --user or --want, got {got}. Name a user, or say what is wanted."
        )


def require_alone(option: str, *, others: Mapping[str, bool]) -> None:
    """Refuse options that have no meaning beside another one.

    Args:
        option: The one that stands alone, such as ``--want``.
        others: By name, whether each was given.

    Raises:
        InvalidConfigError: If some were.
    """
    given = [name for name, is_given in others.items() if is_given]
    if given:
        raise InvalidConfigError(f"{option}: expected no {given[0]} beside it, got both. Leave one out.")


def read_moment(text: str | None, *, flag: str) -> datetime | None:
    """Read a date or a time; without an offset it is UTC.

    Raises:
        InvalidConfigError: If it is neither.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidConfigError(
            f"{flag}: expected a date such as 2013-11-07 or a time such as 2013-11-07T12:00Z, got {text!r}. "
            "Write it so."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
