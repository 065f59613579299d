"""``whyrec forecast``: the ranked list for the coming window."""

from typing import Annotated

import typer

from whyrec.cli.options import At, RunData, RunDirectory, read_moment
from whyrec.cli.output import JSON_OPTION, print_rows, say


def forecast(
    run: RunDirectory,
    at: At = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many items.")] = 10,
    data: RunData = None,
    as_json: bool = JSON_OPTION,
) -> None:
    """Rank the items by how many users they will reach in the coming window.

    expected is the forecast number of distinct users, low and high its 80% interval where the method states one.
    score orders the list.

    Example: whyrec forecast --run runs/trail -k 20
    """
    # Forecasting loads torch and LightGBM; other commands start without them.
    from whyrec.runs import forecast_run, open_run

    opened = open_run(run)
    window, rows = forecast_run(opened, opened.open_data(data), at=read_moment(at, flag="--at"), k=k)
    say(f"{opened.method.label}, {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC:")
    print_rows(rows, as_json=as_json)
