"""``whyrec demo``: the whole pipeline at once, on the bundled data, offline."""

import shlex
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from whyrec.cli.judgement import print_judgement
from whyrec.cli.options import Settings
from whyrec.cli.output import say
from whyrec.cli.personal import print_recommendations
from whyrec.cli.serve import require_serving, say_address
from whyrec.cli.terminal import stdout_console
from whyrec.data.bundled import open_dataset
from whyrec.runtime.config import parse_settings, validated

if TYPE_CHECKING:
    from whyrec.data.dataset import Dataset
    from whyrec.methods.trail.explained import ExplainedForecast, ExplainedItem
    from whyrec.serving.report import ReportPerson

DEFAULT_OUT = Path("whyrec-demo")
_SHOWN_TO_EACH = 3
"""Of a person's list, in the terminal; the report shows all."""


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where to write; an earlier demo there is replaced.")
    ] = DEFAULT_OUT,
    k: Annotated[int, typer.Option("-k", "--k", help="How many items to list and explain.")] = 10,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A dataset directory; the bundled data if none.")
    ] = None,
    windows: Annotated[int, typer.Option(help="How many of the log's last full windows to judge on.")] = 3,
    settings: Settings = None,
    show: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Go on to serve lists, reasons and a page; a demo that is there is not rerun."),
    ] = False,
    port: Annotated[int, typer.Option(help="Of --serve; 0 takes a free one.")] = 8000,
) -> None:
    """Judge the forecaster, forecast the coming window, recommend to three people, say why, check every claim.

    Needs no network, no GPU and no language model; takes about three minutes. Writes report.html, forecast.parquet,
    explanations.jsonl, personal.jsonl and evaluation.json. With --serve it goes on to fit and publish what a page
    shows, in about four minutes more, and serves that page until it is stopped.

    Example: whyrec demo --out films-demo -k 20 --open
    """
    # Learning loads torch and LightGBM; other commands start without them.
    from whyrec.serving.demo import run_demo
    from whyrec.serving.demo_folder import is_complete

    dataset = open_dataset(data)
    if not serve or not is_complete(out):
        if data is None:
            say("The bundled data: MovieTweetings, ratings of films tweeted between February and November 2013.")
        result = run_demo(dataset, out=out, k=k, n_windows=windows, options=parse_settings(settings or []), tell=say)
        _print_list(result.forecast)
        typer.echo()
        _print_people(result.people)
        print_judgement(result.evaluation)
        typer.echo()
        typer.echo(f"Report: {result.report}")
        if show:
            webbrowser.open(result.report.resolve().as_uri())
    if serve:
        _serve(dataset, out=out, data_directory=data, port=port)
    else:
        typer.echo(f"Lists, reasons and forecasts in a page: {_serve_command(out=out, data=data)}")


def _serve(dataset: "Dataset", *, out: Path, data_directory: Path | None, port: int) -> None:
    require_serving()
    from whyrec.serving.api import ApiSettings
    from whyrec.serving.demo_serving import publish_demo
    from whyrec.serving.server import ServerSettings, Source, run_server

    server = validated(ServerSettings, {"port": port}, where="demo --serve")
    url, runs = publish_demo(dataset, out=out, data_directory=data_directory, tell=say)
    source = Source(store=url, runs=tuple(runs))
    say("Opening the models ...")
    run_server(source, server=server, api=ApiSettings(), started=say_address)


def _serve_command(*, out: Path, data: Path | None) -> str:
    given = [("--out", out if out != DEFAULT_OUT else None), ("--data", data)]
    flags = [part for flag, value in given if value is not None for part in (flag, str(value))]
    return shlex.join([sys.argv[0], "demo", *flags, "--serve"])


def _print_list(forecast: "ExplainedForecast") -> None:
    console = stdout_console()
    window = forecast.window
    console.print(f"The top {len(forecast.items)} from {window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}", style="bold")
    console.print("expected users [80% interval], and how many of the reason's claims hold", style="dim")
    for item in forecast.items:
        _print_item(item, console=console)


def _print_people(people: "tuple[ReportPerson, ...]") -> None:
    console = stdout_console()
    for person in people:
        records = [item.record() for item in person.items[:_SHOWN_TO_EACH]]
        heading = f"The top {len(records)} for user {person.user_id}, who has chosen {person.n_items:,} so far"
        print_recommendations(records, heading=heading, console=console, most_reasons=0)
        console.print()


def _print_item(item: "ExplainedItem", *, console: Console) -> None:
    point, verdict = item.point, item.explanation.verdict
    n_held = len(verdict.claims) - len(verdict.unsupported)
    checked = Text(f"{n_held} of {len(verdict.claims)} claims", "green" if verdict.verified else "bold red")
    line = Table.grid(padding=(0, 2, 0, 0), expand=True)
    line.add_column(justify="right", width=3)
    line.add_column(ratio=1)
    line.add_column(justify="right", no_wrap=True)
    line.add_column(justify="right", no_wrap=True)
    line.add_row(
        str(point.rank),
        Text(item.facts.title, "bold"),
        Text.assemble(f"{point.expected:,.0f} ", (f"[{point.low:,.0f}–{point.high:,.0f}]", "dim")),
        checked,
    )
    console.print(line)
    console.print(Padding(Text(item.reason), (0, 0, 0, 5), expand=False))
