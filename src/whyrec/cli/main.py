"""The ``whyrec`` command: where commands are registered, and where exceptions become exit codes.

Exit codes: 0 done, 1 failed, 2 your mistake, 130 interrupted. A traceback is shown only with ``--debug``.
"""

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from whyrec import __version__
from whyrec.cli import cache, complete, data, demo, doctor, evaluate, explain, fit, forecast, recommend, where
from whyrec.cli.output import say
from whyrec.errors import WhyrecError

app = typer.Typer(
    name="whyrec",
    help="Recommendations that say why: forecasts and ranked lists whose every entry carries a checked reason.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"whyrec {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the full traceback when something fails.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Declare the options that stand before a command; ``main`` acts on them."""


# Registration: one line per command or group of commands, in the order that --help lists them.
app.command("demo")(demo.demo)
app.add_typer(data.app, name="data")
app.command("fit")(fit.fit)
app.command("forecast")(forecast.forecast)
app.command("recommend")(recommend.recommend)
app.command("explain")(explain.explain)
app.command("evaluate")(evaluate.evaluate)
app.command("complete")(complete.complete)
app.command("where")(where.where)
app.add_typer(cache.app, name="cache")
app.command("doctor")(doctor.doctor)


def main(arguments: Sequence[str]) -> int:
    """Run one command line.

    Args:
        arguments: Without the program's name; ``--debug`` may stand anywhere.

    Returns:
        The exit code.
    """
    debug = "--debug" in arguments
    try:
        app(args=[argument for argument in arguments if argument != "--debug"], prog_name="whyrec")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except WhyrecError as error:
        return _failed(f"error: {error}", code=2, debug=debug)
    except KeyboardInterrupt:
        return _failed("error: interrupted.", code=130, debug=debug)
    except Exception as error:  # noqa: BLE001  # the last resort: anything else is a defect of ours, said in one line
        first_line = (str(error).splitlines() or [""])[0]
        message = f"error: {type(error).__name__}: {first_line} (unexpected; run again with --debug for the traceback)"
        return _failed(message, code=1, debug=debug)
    return 0


def run() -> None:
    """Entry point of the console script."""
    sys.exit(main(sys.argv[1:]))


def _failed(message: str, *, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    say(message)
    return code
