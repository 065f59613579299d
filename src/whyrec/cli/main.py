"""The ``whyrec`` command: where commands are registered, and where exceptions become exit codes.

Exit codes: 0 done, 1 failed, 2 your mistake, 130 interrupted. A traceback is shown only with ``--debug``.
"""

import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from whyrec import __version__
from whyrec.cli.output import say
from whyrec.errors import WhyrecError

# In the order that --help lists them: where each command, or group of commands, is found.
COMMANDS = {
    "demo": "whyrec.cli.demo:demo",
    "data": "whyrec.cli.data:app",
    "fit": "whyrec.cli.fit:fit",
    "forecast": "whyrec.cli.forecast:forecast",
    "recommend": "whyrec.cli.recommend:recommend",
    "explain": "whyrec.cli.explain:explain",
    "evaluate": "whyrec.cli.evaluate:evaluate",
    "judge": "whyrec.cli.judge:judge",
    "study": "whyrec.cli.study:app",
    "serve": "whyrec.cli.serve:serve",
    "complete": "whyrec.cli.complete:complete",
    "cache": "whyrec.cli.cache:app",
    "where": "whyrec.cli.where:where",
    "doctor": "whyrec.cli.doctor:doctor",
}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"whyrec {__version__}")
        raise typer.Exit


def _global_options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the full traceback when something fails.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Declare the options that stand before a command; ``main`` acts on them."""


def application(arguments: Sequence[str]) -> typer.Typer:
    """The command line as far as some arguments need it.

    A command that is named is all that is loaded: the others' libraries would cost a second.

    Args:
        arguments: Without the program's name.
    """
    app = typer.Typer(
        name="whyrec",
        help="Recommendations that say why: forecasts and ranked lists whose every entry carries a checked reason.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_global_options)
    named = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name in [named] if named in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        part = getattr(importlib.import_module(module), attribute)
        if isinstance(part, typer.Typer):
            app.add_typer(part, name=name)
        else:
            app.command(name)(part)
    return app


def main(arguments: Sequence[str]) -> int:
    """Run one command line.

    Args:
        arguments: Without the program's name; ``--debug`` may stand anywhere.

    Returns:
        The exit code.
    """
    debug = "--debug" in arguments
    try:
        words = [argument for argument in arguments if argument != "--debug"]
        application(words)(args=words, prog_name="whyrec")
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
