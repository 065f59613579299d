"""``whyrec serve``: published lists with their reasons, over HTTP, and a page that shows them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whyrec.cli.output import say
from whyrec.errors import InvalidConfigError
from whyrec.runtime.config import validated
from whyrec.runtime.extras import require_extra

if TYPE_CHECKING:
    from whyrec.serving.store import Store

DEFAULT_STORE = "sqlite:///whyrec-store.sqlite"
_LIMITS = "Limits"


def serve(
    runs: Annotated[
        list[Path] | None,
        typer.Option("--run", metavar="DIR", help="A fitted run; published first where it is not yet. Repeatable."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="WHYREC_STORE",
            help=f"sqlite:///PATH or postgresql://...; with --run by default {DEFAULT_STORE}.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; one that others reach needs a key.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes; each opens the runs itself.")] = 1,
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", metavar="FILE", help="Hashes of the keys that are let in, one a line."),
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Print a new key, once, and the line for the key file; then leave.")
    ] = False,
    cors: Annotated[
        list[str] | None,
        typer.Option("--cors", metavar="ORIGIN", help="A site whose pages may call the API. Repeatable."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="Another name of a server without a key. Repeatable."),
    ] = None,
    proxies: Annotated[
        str | None,
        typer.Option("--proxy", metavar="ADDRESSES", help="Proxies, by commas, whose X-Forwarded-For is believed."),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Requests a second of one client, in the long run; 0: any.", rich_help_panel=_LIMITS)
    ] = 50,
    burst: Annotated[int, typer.Option(help="Requests of one client at once.", rich_help_panel=_LIMITS)] = 200,
    max_body: Annotated[int, typer.Option("--max-body", help="Bytes of a request's body.", rich_help_panel=_LIMITS)] = 1
    << 20,
    connections: Annotated[int, typer.Option(help="Open at once, of each worker.", rich_help_panel=_LIMITS)] = 10_000,
) -> None:
    """Serve a store over HTTP: lists with reasons, forecasts, what-if questions, and a page to look at.

    Answers come from what whyrec publish wrote; runs that are there are held open for what-if questions. SIGTERM and
    Ctrl+C let open requests end.

    Example: whyrec serve --run runs/trail --run runs/curec

    Example: whyrec serve --store postgresql://whyrec@db/whyrec --host 0.0.0.0 --key-file keys.txt --workers 4
    """
    require_extra("serve", "fastapi", "uvicorn", "uvloop", "httptools", "sqlalchemy", "prometheus_client", "orjson")
    # The web framework and the store load here; other commands start without them.
    from whyrec.serving.api import LOOPBACK, ApiSettings
    from whyrec.serving.api.keys import new_key as make_key
    from whyrec.serving.api.keys import read_key_file
    from whyrec.serving.server import ServerSettings, require_safe, run_server, source_of

    if new_key:
        key, line = make_key()
        typer.echo(f"key: {key}\nline of the key file: {line}")
        say("The key is shown this once: keep it where secrets are kept, and put the line into the file of --key-file.")
        return
    api = validated(
        ApiSettings,
        {
            "key_hashes": () if key_file is None else read_key_file(key_file),
            "hosts": (*LOOPBACK, host, *(allow_host or ())),
            "cors_origins": tuple(cors or ()),
            "requests_per_second": rate,
            "burst": burst,
            "max_body_bytes": max_body,
        },
        where="serve",
    )
    server = validated(
        ServerSettings,
        {"host": host, "port": port, "workers": workers, "most_connections": connections, "proxies": proxies},
        where="serve",
    )
    require_safe(server, api)
    source = source_of(_store_url(store, runs), runs or (), publish=_publish)
    run_server(source, server=server, api=api, started=lambda address: say(f"Serving at {address} (Ctrl+C stops it)."))
    say("Stopped.")


def _store_url(store: str | None, runs: Sequence[Path] | None) -> str:
    if store is not None:
        return store
    if not runs:
        raise InvalidConfigError("serve: expected --run or --store, got neither. Name what is to be served.")
    return DEFAULT_STORE


def _publish(store: "Store", runs: Sequence[Path]) -> None:
    from whyrec.serving.publishing import publish_runs

    say("These runs are not published yet: publishing them first.")
    publish_runs(runs, store=store)
