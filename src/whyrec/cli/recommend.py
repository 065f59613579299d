"""``whyrec recommend``: a list for each user."""

from typing import Annotated

import typer

from whyrec.cli.options import RunData, RunDirectory, read_moment
from whyrec.cli.output import JSON_OPTION, print_rows, say


def recommend(
    run: RunDirectory,
    users: Annotated[list[str], typer.Option("--user", metavar="ID", help="A user_id. Repeatable.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Read only what came before. By default everything in the data is read."),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many items each.")] = 10,
    data: RunData = None,
    as_json: bool = JSON_OPTION,
) -> None:
    """Rank items for users, less what they have had; a higher score is better.

    A user without a history gets the most popular items, and that is said.

    Example: whyrec recommend --run runs/sasrec --user 1492 --user 77 -k 5
    """
    # Recommending loads torch; other commands start without it.
    from whyrec.runs import open_run, recommend_run

    opened = open_run(run)
    lists = recommend_run(opened, opened.open_data(data), user_ids=users, at=read_moment(at, flag="--at"), k=k)
    for user in lists.unknown:
        say(f"{user}: no history to go by, so these are the most popular items.")
    shown = ["rank", "item_id", "title", "score"]
    print_rows(lists.rows, as_json=as_json, columns=shown if len(set(users)) == 1 else ["user_id", *shown])
