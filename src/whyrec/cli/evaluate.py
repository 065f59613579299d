"""``whyrec evaluate``: how good fitted methods are, on windows that they did not learn from."""

from pathlib import Path
from typing import Annotated

import typer

from whyrec.cli.judgement import print_judgement
from whyrec.cli.options import RunData
from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.runtime.atomic import require_absent


def evaluate(
    runs: Annotated[list[Path], typer.Option("--run", metavar="DIR", help="What whyrec fit wrote. Repeatable.")],
    windows: Annotated[
        int | None,
        typer.Option(help="How many of the log's last full windows to judge forecasters on; 3 by default."),
    ] = None,
    baselines: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            metavar="NAME",
            help="What to compare with; by default last_30_days, last_14_days, last_7_days, last_3_days, ema, pare, "
            "or popular for recommenders. Repeatable.",
        ),
    ] = None,
    data: RunData = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.json", help="Also write environment, settings and rows.")
    ] = None,
    as_json: bool = JSON_OPTION,
) -> None:
    """Judge runs side by side, beside baselines and chance; all of forecasters or all of recommenders.

    Forecasters are judged on the last full windows of their data. A run may have learned from the very windows it is
    judged on, so it is never used as it stands: its method is fitted anew, with its settings, at the start of every
    window, on what came before. The table shows the mean of all windows; --json has every window and every metric.

    Recommenders are judged as they stand, on what users took after the moment that they were fitted until.

    Seen items are removed per user.

    Example: whyrec evaluate --run runs/trail --run runs/ema --windows 3 --out results.json

    Example: whyrec evaluate --run runs/sasrec --run runs/item_knn --baseline popular --baseline bpr
    """
    # Judging loads torch and LightGBM; other commands start without them.
    from whyrec.runs import judge_runs

    if out is not None:
        require_absent(out)
    rows = judge_runs(runs, data_directory=data, n_windows=windows, baselines=baselines or None, out=out)
    if as_json:
        print_rows(rows.to_dicts(), as_json=True)
    else:
        print_judgement(rows)
    if out is not None:
        say(f"Wrote {out}.")
