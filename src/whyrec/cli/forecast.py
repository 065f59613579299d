"""``whyrec forecast``: the ranked list for the coming window."""

from typing import Annotated

import typer

from whyrec.cli.model_options import DryRunOption, print_estimate
from whyrec.cli.options import At, RunData, RunDirectory, read_moment
from whyrec.cli.output import JSON_OPTION, print_rows, say


def forecast(
    run: RunDirectory,
    at: At = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many items.")] = 10,
    data: RunData = None,
    dry_run: DryRunOption = False,
    as_json: bool = JSON_OPTION,
) -> None:
    """Rank the items by how many users they will reach in the coming window.

    expected is the forecast number of distinct users, low and high its 80% interval where the method states one.
    score orders the list. A run of zero_shot asks its language model now, and keeps the answers: a killed run goes on
    where it was; --dry-run says first what it would take.

    Example: whyrec forecast --run runs/trail -k 20
    """
    # Forecasting loads torch and LightGBM; other commands start without them.
    from whyrec.runs import forecast_run, open_run
    from whyrec.runs.answers import estimate_forecast

    opened = open_run(run)
    dataset, moment = opened.open_data(data), read_moment(at, flag="--at")
    if dry_run:
        print_estimate(estimate_forecast(opened, dataset, at=moment), as_json=as_json)
        return
    window, rows = forecast_run(opened, dataset, at=moment, k=k)
    say(f"{opened.method.label}, {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC:")
    print_rows(rows, as_json=as_json)
