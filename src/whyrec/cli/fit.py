"""``whyrec fit``: learn a forecaster or a recommender from a dataset and keep it."""

from pathlib import Path
from typing import Annotated

import typer

from whyrec.cli.options import Settings, read_moment
from whyrec.cli.output import say
from whyrec.data.bundled import open_dataset
from whyrec.runtime.config import layered, parse_settings, read_toml


def fit(
    method: Annotated[
        str,
        typer.Argument(
            help="What forecasts: trail, last_7_days, ema, pare, ...; or recommends: curec, mllm3rec, guided, ..."
        ),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="The run directory to create.")],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A dataset directory; the bundled data if none.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Learn only from what came before. By default the first midnight (UTC) after the last event.",
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH", help="The window to forecast: 30d (the default), 7d, ..., month; for forecasters."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Settings of the method, one 'key = value' a line.")
    ] = None,
    settings: Settings = None,
    llm: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="The language model that is tuned, for trail: local:DIRECTORY or local:HUB/NAME, scratch for a small "
            "one made on the spot, none for the method without one. For zero_shot, curec and guided the one that is "
            "asked: also URL#MODEL.",
        ),
    ] = "none",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training that was killed, from its last checkpoint.")
    ] = False,
) -> None:
    """Fit a forecaster or a recommender and write it into a run directory, complete or not at all.

    Settings come from --config, then --window, then --set; the later wins.

    Example: whyrec fit trail --data films --until 2013-10-01 --set rounds=200 --out runs/trail

    Example: whyrec fit trail --llm scratch --out runs/scratch

    Example: whyrec fit curec --data films --out runs/curec

    Example: whyrec fit mllm3rec --data films --out runs/mllm3rec

    Example: whyrec fit sasrec --data films --set training.epochs=50 --out runs/sasrec
    """
    # Learning loads torch and LightGBM; other commands start without them.
    from whyrec.runs import fit_run
    from whyrec.runs.methods import window_settings, with_language_model

    method, model = with_language_model(method, llm)
    options = layered(
        model, read_toml(config) if config else {}, {"window": window} if window else {}, parse_settings(settings or [])
    )
    if data is None:
        say("No --data given: using the bundled MovieTweetings data.")
    run = fit_run(
        method,
        open_dataset(data),
        out=out,
        options=options,
        until=read_moment(until, flag="--until"),
        data_directory=data,
        resume=resume,
    )
    for note in run.notes:
        say(note)
    fitted = f"Fitted {run.method.name} until {run.until:%Y-%m-%d %H:%M} UTC"
    if run.method.is_recommender:
        say(f"{fitted}.")
        say(f'Wrote {out}. Next: "whyrec recommend --run {out} --user ID".')
    else:
        say(f"{fitted} for windows of {window_settings(run.settings).window}.")
        say(f'Wrote {out}. Next: "whyrec forecast --run {out}".')
