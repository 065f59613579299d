"""``whyrec data``: import, check and describe dataset directories."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from whyrec.cli.output import JSON_OPTION, print_rows, say, say_all
from whyrec.data.bundled import open_dataset
from whyrec.data.check import CheckReport, check_directory, check_file
from whyrec.data.import_config import ImportConfig
from whyrec.data.importing import import_dataset
from whyrec.data.ordering import Duplicates
from whyrec.data.read import Format
from whyrec.data.summary import summarise
from whyrec.data.timestamps import Unit
from whyrec.errors import InvalidConfigError

app = typer.Typer(help="Build, check and describe dataset directories.", no_args_is_help=True)

_FILES = "Files"
_COLUMNS = "Columns"
_RULES = "Rules"

ItemsFile = Annotated[
    Path | None, typer.Option("--items", help="The catalogue: item_id, title and attributes.", rich_help_panel=_FILES)
]
UsersFile = Annotated[
    Path | None, typer.Option("--users", help="The users: user_id and attributes.", rich_help_panel=_FILES)
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="Format of the log; auto goes by the suffix.", rich_help_panel=_FILES)
]
Delimiter = Annotated[
    str | None,
    typer.Option(help="Between columns, such as ',' or '::' or '\\t'. Sniffed by default.", rich_help_panel=_FILES),
]
ItemsDelimiter = Annotated[str | None, typer.Option(help="The same, of the catalogue.", rich_help_panel=_FILES)]
Columns = Annotated[
    str | None,
    typer.Option(help="Column names of a log without a header line: user_id,item_id,...", rich_help_panel=_COLUMNS),
]
ItemsColumns = Annotated[str | None, typer.Option(help="The same, of the catalogue.", rich_help_panel=_COLUMNS)]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Which column of the log is user_id, item_id, timestamp, rating or review. Repeatable. "
        "Usual names (userId, movieId, time, ...) are found without.",
        rich_help_panel=_COLUMNS,
    ),
]
ItemsMap = Annotated[
    list[str] | None,
    typer.Option(
        "--items-map",
        metavar="FIELD=COLUMN",
        help="Which column of the catalogue is item_id, title or description. Repeatable.",
        rich_help_panel=_COLUMNS,
    ),
]
UsersMap = Annotated[
    list[str] | None,
    typer.Option(
        "--users-map", metavar="FIELD=COLUMN", help="Which column is user_id, for --users.", rich_help_panel=_COLUMNS
    ),
]
ListColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--list-col",
        metavar="COLUMN=SEPARATOR",
        help="A catalogue column with several values in one text, such as genres='|'. Repeatable.",
        rich_help_panel=_COLUMNS,
    ),
]
TimestampUnit = Annotated[
    Unit,
    typer.Option(
        help="Of numeric timestamps; auto reads seconds and refuses years outside 1970 to 2100.", rich_help_panel=_RULES
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        help="IANA zone of times without an offset, such as Europe/Vienna. UTC by default.", rich_help_panel=_RULES
    ),
]
Keep = Annotated[
    str | None,
    typer.Option(
        help="Leave out rows that do not meet a condition on a column, such as 'Quantity > 0'.", rich_help_panel=_RULES
    ),
]
UnknownItems = Annotated[
    Literal["reject", "add"],
    typer.Option(help="Items missing from --items: bad rows, or added and titled by their id.", rich_help_panel=_RULES),
]


@app.command("import")
def import_(
    context: typer.Context,
    log: Annotated[Path, typer.Argument(help="Interactions: .csv .tsv .dat .txt .jsonl(.gz) .parquet")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The dataset directory to create.", rich_help_panel=_FILES)],
    items: ItemsFile = None,
    users: UsersFile = None,
    name: Annotated[str | None, typer.Option(help="Name in reports; the directory's by default.")] = None,
    format: FormatOption = "auto",
    delimiter: Delimiter = None,
    items_delimiter: ItemsDelimiter = None,
    columns: Columns = None,
    items_columns: ItemsColumns = None,
    mapping: Map = None,
    items_mapping: ItemsMap = None,
    users_mapping: UsersMap = None,
    list_columns: ListColumns = None,
    keep: Keep = None,
    timestamp_unit: TimestampUnit = "auto",
    timezone: Timezone = None,
    unknown_items: UnknownItems = "reject",
    on_bad_rows: Annotated[
        Literal["raise", "quarantine"],
        typer.Option(help="Refuse the file, or set bad rows aside in rejected.parquet.", rich_help_panel=_RULES),
    ] = "raise",
    duplicates: Annotated[
        Duplicates,
        typer.Option(help="Which of the rows with equal user, item and time to keep.", rich_help_panel=_RULES),
    ] = "first",
    one_per_pair: Annotated[
        Literal["first", "last"] | None,
        typer.Option(help="Keep only the first or last event of each user and item.", rich_help_panel=_RULES),
    ] = None,
    as_json: bool = JSON_OPTION,
) -> None:
    """Build a dataset directory from an interaction log and, better, a catalogue.

    Every row is checked; nothing is dropped silently; the directory appears complete or not at all.

    Example: whyrec data import ratings.csv --items films.csv --map user_id=UserID --list-col genres='|' --out films
    """
    report = import_dataset(log, out, items=items, users=users, name=name, config=_config(context))
    say_all(report.notes)
    say(f"Wrote {out}.")
    keys = ("name", "n_interactions", "n_users", "n_items", "first_timestamp", "last_timestamp")
    print_rows([dict(report.manifest)], as_json=as_json, columns=keys)


@app.command()
def check(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A log to import, or a dataset directory.")],
    *,
    items: ItemsFile = None,
    users: UsersFile = None,
    format: FormatOption = "auto",
    delimiter: Delimiter = None,
    items_delimiter: ItemsDelimiter = None,
    columns: Columns = None,
    items_columns: ItemsColumns = None,
    mapping: Map = None,
    items_mapping: ItemsMap = None,
    users_mapping: UsersMap = None,
    list_columns: ListColumns = None,
    keep: Keep = None,
    timestamp_unit: TimestampUnit = "auto",
    timezone: Timezone = None,
    unknown_items: UnknownItems = "reject",
    as_json: bool = JSON_OPTION,
) -> None:
    """List every problem of a file or dataset directory: counted by kind, with the first case of each.

    Writes nothing. Leaves with 0 if all is well and 1 if not.
    """
    if path.is_dir():
        _print_check(check_directory(path), where=path, as_json=as_json)
        return
    report = check_file(path, items=items, users=users, config=_config(context))
    _print_check(report, where=path, as_json=as_json)


@app.command()
def describe(
    directory: Annotated[Path | None, typer.Argument(help="A dataset directory; the bundled data if none.")] = None,
    as_json: bool = JSON_OPTION,
) -> None:
    """Print counts, time range, windows, sparsity, ratings and attribute coverage."""
    print_rows([asdict(fact) for fact in summarise(open_dataset(directory))], as_json=as_json)


def _print_check(report: CheckReport, *, where: Path, as_json: bool) -> None:
    say_all(report.notes)
    print_rows([asdict(problem) for problem in report.problems], as_json=as_json)
    n = sum(problem.n for problem in report.problems)
    say(f"{where}: {report.n_rows:,} rows checked, {n:,} problems.")
    if n:
        raise typer.Exit(1)


def _config(context: typer.Context) -> ImportConfig:
    """Make the settings of the options, whose parameters carry the settings' names; so neither command repeats them."""
    read: dict[str, Callable[[Any], object]] = {
        "delimiter": _unescaped,
        "items_delimiter": _unescaped,
        "columns": _names,
        "items_columns": _names,
        "mapping": partial(_pairs, flag="--map"),
        "items_mapping": partial(_pairs, flag="--items-map"),
        "users_mapping": partial(_pairs, flag="--users-map"),
        "list_columns": partial(_pairs, flag="--list-col"),
    }
    options = {name: value for name, value in context.params.items() if name in ImportConfig.model_fields}
    return ImportConfig.model_validate(
        {name: read[name](value) if name in read else value for name, value in options.items()}
    )


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(","))


def _pairs(texts: list[str] | None, *, flag: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise InvalidConfigError(f"{flag}: expected NAME=VALUE, got {text!r}. Write it so.")
        if name in pairs:
            raise InvalidConfigError(f"{flag}: expected {name!r} once, got it twice. Keep one.")
        pairs[name] = value
    return pairs


def _unescaped(delimiter: str | None) -> str | None:
    r"""Shells make it hard to type a tab, so ``\t`` stands for one."""
    return "\t" if delimiter == r"\t" else delimiter
