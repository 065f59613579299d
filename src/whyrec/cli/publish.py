"""``whyrec publish``: what fitted runs say, written into a store to be served."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whyrec.cli.options import read_moment
from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.errors import InvalidConfigError

if TYPE_CHECKING:
    from whyrec.serving.publishing import Published

Runs = Annotated[
    list[Path],
    typer.Option(
        "--run",
        metavar="DIR",
        help="A directory that whyrec fit wrote. Repeatable: one forecaster at most, and recommenders in the order of "
        "preference, all fitted on the same data.",
    ),
]
StoreUrl = Annotated[
    str, typer.Option("--store", metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/DATABASE.")
]


def publish(
    runs: Runs,
    store: StoreUrl,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Where the runs' data lie now; by default where they were fitted."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Read only what came before. By default the midnight after all there is."),
    ] = None,
    depth: Annotated[int, typer.Option(help="Places of a user's list.")] = 50,
    explained: Annotated[int, typer.Option(help="Of these, so many have their reason.")] = 10,
    explained_items: Annotated[int, typer.Option(help="Of the coming window's board, so many have theirs.")] = 200,
    board_depth: Annotated[int, typer.Option(help="Places of a board.")] = 200,
    users: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Whom to make lists for, a user_id a line. By default everybody."),
    ] = None,
    without_intake: Annotated[
        bool, typer.Option("--without-intake", help="Leave out the interactions that the store has taken in.")
    ] = False,
    keep: Annotated[int, typer.Option(help="How many of the newest versions to keep.")] = 3,
    as_json: bool = JSON_OPTION,
) -> None:
    """Write boards, users' lists, reasons and pages of items and users into a store, as one version.

    What was served before is served until all is written; a killed publication leaves nothing that anybody sees.

    Example: whyrec publish --run runs/trail --run runs/curec --store sqlite:///store.sqlite

    Example: whyrec publish --run runs/guided --store sqlite:///store.sqlite --users some.txt --explained 5
    """
    # Publishing loads torch and a database; other commands start without them.
    from whyrec.serving.publishing import PublishSettings, publish_runs
    from whyrec.serving.store import Store

    moment = read_moment(at, flag="--at")
    if keep < 1:
        raise InvalidConfigError(f"--keep: expected at least 1, got {keep}. Keep more.")
    settings = PublishSettings.checked(
        depth=depth, explained=explained, explained_items=explained_items, board_depth=board_depth
    )
    asked = None if users is None else _read_users(users)
    with Store.open(store) as opened:
        published = publish_runs(
            runs,
            opened,
            data=data,
            at=moment,
            user_ids=asked,
            without_intake=without_intake,
            keep=keep,
            settings=settings,
        )
    _print(published, as_json=as_json)


def _read_users(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfigError(
            f"--users: expected a text file with a user_id a line, got {path} ({error}). Name another."
        ) from error


def _print(published: "Published", *, as_json: bool) -> None:
    found = asdict(published)
    writers = [{"writer": writer, "explanations": n, "not_verified": wrong} for writer, n, wrong in found["writers"]]
    if as_json:
        print_rows([{**found, "writers": writers}], as_json=True)
        return
    totals = {name.removeprefix("n_"): found[name] for name in ("version", "at", "n_users", "n_lists", "n_items")}
    print_rows([totals], as_json=False)
    typer.echo()
    print_rows(writers, as_json=False)
    say(
        f"{published.n_explanations:,} explanations, {published.n_unverified:,} of them not verified and marked so; "
        f"{published.wall_time_s:,.0f} s."
    )
    if published.n_taken_in or published.n_unknown_items:
        say(f"Taken in since: {published.n_taken_in:,}; {published.n_unknown_items:,} more of unknown items left out.")
    if published.n_unknown_users:
        say(f"{published.n_unknown_users:,} of the users asked for have no history, and no list.")
